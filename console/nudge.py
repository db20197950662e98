"""The nudge: after a push the GitOps controller is asked to look at Git now, instead of at its next round."""

from __future__ import annotations

from console.ports import Runtime
from stages.commands import Record
from stages.refusal import Trouble

SUBJECT = "controller"


def nudge(runtime: Runtime | None, *, actor: str, intent: str) -> Record | None:
    """Ask, and the note of how that went; None where no controller is known. What was pushed stands either way."""
    if runtime is None:
        return None
    try:
        runtime.refresh()
        said = "the GitOps controller was asked to look at Git now"
    except Trouble as trouble:
        said = f"the GitOps controller looks at Git at its next round; it could not be asked: {trouble.line}"
    return Record(actor, "note", {"text": said, "subject": SUBJECT}, intent=intent)
