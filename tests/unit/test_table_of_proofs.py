"""The table of proofs in tests/README.md: whatever it names exists, and no row of the triggers is without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`(test_\w+)::(test_\w+)`")
SECTIONS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1")


def rows() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each row: the section, the rule in words, and the tests as file and name."""
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        if re.match(r"\| \d", line):
            section, rule, tests = (part.strip() for part in line.strip().strip("|").split("|"))
            yield section, rule, NAMED.findall(tests)


@cache
def names_in(file: str) -> frozenset[str]:
    [path] = FOLDER.glob(f"*/{file}.py")
    return frozenset(re.findall(r"(?m)^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8")))


def test_every_row_names_tests_that_exist() -> None:
    for section, rule, tests in rows():
        assert tests, f"{section} {rule}: no test"
        assert [name for file, name in tests if name not in names_in(file)] == [], f"{section} {rule}"


def test_every_section_has_its_rows() -> None:
    known = [section.split()[0] for section, _, _ in rows()]
    assert set(SECTIONS) <= set(known)
    triggers = [rule for section, rule, _ in rows() if section == "2.1"]
    assert len(triggers) >= 20, "fifteen rows of triggers, and what is said of the join"


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each step of a change, and its cells: success, refusal, timeout, partial success, restart."""
    table = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## What each step is proved by")[2]
    for line in table.splitlines():
        name, *cells = (part.strip() for part in line.strip().strip("|").split("|"))
        if line.startswith("| ") and name != "step":
            yield name, cells


def test_every_step_has_a_proof_of_each_end_or_the_reason_why_there_is_none() -> None:
    names = [name for name, _ in steps()]
    assert {"apply", "follow", "reduce", "kill", "restore", "resume", "drill"} <= set(names)
    for name, cells in steps():
        assert len(cells) == 5, name
        assert all(cells), f"{name}: an empty cell"
        found = [one for cell in cells for one in NAMED.findall(cell)]
        assert [test for file, test in found if test not in names_in(file)] == [], name
