"""The `source` section: where the service's files come from, and which names git is given."""

import re
from pathlib import Path, PurePosixPath
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import Section

REF_LENGTH_MAX: Final = 200  # what a deployment keeps of it; git itself takes 255 bytes
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

_SCP_LIKE = re.compile(r"^(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*:(?!/?/)[^\s]+$")
_REF = re.compile(r"^(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$|[/.]$))[^\x00-\x20\x7f~^:?*\[\\]+$")


class SourceSection(Section):
    """The git repository of the service, and what a deployment takes of it."""

    repository: str = Field(
        default=".",
        min_length=1,
        max_length=1000,
        description="Path of the git repository, counted from this file, or its https:// or "
        "ssh:// address. A path inside a repository stands for that directory of it.",
    )
    ref: str = Field(
        default="HEAD",
        min_length=1,
        max_length=REF_LENGTH_MAX,
        description="Branch, tag or commit that a deployment takes when it names none.",
    )
    directory: str = Field(
        default=".",
        min_length=1,
        max_length=1000,
        description="Directory of the repository in which the service lives.",
    )

    @model_validator(mode="after")
    def is_usable(self) -> Self:
        """What git will be given is what it looks like."""
        locate(self.repository, Path("/"))
        if not is_ref(self.ref):
            raise ValueError(f"ref {self.ref!r} cannot be a branch, a tag or a commit")
        try:
            joined("", self.directory)
        except ValueError:
            raise ValueError(f"directory {self.directory!r} leaves the repository") from None
        return self


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
