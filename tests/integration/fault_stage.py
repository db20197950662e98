"""Where the fault matrix plays: a real Prometheus, Git server, API server, venue and ledger, each behind a line."""

from __future__ import annotations

import json
import re
import shutil
import signal as signals
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests

from console.__main__ import perform
from console.gitops.mirror import Mirror
from console.output import Output
from console.store.spill import Spill
from console.venue.demo import DemoVenue
from console.wiring import Wiring
from stages.ladder import Value
from stages.policy import Policy
from stages.standing import read_controls
from stages.state import ControlState
from stages.value import replace
from tests.integration.actuation import ROOT, World, git
from tests.integration.argo import Argo
from tests.integration.cluster import MERGE, READER, Cluster, free_ports, wait_until
from tests.integration.faulty_lines import DOWN, LYING, SLOW, Answer, Asked, Line
from tests.integration.herons import Heron
from tests.integration.remotes import over_http
from tests.integration.test_rbac import grant
from tests.integration.test_self_heal import IGNORED, prepare, rendered

PARTS = ("prometheus", "git", "api", "venue", "ledger")
OPEN = "2026-11-24T19:00:00Z"
"""Tuesday 14:00 in New York."""
PROMETHEUS = 'up{job="self"}'
SIGNAL = {
    "title": "scrapes",
    "unit": "count",
    "panel": "freshness",
    "class": "safety",
    "source": {"promql": {"query": PROMETHEUS}},
    "eventTime": f"timestamp({PROMETHEUS})",
    "every": "1s",
    "maxAge": "60s",
    "limit": {"atLeast": 1},
}


# ---------------------------------------------------------------------------------------------------------- the lies


def old_values(asked: Asked, ask: Any) -> Answer | None:
    """Prometheus: what it said ten minutes ago, values and event times alike."""
    said: Answer = ask(asked)

    def older(found: re.Match[str]) -> str:
        stamp = float(found[3]) - 600 if float(found[3]) > 1e9 else float(found[3])
        return f'"value":[{float(found[1]) - 600:.3f},"{stamp}"]'

    return replace(said, body=re.sub(r'"value":\[([\d.]+),(\s*)"([^"]+)"\]', older, said.body.decode()).encode())


def dropped_push(asked: Asked, ask: Any) -> Answer | None:
    """Git: whoever pushes is answered by another repository, whoever fetches by the real one."""
    if "git-receive-pack" not in asked.path:
        return None
    said: Answer = ask(replace(asked, path=asked.path.replace("/heron.git", "/decoy.git")))
    return said


def old_object(asked: Asked, ask: Any) -> Answer | None:
    """API server: says yes to a write and keeps the old object."""
    if asked.method != "PATCH":
        return None
    said: Answer = ask(replace(asked, method="GET", path=asked.path.partition("?")[0], body=b""))
    return said


def empty_yes(asked: Asked, ask: Any) -> Answer | None:
    """Venue: blocked and cancelled, it says, and does neither."""
    if asked.path == "/block":
        return Answer(200, b'{"blocked": true}')
    if asked.path == "/orders/cancel-all":
        orders = json.loads(ask(replace(asked, method="GET", path="/orders", body=b"")).body)
        gone = [{"id": o["id"], "symbol": o["symbol"], "side": o["side"], "outcome": "cancelled"} for o in orders]
        return Answer(200, json.dumps(gone).encode())
    return None


# ---------------------------------------------------------------------------------------------------- what all share


@dataclass
class Stage:
    """The parts that all cells share, and the world at L1 of which each cell gets a copy."""

    folder: Path
    root: Path
    heron: Heron
    template: World
    lines: dict[str, Line]
    broker: str

    @cached_property
    def policy(self) -> Policy:
        return self.template.force.policy

    def cell(self, folder: Path, part: str, fault: str) -> Cell:
        """A copy of the world, the shared parts as they were in the beginning, and nothing at fault yet."""
        shutil.copytree(self.template.folder, folder, dirs_exist_ok=True)
        for name, source in (("heron.git", "remote.git"), ("decoy.git", "decoy.git")):
            link = self.root / name
            link.unlink(missing_ok=True)
            link.symlink_to(folder / source)
        shutil.copytree(folder / "remote.git", folder / "decoy.git")
        requests.post(f"{self.broker}/unblock", timeout=60).raise_for_status()
        requests.post(f"{self.broker}/orders/cancel-all", timeout=60).raise_for_status()
        order = {"symbol": "MU", "side": "buy", "qty": "1", "limit_price": "0.01"}
        requests.post(f"{self.broker}/orders", json=order, timeout=60).raise_for_status()
        self.heron.cluster.ask(
            "PATCH", self.heron.config_map("heron-runtime"), {"data": {"kill": "false"}}, content=MERGE
        )
        return Cell(self, World(folder), part, fault)


@contextmanager
def stage(folder: Path, root: Path, cluster: Cluster) -> Iterator[Stage]:
    """All parts, running."""
    names = "matrix"
    world = World.make(folder / "template", prepare=lambda work: _prepare(work, names))
    heron = Heron(cluster, cluster.namespace(names))
    argo = Argo(heron, lambda: rendered(world))
    argo.create(automated={"prune": True, "selfHeal": True}, ignoreDifferences=IGNORED)
    options = ["ServerSideApply=true", "RespectIgnoreDifferences=true"]
    cluster.ask("PATCH", argo.path, {"spec": {"syncPolicy": {"syncOptions": options}}}, content=MERGE)
    grant(cluster, root, {"heron": names, "argocd": names})
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    argo.round()
    heron.roll_out()
    served = folder / "served"
    served.mkdir()
    (served / "heron.git").symlink_to(world.remote)
    with (
        _prometheus(folder) as prometheus, over_http(served) as remote, _venue(folder) as broker,
        Line(prometheus, old_values).open() as first, Line(remote, dropped_push).open() as second,
        Line(cluster.url, old_object, ca=str(cluster.ca)).open() as third, Line(broker, empty_yes).open() as fourth,
    ):  # fmt: skip
        lines = {"prometheus": first, "git": second, "api": third, "venue": fourth}
        Mirror(f"{second.url}/heron.git", "main", world.folder / "cache", name="alice").fetch()
        world.ledger.close()
        yield Stage(folder, served, heron, world, lines, broker)


def _prepare(work: Path, namespace: str) -> None:
    prepare(work, namespace)
    ramp = work / "ops" / "ramp.yaml"
    policy = json.loads(ramp.read_text())
    policy["spec"]["signals"]["scrapes"] = SIGNAL
    ramp.write_text(json.dumps(policy))


@contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    """A Prometheus that scrapes itself."""
    if shutil.which("prometheus") is None:
        pytest.skip("Prometheus is not installed")
    (port,) = free_ports(1)
    file = folder / "prometheus.yml"
    file.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    command = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _scraped(url), 60, "Prometheus has scraped nothing")
            yield url
        finally:
            process.send_signal(signals.SIGTERM)
            process.wait(60)


def _scraped(url: str) -> bool:
    try:
        found = requests.get(f"{url}/api/v1/query", params={"query": PROMETHEUS}, timeout=60).json()
    except (requests.RequestException, ValueError):
        return False
    return bool(found["data"]["result"])


@contextmanager
def _venue(folder: Path) -> Iterator[str]:
    """The demo's broker, in a process of its own."""
    ports, config = folder / "ports.json", folder / "venue.json"
    account = {"label": "HERON", "environment": "live", "cash": "250000"}
    config.write_text(json.dumps({"account": account, "seed": 5, "ports_file": str(ports)}))
    command = [sys.executable, "-m", "console.demo.venue", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(ports.exists, 60, "the venue tells no port")
            yield f"http://127.0.0.1:{json.loads(ports.read_text())['broker']}"
        finally:
            process.terminate()
            process.wait(60)


# ------------------------------------------------------------------------------------------------------------ a cell


@dataclass
class Threads:
    """A launcher whose processes are threads with a wiring of their own, so that a cell costs no start of Python."""

    cell: Cell
    log: Path = Path("threads")
    started: list[threading.Thread] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def launch(self, arguments: Sequence[str]) -> int:
        worker = threading.Timer(0.3, self._run, args=(tuple(arguments),))  # as long as a process takes to start
        worker.daemon = True
        self.started.append(worker)
        worker.start()
        return 4711

    def _run(self, arguments: Sequence[str]) -> None:
        wiring = self.cell.wiring()
        try:
            self.codes.append(perform(arguments, wiring, Output(stream=StringIO(), errors=StringIO())))
        finally:
            wiring.close()

    def join(self) -> None:
        for worker in self.started:
            worker.join(60)
            assert not worker.is_alive(), "the worker did not come to its end"


class Stalls:
    """How long this machine kept a thread waiting that wanted to run: no clock of the product can be better."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Stalls:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _count(self) -> None:
        before = time.monotonic()
        while not self._over.wait(0.02):
            now = time.monotonic()
            self.seconds += max(0.0, now - before - 0.02)
            before = now


class Heard(Output):
    """Keeps everything that a verb says: the document for programs as well as the lines for people."""

    def __init__(self) -> None:
        super().__init__(json=True, stream=StringIO(), errors=StringIO())
        self.told: dict[str, Any] = {}
        self.text: list[str] = []

    def document(self, value: object) -> None:
        assert isinstance(value, dict)
        self.told = value

    def line(self, text: str = "") -> None:
        self.text.append(text)

    def note(self, text: str) -> None:
        self.text.append(text)


@dataclass
class Cell:
    """One part at fault in one way during one act."""

    stage: Stage
    world: World
    part: str
    fault: str
    threads: Threads = field(init=False)
    _undo: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        self.threads = Threads(self)

    def wiring(self) -> Wiring:
        """The product's own wiring, with every part behind its line."""
        folder, lines = self.world.folder, self.stage.lines
        kubeconfig = json.loads(self.stage.heron.cluster.kubeconfig(READER).read_text())
        kubeconfig["clusters"][0]["cluster"] = {"server": lines["api"].url}
        (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
        settings = {
            "repository": {"remote": f"{lines['git'].url}/heron.git", "branch": "main"},
            "policy": "ops/ramp.yaml",
            "roster": {"signers": "ops/allowed_signers", "members": "ops/roster.yaml"},
            "ledger": f"sqlite:///{folder}/ledger.db",
            "identity": {"name": "alice", "key": str(self.world.key("alice"))},
            "venue": {"kind": "demo", "url": lines["venue"].url},
            "prometheus": {"url": lines["prometheus"].url},
            "market": {"anchor": datetime.now(UTC).isoformat(), "start": OPEN},
            "kubernetes": {"kubeconfig": str(folder / "kubeconfig")},
            "cache": str(folder / "cache"),
            "state": str(folder / "state"),
        }
        config = folder / "alice.yaml"
        config.write_text(json.dumps(settings))
        made = Wiring.of(config)
        made.__dict__["launcher"] = self.threads
        return made

    # ---------------------------------------------------------------------------------------------------- the fault

    def fail(self) -> None:
        if self.part != "ledger":
            self.stage.lines[self.part].fail(self.fault)
        elif self.fault == DOWN:
            self._move("", "away-")
            self._undo = lambda: self._move("away-", "")
        elif self.fault == LYING:
            self._alter("ops/roster.yaml", "ops/another.yaml")
            self._undo = lambda: self._alter("ops/another.yaml", "ops/roster.yaml")
        else:
            holder = sqlite3.connect(self._ledger, isolation_level=None, check_same_thread=False)
            holder.execute("BEGIN IMMEDIATE")
            if self.fault == SLOW:
                self._undo = holder.close
            else:
                threading.Thread(target=self._close_when_spilled, args=(holder,), daemon=True).start()

    def heal(self) -> None:
        for line in self.stage.lines.values():
            line.heal()
        if self._undo is not None:
            self._undo()
            self._undo = None

    @property
    def _ledger(self) -> Path:
        return self.world.folder / "ledger.db"

    def _move(self, old: str, new: str) -> None:
        for file in self.world.folder.glob(f"{old}ledger.db*"):
            file.rename(file.with_name(new + file.name.removeprefix(old)))

    def _alter(self, old: str, new: str) -> None:
        """Somebody changes what an old entry says, past every rule of the ledger."""
        with closing(sqlite3.connect(self._ledger)) as other:
            text = other.execute("SELECT entry FROM entry WHERE seq = 2").fetchone()[0]
            assert old in text
            other.execute("UPDATE entry SET entry = ? WHERE seq = 2", (text.replace(old, new),))
            other.commit()

    def _close_when_spilled(self, holder: sqlite3.Connection) -> None:
        wait_until(lambda: any((self.world.folder / "state").glob("*.spill")), 60, "nothing was spilled")
        holder.close()

    # -------------------------------------------------------------------------------------------------- what is left

    def values(self) -> dict[str, Value | None]:
        """What the branch says, read past every line."""

        def read(path: str) -> bytes | None:
            done = subprocess.run(
                ["git", "cat-file", "blob", f"main:{path}"], cwd=self.world.remote, capture_output=True, check=False
            )
            return done.stdout if done.returncode == 0 else None

        return dict(read_controls(self.stage.policy, read).values)

    def pushed(self) -> bool:
        return "Rampdeck-Intent:" in git("log", "-1", "--format=%B", "main", cwd=self.world.remote)

    def contained(self) -> bool:
        """Whether the venue, asked past its line, blocks and has no order open."""
        found = DemoVenue(self.stage.broker, 60).read()
        return found.blocked and not found.open_orders

    def flag(self) -> str:
        found: dict[str, Any] = self.stage.heron.cluster.ask("GET", self.stage.heron.config_map("heron-runtime"))
        return str(found["data"]["kill"])

    def state(self) -> ControlState:
        """The ledger's state once everything is back and the watch has brought in what was spilled."""
        spill = Spill(self.world.folder / "state" / "ledger.db.spill")
        spill.merge(self.world.ledger, actor="watch", now=datetime.now(UTC))
        return self.world.ledger.state()
