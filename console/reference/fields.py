"""The fields of a pydantic model as tables: name in the file, type, default, meaning."""

from __future__ import annotations

import ast
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from stages.manifest import MarketSpan

_WORDS: Mapping[Any, str] = types.MappingProxyType(
    {
        str: "text", bool: "true, false", int: "whole number", float: "number", Decimal: "number", Path: "path",
        timedelta: "duration (`5s`, `1h30m`)", date: "day", datetime: "time", time: "time of day",
        SecretStr: "text, never shown", MarketSpan: "market time (`3 sessions`, `90m`)",
    }
)  # fmt: skip


def tables(root: type[BaseModel], internal: Sequence[str] = ()) -> Iterator[str]:
    """A section per model, in the order in which a reader meets them; ``internal`` fields are not of the file."""
    for model in reachable(root):
        yield f"## {model.__name__}\n"
        yield f"{_paragraph(model.__doc__ or '')}\n"
        yield "| field | type | default | meaning |\n|---|---|---|---|"
        for name, info in model.model_fields.items():
            if name not in internal:
                key = info.alias or name
                cells = (f"`{key}`", _type(info.annotation), _default(info), meaning(model, name, key))
                yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""


def reachable(root: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and all models within its fields, each once; amounts of market time are a word, no section."""
    found: list[type[BaseModel]] = []

    def walk(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in found and annotation is not MarketSpan:
                found.append(annotation)
                for info in annotation.model_fields.values():
                    walk(info.annotation)
        else:
            for inner in typing.get_args(annotation):
                walk(inner)

    walk(root)
    return found


def meaning(model: type[BaseModel], name: str, key: str) -> str:
    """What a field means: its own words in the model, else those of ``meanings.yaml``. Raises KeyError for neither."""
    return _documented(model).get(name) or str(_meanings()[model.__name__][key])


@cache
def _meanings() -> Mapping[str, Mapping[str, str]]:
    text = (files("console.reference") / "meanings.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return loaded


def spoken() -> set[tuple[str, str]]:
    """Every model and key of ``meanings.yaml``."""
    return {(model, key) for model, keys in _meanings().items() for key in keys}


@cache
def _documented(model: type[BaseModel]) -> Mapping[str, str]:
    """The docstrings below the fields."""
    [body] = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            said = after.value
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                found[field.target.id] = _paragraph(said.value)
    return found


_SOURCES = re.compile(r" \((?:semantics|design section) [^)]*\)")
"""Where a number comes from, for those who change the models; readers of the pages do not have those texts."""


def _paragraph(text: str) -> str:
    return _SOURCES.sub("", " ".join(text.replace("``", "`").split()))


def _type(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"{_type(inner[0])}: {_type(inner[1])}"
    if isinstance(annotation, type) and annotation not in _WORDS:
        if issubclass(annotation, Enum):
            return ", ".join(f"`{one.value}`" for one in annotation)
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _WORDS[annotation]


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    return "" if value is None else _plain(value)


def _plain(value: Any) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{_span(value)}`"
        case MarketSpan():
            return f"`{value.sessions:f} sessions`" if value.sessions is not None else f"`{_span(value.time)}`"
        case BaseModel():
            return "its defaults"
        case tuple() | Mapping():
            return ", ".join(f"`{one}`" for one in value) or "none"
    return f"`{value}`" if value != "" else ""


def _span(span: timedelta | None) -> str:
    seconds = (span or timedelta()).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
