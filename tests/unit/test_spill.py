"""The spill: kept on disk while the ledger is away, merged once, torn lines counted and kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.store.spill import Spill
from stages.entries import EVERY, Draft, Entry, EntryFilter, LedgerAway, genesis, write
from stages.refusal import Trouble
from stages.value import replace

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


class ListLedger:
    """A ledger in a list; ``away`` makes it unreachable, ``dies`` makes the caller die right after the commit."""

    def __init__(self) -> None:
        self.log = [genesis(ledger="6f1c", actor="ops", fingerprint="torghut", now=NOW)]
        self.away = self.dies = False

    def join(
        self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime, deadline: float | None = None
    ) -> tuple[Entry, ...]:
        if self.away:
            raise LedgerAway("the ledger is locked by another process")
        start = len(self.log)
        for draft in build(self.log[-1]):
            self.log.append(write(draft, ledger="6f1c", previous=self.log[-1], now=now))
        if self.dies:
            raise KeyboardInterrupt
        return tuple(self.log[start:])

    def newest(self, only: EntryFilter = EVERY, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        found = [entry for entry in reversed(self.log) if entry.kind == only.kind]
        return [entry for entry in found if only.intent in (None, entry.intent)][:limit]


@pytest.fixture
def spill(tmp_path: Path) -> Spill:
    return Spill(tmp_path / "state" / "spill.jsonl")


def intent(name: str) -> Draft:
    return Draft("intent", "L1", name, "ops", {"act": "reduce", "mode": "KILLED", "authenticated": False}, epoch=7)


def note() -> Draft:
    return Draft("note", None, "kill-1", "ops", {"text": "Git pending", "subject": "git"})


def test_nothing_waits_in_a_new_spill(spill: Spill) -> None:
    assert not spill.waiting()
    assert spill.merge(ListLedger(), actor="watch", now=LATER) == ()


def test_an_act_that_two_spilled_or_that_the_ledger_knows_begins_once(spill: Spill) -> None:
    ledger = ListLedger()
    ledger.join(lambda _newest: [intent("kill-1")], now=NOW)
    for name in ("kill-1", "kill-2", "kill-2"):
        spill.append([intent(name)], at=NOW, cause="locked by another process")
    gap, *joined = spill.merge(ledger, actor="watch@ops-1", now=LATER)
    assert (gap.body["records"], [entry.intent for entry in joined]) == (1, ["kill-2"])
    assert not spill.waiting()


def test_spilled_drafts_follow_a_gap_entry(spill: Spill) -> None:
    ledger = ListLedger()
    spill.append([intent("kill-1")], at=NOW, cause="locked by another process")
    spill.append([intent("kill-2")], at=NOW + timedelta(seconds=1), cause="locked by another process")
    assert spill.waiting()
    gap, first, second = spill.merge(ledger, actor="watch@ops-1", now=LATER)
    assert (gap.kind, gap.actor, gap.body["records"], gap.body["torn"]) == ("gap", "watch@ops-1", 2, 0)
    assert (gap.body["from"], gap.body["to"]) == ("2026-11-23T14:30:00.000000Z", "2026-11-23T14:30:01.000000Z")
    assert gap.body["cause"] == "locked by another process"
    assert (first.intent, first.epoch, first.stage, first.actor) == ("kill-1", 7, "L1", "ops")
    assert first.body == {**intent("kill-1").body, "spilledAt": "2026-11-23T14:30:00.000000Z"}
    assert second.intent == "kill-2"
    assert not spill.waiting()
    assert spill.merge(ledger, actor="watch", now=LATER) == ()


def test_what_a_spilled_decision_raised_is_raised_above_what_was_decided_meanwhile(spill: Spill) -> None:
    """Who spills may know no epoch at all, and then gives a kill the key of one that was restored long ago."""
    ledger, key = ListLedger(), "manual-kill/killed by hand/1"
    ledger.log.append(write(replace(note(), epoch=5), ledger="6f1c", previous=ledger.log[-1], now=NOW))
    latch = {"key": key, "trigger": "manual-kill", "cause": "killed by hand", "incident": key}
    kill = Draft("intent", "L0", "k", "ops", {"act": "reduce", "latches": [key, "loss/day/5"]}, epoch=1)
    spill.append([Draft("latch-opened", "L0", None, "ops", latch, epoch=1), kill], at=NOW, cause="away")
    spill.append([note()], at=NOW, cause="away")
    spill.append([replace(kill, intent="again", body={"act": "reduce"})], at=NOW, cause="away")
    spill.append([note()], at=NOW, cause="away")
    gap, opened, *rest = spill.merge(ledger, actor="watch", now=LATER)
    assert [entry.epoch for entry in (gap, opened, *rest)] == [5, 6, 6, 6, 7, 7]
    assert opened.body["key"] == opened.body["incident"] == "manual-kill/killed by hand/6"
    assert rest[0].body["latches"] == ["loss/day/5", "manual-kill/killed by hand/6"]


def test_a_torn_last_line_is_counted_kept_and_hurts_nothing(spill: Spill) -> None:
    spill.append([intent("kill-1")], at=NOW, cause="disk full")
    with spill.path.open("ab") as file:
        file.write(b'{"at":"2026-11-23T14:31')
    spill.append([intent("kill-2")], at=LATER, cause="disk full")
    content = spill.read()
    assert ([record.drafts[0].intent for record in content.records], content.torn) == (["kill-1", "kill-2"], 1)
    gap = spill.merge(ListLedger(), actor="watch", now=LATER)[0]
    assert (gap.body["records"], gap.body["torn"]) == (2, 1)
    kept = spill.path.with_name(f"spill.jsonl.torn-{gap.body['spill'][:12]}")
    assert b'{"at":"2026-11-23T14:31\n' in kept.read_bytes()


@pytest.mark.parametrize("junk", [b"\xff\xfe\n", b"[]\n", b'{"drafts":[{"kind":"x"}],"at":"","cause":""}\n', b"\n\n"])
def test_junk_lines_do_not_hide_records(spill: Spill, junk: bytes) -> None:
    spill.append([intent("kill-1")], at=NOW, cause="away")
    with spill.path.open("ab") as file:
        file.write(junk)
    assert len(spill.read().records) == 1
    assert spill.read().torn == (1 if junk.strip() else 0)


def test_every_cut_of_the_last_line_leaves_the_records_before_it(spill: Spill) -> None:
    spill.append([intent("kill-1")], at=NOW, cause="away")
    whole = spill.path.stat().st_size
    spill.append([intent("kill-2")], at=LATER, cause="away")
    data = spill.path.read_bytes()
    for end in range(whole, len(data)):
        spill.path.write_bytes(data[:end])
        intents = [record.drafts[0].intent for record in spill.read().records]
        assert intents == (["kill-1", "kill-2"] if end == len(data) - 1 else ["kill-1"])


def test_a_ledger_that_stays_away_leaves_the_spill_in_place(spill: Spill) -> None:
    ledger = ListLedger()
    ledger.away = True
    spill.append([intent("kill-1")], at=NOW, cause="away")
    with pytest.raises(LedgerAway):
        spill.merge(ledger, actor="watch", now=LATER)
    assert spill.waiting()
    spill.append([intent("kill-2")], at=LATER, cause="away")
    ledger.away = False
    kinds = [(entry.kind, entry.intent) for entry in spill.merge(ledger, actor="watch", now=LATER)]
    assert kinds == [("gap", None), ("intent", "kill-1"), ("gap", None), ("intent", "kill-2")]


def test_a_merge_that_died_after_its_commit_is_not_repeated(spill: Spill) -> None:
    ledger = ListLedger()
    ledger.dies = True
    spill.append([intent("kill-1")], at=NOW, cause="away")
    with pytest.raises(KeyboardInterrupt):
        spill.merge(ledger, actor="watch", now=LATER)
    ledger.dies = False
    assert spill.merge(ledger, actor="watch", now=LATER) == ()
    assert [entry.kind for entry in ledger.log] == ["genesis", "gap", "intent"]
    assert not spill.waiting()


def test_appends_beside_merges_lose_nothing(spill: Spill) -> None:
    ledger = ListLedger()
    with ThreadPoolExecutor(5) as pool:
        writes = [pool.submit(spill.append, [intent(f"i-{n}")], at=NOW, cause="away") for n in range(40)]
        for _ in range(10):
            spill.merge(ledger, actor="watch", now=LATER)
        for each in writes:
            each.result(10)
    spill.merge(ledger, actor="watch", now=LATER)
    assert sorted(str(e.intent) for e in ledger.log if e.kind == "intent") == sorted(f"i-{n}" for n in range(40))


def test_a_merge_that_claims_the_file_while_it_is_looked_at_costs_no_decision(
    spill: Spill, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill.append([intent("i-1")], at=NOW, cause="away")
    look = Path.stat
    claimed: list[Path] = []

    def claims(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = look(path, follow_symlinks=follow_symlinks)
        if path == spill.path and not claimed:
            claimed.append(path.rename(path.with_name(path.name + ".merging")))
        return found

    monkeypatch.setattr(Path, "stat", claims)
    spill.append([intent("i-2")], at=NOW, cause="away")
    assert claimed
    assert spill.waiting()
    assert [one.drafts[0].intent for one in spill.everything().records] == ["i-1", "i-2"]


def test_a_spill_that_cannot_be_written_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(Trouble, match=r"spill\.jsonl: the spill file cannot be written"):
        Spill(tmp_path / "state" / "spill.jsonl").append([intent("kill-1")], at=NOW, cause="away")
