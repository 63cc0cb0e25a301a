"""Values on their way into SQL: always bound, never written into it."""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
QUOTED = ESCAPES | str.maketrans({"'": "\\'"})


def encoded(params: Mapping[str, object]) -> dict[str, str]:
    """Each value as ClickHouse reads it for a `{name:Type}`.

    Moments must be aware; a naive one is a mistake of the caller.
    """
    return {name: _text(value) for name, value in params.items()}


def quoted(text: str) -> str:
    """A text as SQL writes it: for settings, which cannot be bound."""
    return f"'{text.translate(QUOTED)}'"


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, datetime):
        return _moment(value)
    return value.translate(ESCAPES) if isinstance(value, str) else _literal(value)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, datetime):
        return f"'{_moment(value)}'"
    return _scalar(value) if isinstance(value, bool | int | float | None) else _container(value)


def _scalar(value: float | None) -> str:
    if value is None:
        return "NULL"
    return str(value).lower()  # true, 1, 1.5, nan, inf


def _container(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_literal(key)}:{_literal(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_literal, value)) + ")"
    if isinstance(value, Sequence | Set):
        return "[" + ",".join(map(_literal, value)) + "]"
    raise TypeError(f"no SQL parameter can be made of {type(value).__name__}")


def _moment(value: datetime) -> str:
    assert value.tzinfo is not None, "a moment without a zone is no moment"
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
