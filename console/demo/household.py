"""The people of the demo and what they own: keys, roster, configuration; everything lies in the demo's folder."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from console.demo.paper import PAPER_POLICY, paper_policy
from stages.refusal import Trouble
from stages.value import Struct

PROPOSER: Final = "alice"
APPROVERS: Final = ("demo-bob", "demo-erin")
"""Their names say what they are: nobody real has looked at what they sign."""
ROLES: Final = {
    "alice": ["trader", "operator"],
    "demo-bob": ["risk"],
    "demo-erin": ["trader", "designated", "incident-commander"],
}
POLICY_PATH: Final = "apps/heron/ramp.yaml"
SIGNERS_PATH: Final = "apps/heron/allowed_signers"
MEMBERS_PATH: Final = "apps/heron/roster.yaml"
NAMESPACE: Final = "rampdeck-approval"
OPENING: Final = time(9, 40)
"""The demo's market day begins here, exchange time, so that the session is just open."""
EXCHANGE: Final = ZoneInfo("America/New_York")


class Household(Struct, frozen=True):
    """Where things lie in the folder of a demo."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "rampdeck.yaml"

    @property
    def drill_config(self) -> Path:
        """The configuration of the paper target, on which drills are made."""
        return self.folder / "drill-target.yaml"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def key(self, name: str) -> Path:
        """A person's private key."""
        return self.folder / "keys" / name

    def approver_config(self, name: str) -> Path:
        """The configuration of an approver: the same world, another identity."""
        return self.folder / f"rampdeck-{name}.yaml"


def policy_text() -> str:
    """The demo's policy as shipped."""
    return (files("stages") / "policies" / "demo.yaml").read_text(encoding="utf-8")


def first_commit(house: Household) -> dict[str, bytes]:
    """Makes the keys and returns the files that join the sample repository's first commit."""
    people = (PROPOSER, *APPROVERS)
    signers = "".join(f'{name} namespaces="{NAMESPACE}" {_public_key(house, name)}\n' for name in people)
    members = {
        "apiVersion": "rampdeck.dev/v1alpha1",
        "kind": "Roster",
        "members": {name: {"roles": ROLES[name]} for name in people},
    }
    return {
        POLICY_PATH: policy_text().encode(),
        PAPER_POLICY: paper_policy(policy_text()).encode(),
        SIGNERS_PATH: signers.encode(),
        MEMBERS_PATH: yaml.safe_dump(members, sort_keys=False).encode(),
    }


def write_configurations(
    house: Household,
    *,
    remote: str,
    endpoints: dict[str, str],
    broker: str,
    anchor: datetime,
    speed: float,
    paper: dict[str, str] | None = None,
) -> None:
    """One ordinary configuration for each person. ``anchor`` is the wall time at which the demo's day begins.

    With ``paper`` ({app, broker}: URLs of the paper venue) also that of the drills' target, which the others name.
    """
    for name in (PROPOSER, *APPROVERS):
        settings: dict[str, Any] = {
            "repository": {"remote": remote, "branch": "main", "advance": "push", "reduce": "push"},
            "policy": POLICY_PATH,
            "ledger": f"sqlite:///{house.ledger}",
            "endpoints": endpoints,
            "venue": {"kind": "demo", "url": broker},
            "identity": {"name": name, "key": str(house.key(name))},
            "environment": {"name": "DEMO"},
            "inbox": str(house.inbox),
            "cache": str(house.folder / "cache"),
            "state": str(house.folder / "state"),
            "market": {"anchor": anchor.isoformat(), "start": market_opening(anchor).isoformat(), "speed": speed},
        }
        if paper is not None:
            settings["drillTarget"] = house.drill_config.name
        path = house.config if name == PROPOSER else house.approver_config(name)
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        if paper is not None and name == PROPOSER:
            target = {key: value for key, value in settings.items() if key != "drillTarget"}
            text = json.dumps(_drill_target(house, target, paper), indent=2)
            house.drill_config.write_text(text + "\n", encoding="utf-8")


def _drill_target(house: Household, live: dict[str, Any], paper: dict[str, str]) -> dict[str, Any]:
    """Beside the live one: the same repository and people, another path, account and ledger."""
    return live | {
        "policy": PAPER_POLICY,
        "roster": {"signers": SIGNERS_PATH, "members": MEMBERS_PATH},
        "ledger": f"sqlite:///{house.folder / 'drill-target.db'}",
        "endpoints": {"heron": paper["app"]},
        "venue": {"kind": "demo", "url": paper["broker"], "app": paper["app"]},
        "environment": {"name": "DEMO PAPER"},
    }


def market_opening(anchor: datetime) -> datetime:
    """The morning of the newest Tuesday not after ``anchor``, just after the open; aware UTC.

    A Tuesday is never an exchange holiday's neighbour in the demo's calendar, and its next days trade too.
    """
    day = anchor.astimezone(EXCHANGE).date()
    day -= timedelta(days=(day.weekday() - 1) % 7)
    return datetime.combine(day, OPENING, EXCHANGE).astimezone(UTC)


def _public_key(house: Household, name: str) -> str:
    private = house.key(name)
    public = private.with_suffix(".pub")
    if not public.exists():
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name} (demo)", "-f", str(private)]
        try:
            subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
        except (OSError, subprocess.SubprocessError) as error:
            raise Trouble(f"ssh-keygen failed: {error}", fix="install openssh-client") from None
    return " ".join(public.read_text(encoding="utf-8").split()[:2])
