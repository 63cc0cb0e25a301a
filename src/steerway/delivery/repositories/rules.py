"""Commits, and which repository names and references are taken."""

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final

SHORT: Final = 8  # characters of a commit id shown to people; git itself starts at 7
NAMES_SHOWN: Final = 5  # fit in one sentence
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"

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
