"""Numbers as Prometheus writes them."""

import math


def plain(number: float) -> str:
    """The shortest decimal that reads back as the same number, without an exponent."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    text = repr(number)
    if "e" in text or "E" in text:
        from decimal import Decimal  # noqa: PLC0415 -- for very large and very small ones only

        text = format(Decimal(text), "f")
    return text.removesuffix(".0")
