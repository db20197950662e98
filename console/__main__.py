"""The program: finds the verb, loads only what that verb needs, and turns every trouble into one line."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring

OK: Final = 0
NO: Final = 1
NO_ANSWER: Final = 2
INTERRUPTED: Final = 130

VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": ("console.demo.command", "the whole product on an embedded world; --headless prints its events"),
    "inject": ("console.demo.injection", "a fault in a demo that runs; lists them without a name"),
    "status": ("console.verbs.observe", "where the target stands, every signal, what holds it and what comes next"),
    "watch": ("console.verbs.observe", "evaluate each second; with --act reduce risk by itself"),
    "drift": ("console.verbs.observe", "stage, Git and runtime, value by value"),
    "config": ("console.verbs.config", "show each value and where it came from; check tells every problem at once"),
    "doctor": ("console.verbs.doctor", "check every dependency and permission, with the fix in one line each"),
    "policy": ("console.verbs.policy", "init FOLDER, check FILE, schema, adopt"),
    "simulate": ("console.verbs.simulate", "play a scenario by the engine itself, with its expectations"),
    "plan": ("console.verbs.rehearse", "rehearse a move to a stage; show FILE; never writes to Git"),
    "approve": ("console.verbs.change", "sign or reject a plan"),
    "revoke": ("console.verbs.revoke", "take back an approval before it is used"),
    "apply": ("console.verbs.change", "carry out an approved plan"),
    "freeze": ("console.verbs.change", "hold every advance"),
    "rollback": ("console.verbs.change", "go down to a stage, now"),
    "kill": ("console.verbs.kill", "block and cancel at the venue, kill switch and the lowest stage in Git, now"),
    "panic": ("console.verbs.panic", "block, cancel, step down, verify, with half of the infrastructure gone"),
    "reduce-worker": ("console.verbs.change", ""),
    "clear": ("console.verbs.release", "end a latch whose cause is gone"),
    "restore": ("console.verbs.restore", "come back from KILLED, to the lowest stage"),
    "resume": ("console.verbs.resume", "lift what a cleared halt has left; without --confirm only a dry run"),
    "permit-reduce": ("console.verbs.release", "let so much of a symbol be closed while no order may go out"),
    "incident": (
        "console.verbs.incident",
        "declare SEVERITY TEXT, resolve INCIDENT TEXT, export INCIDENT",
    ),
    "ack": ("console.verbs.remark", "an alarm is seen: quiet, not cleared"),
    "note": ("console.verbs.remark", "a remark for whoever reads the ledger later"),
    "burnin": ("console.verbs.burnin", "extend or waive what a burn-in could not decide"),
    "drill": ("console.verbs.drill", "rehearse a kill or a rollback on the paper target; list"),
    "ledger": ("console.verbs.record", "list, show, verify, export what was decided"),
    "completion": ("console.completion", "print the completion script of bash, zsh or fish"),
}
"""Each verb with the module that knows it; one without a summary is started by the program itself."""


class OneLine(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """Raises Trouble; the verb's help tells the rest."""
        raise Trouble(message, fix=f"'{self.prog} --help' tells more")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program and returns its exit code: 0 yes, 1 the answer is no, 2 could not answer."""
    words = list(sys.argv[1:] if argv is None else argv)
    shared = shared_options()
    try:
        options, rest = shared.parse_known_args(words)
        if options.version:
            sys.stdout.write(f"rampdeck {_version()}\n")
            return OK
        if not rest:
            return _open_console(options)
        if rest[0] not in VERBS:
            return _unknown(rest[0])
        if rest == ["panic"] and sys.stdin.isatty() and sys.stdout.isatty():
            return _open_panic(options)
        return _run_verb(rest, options, shared)
    except Trouble as trouble:
        sys.stderr.write(f"rampdeck: {trouble.line}\n")
        return NO_ANSWER
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("rampdeck: interrupted; nothing more was started\n")
        return INTERRUPTED
    except Exception as error:
        return _crashed(error)


def shared_options() -> argparse.ArgumentParser:
    """The options that every verb knows, before or after it."""
    parser = OneLine(prog="rampdeck", add_help=False, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="the configuration; otherwise it is looked for")
    parser.add_argument("--policy", metavar="FILE", help="a policy file instead of the one in the repository")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--version", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--read-only", action="store_true", help="show everything, command nothing")
    parser.add_argument("--ascii", action="store_true", help="marks and bars without Unicode")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    return parser


def perform(words: Sequence[str], wiring: Wiring, out: Output) -> int:
    """Runs a verb of this program within this process, answering to ``out``. Raises Trouble."""
    arguments = _parsed(words, *_shared_options([]))
    code: int = arguments.run(arguments, wiring, out)
    return code


def _run_verb(rest: Sequence[str], options: argparse.Namespace, shared: argparse.ArgumentParser) -> int:
    with _loading():
        arguments = _parsed(rest, options, shared)
    if alone := getattr(arguments, "alone", None):
        return _run_alone(alone, arguments, options)
    with _loading():
        wiring, out = _wire(options)
    try:
        code: int = arguments.run(arguments, wiring, out)
        return code
    finally:
        wiring.close()


@contextmanager
def _loading() -> Iterator[None]:
    """Loading makes many objects and hardly any garbage: nothing is collected meanwhile, nor ever what was loaded.

    Looking through what the verbs load takes some 50 ms, in which a watch would stand still each time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _run_alone(run: Callable[..., int], arguments: argparse.Namespace, options: argparse.Namespace) -> int:
    """A verb that answers also where no configuration can be read."""
    from console.output import Output

    return run(arguments, Output(json=options.json))


def _parsed(words: Sequence[str], options: argparse.Namespace, shared: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments of a verb, read by the one module that knows it."""
    module = importlib.import_module(VERBS[words[0]][0])
    parser = OneLine(prog="rampdeck", allow_abbrev=False)
    module.add_parsers(parser.add_subparsers(metavar="VERB", required=True), shared)
    arguments = parser.parse_args(list(words))
    for name, value in vars(options).items():
        setattr(arguments, name, value)
    return arguments


def _shared_options(words: Sequence[str]) -> tuple[argparse.Namespace, argparse.ArgumentParser]:
    shared = shared_options()
    return shared.parse_known_args(list(words))[0], shared


def _wire(options: argparse.Namespace) -> tuple[Wiring, Output]:
    from pathlib import Path

    from console.output import Output
    from console.wiring import Wiring

    path = Path(options.config) if options.config else None
    return Wiring.of(path, policy_file=options.policy, read_only=options.read_only), Output(json=options.json)


def _open_console(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Trouble("the console needs a terminal", fix="use a verb such as 'rampdeck status' (--help lists them)")
    # Loading makes many objects and hardly any garbage. Collecting goes on when everything is loaded.
    gc.disable()
    from console.opening import open_console

    return open_console(
        lambda: _wire(options)[0],
        read_only=options.read_only,
        ascii_marks=options.ascii,
        mouse=not options.no_mouse,
    )


def _open_panic(options: argparse.Namespace) -> int:
    """The screen of panic: it paints before any configuration is read."""
    from console.panic.screen import run_panic_screen
    from console.wiring import SystemClock

    return run_panic_screen(lambda: _wire(options)[0], SystemClock().wall, _version(), options.ascii)


def _version() -> str:
    from importlib.metadata import version

    return version("rampdeck")


def _crashed(error: Exception) -> int:
    """A fault of the program itself: a redacted report in a file, one line for the user."""
    from console import crash
    from console.wiring import SystemClock

    report = crash.write_report(crash.folder(), error, version=_version(), at=SystemClock().wall())
    sys.stderr.write(f"{crash.last_words(error, report)}\n")
    return NO_ANSWER


def _unknown(word: str) -> int:
    if word in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return OK
    import difflib

    near = difflib.get_close_matches(word, [verb for verb, (_, summary) in VERBS.items() if summary], 1)
    hint = f"; did you mean '{near[0]}'?" if near else "; 'rampdeck --help' lists the verbs"
    sys.stderr.write(f"rampdeck: there is no verb or option '{word}'{hint}\n")
    return NO_ANSWER


def _help() -> str:
    verbs = "\n".join(f"  {verb:<13} {summary}" for verb, (_, summary) in VERBS.items() if summary)
    return (
        "usage: rampdeck [VERB] [--config FILE] [--policy FILE] [--json] [--read-only] [--ascii]\n"
        "                [--no-mouse] [--version]\n\n"
        "Takes a trading strategy live in stages, and takes it back down in seconds.\n"
        f"Without a verb it opens the console.\n\n{verbs}\n\n"
        "Exit codes: 0 yes or done, 1 the answer is no, 2 could not answer. 'rampdeck VERB --help' tells more.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
