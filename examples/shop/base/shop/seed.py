"""A thousand orders to begin with: the same ones on every machine."""

import random
import sqlite3
from datetime import UTC, datetime, timedelta

ORDERS = 1000
FIRST_AT = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
CUSTOMERS = ("alice", "bob", "chidi", "dana", "emeka", "farah", "guest")
PRODUCTS = (
    ("house", "House Blend", "Brazil, Colombia", "cocoa, toasted almond", 1150, 28),
    ("yirgacheffe", "Yirgacheffe", "Ethiopia", "jasmine, bergamot, peach", 1690, 48),
    ("huila", "Huila", "Colombia", "red apple, panela", 1420, 12),
    ("sidamo", "Sidamo Natural", "Ethiopia", "blueberry, cream", 1750, 285),
    ("antigua", "Antigua", "Guatemala", "dark chocolate, orange", 1380, 165),
    ("decaf", "Evening Decaf", "Mexico", "hazelnut, honey", 1290, 230),
)


def seed(connection: sqlite3.Connection) -> None:
    """Fill a new shop, inside the transaction that is open."""
    connection.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", PRODUCTS)
    connection.executemany(
        "INSERT INTO orders (idempotency_key, customer, sku, quantity, total_cents, placed_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        orders(),
    )


def orders() -> list[tuple[str, str, str, int, int, str]]:
    """The seeded orders, oldest first."""
    chance = random.Random(ORDERS)
    prices = {sku: cents for sku, _, _, _, cents, _ in PRODUCTS}
    rows = []
    for number in range(1, ORDERS + 1):
        sku, quantity = chance.choice(list(prices)), chance.randint(1, 4)
        at = FIRST_AT + timedelta(minutes=7 * number)
        total = prices[sku] * quantity
        row = (f"seed-{number:04}", chance.choice(CUSTOMERS), sku, quantity, total, at.isoformat())
        rows.append(row)
    return rows
