"""Names of secrets, limits, and keeping values out of texts. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

NAME: Final = re.compile(r"[a-z][a-z0-9.-]{0,63}")
VALUE_BYTES_MAX: Final = 64 * 1024  # a certificate chain fits; a file does not belong here
# Shorter values occur in ordinary text: hiding every "a" would hide the text, not the secret.
REDACTED_LENGTH_MIN: Final = 4
MASK: Final = "•••"

EVENTS: Final[Mapping[str, str]] = {
    "secret.set": "A secret got a value; which version, never the value.",
    "secret.removed": "A secret was forgotten.",
    "secret.resealed": "All secrets were sealed with a new key.",
}


def redact(text: str, values: Iterable[str]) -> str:
    """The text with every one of the values masked, the longest first.

    A value of several lines is also masked line by line, as logs cut it.
    """
    parts = {part for value in values for part in (value, *value.splitlines())}
    worth_it = sorted((p for p in parts if len(p) >= REDACTED_LENGTH_MIN), key=len, reverse=True)
    for part in worth_it:
        text = text.replace(part, MASK)
    return text


def value_problem(value: str) -> str:
    """Why a value cannot be a secret; empty when it can."""
    if not value:
        return "is empty"
    if "\0" in value:
        return "contains a zero byte, which no environment variable can hold"
    if len(value.encode()) > VALUE_BYTES_MAX:
        return f"is longer than {VALUE_BYTES_MAX} bytes"
    return ""


def scope_text(service: str, environment: str) -> str:
    """Where a secret holds, in words."""
    return f"of {service} in {environment}" if environment else f"of {service} in all environments"
