"""A directory of files: measured, made the same everywhere, protected, removed."""

import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from steerway.delivery.releases import errors, rules
from steerway.delivery.releases.rules import File

CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """The files of a directory, in order; `suspects` hold the text that was looked for."""

    files: tuple[File, ...]
    suspects: tuple[str, ...]


def seal(tree: Path, *, needle: bytes = b"") -> Measured:
    """Measure a built tree and make its modes and times those of every release.

    Raises:
        FileRefused: it holds a link that leaves it, or something that is no file.
    """
    _normalise(tree)
    return measure(tree, needle=needle)


def measure(tree: Path, *, skipped: Collection[str] = frozenset(), needle: bytes = b"") -> Measured:
    """The files of a directory, and those that contain `needle`."""
    found: list[File] = []
    suspects: list[str] = []
    for place in _places(tree):
        path = place.relative_to(tree).as_posix()
        if path in skipped or (place.is_dir() and not place.is_symlink()):
            continue
        file, contains = _measured(tree, place, path, needle)
        found.append(file)
        if contains:
            suspects.append(path)
    found.sort(key=lambda file: file.path)
    return Measured(tuple(found), tuple(sorted(suspects)))


def _places(tree: Path) -> Iterator[Path]:
    """Everything below `tree`, a directory after what is in it; links are not followed."""
    for place, directories, names in os.walk(tree, topdown=False, onerror=_raise):
        for name in (*names, *directories):
            yield Path(place) / name


def _raise(error: OSError) -> None:
    """What cannot be read is not skipped."""
    raise error


def _measured(tree: Path, place: Path, path: str, needle: bytes) -> tuple[File, bool]:
    status = place.lstat()
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(place.readlink())
        _refuse_leaving(tree, place, path)
        return File(path, rules.LINK, len(target), hashlib.sha256(target).hexdigest()), False
    if not stat.S_ISREG(status.st_mode):
        raise errors.FileRefused(path=path, reason="is neither a file nor a link")
    mode = "0755" if status.st_mode & stat.S_IXUSR else "0644"
    digest, contains = _read(place, needle)
    return File(path, mode, status.st_size, digest), contains


def _read(place: Path, needle: bytes) -> tuple[str, bool]:
    digest = hashlib.sha256()
    contains = False
    tail = b""
    with place.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            digest.update(chunk)
            if needle and not contains:
                contains = needle in tail + chunk
                tail = chunk[-len(needle) :]
    return digest.hexdigest(), contains


def _refuse_leaving(tree: Path, place: Path, path: str) -> None:
    target = place.readlink()
    if target.is_absolute() or not place.resolve().is_relative_to(tree.resolve()):
        raise errors.FileRefused(path=path, reason=f"is a link to {target}, outside the release")


def _normalise(tree: Path) -> None:
    """Modes 0644 and 0755, one moment for all, and no empty directory."""
    _open_up(tree, 0o755)
    for place in _places(tree):
        try:
            place.relative_to(tree).as_posix().encode()
        except UnicodeEncodeError as error:
            shown = os.fsencode(place.name).decode(errors="backslashreplace")
            raise errors.FileRefused(path=shown, reason="has a name that is not UTF-8") from error
        status = place.lstat()
        if stat.S_ISDIR(status.st_mode):
            _settle(place)
        elif stat.S_ISREG(status.st_mode):
            # A file with a second name elsewhere must not follow changes made there.
            _part(place, status)
            place.chmod(0o755 if status.st_mode & stat.S_IXUSR else 0o644)
            os.utime(place, (rules.EPOCH, rules.EPOCH))


def _part(place: Path, status: os.stat_result) -> None:
    if status.st_nlink == 1:
        return
    copy = place.with_name(f".{place.name}.parted"[-255:])
    shutil.copy2(place, copy)
    copy.replace(place)


def _settle(place: Path) -> None:
    if any(place.iterdir()):
        os.utime(place, (rules.EPOCH, rules.EPOCH))
    else:
        place.rmdir()


def protect(tree: Path) -> None:
    """Take away the right to write."""
    for place in (*_places(tree), tree):
        if not place.is_symlink():
            place.chmod(stat.S_IMODE(place.stat().st_mode) & 0o555)


def remove(tree: Path) -> None:
    """Remove a directory, also one that was protected; nothing when it is gone."""
    if not tree.exists():
        return
    _open_up(tree, 0o700)
    shutil.rmtree(tree)


def _open_up(tree: Path, mode: int) -> None:
    """Give all directories a mode, each before the walk goes into it."""
    tree.chmod(mode)
    for place, directories, _ in os.walk(tree):
        for name in directories:
            if not (Path(place) / name).is_symlink():
                (Path(place) / name).chmod(mode)


def link_interpreter(venv: Path, minor: str, python: Path) -> None:
    """Make `venv` a virtual environment of the interpreter `python`."""
    config = f"home = {python.parent}\ninclude-system-site-packages = false\nversion = {minor}\n"
    link = venv / "bin" / "python"
    if link.is_symlink() and link.readlink() == python and (venv / "pyvenv.cfg").exists():
        return
    places = [venv.parent, venv, venv / "bin"]
    for place in places:
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
    _replace_link(link, str(python))
    _replace_link(link.with_name("python3"), "python")
    _replace_link(link.with_name(f"python{minor}"), "python")
    (venv / ".pyvenv.cfg").write_text(config)
    (venv / ".pyvenv.cfg").replace(venv / "pyvenv.cfg")
    for place in places:
        place.chmod(0o555)


def _replace_link(link: Path, target: str) -> None:
    draft = link.with_name(f".{link.name}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def add_to_tar(tar: tarfile.TarFile, tree: Path, file: File) -> None:
    """Add one file with nothing of this machine or moment."""
    member = tarfile.TarInfo(file.path)
    member.mtime = rules.EPOCH
    if file.mode == rules.LINK:
        member.type = tarfile.SYMTYPE
        member.linkname = str((tree / file.path).readlink())
        tar.addfile(member)
        return
    member.mode = int(file.mode, 8)
    member.size = file.size_bytes
    with (tree / file.path).open("rb") as handle:
        tar.addfile(member, handle)
