"""When a pushed act counts as read back from Git: a stricter mode fulfils what reduces, never what lets risk return."""

from __future__ import annotations

import pytest

from stages.posture import Mode
from stages.settling import truth
from stages.value import replace
from tests.unit.watched import Watched


def heard(act: str, wanted: str, stands: Mode) -> bool | None:
    """What settling says of a pushed act to L0 in the mode ``wanted``, Git's other head standing in ``stands``."""
    watched = Watched(stage=0).tick(2)
    watched.push(act, "L0", "L0")
    intents = {name: replace(one, mode=Mode[wanted]) for name, one in watched.state.intents.items()}
    watched.state = replace(watched.state, intents=intents)
    evaluation = watched.tick(1).judge()
    evaluation = replace(evaluation, standing=replace(evaluation.standing, mode=stands))
    return truth(watched.policy, watched.state, evaluation).agrees


@pytest.mark.parametrize(
    ("act", "wanted", "stands", "known"),
    [
        ("reduce", "KILLED", Mode.NORMAL, False),
        ("reduce", "REDUCE_ONLY", Mode.KILLED, True),
        ("restore", "NORMAL", Mode.KILLED, False),
        ("restore", "NORMAL", Mode.NORMAL, True),
        ("resume", "FROZEN", Mode.HALTED, False),
    ],
)
def test_an_act_is_read_back_when_git_stands_where_it_led(act: str, wanted: str, stands: Mode, known: bool) -> None:
    assert (heard(act, wanted, stands) is not None) is known
