"""Draws the completion scripts from the verbs' own parsers: ``python -m console.completion.draw``.

A script knows everything that can be known without the program: verbs, their verbs, options, words and which are files.
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from stages.value import Struct, field

_PATHS: Final = ("FILE", "FOLDER", "plan.json")


class Value(Struct, frozen=True):
    """What an option or a place takes: some words, a path, or something that only the person knows."""

    words: tuple[str, ...] = ()
    path: bool = False


class Option(Struct, frozen=True):
    """An option with all its names; ``value`` is None for a switch."""

    names: tuple[str, ...]
    help: str
    value: Value | None


class Verb(Struct, frozen=True):
    """A verb, and the verbs below it."""

    words: tuple[str, ...]
    help: str
    options: tuple[Option, ...] = ()
    places: tuple[Value, ...] = ()
    verbs: tuple[Verb, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.words[-1] if self.words else ""

    @property
    def takes_paths(self) -> bool:
        """Whether a file may stand here."""
        return any(place.path for place in self.places)

    @property
    def takes(self) -> tuple[str, ...]:
        """Words that may stand here, besides verbs and options."""
        return tuple(word for place in self.places for word in place.words)

    def all(self) -> Iterator[Verb]:
        """This one and all below."""
        yield self
        for verb in self.verbs:
            yield from verb.all()


def program(verbs: Mapping[str, tuple[str, str]], shared: argparse.ArgumentParser) -> Verb:
    """The whole command line: ``verbs`` as the program lists them (module, summary), ``shared`` options of all."""
    found = []
    for name, (module, summary) in verbs.items():
        if not summary:
            continue
        parser = argparse.ArgumentParser(add_help=False)
        subparsers = parser.add_subparsers()
        importlib.import_module(module).add_parsers(subparsers, shared)
        found.append(_verb((name,), summary, subparsers.choices[name]))
    own = argparse.ArgumentParser(parents=[shared])
    return Verb((), "", _options(own), (), tuple(found))


def _verb(words: tuple[str, ...], summary: str, parser: argparse.ArgumentParser) -> Verb:
    verbs: list[Verb] = []
    places: list[Value] = []
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no other name for it
            helps = {each.dest: each.help or "" for each in action._choices_actions}  # noqa: SLF001
            verbs += [_verb((*words, name), helps.get(name, ""), each) for name, each in action.choices.items()]
        elif not action.option_strings:
            places.append(_value(action))
    return Verb(words, summary, _options(parser), tuple(places), tuple(verbs))


def _options(parser: argparse.ArgumentParser) -> tuple[Option, ...]:
    return tuple(
        Option(tuple(action.option_strings), _said(action), None if action.nargs == 0 else _value(action))
        for action in _actions(parser)
        if action.option_strings and action.help is not argparse.SUPPRESS
    )


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse tells its options to nobody


def _value(action: argparse.Action) -> Value:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Value(tuple(str(choice) for choice in action.choices or ()), path=metavar in _PATHS)


def _said(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").split())


# --------------------------------------------------------------------------------------------------------------- bash


def bash(whole: Verb) -> str:
    """The script for bash 4 or newer."""
    steps = _alternatives(f'"{" ".join(verb.words[:-1])}:{verb.name}"' for verb in whole.all() if verb.words)
    return f"""\
# Completion of rampdeck for bash. Drawn from the program's own options: python -m console.completion.draw
_rampdeck() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD - 1]}}" at="" words="" place
    COMPREPLY=()
    for ((place = 1; place < COMP_CWORD; place++)); do
        case "$at:${{COMP_WORDS[place]}}" in
            {steps})
                at="${{at:+$at }}${{COMP_WORDS[place]}}" ;;
        esac
    done
    case "$at:$prev" in
{_bash_values(whole)}
    esac
    case "$at" in
{_bash_words(whole)}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -o default -F _rampdeck rampdeck
"""


def _bash_values(whole: Verb) -> str:
    """The line of each option that takes a value; a path is left to bash itself, an unknown word to the person."""
    lines: dict[str, list[str]] = {}
    for verb in whole.all():
        for option in verb.options:
            if option.value is not None:
                lines.setdefault(_bash_value(option.value), []).extend(
                    f'"{" ".join(verb.words)}:{name}"' for name in option.names
                )
    return "\n".join(f"        {_alternatives(names)})\n            {does} ;;" for does, names in lines.items())


def _bash_value(value: Value) -> str:
    if value.words:
        return f'mapfile -t COMPREPLY < <(compgen -W "{" ".join(value.words)}" -- "$cur"); return'
    return "return" if value.path else "compopt +o default; return"


def _bash_words(whole: Verb) -> str:
    lines = []
    for verb in whole.all():
        words = " ".join([*(each.name for each in verb.verbs), *verb.takes, *_names(verb)])
        alone = "" if verb.takes_paths else "; compopt +o default"
        lines.append(f'        "{" ".join(verb.words)}")\n            words="{words}"{alone} ;;')
    return "\n".join(lines)


def _names(verb: Verb) -> list[str]:
    return [name for option in verb.options for name in option.names]


def _alternatives(patterns: Iterator[str] | Sequence[str]) -> str:
    lines, line = [], ""
    for pattern in patterns:
        if line and len(line) + len(pattern) > 90:
            lines.append(line)
            line = ""
        line += f" | {pattern}" if line else pattern
    return " | \\\n            ".join([*lines, line])


# ---------------------------------------------------------------------------------------------------------------- zsh


def zsh(whole: Verb) -> str:
    """The script for zsh, as a function of its ``fpath``; it may be sourced as well."""
    functions = "\n\n".join(_zsh_function(verb) for verb in reversed(list(whole.all())))
    return f"""\
#compdef rampdeck
# Completion of rampdeck for zsh. Drawn from the program's own options: python -m console.completion.draw

{functions}

if [[ "$funcstack[1]" == "_rampdeck" ]]; then
    _rampdeck "$@"
else
    compdef _rampdeck rampdeck
fi
"""


def _zsh_function(verb: Verb) -> str:
    name = _function(verb)
    lines = [f"        {_zsh_option(option)}" for option in verb.options]
    if verb.verbs:
        listed = "\n".join(f"        {_zsh_quoted(f'{_zsh_plain(one.name)}:{one.help}')}" for one in verb.verbs)
        cases = "\n".join(f"            ({one.name}) {_function(one)} ;;" for one in verb.verbs)
        lines += ["        '1: :->verb'", "        '*:: :->rest'"]
        arguments = " \\\n".join(lines)
        return f"""\
{name}() {{
    local context state state_descr line
    typeset -A opt_args
    local -a verbs=(
{listed}
    )
    _arguments -C \\
{arguments}
    case "$state" in
        (verb) _describe verb verbs ;;
        (rest) case "$line[1]" in
{cases}
        esac ;;
    esac
}}"""
    lines += [f"        '{number}: :{_zsh_action(place)}'" for number, place in enumerate(verb.places, 1)]
    arguments = " \\\n".join(lines)
    return f"{name}() {{\n    _arguments \\\n{arguments}\n}}"


def _function(verb: Verb) -> str:
    return "_".join(["_rampdeck", *(re.sub(r"\W", "_", word) for word in verb.words)])


def _zsh_option(option: Option) -> str:
    told = re.sub(r"([\[\]:])", r"\\\1", option.help)
    value = "" if option.value is None else f": :{_zsh_action(option.value)}"
    if len(option.names) == 1:
        return _zsh_quoted(f"{option.names[0]}[{told}]{value}")
    group = f"({' '.join(option.names)})"
    return f"{_zsh_quoted(group)}{{{','.join(option.names)}}}{_zsh_quoted(f'[{told}]{value}')}"


def _zsh_action(value: Value) -> str:
    if value.words:
        return f"({' '.join(value.words)})"
    return "_files" if value.path else " "


def _zsh_plain(word: str) -> str:
    return word.replace(":", "\\:")


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --------------------------------------------------------------------------------------------------------------- fish


def fish(whole: Verb) -> str:
    """The script for fish 3 or newer."""
    lines = [
        "# Completion of rampdeck for fish. Drawn from the program's own options: python -m console.completion.draw",
        "function __rampdeck_at",
        "    set -l at",
        "    for word in (commandline -opc)[2..-1]",
        "        switch \"$at:$word\"",
        "            case " + " ".join(
            _fish_quoted(f"{' '.join(verb.words[:-1])}:{verb.name}") for verb in whole.all() if verb.words
        ),
        "                set at (string trim \"$at $word\")",
        "        end",
        "    end",
        "    test \"$at\" = \"$argv\"",
        "end",
        "complete -c rampdeck -f",
    ]  # fmt: skip
    for verb in whole.all():
        where = " ".join(("__rampdeck_at", *verb.words))
        here = f"complete -c rampdeck -n {_fish_quoted(where)}"
        lines += [f"{here} -a {one.name} -d {_fish_quoted(one.help)}" for one in verb.verbs]
        lines += [f"{here} -a {_fish_quoted(' '.join(verb.takes))}"] if verb.takes else []
        lines += [f"{here} -F"] if verb.takes_paths else []
        lines += [f"{here} {_fish_option(option)}" for option in verb.options]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    value = ""
    if option.value is not None:
        value = " -rF" if option.value.path else " -x"
        value += f" -a {_fish_quoted(' '.join(option.value.words))}" if option.value.words else ""
    return f"{names}{value} -d {_fish_quoted(option.help)}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


DRAWN: Final[Mapping[str, Callable[[Verb], str]]] = MappingProxyType({"bash": bash, "zsh": zsh, "fish": fish})
"""Each shell with what draws its script."""


def draw_all() -> dict[str, str]:
    """Every script by its shell."""
    from console.__main__ import VERBS, shared_options

    whole = program(VERBS, shared_options())
    return {shell: draw(whole) for shell, draw in DRAWN.items()}


if __name__ == "__main__":
    for shell, text in draw_all().items():
        (Path(__file__).parent / f"rampdeck.{shell}").write_text(text, encoding="utf-8")
