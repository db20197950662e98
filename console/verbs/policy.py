"""``rampdeck policy init FOLDER | check FILE | schema | adopt``: a policy proposed, judged, and put in force."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from console.verbs.adopt import add_adopt
from console.verbs.policy_init import add_init
from stages import policy_text
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``policy`` with its verbs."""
    verbs = subparsers.add_parser(
        "policy", parents=[shared], help="propose a policy, check one, print the schema, adopt"
    )
    named = verbs.add_subparsers(metavar="init|check|schema|adopt", required=True)

    check = named.add_parser("check", parents=[shared], help="every problem by its line; 0 when it loads, 2 when not")
    check.add_argument("file", metavar="FILE", nargs="?", help="the policy file; otherwise that of --policy")
    check.set_defaults(run=run_check)

    schema = named.add_parser("schema", parents=[shared], help="the JSON Schema of a policy file")
    schema.set_defaults(run=run_schema)
    add_init(named, shared)
    add_adopt(named, shared)


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


def read_text(path: Path) -> str:
    """A text file named by the user. Raises Trouble when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Trouble(f"cannot be read ({error.strerror})", where=str(path), fix="name a file that exists") from None
    except UnicodeDecodeError:
        raise Trouble("is not valid UTF-8", where=str(path), fix="save it as UTF-8") from None
