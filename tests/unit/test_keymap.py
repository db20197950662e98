"""Configured keys: what may move, what stays, and one clear line for each thing that is wrong."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys, _character_to_key

from console import keymap
from console.__main__ import main
from console.actions import ACTIONS, On, actions_on
from console.config import Settings
from console.footer import footer
from console.keymap import STANDARD, keymap_of, problems, read_key, shown_key, stays
from console.opening import keymap_in
from stages.model_problems import Unloadable


def said(configured: dict[str, tuple[str, ...]]) -> list[str]:
    return [f"{one.what}; {one.fix}" for one in problems(configured)]


def test_every_character_has_the_terminal_librarys_name() -> None:
    for character in map(chr, range(33, 127)):
        assert read_key(character) == _character_to_key(character), character
        assert read_key(shown_key(_character_to_key(character))) == _character_to_key(character)


def test_every_name_is_a_key_that_the_terminal_library_reads() -> None:
    """As it stands in its tables, so that no configured key can never be pressed."""
    read = {key.value for keys in ANSI_SEQUENCES_KEYS.values() if isinstance(keys, tuple) for key in keys}
    read |= {key.value for key in Keys} | {"space", "ctrl+left_square_bracket"}
    assert keymap._NAMED - read == set()
    assert all(unicodedata.name(sign) for sign in keymap._SIGNS.values())


def test_the_registry_names_keys_that_can_be_read_and_none_twice_on_a_screen() -> None:
    assert {key for action in ACTIONS for key in action.keys.split(",") if read_key(key) is None} == set()
    assert list(keymap._clashes(STANDARD)) == []
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_footer_follows_what_is_moved() -> None:
    moved = keymap_of({"sort": ("S", "f5"), "next-change": ("slash",)})
    [sort] = [action for action in ACTIONS if action.id == "sort"]
    assert (moved.label(sort), moved.labels(sort), moved.keys(sort)) == ("S", "S f5", ("S", "f5"))
    assert "/ N change" in footer(On.PLAN, None, 200, moved.label)
    assert moved.bound() == {"sort": "S,f5", "next-change": "slash"}


def test_what_acts_confirms_or_leads_out_stays() -> None:
    """Whatever may change the target, and every key that ends, confirms or explains."""
    fixed = {action.id for action in ACTIONS if stays(action)}
    assert {"reduce", "kill", "plan", "clear", "yes", "incident", "take-over", "abandon", "request", "field"} <= fixed
    assert {"quit", "back", "help", "palette", "acknowledge"} <= fixed
    for name in fixed:
        [line] = said({name: ("Z",)})
        assert line.startswith(f"keys.{name}: ")
        assert "stays where it is" in line


@pytest.mark.parametrize("key", ["r", "!", "q", "esc" + "ape", "ctrl+c", "ctrl+p", "?", "c", "y", "tab", "enter"])
def test_the_key_of_what_acts_is_given_to_nothing_on_any_screen(key: str) -> None:
    """Although a screen may have no use for it: the hand that means one thing must not do another."""
    for name in ("sort", "fold", "tail", "longer", "evidence"):
        [line] = said({name: (key,)})
        assert "means nothing else anywhere" in line


@pytest.mark.parametrize(
    ("configured", "line"),
    [
        ({"srot": ("S",)}, "keys.srot: there is no such action; did you mean 'sort'?"),
        ({"sort": ("shift+s",)}, "keys.sort: no key is called 'shift+s'; write 'S'"),
        ({"sort": ("pgup",)}, "keys.sort: no key is called 'pgup'; did you mean 'pageup'?"),
        ({"sort": ("ctrl+i",)}, "keys.sort: a terminal cannot tell ctrl+i from tab; choose another key"),
        ({"sort": ()}, "keys.sort: no key is named; name one, or leave it out"),
        (
            {"sort": ("b",)},
            "keys.sort: b is the key of 'burn-in' on ramp too; choose another key, or move that one as well",
        ),
    ],
)
def test_each_fault_is_one_clear_line(configured: dict[str, tuple[str, ...]], line: str) -> None:
    assert said(configured) == [line]


def test_two_actions_may_change_places() -> None:
    assert said({"sort": ("b",), "burn-in": ("s",)}) == []
    assert len(said({"sort": ("Z",), "burn-in": ("Z",)})) == 1


def test_a_key_of_its_own_may_be_named_again_beside_another() -> None:
    """``y`` copies the readings on Zoom as it is; elsewhere it asks and confirms."""
    assert said({"copy-readings": ("y", "f6"), "zoom": ("enter", "z"), "open": ("o",)}) == []


TEXT = 'keys:\n  sort: shift+s\n  reduce: R\n  nosuch: x\n  fold: ["f", "r"]\n  tail: 5\n'


def test_config_check_tells_all_of_them_at_once_by_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(TEXT.replace("  tail: 5\n", ""))
    assert main(["config", "check", "--config", str(path)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0:2] for line in lines] == [
        [f"{path}:2:", "keys.sort:"], [f"{path}:3:", "keys.reduce:"], [f"{path}:4:", "keys.nosuch:"],
        [f"{path}:5:", "keys.fold:"],
    ]  # fmt: skip
    path.write_text(TEXT)
    assert main(["config", "check", "--config", str(path)]) == 2
    assert f"{path}:6: keys.tail: input should be a valid tuple" in capsys.readouterr().out


def test_config_show_tells_the_keys_and_who_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text("keys:\n  sort: S\n  fold: [f, f5]\n")
    assert main(["config", "check", "--config", str(path)]) == 0
    capsys.readouterr()
    assert main(["config", "show", "--json", "--config", str(path)]) == 0
    rows = {row["key"]: (row["value"], row["origin"]) for row in json.loads(capsys.readouterr().out)["settings"]}
    assert (rows["keys.sort"], rows["keys.fold"]) == (("S", f"{path}:2"), ("f f5", f"{path}:3"))


def test_the_console_does_not_open_on_keys_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(TEXT)
    settings = Settings(keys={"sort": ("shift+s",), "reduce": ("R",)}, origin=path)
    with pytest.raises(Unloadable) as refused:
        keymap_in(settings)
    assert [line.split(" ")[0] for line in refused.value.problems] == [f"{path}:2:", f"{path}:3:"]
    assert keymap_in(Settings()) == STANDARD


def test_no_screen_is_without_its_ways_out() -> None:
    for screen in On:
        assert {"help", "back", "palette"} <= {action.id for action in actions_on(screen)}
