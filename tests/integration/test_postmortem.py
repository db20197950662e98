"""An incident's postmortem from a real ledger and real ticks: a breach that a watch found, an act, a person's words."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from console.__main__ import main
from console.ports import Observations
from console.procedures.postmortem import Sources, tell, write_down
from stages.commands import BeginReduce, GiveReason, Note, Record, RecordOutcome, RecordSettled, ResolveIncident
from stages.entries import EntryFilter
from stages.posture import Mode
from stages.refusal import Trouble
from stages.signals import Quality
from tests.integration.actuation import World as Place
from tests.integration.watching import Console, HandClock, World, begun, console, demo_policy


def tick(one: Console, clock: HandClock, seconds: int) -> None:
    for _ in range(seconds):
        one.watch.tick()
        clock.move(1)


@pytest.fixture
def breached(tmp_path: Path, root: Path, clock: HandClock) -> Console:
    """A watch that has seen a near miss and a breach, was blind for ten seconds, and whose step down has settled."""
    world = World(demo_policy(root), clock)
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    tick(one, clock, 10)
    world.values["gross"] = "4900"
    tick(one, clock, 4)
    world.values.clear()
    tick(one, clock, 6)
    world.values["gross"] = "5300"
    tick(one, clock, 8)
    market = clock.market(clock.wall())
    act = BeginReduce("watch@a", "a" * 32, "L1", "L0", Mode.REDUCE_ONLY, market, "gross | <limit>", automatic=True)
    for command in (act, RecordOutcome("watch@a", "a" * 32, "pushed", "b" * 40)):
        one.ledger.transact(command, now=clock.wall())
    world.quality["gross"] = Quality.PROVIDER_ERROR
    tick(one, clock, 10)
    world.quality.clear()
    world.values["gross"], world.stage = "900", 0
    one.ledger.transact(RecordSettled("watch@a", "a" * 32, True, "b" * 40), now=clock.wall())
    tick(one, clock, 5)
    return one


def incident_of(one: Console) -> str:
    (latch,) = [entry for entry in one.ledger.newest(EntryFilter(kind="latch-opened")) if "gross" in str(entry.body)]
    return str(latch.body["incident"])


def sources(one: Console) -> Sources:
    return Sources(one.ledger, lambda: one.observations)


def test_the_page_tells_who_did_what_when_and_what_was_not_known(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    folder, files = write_down(
        sources(breached), demo_policy(root), incident_of(breached), tmp_path / "out", by="alice", now=clock.wall()
    )
    assert files[0] == "postmortem.md"
    assert "gross.svg" in files
    page = (folder / "postmortem.md").read_text()
    assert "reduce L1 to L0, REDUCE_ONLY, by itself: gross \\| &lt;limit&gt;" in page
    assert "pushed; converged after 10.0 s" in page
    assert "**REDUCE\\_ONLY**" in page or "**REDUCE_ONLY**" in page
    assert "not cleared" in page
    assert "gross: not known from 10:00:28 to 10:00:37" in page
    assert "- 10:00:10 gross: 98 % of its limit, and came back" in page
    assert f"the last one's hash is {tell(breached.ledger, incident_of(breached)).entries[-1].hash}" in page
    assert "<limit>" not in page
    plot = ET.fromstring((folder / "gross.svg").read_text())
    assert plot.findall("{*}line[@class='limit']")
    assert plot.findall("{*}line[@class='mark']")
    assert plot.findall("{*}rect[@class='unknown']")


def test_the_same_ledger_gives_the_same_bytes(breached: Console, clock: HandClock, root: Path, tmp_path: Path) -> None:
    made = [
        write_down(
            sources(breached), demo_policy(root), incident_of(breached), tmp_path / name, by="a", now=clock.wall()
        )
        for name in ("one", "two")
    ]
    first, second = ({file: (folder / file).read_bytes() for file in files} for folder, files in made)
    assert first == second


def test_a_folder_that_exists_is_left_alone_until_told(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    place, policy, incident = tmp_path / "out", demo_policy(root), incident_of(breached)
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(Trouble, match="exists already"):
        write_down(sources(breached), policy, incident, place, by="alice", now=clock.wall())
    assert [file.name for file in place.iterdir()] == ["mine.txt"]
    write_down(sources(breached), policy, incident, place, by="alice", now=clock.wall(), anew=True)
    assert "mine.txt" not in [file.name for file in place.iterdir()]
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".out")] == []


def test_what_cannot_be_written_leaves_nothing_behind(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "x"
    with pytest.raises(Trouble, match="cannot be written"):
        write_down(sources(breached), demo_policy(root), incident_of(breached), place, by="a", now=clock.wall())
    with pytest.raises(Trouble, match="no incident 'INC-9'"):
        write_down(sources(breached), demo_policy(root), "INC-9", tmp_path / "x", by="a", now=clock.wall())
    assert not (tmp_path / "x").exists()


def test_without_its_observations_the_page_is_written_and_says_so(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    def away() -> Observations:
        raise Trouble("the observation store cannot be read")

    folder, files = write_down(
        Sources(breached.ledger, away),
        demo_policy(root), incident_of(breached), tmp_path / "out", by="alice", now=clock.wall(),
    )  # fmt: skip
    assert files == ("postmortem.md", "entries.jsonl")
    assert "the signals could not be read: the observation store cannot be read" in (folder / files[0]).read_text()


def test_what_nobody_could_verify_and_what_is_owed_stand_on_the_page(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    ledger, incident = breached.ledger, incident_of(breached)
    market = clock.market(clock.wall())
    begin = BeginReduce("carol", "c" * 32, "L0", "L0", Mode.KILLED, market, "killed by carol")
    doubt = Record("carol", "note", {"text": "venue cancel: UNVERIFIED, asked", "subject": "venue"}, intent="c" * 32)
    for command in (begin, doubt, RecordOutcome("carol", "c" * 32, "unknown")):
        ledger.transact(command, now=clock.wall())
    clock.move(60)
    ledger.transact(Note("carol", "later"), now=clock.wall())
    story = tell(ledger, incident)
    assert [act.owes for act in story.acts] == [False, True]
    folder, _ = write_down(sources(breached), demo_policy(root), incident, tmp_path / "out", by="a", now=clock.wall())
    page = (folder / "postmortem.md").read_text()
    assert "**owed**" in page
    assert "**unknown**" in page
    assert "note: venue cancel: UNVERIFIED, asked" in page
    ledger.transact(GiveReason("carol", "c" * 32, "stale prices"), now=clock.wall() + timedelta(minutes=1))
    assert [act.reason for act in tell(ledger, incident).acts][-1] == "stale prices"


def test_a_declared_incident_is_exported_by_its_number_from_the_command_line(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place.make(tmp_path)
    settings = {
        "repository": {"remote": place.remote.as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "identity": {"name": "alice", "key": str(place.key("alice"))},
        "cache": str(tmp_path / "cache"),
        "state": str(tmp_path / "state"),
    }
    config = tmp_path / "alice.yaml"
    config.write_text(json.dumps(settings))
    monkeypatch.chdir(tmp_path)
    assert main(["incident", "declare", "SEV2", "prices", "are", "late", "--config", str(config)]) == 0
    place.command(ResolveIncident("alice", "INC-1", "the feed was restarted"))
    capsys.readouterr()
    assert main(["incident", "export", "INC-1", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["postmortem.md", "entries.jsonl"]
    page = (tmp_path / "INC-1" / "postmortem.md").read_text()
    assert page.startswith("# INC-1: prices are late\n")
    assert "severity: SEV2" in page
    assert "no reading of its signals is kept any more" in page
    assert main(["incident", "export", "INC-1", "--config", str(config)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["incident", "export", "INC-1", "--force", "--config", str(config)]) == 0


def test_the_entries_beside_the_page_form_a_chain_whose_hashes_the_page_names(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    incident = incident_of(breached)
    folder, _ = write_down(sources(breached), demo_policy(root), incident, tmp_path / "o", by="a", now=clock.wall())
    lines = (folder / "entries.jsonl").read_bytes().splitlines()
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    assert [json.loads(line)["prev"] for line in lines[1:]] == hashes[:-1]
    page = (folder / "postmortem.md").read_text()
    assert hashes[-1] in page
    assert all(f"| {entry.seq} | {entry.hash[:12]} |" in page for entry in tell(breached.ledger, incident).entries)


def test_credentials_are_left_out_of_the_page_and_hashes_stay(
    breached: Console, clock: HandClock, root: Path, tmp_path: Path
) -> None:
    incident = incident_of(breached)
    note = Record("carol", "note", {"text": "curl -H 'Authorization: Bearer abc.def' API_KEY=hunter2", "subject": "x"})
    breached.ledger.transact(note, now=clock.wall())
    breached.ledger.transact(ResolveIncident("alice", incident, "over"), now=clock.wall())
    folder, _ = write_down(sources(breached), demo_policy(root), incident, tmp_path / "o", by="a", now=clock.wall())
    page = (folder / "postmortem.md").read_text()
    assert "hunter2" not in page
    assert "abc.def" not in page
