"""Steps of the schema: forward, once, and whole after a stop in the middle."""

from collections.abc import Iterator

import pytest

from steerway.telemetry.store import QueryFailed, Store
from steerway.telemetry.store.layout import Layout
from steerway.telemetry.store.schema import STEPS, Step, migrate
from steerway.telemetry.store.tables import LOGS, TABLES, create

ADD = "ALTER TABLE trial ADD COLUMN IF NOT EXISTS b String"
MAKE = "CREATE TABLE IF NOT EXISTS trial (a String) ENGINE = MergeTree ORDER BY a"


@pytest.fixture
def fresh(store: Store) -> Iterator[Store]:
    yield store
    store.execute("DROP TABLE IF EXISTS trial")
    store.execute("DELETE FROM schema_steps WHERE name = 'trial'")


def applied(store: Store) -> list[str]:
    names: list[str] = store.table("SELECT name FROM schema_steps ORDER BY step")[
        "name"
    ].to_pylist()
    return names


def test_steps_that_are_applied_are_left_alone(fresh: Store) -> None:
    migrate(fresh)
    migrate(fresh)

    assert applied(fresh) == ["tables"]


def test_a_step_that_was_cut_short_is_done_again(fresh: Store) -> None:
    cut = Step("trial", lambda _: [MAKE, "ALTER TABLE trial ADD NONSENSE"])
    with pytest.raises(QueryFailed):
        migrate(fresh, (*STEPS, cut))
    assert applied(fresh) == ["tables"]

    migrate(fresh, (*STEPS, Step("trial", lambda _: [MAKE, ADD])))

    assert applied(fresh) == ["tables", "trial"]
    assert fresh.table("SELECT * FROM trial").column_names == ["a", "b"]


def test_a_store_of_a_newer_version_is_left_as_it_is(fresh: Store) -> None:
    migrate(fresh, (*STEPS, Step("trial", lambda _: [MAKE, ADD])))

    migrate(fresh)

    assert applied(fresh) == ["tables", "trial"]


def test_on_a_cluster_every_table_is_replicated_and_distributed() -> None:
    stored, whole = create(LOGS, Layout("telemetry"))

    assert stored.startswith("CREATE TABLE IF NOT EXISTS logs_local ON CLUSTER 'telemetry' (ts ")
    assert "ENGINE = ReplicatedMergeTree PARTITION BY toYYYYMMDD(ts)" in stored
    assert "non_replicated" not in stored
    assert whole == (
        "CREATE TABLE IF NOT EXISTS logs ON CLUSTER 'telemetry' AS logs_local ENGINE = "
        "Distributed('telemetry', currentDatabase(), logs_local, rand())"
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_series_lies_on_one_shard(table: object) -> None:
    columns = table.columns
    shard = table.shard

    assert (" id UInt64" in columns) == (shard == "id")
