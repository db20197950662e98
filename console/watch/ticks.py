"""Ticks: a snapshot as the document that the observation store keeps, and back, so that every desk sees the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from stages.deployed import Deployed
from stages.ladder import Value, parse_value, write_value
from stages.policy import Policy
from stages.signals import Sample, SignalKey, Snapshot, SourceHealth
from stages.witness import GitReading, RuntimeReading, VenueReading


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """A JSON object; decimals are strings, times ISO 8601. What a sample does not have is left out."""
    return {
        "wall": snapshot.wall.isoformat(),
        "market": snapshot.market.isoformat(),
        "gap": snapshot.gap,
        "speed": snapshot.speed,
        "samples": _samples(snapshot),
        "sources": _dumped(tuple[SourceHealth, ...], snapshot.sources),
        "git": None if snapshot.git is None else _git(snapshot.git),
        "runtime": {name: _runtime(reading) for name, reading in snapshot.runtime.items()},
        "venue": _dumped(VenueReading | None, snapshot.venue),
        "deployed": _dumped(Deployed | None, snapshot.deployed),
    }


def from_document(policy: Policy, seq: int, document: Mapping[str, Any]) -> Snapshot:
    """The snapshot of a stored tick; controls that the policy does not know are left out.

    Raises ValueError or KeyError when the document is not one that ``to_document`` made.
    """
    git = document["git"]
    return Snapshot(
        seq=seq,
        wall=datetime.fromisoformat(document["wall"]),
        market=datetime.fromisoformat(document["market"]),
        samples={
            SignalKey(book, name): _loaded(Sample, sample)
            for book, samples in document["samples"].items()
            for name, sample in samples.items()
        },
        sources=_loaded(tuple[SourceHealth, ...], document["sources"]),
        git=None if git is None else replace(_loaded(GitReading, git | {"values": {}}), values=_values(policy, git)),
        runtime={
            name: replace(
                _loaded(RuntimeReading, reading | {"value": None}), value=_value(policy, name, reading["value"])
            )
            for name, reading in document["runtime"].items()
            if name in policy.spec.controls
        },
        venue=_loaded(VenueReading | None, document["venue"]),
        deployed=_loaded(Deployed | None, document.get("deployed")),
        gap=float(document["gap"]),
        speed=float(document["speed"]),
    )


def _samples(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    books: dict[str, dict[str, Any]] = {}
    for key, sample in snapshot.samples.items():
        books.setdefault(key.book, {})[key.name] = _sample(sample)
    return books


def _sample(sample: Sample) -> dict[str, Any]:
    said: dict[str, Any] = {"quality": sample.quality.value, "read_time": sample.read_time.isoformat()}
    if sample.value is not None:
        said["value"] = format(sample.value, "f")
    if sample.event_time is not None:
        said["event_time"] = sample.event_time.isoformat()
    if sample.text:
        said["text"] = sample.text
    if sample.detail:
        said["detail"] = sample.detail
    return said


def _git(reading: GitReading) -> dict[str, Any]:
    said: dict[str, Any] = _dumped(GitReading, replace(reading, values={}))
    return said | {"values": {name: write_value(value) for name, value in reading.values.items()}}


def _runtime(reading: RuntimeReading) -> dict[str, Any]:
    said: dict[str, Any] = _dumped(RuntimeReading, replace(reading, value=None))
    return said | {"value": write_value(reading.value)}


def _values(policy: Policy, git: Mapping[str, Any]) -> dict[str, Value | None]:
    return {name: _value(policy, name, said) for name, said in git["values"].items() if name in policy.spec.controls}


def _value(policy: Policy, name: str, said: Any) -> Value | None:
    return parse_value(policy.spec.controls[name].unit, tuple(said) if isinstance(said, list) else said, name)


def _dumped(shape: Any, value: Any) -> Any:
    return _adapter(shape).dump_python(value, mode="json")


def _loaded(shape: Any, document: Any) -> Any:
    return _adapter(shape).validate_python(document)


@lru_cache(maxsize=16)
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
