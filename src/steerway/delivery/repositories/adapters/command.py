"""Runs git: bounded, with no setting of any person, and no way to be asked for a password."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from steerway.delivery.repositories import errors

# What a person's or a host's environment may tell git: how to reach the other side, no more.
PASSED: Final = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)
FIXED: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",  # answers nothing, where an empty value would fall back to others
    "SSH_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
SETTINGS: Final = (
    ("protocol.allow", "never"),
    ("protocol.file.allow", "always"),
    ("protocol.https.allow", "always"),
    ("protocol.ssh.allow", "always"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("http.followRedirects", "initial"),
    ("credential.helper", ""),
)
NO_DIRECTORY: Final = 128  # what git itself ends with
LOOK_SECONDS: Final = 0.25  # how often a running git is looked at


class GitFailed(Exception):
    """Git ended with an error; `text` is what it said."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class GitCommand:
    """Git with a fixed environment."""

    host: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        *arguments: str,
        cwd: Path,
        seconds: float = 30,
        watch: Callable[[], None] = lambda: None,
    ) -> bytes:
        """What git printed.

        `watch` is called now and then, and stops git by raising.

        Raises:
            GitFailed: git ended with an error.
            RepositorySlow: it did not end in time.
            GitMissing: there is no git.
        """
        process = self.start(*arguments, cwd=cwd)
        try:
            out, err = _outcome(process, cwd, seconds, watch)
        finally:
            stop(process)
        if process.returncode:
            raise GitFailed(process.returncode, err.decode(errors="replace").strip())
        return out

    def start(
        self, *arguments: str, cwd: Path, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Git as a process, in a session of its own.

        Raises:
            GitMissing: there is no git.
            GitFailed: the directory `cwd` is not there.
        """
        settings = [part for key, value in SETTINGS for part in ("-c", f"{key}={value}")]
        try:
            return subprocess.Popen(
                ["git", *settings, *arguments],
                cwd=cwd,
                env={k: self.host[k] for k in PASSED if k in self.host} | FIXED,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            if not cwd.is_dir():
                raise GitFailed(NO_DIRECTORY, f"{cwd} is not there") from error
            raise errors.GitMissing() from error


def _outcome(
    process: subprocess.Popen[bytes], cwd: Path, seconds: float, watch: Callable[[], None]
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return process.communicate(timeout=LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            watch()
        if time.monotonic() > deadline:
            raise errors.RepositorySlow(repository=str(cwd), seconds=seconds)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, unless it has ended already."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
