"""Releases on disk: the same from the same files, whole or not there, and never changed."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import zstandard

from steerway.delivery.releases import errors
from steerway.delivery.releases.adapters import files
from steerway.delivery.releases.adapters.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def _tree(place: Path) -> Path:
    (place / "bin").mkdir(parents=True)
    (place / "empty").mkdir()
    (place / "app.py").write_text("print('beans')\n")
    (place / "bin" / "run").write_text("#!/bin/sh\n")
    (place / "bin" / "run").chmod(0o700)
    (place / "latest").symlink_to("bin/run")
    return place


def test_the_same_files_are_the_same_release(store: Store, tmp_path: Path) -> None:
    one = _tree(tmp_path / "one")
    two = _tree(tmp_path / "elsewhere" / "two")
    (two / "app.py").chmod(0o600)
    os.utime(two / "app.py", (1, 1))

    first = store.put(one, kind="files").manifest
    second = store.put(two, kind="files").manifest

    assert first.digest == second.digest
    assert [(f.path, f.mode) for f in first.files] == [
        ("app.py", "0644"),
        ("bin/run", "0755"),
        ("latest", "link"),
    ]
    assert not one.exists()
    assert not two.exists()


@pytest.mark.parametrize(
    "change", ["echo tea > app.py", "chmod 755 app.py", "ln -sfn app.py latest", "touch more"]
)
def test_other_files_are_another_release(store: Store, tmp_path: Path, change: str) -> None:
    one, two = _tree(tmp_path / "one"), _tree(tmp_path / "two")
    subprocess.run(["sh", "-c", change], cwd=two, check=True)

    digests = {store.put(tree, kind="files").manifest.digest for tree in (one, two)}

    assert len(digests) == 2


def test_files_are_read_only_and_of_one_moment(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    path = store.path(digest)

    assert (path / "app.py").stat().st_mode & 0o777 == 0o444
    assert (path / "bin" / "run").stat().st_mode & 0o777 == 0o555
    assert path.stat().st_mode & 0o222 == 0
    assert (path / "app.py").stat().st_mtime == 315532800
    assert not (path / "empty").exists()
    assert store.verify(digest).digest == digest


def test_a_changed_release_names_its_first_changed_file(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    path = store.path(digest)
    for directory in (path, path / "bin"):
        directory.chmod(0o755)

    (path / "bin" / "run").chmod(0o644)
    with pytest.raises(errors.ReleaseChanged, match=r"bin/run has other content"):
        store.verify(digest)

    (path / "app.py").chmod(0o644)
    (path / "app.py").write_text("print('beanz')\n")
    with pytest.raises(errors.ReleaseChanged, match=r"app\.py has other content"):
        store.verify(digest)

    (path / "app.py").unlink()
    with pytest.raises(errors.ReleaseChanged, match=r"app\.py is missing"):
        store.verify(digest)

    (path / "a.py").touch()
    with pytest.raises(errors.ReleaseChanged, match=r"a\.py was added"):
        store.verify(digest)


def test_a_changed_manifest_is_seen(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    manifest = store.path(digest).parent / "manifest.json"
    text = manifest.read_text()

    manifest.write_text(text.replace("0755", "0644"))
    with pytest.raises(errors.ReleaseChanged, match="has another digest"):
        store.verify(digest)

    manifest.write_text(text[:10])
    with pytest.raises(errors.ReleaseChanged, match="cannot be read"):
        store.verify(digest)


def test_a_changed_release_is_made_whole_by_building_it_again(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    store.path(digest).chmod(0o755)
    (store.path(digest) / "app.py").unlink()

    store.put(_tree(tmp_path / "two"), kind="files")

    assert store.verify(digest)


def test_a_release_that_is_not_here(store: Store) -> None:
    assert not store.holds("0" * 64)
    with pytest.raises(errors.ReleaseGone):
        store.verify("0" * 64)
    store.remove("0" * 64)


def test_removing_twice_is_removing_once(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest

    store.remove(digest)
    store.remove(digest)

    assert not store.holds(digest)
    assert [p.name for p in store.directory.iterdir()] == []


def test_what_a_killed_server_left_is_swept(store: Store, tmp_path: Path) -> None:
    unknown = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    given_up = store.put(_tree(tmp_path / "two"), kind="node").manifest.digest
    (store.directory / ".draft-x-1" / "tree").mkdir(parents=True)

    with store.locked():
        removed = store.sweep({given_up, "0" * 64})

    assert removed == sorted([".draft-x-1", given_up[:16]])
    assert store.holds(unknown)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc", ".."])
def test_a_link_that_leaves_the_release_is_refused(
    store: Store, tmp_path: Path, target: str
) -> None:
    tree = _tree(tmp_path / "one")
    (tree / "link").symlink_to(target)

    with pytest.raises(errors.FileRefused, match="outside the release"):
        store.put(tree, kind="files")


def test_a_pipe_is_refused(store: Store, tmp_path: Path) -> None:
    tree = _tree(tmp_path / "one")
    os.mkfifo(tree / "pipe")

    with pytest.raises(errors.FileRefused, match="neither a file nor a link"):
        store.put(tree, kind="files")


def test_a_file_with_a_second_name_elsewhere_is_copied(store: Store, tmp_path: Path) -> None:
    tree = _tree(tmp_path / "one")
    (tmp_path / "outside").hardlink_to(tree / "app.py")

    digest = store.put(tree, kind="files").manifest.digest
    (tmp_path / "outside").write_text("changed")

    assert store.verify(digest)


def test_the_build_directory_in_a_file_is_reported(store: Store, tmp_path: Path) -> None:
    tree = _tree(tmp_path / "one")
    filler = b"x" * (files.CHUNK_BYTES - 3)
    (tree / "map.js").write_bytes(filler + str(tree).encode())

    notes = store.put(tree, kind="files").notes

    assert notes == ("The build directory's path is inside map.js: another build will differ.",)


def test_the_interpreter_is_linked_and_not_part_of_the_digest(store: Store, tmp_path: Path) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = Path(sys.executable)
    digest = store.put(_tree(tmp_path / "one"), kind="python", python=minor).manifest.digest

    store.install(digest, python)
    store.install(digest, python)

    venv = store.path(digest) / ".venv"
    assert (venv / "bin" / "python").readlink() == python
    assert (venv / "bin" / f"python{minor}").exists()
    assert store.verify(digest)


def test_a_release_becomes_the_same_archive(store: Store, tmp_path: Path) -> None:
    digest = store.put(_tree(tmp_path / "one"), kind="files").manifest.digest
    other = Store(tmp_path / "other")
    other.put(_tree(tmp_path / "two"), kind="files")

    store.archive(digest, tmp_path / "a.tar.zst")
    other.archive(digest, tmp_path / "b.tar.zst")

    packed = [(tmp_path / name).read_bytes() for name in ("a.tar.zst", "b.tar.zst")]
    assert hashlib.sha256(packed[0]).digest() == hashlib.sha256(packed[1]).digest()
    with (
        zstandard.ZstdDecompressor().stream_reader(packed[0]) as raw,
        tarfile.open(fileobj=raw, mode="r|") as tar,
    ):
        members = [(m.name, m.mode, m.mtime, m.uid, m.linkname) for m in tar]
    assert members == [
        ("app.py", 0o644, 315532800, 0, ""),
        ("bin/run", 0o755, 315532800, 0, ""),
        ("latest", 0o644, 315532800, 0, "bin/run"),
    ]
