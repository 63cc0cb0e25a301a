"""How an entry is written down and chained. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import rfc8785

# What the first entry is chained to.
GENESIS: Final = "0" * 64


def canonical(data: Mapping[str, object]) -> str:
    """The one text of `data`.

    Source: RFC 8785, JSON Canonicalization Scheme.
    """
    return rfc8785.dumps(dict(data)).decode()  # type: ignore[arg-type] # its JSON type is recursive


def moment(at: datetime) -> str:
    """A moment as text: RFC 3339 in UTC with microseconds, so that it is read back the same."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seal(previous: str, entry: Mapping[str, str | int]) -> str:
    """The hash of an entry: of all its fields and the hash before it.

    The fields are named in ASCII and hold texts and numbers of entries. Of those, tight and
    sorted JSON is the canonical text of RFC 8785, at a tenth of the time; a test holds it.
    """
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
