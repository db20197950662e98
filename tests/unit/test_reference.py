"""The reference pages are what the models and the registries say today, and every field has a meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.config import Settings
from console.reference.fields import reachable, spoken
from console.reference.pages import pages
from stages.policy import Policy


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["policy.md", "configuration.md", "keys.md"])
def test_the_page_is_up_to_date(root: Path, drawn: dict[str, str], name: str) -> None:
    assert (root / "docs" / name).read_text(encoding="utf-8") == drawn[name], "run python -m console.reference"


def test_no_meaning_is_left_of_a_field_that_is_gone() -> None:
    known = {
        (model.__name__, info.alias or name)
        for root in (Policy, Settings)
        for model in reachable(root)
        for name, info in model.model_fields.items()
    } | {("MarketSpan", "sessions"), ("MarketSpan", "time")}
    assert spoken() - known == set()


def test_a_duration_and_a_span_read_as_they_are_written(drawn: dict[str, str]) -> None:
    page = drawn["policy.md"]
    assert "| `planLife` | duration (`5s`, `1h30m`) | `8h` | How long a plan may be applied. |" in page
    assert "| `validFor` | market time (`3 sessions`, `90m`) | `2 sessions` | How long a pass counts. |" in page
