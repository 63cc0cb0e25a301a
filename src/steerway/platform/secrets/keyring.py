"""The key file after a rotation: the new key first, the older ones behind it.

Older keys stay because replicas that run hold texts sealed with them and may be restarted.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from steerway.platform.keys import key
from steerway.platform.secrets.sealing import KEY_BYTES

KEYS_MAX: Final = 5  # releases older than four rotations have been replaced since


def add_key(home: Path) -> bytes:
    """The keys with a new one in front, written in one step: a crash leaves old or new."""
    keys = secrets.token_bytes(KEY_BYTES) + key(home, "secrets")
    keys = keys[: KEY_BYTES * KEYS_MAX]
    file = home / "keys" / "secrets.key"
    draft = file.with_name(f".secrets.key.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(keys)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(file)
    return keys
