"""The demo's GitOps loop on a real bare repository and a real venue: what is on the branch is what runs, later."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from console.demo.application import Account
from console.demo.floor import Pace
from console.demo.gitops_loop import GitOpsLoop, LoopConfig, NotSynced
from console.demo.sample_repository import create_remote, sample_files
from console.demo.venue import VenueConfig, run
from stages.value import replace

SCHEDULER = "apps/heron/scheduler.yaml"
CATALOG = "apps/heron/catalog.yaml"


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        pause.wait(0.02)


@dataclass
class Stand:
    """A remote, a checkout of it, and a venue with its loop not yet running."""

    remote: Path
    checkout: Path
    app: str
    config: LoopConfig

    def commit(self, path: str, old: str, new: str) -> str:
        """Replace text in a file, push it, and return the new head."""
        file = self.checkout / path
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new))
        author = ["-c", "user.name=Ann", "-c", "user.email=ann@heron.example"]
        self._git(*author, "commit", "--quiet", "--all", "--message", "change")
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD")

    def running(self) -> dict[str, Any]:
        """The ramp part of the status page; empty while the process is dark."""
        answer = requests.get(self.app + "/trading/status", timeout=60)
        return answer.json()["ramp"] if answer.status_code == 200 else {}

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.checkout, capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """The venue trades at 50 trading seconds per second and restarts in a second; the loop polls ten times a second."""
    remote, checkout, ports = tmp_path / "remote.git", tmp_path / "checkout", tmp_path / "ports.json"
    create_remote(remote, sample_files())
    subprocess.run(["git", "clone", "--quiet", str(remote), str(checkout)], check=True)
    stop = threading.Event()
    venue = VenueConfig(Account("A", "live", Decimal(100_000)), 1, 50.0, Pace(restart_seconds=1.0), {}, ports)
    thread = threading.Thread(target=run, args=(venue, stop))
    thread.start()
    until(ports.exists)
    address = {face: f"http://127.0.0.1:{port}" for face, port in json.loads(ports.read_text()).items()}
    config = LoopConfig(remote, "main", "apps/heron", address["control"], delay=0.4, poll=0.1)
    yield Stand(remote, checkout, address["app"], config)
    stop.set()
    thread.join(60)


@pytest.fixture
def looping(stand: Stand) -> Iterator[Stand]:
    """The same with the loop running and the first revision applied."""
    stop = threading.Event()
    thread = threading.Thread(target=GitOpsLoop(stand.config).run, args=(stop,))
    thread.start()
    until(stand.running)
    yield stand
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_the_sample_stands_at_the_lowest_stage(looping: Stand) -> None:
    assert looping.running()["controls"] == {
        "maxOrderNotional": "500",
        "maxGrossExposure": "5000",
        "maxNetExposure": "2500",
        "symbolConcentration": "2000",
        "participationCap": "0.01",
        "dailyLossLimit": "150",
        "universe": ["NVDA", "AMD", "MU"],
        "tradingMode": "paper",
        "submitEnabled": "false",
        "reduceOnly": "false",
        "killSwitch": "false",
    }


def test_scheduler_and_api_mirror_each_other_but_for_their_role() -> None:
    def env(path: str, kind: str) -> dict[str, str]:
        documents = yaml_documents(sample_files()[path])
        spec = next(d for d in documents if d["kind"] == kind)["spec"]["template"]["spec"]
        return {item["name"]: item.get("value", item.get("valueFrom")) for item in spec["containers"][0]["env"]}

    scheduler, api = env(SCHEDULER, "Deployment"), env("apps/heron/api.yaml", "Service")
    assert list(scheduler) == list(api)
    assert {name for name in scheduler if scheduler[name] != api[name]} == {"HERON_PROCESS_ROLE", "TRADING_ENABLED"}


def test_a_change_of_the_environment_arrives_after_the_delay_and_with_a_restart(looping: Stand) -> None:
    started = looping.running()["started_at"]
    began = time.monotonic()
    head = looping.commit(
        SCHEDULER, "- name: TRADING_MODE\n              value: paper", "- name: TRADING_MODE\n              value: live"
    )
    until(lambda: looping.running() == {})
    assert time.monotonic() - began >= looping.config.delay
    until(looping.running)
    after = looping.running()
    assert after["revision"] == head
    assert after["controls"]["tradingMode"] == "live"
    assert after["started_at"] > started


def test_a_change_of_the_catalog_alone_is_hot(looping: Stand) -> None:
    started = looping.running()["started_at"]
    dark = []

    def applied(head: str) -> bool:
        running = looping.running()
        dark.append(running == {})
        return running.get("revision") == head

    head = looping.commit(CATALOG, "universe_symbols: [NVDA, AMD, MU]", "universe_symbols: [NVDA, MU]")
    until(lambda: applied(head))
    after = looping.running()
    assert after["controls"]["universe"] == ["NVDA", "MU"]
    assert after["started_at"] == started
    assert not any(dark)


def test_manifests_that_cannot_run_are_not_applied_and_the_next_good_ones_are(looping: Stand) -> None:
    before = looping.running()["revision"]
    broken = looping.commit(SCHEDULER, 'value: "5000"', 'value: "5000')
    refused = GitOpsLoop(looping.config)
    with pytest.raises(NotSynced, match=r"scheduler\.yaml"):
        refused.sync(broken)
    assert refused.pending() is None, "a revision that was refused is not offered again"
    assert looping.running()["revision"] == before
    mended = looping.commit(SCHEDULER, 'value: "5000', 'value: "4000"')
    until(lambda: looping.running().get("revision") == mended)


def test_a_value_that_the_process_refuses_names_its_variable(stand: Stand) -> None:
    loop = GitOpsLoop(stand.config)
    head = stand.commit(
        SCHEDULER, "TRADING_MODE\n              value: paper", "TRADING_MODE\n              value: Paper"
    )
    with pytest.raises(NotSynced, match="TRADING_MODE"):
        loop.sync(head)


def test_it_goes_on_when_the_remote_comes_back(looping: Stand) -> None:
    away = looping.remote.with_name("away.git")
    looping.remote.rename(away)
    with pytest.raises(NotSynced, match="git rev-parse"):
        GitOpsLoop(looping.config).pending()
    away.rename(looping.remote)
    head = looping.commit(CATALOG, 'catalog-version: "14"', 'catalog-version: "15"')
    until(lambda: looping.running().get("revision") == head)


def test_a_venue_that_is_away_is_not_synced(stand: Stand) -> None:
    loop = GitOpsLoop(replace(stand.config, control_url="http://127.0.0.1:9"))
    with pytest.raises(NotSynced, match=r"127\.0\.0\.1:9"):
        loop.pending()


def test_the_paper_target_is_read_from_its_own_folder(stand: Stand) -> None:
    loop = GitOpsLoop(replace(stand.config, path="apps/heron-paper"))
    assert loop.sync(loop.head()) == "started"
    until(stand.running)
    assert stand.running()["controls"]["maxGrossExposure"] == "5000"


def test_the_process_refuses_a_configuration_that_is_none(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-m", "console.demo.gitops_loop", "--config", str(tmp_path / "absent.json")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "not a loop configuration" in done.stderr
    assert "Traceback" not in done.stderr


def yaml_documents(raw: bytes) -> list[dict[str, Any]]:
    """Every document of a file."""
    return list(yaml.safe_load_all(raw))
