"""Mirrors of git repositories in the home directory, and what can be asked of them."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from steerway.delivery.repositories import descriptor, errors, rules
from steerway.delivery.repositories.adapters import tree
from steerway.delivery.repositories.adapters.command import GitCommand, GitFailed
from steerway.delivery.repositories.rules import Commit, Limits

STATUS_SECONDS: Final = 5
TIDY_SECONDS: Final = 120
COMMITS_MAX: Final = 1000
HEAD: Final = "refs/steerway/HEAD"
REFSPECS: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
FORMAT: Final = "%H%x00%an%x00%ae%x00%aI%x00%s"

_AUTHENTICATION = re.compile(
    r"could not read (Username|Password)|Authentication failed|Permission denied|"
    r"Host key verification failed|terminal prompts disabled|returned error: 40[13]",
)
_BROKEN = re.compile(r"corrupt|bad object|unable to read|missing object|not a git repository: '\.'")
_MISSING = re.compile(r"does not appear to be a git repository|not found|returned error: 404")


@dataclass(frozen=True, slots=True)
class _Refs:
    """What the names of a mirror stand for: commit ids by name."""

    branches: dict[str, str]
    tags: dict[str, str]
    head: str | None

    def commit(self, ref: str) -> str | None:
        if ref == "HEAD":
            return self.head
        return self.tags.get(ref) or self.branches.get(ref)


@dataclass(frozen=True, slots=True)
class Git:
    """Mirrors in `home`/repositories.

    `host` is the environment of this process; only what reaches the other side is taken from it.
    """

    home: Path
    host: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    command: GitCommand = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", GitCommand(self.host))

    def resolve(self, location: str, ref: str = "HEAD", directory: str = "") -> Commit:
        """The commit that `ref` names now, after a look at the repository.

        Args:
            location: an absolute path or an address, as `descriptor.locate` gives it.
            ref: a branch, a tag, the beginning of a commit id, or HEAD.
            directory: where in the repository the service lives. A path that is itself a
                directory inside a repository counts from there.

        Raises:
            NotFound, Refused, Invalid, Unavailable: see `errors`, one for each reason.
        """
        if not descriptor.is_ref(ref):
            raise errors.RefUnknown(repository=location, ref=repr(ref), hint="")
        top, prefix = self._top(location) if descriptor.is_local(location) else (location, "")
        mirror = self._mirror(top)
        with _locked(mirror):
            if not self._has(mirror, ref):
                self._fetch(mirror, top)
            refs = self._refs(mirror)
        found = self._named(mirror, top, refs, ref)
        commit = self._commit(mirror, top, found, refs)
        try:
            place = descriptor.joined(prefix, directory)
        except ValueError as error:
            raise errors.DirectoryUnknown(commit=commit.short, directory=directory) from error
        commit = replace(commit, ref=ref, directory=place, tree=self._tree(mirror, commit, place))
        return replace(commit, notes=self._notes(top, commit))

    def commits_between(self, older: Commit, newer: Commit) -> tuple[Commit, ...]:
        """What `newer` has and `older` has not, newest first, at most COMMITS_MAX."""
        mirror = self._mirror(newer.repository)
        span = (newer.id, f"^{older.id}")
        arguments = ("log", f"-{COMMITS_MAX}", f"--format={FORMAT}", *span, "--")
        try:
            text = self.command.run(*arguments, cwd=mirror).decode(errors="replace")
        except GitFailed as error:
            raise errors.RefUnknown(
                repository=newer.repository, ref=older.short, hint=""
            ) from error
        rows = [row.split("\0") for row in text.split("\n") if row]
        return tuple(_parsed(row, newer.repository) for row in rows)

    def export(self, commit: Commit, into: Path) -> None:
        """Write the files of the commit's directory into the empty directory `into`.

        Raises:
            TreeRefused: a submodule, a large-file pointer, or a link that leaves the tree.
            RepositoryTooLarge: more or larger files than are taken.
        """
        mirror = self._mirror(commit.repository)
        if not self._exists(mirror, commit.tree):
            self.resolve(commit.repository, commit.id, commit.directory)
        tree.Export(self.command, mirror, self.limits).write(commit.tree, into)

    def _top(self, path: str) -> tuple[str, str]:
        """The repository around a local path, and the path inside it."""
        place = Path(path)
        if not place.is_dir():
            raise errors.RepositoryMissing(repository=path)
        wanted = ("--is-bare-repository", "--absolute-git-dir", "--show-prefix")
        try:
            text = self.command.run("rev-parse", *wanted, cwd=place).decode()
        except GitFailed as error:
            if "dubious ownership" in error.text:
                raise errors.NotOurs(repository=path) from error
            raise errors.NotARepository(repository=path) from error
        bare, git_dir, prefix = [*text.split("\n"), ""][:3]
        if bare == "true":
            return git_dir, ""
        prefix = prefix.rstrip("/")
        top = place.resolve()
        for _ in Path(prefix).parts:
            top = top.parent
        return str(top), prefix

    def _mirror(self, location: str) -> Path:
        key = hashlib.sha256(location.encode()).hexdigest()[:16]
        return self.home / "repositories" / f"{key}.git"

    def _has(self, mirror: Path, ref: str) -> bool:
        """Whether nothing can be news: a whole commit id that is here."""
        return len(ref) >= 40 and rules.is_commit_id(ref) and self._exists(mirror, ref)  # noqa: PLR2004 -- the length of a whole SHA-1

    def _exists(self, mirror: Path, name: str) -> bool:
        if not (mirror / "HEAD").exists():
            return False
        try:
            self.command.run("cat-file", "-e", name, cwd=mirror)
        except GitFailed:
            return False
        return True

    def _fetch(self, mirror: Path, location: str) -> None:
        """Bring the mirror up to date; one that a power cut broke is made anew."""
        is_new = self._prepare(mirror)
        try:
            self._fetch_all(mirror, location)
        except GitFailed as error:
            if is_new or not _BROKEN.search(error.text):
                raise _translated(error, location) from error
            shutil.rmtree(mirror)
            self._fetch(mirror, location)
            return
        # Nothing is ever pruned: a commit that was deployed can be built again.
        tidy = ("-c", "gc.auto=5000", "-c", "gc.autoDetach=false", "-c", "gc.pruneExpire=never")
        self.command.run(*tidy, "gc", "--auto", "--quiet", cwd=mirror, seconds=TIDY_SECONDS)

    def _prepare(self, mirror: Path) -> bool:
        """Whether the mirror was made now; what a killed git left in an older one is removed."""
        if (mirror / "HEAD").exists():
            for left in (*mirror.rglob("*.lock"), *mirror.glob("objects/pack/tmp_*")):
                left.unlink(missing_ok=True)
            return False
        mirror.mkdir(parents=True, exist_ok=True)
        self.command.run("init", "--bare", "--quiet", "--template=", ".", cwd=mirror)
        return True

    def _fetch_all(self, mirror: Path, location: str) -> None:
        try:
            self._fetch_refs(mirror, location, (f"+HEAD:{HEAD}", *REFSPECS))
        except GitFailed as error:
            if "find remote ref HEAD" not in error.text:
                raise
            # HEAD may name a branch that has no commit while others have.
            self.command.run("update-ref", "-d", HEAD, cwd=mirror)
            self._fetch_refs(mirror, location, REFSPECS)

    def _fetch_refs(self, mirror: Path, location: str, refspecs: tuple[str, ...]) -> None:
        def watch() -> None:
            if _size_bytes(mirror) > self.limits.mirror_bytes:
                raise errors.RepositoryTooLarge(what=location, limit=self.limits.mirror_bytes)

        # descriptor.locate leaves http:// only to loopback; nothing else may be redirected to it.
        plain = ("-c", "protocol.http.allow=always") if location.startswith("http:") else ()
        flags = ("--quiet", "--prune", "--no-tags", "--force", "--no-recurse-submodules")
        own = ("--no-write-fetch-head", "--update-shallow")
        arguments = (*plain, "fetch", *flags, *own, "--", location, *refspecs)
        self.command.run(*arguments, cwd=mirror, seconds=self.limits.fetch_seconds, watch=watch)
        watch()

    def _refs(self, mirror: Path) -> _Refs:
        # The last column is the commit behind an annotated tag, and empty for any other.
        form = "--format=%(refname)%00%(objectname)%00%(*objectname)"
        text = self.command.run("for-each-ref", form, cwd=mirror).decode(errors="replace")
        names = {row[0]: row[2] or row[1] for row in (r.split("\0") for r in text.split("\n") if r)}
        return _Refs(
            branches=_below("refs/heads/", names),
            tags=_below("refs/tags/", names),
            head=names.get(HEAD),
        )

    def _named(self, mirror: Path, location: str, refs: _Refs, ref: str) -> str:
        found = refs.commit(ref)
        if found:
            return found
        if not refs.branches and not refs.tags:
            raise errors.RepositoryEmpty(repository=location)
        if rules.is_commit_id(ref):
            try:
                name = f"{ref}^{{commit}}"
                return self.command.run("rev-parse", "--verify", name, cwd=mirror).decode().strip()
            except GitFailed as error:
                if "ambiguous" in error.text:
                    raise errors.RefAmbiguous(repository=location, ref=ref) from error
        hint = rules.hint(ref, [*sorted(refs.branches), *sorted(refs.tags)])
        raise errors.RefUnknown(repository=location, ref=ref, hint=hint)

    def _commit(self, mirror: Path, location: str, found: str, refs: _Refs) -> Commit:
        shown = ("log", "-1", f"--format={FORMAT}", found, "--")
        try:
            text = self.command.run(*shown, cwd=mirror).decode(errors="replace")
        except GitFailed as error:  # a tag may name a file or a tree
            raise errors.RefUnknown(repository=location, ref=found, hint="") from error
        commit = _parsed(text.rstrip("\n").split("\0"), location)
        return replace(
            commit,
            branches=tuple(sorted(n for n, c in refs.branches.items() if c == commit.id)),
            tags=tuple(sorted(n for n, c in refs.tags.items() if c == commit.id)),
        )

    def _tree(self, mirror: Path, commit: Commit, directory: str) -> str:
        # `id:path` looks the path up in the commit; it cannot be an option.
        name = f"{commit.id}:{directory}"
        try:
            if self.command.run("cat-file", "-t", name, cwd=mirror).strip() == b"tree":
                return self.command.run("rev-parse", name, cwd=mirror).decode().strip()
        except GitFailed as error:
            raise errors.DirectoryUnknown(commit=commit.short, directory=directory) from error
        raise errors.DirectoryUnknown(commit=commit.short, directory=directory)

    def _notes(self, location: str, commit: Commit) -> tuple[str, ...]:
        """That files changed in a local working tree are left out, when there are any."""
        if not descriptor.is_local(location) or not (Path(location) / ".git").exists():
            return ()
        status = ("status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
        where = ("--", commit.directory or ".")
        try:
            text = self.command.run(*status, *where, cwd=Path(location), seconds=STATUS_SECONDS)
        except (GitFailed, errors.RepositorySlow):
            return ("Whether the working tree has uncommitted files could not be told.",)
        count = text.count(b"\0")
        return (rules.uncommitted(count, commit.name),) if count else ()


@contextmanager
def _locked(mirror: Path) -> Iterator[None]:
    """One at a time for this mirror, between threads and between servers."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    with mirror.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _translated(error: GitFailed, location: str) -> Exception:
    if "dubious ownership" in error.text:
        return errors.NotOurs(repository=location)
    if _AUTHENTICATION.search(error.text):
        return errors.AuthenticationNeeded(repository=location)
    if _MISSING.search(error.text):
        return errors.RepositoryMissing(repository=location)
    last = error.text.splitlines()[-1] if error.text else f"git ended with {error.code}"
    return errors.RepositoryUnreachable(repository=location, reason=last)


def _parsed(row: list[str], location: str) -> Commit:
    found, author, email, authored_at, subject = row[:5]
    return Commit(
        id=found,
        tree="",
        repository=location,
        directory="",
        ref=found,
        author=author,
        email=email,
        authored_at=datetime.fromisoformat(authored_at),
        subject=subject,
    )


def _below(prefix: str, names: dict[str, str]) -> dict[str, str]:
    return {n.removeprefix(prefix): c for n, c in names.items() if n.startswith(prefix)}


def _size_bytes(directory: Path) -> int:
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            # A pack that git is writing is renamed or removed at any moment.
            try:
                total += (Path(place) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
