"""``rampdeck policy init FOLDER``: a first policy and configuration out of a repository's own manifests."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.interview import Ask
    from console.output import Output


def add_init(named: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Add ``policy init``."""
    init = named.add_parser("init", parents=[shared], help="propose a policy and a configuration from manifests")
    init.add_argument("folder", metavar="FOLDER", help="a repository, or the folder of an application in it")
    init.add_argument(
        "-o", "--output", metavar="FOLDER", help="where both files go; else the policy beside the manifests"
    )
    init.add_argument("--yes", action="store_true", help="take every proposal without asking")
    init.set_defaults(alone=run_init)


def run_init(arguments: argparse.Namespace, out: Output) -> int:
    """Ask, write two new files, say what was found and what comes next."""
    from console.interview import CONFIGURATION_FILE, POLICY_FILE, drafts, interview, write_new

    if not arguments.yes and not sys.stdin.isatty():
        raise Trouble("there is no terminal to ask at", fix="add --yes to take the proposals")
    folder = Path(arguments.folder).resolve()
    chosen, tree, answers = interview(folder, _proposal if arguments.yes else _terminal(out))
    made = drafts(chosen, tree, answers, os.environ)
    policy = Path(arguments.output or chosen.folder) / POLICY_FILE
    configuration = Path(arguments.output or ".") / CONFIGURATION_FILE
    there = [path for path in (policy, configuration) if path.exists()]
    if there:
        raise Trouble("is there already; nothing was written", where=str(there[0]), fix="move it, or use -o FOLDER")
    write_new(policy, made.policy)
    write_new(configuration, made.configuration)
    if out.json:
        out.document({"policy": policy, "configuration": configuration, "found": made.told})
        return 0
    for line in made.told:
        out.line(line)
    out.line()
    out.line(f"wrote {policy}")
    out.line(f"wrote {configuration}")
    out.line("next: read both; commit the policy with allowed_signers and roster.yaml beside it; then")
    out.line(f"  rampdeck policy check {policy}")
    out.line("  rampdeck doctor && rampdeck policy adopt")
    return 0


def _proposal(_question: str, proposal: str) -> str:
    return proposal


def _terminal(out: Output) -> Ask:
    def ask(question: str, proposal: str) -> str:
        out.errors.write(f"{question} [{proposal}]: ")
        out.errors.flush()
        answer = sys.stdin.readline()
        if not answer:
            raise Trouble("the interview was left; nothing was written", fix="begin again, or add --yes")
        return answer.strip() or proposal

    return ask
