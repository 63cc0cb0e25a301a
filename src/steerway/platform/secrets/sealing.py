"""Secrets sealed with the installation's key, so that they can lie in files and tables.

Also imported by the shim that starts programs, so: nothing of Steerway, and quick to import.
A key is 32 bytes. After a rotation the key file holds several, the newest first: the first
seals, and what was sealed with an older one still opens.
"""

import base64
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1:"
KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D: the length that AES-GCM is meant for


def seal(key: bytes, name: str, value: str) -> str:
    """`value` as text that only `key` opens, and only under the same `name`."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key[:KEY_BYTES]).encrypt(nonce, value.encode(), name.encode())
    return VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(key: bytes, name: str, sealed: str) -> str:
    """The value that `seal` was given.

    Raises:
        ValueError: it was sealed with another key, under another name, or was changed.
    """
    version, text = sealed[: len(VERSION)], sealed[len(VERSION) :]
    for start in range(0, len(key), KEY_BYTES):
        try:
            raw = base64.b64decode(
                text if version == VERSION else "", altchars=b"-_", validate=True
            )
            cipher = AESGCM(key[start : start + KEY_BYTES])
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], name.encode()).decode()
        except Exception:  # noqa: BLE001, S112 -- the library's many errors all mean: not with this key
            continue
    raise ValueError(f"the secret {name} does not open with this key")
