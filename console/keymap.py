"""Which keys do what on this machine: the registry's keys, and what the configuration puts in their place.

The keys of whatever acts, asks or leads out stay where they are, on every screen: a hand finds them at three at night.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from console.actions import ACTIONS, Action, On, Toward, actions_on
from stages.value import Struct, field

if TYPE_CHECKING:
    from stages.policy_source import Problem

_STAYS: Final = frozenset(
    {"look", "page", "acknowledge", "request", "field", "drill-field", "help", "palette", "back", "quit"}
)
"""Actions that are no way up or down and stay all the same: digits, confirmations, and the ways out."""

_OF_FIELDS: Final = MappingProxyType(
    {
        "enter": "confirms what is typed",
        "backspace": "edits what is typed",
        "ctrl+u": "empties what is typed",
        "ctrl+v": "pastes",
        "shift+insert": "pastes",
        "ctrl+c": "quits",
        "ctrl+q": "quits",
    }
)
"""Keys that mean the same everywhere without standing in the registry."""

_TWINS: Final = MappingProxyType(
    {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
)
"""What a terminal cannot tell from another key."""

_PLACES: Final = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
_NAMED: Final = frozenset(
    {"enter", "escape", "tab", "shift+tab", "space", "backspace", "delete", "insert", "shift+insert", *_PLACES}
    | {f"{held}+{key}" for held in ("ctrl", "shift") for key in _PLACES}
    | {f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
    | {f"f{number}" for number in range(1, 13)}
    | set(_TWINS)
)
_SHORT: Final = MappingProxyType(
    {
        "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
        "plus_sign": "plus", "low_line": "underscore",
    }
)  # fmt: skip


def _name_of(character: str) -> str:
    """The name under which the terminal's key is known: ``S`` is ``S``, ``/`` is ``slash``."""
    if character.isalnum():
        return character
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


_SIGNS: Final = MappingProxyType({_name_of(sign): sign for sign in map(chr, range(33, 127)) if not sign.isalnum()})
"""The signs of a keyboard by their names."""


def read_key(written: str) -> str | None:
    """The key's own name for what a person wrote: a character or a name; None for what no key is called."""
    if len(written) == 1 and written.isprintable() and not written.isspace():
        return _name_of(written)
    known = written.strip().casefold()
    return known if known in _NAMED or known in _SIGNS else None


def shown_key(key: str) -> str:
    """A key as people read it: ``/`` of ``slash``, ``esc`` of ``escape``."""
    return _SIGNS.get(key) or {"escape": "esc"}.get(key, key)


class Keymap(Struct, frozen=True):
    """The keys in force. ``moved`` holds the actions that have others than the registry says, by id."""

    moved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def keys(self, action: Action) -> tuple[str, ...]:
        """Every key of an action, the first of them the one that is shown."""
        return self.moved.get(action.id) or tuple(action.keys.split(","))

    def label(self, action: Action) -> str:
        """The key as the footer shows it."""
        moved = self.moved.get(action.id)
        return shown_key(moved[0]) if moved else action.label

    def labels(self, action: Action) -> str:
        """All keys as the help shows them."""
        moved = self.moved.get(action.id)
        return " ".join(map(shown_key, moved)) if moved else action.label

    def bound(self) -> dict[str, str]:
        """What differs from the registry, as key lists by the ids of the bindings."""
        return {name: ",".join(keys) for name, keys in self.moved.items()}


STANDARD: Final = Keymap()
"""The registry's own keys."""


def stays(action: Action) -> bool:
    """Whether an action keeps its key whatever anybody configures."""
    return action.toward in (Toward.SAFER, Toward.RISKIER) or action.id in _STAYS


def keymap_of(configured: Mapping[str, Sequence[str]]) -> Keymap:
    """The keymap of a configuration in which ``problems`` found nothing."""
    moved = {name: tuple(key for key in map(read_key, keys) if key) for name, keys in configured.items()}
    return Keymap(moved)


def problems(configured: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Everything that is wrong with configured keys: each with its place, what is wrong, and what to do."""
    from difflib import get_close_matches

    from stages.policy_source import Problem

    known = {action.id: action for action in ACTIONS}
    moved: dict[str, tuple[str, ...]] = {}
    for name, written in configured.items():
        place = f"keys.{name}"
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean '{near[0]}'?" if near else "docs/keys.md names every action"
            yield Problem(("keys", name), f"{place}: there is no such action", hint)
        elif stays(known[name]):
            label = known[name].label
            yield Problem(("keys", name), f"{place}: {label} stays where it is: it {_why(known[name])}", "leave it out")
        elif not written:
            yield Problem(("keys", name), f"{place}: no key is named", "name one, or leave it out")
        else:
            wrong = [problem for key in written for problem in _wrong_key(known[name], key)]
            yield from wrong
            if not wrong:
                moved[name] = tuple(key for key in map(read_key, written) if key)
    yield from _clashes(Keymap(moved))


def _why(action: Action) -> str:
    said = {Toward.SAFER: "makes safer", Toward.RISKIER: "may make riskier"}.get(action.toward)
    return said or {"look": "picks by its digit", "page": "picks by its digit"}.get(
        action.id, "confirms, asks or leads out"
    )


def _wrong_key(action: Action, written: str) -> Iterator[Problem]:
    """What is wrong with one key of an action, seen alone."""
    from difflib import get_close_matches

    from stages.policy_source import Problem

    place, key = f"keys.{action.id}", read_key(written)
    if key is None:
        capital = re.fullmatch(r"(?i)shift\+([a-z])", written.strip())
        near = get_close_matches(written.casefold(), [*_NAMED, *_SIGNS], 1, 0.6)
        hint = f"write '{capital[1].upper()}'" if capital else f"did you mean '{near[0]}'?" if near else ""
        said = f"{place}: no key is called '{written}'"
        yield Problem(("keys", action.id), said, hint or "write a character, or a name such as f5, home or ctrl+x")
        return
    if key in action.keys.split(","):
        return
    if key in _TWINS:
        said = f"{place}: a terminal cannot tell {key} from {shown_key(_TWINS[key])}"
        yield Problem(("keys", action.id), said, "choose another key")
        return
    owner = next((one for one in ACTIONS if stays(one) and key in one.keys.split(",")), None)
    if owner is not None or key in _OF_FIELDS:
        does = f"is the key of '{owner.id}'" if owner is not None else _OF_FIELDS[key]
        said = f"{place}: {shown_key(key)} {does} and means nothing else anywhere"
        yield Problem(("keys", action.id), said, "choose another key")


def _clashes(keymap: Keymap) -> Iterator[Problem]:
    """Two actions of one screen on one key, each pair told once and at the one that was moved."""
    from stages.policy_source import Problem

    told: set[frozenset[str]] = set()
    for screen in On:
        owners: dict[str, Action] = {}
        for action in sorted(actions_on(screen), key=lambda one: one.id in keymap.moved):
            for key in keymap.keys(action):
                other = owners.setdefault(key, action)
                pair = frozenset({action.id, other.id})
                if other is not action and pair not in told:
                    told.add(pair)
                    said = f"keys.{action.id}: {shown_key(key)} is the key of '{other.id}' on {screen.value} too"
                    yield Problem(("keys", action.id), said, "choose another key, or move that one as well")
