"""Today's book against the limits of another stage: the rows of WHAT IF, which nothing acts on."""

from __future__ import annotations

from decimal import Decimal

from stages.ladder import Unit, Value
from stages.measures import Signal
from stages.policy import Policy
from stages.value import replace
from stages.verdict import Row, RowState
from widgets.status import KNOWN


def stage_limit(policy: Policy, stage: int, signal: Signal) -> Decimal | None:
    """The limit that a stage sets on a signal, in the signal's unit; None when it sets none."""
    if signal.limit is None or signal.limit.control is None:
        return None
    name = signal.limit.control
    share = policy.share(stage, name)
    values = policy.resolved[stage]
    control = policy.spec.controls.get(name)
    base: Value | None = values.get(share.of) if share is not None else None
    if share is not None and control is not None and control.unit is Unit.RATIO and signal.unit is Unit.USD:
        return share.value * base if isinstance(base, Decimal) else None
    limit = values.get(name)
    return limit if isinstance(limit, Decimal) else None


def harm(signal: Signal, value: Decimal) -> Decimal:
    """What is compared with the limit: the value, its magnitude, or the loss."""
    if signal.harm == "magnitude":
        return abs(value)
    return max(Decimal(0), -value) if signal.harm == "loss" else value


def what_if(row: Row, policy: Policy, stage: int) -> Row:
    """The row measured against the limits of ``stage``; rows whose limit no stage sets stay as they are."""
    signal = policy.spec.signals.get(row.key.name)
    limit = stage_limit(policy, stage, signal) if signal is not None else None
    if signal is None or limit is None or limit <= 0:
        return row
    if row.state not in KNOWN or row.value is None:
        return replace(row, limit=limit, used=None)
    used = harm(signal, row.value) / limit
    over = used >= 1
    word = "WHAT IF over" if over else "what if"
    return replace(row, limit=limit, used=used, state=RowState.WARN if over else RowState.OK, word=word, clear_at=None)
