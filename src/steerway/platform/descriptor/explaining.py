"""Where each value that is in force in an environment was written."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from steerway.platform.descriptor.canonical import canonical
from steerway.platform.descriptor.loading import Descriptor, S, node_at
from steerway.platform.descriptor.nodes import Entry, Mapping, Path, path_text
from steerway.platform.descriptor.sensitive import HIDDEN, holds_password, is_sensitive

DEFAULT: Final = "default"
SHOWN_MAX: Final = 300  # characters of a value that people read; the file has all of it
SECRETS: Final = "secrets"  # below a key of this name stand names of secrets


@dataclass(frozen=True, slots=True)
class Row:
    """One value in force. `file` and `line` are empty where nobody wrote it."""

    path: str
    value: str
    file: str
    line: int | None
    origin: str  # "default", "service" or the name of the environment

    def as_json(self) -> dict[str, str | int | None]:
        """The same, for machines."""
        return asdict(self)


def explain(descriptor: Descriptor[S], environment: str) -> list[Row]:
    """Every value in force in `environment` with its origin, in the order of the sections.

    Secrets are shown by their name; values that look like secrets are hidden.

    Raises:
        EnvironmentNotDeclared: the descriptor has no such environment.
    """
    resolved = descriptor.resolved(environment)
    return [
        _row(descriptor.file, resolved.tree, path, value)
        for path, value in leaves(resolved.document)
        if path[0] != "environments"
    ]


def leaves(value: object, above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a JSON document with its path; a list of plain values is one value."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, (*above, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, below in enumerate(value):
            yield from leaves(below, (*above, index))
    else:
        yield above, value


def shown(path: Path, value: object) -> str:
    """A value on one line; never a secret."""
    if SECRETS in path[:-1]:
        return f"secret:{value}"
    if is_hidden(path, value):
        return HIDDEN
    text = value if isinstance(value, str) and value else canonical(value)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def is_hidden(path: Path, value: object) -> bool:
    """Whether a value looks like a secret that stands in the file; names of secrets do not."""
    if value is None or not path or SECRETS in path[:-1]:
        return False
    return is_sensitive(str(path[-1])) or holds_password(value)


def _row(file: str, tree: Mapping, path: Path, value: object) -> Row:
    found = node_at(tree, path)
    if found is None:
        return Row(path_text(path), shown(path, value), "", None, DEFAULT)
    node = found.node if isinstance(found, Entry) else found
    return Row(path_text(path), shown(path, value), file, found.at.line, node.origin)
