"""Sizes and habits that a machine can hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "steerway"
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
PROCESS_LINES_MAX = 1500
# Larger ones, which may shrink but not grow. What would part them: the shim and its adoption from
# the supervisor's adapter; traffic and replicas from the rollout; the keeper and the signals from
# the router; what is drawn of an analysis from what is done about it.
LARGE = {"runtimes": 2700, "deployments": 3300, "router": 2350, "analyses": 2200}
# Not a process but a library, as those of the platform: its __init__ says what is for others.
LIBRARIES = {"store"}
AREAS = ("control", "delivery", "planning", "telemetry")
FORBIDDEN_NAMES = {
    "utils", "helpers", "common", "base", "core", "misc", "manager", "handler", "processor",
    "data", "info", "service",
}  # fmt: skip
PURE = {"actions.py", "queries.py", "rules.py", "models.py"}
FRAMEWORKS = ("django.http", "django.shortcuts", "django.template")


def sources() -> list[Path]:
    folders = (SRC, ROOT / "tests", ROOT / "benchmarks")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    return sorted(f for f in files if "migrations" not in f.parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_are_short() -> None:
    long = {
        str(f.relative_to(ROOT)): n
        for f in sources()
        if (n := len(f.read_text().splitlines())) > FILE_LINES_MAX
    }

    assert not long, f"over {FILE_LINES_MAX} lines, so they hold two things: {long}"


def test_functions_are_short() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in sources()
        for node in functions(ast.parse(file.read_text()))
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert not long


def test_no_name_says_nothing() -> None:
    named = [str(f.relative_to(ROOT)) for f in SRC.rglob("*") if f.stem in FORBIDDEN_NAMES]

    assert not [name for name in named if "/static/" not in name and "/templates/" not in name]


@pytest.mark.parametrize("area", AREAS)
def test_processes_are_small(area: str) -> None:
    sizes = {
        folder.name: sum(len(f.read_text().splitlines()) for f in folder.rglob("*.py"))
        for folder in (SRC / area).iterdir()
        if folder.is_dir() and folder.name not in {"__pycache__", "migrations"}
    }

    assert not {name: n for name, n in sizes.items() if n > LARGE.get(name, PROCESS_LINES_MAX)}


def test_frameworks_stay_at_the_edges() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {node.module}"
        for file in sources()
        if file.name in PURE and SRC in file.parents
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(FRAMEWORKS)
    ]

    assert not found


def test_a_process_folder_says_what_it_is_and_nothing_else() -> None:
    spoken = []
    for area in AREAS:
        for file in (SRC / area).glob("*/__init__.py"):
            body = ast.parse(file.read_text()).body
            if file.parent.name in LIBRARIES:
                continue
            if len(body) != 1 or not isinstance(body[0], ast.Expr):
                spoken.append(str(file.relative_to(ROOT)))

    assert not spoken, "an __init__.py is a docstring alone"


def tracked() -> list[Path]:
    """Files of the repository as text, or of the tree where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    return [ROOT / n for n in names if n and (ROOT / n).is_file()]


def test_the_project_speaks_of_itself_alone() -> None:
    telling = re.compile(
        rb"/(?:work|root)/[a-z]|pypi\.org/simple|registry\.npmjs|files\.pythonhosted"
    )
    found = [str(f.relative_to(ROOT)) for f in tracked() if telling.search(f.read_bytes())]

    assert found in ([], ["tests/test_tidy.py"])


def test_nothing_unfinished_is_left() -> None:
    words = re.compile(r"\b(?:TODO(?!\(#\d+\))|FIXME|XXX|NotImplementedError)\b")
    found = [str(f.relative_to(ROOT)) for f in sources() if words.search(f.read_text())]

    assert found in ([], ["tests/test_tidy.py"])
