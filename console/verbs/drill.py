"""``drill`` and ``drill list``: rehearse a kill or a rollback, and see which rehearsals count."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from console.verbs.change import require_hands
from console.verbs.drill_card import card_document, card_lines, fault_document, fault_lines
from console.watch.drill_report import run_document
from stages.drill import ACTS, COMMAND, KEY, KILL, MODES, PAPER, PASS, PATHS, ROLLBACK, TABLETOP, Drill, Step, document
from stages.drill_faults import FAULTS, require_injectable
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.drilling.course import LiveSide, Surroundings
    from console.in_force import InForce
    from console.output import Output
    from console.wiring import Wiring

_LOOK_EVERY: Final = 0.2


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``drill`` with ``drill list``."""
    drill = subparsers.add_parser("drill", parents=[shared], help="rehearse a kill or a rollback on the paper target")
    drill.add_argument("--mode", choices=MODES, default=PAPER, help="tabletop touches nothing; paper fires for real")
    drill.add_argument("--kind", choices=ACTS, default=KILL, help="what is rehearsed")
    drill.add_argument("--to", metavar="STAGE", default="", help="the stage a rollback returns to; otherwise today's")
    drill.add_argument("--path", choices=tuple(PATHS), default=COMMAND, help="how the act is fired")
    drill.add_argument("--inject", choices=tuple(FAULTS), default="", metavar="NAME", help=_injects())
    drill.add_argument("--run-id", help=argparse.SUPPRESS)
    drill.set_defaults(run=run_drill)
    listing = drill.add_subparsers(metavar="list").add_parser("list", parents=[shared], help="drills and what counts")
    listing.set_defaults(run=run_list)


def _injects() -> str:
    """Every fault in one sentence, for the help."""
    return "a fault on the paper target, and what must hold: " + "; ".join(
        f"{fault.name} ({fault.says}: {fault.must})" for fault in FAULTS.values()
    )


def run_drill(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Carry the drill out step by step; 0 when it passed, 1 when it failed or was broken off."""
    from console.procedures.drill import abandon_dead, paper, tabletop
    from console.verbs.drill_faults import path_under
    from console.verbs.drill_target import drill_target, target_wiring

    require_hands(wiring)
    path = path_under(arguments.inject, arguments.path)
    wiring.settings.need("identity", "drill_target")
    force = wiring.in_force()
    upper, lower = step_down(wiring, force, arguments.kind, arguments.to)
    target = target_wiring(wiring)
    try:
        live, run = _live(wiring, force), arguments.run_id or wiring.ids.new()
        around, on = _around(wiring, out), drill_target(wiring, target, path, arguments.inject)
        if arguments.inject:
            require_injectable(arguments.inject, arguments.kind, arguments.mode, on.scope)
        abandon_dead(wiring.ledger, wiring.running, wiring.clock.wall(), wiring.actor)
        out.note(f"stops {on.scope.target} only, account {on.scope.account} {on.scope.environment.upper()}")
        out.note(f"leaves alone {live.scope.target}, account {live.scope.account} {live.scope.environment.upper()}")
        if arguments.mode == TABLETOP:
            ask = _screen_asker(wiring, run) if arguments.path == KEY else _asker()
            done = tabletop(
                around, live, on, run=run, act=arguments.kind, actor=wiring.actor, ask=ask, running=wiring.running
            )
        else:
            done = paper(
                around, live, on, run=run, act=arguments.kind, actor=wiring.actor, running=wiring.running,
                path=path, upper=upper, lower=lower,
            )  # fmt: skip
    finally:
        target.close()
    if out.json:
        out.document(document(done))
    for reason in done.reasons:
        out.line(f"■ {reason}")
    out.line(f"{done.state}: {done.act} drill {done.run[:8]}, {done.passed} of {len(done.steps)} steps")
    return 0 if done.state == PASS else 1


def run_list(_arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Every drill, and whether the next advance may rely on them; 0 when it may."""
    from console.procedures.drill import abandon_dead
    from stages.drill_trend import fault_trends, scorecards
    from stages.drill_validity import running_image, transition, validity

    force = wiring.in_force()
    if not wiring.read_only:
        abandon_dead(wiring.ledger, wiring.running, wiring.clock.wall(), wiring.actor)
    state = wiring.ledger.state()
    policy, clock = force.policy, wiring.clock
    stage = _stage_now(wiring, force)
    above = None if stage is None or stage >= policy.top else policy.stages[stage + 1].name
    down = "" if stage is None or above is None else transition(above, policy.stages[stage].name)
    endpoint = wiring.settings.venue.url if wiring.settings.venue else ""
    image = running_image(policy, wiring.look(policy).evaluation.snapshot)
    found = validity(policy, state, clock.market(clock.wall()), down, endpoint=endpoint, image=image)
    cards = scorecards(state.drills.values(), policy.spec.drill.budgets if policy.spec.drill is not None else {})
    faults = fault_trends(state.drills.values())
    if out.json:
        drills = [run_document(run) for run in state.drills.values()]
        asked = policy.spec.drill is not None
        reasons, warnings = list(found.reasons), list(found.warnings)
        out.document({"drills": drills, "asked": asked, "inDate": found.ok, "reasons": reasons, "warnings": warnings,
                      "trend": [card_document(card, reasons) for card in cards],
                      "faults": [fault_document(one) for one in faults]})  # fmt: skip
    for run in state.drills.values():
        what = f"{run.act} {run.transition}{f'with {run.inject}' if run.inject else ''}".strip()
        why = f"  {run.reasons[0]}" if run.reasons else ""
        out.line(f"{run.started:%Y-%m-%d %H:%M}Z  {run.run[:8]}  {run.mode:<8} {what:<20} {run.state:<8}{why}")
    for card in cards:
        for line in card_lines(card):
            out.line(line)
    for line in fault_lines(faults):
        out.line(line)
    for warning in found.warnings:
        out.line(f"▲ {warning}")
    out.line(f"in date: {found.says}" if found.ok else "not in date: " + "; ".join(found.reasons))
    return 0 if found.ok else 1


def _stage_now(wiring: Wiring, force: InForce) -> int | None:
    from functools import partial

    from stages.standing import assess, read_controls

    head = wiring.repository.fetch()
    return assess(force.policy, read_controls(force.policy, partial(wiring.repository.read, head))).stage


def step_down(wiring: Wiring, force: InForce, act: str, to: str) -> tuple[int, int]:
    """The stages between which a rollback drill steps down: the transition that comes next, or to the one named."""
    if act != ROLLBACK:
        return 0, 0
    policy = force.policy
    lower = policy.stage_index(to) if to else _stage_now(wiring, force)
    if lower is None:
        raise Trouble("which step down to rehearse is not known", fix="name its lower stage with --to")
    if lower >= policy.top:
        raise Trouble(f"nothing is above {policy.stages[lower].name}", fix="name a lower stage with --to")
    return lower + 1, lower


def _live(wiring: Wiring, force: InForce) -> LiveSide:
    from console.drilling.course import LiveSide
    from console.verbs.drill_target import scope_of

    return LiveSide(scope_of(wiring, force.policy), force.policy, wiring.ledger, wiring.venue)


def _around(wiring: Wiring, out: Output) -> Surroundings:
    from console.drilling.course import Surroundings

    return Surroundings(
        clock=wiring.clock,
        new_id=wiring.ids.new,
        pause=Event().wait,
        tell=_teller(out),
        keep=_keeper(wiring.state_folder / "drills"),
        version=version("rampdeck"),
    )


def _teller(out: Output) -> Callable[[Drill], None]:
    """Says each step when it begins and each finding when it is made, as notes beside the answer."""
    said: dict[str, int] = {"findings": 0}

    def tell(drill: Drill) -> None:
        for one in drill.findings[said["findings"] :]:
            mark = {True: "·", False: "■", None: "?"}[one.ok]
            budget = drill.step(one.step).budget.total_seconds()
            out.note(f"  {mark} {one.step:<4}{one.says:<58} {one.took:6.1f}/{budget:g} s  {one.observed}")
        said["findings"] = len(drill.findings)

    return tell


def _keeper(folder: Path) -> Callable[[str, Mapping[str, Any]], str]:
    """Writes a bundle and names it with its digest."""

    def keep(run: str, bundle: Mapping[str, Any]) -> str:
        text = json.dumps(bundle, indent=2, default=_said)
        path = folder / f"drill-{run[:8]}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise Trouble(f"the drill's evidence cannot be written: {error.strerror}", where=str(path)) from None
        return f"{path.name} sha256:{sha256(path.read_bytes()).hexdigest()}"

    return keep


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a bundle")


def _asker() -> Callable[[Step, Callable[[], None]], tuple[bool | None, str]]:
    """Asks at the terminal: y held, n did not, anything else is not known; what follows the letter is kept."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Trouble("a tabletop leads people through and needs a terminal", fix="use --mode paper")

    def ask(step: Step, _check: Callable[[], None]) -> tuple[bool | None, str]:
        sys.stderr.write(f"{step.id} {step.says}: did it hold? y, n or ? and a word: ")
        sys.stderr.flush()
        letter, _, words = sys.stdin.readline().strip().partition(" ")
        return {"y": True, "n": False}.get(letter.casefold()), words

    return ask


def _screen_asker(wiring: Wiring, run: str) -> Callable[[Step, Callable[[], None]], tuple[bool | None, str]]:
    """Waits for what somebody answers on the drill's screen, by the ledger."""
    pause = Event()

    def ask(step: Step, check: Callable[[], None]) -> tuple[bool | None, str]:
        while True:
            said = wiring.ledger.state().drills[run].answers.get(step.id)
            if said is not None:
                return said
            check()
            pause.wait(_LOOK_EVERY)

    return ask
