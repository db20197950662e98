"""Where every part is required, a test that skips has not been run and must say so by failing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MISSING_PARTS = {
    "test_called.py": "import pytest\n\ndef test_it():\n    pytest.skip('no ssh-keygen here')\n",
    "test_marked.py": "import pytest\n\n@pytest.mark.skip(reason='no git here')\ndef test_it():\n    assert True\n",
    "test_fixture.py": "def test_it(torghut_folder):\n    assert torghut_folder\n",
    "test_module.py": "import pytest\n\npytest.skip('no postgres here', allow_module_level=True)\n",
}
LEFT_ALONE = {
    "test_machine.py": "import pytest\n\ndef test_it():\n    pytest.skip('platform: needs two terminals')\n",
    "test_known.py": "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test_it():\n    raise ValueError\n",
}

NO_SERVER = {
    "test_cluster.py": "import pytest\n\ndef test_it():\n    pytest.skip('API server: not built here')\n",
    "test_other.py": "import pytest\n\ndef test_it():\n    pytest.skip('no etcd here')\n",
}


def run_planted(
    folder: Path, planted: dict[str, str], *, require_all: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run planted test files under the project's own conftest, in a process of its own."""
    conftest = Path(__file__).parent.parent / "conftest.py"
    sources = {"conftest.py": conftest.read_text(encoding="utf-8"), "pytest.ini": "[pytest]\n", **planted}
    for name, source in sources.items():
        (folder / name).write_text(source, encoding="utf-8")
    own = {"RAMPDECK_REQUIRE_ALL": require_all, "RAMPDECK_SHARED": str(folder / "nothing")}
    inherited = {name: value for name, value in os.environ.items() if name != "RAMPDECK_WITHOUT_API_SERVER"}
    # None of the plugins installed here has a part in a skip, and loading them takes longer than the run.
    environment = {**inherited, **own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-ra",
            "--continue-on-collection-errors",
            str(folder),
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_skip_fails_where_all_is_required(tmp_path: Path) -> None:
    run = run_planted(tmp_path, MISSING_PARTS, require_all="1")
    assert run.returncode not in {0, 5}, run.stdout
    for reason in ("no ssh-keygen here", "no git here", "Torghut's manifests are not at", "no postgres here"):
        assert f"skipped although RAMPDECK_REQUIRE_ALL=1: {reason}" in run.stdout
    assert "skipped in" not in run.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    run = run_planted(tmp_path, MISSING_PARTS, require_all="")
    assert run.returncode in {0, 5}, run.stdout
    assert "4 skipped" in run.stdout


def test_the_machine_and_expected_failures_are_left_alone(tmp_path: Path) -> None:
    run = run_planted(tmp_path, LEFT_ALONE, require_all="1")
    assert run.returncode == 0, run.stdout
    assert "1 skipped, 1 xfailed" in run.stdout


def test_the_api_server_is_missed_where_all_is_required(tmp_path: Path) -> None:
    run = run_planted(tmp_path, NO_SERVER, require_all="1")
    assert "skipped although RAMPDECK_REQUIRE_ALL=1: API server: not built here" in run.stdout


def test_an_excused_api_server_excuses_its_own_tests_alone(tmp_path: Path) -> None:
    run = run_planted(tmp_path, NO_SERVER, require_all="1", RAMPDECK_WITHOUT_API_SERVER="the proxy does not answer")
    assert run.returncode != 0, run.stdout
    assert "1 skipped" in run.stdout
    assert "skipped although RAMPDECK_REQUIRE_ALL=1: no etcd here" in run.stdout
