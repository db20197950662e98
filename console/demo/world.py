"""The demo's world in a folder: a Git remote, a live and a paper venue, and a GitOps loop for each."""

from __future__ import annotations

import atexit
import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from console.demo.floor import Pace
from console.demo.injection import at_broker
from console.demo.listener import bind
from console.demo.processes import Child
from console.demo.sample_repository import create_remote, sample_files
from console.demo.venue import FACES
from stages.refusal import Trouble
from stages.value import Struct, field, to_document

POLICY_PATH = "apps/heron/ramp.yaml"
"""Where the policy lies in the sample repository."""

_LOOK_EVERY = 0.05  # seconds
_ASK_SECONDS = 1.0


class Settings(Struct, frozen=True):
    """How the world runs: ``speed`` in trading seconds per real second, ``sync_delay`` in real seconds."""

    seed: int = 7
    speed: float = 1.0
    pace: Pace = field(default_factory=Pace)
    sync_delay: float = 2.0


class Target(Struct, frozen=True):
    """One target of the demo: its folder in the repository, its account and where its venue listens."""

    name: str
    path: str
    account: Mapping[str, str]
    ports: Mapping[str, int]

    @property
    def app_url(self) -> str:
        """The trading process: /trading/status, /metrics, /scheduler/readyz, /healthz."""
        return self._url("app")

    @property
    def broker_url(self) -> str:
        """The broker: /account, /orders, /positions, /block, /demo/inject."""
        return self._url("broker")

    @property
    def control_url(self) -> str:
        """Where the GitOps loop hands over revisions."""
        return self._url("control")

    def _url(self, face: str) -> str:
        return f"http://127.0.0.1:{self.ports[face]}"


class World:
    """Addresses hold from the first moment; what is behind them comes up after ``start``; ``ready`` waits for it."""

    def __init__(self, folder: Path, content: Mapping[str, bytes], settings: Settings | None = None) -> None:
        """``content`` goes into the first commit beside the sample repository: {path: bytes}, for one the policy."""
        self.folder = folder
        self.remote = folder / "remote.git"
        self._content = content
        self._settings = settings or Settings()
        self._sockets = {name: {face: bind() for face in FACES} for name in ("live", "paper")}
        self.live = self._target("live", "apps/heron", "HERON-LIVE-01", "250000")
        self.paper = self._target("paper", "apps/heron-paper", "HERON-PAPER-01", "100000")
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._built = threading.Event()
        self._trouble: Trouble | None = None

    @property
    def remote_url(self) -> str:
        """The remote as git takes it."""
        return self.remote.as_uri()

    @property
    def children(self) -> tuple[Child, ...]:
        """The processes that were started."""
        return tuple(self._children)

    def start(self) -> None:
        """Begin to build and start everything, and return at once."""
        atexit.register(self.stop)
        threading.Thread(target=self._build, name="demo-world", daemon=True).start()

    def ready(self, seconds: float) -> None:
        """Wait until both trading processes answer; raises Trouble when that fails or takes longer."""
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        waiting = [self.live, self.paper]
        while waiting:
            if self._trouble is not None:
                raise self._trouble
            for child in self.children:
                if child.exit_code() is not None:
                    raise Trouble(f"{child.name} ended: {child.last_words()}", where=str(child.log))
            if time.monotonic() > deadline:
                names = " and ".join(target.name for target in waiting)
                raise Trouble(f"{names}: no answer in {seconds:g} s", where=str(self.folder), fix="read the logs")
            if self._built.is_set():
                waiting = [target for target in waiting if not _answers(target.app_url + "/healthz")]
            pause.wait(_LOOK_EVERY if waiting else 0)

    def inject(self, name: str, target: Target | None = None) -> str:
        """Cause a fault at a venue (the live one unless told otherwise); returns what happened, raises Trouble."""
        return at_broker((target or self.live).broker_url, name)

    def stop(self) -> None:
        """End every process; may be called at any time and more than once."""
        with self._lock:
            self._stopped = True
            children, self._children = self._children, []
        for child in children:
            child.stop()
        self._close_sockets()
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _target(self, name: str, path: str, label: str, cash: str) -> Target:
        ports = {face: int(listening.getsockname()[1]) for face, listening in self._sockets[name].items()}
        return Target(name, path, {"label": label, "environment": name, "cash": cash}, ports)

    def _build(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.remote.exists():
                create_remote(self.remote, sample_files() | dict(self._content))
            for number, target in enumerate((self.live, self.paper)):
                self._start_venue(target, self._settings.seed + number)
                self._start_loop(target)
        except OSError as failed:
            self._trouble = Trouble(str(failed), where=str(self.folder), fix="give a folder that can be written")
        except Trouble as trouble:
            self._trouble = trouble
        finally:
            self._close_sockets()  # the venues hold them now
            self._built.set()

    def _start_venue(self, target: Target, seed: int) -> None:
        descriptors = {face: listening.fileno() for face, listening in self._sockets[target.name].items()}
        document = {
            "account": target.account,
            "seed": seed,
            "speed": self._settings.speed,
            "pace": to_document(self._settings.pace),
            "sockets": {face: {"fd": descriptor} for face, descriptor in descriptors.items()},
        }
        self._start("console.demo.venue", f"venue-{target.name}", document, tuple(descriptors.values()))

    def _start_loop(self, target: Target) -> None:
        document = {
            "remote": str(self.remote),
            "path": target.path,
            "control_url": target.control_url,
            "delay": self._settings.sync_delay,
        }
        self._start("console.demo.gitops_loop", f"gitops-{target.name}", document, ())

    def _start(self, module: str, name: str, document: Mapping[str, object], descriptors: tuple[int, ...]) -> None:
        config = self.folder / f"{name}.json"
        config.write_text(json.dumps(document, indent=2))
        with self._lock:
            if not self._stopped:
                self._children.append(Child(module, config, self.folder / f"{name}.log", descriptors))

    def _close_sockets(self) -> None:
        """Ours only: the venues' copies go on listening."""
        for faces in self._sockets.values():
            for listening in faces.values():
                listening.close()


def _answers(url: str) -> bool:
    try:
        with _direct().open(url, timeout=_ASK_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _direct() -> urllib.request.OpenerDirector:
    """No proxy stands between two processes on loopback."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
