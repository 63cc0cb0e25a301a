"""Keys: made once, whoever comes first, and readable by their owner alone."""

import subprocess
import sys
from pathlib import Path

from steerway.platform.keys import KEY_BYTES, key, node_name, secret_key

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


def test_an_installation_keeps_its_name_and_shares_it_with_none(tmp_path: Path) -> None:
    name = node_name(tmp_path / "one")

    assert node_name(tmp_path / "one") == name
    assert node_name(tmp_path / "two") != name
    assert len(name) == 16
