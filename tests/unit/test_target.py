"""Where a reduction leads: one stage down, further down, to the lowest, and killed when even that is out of reach."""

from __future__ import annotations

import pytest

from stages.posture import Mode, Posture
from stages.target import reduction_target
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
