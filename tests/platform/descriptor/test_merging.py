"""What a service says in an environment."""

import pytest

from steerway.platform.descriptor.merging import merged
from steerway.platform.descriptor.nodes import Mapping, plain
from steerway.platform.descriptor.reading import read

SERVICE = "run:\n  replicas: 2\n  hosts: [a, b]\n  env:\n    A: 1\n    B: null\n"


def tree(text: str) -> Mapping:
    root, problems = read(text, "steerway.yaml")
    assert root is not None
    assert not problems
    return root


@pytest.mark.parametrize(
    ("environment", "run"),
    [
        ("{}", {"replicas": 2, "hosts": ["a", "b"], "env": {"A": 1, "B": None}}),
        ("run: {replicas: 3}", {"replicas": 3, "hosts": ["a", "b"], "env": {"A": 1, "B": None}}),
        ("run: {hosts: [c]}", {"replicas": 2, "hosts": ["c"], "env": {"A": 1, "B": None}}),
        ("run: {hosts: []}", {"replicas": 2, "hosts": [], "env": {"A": 1, "B": None}}),
        (
            "run: {env: {B: x, C: y}}",
            {"replicas": 2, "hosts": ["a", "b"], "env": {"A": 1, "B": "x", "C": "y"}},
        ),
        ("run: {env: {A: null}}", {"replicas": 2, "hosts": ["a", "b"], "env": {"B": None}}),
        ("run: {env: {Z: null}}", {"replicas": 2, "hosts": ["a", "b"], "env": {"A": 1, "B": None}}),
        ("run: {env: null}", {"replicas": 2, "hosts": ["a", "b"]}),
        ("run: {replicas: {a: 1}, env: null}", {"replicas": {"a": 1}, "hosts": ["a", "b"]}),
        (
            "run: {hosts: null, env: null, new: {a: 1, b: null}}",
            {"replicas": 2, "new": {"a": 1}},
        ),
        ("other: {a: 1}", {"replicas": 2, "hosts": ["a", "b"], "env": {"A": 1, "B": None}}),
    ],
)
def test_mappings_merge_lists_replace_and_null_removes(environment: str, run: object) -> None:
    whole = merged(tree(SERVICE), tree(environment), ("run",), "testing")

    assert plain(whole) == {"run": run}


def test_values_know_where_they_come_from() -> None:
    whole = merged(tree(SERVICE), tree("run:\n  env:\n    A: 9\n"), ("run",), "testing")

    run = whole.get("run")
    assert isinstance(run, Mapping)
    env = run.get("env")
    assert isinstance(env, Mapping)
    a, b = env.get("A"), env.get("B")
    assert a is not None
    assert b is not None
    assert (a.origin, a.at.line) == ("testing", 3)
    assert (b.origin, b.at.line) == ("service", 6)


def test_the_service_itself_is_not_changed() -> None:
    service = tree(SERVICE)

    merged(service, tree("run: {replicas: 3, env: null}"), ("run",), "testing")

    assert plain(service) == plain(tree(SERVICE))
