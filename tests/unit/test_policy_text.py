"""Loading a policy: every problem at once, by its line, with what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stages.policy import Policy
from stages.policy_text import Unloadable, digest, load, loosened, reaction_seconds, schema, warnings
from stages.refusal import Trouble

POLICIES = Path(__file__).resolve().parents[2] / "stages" / "policies"

DEMO = (POLICIES / "demo.yaml").read_text(encoding="utf-8")


def changed(*pairs: tuple[str, str], text: str = DEMO) -> str:
    """The demo's policy with the first occurrence of each text replaced."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, part: str, nth: int = 1) -> int:
    """The line on which ``part`` stands for the nth time."""
    return [number for number, line in enumerate(text.splitlines(), 1) if part in line][nth - 1]


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Unloadable) as raised:
        load(text, "ramp.yaml")
    return raised.value.problems


def policy(*pairs: tuple[str, str]) -> Policy:
    return load(changed(*pairs), "ramp.yaml")


@pytest.mark.parametrize("name", ["demo.yaml", "torghut.yaml"])
def test_the_shipped_policies_load(name: str) -> None:
    loaded = load((POLICIES / name).read_text(encoding="utf-8"), name)
    assert [stage.name for stage in loaded.stages] == ["L0", "L1", "L2", "L3"]


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        (
            "    convergence: 30s",
            "    convergance: 30s",
            "convergance",
            ("'convergance' is not a key", "'convergence'"),
        ),
        (
            "      enforcedBy: app-reject",
            "      enforcedBy: app-rejects",
            "app-rejects",
            ("did you mean 'app-reject'",),
        ),
        (
            "        universe: [NVDA, AMD, MU]\n",
            "        universe: 3\n",
            "universe: 3",
            ("list of symbols", "number 3"),
        ),
        (
            "        maxNetExposure: 2500",
            "        maxNetExposure: '2500'",
            "'2500'",
            ("number in usd", "without quotes"),
        ),
        ("        tradingMode: paper", "        tradingMode: sim", "Mode: sim", ("no word 'sim'", "paper, live")),
        ('submitEnabled: "false"', "submitEnabled: false", "submitEnabled: false", ("quotes",)),
        ("        dailyLossLimit: 150\n", "", "      controls:", ("L0 does not set 'dailyLossLimit'",)),
        ("        maxGrossExposure: 5000\n", "        maxGrosExposure: 5000\n", "maxGros", ("'maxGrossExposure'?",)),
        ("    convergence: 30s", "    convergence: 30", "convergence: 30", ("a duration needs a unit",)),
        ('      open: "09:30"', "      open: 09:30:00", "open: 09:30:00", ("means different things", "in quotes")),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(old: str, new: str, at: str, words: tuple[str, ...]) -> None:
    text = changed((old, new))
    found = problems(text)
    prefixes = tuple(f"ramp.yaml:{number}: " for number, line in enumerate(text.splitlines(), 1) if at in line)
    named = [problem for problem in found if problem.startswith(prefixes)]
    assert any(all(word in problem for word in words) for problem in named), found


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = changed(
        (
            "        symbolConcentration: {value: 0.25, of: maxGrossExposure}",
            "        symbolConcentration: {value: 0.1, of: maxGrossExposure}",
        ),
        ("      signals: [net]", "      signals: [nett]"),
        ("      eventTime: exposure.as_of\n", ""),
    )
    found = problems(text)
    assert len(found) >= 3
    lines = [int(problem.split(":")[1]) for problem in found]
    assert lines == sorted(lines)
    assert any("did you mean 'net'" in problem for problem in found)
    assert any("names its event time" in problem for problem in found)
    assert any("can never fill" in problem for problem in found)


def test_the_trouble_of_several_problems_is_one_line() -> None:
    text = changed(("      signals: [net]", "      signals: [nett]"), ("      kind: drift", "      kind: drifts"))
    with pytest.raises(Trouble) as raised:
        load(text, "ramp.yaml")
    assert "\n" not in raised.value.line
    assert "kind" in raised.value.line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1\n", "not readable as YAML"),
        ("- 1\n", "no mapping"),
        ("a: 1\n---\nb: 2\n", "2 documents"),
        ("a: 1\na: 2\n", "twice"),
        ("", "0 documents"),
    ],
)
def test_text_that_is_no_policy_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says) as raised:
        load(text, "ramp.yaml")
    assert raised.value.line.startswith("ramp.yaml")


L2_SUBMITS = """        submitEnabled: "true"
        reduceOnly: "false"
        killSwitch: "false"
      burnIn:
        minMarketTime: 60m"""

RULES = [
    (
        "ladder",
        ("        maxOrderNotional: 2500", "        maxOrderNotional: 400"),
        "riskier in L1 (500) than in L2 (400)",
    ),
    ("ladder of words", (L2_SUBMITS, L2_SUBMITS.replace('"true"', '"false"', 1)), "in L1 (true) than in L2 (false)"),
    (
        "ladder of symbols",
        ("universe: [NVDA, AMD, MU, AVGO, MRVL, WDC]\n", "universe: [NVDA, AMD, AVGO, MRVL, WDC]\n"),
        "'universe' is riskier in L1",
    ),
    (
        "share in dollars",
        (
            "symbolConcentration: {value: 0.25, of: maxGrossExposure}",
            "symbolConcentration: {value: 0.05, of: maxGrossExposure}",
        ),
        "shares are compared in dollars",
    ),
    (
        "reachable share",
        (
            "symbolConcentration: {value: 0.4, of: maxGrossExposure}",
            "symbolConcentration: {value: 0.3, of: maxGrossExposure}",
        ),
        "value x symbols is below 1",
    ),
    ("share of nothing", ("{value: 0.2, of: maxGrossExposure}", "{value: 0.2, of: universe}"), "no amount of dollars"),
    ("pinned", ("        participationCap: 0.01", "        participationCap: 0.005"), "pinned by cost-model"),
    ("pin unknown", ("pinnedBy: cost-model", "pinnedBy: cost-models"), "did you mean 'cost-model'"),
    (
        "bound twice",
        ("env: TRADING_PORTFOLIO_MAX_NET_EXPOSURE}", "env: TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE}"),
        "bound twice",
    ),
    (
        "binding",
        (
            "file: scheduler.yaml, object: Deployment/heron-scheduler, env: TRADING_MODE",
            "file: scheduler.yaml, object: heron-scheduler, env: TRADING_MODE",
        ),
        "not Kind/name",
    ),
    ("format", ("path: data.SYMBOLS, format: csv", "path: data.SYMBOLS"), "cannot hold a value in symbols"),
    (
        "posture riskier",
        ('HALTED: {controls: {submitEnabled: "false"}', "HALTED: {controls: {maxOrderNotional: 900}"),
        "riskier than L0, L1",
    ),
    (
        "posture unknown",
        ("REDUCE_ONLY: {controls: {reduceOnly", "REDUCE_ONLY: {controls: {reducOnly"),
        "did you mean 'reduceOnly'",
    ),
    ("max age", ("      maxAge: 5s", "      maxAge: 1500ms"), "below twice the cadence of 1s"),
    (
        "objective without a condition",
        ("{signal: gross, withinLimit: true", "{signal: gross, withinLimit: false"),
        "an objective needs a condition",
    ),
    (
        "safety without its time",
        ("      eventTime: pnl.as_of\n", ""),
        "a safety signal names its event time",
    ),
    (
        "dwell longer than a session",
        ("clear: {by: [operator], good: 5m, hold: 0s, approval: false}", "clear: {by: [operator], good: 7h}"),
        "read in session only",
    ),
    ("limit control", ("limit: {control: maxNetExposure}", "limit: {control: maxNetExposures}"), "'maxNetExposure'"),
    ("limit unit", ("limit: {control: maxNetExposure}", "limit: {control: participationCap}"), "is in usd"),
    ("need", ("signal: tcaOrders, atLeast: 5", "signal: tcaOrder, atLeast: 5"), "did you mean 'tcaOrders'"),
    ("heartbeat", ("heron: [running, leadership]", "heron: [runing, leadership]"), "did you mean 'running'"),
    ("endpoint", ("endpoints: {heron: heron-paper}", "endpoints: {herons: heron-paper}"), "did you mean 'heron'"),
    ("objective", ("{signal: gross, withinLimit", "{signal: tcaOrders, withinLimit"), "has no limit to stay within"),
    ("cap", ('cap: "-1"', "cap: L9"), "neither '-1' nor a stage"),
    (
        "because",
        (
            (
                "        - {mode: HALTED}\n"
                '        - {mode: HALTED, cap: "-1", after: 30m, clear: {by: [trader]}}\n'
                '        - {mode: HALTED, cap: "-1", times: 3, clear: {by: [trader]}}'
            ),
            '        - {mode: FROZEN, cap: "-1"}',
        ),
        "comes before HALTED",
    ),
    (
        "a halt that comes later",
        (
            (
                "        - {mode: HALTED}\n"
                '        - {mode: HALTED, cap: "-1", after: 30m, clear: {by: [trader]}}\n'
                '        - {mode: HALTED, cap: "-1", times: 3, clear: {by: [trader]}}'
            ),
            '        - {mode: FROZEN, cap: "-1", after: 30m}\n        - {mode: HALTED, after: 40m}',
        ),
        "comes before HALTED",
    ),
    (
        "clear",
        (
            '      signals: [net]\n      confirm: {reads: 3}\n      then: [{mode: REDUCE_ONLY, cap: "-1"}]',
            "      signals: [slippage]\n      then: [{mode: HALTED}]",
        ),
        "no samples while HALTED",
    ),
    (
        "ends by itself",
        (
            "      clear: {itself: true, good: 0s, hold: 0s}",
            "      clear: {itself: true}\n      at: 1\n      severity: SEV1",
        ),
        "a severity belongs to an incident trigger",
    ),
    (
        "more than a freeze ends by itself",
        ("clear: {by: [incident-commander, risk]}", "clear: {itself: true}"),
        "did more than freeze",
    ),
    (
        "no windows",
        ("      windows: {count: tcaOrders, long: 15m", "      windowz: {count: tcaOrders, long: 15m"),
        "windows",
    ),
    ("windows of another kind", ("      severity: SEV2\n", ""), "every incident trigger has one"),
    ("window count", ("windows: {count: tcaOrders, long: 15m", "windows: {count: tcaOrder, long: 15m"), "'tcaOrders'"),
    ("short window", ("long: 15m, short: 5m", "long: 5m, short: 15m"), "proves nothing"),
    ("hysteresis", ("      hysteresis: 0\n", "      hysteresis: 1\n"), "hysteresis"),
    (
        "comparison of the lowest",
        (
            "        passRun: 3\n",
            "        passRun: 3\n        comparison: {signal: slippage, count: tcaOrders, margin: 1}\n",
        ),
        "is no stage below L0",
    ),
    ("nobody clears", ("clear: {by: [risk]}", "clear: {by: []}"), "nobody may clear it"),
    ("K of N", ("failWhen: {breaches: 3, of: 5}", "failWhen: {breaches: 6, of: 5}"), "breaches cannot exceed of"),
    ("approvals", ("roles: {risk: 1, designated: 1}", "roles: {risk: 2, designated: 1}"), "the roles need 3 approvals"),
    ("session", ('      close: "16:00"', '      close: "09:00"'), "comes before"),
    ("time zone", ("timezone: America/New_York", "timezone: America/Gotham"), "no time zone"),
]


@pytest.mark.parametrize(("replacement", "says"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_a_policy_that_breaks_a_rule_does_not_load(replacement: tuple[str, str], says: str) -> None:
    found = problems(changed(replacement))
    assert any(says in problem for problem in found), found


def test_a_missing_required_control_is_named() -> None:
    start = DEMO.index("    participationCap:\n      title")
    end = DEMO.index("    dailyLossLimit:\n      title")
    found = problems((DEMO[:start] + DEMO[end:]).replace("        participationCap: 0.01\n", ""))
    assert any("the control 'participationCap' is missing" in problem for problem in found)


def test_a_policy_without_a_kill_mapping_loads_with_a_warning() -> None:
    loaded = policy(('    KILLED: {controls: {killSwitch: "true"}, venue: [suspend, cancelAll]}\n', ""))
    assert warnings(loaded)[0] == "acting verbs are refused: postures.KILLED is missing"


def test_a_policy_of_three_parts_says_what_it_does_not_watch() -> None:
    start, end = DEMO.index("  postures:"), DEMO.index("  gates:")
    text = DEMO[:start] + DEMO[end:]
    text = "\n".join(line for line in text.splitlines() if "{signal:" not in line)
    text = text.replace("        objectives:\n", "").replace(
        "          # A mean of costs moves when an order fills, not every second.\n", ""
    )
    while "      burnIn:" in text:
        start = text.index("      burnIn:")
        text = text[:start] + text[text.index("      approvals:", start) :]
    said = warnings(load(text, "ramp.yaml"))
    assert "TCA is not watched: no signal" in said
    assert "a loss reduces nothing by itself: there is no loss trigger" in said
    assert any(line.startswith("L0 has no burn-in") for line in said)


def test_the_torghut_policy_watches_its_positions_and_says_what_it_does_not_watch() -> None:
    said = warnings(load((POLICIES / "torghut.yaml").read_text(encoding="utf-8"), "torghut.yaml"))
    for control in ("maxGrossExposure", "maxNetExposure", "symbolConcentration"):
        assert f"{control} is not watched: no signal is measured against it" not in said
    assert "participationCap is not watched: no signal is measured against it" in said
    assert "dailyLossLimit is guarded by Rampdeck alone: unguarded while nobody watches" in said


def test_an_unused_signal_is_a_warning() -> None:
    loaded = policy(("      signals: [net]", "      signals: [gross]"))
    assert "signal net is shown, but no trigger, objective or heartbeat uses it" in warnings(loaded)


def test_a_mode_that_looks_like_a_lower_stage_is_a_warning() -> None:
    loaded = policy(("        tradingMode: paper", "        tradingMode: live"))
    assert "HALTED at L1 writes the same manifests as L0" in warnings(loaded)


def test_a_reaction_takes_its_slowest_source_times_its_reads() -> None:
    loaded = policy()
    assert reaction_seconds(loaded, loaded.spec.triggers["grossLimit"]) == 3.0
    assert reaction_seconds(loaded, loaded.spec.triggers["inputsStale"]) == 2.0


def test_an_alias_stands_for_what_it_repeats() -> None:
    text = changed(
        ("        universe: [NVDA, AMD, MU]", "        universe: &three [NVDA, AMD, MU]"),
        ("        universe: [NVDA, AMD, MU]\n", "        universe: *three\n"),
    )
    assert load(text, "ramp.yaml").stages[1].controls["universe"] == ("NVDA", "AMD", "MU")


def test_the_digest_is_of_the_bytes() -> None:
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest("a: 1\n") != digest("a: 1")


def test_the_schema_names_the_keys_of_the_file() -> None:
    document = schema()
    assert "maxAge" in document["$defs"]["Signal"]["properties"]
    assert document["$defs"]["Signal"]["additionalProperties"] is False
    assert re.search(document["$defs"]["Signal"]["properties"]["maxAge"]["pattern"], "1h30m")
    assert re.search(document["$defs"]["MarketSpan"]["anyOf"][0]["pattern"], "3 sessions")


def test_the_same_policy_is_not_looser() -> None:
    assert loosened(policy(), policy(("  version: 1", "  version: 2"), ("title: Canary", "title: Canaries"))) == ()


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("        maxOrderNotional: 2500", "        maxOrderNotional: 3000", "L2: maxOrderNotional 2500 became 3000"),
        ("      confirm: {reads: 3}", "      confirm: {reads: 4}", "confirm.reads"),
        ("      maxAge: 5s", "      maxAge: 6s", "maxAge"),
        ("    approvalLife: 4h", "    approvalLife: 5h", "approvalLife"),
        ("    cooldownSessions: 1", "    cooldownSessions: 0.5", "cooldownSessions"),
        ("approvals: {required: 2, roles: {risk: 1}}", "approvals: {required: 1, roles: {risk: 1}}", "L2.approvals"),
        ("        minMarketTime: 3m", "        minMarketTime: 2m", "L1.burnIn.minMarketTime"),
        ("label: HERON-LIVE-01, environment", "label: OTHER, environment", "spec.target.account.label"),
        ("      kind: account\n", "      kind: limit\n", "spec.triggers.account.kind"),
        ("[{mode: KILLED, cap: L0}]", "[{mode: HALTED, cap: L0}]", "hardLoss.then.0.mode"),
        ("    heron: [running, leadership]", "    heron: [running]", "heartbeats"),
    ],
)
def test_a_looser_policy_is_named_part_by_part(old: str, new: str, names: str) -> None:
    looser = loosened(policy(), policy((old, new)))
    assert any(names in sentence for sentence in looser), looser


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        maxOrderNotional: 2500", "        maxOrderNotional: 2000"),
        ("      confirm: {reads: 3}", "      confirm: {reads: 2}"),
        ("      maxAge: 5s", "      maxAge: 3s"),
        ("        minMarketTime: 3m", "        minMarketTime: 20m"),
        ("approvals: {required: 2, roles: {risk: 1}}", "approvals: {required: 3, roles: {risk: 1}}"),
    ],
)
def test_a_tighter_policy_is_not_looser(old: str, new: str) -> None:
    assert loosened(policy(), policy((old, new))) == ()
    assert loosened(policy((old, new)), policy()) != ()


def test_a_removed_trigger_or_a_new_stage_is_looser() -> None:
    start, end = DEMO.index("    softLoss:"), DEMO.index("    hardLoss:")
    looser = loosened(policy(), load(DEMO[:start] + DEMO[end:], "ramp.yaml"))
    assert any(sentence.startswith("spec.triggers.softLoss") for sentence in looser)
