"""Sealing: encryption that notices every change, bound to the name of what it holds.

A key is 32 bytes. After a rotation the key file holds several, the newest first: the first
seals, and what was sealed with an older one can still be opened.

Source: NIST SP 800-38D (GCM); 96-bit random nonces keep a key good for 2^32 seals.
"""

import base64
import hashlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from steerway.platform.errors import Unavailable

MARK: Final = "v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Unsealable(Unavailable):
    """The sealed text was made with another key, or changed since."""

    message = (
        "The secret {name} cannot be unsealed: its key is another one, or it was changed. "
        "Bring keys/secrets.key back, or set the secret again."
    )


def seal(key: bytes, name: str, value: str) -> str:
    """The value, sealed: `v1:<key mark>:<base64>`. Only the same key and name open it."""
    newest = key[:KEY_BYTES]
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(newest).encrypt(nonce, value.encode(), _bound(name))
    return f"{MARK}:{key_mark(newest)}:{base64.b64encode(sealed).decode()}"


def unseal(key: bytes, name: str, sealed: str) -> str:
    """The value again.

    Raises:
        Unsealable: another key or name, or a changed text.
    """
    try:
        mark, of_key, text = sealed.split(":")
        content = base64.b64decode(text, validate=True)
        right = next(part for part in _parts(key) if key_mark(part) == of_key)
        opened = AESGCM(right).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], _bound(name))
    except (InvalidTag, ValueError, StopIteration) as error:
        raise Unsealable(name=name) from error
    if mark != MARK:
        raise Unsealable(name=name)
    return opened.decode()


def key_mark(key: bytes) -> str:
    """What tells keys apart without saying anything about them."""
    return hashlib.sha256(b"steerway secret key" + key[:KEY_BYTES]).hexdigest()[:8]


def _parts(key: bytes) -> list[bytes]:
    return [key[start : start + KEY_BYTES] for start in range(0, len(key), KEY_BYTES)]


def _bound(name: str) -> bytes:
    return f"steerway/{MARK}/{name}".encode()
