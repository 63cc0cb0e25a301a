"""Writes the files of a commit into a directory: no attribute, filter or hook takes part."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from steerway.delivery.repositories import errors, rules
from steerway.delivery.repositories.adapters.command import GitCommand, GitFailed, stop
from steerway.delivery.repositories.rules import Entry, Limits

CHUNK_BYTES: Final = 1 << 20
LIST_SECONDS: Final = 60
LINK: Final = "120000"
EXECUTABLE: Final = "100755"


@dataclass(frozen=True, slots=True)
class Export:
    """Writes trees of one mirror."""

    command: GitCommand
    mirror: Path
    limits: Limits

    def write(self, tree: str, into: Path) -> None:
        """Write the tree `tree` into the empty directory `into`.

        Raises:
            TreeRefused: a submodule, a large-file pointer, or a link that leaves the tree.
            RepositoryTooLarge, TooManyFiles: it passes a limit.
        """
        entries = self._entries(tree)
        into.mkdir(parents=True, exist_ok=True)
        # Links come last, so that no file is ever written through one.
        entries.sort(key=lambda entry: entry.mode == LINK)
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{entry.id}\n" for entry in entries).encode())
            wanted.seek(0)
            arguments = ("cat-file", "--batch")
            process = self.command.start(*arguments, cwd=self.mirror, stdin=wanted.fileno())
            try:
                for entry in entries:
                    _write(entry, cast("BinaryIO", process.stdout), into)
            finally:
                stop(process)
        _refuse_leaving(entries, into)

    def _entries(self, tree: str) -> list[Entry]:
        arguments = ("ls-tree", "-r", "-z", "-l", "--full-tree", tree)
        try:
            listing = self.command.run(*arguments, cwd=self.mirror, seconds=LIST_SECONDS)
        except GitFailed as error:
            raise errors.DirectoryUnknown(commit=tree, directory="") from error
        entries = [_entry(row) for row in listing.split(b"\0") if row]
        for entry in entries:
            reason = rules.refusal(entry)
            if reason:
                raise errors.TreeRefused(path=entry.path, reason=reason)
        files, size = self.limits.files, self.limits.tree_bytes
        if len(entries) > files:
            raise errors.TooManyFiles(count=len(entries), limit=files)
        if sum(entry.size_bytes for entry in entries) > size:
            raise errors.RepositoryTooLarge(what="The tree of the commit", limit=size)
        return entries


def _entry(row: bytes) -> Entry:
    about, _, path = row.partition(b"\t")
    mode, kind, found, size = about.decode().split()
    try:
        name = path.decode()
    except UnicodeDecodeError as error:
        shown = path.decode(errors="backslashreplace")
        reason = "is not a name in UTF-8, and would not have the same name everywhere."
        raise errors.TreeRefused(path=shown, reason=reason) from error
    return Entry(name, mode, kind, found, 0 if size == "-" else int(size))


def _write(entry: Entry, source: BinaryIO, into: Path) -> None:
    header = source.readline().split()
    if len(header) != 3:  # noqa: PLR2004 -- id, type, size
        raise errors.TreeRefused(path=entry.path, reason="is missing from the repository.")
    place = into / entry.path
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        if entry.mode == LINK:
            place.symlink_to(source.read(entry.size_bytes).decode())
        else:
            _copy(entry, source, place)
    except (FileExistsError, NotADirectoryError) as error:
        raise errors.TreeRefused(path=entry.path, reason="is in the tree twice.") from error
    except ValueError as error:
        raise errors.TreeRefused(path=entry.path, reason="is not a usable link.") from error
    source.read(1)


def _copy(entry: Entry, source: BinaryIO, place: Path) -> None:
    mode = 0o755 if entry.mode == EXECUTABLE else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    left = entry.size_bytes
    with os.fdopen(os.open(place, flags, mode), "wb") as handle:
        while left:
            chunk = source.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise errors.TreeRefused(path=entry.path, reason="is cut short in the repository.")
            if left == entry.size_bytes and chunk.startswith(rules.LFS_POINTER):
                reason = "is a Git LFS pointer, and LFS is not fetched: commit the file itself."
                raise errors.TreeRefused(path=entry.path, reason=reason)
            handle.write(chunk)
            left -= len(chunk)


def _refuse_leaving(entries: list[Entry], into: Path) -> None:
    root = into.resolve()
    for entry in entries:
        if entry.mode != LINK:
            continue
        target = (into / entry.path).readlink()
        if target.is_absolute() or not (into / entry.path).resolve().is_relative_to(root):
            reason = f"is a link to {target}, which is outside the tree."
            raise errors.TreeRefused(path=entry.path, reason=reason)
