"""``burnin extend|waive``: a person's word on a burn-in that did not come to an end by itself."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from console.verbs.change import require_hands
from console.verbs.release import add_asking, ask_for, consent_ports
from stages.asking import Asked
from stages.commands import ExtendBurnIn, WaiveBurnIn
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.in_force import InForce
    from console.output import Output
    from console.wiring import Wiring
    from stages.policy import Stage
    from stages.state import Run


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``burnin`` with its two verbs."""
    burnin = subparsers.add_parser("burnin", help="give an undecided burn-in more time, or waive a performance item")
    verbs = burnin.add_subparsers(dest="burnin_verb", metavar="extend|waive", required=True)
    extend = verbs.add_parser("extend", parents=[shared], help="more market time for one that ended INCONCLUSIVE; once")
    extend.add_argument("stage", metavar="STAGE")
    extend.add_argument("--for", dest="span", required=True, metavar="TIME", help="market time, such as '2 sessions'")
    extend.add_argument("--reason", required=True, help="why more time will help")
    extend.set_defaults(run=run_extend)
    waive = verbs.add_parser("waive", parents=[shared], help="let a run pass without one performance item; approved")
    waive.add_argument("stage", metavar="STAGE")
    waive.add_argument("item", metavar="ITEM", help="as 'status --json' names it")
    waive.add_argument("--reason", required=True, help="why it does not matter in this run")
    add_asking(waive)
    waive.set_defaults(run=run_waive)


def run_extend(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when the run goes on."""
    require_hands(wiring)
    force, now = wiring.in_force(), wiring.clock.wall()
    stage, run = _run(wiring, force, arguments.stage)
    market = wiring.clock.market(now)
    until = _until(force, arguments.span, market)
    command = ExtendBurnIn(wiring.actor, stage.name, run.run, until, market, arguments.reason)
    answer = wiring.ledger.transact(command, now=now)
    return _told(
        answer, {"run": run.run, "until": until}, f"{stage.name} goes on until {until:%Y-%m-%d %H:%M} UTC", out
    )


def run_waive(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when the waiver stands or is asked for."""
    from console.consent import gather
    from stages.clearing import waive_action
    from stages.objectives import waivable

    require_hands(wiring)
    force, now = wiring.in_force(), wiring.clock.wall()
    stage, run = _run(wiring, force, arguments.stage)
    action = waive_action(force.policy, run.run, arguments.item, arguments.reason)
    if arguments.ask or arguments.output:
        about = f"let the burn-in of {stage.name} pass without {arguments.item}: {arguments.reason}"
        return ask_for(wiring, Asked(action, wiring.actor, about), arguments.output, out)
    consent = gather(consent_ports(wiring), force, action, arguments.approval, actor=wiring.actor)
    for fault in consent.faults:
        out.note(fault)
    command = WaiveBurnIn(
        actor=wiring.actor,
        stage=stage.name,
        run=run.run,
        item=arguments.item,
        safety=stage.burn_in is None or not waivable(force.policy, stage.burn_in, arguments.item),
        market=wiring.clock.market(now),
        reason=arguments.reason,
        quorum=consent.quorum,
    )
    answer = wiring.ledger.transact(command, now=now)
    return _told(
        answer, {"run": run.run, "item": arguments.item}, f"{stage.name} may pass without {arguments.item}", out
    )


def _run(wiring: Wiring, force: InForce, name: str) -> tuple[Stage, Run]:
    """The newest run of a stage. Raises Trouble."""
    index = force.policy.stage_index(name)
    if index is None:
        raise Trouble(f"there is no stage '{name}'", where=force.policy.name)
    stage = force.policy.stages[index]
    run = wiring.ledger.state().runs.get(stage.name)
    if run is None:
        raise Trouble(f"{stage.name} has no burn-in run", fix="'rampdeck status' shows what runs")
    return stage, run


def _until(force: InForce, text: str, market: datetime) -> datetime:
    """The market time at which ``text`` more of open market has passed. Raises Trouble."""
    from stages.manifest import MarketSpan
    from stages.session import market_after, session_length

    hours = force.policy.spec.target.session
    try:
        wanted = MarketSpan.model_validate(text).minutes(session_length(hours))
    except ValueError:
        raise Trouble(f"'{text}' is no market time", fix="write '2 sessions' or 90m") from None
    until = market_after(hours, market, wanted)
    if until is None:
        raise Trouble(f"{text} is further away than the calendar goes")
    return until


def _told(answer: object, document: dict[str, object], line: str, out: Output) -> int:
    if isinstance(answer, Refusal):
        out.note(answer.reason)
        return 1
    if out.json:
        out.document(document)
    out.line(line)
    return 0
