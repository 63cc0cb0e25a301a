"""What a name becomes, and what is refused, on real repositories."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steerway.delivery.repositories import errors
from steerway.delivery.repositories.adapters.git import Git
from steerway.delivery.repositories.descriptor import SourceSection
from steerway.delivery.repositories.rules import Limits
from steerway.delivery.repositories.workflows import resolve
from tests.delivery.sources import ENVIRONMENT, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "home", ENVIRONMENT)


def test_a_tag_becomes_its_commit(git: Git, repository: Repository) -> None:
    wanted = repository.commit("Sell beans", {"shop.py": "1"}, tag="v1")
    repository.commit("Sell tea", {"shop.py": "2"})

    commit = git.resolve(str(repository.path), "v1")

    assert commit.id == wanted
    assert commit.name == "v1"
    assert commit.tags == ("v1",)
    assert (commit.author, commit.email, commit.subject) == (
        "Alice",
        "alice@example.com",
        "Sell beans",
    )
    assert commit.authored_at.astimezone(UTC) == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_an_annotated_tag_becomes_its_commit(git: Git, repository: Repository) -> None:
    wanted = repository.commit("Sell beans", {"shop.py": "1"})
    repository.git("tag", "-a", "v1", "-m", "First")

    assert git.resolve(str(repository.path), "v1").id == wanted


def test_a_branch_a_short_id_and_head_become_commits(git: Git, repository: Repository) -> None:
    first = repository.commit("One", {"shop.py": "1"})
    second = repository.commit("Two", {"shop.py": "2"})
    location = str(repository.path)

    assert git.resolve(location, "main").id == second
    assert git.resolve(location, first[:7]).id == first
    assert git.resolve(location).id == second
    assert git.resolve(location).name == second[:8]
    assert git.resolve(location).branches == ("main",)


def test_a_branch_that_moved_is_seen(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    git.resolve(str(repository.path), "main")
    second = repository.commit("Two", {"shop.py": "2"})

    assert git.resolve(str(repository.path), "main").id == second


def test_a_detached_head_is_found(git: Git, repository: Repository) -> None:
    first = repository.commit("One", {"shop.py": "1"})
    repository.commit("Two", {"shop.py": "2"})
    repository.git("checkout", "--quiet", "--detach", first)

    assert git.resolve(str(repository.path)).id == first


def test_a_tag_that_was_moved_and_one_that_was_removed(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"}, tag="v1")
    git.resolve(str(repository.path), "v1")
    second = repository.commit("Two", {"shop.py": "2"})
    repository.git("tag", "-f", "v1")

    assert git.resolve(str(repository.path), "v1").id == second

    repository.git("tag", "-d", "v1")
    with pytest.raises(errors.RefUnknown):
        git.resolve(str(repository.path), "v1")


def test_an_unknown_reference_names_its_neighbours(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"}, tag="v1.2.0")

    with pytest.raises(errors.RefUnknown, match=r"commit v1\.2\. Did you mean v1\.2\.0\?"):
        git.resolve(str(repository.path), "v1.2")
    with pytest.raises(errors.RefUnknown, match=r"commit quux\. It has main, v1\.2\.0\."):
        git.resolve(str(repository.path), "quux")
    with pytest.raises(errors.RefUnknown, match="deadbeef"):
        git.resolve(str(repository.path), "deadbeef")


@pytest.mark.parametrize(
    "ref",
    ["--upload-pack=touch x", "-h", "a b", "a..b", "v1^{}", "v1~1", ":shop.py", "", "x" * 300],
)
def test_a_reference_is_never_an_option_or_an_expression(
    git: Git, repository: Repository, ref: str
) -> None:
    repository.commit("One", {"shop.py": "1"}, tag="v1")

    with pytest.raises(errors.RefUnknown):
        git.resolve(str(repository.path), ref)


def test_a_place_without_a_repository(git: Git, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    with pytest.raises(errors.RepositoryMissing):
        git.resolve(str(tmp_path / "nowhere"))
    with pytest.raises(errors.NotARepository):
        git.resolve(str(tmp_path / "plain"))


def test_a_repository_without_a_commit(git: Git, repository: Repository) -> None:
    with pytest.raises(errors.RepositoryEmpty):
        git.resolve(str(repository.path))
    with pytest.raises(errors.RepositoryEmpty):
        git.resolve(str(repository.path), "main")


def test_a_head_without_a_commit_beside_branches_that_have_one(
    git: Git, repository: Repository
) -> None:
    wanted = repository.commit("One", {"shop.py": "1"})
    repository.git("checkout", "--quiet", "--orphan", "new")

    assert git.resolve(str(repository.path), "main").id == wanted
    with pytest.raises(errors.RefUnknown, match="HEAD"):
        git.resolve(str(repository.path))


def test_a_bare_repository_and_a_directory_inside_one(git: Git, repository: Repository) -> None:
    repository.commit("One", {"services/shop/shop.py": "1", "README": "x"})
    bare = repository.path.parent / "bare.git"
    repository.git("clone", "--quiet", "--bare", ".", str(bare))

    inside = git.resolve(str(repository.path / "services"), directory="shop")

    assert git.resolve(str(bare), "main", "services/shop").tree == inside.tree
    assert inside.directory == "services/shop"
    assert inside.repository == str(repository.path)


@pytest.mark.parametrize("directory", ["nowhere", "README", "../other", "/etc", "--help"])
def test_a_directory_that_is_none(git: Git, repository: Repository, directory: str) -> None:
    repository.commit("One", {"README": "x"})

    with pytest.raises(errors.DirectoryUnknown):
        git.resolve(str(repository.path), directory=directory)


def test_uncommitted_files_are_noted(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1", "other/x": "1"}, tag="v2")
    repository.write({"shop.py": "2", "new.py": "3", "other/x": "2"})

    assert git.resolve(str(repository.path), "v2").notes == (
        "3 uncommitted files are not part of v2",
    )
    assert git.resolve(str(repository.path), "v2", "other").notes == (
        "1 uncommitted file is not part of v2",
    )


def test_a_clean_tree_has_no_note(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})

    assert git.resolve(str(repository.path)).notes == ()


def test_the_commits_between_two(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"}, tag="v1")
    repository.commit("Two", {"shop.py": "2"})
    repository.commit("Three", {"shop.py": "3"}, tag="v3")
    older, newer = (git.resolve(str(repository.path), tag) for tag in ("v1", "v3"))

    assert [c.subject for c in git.commits_between(older, newer)] == ["Three", "Two"]
    assert git.commits_between(newer, older) == ()


def test_a_shallow_clone_can_be_built_from(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    wanted = repository.commit("Two", {"shop.py": "2"})
    shallow = repository.path.parent / "shallow"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(shallow))

    assert git.resolve(str(shallow), "main").id == wanted


def test_what_a_killed_git_left_does_not_stand_in_the_way(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    git.resolve(str(repository.path))
    [mirror] = (git.home / "repositories").glob("*.git")
    (mirror / "packed-refs.lock").touch()
    (mirror / "refs" / "heads" / "main.lock").touch()
    wanted = repository.commit("Two", {"shop.py": "2"})

    assert git.resolve(str(repository.path)).id == wanted


def test_a_broken_mirror_is_made_anew(git: Git, repository: Repository) -> None:
    wanted = repository.commit("One", {"shop.py": "1"})
    git.resolve(str(repository.path))
    [mirror] = (git.home / "repositories").glob("*.git")
    for place in mirror.glob("objects/??/*"):
        place.chmod(0o644)
        place.write_bytes(b"")

    assert git.resolve(str(repository.path)).id == wanted


def test_a_redirect_to_a_weaker_protocol_is_not_followed(git: Git, door: str) -> None:
    with pytest.raises((errors.RepositoryUnreachable, errors.LocationRefused)):
        git.resolve(f"{door}/elsewhere.git")


def test_commits_of_a_lost_mirror_are_unknown(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    commit = git.resolve(str(repository.path))
    (git.home / "repositories").rename(git.home / "gone")

    with pytest.raises(errors.RefUnknown):
        git.commits_between(commit, commit)


def test_a_mirror_has_a_limit(tmp_path: Path, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})

    with pytest.raises(errors.RepositoryTooLarge):
        Git(tmp_path / "home", ENVIRONMENT, Limits(mirror_bytes=10)).resolve(str(repository.path))


def test_a_fetch_has_a_time(tmp_path: Path, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    real = shutil.which("git")
    slow.write_text(f'#!/bin/sh\ncase "$*" in *fetch*) exec sleep 30;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    host = ENVIRONMENT | {"PATH": f"{slow.parent}:{ENVIRONMENT['PATH']}"}

    with pytest.raises(errors.RepositorySlow):
        Git(tmp_path / "home", host, Limits(fetch_seconds=0.1)).resolve(str(repository.path))


def test_without_git(tmp_path: Path) -> None:
    with pytest.raises(errors.GitMissing):
        Git(tmp_path / "home", {"PATH": str(tmp_path)}).resolve(str(tmp_path))


class _Door(http.server.BaseHTTPRequestHandler):
    """A web server that wants a password for /private and knows nothing else."""

    def do_GET(self) -> None:
        answers = {"private": 401, "elsewhere": 302}
        self.send_response(answers.get(self.path.split("/")[1].removesuffix(".git"), 404))
        self.send_header("Location", "ftp://127.0.0.1:9/info/refs?service=git-upload-pack")
        self.send_header("WWW-Authenticate", 'Basic realm="shop"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def door() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_that_asks_for_a_password(git: Git, door: str) -> None:
    with pytest.raises(errors.AuthenticationNeeded):
        git.resolve(f"{door}/private.git")


def test_an_address_without_a_repository(git: Git, door: str) -> None:
    with pytest.raises(errors.RepositoryMissing):
        git.resolve(f"{door}/shop.git")


def test_an_address_that_does_not_answer(git: Git) -> None:
    with pytest.raises(errors.RepositoryUnreachable):
        git.resolve("http://127.0.0.1:9/shop.git")


@pytest.mark.parametrize(
    "repository",
    [
        "--upload-pack=touch x",
        "-x",
        "ext::sh -c touch% x",
        "git://example.com/x",
        "http://example.com/x",
        "https://user:word@example.com/x",
        "ssh://-oProxyCommand=x/y",
        "file://host/x",
        "https:///x",
    ],
)
def test_repository_names_that_are_refused(git: Git, tmp_path: Path, repository: str) -> None:
    source = SourceSection.model_construct(repository=repository, ref="HEAD", directory=".")

    with pytest.raises(errors.LocationRefused):
        resolve(git, source=source, base=tmp_path)


def test_a_relative_path_counts_from_the_descriptor(git: Git, repository: Repository) -> None:
    wanted = repository.commit("One", {"deep/steerway.yaml": ""})

    commit = resolve(git, source=SourceSection(), base=repository.path / "deep")

    assert (commit.id, commit.directory) == (wanted, "deep")


def test_a_hook_of_the_repository_never_runs(git: Git, repository: Repository) -> None:
    repository.commit("One", {"shop.py": "1"})
    mark = repository.path / "ran"
    for name in ("post-checkout", "reference-transaction", "fsmonitor"):
        hook = repository.path / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    repository.git("config", "core.fsmonitor", ".git/hooks/fsmonitor")

    git.export(git.resolve(str(repository.path)), repository.path.parent / "out")

    assert not mark.exists()
