"""The configuration as it is written: a file's text by lines, and what the environment puts in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from stages.model_problems import as_lines
from stages.policy_source import Path as Place
from stages.policy_source import Problem, Source, read_source
from stages.refusal import Trouble
from stages.value import Struct, replace

NO_FILE: Final = "environment"
"""What stands for the file's name when everything is said by the environment."""


class Written(Struct, frozen=True):
    """What was written where: the file's data with the environment's words in it, and which variable said which."""

    path: Path | None
    source: Source
    data: Mapping[str, Any]
    variables: Mapping[Place, str]

    @property
    def where(self) -> str:
        """What is named in front of a problem."""
        return str(self.path or NO_FILE)

    def lines(self, problems: Iterable[Problem]) -> list[str]:
        """Each problem once: ``file:line: what is wrong; what to do``."""
        if self.path is not None:
            return as_lines(self.source, problems)
        return sorted({Trouble(one.what, where=NO_FILE, fix=one.fix).line for one in problems})

    def origin(self, place: Place) -> str:
        """Who says the value at ``place``: ``file:line``, ``environment NAME``, or ``default`` when nobody does."""
        if place in self.variables:
            return f"environment {self.variables[place]}"
        return self.source.place(place) if place in self.source.lines and place else "default"


def read(path: Path | None, names: Mapping[str, tuple[str, ...]], environment: Mapping[str, str]) -> Written:
    """Reads ``path``; ``names`` are variables and the keys that they override. Raises Trouble for what is no YAML."""
    source = _source(path) if path else Source(NO_FILE, {}, {(): 1}, ())
    data: Any = source.data
    said: dict[Place, str] = {}
    lines = dict(source.lines)
    for variable, keys in names.items():
        if environment.get(variable):
            said[keys] = variable
            _override(data, keys, environment[variable])
            for depth in range(len(keys)):
                lines.setdefault(keys[: depth + 1], 1)
    return Written(path, replace(source, lines=lines), data, said)


def _source(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Trouble(f"cannot be read ({error.strerror})", where=str(path), fix="name another with --config") from None
    except UnicodeDecodeError:
        raise Trouble("is not valid UTF-8", where=str(path), fix="save it as UTF-8") from None
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return Source(str(path), {}, {(): 1}, ())
    return read_source(text, str(path), "configuration", fix="write 'key: value' lines; docs/configuration.md has all")


def _override(data: dict[str, Any], keys: tuple[str, ...], value: str) -> None:
    """Puts the environment's word in; where the file has no mapping, that is left for the models to refuse."""
    for key in keys[:-1]:
        inner = data.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        data = inner
    data[keys[-1]] = value
