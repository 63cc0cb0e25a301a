"""Whether a flag file can be used: every mistake at once, each with its place."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

from steerway.delivery.flagfiles.errors import FlagFileInvalid
from steerway.delivery.flagfiles.rules.reading import read
from steerway.delivery.variants.rules.targeting import ALL_OPERATORS, Compiler, TargetingInvalid
from steerway.platform.descriptor.nodes import Entry, Items, Mark, Node, Path, path_text, plain
from steerway.platform.descriptor.nodes import Mapping as Tree
from steerway.platform.descriptor.problems import Problem, ordered, problem

FLAGS_MAX: Final = 1_000
VARIANTS_MAX: Final = 50
KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
WHOLE_KEYS: Final = ("flags", "$evaluators", "metadata", "$environments", "$schema")
FLAG_KEYS: Final = ("state", "variants", "defaultVariant", "targeting", "metadata")
OVERRIDE_KEYS: Final = ("state", "defaultVariant", "targeting")
STATES: Final = ("ENABLED", "DISABLED")
RESULTS: Final = ("if", "?:")
EMPTY: Final = Tree({}, Mark(1, 1))


@dataclass(frozen=True, slots=True)
class FlagFile:
    """A flag file without mistakes. `written` and `lines` have each value by its path."""

    file: str
    text: str
    document: dict[str, Any]
    written: dict[str, Any]
    lines: dict[str, int]


def load(text: str, file: str, environments: Collection[str]) -> FlagFile:
    """The flag file that `text` says, for a service with these environments.

    Raises:
        FlagFileInvalid: with every mistake at once.
    """
    root, problems = read(text, file)
    if root is None:
        raise FlagFileInvalid(ordered(problems))
    check = _Check(file, problems)
    check.whole(root, environments)
    if check.problems:
        raise FlagFileInvalid(ordered(check.problems))
    written: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for path, at, value in _leaves(root, ()):
        written[path_text(path)] = value
        lines[path_text(path)] = at.line
    document = plain(root)
    assert isinstance(document, dict)
    return FlagFile(file, text, document, written, lines)


def check_flag(key: str, definition: Mapping[str, Any], evaluators: Mapping[str, Any]) -> None:
    """Go on only when a flag made in Steerway is as right as one in a file must be.

    Raises:
        FlagFileInvalid: with every mistake at once.
    """
    whole = {"flags": {key: dict(definition)}, "$evaluators": dict(evaluators)}
    load(json.dumps(whole, indent=2), key, ())


@dataclass(slots=True)
class _Check:
    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, at: Mark, path: Path, message: str, hint: str = "") -> None:
        self.problems.append(problem(self.file, at, path_text(path), message, hint))

    def whole(self, root: Tree, environments: Collection[str]) -> None:
        self.known(root, (), WHOLE_KEYS)
        flags = self.tree(root, (), "flags", required=True)
        evaluators = self.tree(root, (), "$evaluators")
        shared = {name: plain(entry.node) for name, entry in evaluators.entries.items()}
        for name, entry in evaluators.entries.items():
            self.rule(entry, ("$evaluators", name), name, shared)
        if len(flags.entries) > FLAGS_MAX:
            self.wrong(flags.at, ("flags",), f"a file has at most {FLAGS_MAX} flags")
        for key, entry in list(flags.entries.items())[:FLAGS_MAX]:
            self.flag(key, entry, shared)
        self.metadata(self.tree(root, (), "metadata"), ("metadata",))
        places = self.tree(root, (), "$environments")
        for name, entry in places.entries.items():
            self.environment(name, entry, environments, flags, shared)

    def flag(self, key: str, entry: Entry, shared: Mapping[str, Any]) -> None:
        path: Path = ("flags", key)
        if not KEY.fullmatch(key):
            hint = "letters, digits and . _ - after the first, at most 100"
            self.wrong(entry.key_at, path, "this cannot be the name of a flag", hint)
        if not isinstance(entry.node, Tree):
            self.wrong(entry.at, path, "a flag is a mapping with state and variants")
            return
        self.known(entry.node, path, FLAG_KEYS)
        variants = self.variants(entry, path)
        self.state(entry.node, path, required=True)
        self.default(entry.node, path, variants)
        if "targeting" in entry.node.entries:
            self.targeting(
                entry.node.entries["targeting"], (*path, "targeting"), key, variants, shared
            )
        self.owned(entry, path)

    def variants(self, flag: Entry, path: Path) -> Mapping[str, Any]:
        assert isinstance(flag.node, Tree)
        tree = self.tree(flag.node, path, "variants", required=True, at=flag.key_at)
        found = {name: plain(entry.node) for name, entry in tree.entries.items()}
        at = (*path, "variants")
        if "variants" in flag.node.entries and not 1 <= len(found) <= VARIANTS_MAX:
            self.wrong(tree.at, at, f"a flag has 1 to {VARIANTS_MAX} variants")
        kinds = {_kind(value) for value in found.values()}
        if len(kinds) > 1:
            said = " and ".join(sorted(kinds))
            self.wrong(tree.at, at, f"all variants are of one kind, got {said}")
        return found

    def state(self, tree: Tree, path: Path, *, required: bool) -> None:
        entry = tree.entries.get("state")
        if entry is None:
            if required:
                self.wrong(tree.at, (*path, "state"), "is missing", "write ENABLED or DISABLED")
        elif getattr(entry.node, "value", None) not in STATES:
            self.wrong(entry.at, (*path, "state"), "ENABLED or DISABLED is expected")

    def default(self, tree: Tree, path: Path, variants: Mapping[str, Any]) -> None:
        entry = tree.entries.get("defaultVariant")
        if entry is None or plain(entry.node) is None:
            return
        value = plain(entry.node)
        if not isinstance(value, str) or value not in variants:
            self.unknown_variant(entry.at, (*path, "defaultVariant"), value, variants)

    def owned(self, flag: Entry, path: Path) -> None:
        """Every flag has somebody who answers for it, and a day by which it is gone."""
        assert isinstance(flag.node, Tree)
        tree = self.tree(flag.node, path, "metadata", required=True, at=flag.key_at)
        self.metadata(tree, (*path, "metadata"))
        if "metadata" not in flag.node.entries:
            return
        owner = tree.entries.get("owner")
        if (
            owner is None
            or not isinstance(plain(owner.node), str)
            or not str(plain(owner.node)).strip()
        ):
            at = owner.at if owner else tree.at
            self.wrong(
                at,
                (*path, "metadata", "owner"),
                "a flag needs an owner",
                'such as "owner": "checkout"',
            )
        self.expiry(tree, path)
        judge = tree.entries.get("judge")
        if judge is not None and not isinstance(plain(judge.node), bool):
            self.wrong(judge.at, (*path, "metadata", "judge"), "true or false is expected")

    def expiry(self, tree: Tree, path: Path) -> None:
        entry = tree.entries.get("expires")
        try:
            date.fromisoformat(str(plain(entry.node)) if entry else "")
        except ValueError:
            at = entry.at if entry else tree.at
            hint = 'such as "expires": "2027-03-31"; the flag leaves the code by then'
            self.wrong(at, (*path, "metadata", "expires"), "a flag needs a last day", hint)

    def metadata(self, tree: Tree, path: Path) -> None:
        for name, entry in tree.entries.items():
            if not isinstance(plain(entry.node), str | int | float):
                self.wrong(entry.at, (*path, name), "text, a number, true or false is expected")

    def environment(
        self,
        name: str,
        entry: Entry,
        environments: Collection[str],
        flags: Tree,
        shared: Mapping[str, Any],
    ) -> None:
        path: Path = ("$environments", name)
        if name not in environments:
            known = ", ".join(environments)
            self.wrong(
                entry.key_at, path, "the descriptor has no such environment", f"it has {known}"
            )
        if not isinstance(entry.node, Tree):
            self.wrong(entry.at, path, "a mapping of flags is expected")
            return
        for key, override in entry.node.entries.items():
            at: Path = (*path, key)
            base = flags.get(key)
            if not isinstance(base, Tree) or not isinstance(override.node, Tree):
                known = "a mapping is expected" if base else "the file has no such flag"
                self.wrong(override.key_at, at, known)
                continue
            self.known(override.node, at, OVERRIDE_KEYS)
            self.state(override.node, at, required=False)
            tree = base.get("variants")
            variants = dict.fromkeys(tree.entries) if isinstance(tree, Tree) else {}
            self.default(override.node, at, variants)
            if rule := override.node.entries.get("targeting"):
                self.targeting(rule, (*at, "targeting"), key, variants, shared)

    def targeting(
        self,
        entry: Entry,
        path: Path,
        key: str,
        variants: Mapping[str, Any],
        shared: Mapping[str, Any],
    ) -> None:
        if plain(entry.node) is None:
            return
        if not isinstance(entry.node, Tree):
            self.wrong(entry.at, path, 'a rule is a mapping, such as {"if": [ ... ]}')
            return
        if entry.node.entries and self.rule(entry, path, key, shared):
            for at, name in _results(entry.node):
                if name not in variants:
                    self.unknown_variant(at, path, name, variants)

    def rule(self, entry: Entry, path: Path, key: str, shared: Mapping[str, Any]) -> bool:
        """Whether a rule has known operators only, and not too many."""
        before = len(self.problems)
        for at, name in _operators(entry.node):
            if name not in ALL_OPERATORS and name != "$ref":
                near = get_close_matches(name, ALL_OPERATORS, n=1)
                self.wrong(
                    at,
                    path,
                    f"there is no operator {name[:40]}",
                    f"did you mean {near[0]}?" if near else "",
                )
        if len(self.problems) > before:
            return False
        try:
            Compiler(key, shared, _never).code(plain(entry.node))
        except TargetingInvalid as error:
            self.wrong(entry.at, path, str(error))
        return len(self.problems) == before

    def unknown_variant(
        self, at: Mark, path: Path, name: object, variants: Mapping[str, Any]
    ) -> None:
        known = ", ".join(list(variants)[:10]) or "none"
        self.wrong(at, path, f"there is no variant {str(name)[:40]}", f"the flag has {known}")

    def known(self, tree: Tree, path: Path, keys: Collection[str]) -> None:
        for key, entry in tree.entries.items():
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(keys)}"
                self.wrong(entry.key_at, (*path, key), "this is not known here", hint)

    def tree(
        self, tree: Tree, path: Path, key: str, *, required: bool = False, at: Mark | None = None
    ) -> Tree:
        """The mapping under a key; an empty one, told if it must be there, where there is none."""
        entry = tree.entries.get(key)
        if entry is None:
            if required:
                self.wrong(at or tree.at, (*path, key), "is missing")
            return EMPTY
        if isinstance(entry.node, Tree):
            return entry.node
        self.wrong(entry.at, (*path, key), "a mapping is expected")
        return EMPTY


def _never() -> float:
    return 0.0


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "numbers"
    kinds: Mapping[object, str] = {str: "text", dict: "mappings", list: "lists"}
    return kinds.get(type(value), "null")


def _operators(node: Node) -> Iterator[tuple[Mark, str]]:
    """Each operator with its place. Mappings of several keys are values, as JSON Logic has it."""
    if isinstance(node, Items):
        for item in node.items:
            yield from _operators(item)
    elif isinstance(node, Tree) and len(node.entries) == 1:
        for name, entry in node.entries.items():
            yield entry.key_at, name
            yield from _operators(entry.node)


def _results(node: Node) -> Iterator[tuple[Mark, str]]:
    """The texts that a rule ends in, as far as they are written out: names of variants."""
    value = getattr(node, "value", None)
    if isinstance(value, str | bool):
        yield node.at, value if isinstance(value, str) else str(value).lower()
    if not isinstance(node, Tree) or len(node.entries) != 1:
        return
    name, entry = next(iter(node.entries.items()))
    given = list(entry.node.items) if isinstance(entry.node, Items) else [entry.node]
    if name in RESULTS:
        last = len(given) - 1
        ends = [one for place, one in enumerate(given) if place % 2 or place == last]
    else:
        shares = [one for one in given if isinstance(one, Items) and one.items]
        ends = [one.items[0] for one in shares] if name == "fractional" else []
    for one in ends:
        yield from _results(one)


def _leaves(node: Node, path: Path) -> Iterator[tuple[Path, Mark, Any]]:
    if isinstance(node, Tree) and node.entries:
        for key, entry in node.entries.items():
            if isinstance(entry.node, Tree | Items) and _is_full(entry.node):
                yield from _leaves(entry.node, (*path, key))
            else:
                yield (*path, key), entry.key_at, plain(entry.node)
    elif isinstance(node, Items) and node.items:
        for place, item in enumerate(node.items):
            if isinstance(item, Tree | Items) and _is_full(item):
                yield from _leaves(item, (*path, place))
            else:
                yield (*path, place), item.at, plain(item)


def _is_full(node: Tree | Items) -> bool:
    return bool(node.entries if isinstance(node, Tree) else node.items)
