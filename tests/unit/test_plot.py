"""A plot: the same text for the same series, no line across what was not known, a limit, numbered moments."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from stages.plot import Mark, Point, Series, holes, svg

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SPACE = "{http://www.w3.org/2000/svg}"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def points(*values: float | None) -> tuple[Point, ...]:
    return tuple(
        Point(at(number), value, "" if value is not None else "no answer") for number, value in enumerate(values)
    )


def drawn(series: Series, seconds: float, *marks: Mark) -> ET.Element:
    return ET.fromstring(svg(series, START, at(seconds), marks, "America/New_York"))


def test_the_same_series_gives_the_same_text() -> None:
    series = Series("gross", "gross", " $", points(1.0, 2.0, 3.0), 2.5, "limit of L1")
    assert svg(series, START, at(3), (), "UTC") == svg(series, START, at(3), (), "UTC")


def test_what_was_not_known_breaks_the_line_and_is_shaded() -> None:
    for hole in (None, math.nan, math.inf):
        series = Series("gross", "gross", " $", points(1, 2, hole, hole, 3, 4))
        found = drawn(series, 6)
        assert len(found.findall(f"{SPACE}path")) == 2
        (shade,) = found.findall(f"{SPACE}rect[@class='unknown']")
        assert "nan" not in ET.tostring(found, "unicode")
        assert float(shade.get("width", "0")) > 1


def test_silence_is_a_hole_even_between_two_good_readings() -> None:
    apart = (Point(at(0), 1.0), Point(at(1), 1.0), Point(at(60), 2.0), Point(at(61), 2.0))
    assert [(one.seconds, one.why) for one in holes(apart, START, at(62))] == [(59.0, "nobody looked")]
    assert len(drawn(Series("x", "x", "", apart), 62).findall(f"{SPACE}path")) == 2
    assert [one.why for one in holes((), START, at(62))] == ["nobody looked"]


def test_the_limit_and_the_moments_lie_where_they_belong() -> None:
    series = Series("gross", "gross & <net>", " $", points(0, 10), 5.0, "limit of L1")
    found = drawn(series, 10, Mark(at(5), 1), Mark(at(99), 2))
    (limit,) = found.findall(f"{SPACE}line[@class='limit']")
    lowest, highest = (
        float(line.get("y1", "0")) for line in (found.findall(f"{SPACE}line")[index] for index in (0, 4))
    )
    assert highest < float(limit.get("y1", "0")) < lowest
    (mark,) = found.findall(f"{SPACE}line[@class='mark']")
    assert 380 < float(mark.get("x1", "0")) < 400, "half way; what lies outside is not drawn"
    assert "gross & <net>" in [text.text for text in found.findall(f"{SPACE}text")]


def test_a_plot_without_any_value_or_with_one_alone_is_a_document_all_the_same() -> None:
    for series in (Series("x", "x", "", ()), Series("x", "x", "", points(3.0)), Series("x", "x", "", points(None))):
        assert drawn(series, 1).tag == f"{SPACE}svg"


def test_words_that_no_xml_may_hold_do_not_break_the_plot() -> None:
    series = Series("x", "gross\x1b[31m <&> \x00", " $", (Point(START, None, 'HTTP 500\x08 "<a>" & more'),))
    root = ET.fromstring(svg(series, START, at(30), (), "America/New_York"))
    texts = ["".join(one.itertext()) for one in root.findall(".//{*}text")]
    assert any("gross" in one and "<&>" in one for one in texts)
    assert any(one.startswith("America/New_York, UTC-0") for one in texts), texts
