"""Which ssh Git uses: the person's own choice, told never to ask and not to wait for ever."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

_OPTIONS: Final = {
    "ssh": "-oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=5 -oServerAliveCountMax=3",
    "plink": "-batch",
    "putty": "-batch",
    "tortoiseplink": "-batch",
    "simple": "",
}
"""What keeps each of Git's ssh variants from asking; a simple one takes no options at all."""


def ssh_command(environment: Mapping[str, str], setting: Callable[[str], str | None]) -> str:
    """The value for GIT_SSH_COMMAND, chosen as Git chooses.

    GIT_SSH_COMMAND, ``core.sshCommand``, GIT_SSH, ssh. ``setting`` reads a key of Git's configuration, nothing
    where there is none.
    """
    program = environment.get("GIT_SSH", "")
    command = environment.get("GIT_SSH_COMMAND") or setting("core.sshCommand") or shlex.quote(program or "ssh")
    variant = environment.get("GIT_SSH_VARIANT") or setting("ssh.variant") or ""
    if variant in ("", "auto"):
        variant = _guess(command)
    return f"{command} {_OPTIONS.get(variant, _OPTIONS['ssh'])}".strip()


def _guess(command: str) -> str:
    """The variant by the program's name, as Git guesses it; ssh where the name says nothing."""
    try:
        words = shlex.split(command)
    except ValueError:
        return "ssh"
    name = PurePath(words[0]).name.lower().removesuffix(".exe") if words else "ssh"
    return name if name in _OPTIONS else "ssh"
