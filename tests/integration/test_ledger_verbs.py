"""``rampdeck ledger list|show|verify|export`` on a real ledger file."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.gitops.mirror import Mirror
from console.output import Output
from console.store.ledger import SqlLedger
from console.store.reader import LedgerReader
from console.store.spill import Spill
from console.verbs import record
from stages.entries import Draft, Entry
from stages.refusal import Trouble
from stages.staleness import LEDGER_TRAILER

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"

    def decide(_state: int, text: str, _now: datetime) -> Sequence[Draft]:
        return [Draft("note", "L1", None, "ops\x1b[2J", {"text": text})]

    def count(state: int, _entry: Entry) -> int:
        return state + 1

    with closing(SqlLedger(f"sqlite:///{path}", fold=count, initial=0, decide=decide)) as ledger:
        ledger.begin(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=NOW)
        for number in range(4):
            ledger.transact(f"[bold]note[/] {number}, €", now=NOW + timedelta(minutes=number))
    return path


class Opener:
    """The wiring as the verbs see it: a configured ledger and the ones named on the command line."""

    def __init__(self, configured: Path) -> None:
        self.configured = f"sqlite:///{configured}"
        self.spill = Spill(configured.with_name("ledger.db.spill"))
        self._remote = configured.with_name("remote.git")

    @property
    def repository(self) -> Mirror:
        """A repository is configured where a test has made its remote."""
        if not self._remote.exists() and not self._remote.with_name("cache").exists():
            raise Trouble("the configuration names no repository")
        return Mirror(str(self._remote), "main", self._remote.with_name("cache"))

    def ledger_reader(self, url: str | None = None) -> LedgerReader:
        return LedgerReader(url or self.configured)


def rampdeck(*words: str, url: Path) -> tuple[int, str]:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true")
    parser = argparse.ArgumentParser()
    record.add_parsers(parser.add_subparsers(required=True), shared)
    arguments = parser.parse_args(words)
    stream = io.StringIO()
    code = arguments.run(arguments, Opener(url), Output(json=arguments.json, stream=stream))
    return code, stream.getvalue()


def as_json(*words: str, url: Path) -> Any:
    code, out = rampdeck(*words, url=url)
    assert code == 0
    return json.loads(out)


def test_list_shows_the_newest_entries_oldest_first(path: Path) -> None:
    code, out = rampdeck("ledger", "list", "--limit", "2", url=path)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["4", "5"]
    assert "text=[bold]note[/] 3, €" in lines[1]


def test_no_control_character_of_an_entry_reaches_the_terminal(path: Path) -> None:
    _, out = rampdeck("ledger", "list", url=path)
    assert "\x1b" not in out
    assert "ops?[2J" in out


def test_list_as_one_document(path: Path) -> None:
    entries = as_json("ledger", "list", "--json", url=path)["entries"]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[1]["prev"] == entries[0]["hash"]


def test_list_filters(path: Path) -> None:
    assert [e["seq"] for e in as_json("ledger", "list", "--json", "--kind", "genesis", url=path)["entries"]] == [1]
    since = as_json("ledger", "list", "--json", "--since", "2026-11-23T14:32", "--stage", "L1", url=path)["entries"]
    assert [entry["seq"] for entry in since] == [4, 5]
    code, out = rampdeck("ledger", "list", "--actor", "nobody", url=path)
    assert (code, out) == (0, "no entry passes the filter\n")


def test_an_export_takes_the_same_selection_as_a_list(path: Path) -> None:
    chosen = (
        "--since",
        "2026-11-23T14:31",
        "--until",
        "2026-11-23T14:33",
        "--text",
        "NOTE[/]",
        "--actor",
        "ops\x1b[2J",
    )
    listed = [entry["seq"] for entry in as_json("ledger", "list", "--json", *chosen, url=path)["entries"]]
    _, lines = rampdeck("ledger", "export", *chosen, url=path)
    assert [json.loads(line)["seq"] for line in lines.splitlines()] == listed == [3, 4]
    document = as_json("ledger", "export", "--json", *chosen, url=path)
    assert [entry["seq"] for entry in document["entries"]] == listed
    _, table = rampdeck("ledger", "export", "--format", "csv", "--text", "100%_", url=path)
    assert table.splitlines() == ["seq,ts,kind,actor,stage,epoch,intent,body,prev,hash"]


def test_show_prints_one_entry_whole(path: Path) -> None:
    shown = as_json("ledger", "show", "1", url=path)
    assert (shown["kind"], shown["body"], len(shown["hash"])) == ("genesis", {"fingerprint": "torghut"}, 64)
    with pytest.raises(Trouble, match="no entry 99"):
        rampdeck("ledger", "show", "99", url=path)


def test_verify_says_yes_and_what_nobody_vouches_for(path: Path) -> None:
    code, out = rampdeck("ledger", "verify", url=path)
    assert code == 0
    assert out.startswith("verified: 5 entries, head 5 ")
    assert "no anchor outside" in out
    head = as_json("ledger", "verify", "--json", url=path)["head"]
    code, out = rampdeck("ledger", "verify", "--anchor", f"c0ffee:5:{head['hash']}", url=path)
    assert (code, out.splitlines()[1]) == (0, "commit c0ffee vouches up to entry 5")


def test_verify_says_no_and_where(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entry SET entry = replace(entry, 'note[/] 1', 'note[/] 7')")
        connection.commit()
    code, out = rampdeck("ledger", "verify", "--json", url=path)
    assert code == 1
    document = json.loads(out)
    assert (document["ok"], [each["seq"] for each in document["problems"]]) == (False, [3])
    assert "entry 3 was altered" in rampdeck("ledger", "verify", url=path)[1]


def vouched(path: Path) -> str:
    """A remote with a commit that vouches for the ledger's head, and ordinary work above it; the commit."""
    remote = path.with_name("remote.git")
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", remote], check=True)
    head = as_json("ledger", "verify", "--json", url=path)["head"]
    mirror = Mirror(str(remote), "main", path.with_name("seed"))
    tree = subprocess.run(
        ["git", "-C", remote, "mktree"], input="", capture_output=True, text=True, check=True
    ).stdout.strip()
    identity = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    base = subprocess.run(
        ["git", "-C", remote, "commit-tree", tree, "-m", "begin"],
        env={**os.environ, **identity}, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    subprocess.run(["git", "-C", remote, "update-ref", "refs/heads/main", base], check=True)
    said = mirror.commit(mirror.fetch(), {"a": b"1\n"}, "Advance", [(LEDGER_TRAILER, f"6f1c9a52 5 {head['hash']}")])
    above = mirror.commit(said, {"a": b"2\n"}, "Rename", [(LEDGER_TRAILER, f"another 9 {'e' * 64}")])
    assert mirror.push(mirror.commit(above, {"a": b"3\n"}, "Image", []), base).outcome == "pushed"
    return said


def test_verify_finds_what_the_branch_vouches_for_by_itself(path: Path) -> None:
    commit = vouched(path)
    code, out = rampdeck("ledger", "verify", url=path)
    assert (code, out.splitlines()[1:]) == (0, [f"commit {commit} vouches up to entry 5"])


def test_a_dropped_tail_is_found_whatever_was_committed_after_it(path: Path) -> None:
    commit = vouched(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM entry WHERE seq = 5")
        connection.execute("UPDATE head SET seq = 4, hash = (SELECT hash FROM entry WHERE seq = 4)")
        connection.commit()
    code, out = rampdeck("ledger", "verify", url=path)
    assert (code, out.splitlines()[1:2]) == (1, [f"  entry 5 is missing: commit {commit} vouches for it"])


def test_verify_without_the_remote_uses_what_was_fetched_and_says_so(path: Path) -> None:
    commit = vouched(path)
    rampdeck("ledger", "verify", url=path)
    path.with_name("remote.git").rename(path.with_name("away.git"))
    code, out = rampdeck("ledger", "verify", url=path)
    assert (code, out.splitlines()[1]) == (0, f"commit {commit} vouches up to entry 5")
    assert "! Git was last asked by somebody earlier: " in out
    assert "cannot be read" in as_json("ledger", "verify", "--json", url=path)["git"]


def test_export_is_the_canonical_text_and_the_same_as_a_table(path: Path) -> None:
    _, lines = rampdeck("ledger", "export", url=path)
    _, table = rampdeck("ledger", "export", "--format", "csv", url=path)
    assert as_json("ledger", "export", "--json", url=path)["entries"] == [
        json.loads(line) for line in lines.splitlines()
    ]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [json.loads(line)["seq"] for line in lines.splitlines()] == [1, 2, 3, 4, 5]
    assert [row["hash"] for row in rows][:-1] == [json.loads(line)["prev"] for line in lines.splitlines()][1:]
    assert json.loads(rows[4]["body"]) == {"text": "[bold]note[/] 3, €"}


@pytest.mark.parametrize("verb", [("list",), ("show", "1"), ("verify",), ("export",)])
def test_a_missing_ledger_is_one_line_and_stays_missing(tmp_path: Path, verb: tuple[str, ...]) -> None:
    missing = tmp_path / "nowhere" / "ledger.db"
    with pytest.raises(Trouble) as away:
        rampdeck("ledger", *verb, url=missing)
    assert away.value.line == f"{missing}: the ledger does not exist; check the path or the URL"
    assert not missing.parent.exists()


def test_the_named_ledger_wins_over_the_configured_one(path: Path, tmp_path: Path) -> None:
    code, _ = rampdeck("ledger", "verify", "--ledger", f"sqlite:///{path}", url=tmp_path / "other.db")
    assert code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--kind", "nokind"),
        ("list", "--limit", "0"),
        ("list", "--since", "yesterday"),
        ("show", "-1"),
        ("show",),
    ],
)
def test_bad_arguments_exit_with_two(path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        rampdeck("ledger", *words, url=path)
    assert left.value.code == 2


def test_the_ledger_needs_no_terminal_cluster_or_repository(root: Path) -> None:
    program = (
        "import sys, console.verbs.record, console.store.ledger, console.store.spill, console.store.observations\n"
        "print(sorted({'textual', 'rich', 'kubernetes', 'git', 'requests', 'pydantic'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_verify_tells_of_decisions_that_are_not_in_the_ledger_yet(path: Path) -> None:
    assert as_json("ledger", "verify", "--json", url=path)["unmerged"] == ""
    kill = Draft("intent", "L0", "i1", "ops", {"act": "reduce", "mode": "KILLED"})
    spill = Spill(path.with_name("ledger.db.spill"))
    spill.append([kill], at=NOW, cause="the ledger is locked")
    code, out = rampdeck("ledger", "verify", url=path)
    assert code == 0
    assert f"! 1 decision not in the ledger yet, kept in {spill.path} since 2026-" in out
    assert "the ledger is locked" in as_json("ledger", "verify", "--json", url=path)["unmerged"]
    named = rampdeck("ledger", "verify", "--ledger", f"sqlite:///{path}", url=path)
    assert "not in the ledger yet" not in named[1]
