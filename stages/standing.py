"""Standing: the stage and mode that the manifests say, read from controls alone (design section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stages.ladder import Value
from stages.posture import Mode


@dataclass(frozen=True, slots=True)
class Difference:
    """A control whose value differs from the stage's: ``safer`` tells to which side."""

    control: str
    stage_value: Value | None
    value: Value | None
    safer: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the manifests stand.

    ``stage`` is the index whose controls all match (or are all safer: ``tighter``), None when between or beyond.
    ``riskiest`` is the riskiest stage that any control reaches; above the top it is ``len(stages)``.
    """

    stage: int | None
    mode: Mode
    riskiest: int
    tighter: bool = False
    beyond: bool = False
    differences: tuple[Difference, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def between(self) -> bool:
        return self.stage is None and not self.beyond

    @property
    def known(self) -> bool:
        """Whether every bound control could be read."""
        return not self.unread
