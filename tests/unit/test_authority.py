"""What approvals say, what makes them count, the roster, tokens that were cut, and phrases that were mistyped."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.authority import (
    Action,
    Check,
    Claims,
    Standard,
    action_digest,
    check_claims,
    claims_expiry,
    failed,
    gate_report_digest,
    verified,
)
from stages.ladder import Direction
from stages.phrase import confirmation_phrase, fold_phrase, mismatch
from stages.plan import Plan
from stages.refusal import Trouble
from stages.roster import Roster, load_roster, parse_roster, roster_digest
from stages.stake import BlastRadius
from stages.token import Token, decode_token, encode_token
from stages.value import replace

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ACTION = Action("advance", "heron", "ab" * 32, {"from": "L0", "to": "L1"}, "n", NOW + timedelta(hours=8))
ROSTER = Roster({"bob": frozenset({"risk"}), "alice": frozenset({"trader"})})
CLAIMS = Claims(
    action=action_digest(ACTION),
    gate_report="g",
    approver="bob",
    roster="r",
    environment="e",
    issued=NOW - timedelta(minutes=5),
    expires=NOW + timedelta(hours=3),
    nonce="once",
)
STANDARD = Standard(ACTION, "alice", ROSTER, "r", "e")


def wrong(claims: Claims = CLAIMS, signer: str | None = "bob", standard: Standard = STANDARD) -> list[str]:
    return [check.name for check in failed(check_claims(claims, signer, standard, NOW))]


def test_a_good_approval_passes_every_check_and_shows_them_all() -> None:
    checks = check_claims(CLAIMS, "bob", STANDARD, NOW)
    assert failed(checks) == ()
    assert len(checks) == 12
    assert verified(CLAIMS, ROSTER).roles == ("risk",)


@pytest.mark.parametrize(
    ("claims", "signer", "standard", "name"),
    [
        (CLAIMS, None, STANDARD, "signature"),
        (CLAIMS, "erin", STANDARD, "signature"),
        (replace(CLAIMS, approver="eve"), "eve", STANDARD, "roster member"),
        (replace(CLAIMS, action="00"), "bob", STANDARD, "this action"),
        (replace(CLAIMS, roster="old"), "bob", STANDARD, "roster"),
        (replace(CLAIMS, environment="paper"), "bob", STANDARD, "environment"),
        (replace(CLAIMS, issued=NOW + timedelta(hours=1)), "bob", STANDARD, "issued"),
        (replace(CLAIMS, expires=NOW), "bob", STANDARD, "not expired"),
        (replace(CLAIMS, expires=NOW + timedelta(hours=5)), "bob", STANDARD, "life"),
        (CLAIMS, "bob", replace(STANDARD, action=replace(ACTION, expires=NOW + timedelta(hours=1))), "life"),
        (CLAIMS, "bob", replace(STANDARD, requester="bob"), "not the asker"),
        (CLAIMS, "bob", replace(STANDARD, authors=frozenset({"bob"})), "not an author"),
        (CLAIMS, "bob", replace(STANDARD, consumed=frozenset({"once"})), "unused"),
        (CLAIMS, "bob", replace(STANDARD, revoked=frozenset({"once"})), "not revoked"),
    ],
)
def test_each_condition_is_refused_by_its_name(
    claims: Claims, signer: str | None, standard: Standard, name: str
) -> None:
    assert name in wrong(claims, signer, standard)


def test_an_approval_never_outlives_the_plan() -> None:
    end = NOW + timedelta(hours=1)
    assert claims_expiry(NOW, timedelta(hours=4), end) == end
    assert claims_expiry(NOW, timedelta(minutes=5), end) == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    "change", [{"kind": "adopt"}, {"target": "x"}, {"subject": "x"}, {"params": {}}, {"nonce": "x"}]
)
def test_every_part_of_an_action_is_in_its_digest(change: dict[str, Any]) -> None:
    assert action_digest(replace(ACTION, **change)) != action_digest(ACTION)


def test_gates_have_a_digest_of_what_the_approver_saw() -> None:
    gate = {"gate_id": "order", "status": "PASS", "reasons": ["one up"], "evaluated_at": "now"}
    assert gate_report_digest([gate]) == gate_report_digest([gate | {"evaluated_at": "later"}])
    assert gate_report_digest([gate]) != gate_report_digest([gate | {"status": "FAIL"}])


# ------------------------------------------------------------------------------------------------------------- tokens


def signature(length: int = 83) -> str:
    """A blob built like an SSH signature."""

    def text(data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + data

    parts = (b"k" * 51, b"rampdeck-approval", b"", b"sha512", b"s" * length)
    return base64.b64encode(b"SSHSIG" + struct.pack(">I", 1) + b"".join(map(text, parts))).decode()


TOKEN = Token(CLAIMS, signature())


def test_a_token_comes_back_whole() -> None:
    line = encode_token(TOKEN)
    assert line.startswith("rda1.")
    assert len(line.split(".")) == 3
    assert decode_token(line) == TOKEN


@pytest.mark.parametrize("length", range(60, 70))
def test_a_chat_window_does_no_harm(length: int) -> None:
    line = encode_token(Token(CLAIMS, signature(length)))
    wrapped = "\n> ".join(line[at : at + 37] for at in range(0, len(line), 37))
    assert decode_token(f'Here you are:\u00a0"\n> {wrapped}"\u200b ') == Token(CLAIMS, signature(length))


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 17])
def test_a_cut_token_says_how_much_is_missing(cut: int) -> None:
    line = encode_token(TOKEN)
    with pytest.raises(Trouble, match=rf"damaged: {cut} characters? (is|are) missing"):
        decode_token(line[:-cut])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "does not begin with rda1"),
        (encode_token(TOKEN)[:90], "signature is missing"),
        ("rda1.e30.AAAA", "claims cannot be read"),
        ("rda1." + encode_token(TOKEN)[25:], "near character|claims"),
        ("rda1.W10.AAAA", "claims cannot be read"),
    ],
)
def test_a_damaged_token_is_one_line(text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says):
        decode_token(text)


def test_every_lost_character_is_noticed() -> None:
    line = encode_token(TOKEN)
    for at in range(len(line)):
        try:
            decoded = decode_token(line[:at] + line[at + 1 :])
        except Trouble:
            continue
        assert decoded != TOKEN, f"character {at}"


# ------------------------------------------------------------------------------------------------------------- roster

GOOD = (
    "apiVersion: rampdeck.dev/v1alpha1\nkind: Roster\nmembers:\n  alice: {roles: [trader]}\n  bob:\n    roles: [risk]\n"
)


def test_a_roster_gives_roles_by_name() -> None:
    roster, digest = load_roster(b"bob ssh-ed25519 AAAA\n", GOOD.encode(), "roster.yaml")
    assert roster.roles("bob") == {"risk"}
    assert roster.roles("eve") == frozenset()
    assert digest == roster_digest(b"bob ssh-ed25519 AAAA\n", GOOD.encode())
    assert digest != roster_digest(b"bob ssh-ed25519 AAAB\n", GOOD.encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"roster.yaml:1: the roster is not a mapping"),
        ("a: [", r"roster.yaml:\d: not YAML"),
        (
            GOOD.replace("[risk]", "[risk, tradr]"),
            r"roster.yaml:6: bob has an unknown role 'tradr'; did you mean trader\?",
        ),
        (
            GOOD.replace("roles: [risk]", "rolls: [risk]"),
            r"roster.yaml:6: bob has an unknown key 'rolls'; did you mean",
        ),
        (GOOD.replace("members", "member"), r"roster.yaml:4: unknown key 'member'; did you mean members\?"),
        (GOOD.replace("Roster", "Rooster"), r"roster.yaml:2: kind is not Roster"),
        (GOOD.replace("[risk]", "[]"), r"roster.yaml:6: bob has no list of roles"),
        (GOOD + "  bob: {roles: [trader]}\n", r"roster.yaml:7: 'bob' stands twice"),
        (GOOD.replace("[risk]", "[{a: b}]"), r"roster.yaml:6: bob has an unknown role"),
    ],
)
def test_a_wrong_roster_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says):
        parse_roster(text, "roster.yaml")


def test_a_roster_in_another_encoding_is_refused() -> None:
    with pytest.raises(Trouble, match="UTF-8"):
        load_roster(b"", "älice".encode("latin-1"), "roster.yaml")


# ------------------------------------------------------------------------------------------------------------ phrases


def plan(direction: Direction = Direction.RISKIER, gross: Decimal | None = Decimal("25000.00")) -> Plan:
    radius = BlastRadius(Decimal(1), gross, None, None, None, None, None, None)
    return Plan(
        "id", "heron", 1, "L1", "L2", direction, "p", 1, "r", (), (), radius, "alice", NOW, NOW, "base"
    )  # fmt: skip


def test_the_phrase_names_what_will_be_done() -> None:
    assert confirmation_phrase("heron", plan()) == "ADVANCE heron L1 L2 GROSS 25,000"
    assert confirmation_phrase("heron", plan(gross=None)) == "ADVANCE heron L1 L2 GROSS UNLIMITED"
    assert confirmation_phrase("heron", plan(Direction.SAFER)) == "ROLLBACK L2"
    assert confirmation_phrase("heron", plan(gross=Decimal("2500.50"))) == "ADVANCE heron L1 L2 GROSS 2,500.5"


@pytest.mark.parametrize("typed", ["advance HERON l1 l2 gross 25000", "  ADVANCE  heron L1 L2 GROSS 25,000 "])
def test_case_commas_and_spaces_are_folded(typed: str) -> None:
    expected = "ADVANCE heron L1 L2 GROSS 25,000"
    assert mismatch(typed, expected) is None
    assert fold_phrase(typed) == fold_phrase(expected)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("ADVANCE heron L1 L3 GROSS 25,000", "word 4 is 'L3', not L2"),
        ("ADVANCE heron", "word 3 is missing: L1"),
        ("", "word 1 is missing: ADVANCE"),
        ("ADVANCE heron L1 L2 GROSS 25,000 now", "word 7 is too much: now"),
        ("ADVANCE heron L1 L2 GROSS 2,500", "word 6 is '2500', not 25,000"),
    ],
)
def test_the_first_wrong_word_is_named(typed: str, says: str) -> None:
    found = mismatch(typed, "ADVANCE heron L1 L2 GROSS 25,000")
    assert found is not None
    assert found.text == says


def test_a_check_is_shown_whether_it_holds_or_not() -> None:
    checks = check_claims(replace(CLAIMS, action="00"), "bob", STANDARD, NOW)
    assert Check("this action", False, "what was signed is what would be done") in checks
    assert {check.ok for check in checks} == {True, False}
