"""What a commit's tree becomes on disk, and which trees are refused."""

from pathlib import Path

import pytest

from steerway.delivery.repositories import errors
from steerway.delivery.repositories.adapters.git import Git
from steerway.delivery.repositories.rules import Limits
from tests.delivery.sources import ENVIRONMENT, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "home", ENVIRONMENT)


def _exported(git: Git, repository: Repository, directory: str = "") -> Path:
    into = repository.path.parent / "out"
    git.export(git.resolve(str(repository.path), directory=directory), into)
    return into


def _tree_of(repository: Repository, rows: str) -> None:
    """Commit a tree that git's own commands would not make."""
    made = repository.git("mktree", "--missing", stdin=rows.encode())
    commit = repository.git("commit-tree", made, "-m", "Crafted")
    repository.git("update-ref", "refs/heads/main", commit)


def _blob(repository: Repository, text: str) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=text.encode())


def test_files_modes_and_links_are_kept(git: Git, repository: Repository) -> None:
    repository.write({"run.sh": "#!/bin/sh\n", "a/b.txt": "b\n"}, executable=("run.sh",))
    (repository.path / "a" / "link").symlink_to("../run.sh")
    repository.commit("One", {".gitattributes": "* text eol=crlf\nb.txt export-ignore\n"})

    out = _exported(git, repository)

    assert (out / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (out / "a" / "b.txt").read_bytes() == b"b\n"
    assert (out / "a" / "link").readlink() == Path("../run.sh")
    assert sorted(p.name for p in out.iterdir()) == [".gitattributes", "a", "run.sh"]


def test_only_the_directory_is_exported(git: Git, repository: Repository) -> None:
    repository.commit("One", {"README": "x", "shop/app.py": "1"})

    assert [p.name for p in _exported(git, repository, "shop").iterdir()] == ["app.py"]


def test_uncommitted_work_is_not_exported(git: Git, repository: Repository) -> None:
    repository.commit("One", {"app.py": "1"})
    repository.write({"app.py": "2", "new.py": "3"})

    out = _exported(git, repository)

    assert (out / "app.py").read_text() == "1"
    assert not (out / "new.py").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "..", "a/../../x"])
def test_a_link_that_leaves_the_tree_is_refused(
    git: Git, repository: Repository, target: str
) -> None:
    (repository.path / "link").symlink_to(target)
    repository.commit("One", {"a/b": "1"})

    with pytest.raises(errors.TreeRefused, match=r"link is a link to .* outside the tree"):
        _exported(git, repository)


def test_a_link_that_leaves_the_tree_by_another_link_is_refused(
    git: Git, repository: Repository
) -> None:
    repository.write({"a/b/c": "1"})
    (repository.path / "a" / "b" / "up").symlink_to("../..")
    (repository.path / "sly").symlink_to("a/b/up/../x")
    repository.commit("One")

    with pytest.raises(errors.TreeRefused, match="sly is a link"):
        _exported(git, repository)


def test_a_file_behind_a_link_of_the_same_name_is_refused(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    link = _blob(repository, str(tmp_path / "victim"))
    inner = repository.git("mktree", stdin=f"100644 blob {_blob(repository, 'x')}\tf\n".encode())
    _tree_of(repository, f"120000 blob {link}\ta\n040000 tree {inner}\ta\n")

    with pytest.raises(errors.TreeRefused, match="twice"):
        _exported(git, repository)
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.parametrize("name", [".git", "..", ".GIT"])
def test_a_name_no_file_may_have_is_refused(git: Git, repository: Repository, name: str) -> None:
    inner = repository.git("mktree", stdin=f"100644 blob {_blob(repository, 'x')}\tf\n".encode())
    _tree_of(repository, f"040000 tree {inner}\t{name}\n")

    with pytest.raises(errors.TreeRefused, match="is not a name"):
        _exported(git, repository)


def test_a_submodule_is_refused(git: Git, repository: Repository) -> None:
    _tree_of(repository, f"160000 commit {'1' * 40}\tvendor\n")

    with pytest.raises(errors.TreeRefused, match="vendor is a submodule"):
        _exported(git, repository)


def test_a_large_file_pointer_is_refused(git: Git, repository: Repository) -> None:
    repository.commit("One", {"big.bin": "version https://git-lfs.github.com/spec/v1\noid x\n"})

    with pytest.raises(errors.TreeRefused, match=r"big\.bin is a Git LFS pointer"):
        _exported(git, repository)


def test_a_tree_has_limits(tmp_path: Path, repository: Repository) -> None:
    repository.commit("One", {"a": "12", "b": "34"})

    with pytest.raises(errors.TooManyFiles):
        _exported(Git(tmp_path / "home", ENVIRONMENT, Limits(files=1)), repository)
    with pytest.raises(errors.RepositoryTooLarge):
        _exported(Git(tmp_path / "home", ENVIRONMENT, Limits(tree_bytes=3)), repository)


def test_a_mirror_that_was_lost_is_made_again(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("One", {"a": "12"})
    commit = git.resolve(str(repository.path))
    moved = tmp_path / "home" / "repositories"
    moved.rename(tmp_path / "gone")

    git.export(commit, tmp_path / "out")

    assert (tmp_path / "out" / "a").read_text() == "12"
