"""What is kept, and what goes first."""

from datetime import UTC, datetime, timedelta

import pytest

from steerway.telemetry.retention.rules import (
    RESERVE_BYTES,
    Keep,
    Part,
    allowance,
    ends,
    expired,
    surplus,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEEP = Keep(metrics=15, rollups=400, logs=10, traces=7, requests=15)


def part(table: str, signal: str, partition: str, *, block: int = 1, size: int = 10) -> Part:
    return Part(table, signal, partition, f"{partition}_{block}_{block}_0", block, size)


@pytest.mark.parametrize(
    ("partition", "end"),
    [
        ("20260131", datetime(2026, 2, 1, tzinfo=UTC)),
        ("20240228", datetime(2024, 2, 29, tzinfo=UTC)),
        ("202601", datetime(2026, 2, 1, tzinfo=UTC)),
        ("202512", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_partition_ends_with_its_day_or_month(partition: str, end: datetime) -> None:
    assert ends(partition) == end


def test_what_is_past_its_days_goes_and_nothing_else() -> None:
    parts = [
        part("samples", "metrics", "20260213"),
        part("samples", "metrics", "20260214"),
        part("logs", "logs", "20260214"),
        part("logs", "logs", "20260219"),
        part("spans", "traces", "20260222"),
        part("samples_5m", "rollups", "202501"),
        part("samples_5m", "rollups", "202412"),
        part("series", "series", "all"),
    ]

    assert expired(parts, NOW, KEEP) == [
        ("logs", "20260214"),
        ("samples", "20260213"),
        ("samples_5m", "202412"),
    ]


def test_a_day_is_kept_until_its_last_moment_is_old_enough() -> None:
    parts = [part("logs", "logs", "20260218")]
    due = ends("20260218") + timedelta(days=10)

    assert not expired(parts, due - timedelta(seconds=1), KEEP)
    assert expired(parts, due, KEEP) == [("logs", "20260218")]


def test_nothing_goes_while_all_fits() -> None:
    assert surplus([part("logs", "logs", "20260101", size=100)], 100) == []


def test_the_oldest_day_of_any_signal_goes_first_and_rollups_last() -> None:
    parts = [
        part("samples_5m", "rollups", "202501", size=40),
        part("series", "series", "all", size=10),
        part("logs", "logs", "20260202", size=20, block=1),
        part("logs", "logs", "20260202", size=20, block=2),
        part("samples", "metrics", "20260201", size=20),
        part("spans", "traces", "20260203", size=20),
    ]

    assert [p.table for p in surplus(parts, 119)] == ["samples"]
    assert [(p.table, p.block) for p in surplus(parts, 100)] == [("samples", 1), ("logs", 1)]
    assert [p.table for p in surplus(parts, 1)] == [
        "samples", "logs", "logs", "spans", "samples_5m",
    ]  # fmt: skip


def test_rollups_of_years_leave_half_of_the_room_to_the_rest() -> None:
    parts = [
        part("samples_5m", "rollups", "202412", size=30),
        part("samples_5m", "rollups", "202501", size=30),
        part("samples_5m", "rollups", "202502", size=30),
        part("logs", "logs", "20260201", size=20),
        part("logs", "logs", "20260202", size=20),
    ]

    assert [(p.table, p.partition) for p in surplus(parts, 100)] == [
        ("samples_5m", "202412"),
        ("logs", "20260201"),
    ]
    assert [p.partition for p in surplus(parts[2:], 60)] == ["20260201"]


def test_telemetry_gives_way_on_a_disk_that_fills_up() -> None:
    gigabyte = 1024**3

    assert allowance(0, 20 * gigabyte, 100 * gigabyte) == (20 * gigabyte, "the limit of 20 GB")
    assert allowance(8 * gigabyte, 20 * gigabyte, gigabyte // 2) == (
        8 * gigabyte + gigabyte // 2 - RESERVE_BYTES,
        "less than 1 GB of the disk would be free",
    )
    assert allowance(0, 20 * gigabyte, 0)[0] == 0
