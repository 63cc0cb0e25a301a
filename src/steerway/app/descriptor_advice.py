"""What a valid descriptor still lacks, and what in it is probably not meant."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from steerway.app.descriptor import ServiceDescriptor, ServiceFile
from steerway.platform.descriptor.loading import Resolved, node_at
from steerway.platform.descriptor.nodes import Path, path_text
from steerway.platform.descriptor.problems import Problem, ordered, problem
from steerway.platform.descriptor.sensitive import holds_password, is_sensitive

_ZERO: Final = timedelta(0)
_OWNERS_HINT: Final = "add owners: [name]"


def missing(descriptor: ServiceFile) -> tuple[Problem, ...]:
    """Required variables that an environment does not set: deploying there is refused."""
    found = [
        _missing(descriptor, resolved, name)
        for resolved in descriptor.environments
        for name, value in resolved.settings.run.environment.items()
        if value is None
    ]
    return ordered(found)


def _missing(descriptor: ServiceFile, resolved: Resolved[ServiceDescriptor], name: str) -> Problem:
    """Told at the environment that lacks it, or at the variable where there is none written."""
    path: Path = ("run", "environment", name)
    required = node_at(descriptor.root, path)
    is_written = descriptor.root.get("environments") is not None
    at = resolved.at if is_written or required is None else required.at
    line = f" (line {required.at.line})" if is_written and required is not None else ""
    return problem(
        descriptor.file,
        at,
        path_text(("environments", resolved.name, *path)),
        f"the required variable {name} is not set in {resolved.name}{line}",
        "set it there, or write null if it is not needed",
    )


def warnings(descriptor: ServiceFile) -> tuple[Problem, ...]:
    """What is allowed but probably not meant."""
    found = [
        warning
        for resolved in descriptor.environments
        for warning in (*_sensitive(descriptor, resolved), *_odd(descriptor, resolved))
    ]
    if not descriptor.settings.owners:
        message = "nobody answers for this service"
        found.append(problem(descriptor.file, descriptor.root.at, "owners", message, _OWNERS_HINT))
    return ordered({(one.line, one.column, one.message): one for one in found}.values())


def _sensitive(descriptor: ServiceFile, resolved: Resolved[ServiceDescriptor]) -> Iterator[Problem]:
    for name, value in resolved.settings.run.environment.items():
        entry = node_at(resolved.tree, ("run", "environment", name))
        if value in (None, "") or entry is None:
            continue
        if is_sensitive(name) or holds_password(value):
            yield problem(
                descriptor.file,
                entry.at,
                path_text(("run", "environment", name)),
                "this looks like a secret, and everybody who reads the file can read it",
                f"`steerway secret set` keeps it; name it under run.secrets: {name}",
            )


def _odd(descriptor: ServiceFile, resolved: Resolved[ServiceDescriptor]) -> Iterator[Problem]:
    """Rules between sections that are worth a word, but no refusal."""
    run, release = resolved.settings.run, resolved.settings.release
    entry = node_at(resolved.tree, ("release", "strategy"))
    if release.strategy == "rolling" and run.replicas == 1 and entry is not None:
        yield problem(
            descriptor.file,
            entry.at,
            "release.strategy",
            f"with one replica in {resolved.name}, rolling is the same as blue-green",
            "set run.replicas to 2 or more",
        )
    drain = node_at(resolved.tree, ("release", "drain"))
    if drain is not None and release.drain > resolved.settings.route.timeout > _ZERO:
        yield problem(
            descriptor.file,
            drain.at,
            "release.drain",
            "this is longer than any request may take (route.timeout)",
            "a shorter drain ends deployments earlier",
        )
