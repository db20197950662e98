"""Child processes of the demo: started in groups of their own, logged to files, and gone when their parent is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import console

_POLITE_SECONDS = 2.0


class Child:
    """One ``python -m MODULE --config FILE``; its standard input is the pipe whose end ends it."""

    def __init__(self, module: str, config: Path, log: Path, descriptors: Sequence[int] = ()) -> None:
        self.name = config.stem
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, "--config", str(config), "--with-parent"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": _import_path()},
                pass_fds=descriptors,
                process_group=0,  # a ctrl+c in the terminal is the console's to answer
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last line of the log."""
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "(nothing logged)")

    def stop(self) -> None:
        """Terminate, and kill when that is not heard."""
        self._process.terminate()
        try:
            self._process.wait(_POLITE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _import_path() -> str:
    """Where this program lies, so that a child finds the same one wherever it is started."""
    here = str(Path(console.__file__).parent.parent)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
