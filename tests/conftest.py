"""What every test stands on: a neutral environment, the Torghut material, and no silent skips where all is required."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""

REQUIRE_ALL = "RAMPDECK_REQUIRE_ALL"
"""Set to 1 where every part is installed: a skipped test is then a failed one."""

PLATFORM = "platform: "
"""A skip whose reason begins so is about the machine, not about a missing part, and stays a skip."""

NEEDS_SERVER, WITHOUT_SERVER = "API server: ", "RAMPDECK_WITHOUT_API_SERVER"
"""A skip for want of the API server's binaries begins so; only that variable, set to a reason, lets it be one."""

KEPT = {REQUIRE_ALL, WITHOUT_SERVER, "RAMPDECK_SHARED"}
"""Variables of the run itself, which reach the tests."""

LONGEST_FIRST = ("pty", "integration", "property", "screens", "unit")
"""Folders by how long their files take: what is begun early ends with the others."""

# Two busy cores make any single example slow now and then; the whole test has its own time limit.
settings.register_profile("rampdeck", deadline=None)
settings.load_profile("rampdeck")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that none is left running alone; the tests of a file keep together and in order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    folders = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (item.path not in slow, folders.get(item.path.parent.name, -1)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository, as it lies on disk."""
    return ROOT


@pytest.fixture(scope="session")
def torghut_folder() -> Path:
    """Torghut's real manifests, status and metrics: $RAMPDECK_SHARED/torghut, else ../shared/torghut."""
    shared = Path(os.environ.get("RAMPDECK_SHARED") or ROOT.parent / "shared")
    folder = shared / "torghut"
    if not (folder / "manifests").is_dir():
        pytest.skip(f"Torghut's manifests are not at {folder}; set RAMPDECK_SHARED to the folder that holds torghut/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _neutral_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the developer's own (Git settings, agents, configuration, colours) reaches a test."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GIT_", "TEXTUAL", "RAMPDECK_")) and name not in KEPT:
                patch.delenv(name)
        for name in ("SSH_AUTH_SOCK", "NO_COLOR", "FORCE_COLOR", "KUBECONFIG", "COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        patch.setenv("TZ", "UTC")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLORTERM", "truecolor")
        # Started behind nohup or an ampersand, every child would ignore its closing window, and ctrl+c.
        inherited = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT)}
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        for number, handler in inherited.items():
            signal.signal(number, handler)


def _fail_a_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure with the skip's own reason, where every part is required."""
    if os.environ.get(REQUIRE_ALL) != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    where, line, said = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
    reason = said.removeprefix("Skipped: ")
    if reason.startswith(PLATFORM) or (reason.startswith(NEEDS_SERVER) and os.environ.get(WITHOUT_SERVER)):
        return
    report.outcome = "failed"
    report.longrepr = f"{where}:{line}: skipped although {REQUIRE_ALL}=1: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Every phase of every test: a skip counts as a failure where all is required."""
    report = yield
    _fail_a_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself as a whole counts as well."""
    report = yield
    _fail_a_skip(report)
    return report
