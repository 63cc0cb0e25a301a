"""Build hook: front-end assets come from npm by lock file and travel inside the wheel."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR: Final = Path("src/steerway/platform/web/static/vendor")
STAMP: Final = ".stamp"

# Exactly what the pages load, and the licences that travel with it.
ASSETS: Final = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "uplot/dist/uPlot.iife.min.js": "uplot.min.js",
    "uplot/dist/uPlot.min.css": "uplot.min.css",
    "uplot/LICENSE": "uplot.LICENSE",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE",
    "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2": (
        "jetbrains-mono-latin.woff2"
    ),
    "@fontsource-variable/jetbrains-mono/LICENSE": "jetbrains-mono.LICENSE",
}


# Sheets of others stand below ours: rules outside of layers would beat all that are in one.
SHEETS: Final = frozenset({"uplot/dist/uPlot.min.css"})
LAYER: Final = b"@layer vendor {\n%s\n}\n"


class AssetsHook(BuildHookInterface[Any]):
    """Fetches the assets when the lock file or the list of assets has changed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make sure that the assets are there before files are collected."""
        provide(Path(self.root))


def provide(root: Path) -> None:
    """Fill the vendor folder under `root`, unless its stamp says it is up to date."""
    vendor = root / VENDOR
    stamp = stamp_of(root)
    if is_current(vendor, stamp):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is missing. Install Node.js 20 or newer, then build again.")
    command = [npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]
    subprocess.run(command, cwd=root, check=True)
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for source, name in ASSETS.items():
        content = (root / "node_modules" / source).read_bytes()
        (vendor / name).write_bytes(content if source not in SHEETS else LAYER % content)
    (vendor / STAMP).write_text(stamp)


def stamp_of(root: Path) -> str:
    """What the vendor folder was made from."""
    lock = (root / "package-lock.json").read_bytes()
    return hashlib.sha256(
        lock + repr((sorted(ASSETS.items()), sorted(SHEETS))).encode()
    ).hexdigest()


def is_current(vendor: Path, stamp: str) -> bool:
    """Whether the stamp matches and no file is missing."""
    file = vendor / STAMP
    return (
        file.is_file()
        and file.read_text() == stamp
        and all((vendor / name).is_file() for name in ASSETS.values())
    )
