"""A small target whose controls all stand in one file, so that a plan of it is made quickly."""

from __future__ import annotations

from functools import cache

from console.in_force import InForce
from stages.plan import Plan, build
from stages.policy import Policy
from stages.roster import load_roster
from tests.property.racing import OPEN, Remote
from tests.unit.watched import control, policy_document

MEMBERS = b"""apiVersion: rampdeck.dev/v1alpha1
kind: Roster
members:
  alice: {roles: [trader, operator]}
  bob: {roles: [risk]}
  erin: {roles: [trader, designated]}
"""
SIGNERS = b"\n".join(b"%s ssh-ed25519 AAAA" % name for name in (b"alice", b"bob", b"erin"))


@cache
def force() -> InForce:
    """A ladder of three stages whose controls all stand in one file, so that a plan is made quickly."""
    document = policy_document()
    spec = document["spec"]
    spec["target"]["workloads"] = []
    spec["triggers"], spec["signals"], spec["heartbeats"] = {}, {}, {}
    for stage in spec["stages"]:
        del stage["burnIn"]
        stage["controls"] |= {"submitEnabled": "true", "killSwitch": "false"}
    for name, riskier in (("submitEnabled", ["false", "true"]), ("killSwitch", ["true", "false"])):
        spec["controls"][name] = control("word", riskier)
    for name, one in spec["controls"].items():
        one["bindings"] = [{"file": "limits.yaml", "object": "ConfigMap/limits", "path": f"data.{name}"}]
        if name == "universe":
            one["bindings"][0]["format"] = "csv"
    spec["postures"] = {
        "HALTED": {"controls": {"submitEnabled": "false"}, "venue": ["suspend"]},
        "KILLED": {"controls": {"killSwitch": "true"}, "venue": ["suspend", "cancelAll"]},
    }
    roster, roster_digest = load_roster(SIGNERS, MEMBERS, "roster.yaml")
    return InForce(Policy.model_validate(document), "", "policy", roster, roster_digest, SIGNERS)


@cache
def files(stage: int) -> dict[str, bytes]:
    """The manifests as they stand at a stage."""
    values = {
        name: ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in force().policy.resolved[stage].items()
    }
    lines = "".join(f'  {name}: "{value}"\n' for name, value in values.items())
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: limits\ndata:\n{lines}"
    return {"apps/heron/limits.yaml": text.encode()}


@cache
def first_plan(stage: int, epoch: int = 0) -> Plan:
    """The plan for the next stage, made before anybody races."""
    remote = Remote()
    remote.begin(files(stage))
    return _build(remote, stage + 1, epoch)


def _build(remote: Remote, stage: int, epoch: int) -> Plan:
    made = force()
    return build(
        made.policy, policy_digest=made.policy_digest, roster_digest=made.roster_digest,
        read=remote.commits[remote.head].files.get, base_commit=remote.head, epoch=epoch,
        to_stage=stage, created_by="alice", now=OPEN,
    )  # fmt: skip
