"""Draws the pictures of the README from frames made by hand: ``python -m tests.screens.draw_pictures``.

Nothing of the world is read and the time stands still, so the same program always draws the same pictures.
"""

from __future__ import annotations

import asyncio
import html
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.cells import cell_len
from textual.pilot import Pilot

from console.desk import Frame
from console.panic.page import Sight
from console.panic.screen import PanicApp
from tests.screens import drills, gallery, states, test_clear_page, test_panic_page
from tests.screens.conftest import Console
from widgets.token_input import TokenInput

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"


class Night:
    """Panic as it stands at one moment: nobody is asked, and what was seen does not change."""

    def __init__(self, sight: Sight) -> None:
        self.app = Still(sight)

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())


class Still(PanicApp):
    """The screen of panic before which nothing happens."""

    def __init__(self, sight: Sight) -> None:
        super().__init__(lambda: None, lambda: sight.wall, "0")  # type: ignore[arg-type, return-value]
        self.sight = sight

    def _prepare(self) -> None:
        """No configuration is read."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what is shown, the keys that lead there, and what the screen says once it is there."""

    made: Callable[[Path], Console | Night]
    says: str
    keys: tuple[str, ...] = ()
    typed: str = ""
    size: tuple[int, int] = (160, 45)


async def picture(wanted: Picture, folder: Path) -> str:
    """Presses the keys, types, waits until the page says what is wanted, and returns the SVG."""
    made = wanted.made(folder)
    async with made.app.run_test(size=wanted.size) as pilot, asyncio.timeout(60):
        await pilot.pause()
        await pilot.press(*wanted.keys)
        if wanted.typed:
            await _type(made, pilot, wanted.typed)
        while wanted.says not in made.text:
            await pilot.pause(0.05)
        svg = made.app.export_screenshot(title="rampdeck")
    # The page's id is a digest that changes with the library; fonts come from the reader's own machine.
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return pinned(svg).replace("Fira Code", "DejaVu Sans Mono")


async def _type(made: Console | Night, pilot: Pilot[Any], words: str) -> None:
    """Writes into the page's field, as soon as it takes keys."""
    while not any(field.ready for field in made.app.screen.query(TokenInput)):
        await pilot.pause(0.05)
    field = made.app.screen.query(TokenInput).first()
    field.typed = words
    field.refresh()


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


def _console(frame: Callable[[], Frame | None]) -> Callable[[Path], Console]:
    def made(folder: Path) -> Console:
        shown = frame()
        return Console(shown and gallery.lived(shown), folder)

    return made


def _ready(folder: Path) -> Console:
    """A plan that everybody has agreed to."""
    made = Console(states.ok(), folder)
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.READY
    return made


def _ledger(folder: Path) -> Console:
    made = Console(states.ok(), folder)
    made.books.entries = gallery.ledger()
    return made


def _kill(folder: Path) -> Console:
    made = Console(states.blind(), folder)
    made.hands.commands = gallery.KILLED_BY_HAND
    return made


def _clear(folder: Path) -> Console:
    made = Console(test_clear_page.FRAMES["signed-by-one"][0], folder)
    made.hands.signed = test_clear_page.SIGNED
    return made


def _panic(_folder: Path) -> Night:
    """A block at the venue while Git, runtime and ledger are away; its reason is owed."""
    return Night(test_panic_page.NIGHT)


SMALL, SMALLEST, MIDDLE = (80, 24), (60, 20), (100, 30)
PICTURES_OF: Mapping[str, Picture] = MappingProxyType(
    {
        "ramp": Picture(_console(states.ok), "HOLD"),
        "breach": Picture(_console(states.breach), "BREACH"),
        "blind": Picture(_console(states.blind), "BLIND"),
        "nobody-acts": Picture(_console(states.nobody_acts), "NOBODY ACTS", size=MIDDLE),
        "plan": Picture(_ready, "more characters", ("2", "p"), "ADVANCE torghut L1 L2 GRO"),
        "rollback": Picture(_console(states.breach), "TIME TO SAFE", ("r",), size=MIDDLE),
        "kill": Picture(_kill, "KILL tor", ("exclamation_mark",), "KILL tor", MIDDLE),
        "drill": Picture(_console(lambda: drills.frame(*drills.earlier(), drills.running())), "PROBE ORDERS", ("d",)),
        "ledger": Picture(_ledger, "VERIFIED", ("l",), size=(120, 36)),
        "clear": Picture(_clear, "1 of 2 approvals", ("c",), size=MIDDLE),
        "incident": Picture(_console(states.breach), "SEV1", ("i",), size=MIDDLE),
        "zoom": Picture(_console(states.breach), "WHERE", ("down", "down", "enter"), size=(120, 36)),
        "help": Picture(_console(states.ok), "HERE:", ("question_mark",), size=MIDDLE),
        "ramp-80x24": Picture(_console(states.ok), "HOLD", size=SMALL),
        "breach-60x20": Picture(_console(states.breach), "BREACH", size=SMALLEST),
        "panic-60x20": Picture(_panic, "UNVERIFIED", size=SMALLEST),
    }
)
"""Every picture by its name: each screen, what must not be missed, and the small sizes."""


async def draw_all(names: Iterable[str] = PICTURES_OF) -> dict[str, str]:
    """These pictures, by name."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: await picture(PICTURES_OF[name], Path(folder) / name) for name in names}


if __name__ == "__main__":
    for name, drawn in asyncio.run(draw_all()).items():
        (PICTURES / f"{name}.svg").write_text(drawn, encoding="utf-8")
