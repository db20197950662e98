"""Keys that the configuration has moved: what they do, and where they are named; the old ones do nothing."""

from __future__ import annotations

from console.keymap import keymap_of
from tests.screens import states
from tests.screens.pressing import until


async def test_a_moved_key_does_it_and_the_old_one_does_not(console) -> None:
    made = console(states.ok(), keymap=keymap_of({"sort": ("S", "f5"), "burn-in": ("s",)}))
    async with made.app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: "S sort" in made.text)
        await pilot.press("s")
        await pilot.pause()
        assert "sorted once" not in made.text
        assert made.app.ramp.look.card, "s opens the burn-in card now"
        await pilot.press("f5")
        await until(pilot, lambda: "sorted once" in made.text)
        await pilot.press("b")
        await pilot.pause()
        assert made.app.ramp.look.card, "b means nothing any more"


async def test_help_and_palette_name_the_moved_key(console) -> None:
    made = console(states.ok(), keymap=keymap_of({"sort": ("S", "f5")}))
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        assert "sort (S)" in [command.title for command in made.app.get_system_commands(made.app.screen)]
        await pilot.press("?")
        await until(pilot, lambda: "  S f5    sort the rows once" in made.text)


async def test_moving_about_in_the_ledger_can_be_moved_as_well(console) -> None:
    made = console(states.ok(), keymap=keymap_of({"entry-down": ("n",)}))
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: "LEDGER" in made.text)
        moved: list[int] = []

        def note(step: int) -> None:
            moved.append(step)

        made.app.screen.action_move = note
        await pilot.press("j", "down", "n", "k")
        await until(pilot, lambda: moved == [1, -1])
