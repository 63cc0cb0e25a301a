"""Dependencies of a Python service, as a `.venv` that runs wherever it is put."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from uv import find_uv_bin

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.processes import Runner

VENV: Final = ".venv"
FILES_COMPILED_TOGETHER: Final = 400  # a fixed number: bytecode depends on what was compiled before
UNLOCKED: Final = (
    "The dependencies are not locked: the same commit may build differently another day. "
    "Commit a uv.lock (run `uv lock`)."
)
# A virtual environment's own files: they belong to a machine or hold paths, and are not needed.
OWN: Final = ("pyvenv.cfg", "CACHEDIR.TAG", ".gitignore", ".lock", "bin/pydoc.bat")
OWN_PATTERNS: Final = ("bin/python*", "bin/activate*", "bin/deactivate*")
# Where a package was installed from and when: different each time, and read by nobody at run time.
UNSTABLE: Final = ("direct_url.json", "uv_cache.json", "uv_build.json")

_REQUIREMENT = re.compile(r"^\s*[^#\s]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PythonBuild:
    """Installs into `tree`. `scratch` is a directory beside it, gone after the build."""

    tree: Path
    scratch: Path
    python: Path
    minor: str
    runner: Runner

    def run(self, command: Callable[[], None]) -> tuple[str, ...]:
        """Install the dependencies, run `command`, and leave only what runs anywhere; the notes."""
        if (self.tree / VENV).exists():
            reason = f"{VENV} is in the repository. Remove it there and ignore it."
            raise errors.SourceUnready(reason=reason)
        self._name_interpreter()
        notes = self._install()
        command()
        self._strip()
        self._path_file()
        self._compile()
        return notes

    def _name_interpreter(self) -> None:
        """`python` is our interpreter for the command, also where a machine has only python3."""
        programs = self.scratch / "bin"
        programs.mkdir()
        for name in ("python", "python3", f"python{self.minor}"):
            (programs / name).symlink_to(self.python)

    def _install(self) -> tuple[str, ...]:
        wanted = self._requirements()
        if wanted is None:
            return ()
        python = ("--python", str(self.python))
        self.runner.run(
            find_uv_bin(), "venv", "--quiet", "--relocatable", *python, VENV, shown="uv venv"
        )
        arguments = ("--python", str(self.tree / VENV / "bin" / "python"), *wanted)
        shown = f"uv pip install {' '.join(Path(part).name for part in wanted)}"
        self.runner.run(find_uv_bin(), "pip", "install", *arguments, shown=shown)
        return (UNLOCKED,) if wanted == ("-r", "pyproject.toml") else ()

    def _requirements(self) -> tuple[str, ...] | None:
        """What to tell `uv pip install`; None when nothing is to be installed."""
        if (self.tree / "uv.lock").exists():
            return self._locked()
        if (self.tree / "pylock.toml").exists():
            return ("-r", "pylock.toml") if _toml(self.tree / "pylock.toml")["packages"] else None
        if (self.tree / "requirements.txt").exists():
            text = (self.tree / "requirements.txt").read_text()
            return ("-r", "requirements.txt") if _REQUIREMENT.search(text) else None
        if (self.tree / "pyproject.toml").exists():
            project = _toml(self.tree / "pyproject.toml").get("project", {})
            return ("-r", "pyproject.toml") if project.get("dependencies") else None
        return None

    def _locked(self) -> tuple[str, ...] | None:
        """The packages of uv.lock, without those for development and the project itself."""
        packages = _toml(self.tree / "uv.lock").get("package", [])
        if all(source.keys() & {"virtual", "editable"} for source in map(_source, packages)):
            return None
        target = self.scratch / "requirements.txt"
        flags = ("--frozen", "--no-emit-project", "--no-dev", "--no-header", "--quiet")
        python = ("--python", str(self.python))
        arguments = ("export", *flags, *python, "--format", "requirements-txt", "-o", str(target))
        self.runner.run(find_uv_bin(), *arguments, shown="uv export --frozen")
        return ("-r", str(target)) if _REQUIREMENT.search(target.read_text()) else None

    def _strip(self) -> None:
        """Remove what belongs to this machine or moment."""
        venv = self.tree / VENV
        own = [venv / name for name in OWN]
        own += [place for pattern in OWN_PATTERNS for place in venv.glob(pattern)]
        for place in own:
            place.unlink(missing_ok=True)
        for record in venv.glob("lib/python*/site-packages/*.dist-info/RECORD"):
            _settle(record)
        for cache in list(self.tree.rglob("__pycache__")):
            for place in cache.glob("*.pyc"):
                place.unlink()

    def _path_file(self) -> None:
        """Make the project's own packages importable, wherever the release lies."""
        packages = self.tree / VENV / "lib" / f"python{self.minor}" / "site-packages"
        source = "src" if (self.tree / "src").is_dir() else ""
        packages.mkdir(parents=True, exist_ok=True)
        (packages / "steerway.pth").write_text(f"{'../' * 4}{source}\n")

    def _compile(self) -> None:
        """Bytecode that is never written again, and never checked against times."""
        places = iter(sorted(str(p.relative_to(self.tree)) for p in _sources(self.tree)))
        flags = ("-qq", "--invalidation-mode", "unchecked-hash", "-s", str(self.tree))
        for number, chunk in enumerate(
            iter(lambda: list(islice(places, FILES_COMPILED_TOGETHER)), [])
        ):
            listed = self.scratch / f"sources-{number}"
            listed.write_text("".join(f"{self.tree / name}\n" for name in chunk))
            arguments = (
                "-I",
                "-S",
                "-m",
                "compileall",
                *flags,
                "-p",
                "/release",
                "-i",
                str(listed),
            )
            # Some packages carry files of other Python versions; those stay without bytecode.
            self.runner.attempt(str(self.python), *arguments, shown="python -m compileall")


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except ValueError as error:
        raise errors.SourceUnready(reason=f"{file.name} is not valid TOML: {error}.") from error


def _source(package: dict[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = package.get("source", {})
    return source


def _sources(tree: Path) -> Iterator[Path]:
    return (p for p in tree.rglob("*.py") if "node_modules" not in p.parts and not p.is_symlink())


def _settle(record: Path) -> None:
    """Sort the list of a package's files, without those that differ each time."""
    for name in UNSTABLE:
        record.with_name(name).unlink(missing_ok=True)
    lines = record.read_text().splitlines()
    kept = [line for line in lines if not line.split(",")[0].endswith(UNSTABLE)]
    record.write_text("".join(f"{line}\n" for line in sorted(kept)))
