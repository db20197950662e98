"""``rampdeck demo``: the whole product on an embedded world in a temporary folder, or in one that is kept."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from console.demo.scenarios import names
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.demo.household import Household
    from console.demo.scenarios import Scenario
    from console.demo.world import World
    from console.output import Output
    from console.wiring import Wiring

SPEED: Final = 20.0
"""Market minutes a demo minute holds; a session lasts some twenty minutes of wall time."""
SEED: Final = 7
UNTIL: Final = 60.0


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Adds ``demo``."""
    parser = subparsers.add_parser("demo", parents=[shared], help="the whole product on an embedded world")
    parser.add_argument("--scenario", default="risk-breach", metavar="NAME", help=f"{', '.join(names())}")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"seed of the venues' walk ({SEED})")
    parser.add_argument(
        "--speed", type=_speed, default=SPEED, metavar="X", help=f"market minutes per wall minute ({SPEED:g})"
    )
    parser.add_argument("--dir", metavar="FOLDER", help="keep the world in this folder")
    parser.add_argument("--no-approver", action="store_true", help="nobody answers the inbox: rehearse the hand-over")
    parser.add_argument("--headless", action="store_true", help="no screen; print what happened")
    parser.add_argument(
        "--until", type=_seconds, default=UNTIL, metavar="SECONDS", help=f"with --headless: wall seconds ({UNTIL:g})"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _wiring: Wiring, out: Output) -> int:
    """Builds the demo's world and opens the console on it, or plays it headless."""
    from console.demo.scenarios import scenario

    chosen = scenario(arguments.scenario)
    with ExitStack() as held, _ended_by_hangup():
        house, world, wiring = _build(held.enter_context(_folder(arguments.dir)), arguments)
        held.callback(wiring.close)
        held.callback(world.stop)
        if arguments.headless:
            return _headless(house, world, wiring, chosen, arguments.until, out)
        return _interactive(house, world, wiring, chosen, arguments, held)


def _build(folder: Path, arguments: argparse.Namespace) -> tuple[Household, World, Wiring]:
    """The folder's people, repository and configurations; the world begins to start. Nothing waits for it yet."""
    from console.demo.household import Household, first_commit, write_configurations
    from console.demo.world import Settings, World
    from console.wiring import SystemClock, Wiring

    house = Household(folder)
    world = World(folder, first_commit(house), Settings(seed=arguments.seed, speed=arguments.speed))
    world.start()
    write_configurations(
        house,
        remote=world.remote_url,
        endpoints={"heron": world.live.app_url, "heron-paper": world.paper.app_url},
        broker=world.live.broker_url,
        anchor=SystemClock().wall(),
        speed=arguments.speed,
        paper={"app": world.paper.app_url, "broker": world.paper.broker_url},
    )
    return house, world, Wiring.of(house.config, read_only=arguments.read_only)


def adopt(house: Household, world: World, seconds: float = 30.0) -> None:
    """Waits for the world and puts its policy in force, through the verb that everybody uses."""
    from console.demo.cast import verb

    world.ready(seconds)
    for config in (house.config, house.drill_config):
        done = verb(config, "policy", "adopt") if config.exists() else None
        if done is not None and done.code != 0:
            raise Trouble(f"the demo's policy was not adopted: {done.why}", where=config.name)


def _headless(house: Household, world: World, wiring: Wiring, chosen: Scenario, until: float, out: Output) -> int:
    from console.demo import headless

    adopt(house, world)
    result = headless.run(house, world, wiring, chosen, until)
    if out.json:
        out.document(result)
    for event in result["events"]:
        out.line(f"{event['time']:8.1f} s  {event['kind']:<18} {event['stage'] or '':<4} {event['detail']}")
    final = result["final"]
    out.line(f"ends at {final['standing']['stage']}, {final['posture']['mode']}, at most {final['posture']['cap']}")
    for note in result["notes"]:
        out.note(note)
    return 0 if final["ledger"]["verified"] else 1


def _interactive(
    house: Household, world: World, wiring: Wiring, chosen: Scenario, arguments: argparse.Namespace, held: ExitStack
) -> int:
    """``held`` is closed by a closed terminal as well: nothing may be raised into the console from a signal."""
    from console.demo.cast import Approver, Director, Player
    from console.demo.injection import DEMO, Injector
    from console.opening import open_console

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Trouble("the demo's console needs a terminal", fix="add --headless")
    told: list[str] = []
    faults = Injector(world.inject, wiring.command, DEMO)
    players: list[Player] = [] if arguments.no_approver else [Approver(house, told.append)]

    def leave() -> None:
        for player in players:
            player.leave()

    def prepare() -> None:
        adopt(house, world)
        players.append(Director(chosen, faults, wiring.ledger, wiring.clock, told.append))
        for player in players:
            player.start()

    held.callback(leave)
    with _hang_ups_end_at_once():
        return open_console(
            lambda: wiring,
            prepare=prepare,
            acting=True,
            read_only=arguments.read_only,
            ascii_marks=arguments.ascii,
            mouse=not arguments.no_mouse,
            faults=faults,
            closed=held.close,
        )


@contextmanager
def _folder(named: str | None) -> Iterator[Path]:
    """A folder of one's own is kept; a temporary one ends with the demo."""
    if named:
        path = Path(named).resolve()
        try:
            path.mkdir(parents=True, exist_ok=True)
            used = any(path.iterdir())
        except OSError as error:
            fix = "name a new one"
            raise Trouble(f"the folder cannot be used: {error.strerror}", where=str(path), fix=fix) from None
        if used:
            raise Trouble("the folder is not empty", where=str(path), fix="name a new one")
        yield path
        return
    path = Path(tempfile.mkdtemp(prefix="rampdeck-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _hang_ups_end_at_once() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _ended_by_hangup() -> Iterator[None]:
    """A closed terminal or a polite kill ends the demo's world with it."""

    ends = (signal.SIGTERM, signal.SIGHUP)

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        for each in ends:  # a closed terminal says it more than once, and leaving must not be broken off
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _speed(text: str) -> float:
    return _positive(text, "a speed")


def _seconds(text: str) -> float:
    return _positive(text, "a number of seconds")


def _positive(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what} above 0")
    return value
