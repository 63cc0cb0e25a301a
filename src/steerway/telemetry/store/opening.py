"""The one store of this process: opened by the server, asked for by everybody."""

import atexit
import threading
from typing import Final

from steerway.platform.errors import SteerwayError
from steerway.platform.settings import Settings
from steerway.telemetry.store.embedded import Embedded
from steerway.telemetry.store.errors import QueryFailed, StoreDown
from steerway.telemetry.store.remote import Remote
from steerway.telemetry.store.schema import migrate
from steerway.telemetry.store.store import Backend, Store

STARTING: Final = "starting"
MEBIBYTE: Final = 1024 * 1024


class _Holder:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.store: Store | None = None
        self.error: SteerwayError = StoreDown(why=STARTING)


HOLDER: Final = _Holder()


def open_(settings: Settings) -> Store:
    """Open the store of this installation and bring its tables up to date; again is harmless.

    Raises:
        StoreBusy: another process has it.
        StoreDown: it does not answer, or its tables cannot be brought up to date.
    """
    with HOLDER.lock:
        if HOLDER.store is None:
            try:
                HOLDER.store = _opened(settings)
                # A process that ends while the engine works crashes; again is harmless.
                atexit.register(close)
            except SteerwayError as error:
                HOLDER.error = error
                raise
        return HOLDER.store


def close() -> None:
    """End what runs there, and close it."""
    with HOLDER.lock:
        store, HOLDER.store = HOLDER.store, None
        HOLDER.error = StoreDown(why="stopping")
    if store is not None:
        store.close()


def current() -> Store:
    """The open store.

    Raises:
        StoreDown, StoreBusy: it is not open, and why.
    """
    store = HOLDER.store
    if store is None:
        error = HOLDER.error
        raise type(error)(**error.fields)
    return store


def state() -> str:
    """Of this process's store: up, starting or down. Asks nobody."""
    if HOLDER.store is not None:
        return "up"
    return STARTING if HOLDER.error.fields.get("why") == STARTING else "down"


def _opened(settings: Settings) -> Store:
    store = Store(_backend(settings))
    try:
        migrate(store)
        store.rest()
    except QueryFailed as error:
        store.close()
        raise StoreDown(why=f"not open: {error}") from error
    except SteerwayError:
        store.close()
        raise
    return store


def _backend(settings: Settings) -> Backend:
    if settings.clickhouse_url:
        return Remote(settings.clickhouse_url, settings.clickhouse_cluster)
    return Embedded(settings.home / "telemetry", settings.telemetry_megabytes * MEBIBYTE)
