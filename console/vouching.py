"""Vouching: what the commits of the branch say of the ledger, so that its newest entries cannot vanish unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from console.ports import CommitInfo, Repository
from stages.chain import Anchor
from stages.refusal import Trouble
from stages.staleness import LEDGER_TRAILER

NEWEST: Final = 5
"""How many of the newest commits that vouch are asked: each vouches for every entry before its own by the chain."""


def anchors(repository: Repository, ledger: str, committed: Iterable[str] = ()) -> list[Anchor]:
    """What the branch as known here says of the ledger with the id ``ledger``, newest first.

    ``committed`` are commits that the ledger itself names: one that was squashed into another is asked here alone.
    Raises Trouble when Git cannot be asked.
    """
    if not ledger:
        return []
    on_branch = repository.vouching(LEDGER_TRAILER, ledger, NEWEST)
    found = [*on_branch, *_known(repository, committed)]
    return list(dict.fromkeys(anchor for commit in found for anchor in _said(commit, ledger)))


def _known(repository: Repository, commits: Iterable[str]) -> Iterator[CommitInfo]:
    for sha in commits:
        try:
            yield repository.info(sha)
        except Trouble:
            continue  # made on another machine, and not on the branch


def _said(commit: CommitInfo, ledger: str) -> Iterator[Anchor]:
    """The trailer ``<ledger> <size> <head>``, if it is about this ledger."""
    words = commit.trailers.get(LEDGER_TRAILER, "").split()
    if len(words) == 3 and words[0] == ledger and words[1].isdecimal():
        yield Anchor(int(words[1]), words[2], commit.sha)
