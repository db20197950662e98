"""Copying: the terminal's own sequence, tmux, credentials, and what is too long for a terminal."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from console.copying import JSON, MOST, PATCH, TEXT, Copy, as_json, hand_over
from console.crash import redacted
from console.screens.commands import past_tmux

NOW = datetime(2026, 11, 24, 19, 31, 8, tzinfo=UTC)
SECRET = "s3cr3t" + "-value"


def over(copy: Copy, folder: Path | None = None) -> tuple[str, list[str]]:
    clipped: list[str] = []
    return hand_over(copy, clipped.append, folder, NOW, str(folder.parent) if folder else None), clipped


def test_through_tmux_every_escape_is_doubled_and_the_whole_is_wrapped() -> None:
    said = past_tmux("a\nb ü")
    assert said.startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert said.endswith("\a\x1b\\")
    assert base64.b64decode(said.split(";")[-1].partition("\a")[0]).decode() == "a\nb ü"


def test_what_was_copied_is_said_with_the_command_that_prints_it() -> None:
    said, clipped = over(Copy("gross", TEXT, lambda: "gross 3,912 $", "rampdeck status"))
    assert clipped == ["gross 3,912 $"]
    assert said == "gross as text, 13 bytes, handed to the terminal's clipboard. 'rampdeck status' prints it."


def test_what_looks_like_a_credential_stays_here_and_a_patch_says_that_it_does_not_apply() -> None:
    said, [text] = over(Copy("plan 7f3a", PATCH, lambda: f"+ password: {SECRET}\n", "rampdeck plan --to L1 --patch"))
    assert SECRET not in text
    assert "Secrets are left out, so that it does not apply. 'rampdeck plan --to L1 --patch' prints it whole." in said


def test_documents_hide_values_by_their_names_and_stay_json() -> None:
    document = {"password": f'{SECRET}"x', "apiKey": SECRET, "confirmationToken": "ADVANCE x L0 L1", "name": "b"}
    hidden = redacted(as_json(document))
    assert SECRET not in hidden
    read = json.loads(hidden)
    assert read == document | {"password": "[redacted]", "apiKey": "[redacted]"}


def test_what_is_too_long_goes_to_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "copies"
    said, clipped = over(Copy("entry 13", JSON, lambda: "x" * (MOST + 1)), folder)
    assert clipped == []
    [path] = folder.iterdir()
    assert (
        said
        == f"entry 13 as JSON: 74,995 bytes are too many for a terminal's clipboard: written to ~/copies/{path.name}."
    )
    assert path.name == "entry-13-20261124T193108.json"
    assert path.read_text() == "x" * (MOST + 1)
    assert path.stat().st_mode & 0o077 == 0


def test_what_fits_exactly_is_still_copied() -> None:
    _, clipped = over(Copy("page", TEXT, lambda: "x" * MOST))
    assert len(clipped[0]) == MOST
    assert len(base64.b64encode(clipped[0].encode())) < 100_000


def test_without_a_folder_or_a_place_to_write_the_command_is_the_way_out(tmp_path: Path) -> None:
    long = Copy("entry 13", TEXT, lambda: "x" * (MOST + 1), "rampdeck ledger show 13")
    assert over(long)[0].endswith("clipboard. 'rampdeck ledger show 13' prints it.")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in over(long, tmp_path / "file" / "copies")[0]


def test_nothing_is_said_to_be_nothing() -> None:
    assert over(Copy("readings", TEXT, lambda: ""))[0] == "readings: there is nothing to copy yet."
