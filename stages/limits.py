"""Limits: a signal against its limit as a trigger sees it, and whether a second source agrees."""

from __future__ import annotations

from stages.figures import figure, measure
from stages.looking import Look, Observation, why
from stages.rows import bound_of, compare, covers, tolerance_of
from stages.signals import SignalKey
from stages.watching import key_text
from stages.windows import clear_level


def limit(look: Look, key: SignalKey, *, cause: str = "") -> Observation:
    """One signal against its limit; ``cause`` replaces the cause that follows from the limit's stage."""
    policy, here, reading = look.policy, look.here, look.here.readings[key]
    signal, text = policy.spec.signals[key.name], key_text(key)
    if not reading.believed:
        return Observation(text, None, None, lost=reading.lost, why=why(signal.title, reading))
    bound = bound_of(policy, key.name, here.limits)
    compared = compare(policy, key.name, reading, bound) if bound else None
    if compared is None:
        # A stage that sets no such limit has nothing to breach; one that is not known may.
        moot = here.limits is not None and bound is None
        return Observation(text, None, None, why=f"{signal.title}: no limit known", moot=moot)
    at = look.trigger.at
    hanging = covers(look.watch.overhang.get(text), compared, tolerance_of(policy, key.name), here.market, at)
    bad = compared.reaches(at) and not hanging
    stage = policy.stages[here.limits].name if here.limits is not None else "unknown"
    # While a step down converges its old limits count, and a breach of them keeps the cause that it was latched under.
    home = policy.stages[here.limits].book if here.limits is not None else here.book
    own = f"{look.trigger.title} of {stage}" if home == key.book else f"{look.trigger.title}, {key.book} book"
    clear_at = clear_level(at, look.trigger.hysteresis)
    whole = at * compared.limit if compared.limit is not None and compared.used is not None else None
    left = whole - compared.harm if whole is not None else None
    shown = (
        reading.text
        if bound and bound.words
        else figure(reading.value, signal.unit, signed=signal.signed, decimals=signal.decimals)
    )
    limit = (
        f" of {measure(compared.limit, signal.unit, decimals=signal.decimals)}" if compared.limit is not None else ""
    )
    return Observation(
        key=text,
        bad=bad,
        event=reading.event_time,
        cause=cause or own,
        evidence=f"{signal.title}: {shown}{limit}",
        clear=hanging or not compared.reaches(clear_at),
        seconded=bad and _second_agrees(look, key),
        left=left,
        unit=signal.unit,
        share=left / whole if left is not None and whole else None,
        root=f"{key.book} book",
    )


def _second_agrees(look: Look, key: SignalKey) -> bool:
    """Whether the second source, measured against the same limit, is beyond it as well."""
    second = look.trigger.confirm.second
    if second is None:
        return False
    reading = look.here.readings.get(SignalKey(key.book, second))
    bound = bound_of(look.policy, key.name, look.here.limits)
    if reading is None or bound is None or not reading.believed:
        return False
    compared = compare(look.policy, second, reading, bound)
    return compared is not None and compared.reaches(look.trigger.at)
