"""Ticks: a snapshot as the document that the observation store keeps, and back, so that every desk sees the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stages.deployed import Deployed
from stages.ladder import Value, parse_value, write_value
from stages.policy import Policy
from stages.signals import Sample, SignalKey, Snapshot, SourceHealth
from stages.value import from_document as of_document
from stages.value import replace
from stages.value import to_document as as_document
from stages.witness import GitReading, RuntimeReading, VenueReading


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """A JSON object; decimals are strings, times ISO 8601. What a sample does not have is left out."""
    return {
        "wall": snapshot.wall.isoformat(),
        "market": snapshot.market.isoformat(),
        "gap": snapshot.gap,
        "speed": snapshot.speed,
        "samples": _samples(snapshot),
        "sources": as_document(snapshot.sources),
        "git": None if snapshot.git is None else _git(snapshot.git),
        "runtime": {name: _runtime(reading) for name, reading in snapshot.runtime.items()},
        "venue": as_document(snapshot.venue),
        "deployed": as_document(snapshot.deployed),
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
            SignalKey(book, name): of_document(Sample, sample)
            for book, samples in document["samples"].items()
            for name, sample in samples.items()
        },
        sources=of_document(tuple[SourceHealth, ...], document["sources"]),
        git=None if git is None else _git_of(policy, git),
        runtime={
            name: _runtime_of(policy, name, reading)
            for name, reading in document["runtime"].items()
            if name in policy.spec.controls
        },
        venue=of_document(VenueReading | None, document["venue"]),
        deployed=of_document(Deployed | None, document.get("deployed")),
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
    said: dict[str, Any] = as_document(replace(reading, values={}))
    return said | {"values": {name: write_value(value) for name, value in reading.values.items()}}


def _git_of(policy: Policy, said: Mapping[str, Any]) -> GitReading:
    """A value is a number, a word or a set by its control's unit, which only the policy knows."""
    made = said["committed_at"]
    return GitReading(
        head=said["head"],
        fetched_at=datetime.fromisoformat(said["fetched_at"]),
        author=said["author"],
        committed_at=None if made is None else datetime.fromisoformat(made),
        values=_values(policy, said),
        unread=dict(said["unread"]),
        parted=tuple(said.get("parted", ())),
        trailers=dict(said["trailers"]),
        error=said["error"],
    )


def _runtime(reading: RuntimeReading) -> dict[str, Any]:
    said: dict[str, Any] = as_document(replace(reading, value=None))
    return said | {"value": write_value(reading.value)}


def _runtime_of(policy: Policy, name: str, said: Mapping[str, Any]) -> RuntimeReading:
    true_at = said["event_time"]
    return RuntimeReading(
        value=_value(policy, name, said["value"]),
        read_time=datetime.fromisoformat(said["read_time"]),
        event_time=None if true_at is None else datetime.fromisoformat(true_at),
        error=said["error"],
    )


def _values(policy: Policy, git: Mapping[str, Any]) -> dict[str, Value | None]:
    return {name: _value(policy, name, said) for name, said in git["values"].items() if name in policy.spec.controls}


def _value(policy: Policy, name: str, said: Any) -> Value | None:
    return parse_value(policy.spec.controls[name].unit, tuple(said) if isinstance(said, list) else said, name)
