"""Ties a demo process to the one that started it: no orphan survives, however the parent ended."""

from __future__ import annotations

import os
import threading
from typing import BinaryIO


def end_with(pipe: BinaryIO) -> None:
    """End this process as soon as the other end of the pipe closes, which the kernel does even after a kill -9."""

    def wait() -> None:
        while pipe.read(1):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
