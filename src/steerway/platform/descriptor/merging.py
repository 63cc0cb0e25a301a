"""What a service says in one environment.

Mappings merge key by key, at any depth. Any other value, also a list, replaces the service's.
`null` in an environment takes the service's key away, so that its default is in force again;
a variable that is taken away is not set there. `null` outside of environments is a value like
any other: for a variable it means that every environment must give it.
"""

from dataclasses import replace

from steerway.platform.descriptor.nodes import Entry, Mapping, Scalar, from_origin


def merged(service: Mapping, environment: Mapping, sections: tuple[str, ...], name: str) -> Mapping:
    """The service's tree with the sections of one environment laid over it.

    Values of the environment have its name as their origin.
    """
    entries = dict(service.entries)
    removed = dict(service.removed)
    for key in sections:
        over = environment.entries.get(key)
        if over is not None and not _is_null(over):  # a section as a whole cannot be removed
            _lay(entries, removed, key, replace(over, node=from_origin(over.node, name)))
    return replace(service, entries=entries, removed=removed)


def _lay(entries: dict[str, Entry], removed: dict[str, Entry], key: str, over: Entry) -> None:
    below = entries.get(key)
    if _is_null(over):
        entries.pop(key, None)
        removed[key] = over
    elif isinstance(over.node, Mapping):
        under = below.node if below and isinstance(below.node, Mapping) else None
        entries[key] = Entry(
            below.key_at if under and below else over.key_at, _laid(under, over.node)
        )
    else:
        entries[key] = over


def _laid(under: Mapping | None, over: Mapping) -> Mapping:
    """`over` on top of `under`; also alone, its nulls remove."""
    entries = dict(under.entries) if under else {}
    removed = dict(under.removed) if under else {}
    for key, entry in over.entries.items():
        _lay(entries, removed, key, entry)
    return replace(under or over, entries=entries, removed=removed)


def _is_null(entry: Entry) -> bool:
    return isinstance(entry.node, Scalar) and entry.node.value is None
