"""``rampdeck doctor``: every dependency and permission, each in one line with what to do about it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from console.config import ENVIRONMENT, find
from console.config_report import problems
from console.doctor import SECONDS, Check, Finding, Health, Told, absent, examine, exit_code, ok
from stages.refusal import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.doctor.site import Site
    from console.output import Output
    from console.ports import Clock

CONFIGURATION = "configuration"


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``doctor``."""
    doctor = subparsers.add_parser("doctor", parents=[shared], help="check every dependency and permission")
    doctor.add_argument("--wait", metavar="SECONDS", type=float, default=SECONDS, help="how long one check may take")
    doctor.set_defaults(alone=run_doctor)


def run_doctor(arguments: argparse.Namespace, out: Output) -> int:
    """Ask everything, print what was found and what to do; 0 all is well, 1 something is wrong, 2 nobody can tell."""
    if not 0 < arguments.wait <= 600:
        raise Trouble(f"{arguments.wait:g} is no time to wait", where="--wait", fix="write seconds, such as 10")
    told = _examined(arguments)
    if out.json:
        rows = [
            {"part": one.part, "check": one.name, "health": one.finding.health.value, "says": one.finding.says,
             "fix": one.finding.fix}
            for one in told
        ]  # fmt: skip
        out.document({"ok": exit_code(told) == 0, "checks": rows})
        return exit_code(told)
    for line in lines(told):
        out.line(line)
    return exit_code(told)


def lines(told: Sequence[Told]) -> list[str]:
    """A line per check, its fix behind an arrow, and one at the end that counts."""
    names = [f"{one.part} {one.name}" if one.part != one.name else one.name for one in told]
    width = min(44, max(len(name) for name in names))
    found = []
    for name, one in zip(names, told, strict=True):
        fix = f"  -> {one.finding.fix}" if one.finding.fix else ""
        found.append(f"{one.finding.health.value:<8}{name:<{width}}  {one.finding.says}{fix}")
    counts = {health: sum(1 for one in told if one.finding.health is health) for health in Health}
    found.append(", ".join(f"{count} {health.value}" for health, count in counts.items() if count))
    return found


def _examined(arguments: argparse.Namespace) -> list[Told]:
    """The machine and the configuration always; what it leads to when it can be read."""
    from console.doctor.machine import machine_checks
    from console.wiring import SystemClock, Wiring

    path = find(Path(arguments.config) if arguments.config else None, os.environ)
    wrong = problems(path, os.environ)
    configuration = [Told(CONFIGURATION, CONFIGURATION, finding) for finding in _configuration(path, wrong)]
    try:
        wiring = Wiring.of(path, policy_file=arguments.policy, read_only=True)
    except Trouble:
        return [*examine([*machine_checks({})], SystemClock(), arguments.wait), *configuration]
    from console.doctor.outside import plain_checks
    from console.doctor.site import Site
    from console.doctor.target import target_checks

    site = Site(wiring)
    folders = {"cache": wiring.settings.cache_folder, "state": wiring.state_folder, "inbox": wiring.inbox}
    machine = [*machine_checks(folders)]
    beyond = [*target_checks(site), *plain_checks(site)]
    told = examine([*machine, *beyond], wiring.clock, arguments.wait)
    by_policy = _by_policy(site, told, wiring.clock, arguments.wait)
    return [*told[: len(machine)], *configuration, *told[len(machine) :], *by_policy]


def _configuration(path: Path | None, wrong: Sequence[str]) -> list[Finding]:
    if wrong:
        return [Finding(Health.NO, what, fix) for what, _, fix in (line.partition("; ") for line in wrong)]
    if path is None and not any(name in os.environ for name in ENVIRONMENT):
        return [absent("there is none", "run 'rampdeck policy init FOLDER', or name one with --config")]
    return [ok(str(path or "the environment"))]


def _by_policy(site: Site, told: Sequence[Told], clock: Clock, seconds: float) -> list[Told]:
    """What the policy wants asked, where it could be read."""
    from console.doctor.outside import policy_checks
    from console.doctor.target import POLICY, calendar_check

    if not any(one.part == POLICY and one.name == "loads" and one.finding.health is Health.OK for one in told):
        return []
    policy, _ = site.policy()
    checks: list[Check] = [calendar_check(site, policy), *policy_checks(site, policy)]
    return examine(checks, clock, seconds)
