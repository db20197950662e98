"""The twin of every glyph in ASCII, cell by cell.

Pages are drawn once, with the full set; where the locale is not UTF-8 each cell is exchanged when it is painted, so
both sets share one layout. Words carry the meaning in both.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len

_TWINS = {
    "·": ".", "▲": "!", "■": "#", "▼": "v", "–": "-", "○": "o", "►": ">", "●": "*",
    "─": "-", "━": "=", "│": "|", "┬": "-", "┴": "-", "├": "|", "┤": "|", "┼": "+",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "╸": "-", "╎": ":", "┄": "-", "█": "#", "▌": "#", "▒": "%",
    "▀": "#", "░": ":", "▁": "_", "▂": ".", "▃": ",", "▄": "-", "▅": "=", "▆": "+", "▇": "*",
    "…": ".", "→": ">", "›": ">", "≠": "!", "×": "x", "≤": "<", "≥": ">", "±": "+", "—": "-", "−": "-",
    "‘": "'", "’": "'", "“": '"', "”": '"', "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip

_TABLE = str.maketrans(_TWINS)


def ascii_twin(text: str) -> str:
    """``text`` in ASCII, exactly as many cells wide. What has no twin becomes ``_``, which is no mark."""
    if text.isascii():
        return text
    text = text.translate(_TABLE)
    if text.isascii():
        return text
    return "".join(character if character.isascii() else "_" * cell_len(character) for character in text)


def plain_terminal(environment: Mapping[str, str], preferred: str) -> bool:
    """Whether a terminal cannot be trusted with more than ASCII: another locale than UTF-8, or a plain console.

    ``preferred`` is the encoding that the machine prefers, for an environment that names no locale.
    """
    if environment.get("TERM", "").startswith(("linux", "vt")):
        return True
    named = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    return "utf8" not in (named or preferred).replace("-", "").casefold()
