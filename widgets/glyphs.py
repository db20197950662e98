"""The twin of every glyph in ASCII, cell by cell.

Pages are drawn once, with the full set; where the locale is not UTF-8 each cell is exchanged when it is painted, so
both sets share one layout. Words carry the meaning in both.
"""

from __future__ import annotations

from rich.cells import cell_len

_TWINS = {
    "·": ".", "▲": "!", "■": "#", "▼": "v", "–": "-", "○": "o", "►": ">", "●": "*",
    "─": "-", "━": "=", "│": "|", "┬": "-", "┴": "-", "├": "|", "┤": "|", "┼": "+",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "╸": "-", "╎": ":", "█": "#", "▌": "#", "▒": "%",
    "▁": "_", "▂": ".", "▃": ",", "▄": "-", "▅": "=", "▆": "+", "▇": "*",
    "…": ".", "→": ">", "≠": "!", "×": "x", "≤": "<", "≥": ">", "±": "+", "—": "-", "−": "-",
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
