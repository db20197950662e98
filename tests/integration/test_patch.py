"""The patch of a plan: ``git apply`` accepts it, and what it writes are the plan's own bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stages.patch import patch_text, unified
from stages.plan import Edit, git_blob_id

LINES = "".join(f"line {number}\n" for number in range(1, 41))
CASES = {
    "plain": ("apps/a.yaml", LINES, LINES.replace("line 7\n", "line seven\n")),
    "two-places": ("a.yaml", LINES, LINES.replace("line 3\n", "three\nmore\n").replace("line 33\n", "")),
    "first-line-behind-a-mark": ("a.yaml", "\ufeffkind: A\nx: 1\n", "\ufeffkind: B\nx: 1\n"),
    "carriage-returns": ("a.yaml", "a: 1\r\nb: 2\r\nc: 3\r\n", "a: 1\r\nb: 9\r\nc: 3\r\n"),
    "no-end-of-line": ("a.yaml", "a: 1\nb: 2", "a: 1\nb: 3"),
    "a-lone-return-and-a-form-feed": ("a.yaml", "a: 'x\ry'\nb: 'u\fv'\nc: 2\n", "a: 'x\ry'\nb: 'u\fv'\nc: 3\n"),
    "blanks-in-the-name": ("my apps/the one.yaml", LINES, LINES.replace("line 20", "twenty")),
    "beyond-ascii-in-the-name": ("apps/zür\U0001f40e.yaml", "a: ü\n", "a: \U0001f40e\n"),
    "quotes-in-the-name": ('apps/"q"\tt.yaml', "a: 1\n", "a: 2\n"),
}


def edit_of(path: str, before: str, after: str) -> Edit:
    blobs = git_blob_id(before.encode()), git_blob_id(after.encode())
    return Edit(path, *blobs, unified(path, before, after))


def applied(folder: Path, files: dict[str, str], patch: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    for check in (["--check"], []):
        done = subprocess.run(["git", "apply", *check], cwd=folder, input=patch.encode(), capture_output=True)
        assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_git_applies_the_patch_and_writes_the_same_bytes(case: str, tmp_path: Path) -> None:
    path, before, after = CASES[case]
    applied(tmp_path, {path: before}, patch_text([edit_of(path, before, after)]))
    assert (tmp_path / path).read_bytes() == after.encode()


def test_one_patch_holds_several_files(tmp_path: Path) -> None:
    files = {f"{number}/{path}": (before, after) for number, (path, before, after) in enumerate(CASES.values())}
    patch = patch_text([edit_of(path, *texts) for path, texts in files.items()])
    applied(tmp_path, {path: before for path, (before, _) in files.items()}, patch)
    assert {path: (tmp_path / path).read_bytes() for path in files} == {
        path: after.encode() for path, (_, after) in files.items()
    }


def test_git_refuses_the_patch_where_the_edited_lines_moved_on(tmp_path: Path) -> None:
    path, before, after = CASES["plain"]
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "apps").mkdir()
    (tmp_path / path).write_text(before.replace("line 7\n", "line 7b\n"))
    patch = patch_text([edit_of(path, before, after)]).encode()
    done = subprocess.run(["git", "apply", "--check"], cwd=tmp_path, input=patch, capture_output=True)
    assert done.returncode != 0
