"""``rampdeck simulate SCENARIO.yaml``: a scenario played by the engine itself, and whether its expectations hold."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib.resources import files as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.demo.sample_repository import sample_files
from console.verbs.policy import read_text
from stages import policy_text, scenario_text
from stages.expectations import expected
from stages.refusal import Trouble
from stages.scenario import Scenario
from stages.simulation import Played, play

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring

DEMO: Final = "demo"
"""Name of the manifests that ship with the program."""


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``simulate``."""
    verb = subparsers.add_parser(
        "simulate", parents=[shared], help="play a scenario; 0 when all that it expects comes and nothing else"
    )
    verb.add_argument("scenario", metavar="SCENARIO.yaml", help=f"a file, or a shipped one: {', '.join(shipped())}")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace, _wiring: Wiring, out: Output) -> int:
    """Print the timeline, and what differs first from what was expected."""
    path, text = _scenario(arguments.scenario)
    scenario, source = scenario_text.load(text, arguments.scenario)
    name = arguments.policy or scenario.spec.policy
    policy_words = _policy_text(name, path.parent, given=bool(arguments.policy))
    policy = policy_text.load(policy_words, name)
    scenario_text.check(scenario, source, policy)
    digest = policy_text.digest(policy_words)
    played = play(policy, digest, scenario, _manifests(scenario.spec.manifests, path.parent))
    if out.json:
        out.document(_document(scenario, played, {"name": policy.name, "digest": digest}))
    for line in _lines(scenario, played):
        out.line(line)
    return 0 if played.difference is None else 1


def shipped() -> tuple[str, ...]:
    """Names of the scenarios that ship with the program."""
    folder = packaged("stages") / "scenarios"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def _scenario(name: str) -> tuple[Path, str]:
    """Where the scenario lies and what it says; a file comes before a shipped one of the same name."""
    path = Path(name)
    if not path.exists() and name in shipped():
        return path, (packaged("stages") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    return path, read_text(path)


def _policy_text(name: str, folder: Path, *, given: bool) -> str:
    """A policy beside the scenario or a shipped one; what the command line names is a path of its own."""
    own = packaged("stages") / "policies" / f"{name}.yaml"
    path = Path(name) if given else folder / name
    if not path.exists() and own.is_file():
        return own.read_text(encoding="utf-8")
    return read_text(path)


def _manifests(name: str, folder: Path) -> Mapping[str, bytes]:
    """The files of a repository by their path from its root. Raises Trouble when there is no such folder."""
    root = folder / name
    if not root.is_dir():
        if name == DEMO:
            return sample_files()
        fix = f"name a folder beside the scenario, or {DEMO}"
        raise Trouble("there is no such folder of manifests", where=str(root), fix=fix)
    return {found.relative_to(root).as_posix(): found.read_bytes() for found in sorted(root.rglob("*.yaml"))}


def _document(scenario: Scenario, played: Played, policy: Mapping[str, str]) -> dict[str, Any]:
    difference = played.difference
    return {
        "scenario": scenario.name,
        "says": scenario.spec.says,
        "policy": policy,
        "seconds": scenario.seconds,
        "happenings": [
            {"second": one.second, "kind": one.kind, **one.facts, "detail": one.detail} for one in played.happenings
        ],
        "end": played.end.model_dump(),
        "expectations": len(expected(scenario.spec.expect)) + 1,
        "holds": difference is None,
        "difference": None
        if difference is None
        else {"second": difference.second, "expected": difference.expected, "came": difference.came},
    }


def _lines(scenario: Scenario, played: Played) -> list[str]:
    spec, end = scenario.spec, played.end
    lines = [f"{scenario.name}: {spec.says}", ""]
    told = [(int(event.at.total_seconds()), "event", _event(event), "") for event in spec.events]
    told += [(one.second, one.kind, " ".join(one.facts.values()), one.detail) for one in played.happenings]
    for second, kind, words, detail in sorted(told, key=lambda one: one[0]):
        lines.append(f"{second:5d} s  {kind:<9}{words:<32}  {detail}".rstrip())
    lines += ["", f"ends at {end.stage} {end.mode}, posture {end.posture}, at most {end.cap}"]
    if played.difference is not None:
        return [*lines, f"DIFFERS {played.difference.words}"]
    return [*lines, f"HOLDS: {len(expected(spec.expect)) + 1} expectations, nothing else came"]


def _event(event: Any) -> str:
    """What an event says, as its file has it."""
    parts = event.model_dump(exclude={"at"}, exclude_unset=True, mode="json")
    return "  ".join(f"{name} {_plain(value)}" for name, value in parts.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
