"""What is kept of labels is what the store has."""

from steerway.telemetry.metrics import queries
from steerway.telemetry.store import Store
from tests.telemetry.seeding import at, seed_samples

NOON = 1_790_000_000


def services(store: Store, query: str = "up") -> list[str]:
    answer = queries.instant(store, query, at=at(NOON))
    return [labels["service"] for labels in answer.value.labels.sets()]  # type: ignore[union-attr]


def test_a_new_series_is_seen_at_once(store: Store) -> None:
    seed_samples(store, "up", {"service": "shop"}, [(NOON, 1.0)])
    before = services(store)

    seed_samples(store, "up", {"service": "api"}, [(NOON, 1.0)])

    assert before == ["shop"]
    assert services(store) == ["api", "shop"]
    assert services(store, 'up{service=~"a.*"}') == ["api"]
    assert services(store, '{__name__=~"u."}') == ["api", "shop"]


def test_a_series_that_is_gone_is_forgotten(store: Store) -> None:
    seed_samples(store, "up", {"service": "shop"}, [(NOON, 1.0)])
    services(store)

    for table in ("series", "samples"):
        store.execute(f"TRUNCATE TABLE {table}")
    seed_samples(store, "up", {"service": "api"}, [(NOON, 1.0)])

    assert services(store) == ["api"]


def test_a_sample_that_came_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        seed_samples(store, "up", {"service": "shop"}, [(NOON - 15, 1.0), (NOON, 2.0)])

    answer = queries.instant(store, "sum_over_time(up[1m])", at=at(NOON))

    assert answer.value.values.tolist() == [[3.0]]  # type: ignore[union-attr]


def test_selectors_that_overlap_share_their_samples(store: Store) -> None:
    for code, rise in (("200", 3.0), ("500", 1.0)):
        points = [(NOON - 300 + 15 * i, rise * i) for i in range(21)]
        seed_samples(store, "hits", {"service": "shop", "code": code}, points)

    answer = queries.instant(
        store, 'sum(rate(hits{code="500"}[2m])) / sum(rate(hits[2m]))', at=at(NOON)
    )

    assert answer.value.values.tolist() == [[0.25]]  # type: ignore[union-attr]
