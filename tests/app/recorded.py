"""Which types of events the sources record, read from their syntax.

A type is a constant, or a pattern where a part is only known when it is recorded. A function that
passes one of its parameters on as the type is followed to the places that call it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "steerway"
ANYTHING = "[a-z.-]+"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Wrapper:
    """A function that records: where its parameter stands, and what it makes of it."""

    position: int
    before: str
    after: str


@cache
def patterns() -> dict[str, str]:
    """A regular expression for each recorded type, by the place that records it."""
    found: dict[str, str] = {}
    for file in sorted(SRC.rglob("*.py")):
        if "adapters" in file.parts:
            continue  # they know no database, and so no log
        text = file.read_text()
        if ".record(" in text or "record_as(" in text:
            tree = ast.parse(text)
            for line, pattern in _of_module(tree):
                found[f"{file.relative_to(SRC)}:{line} {pattern}"] = pattern
    return found


def _of_module(tree: ast.Module) -> Iterator[tuple[int, str]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    wrappers: dict[str, Wrapper] = {"record_as": Wrapper(2, "", "")}
    for function in functions:
        for call in _calls(function, "record"):
            wrapper = _wrapper(function, call.args[0])
            if wrapper:
                wrappers[function.name] = wrapper
            else:
                yield from ((call.lineno, p) for p in _texts(call.args[0], tree))
    for name, wrapper in wrappers.items():
        for call in _calls(tree, name):
            if len(call.args) > wrapper.position:
                for text in _texts(call.args[wrapper.position], tree):
                    yield call.lineno, wrapper.before + text + wrapper.after


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            own = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            # What a supervisor has recorded of a program is no event.
            if own == name and not ast.unparse(called).startswith("supervisor."):
                yield node


def _wrapper(function: Function, kind: ast.expr) -> Wrapper | None:
    """How `function` makes a type of one of its parameters; None when it does not."""
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    pieces = kind.values if isinstance(kind, ast.JoinedStr) else [kind]
    for place, piece in enumerate(pieces):
        inner = piece.value if isinstance(piece, ast.FormattedValue) else piece
        if isinstance(inner, ast.Name) and inner.id in names:
            before = "".join(_piece(one) for one in pieces[:place])
            after = "".join(_piece(one) for one in pieces[place + 1 :])
            return Wrapper(names.index(inner.id), before, after)
    return None


def _texts(kind: ast.expr, tree: ast.Module) -> list[str]:
    """What an expression may give; the values of a table that it looks into."""
    if isinstance(kind, ast.JoinedStr):
        return ["".join(_piece(one) for one in kind.values)]
    if isinstance(kind, ast.Subscript) and isinstance(kind.value, ast.Name):
        return [re.escape(str(text)) for text in _table(tree, kind.value.id).values()]
    if isinstance(kind, ast.IfExp):
        return [*_texts(kind.body, tree), *_texts(kind.orelse, tree)]
    return [_piece(kind)]


def _piece(node: ast.expr) -> str:
    return re.escape(str(node.value)) if isinstance(node, ast.Constant) else ANYTHING


def _table(tree: ast.Module, name: str) -> dict[str, object]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            found: dict[str, object] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            return found
    raise AssertionError(f"{name} is not a table of this module")
