"""What each command loads: headless verbs never Textual, the quick ones no client library at all.

Each case runs in an interpreter of its own and looks into ``sys.modules`` after the command has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROBE = """
import json, sys
from console.__main__ import main
report, *words = sys.argv[1:]
sys.argv = ["rampdeck", *words]
try:
    code = main()
except SystemExit as stop:
    code = stop.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
with open(report, "w", encoding="utf-8") as out:
    json.dump({"code": code or 0, "loaded": loaded}, out)
"""

CLIENTS = {"textual", "kubernetes", "git"}
"""Nothing of these is needed to answer a question about a file or the ledger."""

QUICK = [
    ["--version"],
    ["--help"],
    ["policy", "--help"],
    ["policy", "schema"],
    ["policy", "check", "stages/policies/demo.yaml"],
    ["policy", "check", "no-such-policy.yaml"],
    ["ledger", "--help"],
    ["ledger", "list"],
    ["ledger", "show", "1"],
    ["ledger", "verify"],
    ["ledger", "export"],
    ["panic"],
    ["panic", "--print"],
]
HEADLESS = [
    ["status"],
    ["status", "--json"],
    ["watch"],
    ["policy", "adopt"],
    ["plan", "--to", "L1"],
    ["plan", "show", "no-such-plan.json"],
    ["approve", "no-such-plan.json"],
    ["apply", "no-such-plan.json", "--approval", "rda1.x.y", "--confirm", "ADVANCE"],
    ["freeze"],
    ["rollback", "--to", "L0", "--confirm", "ROLLBACK L0"],
    ["rollback", "--to", "L0", "--print"],
    ["drift"],
    ["demo", "--help"],
    ["panic", "verify"],
    ["panic", "block"],
]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and which top-level modules its process had loaded by then."""

    code: int
    loaded: frozenset[str]
    stdout: str
    stderr: str


def run(root: Path, folder: Path, words: list[str], *, timeout: float = 60) -> Ran:
    """Run one command line in its own process, with no configuration to be found but what the words name."""
    report = folder / "report.json"
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, str(report), *words],
        cwd=root,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert report.exists(), ended.stderr
    said = json.loads(report.read_text(encoding="utf-8"))
    return Ran(said["code"], frozenset(said["loaded"]), ended.stdout, ended.stderr)


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_quick_commands_load_no_client_library(root: Path, tmp_path: Path, words: list[str]) -> None:
    ran = run(root, tmp_path, words)
    assert ran.loaded & CLIENTS == set()
    assert ran.code in {0, 1, 2}
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", HEADLESS, ids=" ".join)
def test_headless_verbs_load_no_textual(root: Path, tmp_path: Path, words: list[str]) -> None:
    ran = run(root, tmp_path, words)
    assert "textual" not in ran.loaded
    assert ran.code in {0, 1, 2}
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", [["--version"], ["--help"]], ids=" ".join)
def test_the_quickest_answers_load_next_to_nothing(root: Path, tmp_path: Path, words: list[str]) -> None:
    ran = run(root, tmp_path, words)
    assert ran.code == 0
    assert ran.loaded & {*CLIENTS, "pydantic", "requests", "rich", "sqlalchemy", "yaml"} == set()


def test_version_names_the_release(root: Path, tmp_path: Path) -> None:
    assert run(root, tmp_path, ["--version"]).stdout.strip() == "rampdeck 0.1.0"


def test_a_whole_headless_demo_loads_no_textual(root: Path, tmp_path: Path) -> None:
    """The demo drives Git, the venues, the ledger and the watch: all of it without a screen."""
    world = tmp_path / "world"
    words = ["demo", "--headless", "--scenario", "calm", "--until", "2", "--json", "--dir", str(world)]
    ran = run(root, tmp_path, words, timeout=100)
    assert ran.code in {0, 1}, ran.stderr
    assert "textual" not in ran.loaded
    assert json.loads(ran.stdout)["final"]["ledger"]["verified"] is True


@pytest.mark.parametrize("package", ["console.wiring", "console.desk", "console.procedures", "console.verbs"])
def test_the_core_imports_without_a_screen_or_a_client(package: str) -> None:
    """Everything below the verbs loads its heavy parts when they are first used."""
    code = (
        "import importlib, pkgutil, sys\n"
        f"top = importlib.import_module({package!r})\n"
        "for found in pkgutil.walk_packages(getattr(top, '__path__', ()), top.__name__ + '.'):\n"
        "    importlib.import_module(found.name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) & CLIENTS == set()


def test_the_domain_imports_without_any_of_it(root: Path) -> None:
    code = (
        "import importlib, pkgutil, sys, stages\n"
        "for found in pkgutil.walk_packages(stages.__path__, 'stages.'):\n"
        "    importlib.import_module(found.name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) & {*CLIENTS, "requests", "rich", "sqlalchemy", "prometheus_api_client"} == set()


def test_the_screen_of_panic_imports_nothing_that_it_does_not_draw_with(root: Path) -> None:
    """What it commands with is loaded behind the first paint."""
    code = "import sys, console.panic.screen\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    heavy = {"git", "kubernetes", "prometheus_api_client", "pydantic", "requests", "sqlalchemy", "yaml"}
    assert set(ended.stdout.split()) & heavy == set()


def test_the_first_paint_of_the_console_imports_nothing_that_it_does_not_draw_with(root: Path) -> None:
    """Configuration, domain models, rooms and clients are loaded behind it."""
    code = "import sys, console.__main__, console.opening\nprint(*sorted(sys.modules))\n"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stdout.split())
    heavy = {"git", "kubernetes", "prometheus_api_client", "pydantic", "requests", "sqlalchemy", "yaml"}
    assert {name.partition(".")[0] for name in loaded} & heavy == set()
    models = {"stages.policy", "console.config", "console.rooms", "console.screens.ramp.page"}
    assert loaded & models == set()
    assert not [name for name in loaded if name.startswith(("console.procedures", "console.store", "console.verbs"))]
