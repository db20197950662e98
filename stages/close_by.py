"""Close by: what a close-up shows beside its signal: the limit of each stage, and what a derived row is made of."""

from __future__ import annotations

from decimal import Decimal

from stages.policy import Policy
from stages.rows import bound_of

DERIVED = "derived/"
"""How the names of rows begin that no signal has: the console works them out."""


def stage_limits(policy: Policy, name: str) -> tuple[tuple[str, Decimal | None], ...]:
    """Each stage with the signal's limit there, None where it sets none; nothing where all stages share one limit."""
    signal = policy.spec.signals.get(name)
    if signal is None or signal.limit is None or signal.limit.control is None:
        return ()
    bounds = [(stage.name, bound_of(policy, name, index)) for index, stage in enumerate(policy.stages)]
    return tuple((stage, bound.number if bound is not None else None) for stage, bound in bounds)


def made_of(policy: Policy, name: str) -> str | None:
    """The signal whose readings tell of a row: itself, or what a derived row is worked out from; None without any."""
    if name in policy.spec.signals:
        return name
    kind, _, rest = name.removeprefix(DERIVED).partition("/")
    if name.startswith(DERIVED) and kind == "runs" and rest in policy.spec.signals:
        return rest
    watching = [
        one for key, one in policy.spec.triggers.items() if one.windows is not None and kind in (key, "baseline")
    ]
    return next((one.signals[0] for one in watching if one.signals), None)
