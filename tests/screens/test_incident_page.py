"""Declaring an incident: what each severity holds is said before, and half a line declares nothing."""

from __future__ import annotations

import pytest

from console.screens.incident import incident_page, wrong
from tests.screens import states
from tests.screens.pressing import field_of, until, write

SIZES = ((160, 45), (100, 30), (80, 24))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("known", [True, False], ids=["known", "nothing-known"])
def test_the_page_reads_as_recorded(known: bool, size: tuple[int, int], page_snapshot) -> None:
    lines, field_at = incident_page(states.view(states.ok() if known else None), "", *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    assert lines[field_at].text.strip() == ""
    assert "\n".join(line.text.rstrip() for line in lines) == page_snapshot


def test_a_severity_and_one_line_are_needed() -> None:
    assert wrong("sev1 the feed lies") == ""
    assert "it begins with SEV1" in wrong("SEV4 x")
    assert "one line" in wrong("SEV2  ")


async def test_it_is_declared_from_the_home_screen(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("i")
        await field_of(pilot, made.app)
        await write(pilot, "sev2")
        await pilot.press("enter")
        assert made.hands.asked == []
        await write(pilot, " feed lies")
        await pilot.press("enter")
        await until(pilot, lambda: "INC-1 SEV2 declared" in made.text)
        assert made.hands.asked == [("declare", "SEV2", "feed lies")]
