"""The descriptor as a whole: loaded, explained, advised, and its JSON Schema."""

import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest
import yaml

from steerway.app import descriptor
from steerway.app.descriptor_advice import missing, warnings
from steerway.app.descriptor_declared import declared
from steerway.delivery.runtimes.descriptor import RunSection
from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.platform.descriptor.explaining import explain
from steerway.platform.errors import NotFound
from tests.app.descriptors.cases import BASE
from tests.app.descriptors.kit import KIT

LONGEST_SECONDS = 5  # measured: about 1 on a busy core


def test_the_kit_is_a_good_descriptor_without_warnings() -> None:
    loaded = descriptor.load(KIT)

    assert missing(loaded) == ()
    assert warnings(loaded) == ()
    assert [one.name for one in loaded.environments] == ["testing", "production"]
    assert loaded.resolved("testing").settings.run.replicas == 1
    assert loaded.resolved("production").settings.run.replicas == 3


def test_a_descriptor_without_environments_has_production() -> None:
    loaded = descriptor.load(BASE)

    assert [one.name for one in loaded.environments] == ["production"]


def test_the_configuration_of_an_environment_is_read_back_from_json() -> None:
    resolved = descriptor.load(KIT).resolved("production")

    assert RunSection.stored(resolved.configuration["run"]) == resolved.settings.run


def test_the_configuration_hash_is_of_the_configuration_only() -> None:
    before = descriptor.load(KIT)

    renamed = descriptor.load(KIT.replace("Sells coffee beans.", "Sells tea."))
    commented = descriptor.load(KIT.replace("replicas: 1", "replicas: 1  # enough"))
    changed = descriptor.load(KIT.replace("replicas: 1", "replicas: 4"))

    assert len(before.resolved("testing").digest) == 64
    assert renamed.resolved("testing").digest == before.resolved("testing").digest
    assert commented.resolved("testing").digest == before.resolved("testing").digest
    assert changed.resolved("testing").digest != before.resolved("testing").digest
    assert changed.resolved("production").digest == before.resolved("production").digest
    assert declared(renamed).digest != declared(before).digest


def test_explain_names_the_line_and_the_origin_of_each_value() -> None:
    rows = {row.path: row for row in explain(descriptor.load(KIT, "shop.yaml"), "testing")}

    def seen(path: str) -> tuple[str, str, int | None, str]:
        row = rows[path]
        return row.value, row.file, row.line, row.origin

    assert seen("run.replicas") == ("1", "shop.yaml", 29, "testing")
    assert seen("run.command") == ("python -m shop", "shop.yaml", 13, "service")
    assert seen("run.environment.REGION") == ("eu-testing", "shop.yaml", 30, "testing")
    assert seen("run.secrets.PAYMENT_KEY") == ("secret:payment-key", "shop.yaml", 18, "service")
    assert seen("run.health.interval") == ("500ms", "shop.yaml", 16, "service")
    assert seen("route.hosts") == ("[]", "", None, "default")
    assert seen("release.keep") == ("5", "shop.yaml", 35, "service")
    assert "run.environment.LOG_LEVEL" not in rows


def test_explain_hides_what_looks_secret() -> None:
    text = f"{BASE}  environment: {{API_KEY: hunter2, URL: 'redis://:hunter2@cache/0'}}\n"

    rows = explain(descriptor.load(text), "production")

    assert "hunter2" not in str(rows)
    assert [row.value for row in rows if row.path == "run.environment.URL"] == ["(hidden)"]


def test_an_environment_that_is_not_declared_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"no environment staging\. It has: testing"):
        descriptor.load(KIT).resolved("staging")


def test_a_required_variable_is_missing_where_an_environment_does_not_set_it() -> None:
    text = KIT.replace(", environment: {REGION: eu-1}", "")

    (problem,) = missing(descriptor.load(text))

    assert str(problem) == (
        "steerway.yaml:31:5: environments.production.run.environment.REGION: the required "
        "variable REGION is not set in production (line 17); "
        "set it there, or write null if it is not needed"
    )


def test_an_environment_that_removes_a_required_variable_does_not_need_it() -> None:
    text = KIT.replace("REGION: eu-1", "REGION: null")

    assert missing(descriptor.load(text)) == ()


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ("owners: [a]\n", ""),
        ("", "steerway.yaml:1:1: owners: nobody answers for this service; add owners: [name]"),
        (
            "  environment: {DB_PASSWORD: x}\nowners: [a]\n",
            "steerway.yaml:5:30: run.environment.DB_PASSWORD: this looks like a secret",
        ),
        (
            "  environment: {DB: 'pg://a:b@c/d'}\nowners: [a]\n",
            "steerway.yaml:5:21: run.environment.DB: this looks like a secret",
        ),
        (
            "owners: [a]\nrelease: {strategy: rolling}\n",
            "steerway.yaml:6:21: release.strategy: with one replica in production, rolling",
        ),
        (
            "owners: [a]\nrelease: {drain: 1m}\n",
            "steerway.yaml:6:18: release.drain: this is longer than any request may take",
        ),
    ],
)
def test_what_is_allowed_but_probably_not_meant_is_a_warning(lines: str, warning: str) -> None:
    found = warnings(descriptor.load(BASE + lines))

    assert "\n".join(str(one) for one in found).startswith(warning)
    assert len(found) == bool(warning)


def test_the_schema_is_valid_and_describes_every_key() -> None:
    schema = descriptor.json_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "steerway.schema.json"
    for section in (schema, *schema["$defs"].values()):
        for key, value in section["properties"].items():
            assert value.get("description") or "$ref" in value, key
    assert "x-" not in "".join(schema["$defs"]["RunSection"]["properties"]["secrets"])


def test_defaults_in_the_schema_are_written_as_in_a_file() -> None:
    defs = descriptor.json_schema()["$defs"]

    assert defs["HealthSection"]["properties"]["timeout"]["default"] == "30s"
    assert defs["RouteSection"]["properties"]["body"]["default"] == "10MB"
    assert defs["ReleaseSection"]["properties"]["drain"]["default"] == "10s"


def test_an_editor_that_knows_the_schema_accepts_the_kit() -> None:
    validator = jsonschema.Draft202012Validator(descriptor.json_schema())

    assert list(validator.iter_errors(kit())) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("replica",), 1),
        (("run", "replica"), 1),
        (("run", "replicas"), "2"),
        (("run", "replicas"), 101),
        (("run", "port"), 8080),
        (("run", "environment"), {"A-B": "x"}),
        (("run", "health", "timeout"), 30),
        (("run", "limits", "memory"), "256m"),
        (("run", "stop", "signal"), "KILL"),
        (("run", "directories"), {"data": "rwx"}),
        (("run", "secrets"), {"KEY": "Not A Name"}),
        (("service",), "Shop"),
        (("steerway",), 2),
        (("owners",), "alice"),
        (("release", "strategy"), "big-bang"),
        (("environments",), []),
        (("environments", 0, "name"), "Testing"),
        (("environments", 0, "run"), {"replica": 2}),
        (("environments", 0, "run"), {"replicas": "two"}),
        (("environments", 0, "build"), {"kind": "node"}),
    ],
)
def test_what_the_schema_refuses_is_refused_by_check_too(
    path: tuple[str | int, ...], value: object
) -> None:
    wrong = changed(path, value)

    assert list(jsonschema.Draft202012Validator(descriptor.json_schema()).iter_errors(wrong))
    with pytest.raises(DescriptorInvalid):
        descriptor.load(yaml.safe_dump(wrong))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("run", "replicas"), 0),
        (("run", "environment"), {"A": "x", "B": None, "C": 1}),
        (("environments", 0, "run"), {"replicas": None, "environment": {"REGION": "x"}}),
        (("environments", 0, "release"), {"strategy": "rolling", "drain": None}),
        (("environments", 0, "route"), {"hosts": ["shop.example.com"]}),
        (("environments", 0, "run"), {"limits": {"memory": None}, "stop": None}),
    ],
)
def test_what_check_accepts_is_accepted_by_the_schema_too(
    path: tuple[str | int, ...], value: object
) -> None:
    right = changed(path, value)

    assert not list(jsonschema.Draft202012Validator(descriptor.json_schema()).iter_errors(right))
    descriptor.load(yaml.safe_dump(right))


def kit() -> dict[str, Any]:
    """The kit as an editor reads it, where 0700 is the number 700."""
    found: dict[str, Any] = yaml.safe_load(KIT.replace("0700", "700"))
    return found


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    document = deepcopy(kit())
    node: Any = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return document


def test_loading_the_kit_takes_less_than_20_ms() -> None:
    descriptor.load(KIT)

    times = []
    for _ in range(5):
        start = time.process_time()
        descriptor.load(KIT)
        times.append(time.process_time() - start)

    assert min(times) < 0.020


@pytest.mark.parametrize(
    "content",
    [
        "  environment:\n" + "".join(f"    V{n}: x\n" for n in range(12_000)),
        "  environment:\n" + "".join(f"    V{n}: 1.5\n" for n in range(12_000)),
        "  environment:\n" + "".join(f"    V-{n}: x\n" for n in range(12_000)),
        "".join(f"  key{n}: x\n" for n in range(12_000)),
        "".join(f"key{n}: x\n" for n in range(12_000)),
        "owners: [" + "1, " * 60_000 + "1]\n",
        "owners: [" + "[[[[[[]]]]]], " * 12_000 + "1]\n",
    ],
)
def test_a_file_of_the_largest_size_is_answered_within_seconds(content: str) -> None:
    text = BASE + content + "environments:\n"
    text += "".join(f"  - name: e{n}\n" for n in range((262_144 - len(text)) // 18))
    start = time.process_time()  # ours alone, however busy the machine is

    with pytest.raises(DescriptorInvalid):
        descriptor.load(text)

    assert time.process_time() - start < LONGEST_SECONDS


def test_commands_without_a_server_do_not_import_django(tmp_path: Path) -> None:
    (tmp_path / "steerway.yaml").write_text(KIT, encoding="utf-8")
    program = (
        "import sys\n"
        "from steerway.app.cli import steerway\n"
        "for line in ('check', 'schema', 'explain', 'init --print'):\n"
        "    steerway.main(line.split(), standalone_mode=False)\n"
        "assert 'django' not in sys.modules\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0
