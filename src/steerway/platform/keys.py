"""Keys of this installation: made once, readable by their owner alone."""

import os
import secrets
from pathlib import Path

from steerway.platform.settings import Settings

KEY_BYTES = 32
ALONE = "alone"


def secret_key(home: Path) -> str:
    """The key that signs sessions and links."""
    return key(home, "web").hex()


def key(home: Path, name: str) -> bytes:
    """The key `home/keys/NAME.key`, 32 random bytes, made when it is missing.

    Two processes that make it at once end with the same key: the first link wins.
    """
    file = home / "keys" / f"{name}.key"
    if not file.exists():
        _make(file)
    return file.read_bytes()


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(secrets.token_bytes(KEY_BYTES))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def node_of(settings: Settings) -> str:
    """The name of this server among those that share a database: stable, unique.

    A server that shares none has always the same: it finds its services again even when its
    keys were lost or its records were brought to another machine.
    """
    return key(settings.home, "node").hex()[:16] if settings.database_url else ALONE
