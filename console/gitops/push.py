"""What a push's answer means."""

from __future__ import annotations

import re
from typing import Final

from console.gitops.command import Answer
from console.ports import Pushed

_MOVED: Final = ("stale info", "fetch first", "non-fast-forward", "needs force", "remote ref updated since checkout")
_RACE: Final = ("cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists")
_NEVER_BEGAN: Final = (
    "unable to access",
    "unable to connect",
    "could not resolve",
    "could not read from remote repository",
    "could not read username",
    "authentication failed",
    "permission denied",
    "not found",
    "does not appear to be a git repository",
    "access denied",
)
_LONGEST: Final = 240


def judge_push(answer: Answer) -> Pushed | None:
    """The outcome as the remote gave it; None when its answer never came and it must be asked again."""
    if answer.timed_out:
        return None
    for line in answer.text.splitlines():
        flag, _, rest = line.partition("\t")
        if flag in (" ", "+", "=", "*"):
            return Pushed("pushed")
        if flag == "!":
            summary = rest.rpartition("\t")[2]
            return _refused(summary, answer.err)
    return None


def never_began(answer: Answer) -> bool:
    """Whether the remote was not even reached: then nothing of the push can arrive later."""
    said = answer.err.casefold()
    sent = "disconnect" in said or "rpc failed" in said or "hung up" in said.partition("could not read from remote")[0]
    return not answer.timed_out and not sent and any(words in said for words in _NEVER_BEGAN)


def _refused(summary: str, err: str) -> Pushed | None:
    found = re.search(r"\((.*)\)\s*$", summary)
    why = found[1] if found else summary
    told = " ".join(line.removeprefix("remote:").strip() for line in err.splitlines() if line.startswith("remote:"))
    if any(word in why for word in _MOVED) or any(word in f"{why} {told}" for word in _RACE):
        return Pushed("moved", why)
    if "remote failed to report status" in why:
        return None
    return Pushed("rejected", _one_line(f"{told} ({why})" if told else why))


def _one_line(text: str) -> str:
    """Printable, single-spaced and short: a hook may say anything, also to a terminal."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 3]}..."
