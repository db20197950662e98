"""A real API server on loopback: etcd and kube-apiserver as KUBEBUILDER_ASSETS names them, without any controller."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
import requests
import yaml

HERE = Path(__file__).parent / "apiserver"
ASSETS = "KUBEBUILDER_ASSETS"
NEEDS = "API server: "
"""A skip for want of these binaries begins so: the one skip that a run may excuse by name."""

ADMIN, READER, STRANGER = "admin", "rampdeck", "stranger"
"""Users, each with a token of its own name and ``-token``; the first may do everything, the others what RBAC says."""

PATIENCE = 60.0
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def find_binaries() -> tuple[Path, Path]:
    """The API server and etcd; skips the test that asks when one is missing."""
    folder = os.environ.get(ASSETS)
    if not folder:
        pytest.skip(f"{NEEDS}{ASSETS} names no folder; tests/integration/apiserver/build FOLDER makes one")
    server, etcd = Path(folder) / "kube-apiserver", Path(folder) / "etcd"
    if not etcd.exists():
        etcd = Path(shutil.which("etcd") or etcd)
    for binary in (server, etcd):
        if not os.access(binary, os.X_OK):
            pytest.skip(f"{NEEDS}{binary} is not there")
    return server, etcd


class Cluster:
    """One API server with its store. ``stop_server`` and ``start_server`` make it go and come on the same address."""

    def __init__(self, folder: Path) -> None:
        self._server, self._etcd = find_binaries()
        self.folder = folder
        self._store_port, peer, self._port = free_ports(3)
        self.url = f"https://127.0.0.1:{self._port}"
        self.ca = folder / "certs" / "apiserver.crt"
        self._log: IO[bytes] = (folder / "log").open("wb")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._keys()
        self._start(
            "etcd",
            self._etcd,
            f"--data-dir={folder / 'data'}",
            f"--listen-client-urls={self._store}",
            f"--advertise-client-urls={self._store}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
        )
        self.start_server()
        self._load_crds()

    @property
    def _store(self) -> str:
        return f"http://127.0.0.1:{self._store_port}"

    def start_server(self) -> None:
        """Starts the API server and waits until it says that it is ready."""
        self._start(
            "server",
            self._server,
            f"--etcd-servers={self._store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--cert-dir={self.folder / 'certs'}",
            f"--service-account-key-file={self.folder / 'accounts.pub'}",
            f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-account-issuer=https://localhost/",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
        )
        wait_until(self._ready, PATIENCE, "the API server is not ready: " + str(self.folder / "log"))

    def stop_server(self) -> None:
        """Ends the API server at once; what it keeps stays in its store."""
        self._end("server")

    def freeze_server(self) -> None:
        """Leaves the API server's connections open and answers nothing on them."""
        self._running["server"].send_signal(signal.SIGSTOP)

    def thaw_server(self) -> None:
        self._running["server"].send_signal(signal.SIGCONT)

    def compact(self) -> None:
        """Makes the store forget every state but the newest."""
        newest = self._store_says("range", {"key": "AA==", "limit": "1"})["header"]["revision"]
        self._store_says("compaction", {"revision": newest, "physical": True})

    def _store_says(self, what: str, question: Mapping[str, Any]) -> Any:
        answer = requests.post(f"{self._store}/v3/kv/{what}", json=question, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def close(self) -> None:
        for name in list(self._running):
            self._end(name)
        self._log.close()

    def token(self, user: str) -> str:
        return f"{user}-token"

    def kubeconfig(self, user: str = ADMIN, *, token: str | None = None, name: str = "rampdeck") -> Path:
        """A kubeconfig file of one context, for one user."""
        login = {"token": token or self.token(user)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}],
            "users": [{"name": user, "user": login}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        }
        path = self.folder / f"{user}-{name}.kubeconfig"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        content: str = "application/json",
        user: str = ADMIN,
        expect: tuple[int, ...] = (200, 201),
    ) -> Any:
        """One request, without any of the product's own code."""
        answer = requests.request(
            method,
            self.url + path,
            data=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {self.token(user)}", "Content-Type": content},
            verify=str(self.ca),
            timeout=60,
        )
        assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def namespace(self, name: str) -> str:
        """Makes a namespace for one test."""
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def put(self, path: str, name: str, manifest: Mapping[str, Any]) -> Any:
        """Applies an object as a person with kubectl does, whether it is there or not."""
        return self.ask("PATCH", f"{path}/{name}?fieldManager=test&force=true", manifest, content=APPLY)

    def _keys(self) -> None:
        private, public = str(self.folder / "accounts.key"), str(self.folder / "accounts.pub")
        for words in (["genrsa", "-out", private, "2048"], ["rsa", "-in", private, "-pubout", "-out", public]):
            subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=30)
        users = (f'{self.token(ADMIN)},{ADMIN},1,"system:masters"', *map(self._plain_user, (READER, STRANGER)))
        (self.folder / "tokens.csv").write_text("\n".join(users) + "\n", encoding="utf-8")

    def _plain_user(self, name: str) -> str:
        return f"{self.token(name)},{name},{name}"

    def _load_crds(self) -> None:
        for manifest in yaml.safe_load_all((HERE / "crds.yaml").read_text(encoding="utf-8")):
            name = manifest["metadata"]["name"]
            self.put(CRDS, name, manifest)
            wait_until(partial(self._served, name), PATIENCE, f"{name} is not served")

    def _served(self, name: str) -> bool:
        conditions = self.ask("GET", f"{CRDS}/{name}").get("status", {}).get("conditions", [])
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    def _ready(self) -> bool:
        server = self._running["server"]
        assert server.poll() is None, f"the API server ended with {server.returncode}: {self.folder / 'log'}"
        try:
            login = {"Authorization": f"Bearer {self.token(ADMIN)}"}
            return requests.get(f"{self.url}/readyz", headers=login, verify=str(self.ca), timeout=20).ok
        except (requests.RequestException, OSError):
            return False

    def _start(self, name: str, binary: Path, *options: str) -> None:
        command = [str(binary), *options]
        self._running[name] = subprocess.Popen(command, stdout=self._log, stderr=self._log, cwd=self.folder)

    def _end(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait(timeout=60)


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback interface that nobody listens on; all are held until all are found."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return tuple(one.getsockname()[1] for one in held)
    finally:
        for one in held:
            one.close()


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Waits for a condition, and fails with ``otherwise`` when it never comes."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        threading.Event().wait(0.05)


def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster for as long as the caller needs one."""
    found = Cluster(folder)
    try:
        yield found
    finally:
        found.close()
