"""The completion scripts are drawn from the parsers, and real shells complete by them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from console.__main__ import VERBS
from console.completion import SHELLS, script
from console.completion.draw import draw_all

BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
compopt() { :; }
_rampdeck
printf '%s\n' "${COMPREPLY[@]}"
"""

WANTED: Mapping[tuple[str, ...], set[str]] = {
    ("rampdeck", "dr"): {"drift", "drill"},
    ("rampdeck", "policy", ""): {"init", "check", "schema", "adopt"},
    ("rampdeck", "ledger", "ver"): {"verify"},
    ("rampdeck", "--read-only", "status", "--j"): {"--json"},
    ("rampdeck", "drill", "--mode", "p"): {"paper"},
    ("rampdeck", "completion", "z"): {"zsh"},
    ("rampdeck", "--config", "x.yaml", "doctor", "--w"): {"--wait"},
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_what_the_parsers_say(shell: str) -> None:
    assert script(shell) == draw_all()[shell], "run python -m console.completion.draw"


def test_a_script_is_printed_without_loading_the_application(root: Path) -> None:
    asked = "import sys; from console.__main__ import main; main(['completion', 'bash']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    printed, _, modules = done.stdout.rpartition("rampdeck\n")
    assert printed + "rampdeck\n" == script("bash")
    heavy = {"textual", "pydantic", "yaml", "sqlalchemy", "console.wiring", "console.config"}
    assert heavy & set(modules.split()) == set()


@pytest.mark.parametrize("words", WANTED, ids=" ".join)
def test_bash_completes(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "rampdeck.bash"
    file.write_text(script("bash"))
    done = subprocess.run(
        ["bash", "--norc", "-uc", BASH, "bash", str(file), *words],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    found = set(done.stdout.split())
    assert WANTED[words] <= found if words[-1] == "" else WANTED[words] == found


def test_bash_offers_every_verb(tmp_path: Path) -> None:
    file = tmp_path / "rampdeck.bash"
    file.write_text(script("bash"))
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(file), "rampdeck", ""],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert {name for name, (_, summary) in VERBS.items() if summary} <= set(done.stdout.split())


@pytest.mark.parametrize("words", WANTED, ids=" ".join)
def test_fish_completes(words: tuple[str, ...], tmp_path: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("platform: fish is not installed")
    file = tmp_path / "rampdeck.fish"
    file.write_text(script("fish"))
    line = " ".join(words)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert WANTED[words] <= {each.partition("\t")[0] for each in done.stdout.splitlines()}


def test_zsh_reads_its_script_and_defines_every_verb(tmp_path: Path) -> None:
    if not shutil.which("zsh"):
        pytest.skip("platform: zsh is not installed")
    file = tmp_path / "_rampdeck"
    file.write_text(script("zsh"))
    asked = f"autoload -Uz compinit; compinit -u -d {tmp_path}/dump; source {file}; print -l ${{(k)functions}}"
    done = subprocess.run(
        ["zsh", "-f", "-c", asked],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.stderr == ""
    assert {"_rampdeck", "_rampdeck_policy_init", "_rampdeck_permit_reduce"} <= set(done.stdout.split())
