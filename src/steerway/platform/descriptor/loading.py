"""A descriptor file as a whole: read, merged and validated for every environment."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from steerway.platform.descriptor.canonical import digest
from steerway.platform.descriptor.errors import DescriptorInvalid, EnvironmentNotDeclared
from steerway.platform.descriptor.merging import merged
from steerway.platform.descriptor.nodes import (
    SERVICE,
    Entry,
    Items,
    Mapping,
    Mark,
    Node,
    Path,
    path_text,
)
from steerway.platform.descriptor.problems import PROBLEMS_MAX, Problem, ordered, problem
from steerway.platform.descriptor.reading import read
from steerway.platform.descriptor.section import Section
from steerway.platform.descriptor.validating import Mistake, validate

S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Shape(Generic[S]):
    """What a descriptor file may say, and which sections its environments override."""

    model: type[S]
    overridden: tuple[str, ...]
    environments: str = "environments"
    environments_default: tuple[str, ...] = ("production",)
    environments_max: int = 20


@dataclass(frozen=True)
class Resolved(Generic[S]):
    """What is in force in one environment."""

    name: str
    settings: S
    tree: Mapping
    at: Mark
    overridden: tuple[str, ...]

    @cached_property
    def document(self) -> dict[str, Any]:
        """All values in force, defaults included, as JSON."""
        return self.settings.model_dump(mode="json", by_alias=True)

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """The sections that an environment may override: what a release is started with."""
        return {key: self.document[key] for key in self.overridden}

    @cached_property
    def digest(self) -> str:
        """The configuration hash: equal exactly when the configuration is."""
        return digest(self.configuration)


@dataclass(frozen=True)
class Descriptor(Generic[S]):
    """A descriptor without mistakes."""

    file: str
    text: str
    root: Mapping
    environments: tuple[Resolved[S], ...]

    @property
    def settings(self) -> S:
        """What holds in every environment alike (the sections nothing overrides)."""
        return self.environments[0].settings

    def resolved(self, environment: str) -> Resolved[S]:
        """What is in force in `environment`.

        Raises:
            EnvironmentNotDeclared: the descriptor has no such environment.
        """
        for candidate in self.environments:
            if candidate.name == environment:
                return candidate
        known = ", ".join(candidate.name for candidate in self.environments)
        raise EnvironmentNotDeclared(environment=environment, known=known)


def load(shape: Shape[S], source: str | bytes, file: str) -> Descriptor[S]:
    """The descriptor that `source` says.

    Raises:
        DescriptorInvalid: with every mistake of the file at once.
    """
    root, problems = read(source, file)
    if root is None:
        raise DescriptorInvalid(ordered(problems))
    told = {(one.line, one.column) for one in problems}  # what is unreadable is wrong only once
    found = _service_problems(shape, root, file)
    environments: list[Resolved[S]] = []
    for name, node in _environments(shape, root, file, found):
        if len(found) > PROBLEMS_MAX:
            break  # there is more to tell than is told, and each environment takes as long again
        tree = _tree(shape, root, node, name)
        settings, mistakes = validate(shape.model, tree, file)
        found += [mistake.problem for mistake in mistakes]
        if settings is not None:
            environments.append(Resolved(name, settings, tree, node.at, shape.overridden))
    found = [*problems, *(one for one in found if (one.line, one.column) not in told)]
    if found:
        raise DescriptorInvalid(ordered(_told_once(found)))
    text = source if isinstance(source, str) else source.decode("utf-8-sig")
    return Descriptor(file, text, root, tuple(environments))


def _service_problems(shape: Shape[S], root: Mapping, file: str) -> list[Problem]:
    """Mistakes outside of environments, also those that every environment overrides.

    Whether an overridden section is complete and fits together is asked after the merge only.
    """
    _, mistakes = validate(shape.model, root, file)
    return [m.problem for m in mistakes if not _may_be_merged_away(shape, root, m)]


def _may_be_merged_away(shape: Shape[S], root: Mapping, mistake: Mistake) -> bool:
    path = mistake.path
    return mistake.is_of_whole and bool(path) and path[0] in shape.overridden


def _environments(
    shape: Shape[S], root: Mapping, file: str, found: list[Problem]
) -> list[tuple[str, Mapping]]:
    """Name and node of each environment that has both; a name given twice is a problem."""
    node = root.get(shape.environments)
    if node is None:
        empty = Mapping({}, root.at)
        return [(name, empty) for name in shape.environments_default]
    named: dict[str, Mapping] = {}
    for item in node.items[: shape.environments_max] if isinstance(node, Items) else ():
        entry = item.entries.get("name") if isinstance(item, Mapping) else None
        name = getattr(entry.node, "value", None) if entry else None
        if not (entry and isinstance(item, Mapping) and isinstance(name, str)):
            continue  # the schema has said so
        if name in named:
            message = f"the environment {name} is already in line {named[name].at.line}"
            path = path_text((shape.environments, name, "name"))
            found.append(problem(file, entry.at, path, message, "give each its own name"))
        else:
            named[name] = item
    return list(named.items()) or [("", Mapping({}, root.at))]


def _tree(shape: Shape[S], root: Mapping, node: Mapping, name: str) -> Mapping:
    """The service in one environment, without the list of environments."""
    whole = merged(root, node, shape.overridden, name)
    entries = {key: entry for key, entry in whole.entries.items() if key != shape.environments}
    return Mapping(entries, whole.at, SERVICE, whole.removed)


def _told_once(problems: list[Problem]) -> list[Problem]:
    """One problem per place and message: environments repeat what the service says."""
    return list({(p.line, p.column, p.message): p for p in reversed(problems)}.values())


def node_at(root: Mapping, path: Path) -> Entry | Node | None:
    """What was written at `path`: the entry of a key, or the item of a list."""
    found: Entry | Node | None = root
    for segment in path:
        node = found.node if isinstance(found, Entry) else found
        if isinstance(node, Mapping):
            found = node.entries.get(str(segment))
        elif isinstance(node, Items) and isinstance(segment, int):
            found = node.items[segment] if segment < len(node.items) else None
        else:
            return None
    return found
