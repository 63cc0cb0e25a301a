"""What is given to the intake is stored, once, within its limits."""

import numpy as np

from steerway.telemetry.ingest.rules.samples import STALE, STALE_BITS, Samples
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store
from tests.telemetry.ingest.conftest import NOW, NOW_MS, one

COUNT = "SELECT count() AS n FROM samples"


def test_samples_that_were_waited_for_are_stored(intake: Intake, store: Store) -> None:
    samples, series = one("orders_total", {"service": "shop", "code": "200"}, 1.0, 2.0, STALE)

    refusals = intake.add_samples(samples, series, wait=True)

    rows = store.table("SELECT metric, toUnixTimestamp64Milli(ts) AS ms, value FROM samples")
    assert refusals.rows == 0
    assert rows["ms"].to_pylist() == [NOW_MS, NOW_MS + 1000, NOW_MS + 2000]
    assert rows["value"].to_numpy().view(np.uint64)[2] == STALE_BITS
    described = store.table("SELECT metric, labels, service FROM series").to_pylist()
    assert described == [
        {
            "metric": "orders_total",
            "labels": [("service", "shop"), ("code", "200")],
            "service": "shop",
        }
    ]


def test_a_service_over_its_limit_is_told_the_label(intake: Intake, store: Store) -> None:
    for number in range(7):
        samples, series = one("hits", {"service": "shop", "user": f"u{number}", "zone": "a"}, 1.0)
        refusals = intake.add_samples(samples, series, wait=True)

    assert refusals.counts == {"series": 1}
    assert "`user` (5)" in refusals.text()
    assert store.table(COUNT)["n"][0].as_py() == 5


def test_samples_of_a_wrong_clock_are_refused(intake: Intake, store: Store) -> None:
    labels = {"service": "shop"}
    old, series = one("hits", labels, 1.0, at_ms=NOW_MS - 25 * 3_600_000)
    new, _ = one("hits", labels, 1.0, at_ms=NOW_MS + 11 * 60_000)

    first = intake.add_samples(old, series, wait=True)
    second = intake.add_samples(new, series, wait=True)

    assert (first.counts, second.counts) == ({"too-old": 1}, {"too-new": 1})
    assert store.table(COUNT)["n"][0].as_py() == 0


def test_a_sample_that_is_sent_again_counts_once(intake: Intake, store: Store) -> None:
    samples, series = one("hits", {"service": "shop"}, 1.0, 2.0, 3.0)
    intake.add_samples(samples, series, wait=True)

    refusals = intake.add_samples(samples, series, wait=True)

    assert refusals.rows == 0
    assert store.table(COUNT)["n"][0].as_py() == 3


def test_a_sample_that_is_sent_again_to_a_new_server_counts_once(
    intake: Intake, store: Store
) -> None:
    samples, series = one("hits", {"service": "shop"}, 1.0, 2.0)
    intake.add_samples(samples, series, wait=True)
    after_restart = Intake(lambda: store, now=lambda: NOW)
    after_restart.start()

    after_restart.add_samples(samples, series, wait=True)
    after_restart.stop()

    assert store.table(COUNT)["n"][0].as_py() == 2


def test_samples_out_of_order_are_stored(intake: Intake, store: Store) -> None:
    later, series = one("hits", {"service": "shop"}, 2.0, at_ms=NOW_MS)
    earlier, _ = one("hits", {"service": "shop"}, 1.0, at_ms=NOW_MS - 60_000)
    intake.add_samples(later, series, wait=True)

    intake.add_samples(earlier, series, wait=True)

    values = store.table("SELECT value FROM samples ORDER BY ts")["value"].to_pylist()
    assert values == [1.0, 2.0]


def test_samples_of_one_time_in_one_batch_count_once(intake: Intake, store: Store) -> None:
    samples, series = one("hits", {"service": "shop"}, 1.0, 2.0)
    samples.ts_ms[1] = samples.ts_ms[0]

    intake.add_samples(samples, series, wait=True)

    assert store.table("SELECT value FROM samples")["value"].to_pylist() == [1.0]


def test_batches_without_a_journal_are_all_stored(intake: Intake, store: Store) -> None:
    for at_ms in range(NOW_MS, NOW_MS + 4):
        samples, series = one("hits", {"service": "shop"}, 1.0, at_ms=at_ms)
        intake.add_samples(samples, series, wait=True)

    assert store.table(COUNT)["n"][0].as_py() == 4


def test_samples_of_several_series_in_any_order_count_once(intake: Intake, store: Store) -> None:
    users = ("a", "b", "c")
    some = [one("hits", {"service": "shop", "user": user}, 1.0, 2.0, 3.0) for user in users]
    ids = np.concatenate([samples.ids for samples, _ in some])
    times = np.concatenate([samples.ts_ms for samples, _ in some])
    series = {id_: called for _, described in some for id_, called in described.items()}
    order = np.random.default_rng(7).integers(0, len(ids), 100)

    for several in (order[:50], order, np.arange(len(ids))):
        samples = Samples(["hits"] * len(several), ids[several], times[several], times[several])
        intake.add_samples(samples, series, wait=True)

    assert store.table("SELECT count() AS n, uniqExact(id, ts) AS u FROM samples").to_pylist() == [
        {"n": 9, "u": 9}
    ]
