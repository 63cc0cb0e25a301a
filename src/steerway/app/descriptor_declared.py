"""A descriptor as the catalog keeps it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from steerway.app.descriptor import SHAPE, ServiceDescriptor, ServiceFile
from steerway.delivery.repositories.descriptor import locate
from steerway.planning.catalog.rules import Declared, DeclaredEnvironment, Written
from steerway.platform.descriptor.canonical import digest
from steerway.platform.descriptor.explaining import shown
from steerway.platform.descriptor.loading import Resolved, node_at
from steerway.platform.descriptor.nodes import (
    Entry,
    Items,
    Mapping,
    Mark,
    Node,
    path_text,
    plain,
)
from steerway.platform.descriptor.nodes import Path as Place

REPOSITORY: Final = "source.repository"


def declared(descriptor: ServiceFile, *, directory: str = "") -> Declared:
    """What the descriptor declares: values in force for the services, written ones for people.

    `directory` is where the file lies; a repository named by a path is counted from there.
    """
    settings = descriptor.settings
    written: dict[str, Written] = {}
    lines: dict[str, int] = {}
    for path, value, at in _values(descriptor):
        written[path_text(path)] = Written(value=value, shown=shown(path, value))
        lines[path_text(path)] = at.line
    if directory:
        located = locate(settings.source.repository, Path(directory))
        written[REPOSITORY] = Written(value=located, shown=located)
    environments = tuple(
        DeclaredEnvironment(one.name, _in_force(one, written.get(REPOSITORY)), one.digest)
        for one in descriptor.environments
    )
    return Declared(
        name=settings.service,
        description=settings.description,
        owners=settings.owners,
        file=descriptor.file,
        text=descriptor.text,
        digest=digest([{"name": one.name, "in force": one.resolved} for one in environments]),
        written=written,
        lines=lines,
        environments=environments,
    )


def _in_force(resolved: Resolved[ServiceDescriptor], repository: Written | None) -> dict[str, Any]:
    """All sections but the list of environments, with the repository where it really is."""
    sections = {k: v for k, v in resolved.document.items() if k != SHAPE.environments}
    if repository is None:
        return sections
    return sections | {"source": sections["source"] | {"repository": repository["value"]}}


def _values(descriptor: ServiceFile) -> Iterator[tuple[Place, Any, Mark]]:
    """Each written value with its path and place, in the form that equal values share."""
    for key, entry in descriptor.root.entries.items():
        if key == SHAPE.environments:
            yield from _environment_values(descriptor, entry)
            continue
        for path, at, value in _leaves(entry, (key,)):
            yield path, _canonical(descriptor.environments, path, at, value), at


def _environment_values(
    descriptor: ServiceFile, environments: Entry
) -> Iterator[tuple[Place, Any, Mark]]:
    names = [one.name for one in descriptor.environments]
    yield (SHAPE.environments,), names, environments.key_at
    items = environments.node.items if isinstance(environments.node, Items) else ()
    for resolved, item in zip(descriptor.environments, items, strict=True):
        for key in SHAPE.overridden:
            entry = item.entries.get(key) if isinstance(item, Mapping) else None
            for path, at, value in _leaves(entry, (key,)) if entry else ():
                full = (SHAPE.environments, resolved.name, *path)
                yield full, _canonical((resolved,), path, at, value), at


def _leaves(entry: Entry, path: Place) -> Iterator[tuple[Place, Mark, Any]]:
    node: Node = entry.node
    if isinstance(node, Mapping) and node.entries:
        for key, below in node.entries.items():
            yield from _leaves(below, (*path, key))
    else:
        yield path, entry.key_at, plain(node)


def _canonical(
    environments: tuple[Resolved[ServiceDescriptor], ...], path: Place, at: Mark, value: object
) -> Any:
    """The value as an environment has it that takes it from here: 60s and 1m are the same."""
    for resolved in environments:
        found = node_at(resolved.tree, path)
        if isinstance(found, Entry) and found.key_at == at:
            return _at(resolved.document, path)
    return value


def _at(document: Any, path: Place) -> Any:
    for key in path:
        document = document[key]
    return document
