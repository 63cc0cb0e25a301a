"""One SQL on both engines."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from steerway.telemetry.store import (
    Cancel,
    Cancelled,
    Limits,
    QueryFailed,
    QueryTooLarge,
    Store,
    StoreDown,
    series_id,
)
from steerway.telemetry.store.arrow import BatchInvalid
from steerway.telemetry.store.tables import TABLES
from tests.telemetry.seeding import at, seed, seed_samples

ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def test_what_is_inserted_is_found(either: Store) -> None:
    seed_samples(either, "up", {"service": "checkout"}, [(10, 1.0), (20, 0.0)])

    found = either.table(
        "SELECT ts, value FROM samples WHERE metric = {m:String} ORDER BY ts", {"m": "up"}
    )

    assert found.to_pydict() == {"ts": [at(10), at(20)], "value": [1.0, 0.0]}


def test_every_table_of_the_contract_is_there(either: Store) -> None:
    for table in TABLES:
        assert either.table(f"SELECT * FROM {table.name}").num_rows == 0


def test_a_log_line_keeps_its_attributes(either: Store) -> None:
    line = {"ts": at(1), "service": "checkout", "body": "hi", "attributes": {"a": "b"}}
    seed(either, "logs", [line])

    found = either.table("SELECT service, body, attributes FROM logs")

    assert found.to_pylist() == [{"service": "checkout", "body": "hi", "attributes": [("a", "b")]}]


@pytest.mark.parametrize(
    ("kind", "value", "back"),
    [
        ("String", "it's \\ a\ttab,\na line and \r, 'ü' {x:String} \0", None),
        ("String", "", None),
        ("UInt64", 2**64 - 1, None),
        ("Int32", -5, None),
        ("Float64", 0.1, None),
        ("Float64", float("inf"), None),
        ("Bool", True, None),
        ("Nullable(String)", None, None),
        ("Array(String)", ["a'b", "c\\d", "e\nf", ""], None),
        ("Array(UInt64)", [], None),
        ("Array(UInt64)", {7}, [7]),
        ("Map(String, String)", {"a'": "b\\", "c": ""}, [("a'", "b\\"), ("c", "")]),
        ("Tuple(String, UInt8)", ("a", 1), {"1": "a", "2": 1}),
        ("DateTime64(6)", MOMENT, MOMENT),
        ("DateTime64(3)", MOMENT, MOMENT.replace(microsecond=123000)),
        ("Array(DateTime64(6))", [MOMENT], None),
    ],
)
def test_a_bound_value_comes_back(either: Store, kind: str, value: object, back: object) -> None:
    found = either.table(f"SELECT {{x:{kind}}} AS x", {"x": value})

    assert found["x"][0].as_py() == (value if back is None else back)


def test_a_list_of_ten_thousand_can_be_bound(either: Store) -> None:
    found = either.table("SELECT arraySum({x:Array(UInt64)}) AS x", {"x": list(range(10_000))})

    assert found["x"][0].as_py() == 49_995_000


def test_answers_have_one_shape(either: Store) -> None:
    found = either.table(
        "SELECT toLowCardinality('x') AS lc, toDateTime64('2026-01-01 00:00:00', 6) AS ts, "
        "toDateTime64(0, 3, 'Europe/Berlin') AS elsewhere, unhex('61ff') AS odd, "
        "map('a', unhex('ff')) AS m, [(1, unhex('fe62'))] AS deep"
    )

    assert [str(field.type) for field in found.schema][:4] == [
        "string",
        "timestamp[us, tz=UTC]",
        "timestamp[ms, tz=UTC]",
        "string",
    ]
    assert found["odd"][0].as_py() == "a\ufffd"
    assert found["m"][0].as_py() == [("a", "\ufffd")]
    assert found["deep"][0].as_py() == [{"1": 1, "2": "\ufffdb"}]


def test_an_empty_answer_has_its_columns(either: Store) -> None:
    found = either.table("SELECT ts, value FROM samples")

    assert found.column_names == ["ts", "value"]


def test_rows_are_dataclasses(either: Store) -> None:
    @dataclass(frozen=True)
    class Pair:
        word: str
        number: int

    assert either.rows(Pair, "SELECT 'a' AS word, 1 AS number") == [Pair("a", 1)]


def test_a_mistake_in_sql_is_a_bug(either: Store) -> None:
    with pytest.raises(QueryFailed, match="Code: 47") as raised:
        either.table("SELECT nothing_of_that_name")

    assert raised.value.code == 47


@pytest.mark.parametrize(
    ("sql", "limits", "what"),
    [
        (ENDLESS, Limits(seconds=0.2), "time"),
        ("SELECT number FROM numbers(1000)", Limits(rows_max=999), "rows"),
        (
            "SELECT length(groupArray(toString(number))) FROM numbers(10000000)",
            Limits(memory_bytes=32 * 1024 * 1024),
            "memory",
        ),
    ],
)
def test_a_query_has_limits(either: Store, sql: str, limits: Limits, what: str) -> None:
    with pytest.raises(QueryTooLarge, match=what):
        either.table(sql, limits=limits)


def test_a_failed_query_leaves_nothing_in_the_next_answer(either: Store) -> None:
    sql = "SELECT number, throwIf(number = 5000) FROM numbers(10000) SETTINGS max_block_size = 100"
    for _ in range(5):
        with pytest.raises(QueryFailed):
            either.table(sql)

        assert either.table("SELECT 'mine' AS whose").to_pylist() == [{"whose": "mine"}]


def test_a_query_is_cancelled_while_it_runs(either: Store) -> None:
    cancel = Cancel()
    waiting = threading.Timer(0.1, cancel.cancel)
    waiting.start()

    with pytest.raises(Cancelled):
        either.table(ENDLESS, cancel=cancel)

    waiting.join()
    assert either.table("SELECT 1 AS one")["one"][0].as_py() == 1


def test_a_query_is_cancelled_before_it_starts(either: Store) -> None:
    cancel = Cancel()
    cancel.cancel()

    with pytest.raises(Cancelled):
        either.table(ENDLESS, cancel=cancel)


def test_queries_run_beside_one_another(either: Store) -> None:
    cancel = Cancel()
    ended: list[str] = []

    def long() -> None:
        with pytest.raises(Cancelled):
            either.table(ENDLESS, cancel=cancel)
        ended.append("long")

    thread = threading.Thread(target=long)
    thread.start()
    assert either.table("SELECT 1 AS one")["one"][0].as_py() == 1
    assert not ended
    cancel.cancel()
    thread.join()


def test_equal_rows_are_two_rows_unless_they_have_one_token(either: Store) -> None:
    batch = pa.table({"service": ["a"], "body": ["x"], "ts": pa.array([0], pa.timestamp("us"))})

    either.insert("logs", batch)
    either.insert("logs", batch)
    assert either.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 2

    token = f"token-{time.monotonic_ns()}"
    either.insert("logs", batch, token=token)
    either.insert("logs", batch, token=token)
    assert either.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 3


def test_a_batch_over_midnight_is_doubled_by_no_second_try(either: Store) -> None:
    moments = pa.array([86_399_999_999, 86_400_000_000], pa.timestamp("us"))
    batch = pa.table({"service": ["a", "a"], "body": ["x", "y"], "ts": moments})
    token = f"token-{time.monotonic_ns()}"

    either.insert("logs", batch.slice(0, 1), token=token)
    either.insert("logs", batch, token=token)

    found = either.table("SELECT body FROM logs ORDER BY ts")
    assert found["body"].to_pylist() == ["x", "y"]


def test_a_batch_with_a_wrong_row_is_refused_whole(either: Store) -> None:
    rows = b'{"service":"a","ts":1,"body":"x"}\n{"service":"a","ts":"never","body":"y"}\n'

    with pytest.raises(QueryFailed):
        either.insert_raw("logs", rows, "JSONEachRow")

    assert either.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 0


def test_an_insert_that_found_no_memory_is_worth_another_try(either: Store) -> None:
    rows = b'{"service":"a","ts":1,"body":"x"}\n' * 1000
    little = {"max_memory_usage": "100000", "max_untracked_memory": "0"}

    with pytest.raises(StoreDown, match="short of memory"):
        either.insert_raw("logs", rows, "JSONEachRow", little)

    assert either.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 0


def test_rows_come_in_formats_the_engine_decodes(either: Store) -> None:
    rows = b'{"service":"a","ts":1,"body":"it\'s"}\n'

    either.insert_raw("logs", rows, "JSONEachRow", {"input_format_skip_unknown_fields": "1"})

    assert either.table("SELECT body FROM logs")["body"].to_pylist() == ["it's"]


def test_text_that_is_none_is_refused(either: Store) -> None:
    raw = pa.array([b"\xff"], pa.binary()).view(pa.string())

    with pytest.raises(BatchInvalid, match="logs"):
        either.insert("logs", pa.table({"body": raw}))


def test_the_stale_marker_keeps_its_bits(either: Store) -> None:
    stale = pa.array([0x7FF0000000000002], pa.uint64()).view(pa.float64())
    id_ = series_id("up", {})
    batch = {"metric": ["up"], "id": pa.array([id_], pa.uint64()), "value": stale}
    either.insert("samples", pa.table(batch | {"ts": pa.array([0], pa.timestamp("ms"))}))

    found = either.table("SELECT value FROM samples")

    assert found["value"].combine_chunks().view(pa.uint64())[0].as_py() == 0x7FF0000000000002
