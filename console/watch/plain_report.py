"""The plain-text twin of the screens: what they show as sentences, for screen readers and for logs."""

from __future__ import annotations

from collections.abc import Iterator

from console.desk import BELIEVED
from console.watch.once import Look
from stages.figures import measure, percent
from stages.policy import Policy
from stages.projection import about
from stages.triggers import until_cleared
from stages.value import Struct
from stages.verdict import Evaluation, Row, RowState, TriggerRow, TriggerState

_STATES = {
    RowState.OK: "ok", RowState.WARN: "WARN", RowState.SUSPECT: "bad, not confirmed", RowState.BREACH: "BREACH",
    RowState.OVER: "over the lower limits, being reduced", RowState.STALE: "STALE", RowState.BLIND: "BLIND",
    RowState.NO_DATA: "NO DATA", RowState.CLOSED: "market closed", RowState.RESTARTING: "restarting",
    RowState.INFO: "no limit",
}  # fmt: skip

_QUIET = frozenset({RowState.OK, RowState.INFO, RowState.CLOSED})


class Sentence(Struct, frozen=True):
    """One thing to say. While ``sense`` stays the same it is not said again: numbers that merely move are not news."""

    topic: str
    sense: str
    text: str


def sentences(policy: Policy, look: Look) -> Iterator[Sentence]:
    """Everything that is so, the most urgent first; no marks, no columns, one sentence a line."""
    found = look.evaluation
    head = found.headline
    said = " ".join(part for part in (head.word, head.figure, head.thing) if part)
    yield Sentence("headline", f"{head.word} {head.thing.partition(':')[0]}", f"{said}. {head.sentence}".strip())
    stage, mode = policy.stages[found.effective], found.posture.mode.words
    yield Sentence(
        "stage", f"{stage.name} {mode}", f"{policy.name} is at stage {stage.name} {stage.title}, mode {mode}."
    )
    who = look.presence
    acts = f"{who.holder} watches{' and acts' if who.acting else ', nobody acts'}" if who.holder else "nobody watches"
    yield Sentence("watch", acts, f"{acts[0].upper()}{acts[1:]}.")
    for latch in found.latches:
        yield Sentence(
            f"held {latch.key}", latch.evidence, f"Held: {latch.evidence}; {until_cleared(latch.clear_roles)}."
        )
    loud = [row for row in found.panels if row.state not in _QUIET]
    quiet = [row for row in found.panels if row.state in _QUIET and row.key.book == found.book]
    yield from (_row(row, found.book) for row in (*loud, *quiet))
    yield from (_trigger(row) for row in found.triggers)
    yield from _truth(found)
    burn_in = found.burn_in
    yield Sentence("burn-in", burn_in.state, f"Burn-in {burn_in.state}. {burn_in.lacks}".strip())
    advice = found.recommendation
    yield Sentence("recommendation", advice.action, f"{advice.action}: {'; '.join(advice.reasons)}.")


def _row(row: Row, book: str) -> Sentence:
    name = row.title if row.key.book == book else f"{row.title} in book {row.key.book}"
    state = _STATES[row.state]
    value = measure(row.value, row.unit, signed=row.signed, decimals=row.decimals) if row.unit.is_number else row.text
    if row.state not in BELIEVED:
        value = "not known" if row.value is None else f"not known, was {value}"
    limit = "" if row.limit is None else measure(row.limit, row.unit, decimals=row.decimals)
    of = f", {'minimum' if row.minimum else 'limit'} {limit}" if limit else ""
    share = f", {percent(row.used).strip()} of it" if limit and row.used is not None and row.state in BELIEVED else ""
    why = f", {row.detail}" if row.detail else ""
    return Sentence(f"signal {row.key.book}/{row.key.name}", state, f"{name}: {state}, {value}{of}{share}{why}.")


def _trigger(row: TriggerRow) -> Sentence:
    words = {
        TriggerState.ARMED: "armed", TriggerState.NOT_ARMED: "NOT ARMED", TriggerState.FIRED: "FIRED",
        TriggerState.SUSPECT: f"{row.reads} of {row.of} bad reads", TriggerState.CANNOT_SEE: "CANNOT SEE",
    }[row.state]  # fmt: skip
    left = f", {measure(row.left, row.unit)} left" if row.left is not None and row.state is TriggerState.ARMED else ""
    if row.projected is not None:
        left += f", fires in about {about(row.projected)} at this rate"
        words = f"{words}, nearing"
    why = f", {row.detail}" if row.detail else ""
    return Sentence(f"trigger {row.name}", words, f"Trigger {row.title}: {words}{left}{why}; then {row.then}.")


def _truth(found: Evaluation) -> Iterator[Sentence]:
    said = {True: "agree", False: "do NOT agree", None: "cannot be compared"}[found.truth.agree]
    yield Sentence("truth", said, f"Git, runtime and venue {said}.")


def news(before: dict[str, str], now: list[Sentence]) -> tuple[dict[str, str], list[str]]:
    """What has to be said after ``before`` (the sense of each topic), and the senses for the next time.

    A topic that is gone is said to be over, so that silence never has to be taken for good.
    """
    senses = {one.topic: one.sense for one in now}
    said = [one.text for one in now if before.get(one.topic) != one.sense]
    gone = [f"No more: {topic}." for topic in before if topic not in senses]
    return senses, [*said, *gone]
