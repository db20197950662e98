"""The inbox: requests for approval and their answers as files in a folder that several people can reach.

Nothing here is believed: a plan proves itself by its digest and an answer by its signature.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from stages.refusal import Trouble
from stages.value import Struct

_ANSWER: Final = re.compile(r"answer-(?P<plan>[0-9a-f]{8})-(?P<approver>[\w.@+-]{1,64})\.(?P<kind>token|rejected)")
_REQUEST: Final = re.compile(r"request-(?P<plan>[0-9a-f]{8})\.json")
_LARGEST: Final = 4 * 1024 * 1024
"""Bytes; whatever is larger was not written by this program."""


class Answer(Struct, frozen=True):
    """An answer as it lies there; ``approver`` is what the file's name claims, ``text`` a token line."""

    path: Path
    approver: str
    rejected: bool
    text: str


class Inbox:
    """Requests and answers in ``folder``. Files appear whole, by renaming; alien ones are passed by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, plan_id: str, document: Mapping[str, Any]) -> Path:
        """Put a request there; the same plan is asked for once."""
        path = self.folder / f"request-{plan_id[:8]}.json"
        return self._put(path, json.dumps(document, indent=2) + "\n")

    def answer(self, plan_id: str, approver: str, token: str, *, rejected: bool = False) -> Path:
        """Put an approver's answer there; a later one replaces it."""
        name = re.sub(r"[^\w.@+-]", "_", approver)[:64] or "nobody"
        kind = "rejected" if rejected else "token"
        return self._put(self.folder / f"answer-{plan_id[:8]}-{name}.{kind}", token + "\n")

    def requests(self) -> tuple[Path, ...]:
        """Requests that wait, oldest name first."""
        return tuple(path for path in self._files() if _REQUEST.fullmatch(path.name))

    def answers(self, plan_id: str) -> tuple[Answer, ...]:
        """Readable answers to a plan's request."""
        found = []
        for path in self._files():
            named = _ANSWER.fullmatch(path.name)
            text = self._text(path) if named and named["plan"] == plan_id[:8] else None
            if named and text:
                found.append(Answer(path, named["approver"], named["kind"] == "rejected", text))
        return tuple(found)

    def set_aside(self, answer: Answer) -> None:
        """Take a refused answer out of the way; it stays beside the others under another name."""
        try:
            answer.path.rename(answer.path.with_name(answer.path.name + ".refused"))
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._trouble(error) from error

    def withdraw(self, plan_id: str) -> None:
        """Remove a request that is done with."""
        (self.folder / f"request-{plan_id[:8]}.json").unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        try:
            return sorted(self.folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._trouble(error) from error

    def _text(self, path: Path) -> str | None:
        try:
            if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
                return None
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def _put(self, path: Path, text: str) -> Path:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self.folder, prefix=".new-", delete=False, encoding="utf-8"
            ) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft = Path(file.name)
            draft.chmod(0o644)
            return draft.replace(path)
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> Trouble:
        return Trouble(f"the inbox cannot be used: {error.strerror}", where=str(self.folder), fix="correct 'inbox'")
