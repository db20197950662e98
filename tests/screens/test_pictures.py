"""The pictures of README and docs are what the program draws today."""

from __future__ import annotations

import asyncio

import pytest

from tests.screens.draw_pictures import PICTURES, PICTURES_OF, draw_all


@pytest.mark.parametrize("name", PICTURES_OF)
def test_the_picture_is_up_to_date(name: str) -> None:
    drawn = asyncio.run(draw_all([name]))[name]
    kept = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == kept, f"{name}: run python -m tests.screens.draw_pictures and look at it"


def test_no_picture_lies_around_that_nobody_draws() -> None:
    assert {path.stem for path in PICTURES.glob("*.svg")} == set(PICTURES_OF)
