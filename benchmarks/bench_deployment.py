"""Deploying a release that is built already, by Steerway and by ansible-core, in turns.

    python benchmarks/bench_deployment.py

Both bring the same release tree into service with two replicas: Steerway starts new ones beside
the old, moves the router and drains; the playbook copies the tree, restarts two processes and
waits until they are healthy, through the same health address. Steerway's bound is 2 s beyond
the service's own start, which is measured bare, two at once as well.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench_start import Stage, stage

BOUND_SECONDS: Final = 2.0
TIMES: Final = 7
FILES, FILE_BYTES = 300, 20_000
REPLICAS: Final = 2
HEALTH: Final = "/healthz"
ANSIBLE: Final = Path(sys.executable).with_name("ansible-playbook")

SERVER: Final = '''"""A service that imports what services import, and answers."""

import http.server
import json, logging, os, sqlite3, ssl, urllib.request
from pathlib import Path

VERSION = (Path(__file__).parent / "VERSION").read_text().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = VERSION.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''
DESCRIPTOR: Final = """steerway: 1
service: bench
description: Brought into service again and again.
source: {ref: main}
build: {kind: command, command: "true"}
run:
  command: python server.py
  replicas: 2
  health: {path: /healthz}
environments:
  - name: production
"""
PLAYBOOK: Final = """- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: The release tree
      ansible.builtin.copy:
        src: "{{ tree }}/"
        dest: "{{ place }}/releases/{{ version }}/"
        remote_src: true
        mode: preserve
    - name: The current release
      ansible.builtin.file:
        src: "{{ place }}/releases/{{ version }}"
        dest: "{{ place }}/current"
        state: link
    - name: Both processes again
      ansible.builtin.shell: |
        test -f {{ item }}.pid && kill "$(cat {{ item }}.pid)"
        while test -f {{ item }}.pid && kill -0 "$(cat {{ item }}.pid)" 2>/dev/null; do
          sleep 0.01
        done
        PORT={{ item }} setsid {{ python }} current/server.py </dev/null >/dev/null 2>&1 &
        echo $! > {{ item }}.pid
      args:
        chdir: "{{ place }}"
      loop: "{{ ports }}"
    - name: Both healthy
      ansible.builtin.uri:
        url: "http://127.0.0.1:{{ item }}{{ health }}"
      register: answer
      until: answer.status == 200
      retries: 200
      delay: 0.05
      loop: "{{ ports }}"
"""


def main() -> None:
    with stage() as one, playbook(one) as ansible:
        repository = Repository(one.home / "repository")
        one.run("up")
        one.run("apply", "--file", str(repository.path / "steerway.yaml"))
        for version in ("v1", "v2"):
            deploy(one, version)
        tree = Path(str(one.home / "releases"))
        own, found, peer = [], [], []
        for number in range(TIMES):
            version = ("v1", "v2")[number % 2]
            own.append(bare(repository.tree(version), one))
            found.append(deploy(one, version))
            peer.append(ansible.play(repository.tree(version), version))
        assert tree.exists()
        report(own, found, peer)


def report(own: list[float], found: list["Deployed"], peer: list[float]) -> None:
    steerway = statistics.median(one.seconds for one in found)
    beyond = [one.seconds - mine for one, mine in zip(found, own, strict=True)]
    print(f"A built release, {FILES} files, {REPLICAS} replicas; {TIMES} times each, in turns\n")
    row("the service's own start, two at once", own)
    row("steerway: asked until ended", [one.seconds for one in found])
    row("  beyond the service's own start", beyond, f"bound ≤ {BOUND_SECONDS:g} s")
    row("steerway deploy, the command as a whole", [one.command for one in found])
    row("ansible-playbook, as a whole", peer)
    row("  beyond the service's own start", [a - b for a, b in zip(peer, own, strict=True)])
    ansible = statistics.median(peer)
    whole = statistics.median(one.command for one in found)
    print(f"\n  ansible-core : steerway, whole commands   {ansible / whole:6.2f}")
    print(f"  ansible-core : steerway, from asked to ended{ansible / steerway:6.2f}\n")
    for name in found[0].steps:
        row(f"steerway, step {name}", [one.steps[name] for one in found])


class Repository:
    """A git repository with two versions of a small service in a tree of some size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        (path / "server.py").write_text(SERVER)
        (path / "steerway.yaml").write_text(DESCRIPTOR)
        for number in range(FILES):
            file = path / "assets" / f"{number % 10}" / f"{number}.bin"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(os.urandom(FILE_BYTES))
        for version in ("v1", "v2"):
            (path / "VERSION").write_text(version)
            self._git("add", "--all")
            self._git("commit", "--quiet", "--message", version)
            self._git("tag", version)

    def tree(self, version: str) -> Path:
        """The files of a version, as a release has them."""
        target = self.path.with_name(f"tree-{version}")
        if not target.exists():
            self._git("worktree", "add", "--quiet", "--detach", str(target), version)
        return target

    def _git(self, *words: str) -> None:
        who = ["-c", "user.name=Bob", "-c", "user.email=bob@example.org"]
        subprocess.run(["git", *who, *words], cwd=self.path, check=True, capture_output=True)


class Deployed:
    """One deployment: how long the command took, the work, and each step."""

    def __init__(self, command: float, record: dict[str, Any]) -> None:
        self.command = command
        self.seconds = _between(record["requested_at"], record["ended_at"])
        self.steps = {
            step["name"]: _between(step["started_at"], step["ended_at"]) for step in record["steps"]
        }


def _between(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def deploy(one: Stage, version: str) -> Deployed:
    """Deploy through the command line, as a person would."""
    began = time.monotonic()
    one.run("deploy", "bench", "--ref", version)
    seconds = time.monotonic() - began
    newest = json.loads(one.run("deployments", "--service", "bench", "--json"))[0]
    record = json.loads(one.run("watch", newest["ref"], "--json"))
    assert record["state"] == "succeeded", record
    return Deployed(seconds, record)


def bare(tree: Path, one: Stage) -> float:
    """Seconds until two processes of the service answer, started by hand."""
    ports = _ports(one)
    began = time.monotonic()
    processes = [
        subprocess.Popen([sys.executable, str(tree / "server.py")],
                         env={**one.environment, "PORT": str(port)})
        for port in ports
    ]  # fmt: skip
    try:
        wait(ports)
        return time.monotonic() - began
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def wait(ports: Sequence[int]) -> None:
    for port in ports:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{HEALTH}", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)


class Ansible:
    """The same work as a playbook."""

    def __init__(self, place: Path, one: Stage) -> None:
        self.place, self.ports = place, _ports(one)
        self._environment = {
            **one.environment,
            "ANSIBLE_LOCAL_TEMP": str(place / "local"),
            "ANSIBLE_REMOTE_TEMP": str(place / "remote"),
            "ANSIBLE_HOME": str(place / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        }
        (place / "releases").mkdir(parents=True)
        (place / "playbook.yml").write_text(PLAYBOOK)

    def play(self, tree: Path, version: str) -> float:
        """Seconds of the whole command."""
        values = {
            "tree": str(tree), "place": str(self.place), "version": version, "ports": self.ports,
            "python": sys.executable, "health": HEALTH,
            "ansible_python_interpreter": sys.executable,
        }  # fmt: skip
        command = [str(ANSIBLE), "playbook.yml", "--extra-vars", json.dumps(values)]
        began = time.monotonic()
        done = subprocess.run(
            command,
            check=False,
            cwd=self.place,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - began

    def end(self) -> None:
        """Stop what the playbook started."""
        for file in self.place.glob("*.pid"):
            os.kill(int(file.read_text()), signal.SIGTERM)


@contextmanager
def playbook(one: Stage) -> Iterator[Ansible]:
    ansible = Ansible(one.home / "ansible", one)
    try:
        yield ansible
    finally:
        ansible.end()


def _ports(one: Stage) -> list[int]:
    from story import free_ports  # noqa: PLC0415 -- on the path since bench_start was loaded

    found: list[int] = free_ports(REPLICAS)
    return found


def row(what: str, values: list[float], bound: str = "") -> None:
    print(
        f"  {what:42}{min(values):8.3f}{statistics.median(values):8.3f}{max(values):8.3f} s"
        f"  (least, median, most)  {bound}"
    )


if __name__ == "__main__":
    main()
