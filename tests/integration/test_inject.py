"""``rampdeck inject``: a fault strikes at the demo's live venue, and the ledger tells of it; nowhere but in a demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from console.demo.faults import known_faults
from console.demo.household import Household, first_commit, write_configurations
from console.demo.injection import Injector
from console.demo.world import Settings, World
from console.watch.chronicle import Chronicle
from console.wiring import Wiring
from stages.refusal import Trouble
from tests.pty.places import entries, of_kind, verb


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A demo's folder whose world is up and whose policy is adopted; nobody has opened a console."""
    home = Household(tmp_path_factory.mktemp("demo"))
    with World(home.folder, first_commit(home), Settings(speed=20, sync_delay=0.2)) as world:
        write_configurations(
            home,
            remote=world.remote_url,
            endpoints={"heron": world.live.app_url, "heron-paper": world.paper.app_url},
            broker=world.live.broker_url,
            anchor=datetime.now(UTC),
            speed=20,
        )
        world.ready(30)
        assert verb("policy", "adopt", "--config", str(home.config)).returncode == 0
        yield home


def account(house: Household) -> str:
    url = json.loads(house.config.read_text())["venue"]["url"]
    return str(requests.get(url + "/account", timeout=60).json()["label"])


def test_a_fault_strikes_and_stands_on_the_strip_until_calm(house: Household) -> None:
    done = verb("inject", "wrong-account", "--dir", str(house.folder))
    assert (done.returncode, done.stdout) == (0, "wrong-account: the account is HERON-LIVE-01-B\n")
    assert account(house) == "HERON-LIVE-01-B"
    again = verb("inject", "calm", "--config", str(house.config), "--json")
    assert json.loads(again.stdout)["happened"] == "trading resumed, nothing is wrong any more"
    assert account(house) == "HERON-LIVE-01"
    assert [note["actor"] for note in of_kind(entries(house.folder), "note")][-1] != "demo", "a person did it"
    wiring = Wiring.of(house.config)
    try:
        chronicle = Chronicle()
        chronicle.read(wiring.ledger)
        newest, before, *_ = chronicle.lines()
    finally:
        wiring.close()
    assert newest.endswith("note inject calm: trading resumed, nothing is wrong any more")
    assert before.endswith("note inject wrong-account: the account is HERON-LIVE-01-B")


def test_without_a_name_it_lists_every_fault(tmp_path: Path) -> None:
    done = verb("inject", "--json", "--dir", str(tmp_path))
    listed = [fault["name"] for fault in json.loads(done.stdout)["faults"]]
    assert (done.returncode, set(listed), listed[-1]) == (0, set(known_faults()), "calm")
    lines = verb("inject").stdout.splitlines()
    assert [line.split()[0] for line in lines] == listed


def test_an_unknown_fault_a_live_target_and_a_reader_are_refused(house: Household, tmp_path: Path) -> None:
    unknown = verb("inject", "meteor", "--dir", str(house.folder))
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "there is no fault 'meteor'; use one of broker-rejects, " in unknown.stderr
    reader = verb("--read-only", "inject", "calm", "--dir", str(house.folder))
    assert (reader.returncode, "read-only" in reader.stderr) == (2, True)
    settings = json.loads(house.config.read_text()) | {"environment": {"name": "PRODUCTION"}}
    other = tmp_path / "rampdeck.yaml"
    other.write_text(json.dumps(settings))
    live = verb("inject", "wrong-account", "--config", str(other))
    assert (live.returncode, "faults are for a demo alone" in live.stderr) == (2, True)
    assert account(house) == "HERON-LIVE-01"


def test_a_fault_that_struck_is_told_though_the_ledger_is_away() -> None:
    def away(_command: object) -> None:
        raise Trouble("the ledger is away")

    told = Injector(lambda name: f"{name} struck", away, "demo").inject("gap")
    assert told == "gap struck (not noted: the ledger is away)"
