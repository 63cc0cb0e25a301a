"""One way to write a value, so that equal values have equal digests."""

import hashlib

import rfc8785


def canonical(value: object) -> str:
    """JSON with sorted keys and fixed number forms. Source: RFC 8785."""
    return rfc8785.dumps(value).decode()  # type: ignore[arg-type] # checked by rfc8785 itself


def digest(value: object) -> str:
    """The SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
