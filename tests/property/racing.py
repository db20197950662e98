"""Two people at the same target: a ledger and a Git remote in memory, and a scheduler that decides whose turn it is.

Every call that reads or changes what they share is a turn. One actor moves at a time, so that a schedule is a list of
choices, and all of them can be tried.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from console.ports import CommitInfo, Pushed
from console.store.spill import Spilled, joining
from stages.commands import Command
from stages.decide import decide, denial
from stages.entries import Draft, Entry, Head, LedgerAway, genesis, stamp, write
from stages.plan import git_blob_id
from stages.refusal import Refusal, Trouble
from stages.state import ControlState, fold

OPEN = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PATIENCE = 60.0
_SIGNATURE = b"SSHSIG\0\0\0\1"
Choose = Callable[[Sequence[str]], str]
Turn = Callable[[str], None]


# ------------------------------------------------------------------------------------------------------- the scheduler


class Race:
    """Runs actors in threads of their own, one at a time, in the order that ``choose`` says."""

    def __init__(self, choose: Choose, points: frozenset[str] | None = None) -> None:
        self._choose, self._points = choose, points
        self._arrived = threading.Semaphore(0)
        self._go: dict[str, threading.Semaphore] = {}
        self._over: set[str] = set()
        self.moves: list[str] = []
        """Who did what, in this order."""

    def turns(self, who: str) -> Turn:
        """Called by ``who`` before each point; returns when it is their turn."""

        def turn(point: str) -> None:
            if self._points is None or point in self._points:
                self._arrived.release()
                assert self._go[who].acquire(timeout=PATIENCE)
            self.moves.append(f"{who} {point}")

        return turn

    def run(self, acts: Mapping[str, Callable[[], object]]) -> dict[str, Any]:
        """Every act to its end; what it returned by its name."""
        found: dict[str, Any] = {}
        self._go = {who: threading.Semaphore(0) for who in acts}

        def play(who: str, act: Callable[[], object]) -> None:
            self.turns(who)("begin")
            try:
                found[who] = act()
            finally:
                self._over.add(who)
                self._arrived.release()

        for who, act in acts.items():
            threading.Thread(target=play, args=(who, act), daemon=True).start()
        for _ in acts:
            assert self._arrived.acquire(timeout=PATIENCE)
        while waiting := [who for who in acts if who not in self._over]:
            self._go[self._choose(waiting)].release()
            assert self._arrived.acquire(timeout=PATIENCE)
        return found


def every(run: Callable[[Choose], None], most: int = 5000) -> int:
    """Calls ``run`` once for every schedule there is; how many that were. No more than ``most``, or it fails."""
    path: list[int] = []
    for number in range(1, most + 1):
        trace: list[tuple[int, int]] = []
        run(_following(path, trace))
        while trace and trace[-1][0] + 1 == trace[-1][1]:
            trace.pop()
        if not trace:
            return number
        path = [*(index for index, _ in trace[:-1]), trace[-1][0] + 1]
    raise AssertionError(f"more than {most} schedules")


def _following(path: list[int], trace: list[tuple[int, int]]) -> Choose:
    def choose(waiting: Sequence[str]) -> str:
        index = path[len(trace)] if len(trace) < len(path) else 0
        trace.append((index, len(waiting)))
        return waiting[index]

    return choose


# ---------------------------------------------------------------------------------------------------- what they share


@dataclass(frozen=True, slots=True)
class _Commit:
    info: CommitInfo
    parent: str
    files: Mapping[str, bytes]


@dataclass
class Remote:
    """A branch with compare and swap, as a bare repository has it."""

    head: str = ""
    commits: dict[str, _Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    """Heads of the branches beside the target's."""

    def begin(self, files: Mapping[str, bytes]) -> None:
        self.head = self.make("", files, "Begin", ())

    def make(self, parent: str, changed: Mapping[str, bytes], message: str, trailers: Sequence[tuple[str, str]]) -> str:
        before = self.commits[parent].files if parent else {}
        sha = sha256(f"{parent} {message} {trailers} {len(self.commits)}".encode()).hexdigest()[:40]
        paths = tuple(path for path, content in changed.items() if before.get(path) != content)
        info = CommitInfo(sha, "alice", "alice@example.com", OPEN, message.splitlines()[0], dict(trailers), paths)
        self.commits[sha] = _Commit(info, parent, {**before, **changed})
        return sha

    def line(self, sha: str) -> Iterator[str]:
        """A commit and everything before it, newest first."""
        while sha:
            yield sha
            sha = self.commits[sha].parent

    def push(self, sha: str, expected: str) -> Pushed:
        assert expected in self.line(sha)
        if self.head != expected:
            return Pushed("moved", "stale info")
        self.head = sha
        return Pushed("pushed")


class Mirror:
    """The ``Repository`` of one actor, with its own knowledge of the head; ``away`` is one without a way to it."""

    def __init__(self, remote: Remote, turn: Turn, *, away: bool = False) -> None:
        self._remote, self._turn, self._away = remote, turn, away
        self._head: str | None = None

    def fetch(self) -> str:
        if self._away:
            raise Trouble("the remote does not answer")
        self._turn("fetch")
        self._head = self._remote.head
        return self._head

    def known_head(self) -> str | None:
        return self._head

    def read(self, sha: str, path: str) -> bytes | None:
        return self._remote.commits[sha].files.get(path)

    def blob(self, sha: str, path: str) -> str | None:
        content = self.read(sha, path)
        return None if content is None else git_blob_id(content)

    def blob_id(self, content: bytes) -> str:
        return git_blob_id(content)

    def info(self, sha: str) -> CommitInfo:
        return self._remote.commits[sha].info

    def log(self, base: str, head: str) -> Sequence[CommitInfo]:
        before = set(self._remote.line(base))
        return tuple(self.info(sha) for sha in reversed(list(self._remote.line(head))) if sha not in before)

    def vouching(self, trailer: str, word: str, limit: int) -> Sequence[CommitInfo]:
        line = map(self.info, self._remote.line(self._head) if self._head else ())
        return tuple(one for one in line if one.trailers.get(trailer, "").startswith(f"{word} "))[:limit]

    def commit(
        self,
        base: str,
        contents: Mapping[str, bytes],
        message: str,
        trailers: Sequence[tuple[str, str]],
        *,
        signed: bool = True,
    ) -> str:
        self._turn("commit")
        return self._remote.make(base, contents, message, trailers)

    def push(self, sha: str, expected: str) -> Pushed:
        self._turn("push")
        return self._remote.push(sha, expected)

    def contains(self, sha: str) -> bool | None:
        return sha in self._remote.line(self.fetch())

    def propose(self, sha: str, branch: str) -> Pushed:
        self._turn("propose")
        if self._remote.branches.setdefault(branch, sha) != sha:
            return Pushed("rejected", "the name is taken")
        return Pushed("pushed")

    def proposal(self, branch: str) -> str | None:
        self._turn("proposal")
        return self._remote.branches.get(branch)

    def withdraw(self, branch: str, sha: str) -> bool:
        self._turn("withdraw")
        if self._remote.branches.get(branch) not in (None, sha):
            return False
        self._remote.branches.pop(branch, None)
        return True


class Book:
    """The entries that both share."""

    def __init__(self) -> None:
        self.all = [genesis(ledger="book", actor="alice", fingerprint={"namespace": "heron"}, now=OPEN)]
        self.state = fold(ControlState(), self.all[0])

    def add(self, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        added = []
        for draft in drafts:
            added.append(write(draft, ledger="book", previous=self.all[-1], now=OPEN))
            self.all.append(added[-1])
            self.state = fold(self.state, added[-1])
        return tuple(added)


class Ledger:
    """The ``LedgerStore`` of one actor; ``away`` is one that this actor does not reach, ``left`` loses it later on."""

    def __init__(self, book: Book, turn: Turn, *, away: bool = False, left: int | None = None) -> None:
        self._book, self._turn, self._away, self._left = book, turn, away, left

    def _ask(self, point: str) -> None:
        if self._left is not None:
            self._away, self._left = self._left <= 0, self._left - 1
        if self._away:
            raise LedgerAway("the ledger does not answer")
        self._turn(point)

    def transact(
        self, command: Command, *, now: datetime, deadline: float | None = None, term: int | None = None
    ) -> tuple[Entry, ...] | Refusal:
        begins = type(command).__name__.startswith("Begin")
        self._ask("check" if begins else "record")
        answer = decide(self._book.state, command, now)
        if isinstance(answer, Refusal):
            denied = denial(command, answer)
            self._book.add([denied] if denied else [])
            return answer
        return self._book.add(answer)

    def join(self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime) -> tuple[Entry, ...]:
        self._ask("merge")
        return self._book.add(build(self._book.all[-1]))

    def state(self) -> ControlState:
        self._ask("look")
        return self._book.state

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        yield from self._book.all[after:]

    def head(self) -> Head:
        self._ask("head")
        return self._book.all[-1].head


# ------------------------------------------------------------------------------------------------- what each has alone


class Aside:
    """A spill in memory."""

    def __init__(self) -> None:
        self._kept: list[Spilled] = []

    def append(self, drafts: Sequence[Draft], *, at: datetime, cause: str) -> None:
        self._kept.append(Spilled(stamp(at), cause, tuple(drafts)))

    def merge(self, ledger: Any, *, actor: str, now: datetime, deadline: float | None = None) -> tuple[Entry, ...]:
        added: tuple[Entry, ...] = ledger.join(lambda newest: joining(self._kept, newest.epoch), now=now)
        self._kept.clear()
        return added

    def unmerged(self) -> str:
        return f"{len(self._kept)} decisions" if self._kept else ""


class Clock:
    """Time stands still, but for what is waited."""

    speed = 1.0

    def __init__(self) -> None:
        self._waited = 0.0

    def wall(self) -> datetime:
        return OPEN + timedelta(seconds=self._waited)

    def monotonic(self) -> float:
        return self._waited

    def market(self, wall: datetime) -> datetime:
        return wall

    def pause(self, seconds: float) -> None:
        self._waited += seconds


class Numbers:
    """Identifiers in a row."""

    def __init__(self, first: str) -> None:
        self._first, self._numbers = first, count(1)

    def new(self) -> str:
        return f"{self._first}{next(self._numbers)}"


class Alone:
    """Nobody else on this machine is at an act."""

    def hold(self, intent: str) -> AbstractContextManager[None]:
        return nullcontext()

    def alive(self, intent: str) -> bool | None:
        return True


class Pen:
    """A signature that names its person and is believed; it has the form of an SSH signature."""

    def __init__(self, who: str) -> None:
        self._who = who

    def sign(self, message: bytes) -> str:
        parts = (self._who.encode(), b"", b"", b"", b"")
        body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return base64.b64encode(_SIGNATURE + body).decode()

    def verify(self, message: bytes, signature: str, allowed_signers: bytes) -> str | None:
        return base64.b64decode(signature).removeprefix(_SIGNATURE)[4:].rstrip(b"\0").decode()
