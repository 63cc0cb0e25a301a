"""Shows Steerway at work on the shop, through its command line, as a user would.

python story.py up       start, deploy the shop with live visitors, print where to look
python story.py demo     play the story on an installation of its own, and remove it
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
STEERWAY = [sys.executable, "-m", "steerway.app"]
ANSWER_SECONDS = 30


class Failed(Exception):
    """A step of the story did not end as it should."""


class Stage:
    """One installation, spoken to by its command line."""

    def __init__(self, home: Path | None = None) -> None:
        """Use the user's own installation, or one of its own in `home` on free ports."""
        self.environment = dict(os.environ)
        if home is not None:
            port, router, first = free_ports(3)
            self.environment |= {
                "STEERWAY_HOME": str(home),
                "STEERWAY_PORT": str(port),
                "STEERWAY_ROUTER_PORT": str(router),
                "STEERWAY_REPLICA_PORTS": f"{first}-{first + 200}",
            }
        settings = json.loads(self.run("settings", "--json"))
        self.home = Path(settings["STEERWAY_HOME"])
        self.port = int(settings["STEERWAY_PORT"])
        self.router_port = int(settings["STEERWAY_ROUTER_PORT"])
        self.shop_url = f"http://shop.localhost:{self.router_port}"

    def run(self, *words: str, says: str = "", fails: bool = False) -> str:
        """What the command prints; its exit code must be as expected."""
        done = subprocess.run(
            [*STEERWAY, *words], env=self.environment, input=says, capture_output=True, text=True
        )
        if (done.returncode != 0) is not fails:
            raise Failed(f"steerway {' '.join(words)} left with {done.returncode}:\n{done.stderr}")
        return done.stdout + (done.stderr if fails else "")

    def show(self, *words: str, fails: bool = False) -> None:
        """Run a command in sight of the reader."""
        print(f"\n  $ steerway {' '.join(words)}", flush=True)
        done = subprocess.run([*STEERWAY, *words], env=self.environment)
        if (done.returncode != 0) is not fails:
            raise Failed(f"steerway {' '.join(words)} left with {done.returncode}")

    def shop_version(self) -> str:
        """The version that answers through the router, or why none does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.router_port}/version",
            headers={"Host": f"shop.localhost:{self.router_port}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.headers["x-shop-version"])
        except (OSError, urllib.error.URLError) as error:
            return f"none ({error})"

    def repository(self) -> Path:
        """The shop's git repository, built beside the checkout's other products."""
        target = self.home / "examples" / "shop"
        build = [sys.executable, str(HERE / "repository.py"), "build", str(target)]
        subprocess.run(build, check=True, capture_output=True)
        return target


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    doors = [socket.socket() for _ in range(count)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def declare(stage: Stage) -> None:
    """Give the shop its secret, and apply its descriptors."""
    shop = stage.repository()
    names = json.loads(stage.run("secret", "list", "--service", "shop", "--json"))
    if not any(one["name"] == "payment-key" for one in names):
        key = secrets.token_urlsafe(24)
        stage.run("secret", "set", "payment-key", "--service", "shop", says=key)
    for file in (shop / "steerway.yaml", shop / "visitors" / "steerway.yaml"):
        stage.run("apply", "--file", str(file))


def serving(stage: Stage, service: str) -> list[dict[str, Any]]:
    """Deployments of a service that succeeded."""
    found = json.loads(stage.run("deployments", "--service", service, "--json"))
    return [one for one in found if one["state"] == "succeeded"]


def up() -> None:
    """Start everything and say where to look. A second time, it finds all in place."""
    stage = Stage()
    stage.show("up")
    declare(stage)
    if not serving(stage, "shop"):
        stage.show("deploy", "shop", "--ref", "v1", "--why", "the first version")
    if not serving(stage, "shop-visitors"):
        stage.show("deploy", "shop-visitors", "--why", "something to see")
    until = time.monotonic() + ANSWER_SECONDS
    while (version := stage.shop_version()).startswith("none"):
        if time.monotonic() > until:
            raise Failed(f"The shop does not answer: {version}")
        time.sleep(0.1)
    link = stage.run("user", "link").strip()
    print(
        f"\n  Steerway   {link}\n"
        f"  Shop       {stage.shop_url}  ({version})\n\n"
        f"  Next: {CHECKOUT.name}/.venv/bin/steerway status\n"
        f"        {CHECKOUT.name}/.venv/bin/steerway deploy shop --ref v2\n"
        f"        {CHECKOUT.name}/.venv/bin/steerway rollback shop\n"
        "        make down"
    )


if __name__ == "__main__":
    try:
        {"up": up}[sys.argv[1]]()
    except Failed as failure:
        sys.exit(str(failure))
