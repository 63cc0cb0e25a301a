"""A ClickHouse server, or a cluster of them, over HTTP."""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import pyarrow as pa

from steerway.telemetry.store import arrow
from steerway.telemetry.store.errors import QueryFailed, StoreDown
from steerway.telemetry.store.failures import failure, refusal
from steerway.telemetry.store.layout import Layout

T = TypeVar("T")
Failed = Callable[[str], Exception]

CONNECTIONS_MAX: Final = 16
CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 300
# The first with text indexes for everybody; time series functions are older.
OLDEST: Final = (26, 2)
FIT: Final = (
    "SELECT version() AS version, "
    "(SELECT count() FROM system.clusters WHERE cluster = {cluster:String}) AS shards"
)
SESSION: Final = {
    "session_timezone": "UTC",
    "enable_time_series_aggregate_functions": "1",
    "max_insert_block_size": "2000000",
    "min_insert_block_size_rows": "2000000",
    # An error in the middle of an answer then has its status, and is not half an answer.
    "wait_end_of_query": "1",
    # Acknowledged is stored, on the shard it belongs to.
    "distributed_foreground_insert": "1",
    "distributed_product_mode": "global",
}


class Remote:
    """One client of a server; its connections are pooled."""

    def __init__(self, url: str, cluster: str) -> None:
        self.layout = Layout(cluster)
        try:
            self._client = _calling(lambda: _connect(url))
            self._refuse_if_unfit(cluster)
        except QueryFailed as error:
            raise StoreDown(why=f"refused by its server ({error})") from error

    def _refuse_if_unfit(self, cluster: str) -> None:
        """One sentence now is better than a hundred errors later.

        Raises:
            StoreDown: the server is too old, or knows no such cluster.
        """
        found = self.query(FIT, {"cluster": cluster}, {}, uuid.uuid4().hex).to_pylist()[0]
        version = tuple(int(part) for part in found["version"].split(".")[:2])
        if version < OLDEST:
            least = ".".join(map(str, OLDEST))
            raise StoreDown(why=f"in ClickHouse {found['version']}, and {least} is needed")
        if cluster and not found["shards"]:
            raise StoreDown(why=f"in a ClickHouse that knows no cluster {cluster}")

    def query(
        self, sql: str, params: Mapping[str, object], settings: Mapping[str, str], mark: str
    ) -> pa.Table:
        """The answer as Arrow. `mark` is what `kill` finds it by."""
        body = _calling(
            lambda: self._client.raw_query(
                sql,
                parameters=_plain(params),
                settings={**settings, "query_id": mark},
                fmt="ArrowStream",
            )
        )
        return arrow.answer(body)

    def command(self, sql: str, params: Mapping[str, object]) -> None:
        """Run a statement that answers nothing."""
        _calling(lambda: self._client.command(sql, parameters=_plain(params)))

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        format_: str,
        body: bytes,
        settings: Mapping[str, str],
    ) -> None:
        """Insert rows that are in a format the server reads."""
        _calling(
            lambda: self._client.raw_insert(
                table, columns or None, body, settings=dict(settings), fmt=format_
            ),
            refusal,
        )

    def kill(self, mark: str) -> None:
        """End a running query."""
        sql = f"KILL QUERY{self.layout.everywhere} WHERE query_id = {{mark:String}} ASYNC"
        self.command(sql, {"mark": mark})

    def rest(self) -> None:
        """Its memory is its own affair."""

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def _connect(url: str) -> Any:
    import clickhouse_connect  # noqa: PLC0415 -- only those who have a server need it
    from clickhouse_connect.driver.httputil import get_pool_manager  # noqa: PLC0415 -- the same

    # A map as ClickHouse writes it; without a session, requests run beside one another.
    clickhouse_connect.common.set_setting("dict_parameter_format", "map")
    return clickhouse_connect.get_client(
        dsn=url,
        settings=SESSION,
        autogenerate_session_id=False,
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=ANSWER_SECONDS,
        pool_mgr=get_pool_manager(maxsize=CONNECTIONS_MAX),
    )


def _calling(call: Callable[[], T], failed: Failed = failure) -> T:
    from clickhouse_connect.driver.exceptions import (  # noqa: PLC0415 -- as above
        DatabaseError,
        Error,
        OperationalError,
    )

    try:
        return call()
    except OperationalError as error:
        raise StoreDown(why=f"not reachable ({error})") from error
    except (DatabaseError, Error) as error:
        raise failed(str(error)) from error


def _plain(params: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(value) for name, value in params.items()}


def _value(value: object) -> object:
    """As the client takes it: it knows lists, and writes numbers as Python does."""
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
