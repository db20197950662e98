"""How soon a breach is seen: measured on new event times of the limits that triggers act on."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.watch.seeing import Seeing
from stages.value import replace
from stages.verdict import Row, RowState
from tests.screens import states

NOW = states.NOW


def gross(event: datetime, state: RowState = RowState.OK) -> list[Row]:
    row = next(row for row in states.rows() if row.key.name == "gross")
    return [replace(row, state=state, event_time=event)]


def test_nothing_is_measured_before_something_new_was_seen() -> None:
    seeing = Seeing()
    seeing.look(states.POLICY, gross(NOW - timedelta(minutes=9)), NOW)
    seeing.look(states.POLICY, gross(NOW - timedelta(minutes=9)), NOW + timedelta(seconds=1))
    assert seeing.sees() is None


def test_each_event_time_counts_once_from_the_event_to_the_frame() -> None:
    seeing = Seeing()
    for second in range(101):
        event = NOW + timedelta(seconds=second)
        late = 3.5 if second == 50 else 0.5
        seeing.look(states.POLICY, gross(event), event + timedelta(seconds=late))
        seeing.look(states.POLICY, gross(event), event + timedelta(seconds=90))
    seen = seeing.sees()
    assert seen is not None
    assert (seen.p99, seen.worst, seen.count) == (0.5, 3.5, 100)


def test_what_may_not_be_believed_and_what_nothing_acts_on_is_not_counted() -> None:
    seeing = Seeing()
    window = next(row for row in states.rows() if row.key.name == "signalsAge")
    for second in range(5):
        event = NOW + timedelta(seconds=second)
        seeing.look(states.POLICY, [*gross(event, RowState.BLIND), replace(window, event_time=event)], event)
    assert seeing.sees() is None
