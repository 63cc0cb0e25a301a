"""The intake counts what it stores and what it refuses."""

from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store
from tests.telemetry.ingest.conftest import NOW_MS, one

OWN = """
SELECT metric, labels['table'] AS table, labels['reason'] AS reason, value
FROM samples INNER JOIN (SELECT id, any(labels) AS labels FROM series GROUP BY id) AS s USING (id)
WHERE metric LIKE 'steerway_ingest_re%' OR labels['table'] = 'samples' ORDER BY metric
"""


def test_the_intake_counts_what_it_stores_and_refuses(intake: Intake, store: Store) -> None:
    samples, series = one("hits", {"service": "shop"}, 1.0, 2.0)
    old, _ = one("hits", {"service": "shop"}, 1.0, at_ms=NOW_MS - 10**9)
    intake.add_samples(samples, series, wait=True)
    intake.add_samples(old, series)

    intake.add_own()
    intake.settle()

    found = [tuple(row.values()) for row in store.table(OWN).to_pylist()]
    assert ("steerway_ingest_rows_total", "samples", "", 2.0) in found
    assert ("steerway_ingest_refused_rows_total", "", "too-old", 1.0) in found


def test_who_has_too_many_series_is_told_of_once(intake: Intake) -> None:
    for number in range(7):
        samples, series = one("hits", {"service": "shop", "user": f"u{number}"}, 1.0)
        intake.add_samples(samples, series)

    assert "`user`" in intake.book.crowded(NOW_MS - 1)["shop"]
    assert intake.book.crowded(NOW_MS) == {}
