"""The pages themselves: what the policy and the configuration may hold, and what keys and commands do."""

from __future__ import annotations

from typing import Final

from console.actions import ACTIONS, Action, On, Toward
from console.completion.draw import Verb, program
from console.config import ENVIRONMENT, Settings
from console.keymap import stays
from console.reference.fields import tables
from stages.policy import REQUIRED_CONTROLS, Policy

_DRAWN: Final = "Drawn from the program itself by `python -m console.reference`; a test compares the two.\n"

_POLICY: Final = f"""\
# The policy

One YAML file in your GitOps repository says what the stages are, where each control is written, what is watched and
what happens when it breaks. `rampdeck policy init FOLDER` proposes a first one, `rampdeck policy check FILE` names
every problem by its line, `rampdeck policy schema` prints a JSON Schema for editors, and `rampdeck policy adopt` puts
it in force.

Required are `target`, `controls` and `stages`; every stage sets all of
{", ".join(f"`{name}`" for name in REQUIRED_CONTROLS)}.
Without signals and triggers nothing steps down by itself, and `status` says so. Times of day and days stand in quotes.

{_DRAWN}"""

_CONFIGURATION: Final = """\
# The configuration

`rampdeck.yaml` is a person's own: `--config FILE`, else `$RAMPDECK_CONFIG`, else the first of `./rampdeck.yaml`,
`$XDG_CONFIG_HOME/rampdeck/rampdeck.yaml` (`~/.config`) and `/etc/rampdeck/rampdeck.yaml`. An option stands above the
environment, the environment above the file; paths are relative to the file. Only what a verb uses is required.
`rampdeck config show` tells each value and where it came from, `rampdeck config check` everything that is wrong,
`rampdeck doctor` what is missing around it.
"""

_KEYS: Final = """\
`?` shows the keys of the page you are on, `ctrl+p` finds every action by its name.

Where a name stands, `rampdeck.yaml` may give the action another key, or several; footer, help and palette follow:

```yaml
keys: {sort: S, next-change: [n, f5]}
```

What acts, confirms or leads out keeps its key on every screen, and nothing else may take it. `rampdeck config check`
says everything that is wrong at once, each with its line.
"""

_WHERE: Final = {
    On.EVERY: "Everywhere",
    On.RAMP: "Ramp",
    On.PLAN: "Plan",
    On.REDUCE: "Reduce risk",
    On.INCIDENT: "Incident",
    On.CLEAR: "Clear",
    On.LEDGER: "Ledger",
    On.DRILL: "Drill",
    On.HELP: "Help",
}

_TOWARD: Final = {Toward.LOOK: "", Toward.SCREEN: "", Toward.SAFER: "safer", Toward.RISKIER: "**riskier**"}


def pages() -> dict[str, str]:
    """Every page of docs/ that is drawn, by its name."""
    return {"policy.md": _policy(), "configuration.md": _configuration(), "keys.md": _keys()}


def _policy() -> str:
    return "\n".join([_POLICY, *tables(Policy)])


def _configuration() -> str:
    names = "\n".join(f"| `{variable}` | `{'.'.join(keys)}` |" for variable, keys in ENVIRONMENT.items())
    environment = f"| variable | stands for |\n|---|---|\n{names}\n"
    return "\n".join([_CONFIGURATION, environment, _DRAWN, *tables(Settings, internal=("origin",))])


def _keys() -> str:
    parts = ["# Keys and commands\n", _KEYS, _DRAWN]
    for screen in On:
        rows = [
            f"| `{action.label}` | {action.title} | {_TOWARD[action.toward]} | {_named(action)} |"
            for action in ACTIONS
            if action.on is screen
        ]
        if rows:
            parts += [
                f"## {_WHERE.get(screen, screen.value.title())}\n",
                "| key | does | | name |\n|---|---|---|---|",
                *rows,
                "",
            ]
    from console.__main__ import VERBS, shared_options

    whole = program(VERBS, shared_options())
    parts += ["## Commands\n", "| command | options | does |\n|---|---|---|"]
    shared = {name for option in whole.options for name in option.names}
    parts += [_command(verb, shared) for verb in whole.all() if verb.words]
    parts += ["", f"Every command also takes {', '.join(f'`{name}`' for name in sorted(shared))}.", ""]
    return "\n".join(parts)


def _named(action: Action) -> str:
    """The name under which the configuration moves an action; nothing for one that stays."""
    return "" if stays(action) else f"`{action.id}`"


def _command(verb: Verb, shared: set[str]) -> str:
    options = [" ".join(one.names) for one in verb.options if not shared & set(one.names) and "-h" not in one.names]
    listed = " ".join(f"`{each}`" for each in options)
    return f"| `{' '.join(verb.words)}` | {listed} | {verb.help} |".replace("  ", " ")
