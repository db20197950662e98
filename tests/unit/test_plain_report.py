"""The plain twin: sentences without marks, the urgent ones first, and only news is said again."""

from __future__ import annotations

import pytest

from console.watch.once import Look
from console.watch.plain_report import news, sentences
from stages.policy import Policy
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import replace
from stages.verdict import RowState
from tests.screens import states

STATES = [name for name in states.STATES if name != "waiting"]


GROSS = SignalKey(LIVE_BOOK, "gross")


def look(name: str) -> tuple[Policy, Look]:
    frame = states.STATES[name]()
    assert frame is not None
    return frame.policy, Look(frame.evaluation, frame.presence, own=False)


def told(name: str) -> list[str]:
    return [one.text for one in sentences(*look(name))]


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_told_in_words_alone(name) -> None:
    lines = told(name)
    assert not set("".join(lines)) & set("━█▌▁▂▃▄▅▆▇·▲▼■○►│─"), "no mark, no bar, no box"
    assert all(line.endswith((".", "?")) or line.startswith("Burn-in") for line in lines)
    assert lines[0].startswith(look(name)[1].evaluation.headline.word)


def test_what_is_amiss_comes_before_what_is_well() -> None:
    lines = [line for line in told("breach") if ": BREACH" in line or ": ok" in line]
    assert lines[0].startswith("gross: BREACH, 26,410 $, limit 25,000 $, 106 % of it")
    assert ": ok" in lines[-1]


def test_a_number_that_is_not_known_is_not_told_as_one() -> None:
    assert any(line.startswith("gross: BLIND, not known, was 3,912 $") for line in told("blind"))
    assert not any(line.startswith("gross: ok") for line in told("blind"))


def test_only_news_is_said_again() -> None:
    policy, now = look("ok")
    senses, first = news({}, list(sentences(policy, now)))
    assert len(first) > 10
    rows = tuple(replace(row, value=row.value + 1) if row.value is not None else row for row in now.evaluation.rows)
    moved = replace(now, evaluation=replace(now.evaluation, rows=rows))
    assert news(senses, list(sentences(policy, moved)))[1] == [], "numbers that merely move are not news"
    worse = tuple(replace(row, state=RowState.WARN) if row.key == GROSS else row for row in rows)
    senses, said = news(senses, list(sentences(policy, replace(now, evaluation=replace(now.evaluation, rows=worse)))))
    assert len(said) == 1
    assert said[0].startswith("gross: WARN")
    _, back = news(senses, [])
    assert "No more: headline." in back
