import os
import subprocess
import sys
from pathlib import Path

from tests.examples.stage import KIT


def build(target: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, KIT / "repository.py", "build", target],
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_machine_builds_the_same_commits(tmp_path: Path) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[commit]\n gpgSign = true\n[core]\n autocrlf = true\n[user]\n name = Bob\n")
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "ignore").write_text("*.py\n")

    first = build(tmp_path / "one")
    second = build(
        tmp_path / "deep" / "two",
        GIT_CONFIG_GLOBAL=str(config),
        XDG_CONFIG_HOME=str(tmp_path),
        GIT_DIR=str(tmp_path / "one" / ".git"),
        TZ="Asia/Tokyo",
    )

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert [line.split()[0] for line in first.stdout.splitlines()] == [
        "v1",
        "v2",
        "v2-sick",
        "v2-broken-build",
        "v3-bad",
        "v4-slow",
        "v5-drop",
    ]


def test_building_again_changes_nothing_and_keeps_what_people_did(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    first = build(target)
    (target / "README.md").write_text("Mine.")

    second = build(target)

    assert second.stdout == first.stdout
    assert (target / "README.md").read_text() == "Mine."


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("Years of work.")

    refused = build(tmp_path)

    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_an_older_build_is_replaced_unless_someone_worked_in_it(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    fresh = build(target)
    mark = target / ".git" / "shop-kit.json"
    old = mark.read_text().replace('"sources": "', '"sources": "older-')
    mark.write_text(old)

    replaced = build(target)

    assert replaced.stdout == fresh.stdout
    mark.write_text(old)
    (target / "README.md").write_text("Mine.")
    refused = build(target)
    assert refused.returncode == 1
    assert "was changed since it was built" in refused.stderr


def test_only_the_broken_build_breaks(versions: Path) -> None:
    codes = {
        version.name: subprocess.run(
            [sys.executable, "-B", "build.py"], cwd=version, capture_output=True, check=False
        ).returncode
        for version in versions.iterdir()
    }

    assert codes.pop("v2-broken-build") == 1
    assert set(codes.values()) == {0}
