"""What is kept is not read again, within its room, and trouble is not kept."""

from __future__ import annotations

import pytest

from console.gitops.kept import Kept


class Shelf:
    """Counts what is read from it."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def get(self, name: str) -> bytes:
        self.read.append(name)
        return name.encode()


def test_a_thing_is_read_once() -> None:
    shelf, kept = Shelf(), Kept[str, bytes](10, len)
    assert [kept.get("abc", lambda: shelf.get("abc")) for _ in range(3)] == [b"abc"] * 3
    assert shelf.read == ["abc"]


def test_what_was_not_used_for_longest_makes_room() -> None:
    shelf, kept = Shelf(), Kept[str, bytes](8, len)
    for name in ("aaa", "bbb", "aaa", "cccc", "aaa", "bbb"):
        kept.get(name, lambda name=name: shelf.get(name))  # type: ignore[misc]
    assert shelf.read == ["aaa", "bbb", "cccc", "bbb"]


def test_what_is_larger_than_the_room_is_handed_on_and_not_kept() -> None:
    shelf, kept = Shelf(), Kept[str, bytes](2, len)
    assert [kept.get("abc", lambda: shelf.get("abc")) for _ in range(2)] == [b"abc"] * 2
    assert shelf.read == ["abc", "abc"]


def test_trouble_is_not_kept_and_nothing_is_something() -> None:
    answers: list[bytes | None] = [b"late", None]

    def away() -> bytes | None:
        raise ConnectionError("away")

    kept: Kept[str, bytes | None] = Kept(4)
    with pytest.raises(ConnectionError, match="away"):
        kept.get("a", away)
    assert kept.get("a", answers.pop) is None
    assert kept.get("a", answers.pop) is None, "that there is none is known too"
