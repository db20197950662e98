"""Identity: signatures by people's SSH keys, made and checked by OpenSSH's ``ssh-keygen -Y``, and bearer tokens.

Keys in an agent or on hardware work as they do for ssh: configure the public key's file.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from stages.refusal import Trouble

NAMESPACE: Final = "rampdeck-approval"
"""A signature made for anything else (a commit, a login) is no approval."""

_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_SIGN_SECONDS: Final = 120.0
"""Time to type a passphrase or to touch a key."""
_VERIFY_SECONDS: Final = 20.0
_TOKEN_SECONDS: Final = 5.0
"""Time for a command that prints a token."""


class SshSigner:
    """A ``Signer`` with the key at ``key``; None can verify and cannot sign."""

    def __init__(self, key: Path | None) -> None:
        self._key = key.expanduser() if key else None

    def sign(self, message: bytes) -> str:
        """The signature in one line of base64. A passphrase is asked on the terminal, where there is one."""
        return self._signed(message, _SIGN_SECONDS, terminal=True)

    def _signed(self, message: bytes, seconds: float, *, terminal: bool) -> str:
        arguments = ("-Y", "sign", "-n", NAMESPACE, "-f", str(self._usable_key()))
        done = _ssh_keygen(arguments, message, seconds, terminal=terminal)
        if done.returncode != 0:
            raise Trouble(
                f"the key did not sign: {_reason(done)}",
                where=str(self._key),
                fix="unlock it, or load it into your agent",
            )
        lines = done.stdout.decode("ascii", "replace").split()
        armour = "".join(lines)
        return armour.removeprefix("".join(_BEGIN.split())).removesuffix("".join(_END.split()))

    def principal(self, allowed_signers: bytes) -> str | None:
        """Whose key this is, by a signature made and checked; nobody is asked for a passphrase. Raises Trouble."""
        message = b"whose key is this"
        return self.verify(message, self._signed(message, _VERIFY_SECONDS, terminal=False), allowed_signers)

    def verify(self, message: bytes, signature: str, allowed_signers: bytes) -> str | None:
        """The principal in ``allowed_signers`` whose key signed ``message``; None when nobody's there did."""
        armoured = "\n".join((_BEGIN, *textwrap.wrap(signature, 70), _END, ""))
        with tempfile.TemporaryDirectory(prefix="rampdeck-signature-") as folder:
            signed, allowed = Path(folder, "signature"), Path(folder, "allowed_signers")
            signed.write_text(armoured)
            allowed.write_bytes(allowed_signers)
            given = ("-s", str(signed), "-f", str(allowed))
            found = _ssh_keygen(("-Y", "find-principals", *given), b"", _VERIFY_SECONDS)
            for principal in found.stdout.decode("utf-8", "replace").splitlines() if found.returncode == 0 else ():
                verify = ("-Y", "verify", "-n", NAMESPACE, "-I", principal, *given)
                if _ssh_keygen(verify, message, _VERIFY_SECONDS).returncode == 0:
                    return principal
        return None

    def _usable_key(self) -> Path:
        if self._key is None:
            raise Trouble("no signing key is configured", fix="set identity.key, or pass --key FILE")
        public = self._key.with_name(self._key.name + ".pub")
        for candidate in (self._key, public):
            if candidate.is_file():
                return candidate
        raise Trouble("there is no signing key", where=str(self._key), fix="correct identity.key, or pass --key FILE")


def read_token(*, env: str | None, file: Path | None, command: Sequence[str] | None) -> SecretStr:
    """A bearer token from the one place that is given. Raises Trouble, which never holds any of it."""
    if env is not None:
        token, where = os.environ.get(env, ""), f"environment variable {env}"
    elif file is not None:
        token, where = _first_words(file), str(file)
    else:
        token, where = _printed(command or ()), " ".join(command or ())[:60]
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Trouble("there is no token" if not token else "the token is not one printable word", where=where)
    return SecretStr(token)


def _first_words(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"the token cannot be read ({type(error).__name__})", where=str(file)) from None


def _printed(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TOKEN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Trouble(f"the token's command failed ({type(error).__name__})", where=command[0]) from None
    if done.returncode != 0:
        raise Trouble(f"the token's command ended with {done.returncode}", where=command[0])
    return done.stdout.decode("utf-8", "replace")


def _ssh_keygen(
    arguments: Sequence[str], given: bytes, timeout: float, *, terminal: bool = True
) -> subprocess.CompletedProcess[bytes]:
    """Runs it; without ``terminal`` in a session of its own, where it cannot ask anybody."""
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            capture_output=True,
            timeout=timeout,
            check=False,
            env=environment,
            start_new_session=not terminal,
        )
    except FileNotFoundError as error:
        raise Trouble("ssh-keygen is not installed", fix="install openssh-client") from error
    except subprocess.TimeoutExpired as error:
        raise Trouble(
            f"ssh-keygen gave no answer within {timeout:g} s", fix="touch the key, or unlock the agent"
        ) from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {done.returncode}"
