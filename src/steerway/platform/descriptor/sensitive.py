"""Names and values that look like secrets, which never belong into a file in git."""

import re
from typing import Final

HIDDEN: Final = "(hidden)"

_WORDS: Final = frozenset(
    {
        *("apikey", "credential", "credentials", "key", "passphrase", "passwd", "password"),
        *("pwd", "secret", "secrets", "token"),
    }
)
_PUBLIC: Final = frozenset({"public", "keyboard"})  # PUBLIC_KEY is no secret
_SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")
# scheme://user:password@host, where the password is not a ${REFERENCE}
_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?!\$\{)[^/\s@]+@", re.IGNORECASE)


def is_sensitive(name: str) -> bool:
    """Whether a variable of this name usually holds a secret: PAYMENT_KEY, dbPassword."""
    words = {word.lower() for word in _SPLIT.split(name)}
    return bool(words & _WORDS) and not words & _PUBLIC


def holds_password(value: object) -> bool:
    """Whether a value is an address with a password in it."""
    return isinstance(value, str) and _IN_ADDRESS.search(value) is not None
