"""Where a reduction leads: one stage down, further down, to the lowest, and killed when even that is out of reach."""

from __future__ import annotations

import pytest

from stages.posture import Mode, Posture
from stages.reflex import Need
from stages.standing import Standing
from stages.target import Target, aim, reduction_target
from tests.unit.watched import make_policy


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({1: True, 0: True}, (1, Mode.REDUCE_ONLY)),
        ({1: False, 0: True}, (0, Mode.REDUCE_ONLY)),
        ({1: None, 0: True}, (0, Mode.REDUCE_ONLY)),
        ({1: None, 0: None}, (0, Mode.REDUCE_ONLY)),
        ({1: False, 0: False}, (0, Mode.KILLED)),
    ],
)
def test_a_reduction_leads_to_the_first_stage_that_is_ready(
    answers: dict[int, bool | None], expected: tuple[int, Mode]
) -> None:
    found = reduction_target(make_policy(), Posture(Mode.REDUCE_ONLY, 1), lambda stage: (answers[stage], "no binding"))
    assert (found.stage, found.mode) == expected
    assert bool(found.why) == (answers[1] is not True)


def test_a_stricter_mode_alone_never_steps_down_however_the_stages_stand() -> None:
    halted = aim(make_policy(), Need(1, Mode.HALTED), Standing(1, Mode.NORMAL, 1), lambda _: (False, "no binding"))
    assert halted == Target(1, Mode.HALTED)
    lowered = aim(make_policy(), Need(1, Mode.HALTED), Standing(2, Mode.NORMAL, 2), lambda _: (False, "no binding"))
    assert (lowered.stage, lowered.mode) == (0, Mode.KILLED)
