"""A Python project: its framework, and the command that starts it."""

import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from steerway.app.detection.finding import Finding, read_text, slug

_FILES_MAX: Final = 300  # enough to find the application of a small service
_SKIPPED: Final = {"tests", "test", "docs", "node_modules", "venv", "build", "dist", "migrations"}
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_APPLICATIONS: Final = {
    "fastapi": re.compile(r"^(\w+)\s*(?::\s*\w+\s*)?=\s*FastAPI\(", re.MULTILINE),
    "starlette": re.compile(r"^(\w+)\s*(?::\s*\w+\s*)?=\s*Starlette\(", re.MULTILINE),
    "flask": re.compile(r"^(\w+)\s*(?::\s*\w+\s*)?=\s*Flask\(", re.MULTILINE),
}
_MAIN_FILES: Final = ("main.py", "app.py", "server.py")


def find(directory: Path) -> Finding | None:
    """The project in pyproject.toml or requirements.txt, or a lone program."""
    project = _toml(directory / "pyproject.toml")
    requirements = read_text(directory / "requirements.txt")
    source = "pyproject.toml" if project else "requirements.txt"
    if not project and not requirements and not any((directory / n).is_file() for n in _MAIN_FILES):
        return None
    if not project and not requirements:
        source = next(name for name in _MAIN_FILES if (directory / name).is_file())
    table = _table(project, "project") or _table(_table(project, "tool"), "poetry")
    command, notes = _command(directory, table, _dependencies(table, requirements))
    return Finding(
        source,
        name=slug(_string(table, "name")),
        description=_string(table, "description"),
        command=command,
        kind="python",
        notes=notes,
    )


def _command(
    directory: Path, table: dict[str, Any], dependencies: set[str]
) -> tuple[str, tuple[str, ...]]:
    if "django" in dependencies and (found := _django(directory, dependencies)):
        return found
    for framework, pattern in _APPLICATIONS.items():
        application = _application(directory, pattern) if framework in dependencies else ""
        if application:
            return _server(framework, application, dependencies)
    scripts = [*_table(table, "scripts")]
    if len(scripts) == 1:
        return scripts[0], (_LISTEN,)
    return _program(directory)


_LISTEN = "The program must listen on 127.0.0.1 and the port in the variable PORT."


def _django(directory: Path, dependencies: set[str]) -> tuple[str, tuple[str, ...]] | None:
    for kind, server in (("wsgi", "gunicorn"), ("asgi", "uvicorn")):
        module = next(iter(sorted(directory.glob(f"*/{kind}.py"))), None)
        if module is not None and server in dependencies:
            target = f"{module.parent.name}.{kind}:application"
            return _bound(server, target), ()
    if (directory / "manage.py").is_file():
        note = "Django's runserver is meant for development; add gunicorn for production."
        return "python manage.py runserver 127.0.0.1:$PORT --noreload", (note,)
    return None


def _server(
    framework: str, application: str, dependencies: set[str]
) -> tuple[str, tuple[str, ...]]:
    if framework != "flask":
        missing = () if "uvicorn" in dependencies else ("uvicorn is not among the dependencies.",)
        return _bound("uvicorn", application), missing
    if "gunicorn" in dependencies:
        return _bound("gunicorn", application), ()
    note = "Flask's own server is meant for development; add gunicorn for production."
    return f"flask --app {application} run --host 127.0.0.1 --port $PORT", (note,)


def _bound(server: str, target: str) -> str:
    if server == "uvicorn":
        return f"uvicorn {target} --host 127.0.0.1 --port $PORT"
    return f"gunicorn {target} --bind 127.0.0.1:$PORT"


def _application(directory: Path, pattern: re.Pattern[str]) -> str:
    """`module:variable` of the first file that makes an application."""
    for file in islice(_python_files(directory), _FILES_MAX):
        match = pattern.search(read_text(file))
        if match:
            parts = file.relative_to(directory).with_suffix("").parts
            parts = parts[1:] if parts[0] == "src" else parts
            module = ".".join(parts).removesuffix(".__init__")
            return f"{module}:{match[1]}"
    return ""


def _python_files(directory: Path) -> Iterator[Path]:
    """Near files first."""
    for pattern in ("*.py", "*/*.py", "*/*/*.py"):
        for file in sorted(directory.glob(pattern)):
            above = set(file.relative_to(directory).parts[:-1])
            if not above & _SKIPPED and not any(part.startswith(".") for part in above):
                yield file


def _program(directory: Path) -> tuple[str, tuple[str, ...]]:
    """A package that can be run, or a file."""
    for pattern in ("*/__main__.py", "src/*/__main__.py"):
        module = next(iter(sorted(directory.glob(pattern))), None)
        if module is not None and module.parent.name.isidentifier():
            return f"python -m {module.parent.name}", (_LISTEN,)
    name = next((name for name in _MAIN_FILES if (directory / name).is_file()), "")
    return (f"python {name}", (_LISTEN,)) if name else ("", ())


def _dependencies(table: dict[str, Any], requirements: str) -> set[str]:
    listed = table.get("dependencies")  # a list in PEP 621, a table in Poetry
    lines = [*map(str, listed)] if isinstance(listed, list | dict) else []
    matches = (_REQUIREMENT.match(line.strip()) for line in [*lines, *requirements.splitlines()])
    return {match[0].lower() for match in matches if match}


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(file))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _string(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
