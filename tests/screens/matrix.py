"""The table of screens and states: what each shows, the word of its state, and the one number that matters there.

Where a combination makes no sense, the table says so in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from console.desk import Consents, Frame
from stages.value import Struct, replace
from stages.verdict import WatchPresence
from tests.screens import ledgers, states, test_clear_page
from tests.screens.conftest import Console

LATER: Mapping[str, timedelta] = {"waiting": timedelta(seconds=3), "disconnected": timedelta(seconds=42)}
"""How long no tick has come, or has not come yet."""


class Case(Struct, frozen=True):
    """One screen in one state. ``says`` all stand on the page at every size, in one piece each."""

    frame: Callable[[], Frame | None]
    says: tuple[str, ...]
    prepare: Callable[[Console], object] = lambda _: None
    keys: tuple[str, ...] = ()
    later: timedelta = timedelta()
    """How much time passes, once the screen is open, in which no tick comes."""
    after: Callable[[Console], object] = lambda _: None
    """What changes once the screen is open."""


STATE_NAMES = ("waiting", "ok", "warning", "breach", "stale", "partial", "unknown", "disconnected", "read-only")

FRAMES: Mapping[str, Callable[[], Frame | None]] = {
    "waiting": states.waiting,
    "ok": states.ok,
    "warning": states.warning,
    "breach": states.breach,
    "stale": states.stale,
    "partial": states.blind,
    "unknown": states.first_run,
    "disconnected": states.ok,
    "read-only": states.read_only,
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "waiting": ("WAIT 3s",),
    "ok": (),
    "warning": ("WARN 91 %",),
    "breach": ("BREACH 106 %",),
    "stale": ("BLIND 48 s",),
    "partial": ("BLIND 41 s",),
    "unknown": ("ACCOUNT NOT READ",),
    "disconnected": ("CUT OFF 42s",),
    "read-only": ("READ-ONLY",),
}
"""How each state is called on the pages that have a headline of their own."""


def _every(**more: object) -> dict[str, Case]:
    """All states of a screen by their frames and words; ``more`` replaces some of their parts by name."""
    made = {}
    for name in STATE_NAMES:
        case = Case(FRAMES[name], WORDS[name], later=LATER.get(name, timedelta()))
        made[name] = replace(case, **more)  # type: ignore[arg-type]
    return made


def _with(cases: dict[str, Case | str], says: Mapping[str, tuple[str, ...]]) -> dict[str, Case | str]:
    """The cases, with more to be said in some states; ``*`` is every state."""
    out = dict(cases)
    for name, case in cases.items():
        if isinstance(case, Case):
            out[name] = replace(case, says=(*case.says, *says.get("*", ()), *says.get(name, ())))
    return out


# -------------------------------------------------------------------------------------------------------------- screens


def _ramp() -> dict[str, Case | str]:
    words = {
        "waiting": ("WAIT   3s", "not read yet"),
        "ok": ("HOLD   82 %", "4,123"),
        "warning": ("WARN   91 %", "4,560", "~12 min"),
        "breach": ("BREACH   106 %", "26,410", "FIRED"),
        "stale": ("BLIND   48 s", "STALE"),
        "partial": ("BLIND   41 s", "was 3,912", "CANNOT SEE"),
        "unknown": ("FIRST RUN", "3 of 6", "never read"),
        "disconnected": ("CUT OFF   42s", "was 3,912", "P&L not known", "LAST SEEN 14:31:08"),
        "read-only": ("READ-ONLY", "You cannot act from here"),
    }
    return {name: replace(case, says=words[name]) for name, case in _every().items()}


def _ready(made: Console) -> None:
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.BLOCKED


def _stale_plan(made: Console) -> None:
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.STALE


def _plan() -> dict[str, Case | str]:
    made: dict[str, Case | str] = dict(_every(keys=("2", "p"), prepare=_ready))
    made |= {
        "waiting": "p names a stage of the policy; before the first read none is known, and the home screen says so",
        "read-only": "p says on the home screen that nothing can be planned from here",
    }
    made["stale"] = replace(_every()["ok"], keys=("2", "p"), prepare=_stale_plan, says=("STALE   the image changed",))
    made["unknown"] = replace(_every()["unknown"], keys=("2", "p"), prepare=_ready)
    money = {name: ("+20,000 $", "CANNOT APPLY: 1 gate") for name in STATE_NAMES if name != "stale"}
    return _with(made, money)


def _reduce() -> dict[str, Case | str]:
    made: dict[str, Case | str] = dict(_every(keys=("r",)))
    made["breach"] = replace(
        _every()["breach"], keys=("r",), says=("TIME TO SAFE   00:06", "SAFE NOW  YES", "STAYS SO")
    )
    known = dict.fromkeys(("ok", "warning", "stale", "partial", "read-only"), ("3,913 $ open",))
    return _with(
        made,
        {
            "*": ("FREEZE",),
            **known,
            "waiting": ("WHAT IS OPEN: not known",),
            "disconnected": ("not known, was 3,913 $",),
            "unknown": ("WHAT IS OPEN: not known",),
        },
    )


def _book(made: Console) -> None:
    made.books.entries = ledgers.story(40)


def _lost_book(made: Console) -> None:
    made.books.away = "is locked by another process"


def _ledger() -> dict[str, Case | str]:
    made: dict[str, Case | str] = dict(_every(keys=("l",), prepare=_book))
    away = replace(_every()["ok"], keys=("l",), prepare=_book, after=_lost_book, later=timedelta(seconds=2))
    made["stale"] = replace(away, says=("LEDGER AWAY", "is locked by another process"))
    whole = {name: ("VERIFIED", "all 53 entries") for name in STATE_NAMES if name != "stale"}
    return _with(made, whole)


def _held(frame: Callable[[], Frame | None]) -> Callable[[], Frame | None]:
    """The frame, with something that two people have to clear."""

    def made() -> Frame | None:
        shown, held = frame(), test_clear_page.held(test_clear_page.judged(test_clear_page.BY_TWO))
        if shown is None:
            return None
        latched = replace(shown.evaluation, posture=held.evaluation.posture, latches=held.evaluation.latches)
        return replace(shown, evaluation=latched, clearances=held.clearances)

    return made


def _signed(made: Console) -> None:
    made.hands.signed = Consents(
        asked=True, file="/srv/inbox/request-5be0a7c1.json", given=("bob (risk)",), lacking="1 of 2 approvals"
    )


def _clear() -> dict[str, Case | str]:
    made: dict[str, Case | str] = {
        name: replace(case, frame=_held(FRAMES[name]), keys=("c",), prepare=_signed) for name, case in _every().items()
    }
    made["waiting"] = replace(_every()["waiting"], keys=("c",), says=("WAIT   3s",))
    held = {name: ("1 HELD", "gross over its limit") for name in STATE_NAMES if name not in ("waiting", "disconnected")}
    return _with(
        made,
        {
            **held,
            "waiting": ("nothing is known yet",),
            "disconnected": ("1 HELD", "as of 42s ago", "gross over its limit"),
            "ok": ("1 of 2 approvals",),
        },
    )


def _incident() -> dict[str, Case | str]:
    made: dict[str, Case | str] = dict(_every(keys=("i",)))
    return _with(
        made,
        {
            "*": ("DECLARE AN INCIDENT",),
            "ok": ("3,913 $ open", "SEV1   NO NEW ORDERS"),
            "waiting": ("not known",),
            "disconnected": ("not known, was 3,913 $",),
            "read-only": ("nothing can be declared from here",),
        },
    )


def _zoom() -> dict[str, Case | str]:
    made: dict[str, Case | str] = dict(_every(keys=("down", "down", "enter")))
    made["waiting"] = "no signal is known before the first read, so enter has nothing to zoom into"
    made["warning"] = replace(_every()["warning"], keys=("down", "down", "enter"), says=("WARN   91 %", "4,560 $"))
    made["breach"] = replace(_every()["breach"], keys=("down", "down", "enter"), says=("BREACH   106 %", "26,410 $"))
    made["partial"] = replace(_every()["partial"], keys=("down", "down", "enter"), says=("BLIND", "was 3,912"))
    made["disconnected"] = replace(
        _every()["disconnected"], keys=("down", "down", "enter"), says=("CUT OFF 42s", "was 3,912")
    )
    made["unknown"] = replace(_every()["unknown"], keys=("down", "down", "enter"), says=("BLIND", "never read"))
    known = dict.fromkeys(("ok", "stale", "read-only"), ("gross: 3,912 $",))
    return _with(made, known)


def _help() -> dict[str, Case | str]:
    words = {name: case.says for name, case in _ramp().items() if isinstance(case, Case)}
    first = {name: says[:1] for name, says in words.items()}
    return {name: replace(case, keys=("question_mark",), says=("where you are", *first[name]))
            for name, case in _every().items()}  # fmt: skip


def _acting(frame: Callable[[], Frame | None]) -> Callable[[], Frame | None]:
    """The frame of the console that acts: leaving it is worth a question."""

    def made() -> Frame | None:
        shown = frame()
        return replace(shown, presence=WatchPresence("alice@desk", True, True, 0.4)) if shown is not None else None

    return made


def _leave() -> dict[str, Case | str]:
    words = {name: case.says[:1] for name, case in _ramp().items() if isinstance(case, Case)}
    made: dict[str, Case | str] = {
        name: replace(case, frame=_acting(FRAMES[name]), keys=("q",), says=("LEAVE?", *words[name]))
        for name, case in _every().items()
    }
    made["waiting"] = "before the first read nothing acts and nothing runs, so q leaves at once"
    made["read-only"] = "a read-only console neither acts nor runs anything, so q leaves at once"
    return made


SCREENS: Mapping[str, Mapping[str, Case | str]] = {
    "ramp": _ramp(),
    "plan": _plan(),
    "reduce": _reduce(),
    "ledger": _ledger(),
    "clear": _clear(),
    "incident": _incident(),
    "zoom": _zoom(),
    "help": _help(),
    "leave": _leave(),
}
"""Every screen in every state; Drill has a table of its own."""
