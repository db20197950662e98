"""A real sshd on loopback for one person: its own host key, its own list of keys that may enter, no privileges."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin"
_READY = 30
"""Seconds in which it has to answer."""


@dataclass(frozen=True)
class Sshd:
    """Where it listens, and the files that a client needs."""

    port: int
    key: Path
    stranger: Path
    known_hosts: Path

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def command(self, *, key: Path | None = None, known_hosts: Path | None = None) -> str:
        """The ssh command of a person with one key and one list of hosts, and nothing of the machine's own."""
        return (
            f"ssh -F none -oIdentitiesOnly=yes -i {key or self.key} "
            f"-oStrictHostKeyChecking=yes -oUserKnownHostsFile={known_hosts or self.known_hosts}"
        )


def make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """An sshd that takes the key in ``folder`` and no other; skips the test where none is installed."""
    program = shutil.which("sshd", path=PLACES)
    if program is None:
        pytest.skip("sshd is not installed; apt-get install openssh-server")
    host, key, stranger = (make_key(folder / name) for name in ("host", "key", "stranger"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    public = " ".join(host.with_suffix(".pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nPidFile {folder / 'sshd.pid'}\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nLogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        # Of root's daemon the build of Debian wants this empty folder, which its init script makes.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "sshd.log").open("w") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _wait(server, port, folder / "sshd.log")
        yield Sshd(port, key, stranger, folder / "known_hosts")
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(_READY * 20):
        if server.poll() is not None:
            raise AssertionError(f"sshd ended: {log.read_text()}")
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as line:
                assert line.recv(4) == b"SSH-"
                return
        except OSError:
            threading.Event().wait(0.05)
    raise AssertionError(f"sshd does not answer: {log.read_text()}")
