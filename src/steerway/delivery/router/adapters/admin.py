"""Envoy's admin interface, over its unix socket."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Endpoint

TIMEOUT_SECONDS: Final = 5.0
ANSWER_BYTES_MAX: Final = 32_000_000
Health = dict[str, dict[Endpoint, bool]]
T = TypeVar("T")


class _Unix(HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("router", timeout=TIMEOUT_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Admin:
    """Questions to a running Envoy.

    Raises: every method raises RouterDown when it does not answer.
    """

    def __init__(self, path: Path, log: Path) -> None:
        self.path = path
        self.log = log

    def get(self, target: str) -> str:
        """The body of an answer."""
        return self._ask("GET", target)

    def post(self, target: str) -> str:
        """The body of the answer to a command."""
        return self._ask("POST", target)

    def statistics(self, pattern: str) -> dict[str, str]:
        """Counters, gauges and texts whose name matches a regular expression."""
        lines = self.get(f"/stats?filter={quote(pattern)}").splitlines()
        pairs = (line.rpartition(": ") for line in lines)
        return {name: value.strip('"') for name, _, value in pairs}

    def health(self, *clusters: str) -> Health:
        """The replicas of versions, of all when none is named, and whether each may have traffic.

        A version that is not known is absent.
        """
        return self._replicas(clusters, _endpoint)

    def replica_counts(self, *clusters: str) -> dict[str, dict[Endpoint, tuple[int, int]]]:
        """Requests and failures of each replica of these versions since it was added."""
        return self._replicas(clusters, _counts)

    def active_requests(self, *clusters: str) -> int:
        """Requests that these versions are answering or about to."""
        return sum(self.active(*clusters).values())

    def active(self, *clusters: str) -> dict[str, int]:
        """Requests that each of these versions is answering or about to."""
        names = "|".join(clusters)
        found = self.statistics(rf"^cluster\.({names})\.upstream_rq_(active|pending_active)$")
        total = dict.fromkeys(clusters, 0)
        for name, value in found.items():
            total[name.split(".")[1]] += int(value)
        return total

    def histograms(self, pattern: str) -> dict[str, tuple[int, ...]]:
        """Histograms whose name matches: how many values lie at each edge or below."""
        answer = self.get(
            f"/stats?format=json&histogram_buckets=cumulative&filter={quote(pattern)}"
        )
        found = json.loads(answer)["stats"]
        histograms: list[dict[str, Any]] = next(
            (one["histograms"] for one in found if "histograms" in one), []
        )
        return {
            one["name"]: tuple(bucket["cumulative"] for bucket in one["buckets"])
            for one in histograms
        }

    def _replicas(
        self, clusters: tuple[str, ...], read: Callable[[dict[str, Any]], tuple[Endpoint, T]]
    ) -> dict[str, dict[Endpoint, T]]:
        """What `read` makes of each replica of these versions, of all when none is named."""
        names = quote(f"^({'|'.join(clusters)})$") if clusters else ""
        answer = json.loads(self.get(f"/clusters?format=json&filter={names}"))
        return {
            one["name"]: dict(map(read, one.get("host_statuses", [])))
            for one in answer.get("cluster_statuses", [])
        }

    def _ask(self, method: str, target: str) -> str:
        connection = _Unix(self.path)
        try:
            connection.request(method, target)
            return connection.getresponse().read(ANSWER_BYTES_MAX).decode()
        except (OSError, HTTPException) as error:
            raise RouterDown(reason=str(error) or type(error).__name__, log=self.log) from error
        finally:
            connection.close()


def _endpoint(status: dict[str, Any]) -> tuple[Endpoint, bool]:
    address = status["address"]["socket_address"]
    marks = status["health_status"]  # the ways in which it is not well, and what its file says
    return (
        Endpoint(address["address"], address["port_value"]),
        not any(mark is True for mark in marks.values()),
    )


def _counts(status: dict[str, Any]) -> tuple[Endpoint, tuple[int, int]]:
    address = status["address"]["socket_address"]
    found = {one["name"]: int(one.get("value", 0)) for one in status["stats"]}
    endpoint = Endpoint(address["address"], address["port_value"])
    return endpoint, (found["rq_total"], found["rq_error"])
