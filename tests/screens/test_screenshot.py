"""Pictures of the screen: where they lie, in which colours, and that nothing planted on the page is in the file."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from console.config import Settings
from console.picture import take, veil_of, veiled
from console.veil import Veil
from stages.value import replace
from tests.screens import states
from tests.screens.pressing import field_of, until
from widgets.palette import THEMES

SECRET = "hunter2" + "-very-secret"
HOST, HOME = "prom.internal.example", "/home/alice-the-person"
PLANTED = (
    f"14:31 prices from {HOST}:9090 with Bearer {SECRET}; rda1.{SECRET}.sig kept in {HOME}/.ssh/id_ed25519 on OPS-1",
    f"14:30 https://bob:{SECRET}@{HOST}/x and password={SECRET}",
)


def texts(svg: str) -> str:
    """Everything that the picture says, row after row."""
    return html.unescape(" ".join(re.findall(r">([^<]+)</text>", svg))).replace("\xa0", " ")


def pictures(folder: Path) -> list[Path]:
    return sorted((folder / "state" / "screenshots").glob("*.svg"))


async def test_nothing_that_was_planted_is_in_the_file(console, tmp_path) -> None:
    frame = replace(states.ok(), events=PLANTED)
    made = console(frame, veil=Veil((HOST, "ops-1"), HOME))
    async with made.app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: SECRET in made.text and HOST in made.text and HOME in made.text)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "picture, without secrets and hosts" in made.text)
    [path] = pictures(tmp_path)
    svg = path.read_text(encoding="utf-8")
    for planted in (SECRET, HOST, HOME, "OPS-1", "alice-the-person"):
        assert planted not in svg
        assert planted not in texts(svg)
    said = texts(svg)
    for kept in ("torghut [PRODUCTION]", "EXPOSURE", "prices from", ":9090 with Bearer", "/.ssh/id_ed25519 on"):
        assert kept in said
    assert path.stat().st_mode & 0o077 == 0
    assert not re.search(r"@font-face|url\(.?http", svg), "a picture fetches nothing"


@pytest.mark.parametrize("theme", THEMES)
async def test_the_picture_wears_the_theme(console, tmp_path, theme: str) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(80, 24)) as pilot:
        made.app.theme = theme
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pictures(tmp_path))
    svg = pictures(tmp_path)[0].read_text(encoding="utf-8").lower()
    hues = THEMES[theme]
    assert all(colour in svg for colour in (hues.background, hues.foreground, hues.red))


async def test_a_picture_is_taken_where_letters_are_typed_and_shows_what_is_typed(console, tmp_path) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await pilot.press(*"freeze", "ctrl+s")
        await until(pilot, lambda: "picture, without secrets and hosts" in made.text)
    assert "> freeze" in texts(pictures(tmp_path)[0].read_text(encoding="utf-8"))


def test_a_secret_that_changes_its_style_within_is_covered_whole() -> None:
    tag = '<text class="r1" x="{x}" y="20" textLength="{length}" clip-path="url(#a)">{text}</text>'
    svg = tag.format(x=12.2, length=12.2 * 9, text="token=abc") + tag.format(x=122, length=12.2 * 5, text="def&#160;x")
    covered = veiled(svg, Veil())
    assert "token=***" in covered
    assert "***&#160;x" in covered
    assert veiled(svg.replace("token", "taken"), Veil()) == svg.replace("token", "taken")


def test_wide_characters_are_covered_cell_by_cell() -> None:
    svg = '<text class="r" x="0" y="1" textLength="36.6" clip-path="c">交a</text>'
    assert ">***<" in veiled(svg, Veil(("交a",)))


def test_what_is_configured_is_what_is_hidden() -> None:
    settings = Settings.model_validate(
        {
            "repository": {"remote": "git@git.example:org/x.git"},
            "ledger": f"postgresql+psycopg://ramp:{SECRET}@db.example/ramp",
            "databases": {"m": "postgresql+psycopg://u:p4ss@sql.example/db"},
            "endpoints": {"app": "http://127.0.0.1:80", "other": "http://app.example:8080/x"},
            "prometheus": {"url": "https://prom.example", "tokenFrom": {"env": "PROM_TOKEN"}},
            "screen": {"hide": ["Project Heron"]},
        }
    )
    veil = veil_of(settings, "ops-1", {"HOME": "/home/a", "PROM_TOKEN": "tok"})
    hosts = {"git.example", "db.example", "sql.example", "app.example", "prom.example", "ops-1"}
    assert set(veil.words) == hosts | {SECRET, "p4ss", "tok", "Project Heron"}
    assert veil.home == "/home/a"


def test_without_a_place_to_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "there is no folder" in take("<svg/>", Veil(), None, states.NOW, None)
    assert "cannot be written" in take("<svg/>", Veil(), tmp_path / "file" / "x", states.NOW, None)
