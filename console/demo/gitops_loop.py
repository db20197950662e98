"""A small GitOps controller: follows a branch and hands what its manifests say to a venue, after a delay.

Run by hand: ``python -m console.demo.gitops_loop --config FILE``, where FILE is the JSON form of LoopConfig.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from console.demo.controls import BadManifest, symbol_list
from console.demo.lifeline import end_with
from stages.value import Struct

_log = logging.getLogger(__name__)
_GIT_SECONDS = 10
_HTTP_SECONDS = 5


class NotSynced(Exception):
    """This round could not bring the venue to the head; the text says why. The next round tries again."""


class LoopConfig(Struct, frozen=True):
    """``remote`` is a bare repository's folder, ``path`` the folder of the target in it; delay and poll in seconds."""

    remote: Path
    branch: str
    path: str
    control_url: str
    delay: float
    poll: float

    @staticmethod
    def read(path: Path) -> LoopConfig:
        """Raises OSError, ValueError or KeyError when the file is not such a document."""
        raw = json.loads(path.read_text())
        return LoopConfig(
            remote=Path(raw["remote"]),
            branch=raw.get("branch", "main"),
            path=raw["path"],
            control_url=raw["control_url"],
            delay=float(raw.get("delay", 2)),
            poll=float(raw.get("poll", 1)),
        )


class GitOpsLoop:
    """One target. It keeps nothing: what is applied is asked of the venue, what is wanted of the branch."""

    def __init__(self, config: LoopConfig) -> None:
        self._config = config
        self._refused: str | None = None

    def head(self) -> str:
        """The commit of the branch."""
        return self._git("rev-parse", "--verify", f"refs/heads/{self._config.branch}").decode().strip()

    def pending(self) -> str | None:
        """The head, when the venue runs another revision and has not refused this one."""
        head = self.head()
        if head == self._refused:
            return None
        return head if self._call("GET", "/revision", None)["revision"] != head else None

    def sync(self, head: str) -> str:
        """Hand one revision to the venue; returns what it did. A revision it refuses is not offered again."""
        try:
            outcome = self._call("POST", "/apply", {"revision": head, **self._desired(head)})["outcome"]
        except BadManifest as trouble:
            self._refused = head
            raise NotSynced(f"{head[:12]}: {trouble}") from None
        return str(outcome)

    def run(self, stop: threading.Event) -> None:
        """Poll until ``stop`` is set. A new head waits for the delay, and then the newest head is taken."""
        noticed: float | None = None
        first = True
        while not stop.wait(self._config.poll if noticed is None else min(self._config.poll, 0.1)):
            try:
                head = self.pending()
                if head is None:
                    noticed, first = None, False
                    continue
                noticed = time.monotonic() if noticed is None else noticed
                if first or time.monotonic() - noticed >= self._config.delay:
                    _log.info("%s: %s", head[:12], self.sync(head))
                    noticed, first = None, False
            except NotSynced as trouble:
                _log.warning("not synced: %s", trouble)

    def _desired(self, revision: str) -> dict[str, object]:
        """Environment, catalog and feed as the manifests of a revision give them; raises BadManifest."""
        documents = list(self._documents(revision))
        env = next((_environment(d) for d in documents if d.get("kind") == "Deployment"), None)
        if env is None:
            raise BadManifest(f"{self._config.path}: no Deployment")
        maps = [d.get("data") or {} for d in documents if d.get("kind") == "ConfigMap"]
        catalog = next((_catalog(data["strategies.yaml"]) for data in maps if "strategies.yaml" in data), None)
        feed = next((symbol_list(str(data["SYMBOLS"])) for data in maps if "SYMBOLS" in data), None)
        return {"env": env, "catalog": catalog, "feed": feed}

    def _documents(self, revision: str) -> Iterator[Mapping[str, Any]]:
        """Every document of every file that the kustomization names."""
        folder = PurePosixPath(self._config.path)
        for kustomization in _parse(self._show(revision, folder / "kustomization.yaml"), "kustomization.yaml"):
            for name in kustomization.get("resources", []):
                yield from _parse(self._show(revision, folder / str(name)), str(name))

    def _show(self, revision: str, path: PurePosixPath) -> bytes:
        return self._git("show", f"{revision}:{path}")

    def _git(self, *arguments: str) -> bytes:
        command = ["git", "--git-dir", str(self._config.remote), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=True, env=git_environment())
        except subprocess.CalledProcessError as failed:
            raise NotSynced(f"git {arguments[0]}: {failed.stderr.decode(errors='replace').strip()}") from None
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise NotSynced(f"git {arguments[0]}: {failed}") from None
        return done.stdout

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._config.control_url + path, data=data, method=method)
        # No proxy stands between two processes on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_HTTP_SECONDS) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as refused:
            reason = refused.read().decode(errors="replace").strip()
            raise (BadManifest if refused.code == HTTPStatus.BAD_REQUEST else NotSynced)(reason) from None
        except (OSError, ValueError) as failed:
            raise NotSynced(f"{self._config.control_url}: {failed}") from None
        if not isinstance(document, dict):
            raise NotSynced(f"{self._config.control_url}: the answer is not a document")
        return document


def git_environment() -> dict[str, str]:
    """An environment in which no configuration of the person reaches the demo's git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def _parse(raw: bytes, name: str) -> list[Mapping[str, Any]]:
    try:
        documents = list(yaml.safe_load_all(raw))
    except yaml.YAMLError as trouble:
        raise BadManifest(f"{name}: {' '.join(str(trouble).split())}") from None
    return [document for document in documents if isinstance(document, dict)]


def _environment(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Plain values of the only container; what comes from a secret stays there."""
    try:
        containers = deployment["spec"]["template"]["spec"]["containers"]
        items = containers[0].get("env", [])
        return {str(item["name"]): str(item["value"]) for item in items if "value" in item}
    except (KeyError, IndexError, TypeError) as trouble:
        raise BadManifest(f"Deployment: no container environment ({trouble})") from None


def _catalog(text: str) -> dict[str, list[str]]:
    """The universe of each enabled strategy."""
    try:
        strategies = yaml.safe_load(text)["strategies"]
        return {str(s["name"]): [str(x) for x in s["universe_symbols"]] for s in strategies if s.get("enabled", True)}
    except (yaml.YAMLError, KeyError, TypeError) as trouble:
        raise BadManifest(f"strategies.yaml: {' '.join(str(trouble).split())}") from None


def main() -> int:
    """Exit codes: 0 after a stop, 2 when the configuration cannot be read."""
    parser = argparse.ArgumentParser(prog="console.demo.gitops_loop", description="Hands a branch to a demo venue.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = LoopConfig.read(arguments.config)
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        _log.error("%s: not a loop configuration: %s", arguments.config, trouble)
        return 2
    if arguments.with_parent:
        end_with(sys.stdin.buffer)
    try:
        GitOpsLoop(config).run(threading.Event())
    except KeyboardInterrupt:
        _log.info("stopped by the keyboard")
    return 0


if __name__ == "__main__":
    sys.exit(main())
