"""An errand: one call that may take long, in a daemon thread of its own, whose result comes back as a value.

Textual's thread pool is small and quitting waits for it, so nothing that talks to the world runs there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from stages.refusal import Trouble
from stages.value import Struct

Result = TypeVar("Result")


class Errand(Struct, Generic[Result], frozen=True):
    """What came back: a result, or the trouble in one line."""

    result: Result | None
    trouble: str = ""
    fault: Trouble | None = None
    """The trouble with what, where and the fix apart, where it is one that was foreseen."""


class Commanding(threading.Thread):
    """The thread of an errand that commands something, which a closed terminal must not break off."""


def send(
    name: str, work: Callable[[], Result], deliver: Callable[[Errand[Result]], object], *, commands: bool = False
) -> threading.Thread:
    """Runs ``work`` and gives its result to ``deliver``, both in the new thread; ``deliver`` must only post.

    ``commands``: a closed terminal waits for it (``console.hang_up``).
    """

    def run() -> None:
        try:
            answer: Errand[Result] = Errand(work())
        except Trouble as trouble:
            answer = Errand(None, trouble.line, trouble)
        except Exception as fault:  # noqa: BLE001 - whatever went wrong must reach the person who asked
            answer = Errand(None, f"unexpected {type(fault).__name__}: {fault}")
        deliver(answer)

    made = Commanding if commands else threading.Thread
    thread = made(target=run, name=f"errand-{name}", daemon=True)
    thread.start()
    return thread
