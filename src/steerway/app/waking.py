"""The bell between the web and the worker: a commit that asks for a workflow rings it.

It carries no data. The sweep reads the records, so a bell that nobody heard loses nothing.
"""

import threading
from typing import Final
from uuid import UUID

BELL: Final = threading.Event()


def ring(workflow: str, record_id: UUID) -> None:
    """Have the sweep look at once for workflows that are recorded and not started."""
    BELL.set()
