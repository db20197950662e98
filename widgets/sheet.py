"""A sheet: the one widget that paints a page of lines, repainting only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.glyphs import ascii_twin
from widgets.line import Line, Tone, changed_cells
from widgets.palette import hues_of, styles


class Sheet(Widget):
    """Paints the lines it was last shown."""

    DEFAULT_CSS = "Sheet { width: 1fr; height: 1fr; }"

    def __init__(self, *, ascii_marks: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.ascii_marks = ascii_marks
        self.lines: list[Line] = []
        self._styles_of: dict[str, dict[Tone, Style]] = {}

    def show(self, lines: Sequence[Line]) -> None:
        """Shows a new page; what reads the same is not painted again."""
        old, self.lines = self.lines, list(lines)
        if len(old) != len(self.lines):
            self.refresh()
            return
        rows = enumerate(zip(old, self.lines, strict=True))
        changed = [(y, changed_cells(before, after)) for y, (before, after) in rows if before != after]
        if changed:
            self.refresh(*(Region(start, y, end - start, 1) for y, (start, end) in changed))

    @property
    def text(self) -> str:
        """The page as plain text, one row a line."""
        return "\n".join(self._marks(line.text).rstrip() for line in self.lines)

    def render_line(self, y: int) -> Strip:
        """One row of the page, exactly as wide as the widget."""
        width = self.size.width
        return self.strip(self.lines[y] if y < len(self.lines) else Line(), width, self.rich_style)

    def strip(self, line: Line, width: int, base: Style) -> Strip:
        """A line as a strip of ``width`` cells on the style ``base``."""
        tones = self._tones()
        segments = [Segment(self._marks(text), base + tones[tone]) for text, tone in line.spans]
        return Strip(segments).adjust_cell_length(width, base)

    def _marks(self, text: str) -> str:
        return ascii_twin(text) if self.ascii_marks else text

    def _tones(self) -> dict[Tone, Style]:
        theme = self.app.theme
        if theme not in self._styles_of:
            self._styles_of[theme] = dict(styles(hues_of(theme)))
        return self._styles_of[theme]
