"""A compose file: the service that is built here, and what it is started with."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from steerway.app.detection.dockerfile import health_path, stop_signal
from steerway.app.detection.finding import (
    Finding,
    command_of,
    read_text,
    slug,
    sorted_variables,
    with_port,
)
from steerway.app.detection.units import compose_duration, compose_memory

FILES: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_TAKEN: Final = frozenset(
    {
        *("build", "command", "entrypoint", "environment", "ports", "expose", "healthcheck"),
        *("deploy", "scale", "mem_limit", "cpus", "pids_limit", "stop_signal", "restart"),
        *("stop_grace_period", "volumes", "image", "container_name", "init", "hostname"),
    }
)
_INSIDE_MAX: Final = 12  # services told about; a larger file is not for one team


def find(directory: Path) -> Finding | None:
    """The service with a `build`, else the first one; the others are told about."""
    name = next((name for name in FILES if (directory / name).is_file()), "")
    services = _mapping(_read(read_text(directory / name) if name else "").get("services"))
    known = {key: _mapping(value) for key, value in services.items() if isinstance(value, dict)}
    if not known:
        return None
    chosen = next((key for key, value in known.items() if "build" in value), next(iter(known)))
    others = [
        f"{name} also has {other} ({_what(value)}): run it beside, or give it a descriptor."
        for other, value in list(known.items())[:_INSIDE_MAX]
        if other != chosen
    ]
    return _finding(name, chosen, known[chosen]).noting(*others)


def _finding(source: str, name: str, service: Mapping[str, Any]) -> Finding:
    port = _port(service)
    command = with_port(_command(service), port)
    plain, secrets, notes = sorted_variables(_variables(service.get("environment")))
    if port and "$PORT" not in command:
        notes.append(
            f"In {source} the program listens on {port}; it must listen on the variable PORT."
        )
    if "build" not in service:
        notes.append(f"The image {service.get('image')} is not used: a release is built from git.")
    left = sorted(str(key) for key in service if key not in _TAKEN)
    if left:
        notes.append(f"Not taken over from {source}: {', '.join(left)}.")
    return Finding(
        source,
        name=slug(name),
        command=command,
        worker=not port and "healthcheck" not in service and bool(command),
        run=_run(service, notes),
        environment=plain,
        secrets=secrets,
        notes=tuple(notes),
    )


def _run(service: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """replicas, health, limits, stop and directories, as far as they are said."""
    deploy = _mapping(service.get("deploy"))
    replicas = deploy.get("replicas", service.get("scale"))
    found: dict[str, Any] = {}
    found["replicas"] = _whole(replicas)
    found["health"] = _health(_mapping(service.get("healthcheck")))
    limits = _mapping(_mapping(deploy.get("resources")).get("limits"))
    found["limits"] = _limits({**service, **limits})
    found["stop"] = {
        "signal": stop_signal(str(service.get("stop_signal", ""))),
        "grace": compose_duration(service.get("stop_grace_period")),
    }
    found["directories"] = _directories(service.get("volumes"), notes)
    return {
        key: value
        for key, value in ((k, _filled(v)) for k, v in found.items())
        if value not in (None, {})
    }


def _health(check: Mapping[str, Any]) -> dict[str, Any]:
    test = check.get("test", "")
    text = " ".join(map(str, test)) if isinstance(test, list) else str(test)
    return {
        "path": health_path(text),
        "timeout": compose_duration(check.get("start_period")),
    }


def _limits(said: Mapping[str, Any]) -> dict[str, Any]:
    memory = said.get("memory", said.get("mem_limit"))
    processes = said.get("pids", said.get("pids_limit"))
    return {
        "memory": compose_memory(memory),
        "cpus": _number(said.get("cpus")),
        "processes": _whole(processes),
    }


def _directories(volumes: object, notes: list[str]) -> dict[str, str]:
    """A named volume becomes a directory of the service; a bind mount is told about."""
    found: dict[str, str] = {}
    for volume in volumes if isinstance(volumes, list) else ():
        text = str(volume)
        source, _, target = text.partition(":")
        if isinstance(volume, str) and target and slug(source) == source:
            found[source] = "0700"
            variable = f"STEERWAY_{source.upper().replace('-', '_')}_DIR"
            notes.append(f"The volume {text} is the directory in the variable {variable}.")
        else:
            notes.append(f"The volume {text} is not taken over.")
    return found


def _command(service: Mapping[str, Any]) -> str:
    words = [_line(service.get("entrypoint")), _line(service.get("command"))]
    return command_of(" ".join(filter(None, words)).replace("$$", "$"))


def _line(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_quoted(str(word)) for word in value)
    return str(value) if value else ""


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./${}-]+", word) else shlex.quote(word)


def _variables(said: object) -> dict[str, object]:
    """Both forms: a mapping, and a list of NAME=value."""
    if isinstance(said, dict):
        return {str(name): value for name, value in said.items()}
    pairs = (str(item).partition("=") for item in said) if isinstance(said, list) else ()
    return {name: value if found else None for name, found, value in pairs}


def _port(service: Mapping[str, Any]) -> str:
    """The port inside the container: the last number of the first mapping."""
    for key in ("ports", "expose"):
        said = service.get(key)
        first = said[0] if isinstance(said, list) and said else ""
        text = str(first.get("target", "")) if isinstance(first, dict) else str(first)
        number = text.partition("/")[0].rpartition(":")[2]
        if number.isdecimal():
            return number
    variables = _variables(service.get("environment"))
    return str(variables.get("PORT") or "")


def _what(service: Mapping[str, Any]) -> str:
    return str(service.get("image") or "built here")


class _Loader(yaml.CSafeLoader):
    """Values as they are written: 1.10 is not 1.1. Merge keys are followed, as compose does."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _read(text: str) -> dict[str, Any]:
    try:
        return _mapping(yaml.load(text, Loader=_Loader))  # noqa: S506 - it is a safe one
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else {}


def _filled(value: Any) -> Any:
    """Without what is not said."""
    if not isinstance(value, dict):
        return value
    return {key: below for key, below in value.items() if below not in ("", None)}


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and text.isascii() else None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
