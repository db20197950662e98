"""A console that cannot come up: the terminal is given back as it was, then one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pty.terminal import Terminal

pytestmark = [pytest.mark.pty, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("ledger: sqlite:///ledger.db\nenvironment: {title: staging}\n", "rampdeck.yaml:2:"),
        ("ledger: sqlite:///ledger.db\n", "'repository' is not configured"),
        ("ledger: [\n", "rampdeck.yaml:"),
    ],
    ids=["unknown-key", "nothing-to-watch", "no-yaml"],
)
def test_a_configuration_that_cannot_be_used_ends_in_one_line(tmp_path: Path, written: str, said: str) -> None:
    config = tmp_path / "rampdeck.yaml"
    config.write_text(written, encoding="utf-8")
    with Terminal(["--config", str(config)]) as terminal:
        assert terminal.ends() == 2
        assert terminal.restored
        *_, last = (line for line in terminal.text.replace("\n", "").split("rampdeck: ") if line)
        assert said in last
        assert "Traceback" not in terminal.text
