"""Approval tokens: claims and a signature on one line, ``rda1.<claims>.<signature>``, that survives a chat window."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Final

from stages.authority import APPROVE, REJECT, Claims
from stages.refusal import Trouble
from stages.value import Struct

PREFIX: Final = "rda1"
_NOISE: Final = re.compile(r"[^A-Za-z0-9_.-]")
"""Whatever a token cannot hold: line breaks, spaces of any width, quotes, ``> `` of a reply."""
_MAGIC: Final = b"SSHSIG"


class Token(Struct, frozen=True):
    """Claims and the signature over them (``Claims.message``), base64 as the signer makes it."""

    claims: Claims
    signature: str


def encode_token(token: Token) -> str:
    """The token's line."""
    signature = base64.b64decode(token.signature)
    return ".".join((PREFIX, _b64(token.claims.message()), _b64(signature)))


def decode_token(text: str) -> Token:
    """The token in a copied text; what was cut or altered on the way is Trouble that says how much and where."""
    start = text.find(f"{PREFIX}.")
    if start < 0:
        raise _trouble(f"it does not begin with {PREFIX}.", "copy the whole line")
    _, said, *rest = _NOISE.sub("", text[start:]).split(".")
    if not rest:
        raise _trouble(f"it ends after {len(said)} characters of its claims: the signature is missing", "copy it whole")
    return Token(_claims(said), _signature(rest[0]))


def _claims(said: str) -> Claims:
    raw = _unb64(said, "claims")
    try:
        fields = json.loads(raw)
        claims = Claims(
            action=_text(fields, "action"),
            gate_report=_text(fields, "gateReport"),
            approver=_text(fields, "approver"),
            roster=_text(fields, "roster"),
            environment=_text(fields, "environment"),
            issued=_time(fields, "issued"),
            expires=_time(fields, "expires"),
            nonce=_text(fields, "nonce"),
            answer=_text(fields, "answer"),
            reason=str(fields.get("reason", "")),
        )
    except json.JSONDecodeError as error:
        near = len(PREFIX) + 1 + error.pos * 4 // 3
        raise _trouble(f"characters are missing or changed near character {near}", "copy it again") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _trouble(f"its claims cannot be read ({error})", "ask for it again") from error
    if claims.answer not in (APPROVE, REJECT) or claims.message() != raw:
        raise _trouble("its claims are not in their canonical form", "ask for it again")
    return claims


def _signature(said: str) -> str:
    """The signature in base64; an SSH signature says how long it is, so a cut one can be measured."""
    missing = len(said) % 4 == 1
    raw = _unb64(said[:-1] if missing else said, "signature")
    if not raw.startswith(_MAGIC[: len(raw)]):
        raise _trouble(f"characters are missing or changed near character {len(PREFIX) + 1}", "copy it again")
    length = _expected_length(raw)
    if length is None or len(raw) < length:
        count = None if length is None else -(-length * 4 // 3) - len(said)
        characters = "1 character is" if count == 1 else f"{count or 'some'} characters are"
        raise _trouble(f"{characters} missing at its end", "copy the whole line")
    return base64.b64encode(raw[:length]).decode()


def _expected_length(raw: bytes) -> int | None:
    """Bytes of a whole signature: magic, version, key, namespace, reserved, hash, signature; None when cut early."""
    at = len(_MAGIC) + 4
    for _ in range(5):
        if len(raw) < at + 4:
            return None
        at += 4 + int.from_bytes(raw[at : at + 4], "big")
    return at


def _text(fields: dict[str, object], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def _time(fields: dict[str, object], name: str) -> datetime:
    at = datetime.fromisoformat(_text(fields, name))
    if at.tzinfo is None:
        raise ValueError(f"{name} has no time zone")
    return at


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(said: str, part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (binascii.Error, ValueError) as error:
        raise _trouble(f"a character is missing or changed in its {part}", "copy it again") from error


def _trouble(what: str, fix: str) -> Trouble:
    return Trouble(f"the approval is damaged: {what}", fix=fix)
