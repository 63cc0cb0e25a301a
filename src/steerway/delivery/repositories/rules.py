"""Commits, and which repository names and references are taken."""

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

SHORT: Final = 8  # characters of a commit id shown to people; git itself starts at 7
REF_LENGTH_MAX: Final = 250  # a file name holds 255 bytes, and git keeps references as files
NAMES_SHOWN: Final = 5  # fit in one sentence
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"

_SCP_LIKE = re.compile(r"^(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*:(?!/?/)[^\s]+$")
_REF = re.compile(r"^(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$|[/.]$))[^\x00-\x20\x7f~^:?*\[\\]+$")
_COMMIT_ID = re.compile(r"^[0-9a-f]{4,64}$")


@dataclass(frozen=True, slots=True)
class Commit:
    """One state of the source, and who made it."""

    id: str
    tree: str  # id of the directory's tree: equal trees have equal files
    repository: str  # absolute path or address, as it is fetched
    directory: str  # where in the repository the service lives, "" for its root
    ref: str  # what was asked for
    author: str
    email: str
    authored_at: datetime
    subject: str
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of the id."""
        return self.id[:SHORT]

    @property
    def name(self) -> str:
        """What people call this state: the tag asked for, else a tag it has, else its short id."""
        if self.ref in self.tags:
            return self.ref
        return self.tags[0] if self.tags else self.short


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything is taken."""

    mirror_bytes: int = 4 << 30
    fetch_seconds: float = 600
    tree_bytes: int = 2 << 30
    files: int = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit's tree."""

    path: str
    mode: str
    kind: str
    id: str
    size_bytes: int


def locate(repository: str, base: Path) -> str:
    """The absolute path or the address of a repository named in a file in `base`.

    Raises:
        ValueError: with the reason why a name of this kind is not taken.
    """
    if not repository or repository.startswith("-"):
        raise ValueError("it is empty or starts with a dash")
    if any(character < " " for character in repository):
        raise ValueError("it holds control characters")
    if "://" in repository:
        return _address(repository)
    if "::" in repository:
        raise ValueError("git's remote helpers are not used")
    if _SCP_LIKE.match(repository):
        return repository
    return str((base / Path(repository).expanduser()).absolute())


def _address(address: str) -> str:
    parts = urlsplit(address)
    if parts.password:
        raise ValueError("it holds a password, which would be shown in logs")
    if parts.scheme == "file" and not parts.netloc:
        return parts.path
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return address
    if parts.scheme not in ("https", "ssh"):
        raise ValueError(f"{parts.scheme}:// is not a protocol that is both safe and known")
    if (
        not parts.hostname
        or parts.hostname.startswith("-")
        or (parts.username or "").startswith("-")
    ):
        raise ValueError("its host or user cannot be one")
    return address


def is_local(location: str) -> bool:
    """Whether a located repository is a path of this machine."""
    return location.startswith("/")


def is_ref(text: str) -> bool:
    """Whether git could know a branch or tag of this name, so that nothing else gets through."""
    return len(text) <= REF_LENGTH_MAX and _REF.match(text) is not None


def is_commit_id(text: str) -> bool:
    """Whether this may be the beginning of a commit id."""
    return _COMMIT_ID.match(text) is not None


def hint(ref: str, known: list[str]) -> str:
    """A sentence with the names nearest to `ref`, or with a few that exist; empty if none does."""
    near = get_close_matches(ref, known, n=3, cutoff=0.5)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    if not known:
        return ""
    return f" It has {', '.join(known[:NAMES_SHOWN])}{' and more' * (len(known) > NAMES_SHOWN)}."


def joined(prefix: str, directory: str) -> str:
    """`directory` below `prefix`, in git's spelling.

    Raises:
        ValueError: it is absolute or climbs out of the repository.
    """
    path = PurePosixPath(prefix) / directory
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            if not parts:
                raise ValueError(directory)
            parts.pop()
        else:
            parts.append(part)
    if path.is_absolute():
        raise ValueError(directory)
    return "/".join(parts)


def refusal(entry: Entry) -> str | None:
    """Why a file of a tree is not taken; None when it is."""
    if entry.kind == "commit" or entry.mode == "160000":
        return "is a submodule, and submodules are not fetched: put its files into the repository."
    parts = entry.path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        return "is not a name a file may have."
    return None


def uncommitted(count: int, name: str) -> str:
    """The note that work in progress is left out."""
    files = "1 uncommitted file is" if count == 1 else f"{count} uncommitted files are"
    return f"{files} not part of {name}"
