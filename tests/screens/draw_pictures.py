"""Draws the pictures of the README from frames made by hand: ``python -m tests.screens.draw_pictures``.

Nothing of the world is read and the time stands still, so the same program always draws the same pictures.
"""

from __future__ import annotations

import asyncio
import html
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.cells import cell_len

from tests.screens import states
from tests.screens.conftest import Console
from widgets.token_input import TokenInput

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"


async def picture(
    made: Console,
    keys: tuple[str, ...],
    ready: Callable[[Console], bool],
    size: tuple[int, int] = (160, 45),
) -> str:
    """Presses the keys, waits until the page says what is wanted, and returns the SVG."""
    async with made.app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        async with asyncio.timeout(60):
            while not ready(made):
                await pilot.pause(0.05)
        svg = made.app.export_screenshot(title="rampdeck")
    # The page's id is a digest that changes with the library; fonts come from the reader's own machine.
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return pinned(svg).replace("Fira Code", "DejaVu Sans Mono")


_TEXT = re.compile(
    r'<text (?P<head>[^>]*?)x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" '
    r'textLength="(?P<length>[\d.]+)"(?P<tail>[^>]*)>(?P<text>[^<]+)</text>'
)


def pinned(svg: str) -> str:
    """The SVG with every run of text pinned to its own column, so that columns stand in any font and renderer."""

    def runs(found: re.Match[str]) -> str:
        text = html.unescape(found["text"])
        cell = float(found["length"]) / max(1, cell_len(text))
        pieces = []
        for run in re.finditer(r"[^\s]+(?:\xa0[^\s]+)*", text):
            x, length = float(found["x"]) + cell * cell_len(text[: run.start()]), cell * cell_len(run[0])
            place = f'x="{x:.1f}" y="{found["y"]}" textLength="{length:.1f}"'
            pieces.append(f"<text {found['head']}{place}{found['tail']}>{html.escape(run[0], quote=False)}</text>")
        return "".join(pieces)

    return _TEXT.sub(runs, svg)


def _typing(made: Console) -> bool:
    fields = list(made.app.screen.query(TokenInput))
    if not fields or not fields[0].ready:
        return False
    fields[0].typed = "ADVANCE torghut L1 L2 GRO"
    fields[0].refresh()
    return "more characters" in made.text


async def draw_all() -> dict[str, str]:
    """Every picture of the README by its name."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        plan, down = Console(states.ok(), where), Console(states.breach(), where)
        plan.hands.rehearsal, plan.hands.standing = states.READY_REHEARSAL, states.READY
        return {
            "ramp": await picture(Console(states.ok(), where), (), lambda made: "HOLD" in made.text),
            "breach": await picture(Console(states.breach(), where), (), lambda made: "BREACH" in made.text),
            "plan": await picture(plan, ("2", "p"), _typing),
            "rollback": await picture(down, ("r",), lambda made: "TIME TO SAFE" in made.text, (100, 30)),
        }


if __name__ == "__main__":
    for name, drawn in asyncio.run(draw_all()).items():
        (PICTURES / f"{name}.svg").write_text(drawn, encoding="utf-8")
