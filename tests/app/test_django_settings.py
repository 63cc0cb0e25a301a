"""What settings of ours make of Django's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NAMES = ("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE")
SHOW = f"""
import json
from steerway.app import django_settings as found
print(json.dumps({{name: getattr(found, name) for name in {(*NAMES, "ALLOWED_HOSTS")}}}))
"""


def settings_of(home: Path, **variables: str) -> dict[str, Any]:
    """Django's settings in a process of its own."""
    environment = {"STEERWAY_HOME": str(home), **variables}
    command = [sys.executable, "-c", SHOW]
    shown = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    found: dict[str, Any] = json.loads(shown)
    return found


def test_behind_https_cookies_are_of_this_host_alone(tmp_path: Path) -> None:
    found = settings_of(tmp_path, STEERWAY_URL="https://steer.example.com")

    assert [found[name] for name in NAMES] == [
        "__Host-steerway",
        True,
        "__Host-steerway-csrf",
        True,
    ]
    assert "steer.example.com" in found["ALLOWED_HOSTS"]


def test_on_the_machine_itself_only_its_own_names_are_answered(tmp_path: Path) -> None:
    found = settings_of(tmp_path)

    assert [found[name] for name in NAMES] == ["steerway", False, "steerway-csrf", False]
    assert set(found["ALLOWED_HOSTS"]) == {"localhost", "127.0.0.1", "[::1]"}
