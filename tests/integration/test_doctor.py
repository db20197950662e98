"""``rampdeck doctor`` over real parts: what is there, what is gone, and what to do about it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.__main__ import main
from console.doctor import Check, Health, Unanswered, examine, exit_code, ok
from console.doctor.machine import characters, colours, tool, writable
from console.doctor.outside import policy_needs
from console.wiring import SystemClock
from tests.integration.actuation import World, git
from tests.integration.herons import full_policy
from tests.integration.remotes import over_http
from tests.integration.test_sources_http import Served, text

Rows = dict[str, dict[str, str]]


class Place:
    """A configured machine whose configuration may change from test to test."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings

    def doctor(self, capsys: pytest.CaptureFixture[str], **changes: Any) -> tuple[int, Rows]:
        path = self.folder / "rampdeck.yaml"
        kept = {name: value for name, value in (self.settings | changes).items() if value is not None}
        path.write_text(yaml.safe_dump(kept))
        code = main(["doctor", "--json", "--wait", "60", "--config", str(path)])
        rows = json.loads(capsys.readouterr().out)["checks"]
        return code, {f"{row['part']} {row['check']}": row for row in rows}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("doctor")
    world = World.make(folder)
    world.ledger.close()
    return Place(
        folder,
        {
            "repository": {"remote": world.remote.as_uri(), "branch": "main"},
            "policy": "ops/ramp.yaml",
            "ledger": f"sqlite:///{folder / 'ledger.db'}",
            "identity": {"name": "alice", "key": str(world.key("alice"))},
            "cache": str(folder / "cache"),
            "state": str(folder / "state"),
        },
    )


def test_what_is_there_is_ok(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = place.doctor(capsys)
    well = ("machine git", "machine ssh-keygen", "configuration configuration", "Git remote", "Git push",
            "ledger writable", "ledger observations", "policy loads", "policy adopted", "signer key")  # fmt: skip
    assert {name: rows[name]["health"] for name in well} == dict.fromkeys(well, "ok")
    assert "trader" in rows["signer key"]["says"]
    assert rows["ledger watch"]["health"] == "note"
    silent = [row for row in rows.values() if row["part"] == "source"]
    assert silent
    assert all(row["health"] == "UNKNOWN" for row in silent)
    assert code in (1, 2)


def test_a_store_that_cannot_keep_ticks_is_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place.folder / "apart"
    (folder / "ledger.observations.db").mkdir(parents=True)
    code, rows = place.doctor(capsys, ledger=f"sqlite:///{folder / 'ledger.db'}")
    assert code == 1
    assert rows["ledger observations"]["health"] == "NO"
    assert "observation store" in rows["ledger observations"]["says"]


def test_what_is_gone_says_what_to_do(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = place.doctor(
        capsys,
        repository={"remote": (place.folder / "nothing.git").as_uri()},
        ledger=f"sqlite:///{place.folder / 'nothing.db'}",
    )
    assert code == 1
    assert rows["Git remote"]["health"] == rows["policy loads"]["health"] == "UNKNOWN"
    assert rows["ledger writable"]["health"] == "NO"
    assert all(row["fix"] for row in rows.values() if row["health"] in ("NO", "UNKNOWN"))


def test_a_key_that_is_somebody_elses(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(World(place.folder).key("bob"))
    _, rows = place.doctor(capsys, identity={"name": "alice", "key": key})
    assert rows["signer key"]["health"] == "NO"
    assert rows["signer key"]["fix"] == "set identity.name to bob"


def test_a_remote_that_takes_no_push_is_told_without_pushing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(place.folder)
    before = world.head
    git("config", "http.receivepack", "false", cwd=world.remote)
    with over_http(place.folder) as address:
        _, rows = place.doctor(capsys, repository={"remote": f"{address}/{world.remote.name}"})
    assert rows["Git remote"]["health"] == "ok"
    assert rows["Git push"]["health"] == "NO", rows["Git push"]
    assert "'branch'" in rows["Git push"]["fix"]
    assert world.head == before


def test_an_account_that_is_not_the_policys(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    account = {"label": "OTHER", "environment": "live", "blocked": False, "cash": "1", "as_of": "2026-11-23T15:00:00Z"}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        text(json.dumps(account if handler.path == "/account" else []))(handler)

    served = Served()
    served.answer = answer
    try:
        code, rows = place.doctor(capsys, venue={"kind": "demo", "url": served.url})
    finally:
        served.close()
    assert code == 1
    assert rows["venue account"]["health"] == "NO"
    assert "it is OTHER (live)" in rows["venue account"]["says"]


def test_a_configuration_that_is_wrong_still_gets_the_machine_examined(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows = place.doctor(capsys, repository={"remotte": "x"})
    assert code == 1
    assert "remotte" in rows["configuration configuration"]["says"]
    assert rows["machine git"]["health"] == "ok"


def test_a_check_that_hangs_costs_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    never = threading.Event()

    def hang() -> Any:
        never.wait()

    told = examine([Check("a", "hangs", hang), Check("a", "answers", lambda: ok("yes"))], SystemClock(), 0.2)
    never.set()
    assert [one.finding.health for one in told] == [Health.UNKNOWN, Health.OK]
    assert "0.2 s" in told[0].finding.says
    assert exit_code(told) == 2


def test_troubles_are_findings_and_never_tell_a_secret() -> None:
    def away() -> Any:
        raise Unanswered("no answer", where="postgresql://u:hunter2@h/d?sslpassword=hunter2", fix="see")

    [told] = examine([Check("a", "b", away, trouble=Health.NO)], SystemClock(), 5)
    assert told.finding.health is Health.UNKNOWN
    assert "hunter2" not in told.finding.says


def test_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool("git", "install git", Health.NO).health is Health.NO
    assert writable(tmp_path / "new" / "one").health is Health.OK
    (tmp_path / "file").write_text("")
    assert writable(tmp_path / "file" / "x").health is Health.NO
    assert colours({"TERM": "dumb"}).health is Health.NOTE
    assert "16 million" in colours({"TERM": "xterm-256color", "COLORTERM": "truecolor"}).says
    monkeypatch.setattr("locale.getpreferredencoding", lambda **_: "ANSI_X3.4-1968")
    assert characters({"LANG": "C"}).fix == "export LANG=C.UTF-8"


def test_the_rights_that_a_policy_needs_are_those_that_are_documented(root: Path) -> None:
    """By name where RBAC can narrow by name, and no verb that docs/rbac.yaml does not grant."""
    granted = set()
    for manifest in yaml.safe_load_all((root / "docs" / "rbac.yaml").read_text(encoding="utf-8")):
        for rule in manifest.get("rules", ()):
            for verb in rule["verbs"]:
                for name in rule.get("resourceNames", [""]):
                    granted |= {
                        (group, plural, verb, name) for group in rule["apiGroups"] for plural in rule["resources"]
                    }
    needed = {need[1:] for need in policy_needs(full_policy("heron", "argocd"))}
    assert needed == granted
