"""A file that is exported appears whole or not at all, and takes no other's place."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

import pytest

from console.procedures.export import write_new
from console.strides import Tally
from stages.refusal import Trouble


def written(stream: IO[str]) -> int:
    return stream.write("whole\n")


def full_disk(stream: IO[str]) -> int:
    stream.write("half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be written: No space left on device"):
        write_new(tmp_path / "out.jsonl", full_disk)
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Trouble, match="Not a directory") as caught:
        write_new(tmp_path / "file" / "out.jsonl", written)
    assert caught.value.where == str(tmp_path / "file" / "out.jsonl")


def test_whoever_was_quicker_keeps_the_name(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"

    def overtaken(stream: IO[str]) -> int:
        target.write_text("theirs", encoding="utf-8")
        return written(stream)

    with pytest.raises(Trouble, match="is there already"):
        write_new(target, overtaken)
    assert target.read_text(encoding="utf-8") == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_system_without_links_gets_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none_here)
    assert write_new(tmp_path / "out.jsonl", written) == 6
    assert {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()} == {"out.jsonl": "whole\n"}


def test_a_tally_counts_what_was_taken_and_stops_before_the_next() -> None:
    tally = Tally()
    pieces = tally.over("abc")
    assert [next(pieces), next(pieces)] == ["a", "b"]
    tally.stop()
    with pytest.raises(Trouble, match="stopped after 2"):
        next(pieces)
    assert tally.done == 2
