"""Asks replicas what the descriptor says is safe to ask, where people ask too little.

The questions go to the replicas themselves and not through the router, so they are in nobody's
figures; they carry a header by which a service can tell them from people's.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final

from steerway import __version__
from steerway.delivery.analyses.rules.comparing import Reply

LOOPBACK: Final = "127.0.0.1"
TIMEOUT_SECONDS: Final = 5.0
THREADS: Final = 8
ANSWER_BYTES_MAX: Final = 1_000_000
HEADERS: Final = {"user-agent": f"steerway-top-up/{__version__}", "x-steerway-synthetic": "top-up"}


@dataclass(frozen=True, slots=True)
class Question:
    """One safe request, to one replica."""

    method: str
    path: str
    host: str
    port: int


class TopUp:
    """Asks in parallel, a bounded number at a time."""

    def __init__(self) -> None:
        """Start no thread before the first question."""
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="top-up")

    def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """The replies, in the order of the questions; each within five seconds."""
        return list(self._pool.map(_ask, questions))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _ask(question: Question) -> Reply:
    began = time.monotonic()
    connection = HTTPConnection(LOOPBACK, question.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            question.method, question.path, headers=HEADERS | {"host": question.host}
        )
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES_MAX)
        status = answer.status
    except (OSError, HTTPException):
        status = 0
    finally:
        connection.close()
    return Reply(status, (time.monotonic() - began) * 1000)
