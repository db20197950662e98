"""Asking: an action that is no plan (clear, restore, waive), as the document that an approver is handed to sign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from stages.authority import Action
from stages.entries import stamp
from stages.refusal import Trouble
from stages.value import Struct

API_VERSION: Final = "rampdeck.dev/v1alpha1"
KIND: Final = "RampAction"
KINDS: Final = frozenset({"clear", "restore", "waive"})
"""Actions that are asked for by such a document; an advance is asked for by its plan."""


class Asked(Struct, frozen=True):
    """An action, who asks for it, and what it means in words; the words are not signed and are not believed."""

    action: Action
    asked_by: str
    about: str


def to_document(asked: Asked) -> dict[str, Any]:
    """The JSON form."""
    action = asked.action
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "action": {
            "kind": action.kind,
            "target": action.target,
            "subject": action.subject,
            "params": dict(action.params),
            "nonce": action.nonce,
            "expires": stamp(action.expires),
        },
        "askedBy": asked.asked_by,
        "about": asked.about,
    }


def from_document(document: Mapping[str, Any], where: str) -> Asked:
    """The request of a document. Trouble when it is not one of ``KINDS`` or misses a part."""
    try:
        said = document["action"]
        action = Action(
            kind=str(said["kind"]),
            target=str(said["target"]),
            subject=str(said["subject"]),
            params={str(name): str(value) for name, value in said["params"].items()},
            nonce=str(said["nonce"]),
            expires=datetime.fromisoformat(said["expires"]),
        )
        asked = Asked(action, str(document["askedBy"]), str(document["about"]))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise Trouble(f"is not a whole request ({fault})", where=where, fix="ask for it again") from None
    if action.kind not in KINDS or action.expires.tzinfo is None:
        raise Trouble(f"nobody approves '{action.kind}' by a request", where=where, fix="ask for it again")
    return asked
