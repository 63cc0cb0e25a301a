"""The shop itself: which request gets which answer."""

import json
import secrets
import sqlite3
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from shop import VERSION, migrations, orders, storefront
from shop.database import Database
from shop.log import Log
from shop.metrics import Metrics
from shop.orders import Cart, Invalid
from shop.supplier import Supplier, SupplierDown
from shop.telemetry import Exporter, Span, follow
from shop.wire import Request, Response

KEY_MAX = 200  # characters of an idempotency key


class Shop:
    """Everything a request may need."""

    def __init__(
        self,
        database: Database,
        supplier: Supplier,
        metrics: Metrics,
        exporter: Exporter,
        log: Log,
    ) -> None:
        self.database = database
        self.supplier = supplier
        self.metrics = metrics
        self.exporter = exporter
        self.log = log
        self.leaving: Callable[[], bool] = lambda: False

    def answer(self, request: Request) -> Response:
        """Answer a request, and leave one log line, one span and the counts behind."""
        route = request.path if request.path in ROUTES else "other"
        trace, parent, sampled = follow(request.headers.get("traceparent", ""))
        span = Span(f"{known(request.method)} {route}", trace, parent)
        span.sampled = sampled and route not in UNTRACED
        with self.exporter.serving(span):
            return self._noted(request, route, span)

    def _noted(self, request: Request, route: str, span: Span) -> Response:
        started = time.perf_counter()
        response = self._guarded(request)
        response.headers["x-shop-version"] = VERSION
        seconds = time.perf_counter() - started
        method = known(request.method)
        self.metrics.request(method, route, response.status, seconds)
        span.failed = response.status >= 500
        span.attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": response.status,
        }
        self.log.write(
            "error" if response.status >= 500 else "info",
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            ms=round(seconds * 1000, 2),
            bytes=len(response.body),
        )
        return response

    def _guarded(self, request: Request) -> Response:
        """The handler's answer; whatever it raises unforeseen is a 500 and a log line."""
        handlers = ROUTES.get(request.path)
        if handlers is None:
            return Response.problem(404, f"there is nothing at {request.path}")
        handler = handlers.get("GET" if request.is_head else request.method)
        if handler is None:
            response = Response.problem(405, f"use {' or '.join(handlers)} here")
            response.headers["Allow"] = ", ".join(handlers)
            return response
        try:
            return handler(self, request)
        except Invalid as problem:
            return Response.problem(422, str(problem))
        except Exception as error:  # noqa: BLE001 - the outermost loop: a bug must not end the shop
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.log.write(
                "error",
                "unhandled error",
                error=f"{type(error).__name__}: {error}",
                where=f"{where.name}:{where.lineno}",
            )
            return Response.problem(500, "something went wrong; the log knows what")


def home(shop: Shop, request: Request) -> Response:
    """The storefront."""
    page = storefront.render(orders.products(shop.database))
    return Response(200, page.encode(), "text/html; charset=utf-8", storefront.HEADERS.copy())


def catalog(shop: Shop, request: Request) -> Response:
    """What is on sale; without the supplier, with the stock last heard of or none."""
    stock, source = shop.supplier.stock()
    items = orders.products(shop.database)
    for item in items:
        item["stock"] = None if stock is None else stock.get(item["sku"], 0)
    return Response.json({"products": items, "stock_from": source})


def list_orders(shop: Shop, request: Request) -> Response:
    """The newest orders."""
    limit = whole(request.query.get("limit", "20"))
    return Response.json({"orders": orders.latest(shop.database, limit=limit)})


def checksum(shop: Shop, request: Request) -> Response:
    """A sum that tells whether orders were lost or changed; `?through=1000` for the seeded ones."""
    through = request.query.get("through")
    limit = None if through is None else whole(through)
    return Response.json(orders.checksum(shop.database, through=limit))


def checkout(shop: Shop, request: Request) -> Response:
    """Sell a cart. The same Idempotency-Key gives the same order, however often it is sent."""
    key = request.headers.get("idempotency-key") or secrets.token_hex(12)
    if len(key) > KEY_MAX:
        raise Invalid(f"the idempotency key is longer than {KEY_MAX} characters")
    if earlier := orders.find(shop.database, key):
        return Response.json(earlier)
    cart = Cart.read(read_json(request.body))
    cents = orders.price(shop.database, cart)
    try:
        charge(shop, request, key, cents)
    except SupplierDown:
        response = Response.problem(503, "payments are not available; try again in a moment")
        response.headers["Retry-After"] = "2"
        return response
    order = orders.place(shop.database, cart, key=key, cents=cents, at=datetime.now(UTC))
    shop.metrics.order(cents)
    return Response.json(order, 201)


def charge(shop: Shop, request: Request, key: str, cents: int) -> None:
    """Ask the supplier for the money."""
    try:
        shop.supplier.charge(key, cents)
    except SupplierDown as down:
        shop.log.write("warning", "charge failed", reason=str(down))
        raise


def healthz(shop: Shop, request: Request) -> Response:
    """Whether this replica should get traffic: it stays, and its database answers."""
    if shop.leaving():
        return Response.problem(503, "this replica is stopping")
    try:
        connection = shop.database.connect()
        connection.execute("SELECT id FROM orders ORDER BY id DESC LIMIT 1").fetchone()
        at, needed = migrations.applied(connection), migrations.needed()
    except sqlite3.Error as error:
        shop.log.write("error", "health check failed", reason=str(error))
        return Response.problem(503, f"the database does not answer: {error}")
    if at < needed:
        reason = f"the database is at migration {at}, this version needs {needed}"
        shop.log.write("error", "health check failed", reason=reason)
        return Response.problem(503, reason)
    return Response.json({"status": "ok", "version": VERSION, "migration": at})


def metrics(shop: Shop, request: Request) -> Response:
    """The counts, for Prometheus."""
    return Response(200, shop.metrics.text().encode(), "text/plain; version=0.0.4; charset=utf-8")


def version(shop: Shop, request: Request) -> Response:
    """Which version answers."""
    return Response.json({"version": VERSION})


def whole(text: str) -> int:
    """A whole number from a query."""
    if not text.isdecimal() or len(text) > 18:
        raise Invalid(f"{text!r} is not a whole number")
    return int(text)


def read_json(body: bytes) -> object:
    """A body as JSON; None when it is not."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def known(method: str) -> str:
    """A method as a label: a stranger's inventions must not become time series."""
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"


UNTRACED = {"/healthz", "/metrics"}  # asked by machines, all the time
Handler = Callable[[Shop, Request], Response]
ROUTES: dict[str, dict[str, Handler]] = {
    "/": {"GET": home},
    "/catalog": {"GET": catalog},
    "/orders": {"GET": list_orders},
    "/orders/checksum": {"GET": checksum},
    "/checkout": {"POST": checkout},
    "/healthz": {"GET": healthz},
    "/metrics": {"GET": metrics},
    "/version": {"GET": version},
}
