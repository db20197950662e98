"""Rollback readiness of a way down: rehearsed on the files of the head, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from stages.policy import Policy
from stages.policy_text import load
from stages.posture import Mode
from stages.readiness import way_down
from stages.refusal import Trouble

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "console" / "demo" / "sample"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@cache
def policy() -> Policy:
    return load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


def sample() -> dict[str, bytes]:
    return {str(file.relative_to(FOLDER)): file.read_bytes() for file in FOLDER.rglob("*.yaml")}


def ready(files: dict[str, bytes], stage: int = 0, mode: Mode = Mode.FROZEN) -> tuple[bool | None, str]:
    return way_down(policy(), files.get, stage, mode=mode, head="c0", now=NOW)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("stage", range(4))
def test_every_stage_of_a_whole_set_of_manifests_is_ready_in_every_mode(stage: int, mode: Mode) -> None:
    assert ready(sample(), stage, mode) == (True, f"L{stage} READY")


def test_a_binding_that_is_gone_is_not_ready_and_named() -> None:
    files = sample()
    del files["apps/heron/scheduler.yaml"]
    answer, reason = ready(files)
    assert answer is False
    assert reason.startswith("L0 cannot be reached whole: ")
    assert "scheduler.yaml" in reason


def test_a_pinned_control_that_somebody_moved_is_not_ready() -> None:
    files = sample()
    path = "apps/heron/scheduler.yaml"
    pinned = b'TRADING_MAX_PARTICIPATION_RATE\n              value: "0.01"'
    assert pinned in files[path]
    files[path] = files[path].replace(pinned, pinned.replace(b"0.01", b"0.05"))
    answer, reason = ready(files)
    assert answer is False
    assert "participationCap" in reason


def test_what_cannot_be_read_is_not_known() -> None:
    def away(path: str) -> bytes | None:
        raise Trouble("the mirror is gone", where=path)

    answer, reason = way_down(policy(), away, 0, mode=Mode.FROZEN, head="c0", now=NOW)
    assert answer is None
    assert "the mirror is gone" in reason
