"""Builds the shop's git repository, one tag per version: the same commits on every machine.

    python repository.py build TARGET

`base/` is v1. `versions/NAME.patch` is the commit that makes NAME: its message, then its change.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VISITORS = ("loadgen.py", "connection.py", "seen.py")
PARENTS = {
    "v2": "v1",
    "v2-sick": "v1",
    "v2-broken-build": "v1",
    "v3-bad": "v2",
    "v4-slow": "v2",
    "v5-drop": "v2",
}
MAIN = "v2"  # the newest version that is good
MARK = "shop-kit.json"  # in .git: what the repository was built from, and to
FIRST_AT = 1_767_600_000  # 2026-01-05 08:00 UTC, a Monday; each version is a day later
DAY = 86_400
FIRST_MESSAGE = "shop: a catalog, orders, and a checkout that never sells a cart twice"


class Foreign(Exception):
    """The target holds work that is not the kit's to replace."""


def git(directory: Path, *arguments: str, at: int = FIRST_AT) -> str:
    """What git says, deaf to the user's configuration and to the repository we may be called in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {}
    for role in ("AUTHOR", "COMMITTER"):
        who[f"GIT_{role}_NAME"] = "Alice Miller"
        who[f"GIT_{role}_EMAIL"] = "alice@shop.example"
        who[f"GIT_{role}_DATE"] = f"{at} +0000"
    alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C"}
    alone |= dict.fromkeys(("GIT_CONFIG_GLOBAL", "HOME", "XDG_CONFIG_HOME"), os.devnull)
    result = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        env=kept | who | alone,
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()


def sources() -> dict[str, bytes]:
    """The files of v1 by their path in the repository."""
    base = HERE / "base"
    paths = sorted(path for path in base.rglob("*") if path.is_file())
    names = {path.relative_to(base).as_posix(): path for path in paths}
    files = {name: path.read_bytes() for name, path in names.items() if "cache" not in name}
    return files | {f"visitors/{name}": (HERE / name).read_bytes() for name in VISITORS}


def digest() -> str:
    """A sum over everything the repository is built from."""
    total = hashlib.sha256(Path(__file__).read_bytes())
    patches = {path.name: path.read_bytes() for path in sorted((HERE / "versions").glob("*.patch"))}
    for name, content in (sources() | patches).items():
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def build(target: Path) -> dict[str, str]:
    """The commit of each version, in a repository at `target` that was made if it was not there.

    Raises:
        Foreign: something else is there, or someone committed to it since.
    """
    mark = target / ".git" / MARK
    wanted = digest()
    if mark.exists():
        built = json.loads(mark.read_text())
        if built["sources"] == wanted:
            commits: dict[str, str] = built["commits"]
            return commits
        if not untouched(target, built["commits"]):
            raise Foreign(f"{target} was changed since it was built; move it away and build again")
    elif target.exists() and any(target.iterdir()):
        raise Foreign(f"{target} is not empty and not the shop's; name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".shop-") as scratch:
        fresh = Path(scratch) / "shop"
        commits = create(fresh)
        (fresh / ".git" / MARK).write_text(json.dumps({"sources": wanted, "commits": commits}))
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    return commits


def untouched(target: Path, commits: dict[str, str]) -> bool:
    """Whether nobody worked in a repository that the kit built."""
    heads = git(target, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags")
    return set(heads.split()) == set(commits.values()) and not git(target, "status", "--porcelain")


def create(directory: Path) -> dict[str, str]:
    """A new repository with every version; the commit of each."""
    directory.mkdir()
    git(
        directory, "init", "--quiet", "--template=", "--initial-branch=main", "--object-format=sha1"
    )
    for name, content in sources().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
    commits = {"v1": commit(directory, "v1", FIRST_MESSAGE, FIRST_AT)}
    for day, (name, parent) in enumerate(PARENTS.items(), start=1):
        patch = HERE / "versions" / f"{name}.patch"
        message = patch.read_text().partition("\ndiff --git ")[0]
        git(directory, "checkout", "--quiet", "--detach", parent)
        git(directory, "apply", "--index", str(patch))
        commits[name] = commit(directory, name, message, FIRST_AT + day * DAY)
    git(directory, "checkout", "--quiet", "-B", "main", MAIN)
    return commits


def commit(directory: Path, name: str, message: str, at: int) -> str:
    """Commit and tag what is in the folder."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", message, at=at)
    git(directory, "tag", name)
    return git(directory, "rev-parse", "HEAD")


def main() -> int:
    """Build, and print each version with its commit."""
    parser = argparse.ArgumentParser(description="Build the shop's git repository.")
    parser.add_argument("command", choices=["build"])
    parser.add_argument("target", type=Path)
    parser.add_argument("--json", action="store_true", help="print the commits as JSON")
    options = parser.parse_args()
    try:
        commits = build(options.target.absolute())
    except Foreign as problem:
        print(f"repository: {problem}", file=sys.stderr)
        return 1
    except FileNotFoundError:
        print("repository: git is not installed", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"repository: {error.stderr.strip()}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(commits))
    else:
        print("\n".join(f"{name:16} {sha}" for name, sha in commits.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
