"""Doubt: what a page may still believe once ticks have stopped, and what it must say of what goes on elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.outline import Headline, RowState, TriggerState
from stages.signals import Quality
from stages.value import replace
from widgets.status import HEADLINE_MARKS

if TYPE_CHECKING:
    from console.desk import Frame
    from stages.signals import Snapshot
    from stages.verdict import Row, TruthRow

_CALM: Final = frozenset({"ok", "closed"})
"""Marks of headlines that ask for nobody's eye."""

NO_TICK: Final = "no tick arrives"
UNVERIFIED: Final = "UNVERIFIED"

READ_ONLY: Final = "READ-ONLY: this console was started so."
"""Why nothing can be done from here."""


def disbelieved(frame: Frame) -> Frame:
    """The frame with nothing in it believed: the ticks have stopped."""
    evaluation = frame.evaluation
    rows, derived = (tuple(unknown(row) for row in known) for known in (evaluation.rows, evaluation.derived))
    triggers = tuple(
        replace(row, state=TriggerState.CANNOT_SEE, next_in=None, projected=None) for row in evaluation.triggers
    )
    truth = replace(
        evaluation.truth,
        rows=tuple(_unsaid(row) for row in evaluation.truth.rows),
        ages=dict.fromkeys(evaluation.truth.ages),
        agree=None,
        since=evaluation.snapshot.wall,
        converging=None,
    )
    doubted = replace(evaluation, rows=rows, derived=derived, triggers=triggers, truth=truth)
    running = frame.running
    if running is not None and running.finished is None:
        running = replace(
            running, safe_now=UNVERIFIED, safe_note=f"was {running.safe_now} when last seen",
            stays_so=UNVERIFIED, stays_note=f"was {running.stays_so} when last seen",
        )  # fmt: skip
    return replace(frame, evaluation=replace(doubted, snapshot=_unread(doubted.snapshot)), running=running)


def _unsaid(row: TruthRow) -> TruthRow:
    """A fact of which no witness has told anything; a witness without a say still has none."""
    git, runtime, venue = (None if said is None else "?" for said in (row.git, row.runtime, row.venue))
    return replace(row, git=git, runtime=runtime, venue=venue, agree=None, note="")


def _unread(snapshot: Snapshot) -> Snapshot:
    """The snapshot with nobody answering any more; what they said last stays beside it."""
    git, venue = snapshot.git, snapshot.venue
    sources = tuple(replace(one, ok=False, last_good=one.last_good if not one.ok else snapshot.wall)
                    for one in snapshot.sources)  # fmt: skip
    return replace(
        snapshot,
        sources=sources,
        git=replace(git, error=git.error or NO_TICK) if git is not None else None,
        venue=replace(venue, error=venue.error or NO_TICK) if venue is not None else None,
    )


def unknown(row: Row) -> Row:
    """A row whose value is a memory."""
    return replace(row, state=RowState.BLIND, word="", used=None, quality=Quality.STALE, detail=NO_TICK)


def in_brief(headline: Headline) -> tuple[str, str]:
    """``■ BREACH 106 % gross`` and ``■ BREACH 106 %``: a headline for a corner of another page, and shorter still.

    Both are empty while it asks for nobody's eye.
    """
    if headline.mark in _CALM:
        return "", ""
    words = (HEADLINE_MARKS.get(headline.mark, ""), headline.word, headline.figure, headline.thing.partition(":")[0])
    return " ".join(filter(None, words)), " ".join(filter(None, words[:3]))
