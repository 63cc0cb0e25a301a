"""What a line says of itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steerway.telemetry.following.rules.lines import believed, moment_of, parse, plain
from steerway.telemetry.following.rules.messages import LINE_BYTES_MAX, lines
from steerway.telemetry.logs.errors import FilterInvalid
from steerway.telemetry.logs.rules import asking
from steerway.telemetry.logs.rules.search import Term, step_of, terms
from steerway.telemetry.logs.rules.severity import NUMBERS, name, number
from tests.cast import NOON

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-03-02 12:00:00,123 ERROR shop.cart cannot pay", "error"),
        ("2026-03-02T12:00:00Z [warn] slow", "warn"),
        ("[2026-03-02 12:00:00 +0000] [77] [CRITICAL] WORKER TIMEOUT", "fatal"),
        ('time=2026-03-02T12:00:00Z level=info msg="it went"', "info"),
        ("I0302 12:00:00.123456 77 main.go:5] listening", "info"),
        ("E, [2026-03-02T12:00:00.123456 #77] ERROR -- : no", "error"),
        ("WARNING: this is old", "warn"),
        ("info: Microsoft.Hosting.Lifetime[0]", "info"),
        ("[error] 77#0: *1 open() failed", "error"),
        ("panic: runtime error", "error"),
        ("Traceback (most recent call last):\n  File", "error"),
        ("GET /errors/info 200", ""),
        ("an error that nobody minds", ""),
    ],
)
def test_the_severity_of_a_plain_line(text: str, level: str) -> None:
    assert name(plain(text).severity) == level


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 12:00:00 INFO x", "2026-03-02T12:00:00.000Z x", "[2026-03-02 13:00:00 +0100] x",
        "2026-03-02T12:00:00,000000000+00:00 x", "at 2026-03-02 12:00:00 UTC x",
    ],
)  # fmt: skip
def test_the_moment_of_a_plain_line(text: str) -> None:
    assert plain(text).at == NOON


@pytest.mark.parametrize("text", ["2026-13-02 12:00:00 x", "12:00 x", "", "0000-00-00 00:00:00"])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert plain(text).at is None


@pytest.mark.parametrize(
    "text",
    [
        f"x trace_id={TRACE} span_id={SPAN} y", f"x [trace-id: {TRACE}, span-id: {SPAN}]",
        f"x traceparent=00-{TRACE}-{SPAN}-01", f'x "traceId":"{TRACE}" "spanId":"{SPAN}"',
        f"x otelTraceID={TRACE.upper()} otelSpanID=0 span_id={SPAN}",
    ],
)  # fmt: skip
def test_the_trace_of_a_plain_line(text: str) -> None:
    found = plain(text)

    assert (found.trace_id, found.span_id) == (TRACE, SPAN)


@pytest.mark.parametrize(
    ("said", "body", "level", "at"),
    [
        ({"timestamp": "2026-03-02T12:00:00Z", "level": "ERROR", "message": "no"},
         "no", "error", NOON),
        ({"ts": 1772452800, "lvl": "dbg", "msg": "no"}, "no", "debug", NOON),
        ({"time": 1772452800000, "level": 30, "msg": "no"}, "no", "info", NOON),
        ({"time": 1772452800000000000, "severity": "NOTICE", "event": "no"}, "no", "info", NOON),
        ({"msg": "no", "stack": "Error: x\n at y"}, "no\nError: x\n at y", "", None),
        ({"msg": {"deep": 1}}, '{"msg": {"deep": 1}}', "", None),
        ({"level": True, "time": True}, '{"level": true, "time": true}', "", None),
    ],
)  # fmt: skip
def test_an_object_says_more(said: dict[str, Any], body: str, level: str, at: datetime) -> None:
    found = parse(json.dumps(said))

    assert (found.body, name(found.severity), found.at) == (body, level, at)


def test_what_an_object_says_otherwise_are_attributes() -> None:
    said = {
        "msg": "m",
        "trace_id": TRACE,
        "span_id": SPAN,
        "n": 1.5,
        "l": [1],
        "o": {"p": {"q": 1}},
    }

    found = parse(json.dumps(said))

    assert (found.trace_id, found.span_id) == (TRACE, SPAN)
    assert found.attributes == {"n": "1.5", "l": "[1]", "o.p": '{"q": 1}'}


def test_an_object_has_so_many_attributes_and_no_more() -> None:
    assert len(parse(json.dumps({str(n): n for n in range(500)})).attributes) == 64


@pytest.mark.parametrize("text", ["{not json}", "{" * 100_000 + "}" * 100_000, '{"a": 1'])
def test_what_only_looks_like_an_object_is_text(text: str) -> None:
    assert parse(text).body == text


@settings(max_examples=100, deadline=None)
@given(
    st.text() | st.dictionaries(st.text(), st.integers() | st.text() | st.none()).map(json.dumps)
)
def test_every_line_is_understood_somehow(text: str) -> None:
    assert isinstance(parse(text).body, str)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40)), st.booleans())
def test_lines_and_what_waits_are_all_of_the_bytes(parts: list[bytes], is_final: bool) -> None:
    data = b"\n".join(parts)

    found = lines(data, is_final=is_final)

    ends = [end for _, end, _ in found]
    assert ends == sorted(set(ends))
    assert (ends[-1] if ends else 0) == (len(data) if is_final else data.rfind(b"\n") + 1)


@pytest.mark.parametrize("length", [LINE_BYTES_MAX, LINE_BYTES_MAX + 1, 2 * LINE_BYTES_MAX])
def test_a_long_line_is_cut_and_nothing_of_it_lost(length: int) -> None:
    found = lines(b"x" * length + b"\nend\n", is_final=False)

    assert b"".join(text for text, _, _ in found[:-1]) == b"x" * length
    assert found[-1] == (b"end", length + 5, False)
    assert [is_cut for _, _, is_cut in found[:-2]] == [True] * (len(found) - 2)


def test_a_moment_that_cannot_be_is_that_of_reading() -> None:
    assert believed(NOON - DAY, NOON) == NOON - DAY
    assert believed(NOON - 15 * DAY, NOON) == NOON
    assert believed(NOON + DAY, NOON) == NOON
    assert believed(None, NOON) == NOON


@pytest.mark.parametrize("value", [0, -1, 1e99, float("nan"), None, [], "x", True])
def test_what_is_no_moment_in_an_object_is_none(value: object) -> None:
    assert moment_of(value) is None


def test_every_severity_has_its_number() -> None:
    assert {number(word): name(number(word)) for word in NUMBERS} == {
        n: w for w, n in NUMBERS.items()
    }
    assert (number("Bogus"), number(None), number(35), name(0), name(99)) == (0, 0, 0, "", "")


def test_words_phrases_and_what_must_not_be() -> None:
    assert terms('a "b c" -d -"e f" - "') == (
        Term("a"), Term("b c"), Term("d", is_excluded=True), Term("e f", is_excluded=True),
        Term("-"), Term('"'),
    )  # fmt: skip


@pytest.mark.parametrize(("hours", "seconds"), [(1 / 60, 1), (1, 60), (24, 900), (24 * 90, 86400)])
def test_steps_are_round(hours: float, seconds: int) -> None:
    assert step_of(timedelta(hours=hours)) == timedelta(seconds=seconds)


def test_a_filter_is_what_was_written() -> None:
    given_ = {"since": "2h", "until": "2026-03-02T11:00:00Z", "severity": "warn", "text": "x"}

    found = asking.asked(given_, ["a=b=c"], now=NOON)

    assert (found.since, found.until) == (NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    assert (found.severity, found.attributes) == (13, {"a": "b=c"})


@pytest.mark.parametrize(
    ("written", "attributes"),
    [
        ({"since": "x"}, []), ({"since": "1m", "until": "2h"}, []), ({"severity": "loud"}, []),
        ({"trace_id": "12"}, []), ({"service": "x" * 501}, []), ({}, ["a"]), ({}, ["=b"]),
        ({}, ["a=b"] * 11), ({"text": "x" * 1001}, []),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(
    written: dict[str, str], attributes: list[str]
) -> None:
    with pytest.raises(FilterInvalid):
        asking.asked(written, attributes, now=NOON)


def test_a_moment_without_a_zone_is_utc() -> None:
    found = asking.moment("since", "2026-03-02 12:00", now=NOON, default=NOON)

    assert found == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("key", ["trace_id", "traceId", "trace.id", "dd.trace_id", "trace"])
def test_a_trace_has_many_names(key: str) -> None:
    found = parse(json.dumps({"message": "sold", key: TRACE}))

    assert (found.trace_id, found.attributes) == (TRACE, {})


def test_a_trace_that_is_no_id_stays_an_attribute() -> None:
    found = parse(json.dumps({"message": "sold", "trace": "at main.go:5"}))

    assert (found.trace_id, found.attributes) == ("", {"trace": "at main.go:5"})
