"""``rampdeck completion bash|zsh|fish``: prints a script that lies ready, so that no shell waits for the program."""

from __future__ import annotations

import argparse
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from console.output import Output

SHELLS: Final = ("bash", "zsh", "fish")


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``completion``."""
    completion = subparsers.add_parser(
        "completion",
        parents=[shared],
        help="print a script for the shell",
        epilog='bash: eval "$(rampdeck completion bash)"   zsh: rampdeck completion zsh > FOLDER_OF_FPATH/_rampdeck   '
        "fish: rampdeck completion fish > ~/.config/fish/completions/rampdeck.fish",
    )
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")
    completion.set_defaults(alone=run_completion)


def run_completion(arguments: argparse.Namespace, out: Output) -> int:
    """Print the script."""
    out.exact(script(arguments.shell))
    return 0


def script(shell: str) -> str:
    """The script of a shell, as it ships."""
    return (files("console.completion") / f"rampdeck.{shell}").read_text(encoding="utf-8")
