"""A terminal that closes while something is commanded: first what was commanded, then the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from console.errand import Errand, send
from console.hang_up import after_commands, put_off


def nobody_leaves() -> bool:
    """For what nobody leaves politely here."""
    raise AssertionError("asked to leave")


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What happened, in order; ``end`` is what a closed terminal does otherwise."""
    happened: list[str] = []
    before = signal.signal(signal.SIGHUP, lambda *_: happened.append("end"))
    yield happened
    signal.signal(signal.SIGHUP, before)


def close_terminal() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def test_a_command_of_a_screen_is_run_before_the_end(told: list[str]) -> None:
    begun, pause = threading.Event(), threading.Event()

    def command() -> None:
        begun.set()
        pause.wait(0.3)
        told.append("handed over")

    def delivered(_errand: Errand[None]) -> None:
        told.append("told")

    with after_commands(nobody_leaves):
        send("kill", command, delivered, commands=True)
        assert begun.wait(10)
        close_terminal()
    assert told == ["handed over", "told", "end"]


def test_the_watch_is_let_go_of_after_the_commands_and_before_the_end(told: list[str]) -> None:
    release = threading.Event()

    def command() -> None:
        release.wait(10)
        told.append("handed over")

    with after_commands(nobody_leaves, lambda: told.append("let go")):
        send("kill", command, lambda _errand: None, commands=True)
        threading.Timer(0.1, release.set).start()
        close_terminal()
    assert told == ["handed over", "let go", "end"]


def test_a_polite_kill_leaves_once_the_commands_have_run_and_the_screen_goes_on_meanwhile(told: list[str]) -> None:
    release, left = threading.Event(), threading.Event()

    def command() -> None:
        release.wait(10)
        told.append("handed over")

    def leave() -> bool:
        told.append("left")
        left.set()
        return True

    before = signal.getsignal(signal.SIGTERM)
    with after_commands(leave):
        send("kill", command, lambda _errand: None, commands=True)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "whoever asks again does not wait"
        told.append("screen")
        release.set()
        assert left.wait(10)
    assert told == ["screen", "handed over", "left"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_nothing_else_is_waited_for(told: list[str]) -> None:
    never = threading.Event()
    with after_commands(nobody_leaves):
        thread = send("answers", never.wait, lambda _errand: None)
        close_terminal()
        assert told == ["end"]
    never.set()
    thread.join(10)


def test_a_verb_hears_of_it_once_it_has_handed_over(told: list[str]) -> None:
    with put_off():
        close_terminal()
        told.append("handed over")
    assert told == ["handed over", "end"]
    close_terminal()
    assert told == ["handed over", "end", "end"], "afterwards it ends at once, as before"


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with after_commands(nobody_leaves):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed(told: list[str]) -> None:
    handlers = [signal.getsignal(signal.SIGHUP)]

    def elsewhere() -> None:
        with put_off(), after_commands(nobody_leaves):
            handlers.append(signal.getsignal(signal.SIGHUP))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)
    assert handlers[0] is handlers[1]
