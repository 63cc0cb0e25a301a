"""A browser and a server on a scene, for the tests of pages."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import AXE

ROOT = Path(__file__).parents[3]
DESK, PHONE = 1440, 390
HEIGHT = 900


@dataclass
class Stage:
    """A server on a scene. `say` moves its deployments on."""

    url: str
    cookie: str
    cookies: dict[str, str]
    scene: dict[str, str]
    orders: IO[str]

    def say(self, order: str) -> None:
        """`finish DEP-1` or `fail DEP-1`."""
        self.orders.write(f"{order}\n")
        self.orders.flush()


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    """Chromium."""
    return chromium


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A server on the whole scene."""
    yield from _staged()


@pytest.fixture(scope="session")
def measured_stage() -> Iterator[Stage]:
    """A server on the whole scene, with what was measured of it."""
    yield from _staged("measured")


@pytest.fixture
def own_stage() -> Iterator[Stage]:
    """A server of its own, for a test that changes things."""
    yield from _staged()


@pytest.fixture(scope="session")
def bare_stage() -> Iterator[Stage]:
    """A server on which nothing has happened."""
    yield from _staged("empty")


def _staged(*arguments: str) -> Iterator[Stage]:
    home = tempfile.mkdtemp(prefix="sw")
    port = _free_port()
    environment = {**os.environ, "STEERWAY_HOME": home}
    environment |= {"DJANGO_SETTINGS_MODULE": "steerway.app.django_settings"}
    environment.pop("STEERWAY_DATABASE_URL", None)
    command = [sys.executable, "-m", "tests.platform.web.served", str(port), *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        said: dict[str, Any] = json.loads(server.stdout.readline())
        _wait_for(port)
        yield Stage(f"http://127.0.0.1:{port}", orders=server.stdin, **said)
        server.stdin.close()
    shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    """Until the server listens; it has said that it is about to."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return


class Visitor:
    """Somebody at a page, who notes every complaint of the browser."""

    def __init__(
        self,
        browser: Browser,
        stage: Stage,
        *,
        name: str = "alice",
        width: int = DESK,
        theme: str = "light",
    ) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        value = stage.cookies[name]
        context.add_cookies([{"name": stage.cookie, "value": value, "url": stage.url}])
        self.stage = stage
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        # Most stages have no telemetry, and their charts say so in their place.
        is_starting = "503" in message.text and "/api/v1/" in message.location.get("url", "")
        if message.type in {"error", "warning"} and not is_starting:
            self.complaints.append(message.text)

    def go(self, path: str) -> Page:
        """Open a page, all of it."""
        self.page.goto(self.stage.url + path, wait_until="load")
        return self.page

    def findings(self) -> list[str]:
        """What axe finds on this page: its serious and critical rules."""
        found = self.page.evaluate(
            AXE.read_text()
            + """;axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
            .filter(v => ["serious", "critical"].includes(v.impact))
            .map(v => `${v.id}: ${v.nodes.map(n => n.target.join(" ")).join(", ")}`))"""
        )
        return list(found)

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def close(self) -> None:
        """Leave."""
        self.page.context.close()
