"""Chromium for the tests that need it, or one clear line that says why they do not run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
# Chromium's own calls home would fail one after the other in a closed network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launched() -> Iterator["Browser"]:
    """One for the whole process: it can hold no second one beside it."""
    if reason := missing():
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- slow, only where it runs

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield browser
        browser.close()


def missing() -> str:
    """What keeps these tests from running; empty when nothing does."""
    if not _chromium():
        return "Chromium is missing: apt-get install chromium"
    return "" if AXE.exists() else "axe-core is missing: npm ci --ignore-scripts"


def _chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""
