-- class: additive
CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    notes TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    hue INTEGER NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL DEFAULT 'guest',
    sku TEXT NOT NULL REFERENCES products (sku),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    total_cents INTEGER NOT NULL,
    placed_at TEXT NOT NULL
);
