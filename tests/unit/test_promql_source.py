"""What PromQL and SQL sources refuse before they are asked, and what an answer of Prometheus says of a signal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from console.config import load as load_settings
from console.identity import read_token
from console.sources import documents
from console.sources.prometheus import Answer, Series
from stages.measures import Signal
from stages.policy_text import Unloadable, load, schema, warnings
from stages.queries import event_time_problem, promql_problem, select_problem
from stages.refusal import Trouble
from stages.signals import Quality, Sample

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DEMO = (Path(__file__).resolve().parents[2] / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8")


def signal(source: Any, **more: Any) -> Signal:
    fields = {"title": "t", "unit": "s", "panel": "freshness", "class": "safety", "maxAge": "90s"}
    return Signal.model_validate({**fields, "source": source, **more})


def added(source: str, **more: str) -> str:
    """The demo's policy with one signal more, as the last of the section."""
    fields = {"title": "extra", "unit": "s", "panel": "freshness", "class": "info", "maxAge": "90s", **more}
    lines = ["    extra:", f"      source: {source}", *(f"      {key}: {value}" for key, value in fields.items())]
    return DEMO.replace("\n  ownOrders:", "\n" + "\n".join(lines) + "\n\n  ownOrders:", 1)


def refusal(text: str) -> str:
    with pytest.raises(Unloadable) as raised:
        load(text, "ramp.yaml")
    [only] = raised.value.problems
    line = text.splitlines()[int(only.split(":")[1]) - 1]
    assert only.startswith("ramp.yaml:")
    assert "source" in line or "extra" in line or "eventTime" in line or "unit" in line, line
    return only


# ------------------------------------------------------------------------------------------- refused before it is asked


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("sum(x", "unclosed"),
        ("", "no expression"),
        ("nofunc(x)", "nofunc"),
        ("x[5m]", "range of samples"),
        ("(x[5m:1m])", "range of samples"),
        ('"word"', "not a number"),
    ],
)
def test_an_expression_that_gives_no_number_is_refused(expression: str, says: str) -> None:
    assert says in (promql_problem(expression) or "")


def test_an_expression_that_gives_a_number_is_taken() -> None:
    assert promql_problem('time() - max by (job) (seen{job="$process"})') is None


@pytest.mark.parametrize("expression", ["time()", "timestamp(sum(x))", "max(timestamp(rate(x[5m])))", "time() - 1"])
def test_a_time_of_the_question_is_no_event_time(expression: str) -> None:
    assert "time of the question" in (event_time_problem(expression) or "")


@pytest.mark.parametrize("expression", ["timestamp(x)", 'max(timestamp((x{job="a"})))', "heartbeat_seconds"])
def test_the_time_of_a_raw_series_is_an_event_time(expression: str) -> None:
    assert event_time_problem(expression) is None


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM t", "does not begin"),
        ("", "does not begin"),
        ("-- x\nSELECT 1 AS value", "does not begin"),
        ("SELECT 1 AS value; DROP TABLE t", "more than one"),
        ("SELECT ';' AS value", "more than one"),
        ("WITH gone AS (DELETE FROM t RETURNING 1) SELECT 1 AS value", "DELETE"),
        ("SELECT 1 AS value INTO t", "INTO"),
        ("SELECT value FROM t FOR UPDATE", "UPDATE"),
        ("SELECT value FROM t WHERE a = :label", ":label"),
    ],
)
def test_what_is_no_single_select_is_refused(statement: str, says: str) -> None:
    assert says in (select_problem(statement) or "")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 AS value",
        "select v::numeric AS value, updated_at FROM t WHERE account = :account AND note <> 'delete me: now' ;",
        'WITH newest AS (SELECT * FROM t) SELECT "update" AS value FROM newest -- into',
    ],
)
def test_a_single_select_is_taken(statement: str) -> None:
    assert select_problem(statement) is None


def test_a_broken_expression_is_refused_with_its_line() -> None:
    assert "unclosed" in refusal(added("{promql: 'sum(x'}"))
    assert "unclosed" in refusal(added("{promql: {query: 'sum(x', reduce: max}}"))


def test_a_broken_statement_is_refused_with_its_line() -> None:
    assert "DELETE" in refusal(added("{sql: {database: heron, query: 'WITH x AS (DELETE FROM t) SELECT 1'}}"))


def test_a_safety_signal_by_promql_names_its_event_time() -> None:
    assert "names its event time" in refusal(added("{promql: x}", **{"class": "safety"}))
    assert "time of the question" in refusal(added("{promql: x}", **{"class": "safety", "eventTime": "time()"}))


def test_a_word_is_not_read_by_promql() -> None:
    assert "not words" in refusal(added("{promql: x}", unit="word"))


def test_an_expression_for_one_account_does_not_feed_the_book_of_another() -> None:
    assert "reads another heron" in refusal(added("{promql: {query: x, process: heron}}"))
    load(added("{promql: {query: 'x{job=\"$process\"}', process: heron}}"), "ramp.yaml")


def test_the_process_that_an_expression_names_is_declared() -> None:
    assert "stands for no process" in refusal(added("""{promql: 'x{job="$process"}'}"""))


def test_promql_is_no_readback() -> None:
    old = "      readback: {http: {endpoint: heron, path: /trading/status, value: ramp.controls.maxGrossExposure}}"
    assert old in DEMO
    with pytest.raises(Unloadable, match="five minutes old"):
        load(DEMO.replace(old, "      readback: {promql: x}", 1), "ramp.yaml")


def test_a_source_has_exactly_one_kind() -> None:
    with pytest.raises(ValidationError, match="exactly one of http, scrape, promql, sql"):
        signal({"promql": "x", "sql": {"database": "d", "query": "SELECT 1"}})


def test_the_cadence_depends_on_the_kind_of_source() -> None:
    assert signal({"promql": "x"}).every == timedelta(seconds=15)
    assert signal({"sql": {"database": "d", "query": "SELECT 1"}}).every == timedelta(seconds=30)
    assert signal({"scrape": {"endpoint": "e", "metric": "m"}}).every == timedelta(seconds=5)
    assert signal({"promql": "x"}, every="20s").every == timedelta(seconds=20)


def test_databases_and_prometheus_need_no_heartbeat_of_their_own() -> None:
    loaded = load(added("{promql: x}"), "ramp.yaml")
    assert not any("prometheus" in said for said in warnings(loaded))


def test_the_schema_knows_the_short_form() -> None:
    assert {"type": "string"} in schema()["$defs"]["PromqlSource"]["anyOf"]


Told = dict[tuple[str, ...], object]
"""Values of series by their labels, each ``name=value``."""


class FastClock:
    """A market that runs sixty times as fast as the wall."""

    speed = 60.0

    def wall(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def market(self, wall: datetime) -> datetime:
        return wall


def test_promql_is_refused_beside_a_faster_market() -> None:
    policy = load(added("{promql: x}"), "ramp.yaml")
    with pytest.raises(Trouble, match="signal extra is read by promql"):
        documents(policy, {}, FastClock())


# -------------------------------------------------------------------------------------------------- what an answer says


def sample(series: Told, *, times: Told | None = None, **more: Any) -> Sample:
    event: dict[str, Any] = {} if times is None else {"eventTime": "timestamp(x)"}
    said = Answer(_vector(series), {"timestamp(x)": _vector(times) if times else ()}, tuple(more.pop("warned", ())))
    source: dict[str, Any] = {"query": "x", **{key: more.pop(key) for key in ("labels", "reduce") if key in more}}
    return said.sample(signal({"promql": source}, **event, **more), NOW)


def _vector(series: Told) -> tuple[Series, ...]:
    return tuple(Series(dict(pair.split("=") for pair in labels), value) for labels, value in series.items())


TWO: Told = {("replica=a", "job=h"): "3.5", ("replica=b", "job=h"): "4"}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e400"])
def test_what_is_not_finite_has_no_value(value: str) -> None:
    found = sample({(): value})
    assert (found.quality, found.value) == (Quality.NONFINITE, None)


def test_a_nan_among_folded_series_is_not_hidden() -> None:
    for reduce in ("sum", "max", "min"):
        assert sample({**TWO, ("replica=c",): "NaN"}, reduce=reduce).quality is Quality.NONFINITE


def test_no_series_is_missing() -> None:
    found = sample({})
    assert (found.quality, found.detail) == (Quality.MISSING, "no series")


def test_several_series_without_a_fold_are_missing_and_say_what_was_expected() -> None:
    found = sample(TWO, labels={"job": "h"})
    assert (found.quality, found.detail) == (Quality.MISSING, "2 series, expected labels job=h")
    assert sample(TWO, labels={"replica": "z"}, reduce="sum").detail == "2 series, expected labels replica=z"


def test_the_expected_labels_choose_and_reduce_folds() -> None:
    assert sample(TWO, labels={"replica": "b"}).value == 4
    assert [sample(TWO, reduce=fold).value for fold in ("sum", "max", "min")] == [Decimal("7.5"), 4, Decimal("3.5")]


def test_a_warning_makes_the_answer_partial() -> None:
    found = sample({(): "1"}, warned=["one store did not answer"])
    assert (found.quality, found.value) == (Quality.PARTIAL, None)
    assert "one store did not answer" in found.detail


def test_of_several_event_times_the_oldest_counts() -> None:
    times: Told = {("replica=a",): "1795445998.5", ("replica=b",): "1795445900"}
    assert sample({(): "1"}, times=times).event_time == datetime.fromtimestamp(1795445900, UTC)
    chosen = sample({("replica=a",): "1"}, times=times, labels={"replica": "a"})
    assert chosen.event_time == datetime.fromtimestamp(1795445998.5, UTC)


@pytest.mark.parametrize("said", [{}, {(): "NaN"}, {("a=1",): "5", ("a=2",): "NaN"}, {(): "1e30"}])
def test_a_value_without_its_event_time_is_missing(said: Told) -> None:
    found = sample({(): "1"}, times=said)
    assert (found.quality, found.value) == (Quality.MISSING, None)


# ------------------------------------------------------------------------------------------------ settings and tokens


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{url: 'http://h:9090', headers: {Authorization: 'Bearer x'}}", "use tokenFrom"),
        ("{url: 'http://me:secret@h:9090'}", "without a password"),
        ("{url: 'h:9090'}", "http://"),
        ("{url: 'http://h', tokenFrom: {env: A, file: b}}", "exactly one"),
        ("{url: 'http://h', tokenFrom: {command: []}}", "prometheus.tokenFrom.command"),
    ],
)
def test_settings_that_hold_a_secret_or_mean_nothing_are_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "rampdeck.yaml"
    file.write_text(f"prometheus: {text}\n")
    with pytest.raises(Trouble, match=says) as trouble:
        load_settings(file, {})
    assert "secret@" not in trouble.value.line


def test_settings_are_read_relative_to_their_file_and_hide_passwords(tmp_path: Path) -> None:
    file = tmp_path / "rampdeck.yaml"
    file.write_text(
        "prometheus: {url: 'https://h/prometheus', tokenFrom: {file: token}, tls: {ca: ca.pem}}\n"
        "databases: {paper: 'sqlite:///books.db', live: 'postgresql://me:hunter2@db/live'}\n"
    )
    settings = load_settings(file, {})
    assert settings.prometheus
    assert settings.prometheus.token_from
    assert settings.prometheus.token_from.file == tmp_path / "token"
    assert settings.prometheus.tls.ca == tmp_path / "ca.pem"
    assert settings.databases["paper"].get_secret_value() == f"sqlite:///{tmp_path}/books.db"
    assert "hunter2" not in repr(settings)


def test_a_token_comes_from_one_of_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("PROM_TOKEN", "from-env")
    given = [
        read_token(env="PROM_TOKEN", file=None, command=None),
        read_token(env=None, file=tmp_path / "token", command=None),
        read_token(env=None, file=None, command=("echo", "from-command")),
    ]
    assert [one.get_secret_value() for one in given] == ["from-env", "from-file", "from-command"]
    assert "from" not in repr(given)


@pytest.mark.parametrize("printed", ["two words", "umläut", "a\nb"])
def test_what_is_no_token_is_not_repeated(tmp_path: Path, printed: str) -> None:
    (tmp_path / "token").write_text(printed, encoding="utf-8")
    with pytest.raises(Trouble, match="printable word") as trouble:
        read_token(env=None, file=tmp_path / "token", command=None)
    assert printed not in trouble.value.line


def test_a_place_without_a_token_is_named(tmp_path: Path) -> None:
    for place in (
        {"env": "NO_SUCH_TOKEN", "file": None, "command": None},
        {"env": None, "file": tmp_path / "nothing", "command": None},
        {"env": None, "file": None, "command": ("false",)},
        {"env": None, "file": None, "command": ("no-such-command-anywhere",)},
    ):
        with pytest.raises(Trouble) as trouble:
            read_token(**place)
        assert trouble.value.where
