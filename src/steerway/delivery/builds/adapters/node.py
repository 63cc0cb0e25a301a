"""A Node service: its locked packages, its own build script, nothing for development."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.processes import Runner

LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json")
DEPENDENCIES: Final = ("dependencies", "devDependencies", "optionalDependencies")


@dataclass(frozen=True, slots=True)
class NodeBuild:
    """Builds in `tree`."""

    tree: Path
    runner: Runner

    def run(self, command: Callable[[], None] | None) -> tuple[str, ...]:
        """Install, build by `command` or by the script `build`, and prune; the notes."""
        package = self._package()
        installs = self._installs(package)
        if installs:
            self.runner.run("npm", "ci")
        if command is not None:
            command()
        elif "build" in package.get("scripts", {}):
            self.runner.run("npm", "run", "build")
        if installs:
            self.runner.run("npm", "prune", "--omit=dev")
        shutil.rmtree(self.tree / "node_modules" / ".cache", ignore_errors=True)
        return ()

    def _package(self) -> dict[str, Any]:
        try:
            package = json.loads((self.tree / "package.json").read_text())
        except FileNotFoundError as error:
            raise errors.SourceUnready(reason="There is no package.json to build.") from error
        except ValueError as error:
            reason = f"package.json is not valid JSON: {error}."
            raise errors.SourceUnready(reason=reason) from error
        if not isinstance(package, dict):
            raise errors.SourceUnready(reason="package.json is not an object.")
        return package

    def _installs(self, package: dict[str, Any]) -> bool:
        """Whether there is anything to install; what is not locked is not."""
        if (self.tree / "node_modules").exists():
            reason = "node_modules is in the repository. Remove it there and ignore it."
            raise errors.SourceUnready(reason=reason)
        if not any(package.get(group) for group in DEPENDENCIES):
            return False
        if not any((self.tree / lock).exists() for lock in LOCKS):
            reason = (
                "package.json names dependencies, but no package-lock.json is committed. "
                "Run `npm install` and commit it, or give build.command."
            )
            raise errors.SourceUnready(reason=reason)
        return True
