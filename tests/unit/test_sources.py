"""What a document says of a signal: failures first, then values, folds, labels and times."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.sources.http import JsonDocument
from console.sources.scrape import Exposition
from stages.measures import Signal, Source
from stages.refusal import Trouble
from stages.signals import Quality, Sample

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def signal(source: dict[str, Any], **more: Any) -> Signal:
    fields = {"title": "t", "unit": "usd", "panel": "exposure", "class": "safety", "maxAge": "30s"}
    return Signal.model_validate({**fields, "source": source, **more})


def http(body: str, value: str, *, more: dict[str, Any] | None = None, **source: Any) -> Sample:
    where = {"http": {"endpoint": "e", "path": "/s", "value": value, **source}}
    return JsonDocument.parse(body.encode()).sample(signal(where, **(more or {})), NOW)


def scrape(body: str, metric: str, *, more: dict[str, Any] | None = None, **source: Any) -> Sample:
    where = {"scrape": {"endpoint": "e", "metric": metric, **source}}
    return Exposition.parse(body.encode()).sample(signal(where, **(more or {})), NOW)


@pytest.mark.parametrize("parse", [JsonDocument.parse, Exposition.parse], ids=["json", "metrics"])
@pytest.mark.parametrize(
    ("body", "says"),
    [(b"", "empty"), (b"  \n", "empty"), (b"<!doctype html><html>", "HTML")],
    ids=["nothing", "blank", "html"],
)
def test_what_is_no_document_is_refused_in_a_few_words(parse: Any, body: bytes, says: str) -> None:
    with pytest.raises(Trouble, match=says):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b"nope", b"[" * 200_000, b'{"a": 1e9999999999999999999}'],
    ids=["torn", "bytes", "word", "deep", "huge"],
)
def test_broken_json_is_not_json(body: bytes) -> None:
    with pytest.raises(Trouble, match="not JSON"):
        JsonDocument.parse(body)


def test_broken_metrics_are_not_an_exposition() -> None:
    with pytest.raises(Trouble, match="exposition"):
        Exposition.parse(b'{"json": true}')


@pytest.mark.parametrize(
    ("body", "quality"),
    [
        ('{"a": null}', Quality.MISSING),
        ('{"b": 1}', Quality.MISSING),
        ("[]", Quality.MISSING),
        ('{"a": NaN}', Quality.NONFINITE),
        ('{"a": -Infinity}', Quality.NONFINITE),
        ('{"a": "NaN"}', Quality.NONFINITE),
        ('{"a": 1e999999}', Quality.NONFINITE),
        ('{"a": "soon"}', Quality.PROVIDER_ERROR),
        ('{"a": {"b": 1}}', Quality.PROVIDER_ERROR),
    ],
)
def test_what_is_not_a_number_has_no_value(body: str, quality: Quality) -> None:
    found = http(body, "a")
    assert (found.quality, found.value) == (quality, None)
    assert found.detail


def test_numbers_are_exact_decimals() -> None:
    assert http('{"a": 0.1}', "a").value == Decimal("0.1")
    assert http('{"a": "12345678901234567.89"}', "a").value == Decimal("12345678901234567.89")
    assert http('{"a": 7}', "a").value == Decimal(7)


def test_booleans_are_one_and_zero() -> None:
    assert http('{"a": true}', "a").value == 1
    assert http('{"a": false}', "a").value == 0


def test_words_are_text_without_a_value() -> None:
    found = http('{"a": {"label": "PA3"}}', "a.label", more={"unit": "word"})
    assert (found.quality, found.value, found.text) == (Quality.OK, None, "PA3")
    assert http('{"a": true}', "a", more={"unit": "word"}).text == "true"
    assert http('{"a": null}', "a", more={"unit": "word"}).quality is Quality.MISSING


BOOK = '{"p": [{"s": "A", "v": "10.5"}, {"s": "B", "v": "-30"}, {"s": "C", "v": "4"}], "none": []}'


@pytest.mark.parametrize(
    ("reduce", "value"),
    [("sum", "-15.5"), ("sum-abs", "44.5"), ("max", "10.5"), ("max-abs", "30"), ("min", "-30"), ("count", "3")],
)
def test_a_list_is_folded(reduce: str, value: str) -> None:
    assert http(BOOK, "p[*].v", reduce=reduce).value == Decimal(value)


def test_the_label_is_that_of_the_extreme() -> None:
    assert http(BOOK, "p[*].v", reduce="max-abs", more={"label": "p[*].s"}).text == "B"
    assert http(BOOK, "p[*].v", reduce="max", more={"label": "p[*].s"}).text == "A"


def test_an_empty_list_sums_to_zero_but_has_no_extreme() -> None:
    assert http(BOOK, "none[*].v", reduce="sum-abs").value == 0
    assert http(BOOK, "none", reduce="count").value == 0
    assert http(BOOK, "none[*].v", reduce="max").quality is Quality.MISSING


BREAKS = '{"breaks": [{"kind": "cash"}, {"kind": "stranger"}, {"kind": "lost"}, {"kind": "stranger"}]}'


def test_of_a_list_of_words_only_the_named_ones_are_counted() -> None:
    assert http(BREAKS, "breaks[*].kind", reduce="count", among=["stranger", "lost"]).value == 3
    assert http(BREAKS, "breaks[*].kind", reduce="count", among=["ghost"]).value == 0
    assert http('{"breaks": []}', "breaks[*].kind", reduce="count", among=["lost"]).value == 0


def test_an_item_without_its_word_may_be_one_of_those_that_count() -> None:
    found = http('{"breaks": [{"kind": "cash"}, {}]}', "breaks[*].kind", reduce="count", among=["lost"])
    assert found.quality is Quality.PARTIAL
    assert found.value is None


LISTED = [("breaks[*].kind", "sum"), ("breaks", "count"), ("breaks[*].kind", None)]


@pytest.mark.parametrize(("value", "reduce"), LISTED)
def test_words_are_counted_and_nothing_else_is_done_with_them(value: str, reduce: str | None) -> None:
    with pytest.raises(ValueError, match=r"needs \[\*\] in value and reduce: count"):
        http(BREAKS, value, reduce=reduce, among=["lost"])


def test_items_without_the_field_make_it_partial_not_smaller() -> None:
    found = http('{"p": [{"v": 1}, {"w": 2}, {"v": null}]}', "p[*].v", reduce="sum")
    assert (found.quality, found.value) == (Quality.PARTIAL, None)
    assert "2 of 3" in found.detail


def test_a_share_is_of_what_it_is_over_and_there_is_none_of_nothing() -> None:
    assert http('{"a": 24, "b": 25}', "a", over="b").value == Decimal("0.96")
    assert http('{"a": 24, "c": 4, "b": 25}', "a", minus="c", over="b").value == Decimal("0.8")
    nothing = http('{"a": 0, "b": 0}', "a", over="b")
    assert (nothing.quality, nothing.value) == (Quality.MISSING, None)
    assert "no share of nothing" in nothing.detail


@pytest.mark.parametrize(("unit", "value"), [("s", "61.25"), ("ms", "61250")])
def test_a_time_counts_by_its_age(unit: str, value: str) -> None:
    found = http('{"at": "2026-11-23T14:58:58.750Z"}', "at", age=True, more={"unit": unit})
    assert (found.quality, found.value) == (Quality.OK, Decimal(value))


def test_what_never_was_has_no_age() -> None:
    assert http('{"at": null}', "at", age=True, more={"unit": "s"}).quality is Quality.MISSING
    assert http('{"at": "soon"}', "at", age=True, more={"unit": "s"}).value is None
    with pytest.raises(ValueError, match="an age is that of one time"):
        http('{"at": null}', "at", age=True, over="b")


def test_of_two_replicas_the_one_that_lags_has_the_age() -> None:
    body = f'end{{r="0"}} {NOW.timestamp() - 5}\nend{{r="1"}} {NOW.timestamp() - 30}\n'
    assert scrape(body, "end", reduce="min", age=True, more={"unit": "s"}).value == 30
    assert scrape("end 1e300\n", "end", age=True, more={"unit": "s"}).quality is not Quality.OK


def test_several_values_without_a_fold_are_an_error() -> None:
    assert http(BOOK, "p[*].v").quality is Quality.PROVIDER_ERROR


def test_minus_needs_both_sides() -> None:
    assert http('{"a": "10.5", "b": 4}', "a", minus="b").value == Decimal("6.5")
    assert http('{"a": "10.5", "b": null}', "a", minus="b").quality is Quality.MISSING


def test_paths_select_by_position_name_and_quoted_key() -> None:
    body = '{"a.b": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]}'
    assert http(body, '["a.b"][n=y].v').value == 2
    assert http(body, '["a.b"][0].v').value == 1
    assert http(body, '["a.b"][n=z].v').quality is Quality.MISSING


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('"2026-11-23T14:59:58+00:00"', datetime(2026, 11, 23, 14, 59, 58, tzinfo=UTC)),
        ('"2026-11-23T09:59:58-05:00"', datetime(2026, 11, 23, 14, 59, 58, tzinfo=UTC)),
        ("1795445998.5", datetime.fromtimestamp(1795445998.5, UTC)),
        ("1795445998500", datetime.fromtimestamp(1795445998.5, UTC)),
    ],
)
def test_the_event_time_is_read_in_every_usual_form(said: str, expected: datetime) -> None:
    assert http(f'{{"a": 1, "t": {said}}}', "a", more={"eventTime": "t"}).event_time == expected


@pytest.mark.parametrize("said", ["null", '"soon"', '"2026-11-23T14:59:58"', '"NaN"'])
def test_a_value_without_its_event_time_is_missing(said: str) -> None:
    found = http(f'{{"a": 1, "t": {said}}}', "a", more={"eventTime": "t"})
    assert (found.quality, found.value) == (Quality.MISSING, None)


METRICS = """# TYPE orders counter
orders_total{route="a"} 3
orders_total{route="b"} 4
# TYPE equity gauge
equity 25000.5
# TYPE broken gauge
broken NaN
# TYPE seen gauge
seen{replica="one"} 1795445998
seen{replica="two"} 1795445900
"""


def test_series_are_chosen_by_label_and_folded() -> None:
    assert scrape(METRICS, "orders_total", labels={"route": "b"}).value == 4
    assert scrape(METRICS, "orders_total", reduce="sum").value == 7
    assert scrape(METRICS, "equity").value == Decimal("25000.5")


def test_absent_and_ambiguous_and_nan_series_have_no_value() -> None:
    assert scrape(METRICS, "nothing").quality is Quality.MISSING
    assert scrape(METRICS, "orders_total").quality is Quality.PROVIDER_ERROR
    assert scrape(METRICS, "broken").quality is Quality.NONFINITE


def test_the_oldest_replica_tells_the_event_time() -> None:
    found = scrape(METRICS, "equity", more={"eventTime": "seen"})
    assert found.event_time == datetime.fromtimestamp(1795445900, UTC)
    assert scrape(METRICS, "equity", more={"eventTime": "never"}).quality is Quality.MISSING


def readback(body: str, value: str) -> str | tuple[str, ...] | None:
    source = Source.model_validate({"http": {"endpoint": "e", "path": "/s", "value": value}})
    return JsonDocument.parse(body.encode()).said(source)


def test_readbacks_are_text_lists_and_switches() -> None:
    body = '{"c": {"gross": "5000", "universe": ["A", "B"], "kill": false}}'
    assert readback(body, "c.gross") == "5000"
    assert readback(body, "c.universe") == ("A", "B")
    assert readback(body, "c.kill") == "false"


def test_a_readback_that_is_not_there_is_unknown() -> None:
    with pytest.raises(Trouble, match="gross"):
        readback('{"c": {}}', "c.gross")
