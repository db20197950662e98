"""The gate of the API server's dry run on the Plan page: passed, refused with reasons, not asked, and away."""

from __future__ import annotations

import pytest

from console.screens.plan.draft import Draft, read_meanings
from console.screens.plan.page import plan_page
from stages.dry_run import DryRun
from stages.gates import DRY_RUN, dry_run_gate
from stages.policy import Policy
from stages.value import replace
from stages.verdict import Gate
from tests.screens import states

SIZES = ((160, 45), (100, 30), (80, 24))
WEBHOOK = (
    'admission webhook "limits.guard.example" denied the request: container "scheduler" raises '
    "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE above the 10000 that namespace torghut may hold"
)
QUOTA = "exceeded quota: compute, requested: cpu=2, used: cpu=7, limited: cpu=8"
SAID = {
    "passed": DryRun(tried=3),
    "refused": DryRun(tried=1, refused=(f"Deployment/torghut-scheduler: {WEBHOOK}", f"Deployment/torghut-ws: {QUOTA}")),
    "not-asked": DryRun(absent="not tried: 'kubernetes' is not configured"),
    "away": DryRun(unknown=("Deployment/torghut-scheduler: https://k8s.example:6443 gives no answer in 5 s",)),
}
WORDS = {
    "passed": "all 3 changed objects",
    "refused": "denied the request",
    "not-asked": "kubernetes",
    "away": "no answer",
}
VERDICTS = {"passed": "pass", "refused": "NO", "not-asked": "not set", "away": "UNKNOWN"}


def gated(name: str) -> tuple[Gate, ...]:
    """The gates of a ready plan, and what the API server said of it; the policy asks it where it can be asked."""
    policy = states.POLICY
    spec = policy.spec.model_copy(update={"gates": policy.spec.gates.model_copy(update={"dry_run": "whenPresent"})})
    asked: Policy = policy.model_copy(update={"spec": spec})
    return (*states.gates(), Gate(DRY_RUN, *dry_run_gate(asked, SAID[name]), core=False))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SAID)
def test_what_the_api_server_said_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    gates = gated(name)
    ready = gates[-1].passes
    answers = replace(states.READY if ready else states.BLOCKED, gates=gates)
    draft = Draft("L2", tab=2, meanings=read_meanings(states.ok(), states.PLAN))
    draft = replace(draft, rehearsal=states.READY_REHEARSAL, answers=answers)
    lines = [line.text.rstrip() for line in plan_page(states.view(states.ok()), draft, *size)[0]]
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    if not (ready and size[0] >= 140):
        at = next(place for place, line in enumerate(lines) if " dry-run " in line)
        assert VERDICTS[name] in lines[at]
        told = " ".join(" ".join(line[: 91 if size[0] >= 140 else 200].split()) for line in lines[at : at + 9])
        assert WORDS[name] in told
        assert ("CANNOT APPLY: 1 gate" in lines[1]) is not ready
    if name == "refused":
        whole = " ".join(" ".join(line[: 91 if size[0] >= 140 else 200].split()) for line in lines)
        assert "that namespace torghut may hold" in whole, "a refusal is read to its end"
        assert "limited: cpu=8" in whole
    assert "\n".join(lines) == page_snapshot
