"""``rampdeck policy check FILE | schema | adopt``: a policy judged by itself, and put in force by the ledger."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from stages import policy_text
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``policy`` with its verbs."""
    verbs = subparsers.add_parser("policy", parents=[shared], help="check a policy file, print its schema")
    named = verbs.add_subparsers(metavar="check|schema|adopt", required=True)

    check = named.add_parser("check", parents=[shared], help="every problem by its line; 0 when it loads, 2 when not")
    check.add_argument("file", metavar="FILE", nargs="?", help="the policy file; otherwise that of --policy")
    check.set_defaults(run=run_check)

    schema = named.add_parser("schema", parents=[shared], help="the JSON Schema of a policy file")
    schema.set_defaults(run=run_schema)

    adopt = named.add_parser("adopt", parents=[shared], help="put the policy and roster at the branch's head in force")
    adopt.set_defaults(run=run_adopt)


def run_check(arguments: argparse.Namespace, _wiring: Wiring, out: Output) -> int:
    """Print what is wrong with the file, or OK and what it leaves unwatched."""
    name = arguments.file or arguments.policy
    if not name:
        raise Trouble("no policy file is named", fix="write 'rampdeck policy check FILE'")
    text = read_text(Path(name))
    try:
        policy = policy_text.load(text, name)
    except policy_text.Unloadable as unloadable:
        out.line("\n".join(unloadable.problems))
        if out.json:
            out.document({"ok": False, "file": name, "problems": unloadable.problems, "warnings": []})
        return 2
    notes = policy_text.warnings(policy)
    digest = policy_text.digest(text)
    if out.json:
        reactions = {
            key: policy_text.reaction_seconds(policy, trigger) for key, trigger in policy.spec.triggers.items()
        }
        out.document(
            {"ok": True, "file": name, "digest": digest, "version": policy.spec.version, "problems": [],
             "warnings": notes, "reactionSeconds": reactions}
        )  # fmt: skip
        return 0
    for note in notes:
        out.line(f"warning: {note}")
    names = " ".join(stage.name for stage in policy.stages)
    out.line(f"OK: {policy.name} version {policy.spec.version}, {names}, digest {digest[:12]}")
    return 0


def run_schema(_arguments: argparse.Namespace, _wiring: Wiring, out: Output) -> int:
    """Print the JSON Schema; it is JSON with or without ``--json``."""
    out.document(policy_text.schema())
    return 0


def run_adopt(_arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Adopt what the branch's head holds; 1 when the ledger refuses it, because it is looser and nobody approved it."""
    from stages.commands import AdoptPolicy, AdoptRoster

    if wiring.policy_file is not None:
        fix = "commit it to the repository and leave --policy out"
        raise Trouble("only the repository's policy can be adopted", where=str(wiring.policy_file), fix=fix)
    head = wiring.repository.fetch()
    policy, text = wiring.read_policy(head)
    _roster, _signers, roster_digest = wiring.read_roster(head)
    wiring.begin_ledger(policy)
    adopted = wiring.ledger.state().policy
    looser = () if adopted is None else policy_text.loosened(wiring.read_policy(adopted.commit)[0], policy)
    digest = policy_text.digest(text)
    commands = (
        AdoptPolicy(wiring.actor, digest, policy.spec.version, head, wiring.policy_path, looser),
        AdoptRoster(wiring.actor, roster_digest, head, wiring.roster_paths[1]),
    )
    for command in commands:
        answer = wiring.ledger.transact(command, now=wiring.clock.wall())
        if isinstance(answer, Refusal):
            out.line(f"not adopted: {answer.reason}")
            if out.json:
                out.document({"adopted": False, "code": answer.code, "reason": answer.reason, "looser": looser})
            return 1
    out.line(f"in force: {policy.name} version {policy.spec.version}, digest {digest[:12]}, at {head[:7]}")
    if out.json:
        out.document({"adopted": True, "digest": digest, "version": policy.spec.version, "commit": head,
                      "roster": roster_digest, "warnings": policy_text.warnings(policy)})  # fmt: skip
    return 0


def read_text(path: Path) -> str:
    """A text file named by the user. Raises Trouble when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Trouble(f"cannot be read ({error.strerror})", where=str(path), fix="name a file that exists") from None
    except UnicodeDecodeError:
        raise Trouble("is not valid UTF-8", where=str(path), fix="save it as UTF-8") from None
