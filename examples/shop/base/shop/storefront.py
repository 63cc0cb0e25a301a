"""The page people see: one file, no outside resources."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from shop import VERSION

PAGE = Template((Path(__file__).parent / "storefront.html").read_text())
CARD = Template((Path(__file__).parent / "card.html").read_text())
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def render(products: list[dict[str, Any]]) -> str:
    """The storefront with these products."""
    return PAGE.substitute(cards="\n".join(map(card, products)), version=VERSION)


def card(product: dict[str, Any]) -> str:
    """One product."""
    values = {name: escape(str(value)) for name, value in product.items()}
    return CARD.substitute(values, price=f"{product['price_cents'] / 100:.2f}")
