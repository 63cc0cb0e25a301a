"""The one store of this process: opened by the server, asked for by everybody."""

import threading
from typing import Final

from steerway.platform.settings import Settings
from steerway.telemetry.store.embedded import Embedded
from steerway.telemetry.store.errors import StoreDown
from steerway.telemetry.store.schema import migrate
from steerway.telemetry.store.store import Store

MEMORY_BYTES: Final = 400 * 1024 * 1024


class _Holder:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.store: Store | None = None
        self.why = "starting"


HOLDER: Final = _Holder()


def open_(settings: Settings) -> Store:
    """Open the store of this installation and bring its tables up to date.

    Raises:
        StoreBusy: another process has it.
        StoreDown: it does not answer.
    """
    with HOLDER.lock:
        if HOLDER.store is None:
            store = Store(Embedded(settings.home / "telemetry", MEMORY_BYTES))
            migrate(store)
            HOLDER.store = store
        return HOLDER.store


def close() -> None:
    """Close it; what runs is stopped."""
    with HOLDER.lock:
        store, HOLDER.store, HOLDER.why = HOLDER.store, None, "stopping"
    if store is not None:
        store.close()


def current() -> Store:
    """The open store.

    Raises:
        StoreDown: it is not open, and why.
    """
    store = HOLDER.store
    if store is None:
        raise StoreDown(why=HOLDER.why)
    return store
