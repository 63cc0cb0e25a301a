"""Keys: made once, whoever comes first, and readable by their owner alone."""

import subprocess
import sys
from pathlib import Path

from steerway.platform.keys import ALONE, KEY_BYTES, key, node_of, secret_key
from steerway.platform.settings import Settings

ASKERS = 8
ASK = """
import sys
from pathlib import Path
from steerway.platform.keys import key
sys.stdin.readline()
print(key(Path(sys.argv[1]), "web").hex())
"""


def test_processes_that_make_a_key_at_once_end_with_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    askers = [subprocess.Popen(command, text=True, **pipes) for _ in range(ASKERS)]  # type: ignore[call-overload] # a dict hides its types

    for asker in askers:
        asker.stdin.write("go\n")
        asker.stdin.flush()
    keys = {asker.communicate()[0].strip() for asker in askers}

    assert keys == {key(tmp_path, "web").hex()}
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["web.key"]


def test_a_key_is_the_owners_alone(tmp_path: Path) -> None:
    made = key(tmp_path, "secrets")

    assert len(made) == KEY_BYTES
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "secrets.key").stat().st_mode & 0o777 == 0o600


def test_a_key_stays_and_keys_differ(tmp_path: Path) -> None:
    made = key(tmp_path, "web")

    assert key(tmp_path, "web") == made
    assert key(tmp_path, "secrets") != made
    assert key(tmp_path / "other", "web") != made
    assert secret_key(tmp_path) == made.hex()


def test_a_server_that_shares_a_database_keeps_its_name_and_shares_it_with_none(
    tmp_path: Path,
) -> None:
    one, two = (Settings(home=tmp_path / name, database_url="postgresql:///x") for name in "ab")

    assert node_of(one) == node_of(one)
    assert node_of(one) != node_of(two)
    assert len(node_of(one)) == 16


def test_a_server_with_records_of_its_own_is_the_same_whatever_became_of_its_keys(
    tmp_path: Path,
) -> None:
    assert node_of(Settings(home=tmp_path / "a")) == node_of(Settings(home=tmp_path / "b")) == ALONE
