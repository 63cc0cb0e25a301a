"""The supplier: charges cards and knows the stock. It may be slow or gone at any time."""

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from shop.metrics import Metrics
from shop.settings import Settings

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
        self._asked_at = 0.0
        self._failures = 0
        self._paused_until = 0.0

    def stock(self) -> tuple[dict[str, int] | None, str]:
        """Bags by product and where the numbers come from: supplier, memory or nowhere."""
        if self._url is None:
            return None, "nowhere"
        with self._lock:
            due = time.monotonic() - self._asked_at >= STOCK_SECONDS
            if due:
                self._asked_at = time.monotonic()
        if due:
            try:
                self._stock = self._call("GET", "/stock", None, STOCK_TIMEOUT)
            except SupplierDown:
                self._asked_at = 0.0
                return self._stock, "nowhere" if self._stock is None else "memory"
        return self._stock, "nowhere" if self._stock is None else "supplier"

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
        if time.monotonic() < self._paused_until:
            self._metrics.supplier("paused")
            raise SupplierDown("the supplier failed a moment ago")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                answer = json.load(response)
        except (OSError, ValueError, urllib.error.URLError) as error:
            self._failed()
            raise SupplierDown(str(error)) from error
        self._failures = 0
        self._metrics.supplier("ok")
        return answer

    def _failed(self) -> None:
        self._metrics.supplier("failed")
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
