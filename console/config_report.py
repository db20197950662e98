"""The configuration told back: every value with who said it, every problem at once, and never a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from console.config import ENVIRONMENT, Settings, settings_of
from console.config_text import Written, read
from stages.model_problems import Unloadable
from stages.policy_source import Path as Place
from stages.policy_source import Problem
from stages.refusal import Trouble
from stages.value import Struct, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN: Final = "***"
"""Stands where a secret is, or may be."""

_COMMANDS: Final = (("notify", "command"), ("prometheus", "tokenFrom", "command"))
_HEADERS: Final = ("prometheus", "headers")
_INTERNAL: Final = "origin"
_LEDGERS: Final = re.compile(r"(sqlite:///|postgresql(\+psycopg)?://).+")
_PAGES: Final = re.compile(r"https?://[^/\s]+.*")


class Setting(Struct, frozen=True):
    """One value: its key with dots, what it is (None: not set), and who says so."""

    key: str
    value: str | None
    origin: str


def told(settings: Settings, written: Written, options: Mapping[str, str], derived: Mapping[str, str]) -> list[Setting]:
    """Every setting in the order of the models.

    ``options`` are values that a command-line option gave, by key; ``derived`` what is used where nothing is said.
    """
    found = []
    for place, value in _leaves(settings, ()):
        key = ".".join(place)
        if key in options:
            found.append(Setting(key, options[key], f"option --{_dashed(key)}"))
            continue
        origin = written.origin(place)
        shown = _shown(place, value)
        found.append(Setting(key, derived.get(key) if shown is None and origin == "default" else shown, origin))
    return found


def problems(path: Path | None, environment: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with the configuration, each on one line with its place and what to do."""
    found = _strangers(environment)
    try:
        written = read(path, ENVIRONMENT, environment)
    except Trouble as trouble:
        return [trouble.line, *found]
    try:
        return [*_amiss(written, settings_of(written)), *found]
    except Unloadable as unloadable:
        return [*unloadable.problems, *_beside(written), *found]
    except Trouble as trouble:
        return [trouble.line, *found]


def _amiss(written: Written, settings: Settings) -> list[str]:
    """What is wrong with settings that the models accept."""
    from console import keymap

    return written.lines([*_addresses(settings), *_files(settings), *keymap.problems(settings.keys)])


def _beside(written: Written) -> list[str]:
    """The same of the sections that are sound by themselves, while others are not."""
    sound = {name: part for name, part in written.data.items() if _accepted({name: part})}
    try:
        return _amiss(written, settings_of(replace(written, data=sound, source=replace(written.source, problems=()))))
    except Trouble:
        return []  # what they say together is judged once each of them stands


def _accepted(data: Mapping[str, Any]) -> bool:
    try:
        Settings.model_validate(data)
    except ValidationError:
        return False
    return True


# ------------------------------------------------------------------------------------------------------------- showing


def _leaves(part: BaseModel, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(part).model_fields:
        value, inner = getattr(part, name), (*place, to_camel(name))
        if inner == (_INTERNAL,):
            continue
        if isinstance(value, BaseModel):
            yield from _leaves(value, inner)
        elif isinstance(value, Mapping) and value:
            yield from (((*inner, str(key)), each) for key, each in value.items())
        else:
            yield inner, None if isinstance(value, Mapping) else value


def _shown(place: tuple[str, ...], value: Any) -> str | None:
    """The value for people's eyes: passwords, header values and the arguments of commands stay hidden."""
    if value is None:
        return None
    if place in _COMMANDS:
        first, *rest = value
        return " ".join([first, *([HIDDEN] if rest else [])])
    if place[:2] == _HEADERS:
        return HIDDEN
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return without_secrets(str(value))


def without_secrets(text: str) -> str:
    """An address without what lets somebody in: the password, a token in place of a name, the query."""
    if "://" not in text or text.startswith("sqlite:"):
        return text
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError:
        return HIDDEN
    user, at, host = parts.netloc.rpartition("@")
    if password is not None:
        user = f"{user.partition(':')[0]}:{HIDDEN}"
    elif at and parts.scheme in ("http", "https"):
        user = HIDDEN
    query = HIDDEN if parts.query else ""
    return urlunsplit((parts.scheme, f"{user}{at}{host}", parts.path, query, parts.fragment))


def _dashed(key: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"-{found[1].lower()}", key)


# ------------------------------------------------------------------------------------------------------------ checking


def _strangers(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like ours and are not: a slip of the pen would otherwise change nothing in silence."""
    known = [*ENVIRONMENT, "RAMPDECK_CONFIG"]
    lines = []
    for name in sorted(environment):
        if name.startswith("RAMPDECK_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            if near:
                trouble = Trouble(f"{name} is read by nothing", where="environment", fix=f"did you mean {near[0]}?")
                lines.append(trouble.line)
    return lines


def _addresses(settings: Settings) -> Iterator[Problem]:
    if settings.ledger and not _LEDGERS.fullmatch(settings.ledger):
        yield Problem(("ledger",), "ledger: not a database", "write sqlite:///FILE or postgresql+psycopg://HOST/NAME")
    pages: list[tuple[Place, str]] = [(("endpoints", name), url) for name, url in settings.endpoints.items()]
    if settings.venue:
        pages.append((("venue", "url"), settings.venue.url))
        pages += [(("venue", "app"), settings.venue.app)] if settings.venue.app else []
    for place, url in pages:
        if not _PAGES.fullmatch(url):
            yield Problem(place, f"{'.'.join(map(str, place))}: not a page's address", "write http://HOST:PORT")
    if settings.policy and settings.policy.startswith("/"):
        yield Problem(("policy",), "policy: begins with /", "write the path from the root of the repository")


def _files(settings: Settings) -> Iterator[Problem]:
    """Files that are named and are not there."""
    named: list[tuple[Sequence[str], Path | None, Callable[[Path], bool]]] = [
        (("drillTarget",), settings.drill_target, Path.is_file),
    ]
    if settings.identity:
        named.append((("identity", "key"), settings.identity.key, Path.is_file))
    if settings.kubernetes:
        named.append((("kubernetes", "kubeconfig"), settings.kubernetes.kubeconfig, Path.is_file))
    if settings.prometheus:
        tls, token = settings.prometheus.tls, settings.prometheus.token_from
        named += [(("prometheus", "tls", name), getattr(tls, name), Path.is_file) for name in ("ca", "cert", "key")]
        named.append((("prometheus", "tokenFrom", "file"), token.file if token else None, Path.is_file))
    for place, path, exists in named:
        if path is not None and not exists(path):
            yield Problem(tuple(place), f"{'.'.join(place)}: there is no file {path}", "correct the path")
