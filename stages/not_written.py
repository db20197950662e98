"""Not written: what of a reduction the manifests did not let into Git, as its commit and its outcome tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

TRAILER: Final = "Rampdeck-Not-Written"
"""On the commit of a reduction that is not whole: the ledger, which lists it, may be away for whoever reads Git."""


def trailers(refusals: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What the commit says of it, in one line; nothing where all was written."""
    return ((TRAILER, " ".join("; ".join(refusals).split())),) if refusals else ()


def by_commit(said: Mapping[str, str]) -> tuple[str, ...]:
    """What the trailers of a reduction's own commit say of it."""
    return (said[TRAILER],) if said.get(TRAILER) else ()


def in_words(refusals: Sequence[str]) -> str:
    """One line for people; empty where all was written."""
    more = f", and {len(refusals) - 1} more" if len(refusals) > 1 else ""
    return f"NOT WRITTEN: {refusals[0]}{more}" if refusals else ""
