"""Manifests and digests, names of releases, and which of them are kept."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

DIGEST_SHOWN: Final = 12  # characters shown to people
PREFIX: Final = 16  # characters in a directory's name; short, for paths of sockets and logs
LINK: Final = "link"
VENV: Final = ".venv"
# The moment of every file: the first that a zip archive can hold, so wheels can be built in it.
EPOCH: Final = 315532800
EVENTS: Final[Mapping[str, str]] = {
    "release.built": "A release is on disk; its commit, digest and size.",
    "release.removed": "The files of an old release gave way to newer ones; its record stays.",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release; of a link, the target is what is measured."""

    path: str
    mode: str  # 0644, 0755 or link
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release is made of, in order of paths."""

    kind: str
    python: str  # the minor version that its interpreter link needs, as 3.11; or empty
    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        """The sum of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest in its canonical form."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def canonical(self) -> str:
        """The only way to write this manifest."""
        files = [[f.path, f.mode, f.size_bytes, f.sha256] for f in self.files]
        return canonical({"kind": self.kind, "python": self.python, "files": files, "version": 1})

    @property
    def installed(self) -> frozenset[str]:
        """Paths that belong to a machine: they are made at install and not part of the digest."""
        if not self.python:
            return frozenset()
        names = ("pyvenv.cfg", "bin/python", "bin/python3", f"bin/python{self.python}")
        return frozenset(f"{VENV}/{name}" for name in names)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release comes from."""

    commit: str
    name: str
    subject: str
    author: str
    input_digest: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A release on disk, and what is worth saying about it."""

    manifest: Manifest
    notes: tuple[str, ...] = ()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no space: equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def parsed(text: str) -> Manifest:
    """The manifest that `canonical` once wrote."""
    value = json.loads(text)
    files = tuple(File(*row) for row in value["files"])
    return Manifest(value["kind"], value["python"], files)


def difference(wanted: Manifest, found: Iterable[File]) -> tuple[str, str] | None:
    """The first path that is not as it was built, and what became of it; None if all is well."""
    here = {file.path: file for file in found}
    there = {file.path: file for file in wanted.files}
    for path in sorted(here.keys() | there.keys()):
        if path not in there:
            return path, "was added"
        if path not in here:
            return path, "is missing"
        if here[path] != there[path]:
            return path, "has other content or another mode"
    return None


def surplus(newest_first: Sequence[UUID], protected: Collection[UUID], count: int) -> list[UUID]:
    """The releases to remove so that `count` remain, the protected ones among them.

    A protected release is never named, even when more than `count` are protected.
    """
    held = [release for release in newest_first if release in protected]
    free = max(count - len(held), 0)
    others = [release for release in newest_first if release not in protected]
    return others[free:]


def search(tree: Path, manifest: Manifest) -> tuple[Path, ...]:
    """Where programs of a release are found first; `tree` is where its files are."""
    own = [tree / VENV / "bin"] if manifest.python else []
    own += [tree / "node_modules" / ".bin"] if manifest.kind == "node" else []
    return tuple(own)


def variables(tree: Path, manifest: Manifest) -> Mapping[str, str]:
    """What programs of a release must find in their environment."""
    if not manifest.python:
        return {}
    # The files are read-only for a reason: even root shall not write bytecode into them.
    return {"VIRTUAL_ENV": str(tree / VENV), "PYTHONDONTWRITEBYTECODE": "1"}
