"""Where a provider has its flags from: the file that Steerway writes, or Steerway itself."""

import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Final, Protocol

FILE_BYTES_MAX: Final = 16 * 1024 * 1024
TIMEOUT_SECONDS: Final = 5.0
SAME: Final = 304
PATH: Final = "/flagd/flags.json"


class SourceAway(Exception):
    """The flags cannot be read now; the sentence says why."""


class Source(Protocol):
    """Something that has the flags of one service in one environment."""

    def changed(self) -> str | None:
        """The text of the flags when it is another than the last time, else None.

        Raises:
            SourceAway: it cannot be read now.
        """

    def seen_at(self) -> float:
        """When Steerway was last seen to be there, in seconds since 1970; 0 is never."""


@dataclass(slots=True)
class FileSource:
    """The file that Steerway keeps; its neighbour says when Steerway was last there."""

    path: Path
    _stamp: tuple[int, int, int] = (0, 0, 0)

    def changed(self) -> str | None:
        """The text, when the file is another one or was written since."""
        try:
            state = self.path.stat()
            stamp = state.st_ino, state.st_mtime_ns, state.st_size
            if stamp == self._stamp:
                return None
            with self.path.open(encoding="utf-8") as file:
                text = file.read(FILE_BYTES_MAX)
        except (OSError, UnicodeDecodeError) as error:
            raise SourceAway(f"{self.path} cannot be read: {error}") from error
        self._stamp = stamp
        return text

    def seen_at(self) -> float:
        """When the server last touched its mark beside the folders of flags."""
        try:
            return (self.path.parent.parent / "alive").stat().st_mtime
        except OSError:
            return 0.0


@dataclass(slots=True)
class HttpSource:
    """Steerway over the network. What it said last is kept in `cache`, for a start without it."""

    url: str
    token: str
    now: Callable[[], float]
    cache: Path | None = None
    _etag: str = ""
    _seen_at: float = field(default=0.0)

    def changed(self) -> str | None:
        """The text, when Steerway has another; at the start without Steerway, the one kept."""
        try:
            text = self._asked()
        except (OSError, HTTPException, UnicodeDecodeError) as error:
            kept = self._kept() if not self._etag else None
            if kept is None:
                raise SourceAway(f"{self.url} does not answer: {error}") from error
            self._etag = "kept"
            return kept
        self._seen_at = self.now()
        return text

    def seen_at(self) -> float:
        """When it last answered."""
        return self._seen_at

    def _asked(self) -> str | None:
        request = urllib.request.Request(  # noqa: S310 -- the address is the caller's own
            self.url.rstrip("/") + PATH, headers={"Authorization": f"Bearer {self.token}"}
        )
        if self._etag:
            request.add_header("If-None-Match", self._etag)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                text: str = answer.read(FILE_BYTES_MAX).decode()
                self._etag = answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            with error:
                if error.code == SAME:
                    return None
            raise
        self._keep(text)
        return text

    def _keep(self, text: str) -> None:
        if self.cache is None:
            return
        draft = self.cache.with_suffix(".draft")
        with suppress(OSError):  # A full disk costs a start without Steerway, and nothing now.
            draft.write_text(text)
            draft.replace(self.cache)

    def _kept(self) -> str | None:
        try:
            return self.cache.read_text() if self.cache else None
        except (OSError, UnicodeDecodeError):
            return None
