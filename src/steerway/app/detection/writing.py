"""A finding as a commented steerway.yaml that passes `check`."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from steerway.app import descriptor
from steerway.app.detection.finding import Finding
from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.platform.descriptor.scalars import NotPlain, resolve

_WIDTH: Final = 96
_NO_COMMAND: Final = "sh -c 'exit 1'"  # fails at once, where a wrong guess would half work
_ROUNDS_MAX: Final = 8  # each takes out what is wrong; what is left then is the minimum
_PLAIN = re.compile(r"[A-Za-z0-9_/.$+][A-Za-z0-9_/.$ {}=+@,:'\"()*-]*")
_OWNERS: Final = "# owners: [name]"
_HEADER = (
    "What should be true of this service. `steerway check` reads it, `steerway schema` lists "
    "every key, `steerway explain` shows what is in force and why."
)


def descriptor_text(finding: Finding) -> str:
    """The text of a descriptor. What the rules of descriptors do not allow is left out and told."""
    document, notes = _document(finding), list(finding.notes)
    for _ in range(_ROUNDS_MAX):
        text = _rendered(document, notes)
        try:
            descriptor.load(text)
        except DescriptorInvalid as invalid:
            for problem in invalid.problems:
                _take_out(document, problem.path.partition("[")[0].split("."))
                notes.append(f"{problem.path} is not taken over: {problem.message}.")
        else:
            return text
    minimum = {"steerway": 1, "service": "service", "run": {"command": _NO_COMMAND}}
    return _rendered(minimum, notes)


def _document(finding: Finding) -> dict[str, Any]:
    run: dict[str, Any] = {"command": finding.command}
    if finding.worker:
        run["port"] = "none"
    run |= {
        key: value for key, value in finding.run.items() if not (finding.worker and key == "health")
    }
    if finding.environment:
        run["environment"] = dict(finding.environment)
    if finding.secrets:
        run["secrets"] = dict(finding.secrets)
    build = {"kind": finding.kind, "command": finding.build}
    document = {
        "steerway": 1,
        "service": finding.name,
        "description": " ".join(finding.description.split())[:500],
        "build": {key: value for key, value in build.items() if value},
        "run": run,
        "environments": [{"name": "production"}],
    }
    return {key: value for key, value in document.items() if value not in ("", {})}


def _take_out(document: dict[str, Any], path: list[str]) -> None:
    """Remove the value at `path`, or what is nearest above it; what is required is replaced."""
    if path == ["service"]:
        document["service"] = "service"
    elif path == ["run", "command"]:
        document["run"]["command"] = _NO_COMMAND
    elif path == ["run"]:
        document["run"] = {"command": document["run"]["command"]}
    else:
        _remove(document, path)


def _remove(document: dict[str, Any], path: list[str]) -> None:
    above: Any = document
    for key in path[:-1]:
        above = above.get(key) if isinstance(above, dict) else None
    if isinstance(above, dict) and path[-1] in above:
        del above[path[-1]]
    elif len(path) > 1:
        _take_out(document, path[:-1])


_COMMENTS: Final = {
    "run": "How one replica is started. It must listen on 127.0.0.1 and the port in PORT.",
    "run.environment": "null: each environment must set the value.",
    "run.secrets": "Variable: name of the secret. `steerway secret set` stores its value.",
    "run.health": "A replica gets requests once this path answers 200.",
    "run.command": "Requests come once /healthz answers 200; run.health.path names another path.",
    "environments": "In the order a change takes; each may override run, route and release.",
}


def _rendered(document: Mapping[str, Any], notes: list[str]) -> str:
    lines = [*_comment(_HEADER), ""]
    if notes:
        lines += ["# Please read:"]
        for note in notes:
            lines += _comment(note, first="#  - ", rest="#    ")
        lines += [""]
    lines += _lines(document, "", ())
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, Any], indent: str, above: tuple[str, ...]) -> Iterator[str]:
    for key, value in values.items():
        if value == {}:
            continue
        path = (*above, key)
        comment = _COMMENTS.get(".".join(path))
        if key == "command" and ("health" in values or values.get("port") == "none"):
            comment = None
        if comment:
            yield from (f"{indent}{line}" for line in _comment(comment))
        if isinstance(value, Mapping):
            yield f"{indent}{_scalar(key)}:"
            yield from _lines(value, indent + "  ", path)
        elif isinstance(value, list):
            yield f"{indent}{_scalar(key)}:"
            yield from (f"{indent}  - name: {_scalar(item['name'])}" for item in value)
        else:
            yield f"{indent}{_scalar(key)}: {_scalar(value)}"
        if path == ("service",):
            yield _OWNERS


def _scalar(value: Any) -> str:
    """The value without quotes where it means the same, in double quotes else."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and _is_plain(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _is_plain(value: str) -> bool:
    if ": " in value or " #" in value or value != value.strip() or value.endswith(":"):
        return False
    try:
        return resolve(value) == value
    except NotPlain:
        return False


def _comment(text: str, first: str = "# ", rest: str = "# ") -> list[str]:
    seen = "".join(c if c.isprintable() else " " for c in text)
    wrapped = textwrap.wrap(" ".join(seen.split())[:600], _WIDTH - len(rest))
    return [f"{first if not index else rest}{line}" for index, line in enumerate(wrapped)]
