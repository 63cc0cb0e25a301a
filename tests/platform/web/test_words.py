"""How values read on pages."""

from datetime import UTC, datetime, timedelta

import pytest

from steerway.platform.web import words

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (None, "\N{EN DASH}"),
        (timedelta(0), "0 ms"),
        (timedelta(milliseconds=740), "740 ms"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=59, milliseconds=900), "59 s"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_a_duration_reads_as_people_say_it(span: timedelta | None, expected: str) -> None:
    assert words.duration(span) == expected


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=29), "29 d ago"),
        (timedelta(days=40), "21 Jan 2026"),
        (timedelta(days=-1), "3 Mar 2026"),
    ],
)
def test_an_age_becomes_a_date_when_it_is_long(passed: timedelta, expected: str) -> None:
    assert words.age(NOON - passed, NOON) == expected


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("serving", "good"),
        ("running", "info"),
        ("paused", "warn"),
        ("crash-loop", "bad"),
        ("cancelled", "idle"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("a state of tomorrow", "unknown"),
    ],
)
def test_what_is_not_known_is_never_good(state: str, tone: str) -> None:
    assert words.tone(state) == tone


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 kB"),
        (48_211_904, "46 MB"),
        (5 * 1024**4, "5.0 TB"),
    ],
)
def test_a_size_has_a_unit(count: int, expected: str) -> None:
    assert words.bytes_text(count) == expected


def test_a_diff_says_which_lines_came_and_went() -> None:
    lines = words.diff_lines(["+ a: 1", "- b: 2", "~ c: 3 -> 4", "d"])

    assert [line.kind for line in lines] == ["add", "del", "mod", "same"]


def test_a_person_has_the_same_letters_and_colour_every_time() -> None:
    assert words.initials("alice") == "AL"
    assert words.initials("local:root") == "RO"
    assert words.initials("Mara Okafor") == "MO"
    assert words.hue("alice") == words.hue("alice") < words.HUES


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(None, "\N{EN DASH}"), (0, "0 %"), (0.00001, "< 0.01 %"), (0.0226, "2.26 %"), (1.0, "100 %")],
)
def test_a_share_above_zero_is_never_shown_as_zero(ratio: float | None, expected: str) -> None:
    assert words.share(ratio) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(0), "0 ms"),
        (timedelta(microseconds=340), "340 µs"),
        (timedelta(milliseconds=42.25), "42.2 ms"),
        (timedelta(milliseconds=420), "420 ms"),
        (timedelta(seconds=2.5), "2.5 s"),
        (timedelta(minutes=2), "2 min 0 s"),
    ],
)
def test_a_piece_of_work_reads_by_its_size(length: timedelta, expected: str) -> None:
    assert words.span_text(length) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("listening on 8080", "listening on 8080"),
        ('{"at": "2026-03-02T12:00:01.5Z", "level": "info", "message": "request", "ms": 0.2}',
         "12:00:01 info request ms=0.2"),
        ('{"msg": "hello", "trace": null}', "hello trace=None"),
        ('{"cut', '{"cut'),
        ("[1]", "[1]"),
    ],
)  # fmt: skip
def test_a_line_in_json_is_told_as_people_read_it(line: str, expected: str) -> None:
    assert words.line_text(line) == expected
