"""Products and orders: what is sold, to whom, and never twice for one key."""

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.database import Database

QUANTITY_MAX = 20
LIMIT_MAX = 100
# What the first version knew: the sum of the seeded orders is the same under every version.
CHECKED = "id, idempotency_key, customer, sku, quantity, total_cents, placed_at"
COLUMNS = "id, customer, sku, quantity, total_cents, placed_at"


class Invalid(Exception):
    """The order cannot be taken; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Cart:
    """What someone wants to buy."""

    sku: str
    quantity: int
    customer: str

    @classmethod
    def read(cls, body: object) -> "Cart":
        """A cart from a request's JSON.

        Raises:
            Invalid: it is not a cart.
        """
        if not isinstance(body, dict):
            raise Invalid('send JSON such as {"sku": "house", "quantity": 1}')
        sku, quantity = body.get("sku"), body.get("quantity", 1)
        if not isinstance(sku, str) or not sku.isascii():
            raise Invalid("sku is missing; /catalog lists them")
        if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
            raise Invalid(f"quantity must be a whole number from 1 to {QUANTITY_MAX}")
        return cls(sku, quantity, text(body.get("customer"), 80) or "guest")


def text(value: object, length: int) -> str:
    """A value as text that a database takes: cut, and without halves of characters."""
    return str(value or "")[:length].encode(errors="replace").decode()


def products(database: Database) -> list[dict[str, Any]]:
    """Everything on sale."""
    query = "SELECT sku, name, origin, notes, price_cents, hue FROM products ORDER BY rowid"
    return [dict(row) for row in database.connect().execute(query)]


def latest(database: Database, *, limit: int) -> list[dict[str, Any]]:
    """The newest orders, newest first."""
    query = f"SELECT {COLUMNS} FROM orders ORDER BY id DESC LIMIT ?"
    rows = database.connect().execute(query, (min(limit, LIMIT_MAX),))
    return [dict(row) for row in rows]


def checksum(database: Database, *, through: int | None) -> dict[str, Any]:
    """A sum over the orders up to `through`, which no migration may change."""
    digest, count, last = hashlib.sha256(), 0, 0
    query = f"SELECT {CHECKED} FROM orders WHERE id <= ? ORDER BY id"
    for row in database.connect().execute(query, (2**62 if through is None else through,)):
        digest.update(repr(tuple(row)).encode())
        count, last = count + 1, row["id"]
    return {"orders": count, "through": last, "sha256": digest.hexdigest()}


def find(database: Database, key: str) -> dict[str, Any] | None:
    """The order that was placed under a key, if any."""
    query = f"SELECT {COLUMNS} FROM orders WHERE idempotency_key = ?"
    row = database.connect().execute(query, (key,)).fetchone()
    return dict(row) if row else None


def price(database: Database, cart: Cart) -> int:
    """What a cart costs, in cents.

    Raises:
        Invalid: no such product.
    """
    query = "SELECT price_cents FROM products WHERE sku = ?"
    row = database.connect().execute(query, (cart.sku,)).fetchone()
    if row is None:
        raise Invalid(f"there is no {cart.sku!r}; /catalog lists what there is")
    return int(row[0]) * cart.quantity


def place(database: Database, cart: Cart, *, key: str, cents: int, at: datetime) -> dict[str, Any]:
    """Write an order, or find the one another request wrote first under the same key."""
    values = {
        "idempotency_key": key,
        "customer": cart.customer,
        "sku": cart.sku,
        "quantity": cart.quantity,
        "total_cents": cents,
        "placed_at": at.isoformat(),
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    try:
        with database.writing() as connection:
            connection.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", values)
    except sqlite3.IntegrityError:
        pass  # The unique key settles the race; whoever came first is the order.
    order = find(database, key)
    assert order
    return order
