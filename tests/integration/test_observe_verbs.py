"""``status``, ``watch`` and ``drift`` as a person or a program runs them, over a real remote, ledger and HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.store.spill import Spill
from stages.entries import Draft
from stages.ladder import write_value
from stages.policy import Policy
from tests.integration.actuation import World
from tests.integration.test_sources_http import Served, hang, text
from tests.integration.watching import demo_policy

CONTRACT = {
    "namespace", "standing", "posture", "account", "burnIn", "signals", "triggers", "latches", "witnesses", "watch",
    "recommendation",
}  # fmt: skip


@dataclass
class Site:
    """A configured machine: a world at L0 and one process that answers for both accounts."""

    folder: Path
    root: Path
    served: Served
    policy: Policy
    runtime: dict[str, Any]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        now = datetime.now(UTC).isoformat()
        status = {
            "running": True,
            "last_run_at": now,
            "exposure": {"gross": "1200.00", "net": "-20", "as_of": now},
            "account": {"label": "HERON-PAPER-01"},
            "ramp": {"controls": self.runtime},
        }
        seconds = time.time()
        metrics = f"torghut_scheduler_leadership_healthy 1\ntorghut_trading_last_cycle_timestamp_seconds {seconds}\n"
        text(metrics if handler.path == "/metrics" else json.dumps(status))(handler)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "console", *words, "--config", str(self.folder / "rampdeck.yaml")]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), cwd=self.root, capture_output=True, text=True, timeout=60)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def site(tmp_path: Path, root: Path) -> Iterator[Site]:
    world = World.make(tmp_path)
    world.ledger.close()
    served, policy = Served(), demo_policy(root)
    runtime = {name: write_value(value) for name, value in policy.resolved[0].items()}
    made = Site(tmp_path, root, served, policy, runtime)
    served.answer = made.answer
    configuration = {
        "repository": {"remote": (tmp_path / "remote.git").as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "endpoints": {"heron": served.url, "heron-paper": served.url},
        "identity": {"name": "alice"},
        "cache": str(tmp_path / "cache"),
        "state": str(tmp_path / "state"),
    }
    (tmp_path / "rampdeck.yaml").write_text(yaml.safe_dump(configuration))
    yield made
    served.close()


def wait_for(met: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        if met():
            return True
        pause.wait(0.1)
    return met()


def test_without_a_ledger_there_is_one_clear_line(tmp_path: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console", "status"],
        cwd=root,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "ledger" in done.stderr


def test_status_answers_in_the_words_of_its_contract(site: Site) -> None:
    done = site.run("status", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.keys() >= CONTRACT
    assert said["standing"]["stage"] == "L0"
    assert said["posture"] == {"mode": "NORMAL", "cap": site.policy.stages[-1].name}
    assert said["watch"]["holder"] is None
    assert said["unmerged"] == ""
    gross = next(row for row in said["signals"] if row["name"] == "gross")
    assert gross.keys() >= {"name", "panel", "value", "unit", "limit", "headroom", "quality", "ageSeconds"}
    assert (gross["value"], gross["unit"], gross["quality"]) == ("1200.00", "usd", "OK")
    assert float(gross["headroom"]) == float(gross["limit"]) - 1200


def test_status_for_people_names_every_row_an_unknown_value_and_what_is_not_in_the_ledger(site: Site) -> None:
    spill = Spill(site.folder / "state" / "ledger.db.spill")
    kill = Draft("intent", "L0", "i1", "alice", {"act": "reduce", "mode": "KILLED"})
    spill.append([kill], at=datetime.now(UTC), cause="the ledger is locked")
    done = site.run("status", "--since", "1h")
    assert done.returncode == 0, done.stderr
    assert f"1 decision not in the ledger yet, kept in {spill.path}" in done.stdout
    assert spill.waiting(), "a look changes nothing"
    assert "1,200" in done.stdout
    assert "not known" in done.stdout
    assert "adopted policy version" in done.stdout


def test_a_wrong_since_is_bad_input(site: Site) -> None:
    done = site.run("status", "--since", "yesterday")
    assert done.returncode == 2
    assert "yesterday" in done.stderr


def test_status_answers_within_its_deadline_while_everything_hangs(site: Site) -> None:
    site.served.answer = hang(site.served)
    started = time.monotonic()
    done = site.run("status", "--json")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 60
    said = json.loads(done.stdout)
    assert [row["name"] for row in said["signals"] if row["value"] is not None] == []
    assert said["standing"]["stage"] == "L0", "Git answers all the same"


def test_drift_is_none_some_or_not_known(site: Site) -> None:
    none = site.run("drift")
    assert none.returncode == 0, none.stdout + none.stderr
    site.runtime["maxGrossExposure"] = "25000"
    some = site.run("drift", "--json")
    assert some.returncode == 1
    said = {one["control"]: one for one in json.loads(some.stdout)["controls"]}
    assert (said["maxGrossExposure"]["state"], said["maxGrossExposure"]["riskier"]) == ("drift", True)
    site.served.answer = text("<html>", headers={"Content-Type": "text/html"})
    away = site.run("drift")
    assert away.returncode == 2
    assert "HTML" in away.stdout


def test_a_watch_prints_events_is_seen_by_others_and_ends_on_a_signal(site: Site) -> None:
    watch = site.start("watch", "--json")
    try:
        assert wait_for(lambda: json.loads(site.run("status", "--json").stdout)["watch"]["holder"] is not None)
        assert wait_for(lambda: not json.loads(site.run("status", "--json").stdout)["ownReadings"])
        known = json.loads(site.run("status", "--json").stdout)["signals"]
        name = next(one["name"] for one in known if one["value"] is not None)
        near = json.loads(site.run("status", "--signal", name, "--window", "10m", "--json").stdout)
        assert near["samples"]["believed"] >= 1
        assert near["query"]
        lines = site.run("status", "--signal", name).stdout
        assert f"/{name})" in lines
        assert "believed" in lines
        wrong = site.run("status", "--signal", "nothing")
        assert (wrong.returncode, "there is no signal 'nothing'" in wrong.stderr) == (2, True)
        watch.send_signal(signal.SIGTERM)
        out, errors = watch.communicate(timeout=60)
    finally:
        watch.kill()
    assert watch.returncode == 0, errors
    events = [json.loads(line) for line in out.splitlines()]
    assert any(event["kind"] == "headline" for event in events)
    leases = [event for event in events if event["kind"] == "lease"]
    assert leases
    free = json.loads(site.run("status", "--json").stdout)
    assert free["watch"]["holder"] is None, "the lease was given back"


def test_the_plain_twin_goes_on_until_it_is_stopped(site: Site) -> None:
    twin = site.start("status", "--plain", "--watch")
    assert twin.stdout is not None
    try:
        assert any("is at stage" in line for line in iter(twin.stdout.readline, ""))
        twin.send_signal(signal.SIGTERM)
        _, errors = twin.communicate(timeout=20)
    finally:
        twin.kill()
    assert twin.returncode == 0, errors
    assert site.run("status", "--watch").returncode == 2


def test_ctrl_c_ends_an_acting_watch_cleanly(site: Site) -> None:
    watch = site.start("watch", "--act")
    try:
        assert wait_for(lambda: json.loads(site.run("status", "--json").stdout)["watch"]["acting"])
        watch.send_signal(signal.SIGINT)
        out, errors = watch.communicate(timeout=60)
    finally:
        watch.kill()
    assert watch.returncode == 0, errors
    assert "Traceback" not in errors
    assert out


def test_status_says_loudly_that_the_way_down_is_a_branch(site: Site) -> None:
    path = site.folder / "rampdeck.yaml"
    configured = yaml.safe_load(path.read_text())
    configured["repository"]["reduce"] = "branch"
    path.write_text(yaml.safe_dump(configured))
    said = site.run("status")
    assert said.stdout.startswith("!! DOWN BY BRANCH ONLY"), said.stdout + said.stderr
    document = json.loads(site.run("status", "--json").stdout)
    assert document["publishing"] == {"advance": "push", "reduce": "branch"}
    assert document["awaitingMerge"] == []
