"""A first policy: the ladder that follows from what a repository says today, written out with comments for its reader.

Nothing in it is riskier than today's manifests, except that a strategy on paper gets one stage in which it trades.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_UP, Decimal
from typing import Final

from stages.ladder import Unit, plain
from stages.policy import SessionHours
from stages.proposals import Found, Place, Proposal
from stages.quoting import plain_or_quoted
from stages.value import Struct, field

CHOSEN: Final = {
    "maxOrderNotional": Decimal("0.1"),
    "maxNetExposure": Decimal("0.5"),
    "dailyLossLimit": Decimal("0.03"),
}
"""Where the manifests say nothing: shares of the gross exposure."""

GROSS: Final = Decimal(5000)
PARTICIPATION: Final = Decimal("0.01")
SYMBOL_SHARE: Final = Decimal("0.4")
SYMBOLS: Final = ("SPY",)
CANARIES: Final = 3
"""Symbols of the lowest stages, where the universe has more."""

_ALWAYS: Final = {"reduceOnly": "false", "killSwitch": "false"}
_LIVE: Final = {"tradingMode": ("paper", "live"), "submitEnabled": ("false", "true")}
"""Words of a stage on paper, and of one that trades."""


class Answers(Struct, frozen=True):
    """What a person has agreed to, beside what was found."""

    name: str
    gitops_path: str
    namespace: str
    account: str
    environment: str
    branch: str = "main"
    values: Mapping[str, Decimal] = field(default_factory=dict)
    """Limits that the manifests do not say, by control."""


class _Stage(Struct, frozen=True):
    name: str
    title: str
    scale: Decimal
    symbols: int
    live: bool


def trades(found: Found) -> bool:
    """Whether the manifests say that it trades today; without any switch it does."""
    switches = [found.proposals[name].today for name in _LIVE]
    said = [word for word in switches if word is not None]
    return all(word in ("live", "true") for word in said)


def chosen_values(found: Found, given: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """A value for every limit: what the manifests say, else what was given, else a share of the gross exposure."""
    said = {name: Decimal(one.today) for name, one in found.proposals.items() if one.known.unit.is_number and one.today}
    values = {"maxGrossExposure": GROSS, "participationCap": PARTICIPATION, **given, **said}
    gross = values["maxGrossExposure"]
    return {**{name: _money(share * gross) for name, share in CHOSEN.items()}, **values}


def policy_text(found: Found, answers: Answers, hours: SessionHours) -> str:
    """The policy as YAML with comments; ``policy_text.load`` accepts it."""
    parts = [
        _head(found, answers),
        _target(found, answers, hours),
        "  controls:",
        *(line for one in _told(found) for line in _control(one)),
        "",
        _stages(found, answers),
        _postures(found),
        _TAIL,
    ]
    return "\n".join(parts)


def _told(found: Found) -> Iterator[Proposal]:
    """The controls of every policy, and those of the others that were found."""
    for one in found.proposals.values():
        if one.places or one.known.unit is not Unit.WORD:
            yield one


def _head(found: Found, answers: Answers) -> str:
    lines = [
        f"# The ramp of {answers.name}: a first policy, proposed from the manifests in {answers.gitops_path}.",
        "# Read every line of it: what stands here is found by names, and only you know what the application reads.",
        "# 'rampdeck policy check' judges it, docs/policy.md explains each field, and 'rampdeck policy adopt' puts it",
        "# in force.",
    ]
    lines += [f"# Not read: {reason}" for reason in found.unread]
    name = plain_or_quoted(answers.name, flow=True)
    return "\n".join([*lines, "apiVersion: rampdeck.dev/v1alpha1", "kind: RampPolicy", f"metadata: {{name: {name}}}"])


def _target(found: Found, answers: Answers, hours: SessionHours) -> str:
    label = json.dumps(answers.account)
    lines = [
        "spec:",
        "  version: 1",
        "  target:",
        f"    namespace: {plain_or_quoted(answers.namespace)}",
        f"    gitopsPath: {plain_or_quoted(answers.gitops_path)}",
        f"    branch: {plain_or_quoted(answers.branch)}",
        "    # The account as the venue must report it; another answer halts.",
        f"    account: {{label: {label}, environment: {answers.environment}}}",
    ]
    if found.application:
        space, name = found.application
        lines.append(f"    application: {{namespace: {space}, name: {name}}}")
    else:
        lines.append(
            "    # application: {namespace: argocd, name: NAME}   # the Argo CD Application, where there is one"
        )
    lines += [
        "    # US equities; correct the calendar before 'calendarUntil', past it every session is unknown.",
        "    session:",
    ]
    lines += [f"      {line}" for line in _session(hours)]
    if found.workload:
        lines.append("    # How long a restart may silence it, and how long a change may take to arrive: measure both.")
        lines.append(f"    workloads: [{{object: {found.workload}, dark: 6m}}]")
    return "\n".join([*lines, "    convergence: 6m", ""])


def _session(hours: SessionHours) -> Iterator[str]:
    yield f"timezone: {hours.timezone}"
    yield f"weekdays: [{', '.join(hours.weekdays)}]"
    for key, at in (("open", hours.open), ("close", hours.close), ("entryCutoff", hours.entry_cutoff),
                    ("flattenStart", hours.flatten_start), ("flatBy", hours.flat_by)):  # fmt: skip
        if at is not None:
            yield f'{key}: "{at:%H:%M}"'
    days = [f'"{day.isoformat()}"' for day in hours.holidays]
    yield "holidays: [" + (",\n" + " " * 17).join(", ".join(days[at : at + 6]) for at in range(0, len(days), 6)) + "]"
    early = ", ".join(f'"{day.isoformat()}": "{at:%H:%M}"' for day, at in hours.early_closes.items())
    yield f"earlyCloses: {{{early}}}"
    yield f'calendarUntil: "{hours.calendar_until.isoformat()}"'


def _control(one: Proposal) -> Iterator[str]:
    known = one.known
    yield f"    {known.control}:"
    if not one.places:
        yield "      # No manifest writes it: Rampdeck alone watches it. Add bindings where the application reads it."
    if any(place.insert for place in one.places):
        yield f"      # The manifests limit it as a share of equity: {one.places[0].beside}."
        yield "      # This is the same in dollars, written when a stage first sets it: see that it is read."
    if one.today is None and known.unit is not Unit.WORD:
        yield "      # The values of the stages below are chosen, not read: put your own in their place."
    yield f"      title: {known.title}"
    yield f"      unit: {known.unit}"
    riskier = {Unit.SYMBOLS: "superset", Unit.WORD: json.dumps(list(known.words))}.get(known.unit, "higher")
    yield f"      riskier: {riskier}"
    if one.places:
        yield "      bindings:"
        yield from (f"        - {{{_binding(place)}}}" for place in one.places)
    for place, why in one.left_out:
        yield f"      # not bound: {place.file} {place.object} {place.name}, because {' '.join(why.split())[:80]}"
    yield f"      enforcedBy: {known.enforced_by if one.places else 'rampdeck'}"


def _binding(place: Place) -> str:
    parts = [f"file: {plain_or_quoted(place.file, flow=True)}", f"object: {place.object}"]
    if place.container:
        parts.append(f"container: {place.container}")
    parts += [f"env: {place.env}"] if place.env else [f"path: {_single(place.path or '')}"]
    if place.inner_path:
        parts.append(f"inside: yaml, innerPath: {_single(place.inner_path)}")
    if place.format != "plain":
        parts.append(f"format: {place.format}")
    if place.insert:
        parts.append("whenAbsent: insert")
    return ", ".join(parts)


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# ------------------------------------------------------------------------------------------------------------- stages


def _stages(found: Found, answers: Answers) -> str:
    universe = found.proposals["universe"].today
    symbols = tuple(part.strip() for part in universe.split(",")) if universe else SYMBOLS
    values = chosen_values(found, answers.values)
    lines = ["  # From the safest to today's: a stage is never riskier than the next one.", "  stages:"]
    if not universe:
        lines.insert(0, f"  # No list of symbols was found: {', '.join(SYMBOLS)} stands for yours.")
    for stage in _rungs(found, len(symbols)):
        lines += [f"    - name: {stage.name}", f"      title: {stage.title}", "      controls:"]
        lines += [f"        {line}" for line in _values(found, stage, values, symbols[: stage.symbols])]
        lines += ["      approvals: {required: 1}"]
    return "\n".join([*lines, ""])


def _rungs(found: Found, symbols: int) -> Sequence[_Stage]:
    few, half = min(CANARIES, symbols), max(min(CANARIES, symbols), (symbols + 1) // 2)
    if not trades(found):
        full = Decimal(1)
        return (_Stage("L0", "Paper, as today", full, symbols, live=False),
                _Stage("L1", "Canary, today's limits and live", full, symbols, live=True))  # fmt: skip
    tenth = Decimal("0.1")
    return (
        _Stage("L0", "Shadow", tenth, few, live=False),
        _Stage("L1", "Canary, a tenth of today", tenth, few, live=True),
        _Stage("L2", "Half of today", Decimal("0.5"), half, live=True),
        _Stage("L3", "As today", Decimal(1), symbols, live=True),
    )


def _values(found: Found, stage: _Stage, values: Mapping[str, Decimal], symbols: tuple[str, ...]) -> Iterator[str]:
    gross = _money(values["maxGrossExposure"] * stage.scale)
    for one in _told(found):
        name = one.known.control
        if name == "universe":
            yield f"universe: [{', '.join(plain_or_quoted(symbol, flow=True) for symbol in symbols)}]"
        elif one.known.unit is Unit.WORD:
            word = _ALWAYS.get(name) or _LIVE[name][stage.live]
            yield f"{name}: {json.dumps(word)}"
        elif name == "symbolConcentration":
            yield f"{name}: {_concentration(values.get(name), stage, gross, len(symbols))}"
        elif name == "participationCap":
            yield f"{name}: {plain(values[name])}"
        else:
            yield f"{name}: {plain(_money(values[name] * stage.scale))}"


def _concentration(limit: Decimal | None, stage: _Stage, gross: Decimal, symbols: int) -> str:
    """Dollars where the manifests say dollars, else a share; either way so much that the gross can be filled."""
    even = (1 / Decimal(symbols)).quantize(Decimal("0.01"), ROUND_UP)
    if limit is None:
        return f"{{value: {plain(max(SYMBOL_SHARE, even))}, of: maxGrossExposure}}"
    return plain(max(_money(limit * stage.scale), _money(gross / symbols)))


def _money(amount: Decimal) -> Decimal:
    """Whole dollars, or what is written where it has cents; never less than the amount."""
    return amount.quantize(Decimal(1), ROUND_UP) if amount >= 1 else amount.normalize()


def _postures(found: Found) -> str:
    bound = {name for name, one in found.proposals.items() if one.places}
    lines = ["  # What a mode writes on top of the stage's values, and what the venue is told.", "  postures:"]
    if "reduceOnly" in bound:
        lines.append('    REDUCE_ONLY: {controls: {reduceOnly: "true"}}')
    halted = '{submitEnabled: "false"}' if "submitEnabled" in bound else "{}"
    killed = '{killSwitch: "true"}' if "killSwitch" in bound else halted
    lines.append(f"    HALTED: {{controls: {halted}, venue: [suspend]}}")
    lines.append(f"    KILLED: {{controls: {killed}, venue: [suspend, cancelAll]}}")
    return "\n".join([*lines, ""])


_TAIL: Final = """\
  # What is watched: without signals and triggers nothing steps down by itself. The shape, with a page of the
  # application at the endpoint 'app' of the configuration:
  #
  # signals:
  #   gross:
  #     title: gross
  #     unit: usd
  #     panel: exposure
  #     class: safety
  #     source: {http: {endpoint: app, path: /trading/status, value: exposure.gross}}
  #     eventTime: exposure.as_of
  #     maxAge: 30s
  #     limit: {control: maxGrossExposure}
  # triggers:
  #   grossLimit:
  #     title: gross over its limit
  #     kind: limit
  #     signals: [gross]
  #     confirm: {reads: 3}
  #     then: [{mode: REDUCE_ONLY, cap: "-1"}]
  #     clear: {by: [risk, trader]}
  #
  # docs/policy.md has every field; 'rampdeck simulate' plays a scenario against the policy before it is in force.
"""
