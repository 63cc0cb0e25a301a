"""Pages of metrics, read natively, beside the slow reading of single lines."""

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from steerway.telemetry.ingest.rules.samples import STALE, Series
from steerway.telemetry.scraping.rules.batch import Batch
from steerway.telemetry.scraping.rules.labels import LABELS_MAX, Malformed, attached, parse
from steerway.telemetry.scraping.rules.page import LINES_MAX, Named, Page
from steerway.telemetry.store import series_id

NOON = 1_772_452_800_000
STALE_BITS = struct.pack("<d", STALE)


def page() -> Page:
    return Page(lambda m, labels: Named(series_id(m, labels), Series(m, labels)))


def table(found: Batch) -> dict[str, float]:
    rows = zip(found.ids.tolist(), found.values.tolist(), strict=True)
    return {text(found.series[i]): v for i, v in rows}


def id_of(line: bytes) -> int:
    name = parse(line.decode().rpartition("}")[0] + "}" if b"{" in line else line.decode()[0])
    return series_id(name.metric, name.labels)


def text(one: Series) -> str:
    inner = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
    return f"{one.metric}{{{inner}}}"


def is_stale(value: float) -> bool:
    return struct.pack("<d", value) == STALE_BITS


SHOP = b"""# HELP shop_requests_total Requests\\nanswered.
# TYPE shop_requests_total counter
shop_requests_total{route="/",status="200"} 17
shop_requests_total{route="/orders",status="503"} 2.5e3
# TYPE shop_up gauge
shop_up 1
shop_nothing NaN
shop_most{le="+Inf"} +Inf
shop_least -Inf
"""


def test_a_page_becomes_samples_at_the_moment_of_the_look() -> None:
    found = page().read(SHOP, NOON)

    values = table(found)
    assert math.isnan(values.pop("shop_nothing{}"))
    assert values == {
        "shop_requests_total{route=/,status=200}": 17,
        "shop_requests_total{route=/orders,status=503}": 2500,
        "shop_up{}": 1,
        "shop_most{le=+Inf}": math.inf,
        "shop_least{}": -math.inf,
    }
    assert set(found.ts_ms.tolist()) == {NOON}


def test_the_comments_say_what_a_metric_is() -> None:
    said = {one.metric: one for one in page().read(SHOP, NOON).meanings}

    assert said["shop_requests_total"].type == "counter"
    assert said["shop_requests_total"].help == "Requests\nanswered."
    assert said["shop_up"].type == "gauge"


def test_a_later_look_has_the_new_values_and_nothing_else() -> None:
    one = page()
    one.read(SHOP, NOON)

    found = one.read(SHOP.replace(b" 17", b" 123456").replace(b"up 1", b"up 0"), NOON + 1)

    assert found.meanings == ()
    assert table(found)["shop_requests_total{route=/,status=200}"] == 123456
    assert table(found)["shop_up{}"] == 0


def test_a_series_that_left_the_page_ends_and_one_that_came_begins() -> None:
    one = page()
    one.read(b"a 1\nb 2\nc 3\n", NOON)

    values = table(one.read(b"a 1\nc 4\nd 5\n", NOON))

    assert is_stale(values.pop("b{}"))
    assert values == {"a{}": 1, "c{}": 4, "d{}": 5}


def test_every_series_of_a_page_that_is_gone_ends() -> None:
    one = page()
    one.read(b"a 1\nb 2\n", NOON)

    found = one.end(NOON + 1)

    assert [is_stale(value) for value in found.values] == [True, True]
    assert len(one.end(NOON + 2)) == 0


@pytest.mark.parametrize(
    ("line", "value", "ts_ms"),
    [
        (b"a 1 1700000000000", 1, 1700000000000),
        (b"a  1  1700000000000", 1, 1700000000000),
        (b'a{b="} 7 # {"} 2', 2, NOON),
        (b'a {b="c"} 2', 2, NOON),
        (b"a\t3", 3, NOON),
        (b"a 4 ", 4, NOON),
    ],
)
def test_what_may_stand_around_a_value(line: bytes, value: float, ts_ms: int) -> None:
    for body in (line, line + b"\n", b"first 0\n" + line + b"\n"):
        found = page().read(body, NOON)

        last = found.ids.tolist().index(id_of(line))
        assert found.values[last] == value
        assert found.ts_ms[last] == ts_ms


def test_lines_with_timestamps_are_read_again_in_their_layout() -> None:
    one = page()
    one.read(b"a 1 1000\nb 2 1000\n", NOON)

    found = one.read(b"a 3 2000\nb 4 2001\n", NOON)

    assert table(found) == {"a{}": 3, "b{}": 4}
    assert sorted(found.ts_ms.tolist()) == [2000, 2001]
    assert len(one.end(NOON)) == 0  # the exporter says when; we do not know that they ended


def test_openmetrics_has_seconds_exemplars_and_an_end() -> None:
    body = (
        b"# TYPE shop_seconds histogram\n# UNIT shop_seconds seconds\n"
        b'shop_seconds_bucket{le="1.0"} 11 # {trace_id="abc"} 0.67 1700000000.5\n'
        b"shop_seconds_sum 3.2 1700000001.25\n# EOF\n"
    )

    found = page().read(body, NOON, seconds=True)

    assert sorted(found.values.tolist()) == [3.2, 11]
    assert sorted(found.ts_ms.tolist()) == [1700000001250, NOON]
    (exemplar,) = found.exemplars
    assert (exemplar.value, exemplar.ts_ms) == (0.67, 1700000000500)
    assert exemplar.labels == {"trace_id": "abc"}
    assert found.meanings[0].unit == "seconds"


def test_of_two_lines_of_one_series_the_first_counts() -> None:
    found = page().read(b'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', NOON)

    assert found.values.tolist() == [1]


@pytest.mark.parametrize(
    "body",
    [
        b"a\n",
        b"a one\n",
        b"a 1 2 3\n",
        b"a 1_000\n",
        b"1a 1\n",
        b'a{b="c" 1\n',
        b'a{b=c} 1\n',
        b'a{b="c",b="d"} 1\n',
        b'a{="c"} 1\n',
        b'a{b="\xff"} 1\n',
        b"a 1 99999999999999999999\n",
        b"<!doctype html>\n<p>hello",
        b"a{" + b",".join(b'l%d="x"' % n for n in range(LABELS_MAX + 1)) + b"} 1\n",
        b"a" * 300 + b" 1\n",
        b'a{b="' + b"x" * 5000 + b'"} 1\n',
        b'a{b="' + b"x" * 70_000 + b'"} 1\n',
        b"\n" * (LINES_MAX + 1),
        b'a{b="' + b'"' * 40_000 + b" 1\n",
        b"a" + b" " * 60_000 + b"#\n",
    ],
    ids=range(19),
)  # fmt: skip
def test_a_page_that_is_not_one_is_refused_whole(body: bytes) -> None:
    one = page()
    one.read(b"a 1\n", NOON)

    with pytest.raises(Malformed):
        one.read(b"z 1\n" + body, NOON)

    assert len(one.end(NOON)) == 1  # it still knows what it had


def test_nothing_is_a_page_too() -> None:
    assert len(page().read(b"", NOON)) == 0
    assert len(page().read(b"# EOF\n", NOON)) == 0


def test_escapes_mean_what_they_stand_for() -> None:
    assert parse('a{b="x\\\\y\\n\\"z\\"\\q"}').labels == {"b": 'x\\y\n"z"\\q'}


def test_names_may_be_quoted() -> None:
    assert parse('{"shop.requests","http.method"="GET"}') == (
        "shop.requests",
        {"http.method": "GET"},
    )


def test_labels_of_the_target_win_and_those_of_the_page_are_kept() -> None:
    own = {"instance": "shop-1", "job": "shop", "version": ""}

    found = attached({"instance": "x", "exported_instance": "y", "version": "1", "a": "b"}, own)

    assert found == {
        "instance": "shop-1",
        "job": "shop",
        "a": "b",
        "exported_instance": "y",
        "exported_exported_instance": "x",
        "exported_version": "1",
    }


NUMBERS = some.floats(allow_nan=False).map(repr) | some.integers(-(2**70), 2**70).map(str)
VALUES = some.text(some.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(some.dictionaries(VALUES, some.tuples(NUMBERS, NUMBERS), max_size=8))
def test_a_later_look_reads_what_a_first_one_would(rows: dict[str, tuple[str, str]]) -> None:
    def body(which: int) -> bytes:
        lines = [f'a{{b="{escaped(b)}"}} {both[which]}' for b, both in rows.items()]
        return "".join(line + "\n" for line in lines).encode()

    one = page()
    one.read(body(0), NOON)

    assert one.read(body(1), NOON).values.tolist() == page().read(body(1), NOON).values.tolist()
    read = sorted(one.read(body(1), NOON).values.tolist())
    assert read == sorted(float(both[1]) for both in rows.values())


@settings(max_examples=150, deadline=None)
@given(some.binary(max_size=60) | some.text('a{}="\\, #1\n', max_size=40).map(str.encode))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    one = page()
    for seconds in (False, True):
        try:
            found = one.read(body, NOON, seconds=seconds)
        except Malformed:
            continue
        assert len(found.ids) == len(found.values) == len(found.ts_ms) == len(found.metrics)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
