"""Node services: built by their script, from locked packages."""

import json
from pathlib import Path

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.rules import Kind
from steerway.platform.db import new_id
from tests.delivery.builds.stage import (
    export,
    manifest_of,
    paths_of,
    refusal,
)

NODE = {
    "package.json": '{"name": "shop", "scripts": {"build": "node build.js"}}',
    "build.js": "require('fs').writeFileSync('built.js', 'module.exports = 3')",
}


def test_a_node_service_without_packages_is_built_by_its_script(tmp_path: Path) -> None:
    one = manifest_of(tmp_path / "one", BuildSection(), NODE)
    two = manifest_of(tmp_path / "two", BuildSection(), NODE)

    assert one.kind == Kind.NODE
    assert one.digest == two.digest
    assert [f.path for f in one.files] == ["build.js", "built.js", "package.json"]


def _package_of_files() -> dict[str, str]:
    """A Node service with one package for use and one for development, both in its own files."""
    wanted = {"dependencies": {"beans": "file:beans"}, "devDependencies": {"dev": "file:dev"}}
    lock = {
        "name": "shop",
        "lockfileVersion": 3,
        "packages": {
            "": wanted,
            "beans": {"version": "1.0.0"},
            "dev": {"version": "1.0.0", "dev": True},
            "node_modules/beans": {"resolved": "beans", "link": True},
            "node_modules/dev": {"resolved": "dev", "link": True, "dev": True},
        },
    }
    script = "node -e \"require('dev')\""
    package = {"name": "shop", "scripts": {"build": script}, **wanted}
    one = {"name": "beans", "version": "1.0.0", "scripts": {"postinstall": "touch ran"}}
    return {
        "package.json": json.dumps(package),
        "package-lock.json": json.dumps(lock),
        "beans/package.json": json.dumps(one),
        "dev/package.json": json.dumps({"name": "dev", "version": "1.0.0"}),
        "dev/index.js": "module.exports = 1",
    }


def test_locked_packages_are_installed_without_scripts_and_pruned(builder: Builder) -> None:
    job = Job(new_id(), BuildSection(), export(_package_of_files()))

    names = paths_of(builder, job)

    assert "node_modules/beans" in names
    assert "node_modules/dev" not in names
    assert "beans/ran" not in names


def test_packages_without_a_lock_are_refused(builder: Builder) -> None:
    files = {"package.json": '{"dependencies": {"beans": "1"}}'}
    job = Job(new_id(), BuildSection(), export(files))

    assert "no package-lock.json is committed" in refusal(builder, job, errors.SourceUnready)
