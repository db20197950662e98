"""Kustomize: builds a plan's result in a folder of its own, by ``kustomize`` or ``kubectl kustomize``, offline."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path, PurePosixPath
from typing import Final

from stages.reach import Material
from stages.rendering import Built

_NOWHERE: Final = "http://127.0.0.1:9"
_KEPT: Final = 8
"""Builds whose result is remembered: a plan that is looked at is judged again and again."""


class Kustomize:
    """A ``Builder``. The same material is built once; calls may come from any thread."""

    def __init__(self, patience: float = 20.0) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._done: dict[str, Built] = {}

    def build(self, material: Material) -> Built:
        key = _digest(material)
        with self._lock:
            if (known := self._done.get(key)) is not None:
                return known
        built = self._build(material)
        if not built.absent:
            with self._lock:
                self._done[key] = built
                while len(self._done) > _KEPT:
                    del self._done[next(iter(self._done))]
        return built

    def _build(self, material: Material) -> Built:
        command = _command()
        if command is None:
            return Built(absent="neither kustomize nor kubectl is installed here")
        with tempfile.TemporaryDirectory(prefix="rampdeck-build-") as folder:
            root = Path(folder)
            for path, content in material.files.items():
                place = root / PurePosixPath(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            return self._run([*command, str(root / material.folder)], root)

    def _run(self, command: list[str], root: Path) -> Built:
        """Runs it where no other program and no proxy can be reached, so that nothing is fetched."""
        environment = {"PATH": str(root), "HOME": str(root), "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE}
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Built(absent=f"{Path(command[0]).name} did not answer within {self._patience:.0f} s")
        except OSError as error:
            return Built(absent=f"{Path(command[0]).name} cannot be started ({error.strerror})")
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").replace(f"{root}/", "").strip().splitlines()
            return Built(failed=said[-1].removeprefix("error: ") if said else f"exit code {done.returncode}")
        return Built(text=done.stdout.decode("utf-8", "replace"))


def _command() -> list[str] | None:
    for name, words in (("kustomize", ("build",)), ("kubectl", ("kustomize",))):
        if (found := shutil.which(name)) is not None:
            return [found, *words]
    return None


def _digest(material: Material) -> str:
    whole = hashlib.sha256(material.folder.encode())
    for path, content in sorted(material.files.items()):
        whole.update(f"\0{path}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()
