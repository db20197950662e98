"""What lies ahead of a burn-in run: when it can pass at the earliest, or that it cannot pass any more, and why.

Both hold if from now on everything is seen and everything is good. What depends on how much is traded (fills, orders)
can only make it later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from stages.burnin_spec import BurnInSpec, Regimes
from stages.objectives import needed_coverage, objectives
from stages.policy import Policy
from stages.session import market_after, market_minutes, session_length, sessions_between
from stages.state import Run
from stages.value import Struct
from stages.watching import BurnWatch, ObjectiveWatch

_FAR = timedelta(days=30)
"""How far regime cells are looked for."""


class Ahead(Struct, frozen=True):
    """``earliest`` in market time, None past the calendar; ``hopeless`` says why it cannot pass, empty while it can."""

    earliest: datetime | None = None
    hopeless: str = ""


def ahead(policy: Policy, spec: BurnInSpec, run: Run, mine: BurnWatch, market: datetime, speed: float) -> Ahead:
    """What lies ahead of a run that has not ended. ``speed``: market seconds in a second of samples."""
    hours = policy.spec.target.session
    longest = session_length(hours)
    ends = run.until
    if ends is None and spec.max_market_time is not None:
        ends = market_after(hours, run.started, spec.max_market_time.minutes(longest))
    left = None if ends is None else market_minutes(hours, market, ends) * 60
    lacking = max(0.0, spec.min_market_time.minutes(longest) * 60 - mine.observed)
    hopeless = ""
    if left is not None and lacking > left:
        hopeless = f"{lacking / 60:.0f} market min are lacking, {left / 60:.0f} are left"
    for name, objective in objectives(spec):
        seen = mine.objectives.get(name, ObjectiveWatch()).coverage
        every = policy.spec.signals[objective.signal].every.total_seconds()
        wanted = float(needed_coverage(policy, objective))
        more = max(0, objective.min_samples - seen.samples) * every
        if wanted < 1:
            more = max(more, (wanted * mine.session - seen.seconds) / (1 - wanted))
        elif seen.seconds < mine.session:
            return Ahead(None, f"coverage of {policy.spec.signals[objective.signal].title} has a gap and may have none")
        lacking = max(lacking, more * speed)
        if left is None or hopeless:
            continue
        rest = left / speed
        best = (seen.seconds + rest) / (mine.session + rest) if mine.session + rest > 0 else 1.0
        title = policy.spec.signals[objective.signal].title
        if best < wanted:
            # Rounded down: what is nearly enough never reads as enough.
            hopeless = f"coverage of {title} can reach {int(best * 1000) / 10:.1f} %"
        elif seen.samples + rest / every < objective.min_samples:
            hopeless = f"samples of {title} can reach {int(seen.samples + rest / every)}"
    if hopeless:
        return Ahead(None, hopeless)
    found = [market_after(hours, market, lacking / 60), *_cells(policy, spec, mine, market)]
    known = [one for one in found if one is not None]
    return Ahead(max(known) if len(known) == len(found) else None)


def cell(policy: Policy, spec: BurnInSpec, market: datetime) -> tuple[str, ...]:
    """The regime cells that ``market`` lies in: ``2026-11-24 open``, ``2026-11-24 close``."""
    wanted = spec.regimes
    if wanted is None:
        return ()
    found = []
    for session in sessions_between(policy.spec.target.session, market - _FAR / 30, market + _FAR / 30):
        if session.opens <= market < session.opens + wanted.edge:
            found.append(f"{session.day.isoformat()} open")
        if session.closes - wanted.edge <= market < session.closes:
            found.append(f"{session.day.isoformat()} close")
    return tuple(found)


def covered(wanted: Regimes, mine: BurnWatch, which: str) -> int:
    """How many opens or closes were observed for long enough to count."""
    enough = wanted.edge.total_seconds() * float(wanted.share)
    return sum(seconds >= enough for name, seconds in mine.cells.items() if name.endswith(which))


def _cells(policy: Policy, spec: BurnInSpec, mine: BurnWatch, market: datetime) -> list[datetime | None]:
    """When the regime cells that are lacking can have been observed."""
    wanted = spec.regimes
    if wanted is None:
        return []
    coming = list(sessions_between(policy.spec.target.session, market, market + _FAR))
    opens = [one.opens + wanted.edge for one in coming if one.opens >= market]
    closes = [one.closes for one in coming if one.closes - wanted.edge >= market]
    found: list[datetime | None] = []
    for which, need, times in (("open", wanted.opens, opens), ("close", wanted.closes, closes)):
        lack = need - covered(wanted, mine, which)
        if lack > 0:
            found.append(times[lack - 1] if lack <= len(times) else None)
    return found
