"""The site: what the configuration leads to, each part asked once however many checks want it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from console.doctor import Unanswered
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.wiring import Wiring
    from stages.policy import Policy

T = TypeVar("T")


class Once(Generic[T]):
    """An answer that is fetched by the first who asks; the others wait for it, or hear the same trouble."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._answer: list[T] = []
        self._trouble: Trouble | None = None

    def __call__(self) -> T:
        """The answer. Raises Trouble."""
        with self._lock:
            if self._trouble is not None:
                raise self._trouble
            if not self._answer:
                try:
                    self._answer.append(self._fetch())
                except Trouble as trouble:
                    self._trouble = trouble
                    raise
            return self._answer[0]


class Site:
    """A configured target."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.head: Once[str] = Once(self._head)
        self.policy: Once[tuple[Policy, str]] = Once(self._policy)

    def _head(self) -> str:
        try:
            return self.wiring.repository.fetch()
        except Trouble as trouble:
            raise Unanswered(trouble.what, where=trouble.where, fix=trouble.fix) from None

    def _policy(self) -> tuple[Policy, str]:
        """The policy of ``--policy FILE``, or the one at the head of the branch."""
        return self.wiring.read_policy("" if self.wiring.policy_file else self.head())
