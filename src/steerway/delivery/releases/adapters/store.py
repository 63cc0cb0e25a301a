"""Releases as directories named by their content: complete or not there, and read-only."""

import errno
import fcntl
import os
import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard

from steerway.delivery.releases import errors, rules
from steerway.delivery.releases.adapters import files
from steerway.delivery.releases.rules import Manifest, Sealed

MANIFEST: Final = "manifest.json"
TREE: Final = "tree"
FSYNC_FILES_MAX: Final = 200  # above, one sync of the file system is cheaper than one for each
SUSPECTS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Store:
    """The releases in `home`/releases."""

    home: Path

    @property
    def directory(self) -> Path:
        """Where all releases are."""
        return self.home / "releases"

    def path(self, digest: str) -> Path:
        """The files of a release, whether they are there or not."""
        return self._place(digest) / TREE

    def holds(self, digest: str) -> bool:
        """Whether the release is on this machine."""
        return (self._place(digest) / MANIFEST).exists()

    def manifest(self, digest: str) -> Manifest:
        """What a release is made of.

        Raises:
            ReleaseGone: it is not on this machine.
            ReleaseChanged: the manifest itself was changed.
        """
        try:
            text = (self._place(digest) / MANIFEST).read_text()
        except FileNotFoundError as error:
            raise errors.ReleaseGone(digest=digest[: rules.DIGEST_SHOWN]) from error
        try:
            manifest = rules.parsed(text)
        except (ValueError, KeyError, TypeError) as error:
            raise self._changed(digest, MANIFEST, "cannot be read") from error
        if manifest.digest != digest:
            raise self._changed(digest, MANIFEST, "has another digest")
        return manifest

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time adds or removes releases: between threads and between servers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def put(self, tree: Path, *, kind: str, python: str = "") -> Sealed:
        """Make the directory `tree` a release; it is moved away, or removed when it is known.

        Call it inside `locked`, together with the record of the release.

        Raises:
            FileRefused: it holds a link that leaves it, or something that is no file.
        """
        measured = files.seal(tree, needle=str(tree).encode())
        manifest = Manifest(kind, python, measured.files)
        if not self._is_whole(manifest.digest):
            self._move(tree, manifest)
        files.remove(tree)
        return Sealed(manifest, _notes(measured.suspects))

    def install(self, digest: str, python: Path) -> None:
        """Link the machine's interpreter into a release that needs one; twice is once.

        Call it outside `locked`, which it takes itself.
        """
        manifest = self.manifest(digest)
        if manifest.python:
            with self.locked():
                files.link_interpreter(self.path(digest) / rules.VENV, manifest.python, python)

    def verify(self, digest: str) -> Manifest:
        """The manifest, after every file was read and found to be as it was built.

        Raises:
            ReleaseGone: it is not on this machine.
            ReleaseChanged: with the first path that is not as it was.
        """
        manifest = self.manifest(digest)
        found = files.measure(self.path(digest), skipped=manifest.installed)
        change = rules.difference(manifest, found.files)
        if change:
            raise self._changed(digest, *change)
        return manifest

    def archive(self, digest: str, into: Path) -> None:
        """Write the release as a tar.zst file, the same bytes from the same release."""
        manifest = self.manifest(digest)
        tree = self.path(digest)
        draft = into.with_name(f".{into.name}.draft")
        with (
            draft.open("wb") as raw,
            zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
        ):
            for file in manifest.files:
                files.add_to_tar(tar, tree, file)
        draft.replace(into)

    def remove(self, digest: str) -> None:
        """Remove the files of a release; nothing when they are gone already."""
        place = self._place(digest)
        doomed = place.with_name(f".removed-{place.name}")
        files.remove(doomed)
        try:
            place.rename(doomed)
        except FileNotFoundError:
            return
        files.remove(doomed)

    def sweep(self, given_up: Collection[str]) -> list[str]:
        """Remove the releases `given_up` and what a killed server left; the names removed.

        A release that nobody knows stays: after records were restored from a backup it may be
        the one that runs. Call it inside `locked`.
        """
        names = {digest[: rules.PREFIX] for digest in given_up}
        places = list(self.directory.iterdir()) if self.directory.exists() else []
        doomed = [p for p in places if p.is_dir() and (p.name in names or p.name.startswith("."))]
        for place in doomed:
            files.remove(place)
        return sorted(place.name for place in doomed)

    def _place(self, digest: str) -> Path:
        return self.directory / digest[: rules.PREFIX]

    def _is_whole(self, digest: str) -> bool:
        """Whether the release is here as it was built; what is left of a broken one is removed."""
        try:
            self.verify(digest)
        except errors.ReleaseGone:
            return False
        except errors.ReleaseChanged:
            self._refuse_twin(digest)
            self.remove(digest)
            return False
        return True

    def _refuse_twin(self, digest: str) -> None:
        text = (self._place(digest) / MANIFEST).read_text()
        try:
            other = rules.parsed(text).digest
        except (ValueError, KeyError, TypeError):
            return
        if other != digest and other.startswith(digest[: rules.PREFIX]):
            raise errors.DigestTaken(digest=digest, other=other)

    def _move(self, tree: Path, manifest: Manifest) -> None:
        place = self._place(manifest.digest)
        draft = place.with_name(f".draft-{place.name}-{os.getpid()}")
        files.remove(draft)
        draft.mkdir(parents=True)
        tree.rename(draft / TREE)
        (draft / MANIFEST).write_text(manifest.canonical)
        _to_disk(draft, many=len(manifest.files) > FSYNC_FILES_MAX)
        files.protect(draft / TREE)
        try:
            draft.rename(place)
        except OSError as error:
            files.remove(draft)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        _fsync(self.directory)

    def _changed(self, digest: str, path: str, how: str) -> errors.ReleaseChanged:
        return errors.ReleaseChanged(digest=digest[: rules.DIGEST_SHOWN], path=path, how=how)


def _notes(suspects: tuple[str, ...]) -> tuple[str, ...]:
    if not suspects:
        return ()
    more = f" and {len(suspects) - SUSPECTS_SHOWN} more" * (len(suspects) > SUSPECTS_SHOWN)
    shown = ", ".join(suspects[:SUSPECTS_SHOWN])
    return (f"The build directory's path is inside {shown}{more}: another build will differ.",)


def _to_disk(directory: Path, *, many: bool) -> None:
    """Everything below survives a power cut after this."""
    if many:
        os.sync()
        return
    for place, _, names in os.walk(directory):
        for name in names:
            if not (Path(place) / name).is_symlink():
                _fsync(Path(place) / name)
        _fsync(Path(place))


def _fsync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
