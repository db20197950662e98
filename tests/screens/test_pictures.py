"""The README's pictures are what the program draws today."""

from __future__ import annotations

import asyncio

from tests.screens.draw_pictures import PICTURES, draw_all


def test_the_pictures_are_up_to_date() -> None:
    drawn = asyncio.run(draw_all())
    assert set(drawn) == {"ramp", "breach", "plan", "rollback"}
    for name, text in drawn.items():
        kept = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert text == kept, f"{name}: run python -m tests.screens.draw_pictures and look at it"
