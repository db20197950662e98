"""The rules of the house that no linter knows, and the proof that the linters' own rules bite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("console", "stages", "widgets")
ADAPTERS = ("detach", "gitops", "identity", "runtime", "sources", "store", "venue")
TOP_LEVEL = {
    *(".ci", ".editorconfig", ".gitattributes", ".gitignore", ".importlinter", ".python-version"),
    *("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml", "uv.lock"),
    *("console", "docs", "screenshots", "stages", "tests", "widgets"),
}
SHAPELESS_NAMES = {"base", "common", "helpers", "manager", "misc", "models", "types", "util", "utils"}
BINARY = {".png", ".ico", ".gz", ".db", ".sqlite"}


def tracked(root: Path) -> list[Path]:
    """Every file of the project, relative to its root: committed or about to be."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return [Path(name) for name in listing.stdout.split("\0") if name and (root / name).is_file()]


def hits(root: Path, pattern: str, files: list[Path]) -> list[str]:
    """``file:line: text`` of each line that matches the pattern."""
    wanted = re.compile(pattern)
    return [
        f"{file}:{number}: {line.strip()}"
        for file in files
        if file.suffix not in BINARY
        for number, line in enumerate((root / file).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if wanted.search(line)
    ]


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    return tracked(root)


@pytest.fixture(scope="module")
def product(files: list[Path]) -> list[Path]:
    """The Python files of the three packages."""
    return [file for file in files if file.parts[0] in PACKAGES and file.suffix == ".py"]


def test_the_top_of_the_repository_is_tidy(files: list[Path]) -> None:
    assert {file.parts[0] for file in files} <= TOP_LEVEL


def test_no_path_of_one_machine(root: Path, files: list[Path]) -> None:
    assert hits(root, r"(?<![\w./~$}-])/(?:work|root)(?=[/\s'\"`,;:)]|$)", files) == []


def test_nothing_outside_the_repository_but_in_tests(root: Path, files: list[Path]) -> None:
    assert hits(root, r"\.\./shared", [file for file in files if file.parts[0] != "tests"]) == []


def test_no_package_index_is_named(root: Path, files: list[Path]) -> None:
    """Where packages come from is each machine's own setting; the lock carries the public addresses alone."""
    settings = "index[-_]url|find[-_]links|trusted[-_]host"
    hosts = r"pypi\.org|pythonhosted\.org"
    assert hits(root, rf"(?i){settings}|{hosts}", [file for file in files if file.name != "uv.lock"]) == []
    named = set(re.findall(r"https?://([^/\"]+)", (root / "uv.lock").read_text(encoding="utf-8")))
    assert all(re.search(hosts, host) for host in named), named


def test_nothing_is_left_for_later(root: Path, files: list[Path]) -> None:
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
    assert hits(root, rf"\b(?:{marks})\b", [file for file in files if file.suffix in {".py", ".md", ".toml"}]) == []


def test_threads_post_messages_and_never_call_into_the_screen(root: Path, product: list[Path]) -> None:
    outside_the_app = [file for file in product if file != Path("console/app.py")]
    assert hits(root, r"\bcall_from_thread\b", outside_the_app) == []


def test_files_are_named_for_their_subject(product: list[Path]) -> None:
    assert [file for file in product if file.stem.strip("_") in SHAPELESS_NAMES] == []


def test_rooms_are_small(root: Path, files: list[Path]) -> None:
    """Of the product and of its tests."""
    rooms = [file for file in files if file.parts[0] in {*PACKAGES, "tests"} and file.suffix == ".py"]
    lines = {file: len((root / file).read_text(encoding="utf-8").splitlines()) for file in rooms}
    limit = {Path("console/app.py"): 250}
    assert {file: count for file, count in lines.items() if count > limit.get(file, 500)} == {}


def test_test_files_have_names_of_their_own(files: list[Path]) -> None:
    names = [file.name for file in files if file.parts[0] == "tests" and file.name.startswith("test_")]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)


def test_readme_names_commands_that_exist(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", readme, flags=re.DOTALL) + re.findall(r"`([^`\n]+)`", readme))
    named = set(re.findall(r"(?m)^make ([a-z]+)", code))
    targets = set(re.findall(r"(?m)^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8")))
    assert {"demo", "test"} <= named <= targets


def test_readme_points_at_files_that_exist(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", readme)
    assert links
    assert [link for link in links if not (root / link).exists()] == []


def test_the_check_script_runs_as_it_lies(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


# ----------------------------------------------------------------------------------------------- the linters' own rules

BANNED = {
    "datetime.now": "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "date.today": "import datetime\n\nTODAY = datetime.date.today()\n",
    "time.time": "import time\n\nNOW = time.time()\n",
    "time.time as a value": "import time\n\nCLOCK = time.time\n",
    "monotonic": "from time import monotonic\n\nNOW = monotonic()\n",
    "perf_counter": "import time\n\nNOW = time.perf_counter()\n",
    "sleep": "import time\n\ntime.sleep(1)\n",
    "random": "import random\n\nCHANCE = random.random()\n",
    "from random": "from random import choice\n\nCHANCE = choice([1])\n",
    "uuid4": "import uuid\n\nID = uuid.uuid4()\n",
    "secrets": "import secrets\n\nNONCE = secrets.token_hex()\n",
    "os.system": "import os\n\nos.system('true')\n",
}


def ruff(root: Path, name: str, source: str) -> str:
    """What ruff says of a source as if it lay at that name in the project."""
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename", name, "-"],
        cwd=root,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {0, 1}, run.stderr
    return run.stdout


@pytest.mark.parametrize("what", sorted(BANNED))
def test_clock_and_chance_are_banned(root: Path, what: str) -> None:
    for name in ("stages/planted.py", "widgets/planted.py", "console/watch/planted.py", "console/identity.py"):
        assert "TID251" in ruff(root, name, BANNED[what]), name


@pytest.mark.parametrize("name", ["console/wiring/planted.py", "console/demo/planted.py", "tests/unit/test_planted.py"])
def test_clock_and_chance_enter_at_the_edge(root: Path, name: str) -> None:
    assert "TID251" not in ruff(root, name, BANNED["time.time"])


def test_standard_output_has_one_door(root: Path) -> None:
    assert "T201" in ruff(root, "console/verbs/planted.py", "print('x')\n")
    assert "T201" not in ruff(root, "console/output.py", "print('x')\n")


PLANTED_IMPORTS = {
    "stages/planted.py": "import requests\nimport widgets\n",
    "widgets/planted.py": "import subprocess\n",
    "console/verbs/planted.py": "import git, kubernetes, sqlalchemy, subprocess, textual\nimport console.store\n",
    "console/procedures/planted_a.py": "import console.procedures.planted_b\nimport console.verbs.planted\n",
    "console/procedures/planted_b.py": "",
    "console/screens/planted_a.py": "import console.screens.planted_b\n",
    "console/screens/planted_b.py": "",
    "console/sources/planted_a.py": "import console.sources.planted_b\n",
    "console/sources/planted_b.py": "",
}


def contracts(root: Path) -> list[dict[str, object]]:
    """The import contracts as pyproject.toml has them."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, object]] = pyproject["tool"]["importlinter"]["contracts"]
    return found


def test_every_import_contract_breaks_when_it_is_broken(root: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    for name, source in PLANTED_IMPORTS.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    unbroken = [c["name"] for c in contracts(root) if not re.search(rf"{re.escape(str(c['name']))} BROKEN", run.stdout)]
    assert unbroken == [], run.stdout


def test_every_adapter_is_under_contract(root: Path) -> None:
    [adapters] = [contract for contract in contracts(root) if contract["id"] == "adapters"]
    there = [name for name in ADAPTERS if (root / "console" / name).exists() or (root / f"console/{name}.py").exists()]
    listed = adapters["forbidden_modules"]
    assert isinstance(listed, list)
    assert {f"console.{name}" for name in there} <= set(listed)
