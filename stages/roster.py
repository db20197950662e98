"""Roster: who may approve, and in which roles. Their keys stand in OpenSSH's ``allowed_signers`` beside it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import yaml

from stages.refusal import Trouble
from stages.value import Struct, field

API_VERSION: Final = "rampdeck.dev/v1alpha1"
KIND: Final = "Roster"
ROLES: Final = ("operator", "trader", "risk", "designated", "incident-commander")


class Roster(Struct, frozen=True):
    """Members by name, which is also their principal in ``allowed_signers``."""

    members: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def roles(self, name: str) -> frozenset[str]:
        """The roles of a person; nobody has none."""
        return self.members.get(name, frozenset())


def roster_digest(signers: bytes, roles: bytes) -> str:
    """SHA-256 hex over both files of the roster, keys and roles; neither can change alone."""
    return sha256(b"".join(sha256(part).digest() for part in (signers, roles))).hexdigest()


def load_roster(signers: bytes, roles: bytes, where: str) -> tuple[Roster, str]:
    """The roster of two files and its digest; ``where`` names the file of roles. Raises Trouble."""
    try:
        text = roles.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Trouble("is not UTF-8 text", where=where, fix="save it as UTF-8") from error
    return parse_roster(text, where), roster_digest(signers, roles)


def parse_roster(text: str, where: str) -> Roster:
    """The roster in a ``kind: Roster`` document. Trouble names file and line, what is wrong and what to write."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Trouble(f"not YAML: {error.problem}", where=f"{where}:{line}", fix="correct the line") from error
    top = _mapping(root, where, "the roster")
    for name in top:
        if name not in ("apiVersion", "kind", "members", "metadata"):
            raise _wrong(top[name], where, f"unknown key '{name}'", _nearest(name, ("apiVersion", "kind", "members")))
    for name, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if name not in top or top[name].value != wanted:
            raise _wrong(top.get(name, root), where, f"{name} is not {wanted}", f"write {name}: {wanted}")
    if "members" not in top:
        raise _wrong(root, where, "members is missing", "write members: {alice: {roles: [trader]}}")
    people = _mapping(top["members"], where, "members")
    if not people:
        raise _wrong(top["members"], where, "nobody is a member", "name at least one approver")
    return Roster({name: _roles(node, where, name) for name, node in people.items()})


def _roles(node: yaml.Node, where: str, name: str) -> frozenset[str]:
    person = _mapping(node, where, name)
    for key, value in person.items():
        if key != "roles":
            raise _wrong(value, where, f"{name} has an unknown key '{key}'", _nearest(key, ("roles",)))
    listed = person.get("roles")
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        raise _wrong(listed or node, where, f"{name} has no list of roles", f"write {name}: {{roles: [trader]}}")
    for item in listed.value:
        if item.value not in ROLES:
            raise _wrong(item, where, f"{name} has an unknown role '{item.value}'", _nearest(str(item.value), ROLES))
    return frozenset(str(item.value) for item in listed.value)


def _mapping(node: yaml.Node | None, where: str, what: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, where, f"{what} is not a mapping", f"write apiVersion: {API_VERSION} and kind: {KIND}")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if str(key.value) in found:
            raise _wrong(key, where, f"'{key.value}' stands twice", "keep one of them")
        found[str(key.value)] = value
    return found


def _wrong(node: yaml.Node | None, where: str, what: str, fix: str) -> Trouble:
    line = node.start_mark.line + 1 if node else 1
    return Trouble(what, where=f"{where}:{line}", fix=fix)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"
