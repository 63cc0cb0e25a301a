"""The supplier: charges cards and knows the stock. It may be slow or gone at any time."""

import hashlib
import hmac
import json
import threading
import time
import urllib.request
from http.client import HTTPException
from typing import Any

from shop.metrics import Metrics
from shop.settings import Settings
from shop.telemetry import calling

STOCK_SECONDS = 5.0  # how long an answer about stock is good
STOCK_TIMEOUT = 0.3
CHARGE_TIMEOUT = 0.8
FAILURES_MAX = 3  # in a row, before the shop stops asking for a while
PAUSE_SECONDS = 2.0


class SupplierDown(Exception):
    """No usable answer in time."""


class Supplier:
    """Calls with a timeout each, and a pause after failures so that nobody waits in vain."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._url = settings.supplier_url
        self._key = settings.payment_key.encode()
        self._metrics = metrics
        self._lock = threading.Lock()
        self._stock: dict[str, int] | None = None
        self._stock_from = "nowhere"
        self._asked_at = float("-inf")
        self._failures = 0
        self._paused_until = 0.0

    def stock(self) -> tuple[dict[str, int] | None, str]:
        """Bags by product and where the numbers come from: supplier, memory or nowhere."""
        if self._url and self._stock_is_old():
            try:
                self._stock = self._call("GET", "/stock", None, STOCK_TIMEOUT)
                self._stock_from = "supplier"
            except SupplierDown:
                self._stock_from = "nowhere" if self._stock is None else "memory"
        return self._stock, self._stock_from

    def _stock_is_old(self) -> bool:
        """True for one thread every few seconds; the others use what is known."""
        with self._lock:
            old = time.monotonic() - self._asked_at >= STOCK_SECONDS
            if old:
                self._asked_at = time.monotonic()
            return old

    def charge(self, key: str, cents: int) -> None:
        """Take the money, once per key however often it is asked.

        Raises:
            SupplierDown: the money was not taken, or nobody knows.
        """
        if self._url is None:
            return
        signature = hmac.new(self._key, f"{key}:{cents}".encode(), hashlib.sha256).hexdigest()
        body = {"key": key, "cents": cents, "signature": signature}
        self._call("POST", "/charge", body, CHARGE_TIMEOUT)

    def _call(self, method: str, path: str, body: object, timeout: float) -> Any:
        self._take_turn()
        attributes: dict[str, str | int] = {
            "peer.service": "supplier",
            "http.request.method": method,
            "url.path": path,
        }
        with calling(f"{method} {path}", attributes) as span:
            traced = {} if span is None else {"traceparent": span.traceparent}
            return self._ask(method, path, body, timeout, traced)

    def _ask(
        self, method: str, path: str, body: object, timeout: float, traced: dict[str, str]
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **traced}
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                answer = json.load(response)
        except (OSError, ValueError, HTTPException) as error:
            self._metrics.supplier("failed")
            with self._lock:
                self._failures += 1
            raise SupplierDown(str(error)) from error
        self._metrics.supplier("ok")
        with self._lock:
            self._failures, self._paused_until = 0, 0.0
        return answer

    def _take_turn(self) -> None:
        """Let a call pass; after failures in a row only one in a while, to see how things are."""
        with self._lock:
            now = time.monotonic()
            paused = now < self._paused_until
            if not paused and self._failures >= FAILURES_MAX:
                self._paused_until = now + PAUSE_SECONDS
        if paused:
            self._metrics.supplier("paused")
            raise SupplierDown("the supplier failed a moment ago")
