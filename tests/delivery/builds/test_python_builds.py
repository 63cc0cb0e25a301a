"""Python services: the same wherever they are built, from locked dependencies."""

import hashlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.releases.adapters.store import Store
from steerway.platform.db import new_id
from tests.delivery.builds.stage import (
    HOST,
    TOOLS,
    export,
    manifest_of,
    paths_of,
    refusal,
)


def test_a_plain_python_service_is_the_same_wherever_it_is_built(tmp_path: Path) -> None:
    began = time.monotonic()

    one = manifest_of(tmp_path / "one", BuildSection(), TOOLS)
    two = manifest_of(tmp_path / "much" / "further" / "two", BuildSection(), TOOLS)

    assert one.digest == two.digest
    assert time.monotonic() - began < 4
    tag = sys.implementation.cache_tag
    assert [f.path for f in one.files] == [
        f".venv/lib/python{one.python}/site-packages/steerway.pth",
        f"__pycache__/shop.{tag}.pyc",
        "pyproject.toml",
        "shop.py",
    ]


def test_a_python_build_has_its_interpreter_where_a_machine_names_none(tmp_path: Path) -> None:
    bare = Builder(tmp_path / "home", {"PATH": str(tmp_path)})
    section = BuildSection(kind="python", command="python -c 'print(3)'; python3 -V")
    job = Job(new_id(), section, export(TOOLS))

    assert not any("bin" in name for name in paths_of(bare, job))
    assert "Z 3\n" in bare.log(job.id).read_text()


def test_a_python_release_runs_and_is_not_changed_by_it(tmp_path: Path) -> None:
    builder, store = Builder(tmp_path / "home", HOST), Store(tmp_path / "home")
    files = TOOLS | {"src/shop/__main__.py": "print('beans')\n", "src/shop/__init__.py": ""}
    with builder.build(Job(new_id(), BuildSection(), export(files))) as built:
        manifest = store.put(built.tree, kind=built.kind, python=built.python).manifest
    store.install(manifest.digest, builder.python)

    done = subprocess.run(
        [store.path(manifest.digest) / ".venv" / "bin" / "python", "-m", "shop"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"beans\n"
    assert store.verify(manifest.digest)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "# nothing\n"),
        ("pylock.toml", 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'),
        ("uv.lock", '[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'),
    ],
)
def test_an_empty_lock_asks_no_network(builder: Builder, name: str, text: str) -> None:
    job = Job(new_id(), BuildSection(), export(TOOLS | {name: text}))

    names = paths_of(builder, job)

    assert not any(name.startswith(".venv/bin") for name in names)
    assert "uv" not in builder.log(job.id).read_text()


def _wheel(place: Path) -> None:
    """A wheel with a program, made by hand."""
    info = "beans-1.0.dist-info"
    files = {
        "beans/__init__.py": "def main() -> None:\n    print('three beans')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: beans\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nbeans = beans:main\n",
    }
    record = "".join(f"{name},,\n" for name in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(place / "beans-1.0-py3-none-any.whl", "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


def test_dependencies_are_installed_and_run_wherever_they_were_built(tmp_path: Path) -> None:
    _wheel(tmp_path)
    digest = hashlib.sha256((tmp_path / "beans-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    text = f"--no-index\n--find-links {tmp_path}\nbeans==1.0 --hash=sha256:{digest}\n"
    files = TOOLS | {"requirements.txt": text}

    one = manifest_of(tmp_path / "one", BuildSection(), files)
    two = manifest_of(tmp_path / "two", BuildSection(), files)
    store = Store(tmp_path / "two")
    store.install(two.digest, Builder(tmp_path / "two", HOST).python)
    program = store.path(two.digest) / ".venv" / "bin" / "beans"
    done = subprocess.run([program], env=HOST, capture_output=True, check=True)

    assert one.digest == two.digest
    assert done.stdout == b"three beans\n"
    assert store.verify(two.digest)


def test_what_uv_locked_is_installed(builder: Builder, tmp_path: Path) -> None:
    _wheel(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    text = (
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["beans"]\n'
        f'[tool.uv]\nno-index = true\nfind-links = ["{tmp_path}"]\n'
    )
    (project / "pyproject.toml").write_text(text)
    lock = [find_uv_bin(), "lock", "--quiet", "--offline", "--python", sys.executable]
    subprocess.run(lock, cwd=project, env=HOST | {"HOME": str(tmp_path)}, check=True)
    files = {name: (project / name).read_text() for name in ("pyproject.toml", "uv.lock")}

    names = paths_of(builder, Job(new_id(), BuildSection(), export(files)))

    assert ".venv/bin/beans" in names
    assert not any("direct_url" in name or "activate" in name for name in names)


def test_a_dependency_with_another_hash_is_refused(builder: Builder, tmp_path: Path) -> None:
    _wheel(tmp_path)
    text = f"--no-index\n--find-links {tmp_path}\nbeans==1.0 --hash=sha256:{'0' * 64}\n"
    job = Job(new_id(), BuildSection(), export(TOOLS | {"requirements.txt": text}))

    refusal(builder, job, errors.StepFailed)

    assert "hash" in builder.log(job.id).read_text().lower()


def test_unlocked_dependencies_are_noted(builder: Builder, tmp_path: Path) -> None:
    _wheel(tmp_path)
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["beans"]\n'
    index = f'[tool.uv]\nno-index = true\nfind-links = ["{tmp_path}"]\n'
    job = Job(new_id(), BuildSection(), export({"pyproject.toml": project + index}))

    with builder.build(job) as built:
        notes = built.notes

    assert "not locked" in notes[0]
