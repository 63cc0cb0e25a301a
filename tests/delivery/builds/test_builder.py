"""Builds of real files by real programs: the same everywhere, limited, and gone afterwards."""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from uv import find_uv_bin

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.adapters.processes import end_marked
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.rules import Kind
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.rules import Manifest
from steerway.platform.db import new_id
from steerway.platform.errors import SteerwayError

HOST = {"PATH": ":".join(os.get_exec_path()), "SECRET_OF_THE_HOST": "swordfish"}
TOOLS = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n', "shop.py": "BEANS = 3\n"}


def _export(files: dict[str, str]) -> Callable[[Path], None]:
    def export(into: Path) -> None:
        for name, text in files.items():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text)

    return export


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "home", HOST)


def _command(command: str, **fields: object) -> Job:
    section = BuildSection.model_validate({"command": command, **fields})
    return Job(new_id(), section, _export({"a.txt": "a"}))


def _built(builder: Builder, job: Job) -> dict[str, str]:
    """The files of a build, as they were before it was left."""
    with builder.build(job) as built:
        places = [p for p in sorted(built.tree.rglob("*")) if p.is_file()]
        return {p.relative_to(built.tree).as_posix(): p.read_text() for p in places}


def _sentence(builder: Builder, job: Job, error: type[SteerwayError]) -> str:
    """What a build that cannot succeed says, when it has left nothing behind."""
    with pytest.raises(error) as caught, builder.build(job):
        pass
    assert _is_empty(builder)
    return str(caught.value)


def _manifest(home: Path, section: BuildSection, files: dict[str, str]) -> Manifest:
    with Builder(home, HOST).build(Job(new_id(), section, _export(files))) as built:
        return Store(home).put(built.tree, kind=built.kind, python=built.python).manifest


def _is_empty(builder: Builder) -> bool:
    places = [p.name for p in (builder.home / "builds").iterdir() if p.name != "cache"]
    return places == []


def _processes(mark: str) -> int:
    """How many processes of this machine were born with `mark`."""
    found = subprocess.run(
        ["grep", "-lsz", f"^{mark}$", *map(str, Path("/proc").glob("[0-9]*/environ"))],
        capture_output=True,
        check=False,
    )
    return len(found.stdout.splitlines())


def test_a_command_builds_in_a_copy(builder: Builder) -> None:
    job = _command("mkdir out && tr a b < a.txt > out/b.txt")

    assert _built(builder, job) == {"a.txt": "a", "out/b.txt": "b"}
    assert _is_empty(builder)


def test_the_environment_is_clean(builder: Builder) -> None:
    job = _command("env > env.txt", environment={"BEANS": "3"})

    lines = _built(builder, job)["env.txt"].splitlines()
    names = {line.partition("=")[0] for line in lines}

    assert {"BEANS", "PATH", "HOME", "SOURCE_DATE_EPOCH"} <= names
    assert not names & {"SECRET_OF_THE_HOST", "STEERWAY_HOME", "PYTHONPATH", "USER"}
    assert f"HOME={builder.home}/builds/{job.id}/home" in lines


def test_the_log_has_moments_and_everything_printed(builder: Builder) -> None:
    job = _command("echo one; echo two >&2; printf three")

    _built(builder, job)

    lines = builder.log(job.id).read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "$ echo one; echo two >&2; printf three",
        "one",
        "two",
        "three",
    ]
    assert all(line.partition(" ")[0].endswith("Z") for line in lines)


def test_the_log_can_be_read_while_the_build_runs(builder: Builder, tmp_path: Path) -> None:
    seen: list[str] = []

    def cancelled() -> bool:
        seen.append(builder.log(job.id).read_text())
        if "waiting" in seen[-1]:
            (tmp_path / "go").touch()
        return False

    waits = f"echo waiting; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    job = Job(new_id(), BuildSection(command=waits), _export({}), cancelled)

    _built(builder, job)

    assert any("waiting" in text for text in seen)


def test_a_failing_command_says_how_it_ended(builder: Builder) -> None:
    sentence = _sentence(builder, _command("echo oh; exit 3"), errors.StepFailed)

    assert sentence == "`echo oh; exit 3` ended with exit code 3"


def test_a_program_that_is_not_installed(builder: Builder) -> None:
    bare = Builder(builder.home, {"PATH": str(builder.home)})
    job = Job(new_id(), BuildSection(), _export({"package.json": '{"scripts": {"build": "x"}}'}))

    assert "npm is not installed" in _sentence(bare, job, errors.StepFailed)


def test_a_build_has_a_time(builder: Builder) -> None:
    began = time.monotonic()

    sentence = _sentence(builder, _command("sleep 60", timeout="1s"), errors.StepFailed)

    assert sentence == "`sleep 60` did not end within 1 s, the build's timeout"
    assert time.monotonic() - began < 10


def test_a_build_that_ignores_being_asked_is_ended(builder: Builder) -> None:
    job = _command("trap '' TERM; while :; do sleep 0.05; done", timeout="1s")

    _sentence(builder, job, errors.StepFailed)

    assert _processes(f"STEERWAY_BUILD={job.id}") == 0


def test_a_cancelled_build_leaves_nothing(builder: Builder) -> None:
    looks = count()
    section = BuildSection(command="setsid sleep 60 & sleep 60")
    job = Job(new_id(), section, _export({}), lambda: next(looks) > 2)

    assert "was cancelled" in _sentence(builder, job, errors.Stopped)
    assert _processes(f"STEERWAY_BUILD={job.id}") == 0


def test_programs_left_running_are_ended_when_the_build_succeeds(builder: Builder) -> None:
    job = _command("setsid sleep 60 > /dev/null 2>&1 & echo started")

    _built(builder, job)

    assert _processes(f"STEERWAY_BUILD={job.id}") == 0


def test_what_a_killed_server_left_is_swept(builder: Builder) -> None:
    left, running = new_id(), new_id()
    for build in (left, running):
        (builder.home / "builds" / str(build) / "tree").mkdir(parents=True)
    mark = f"STEERWAY_BUILD={left}"
    orphan = subprocess.Popen(["sleep", "60"], env={"PATH": os.defpath, mark[:14]: str(left)})

    assert builder.sweep({running}) == [left]

    assert orphan.wait(5) == -9
    assert [p.name for p in (builder.home / "builds").iterdir()] == [str(running)]
    assert end_marked(mark) == 0


SERVER = """
import sys, uuid
from pathlib import Path
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
builder = Builder(Path(sys.argv[1]), {"PATH": sys.argv[3]})
section = BuildSection(command="setsid sleep 60 & echo begun; sleep 60")
with builder.build(Job(uuid.UUID(sys.argv[2]), section, lambda into: None)):
    pass
"""


def test_a_build_whose_server_is_killed_leaves_nothing_after_a_sweep(builder: Builder) -> None:
    build = new_id()
    arguments = [sys.executable, "-c", SERVER, str(builder.home), str(build), HOST["PATH"]]
    server = subprocess.Popen(arguments)
    deadline = time.monotonic() + 20
    while not (builder.log(build).exists() and "Z begun" in builder.log(build).read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.kill()
    server.wait()
    assert _processes(f"STEERWAY_BUILD={build}") >= 2

    assert builder.sweep(set()) == [build]

    assert _processes(f"STEERWAY_BUILD={build}") == 0
    assert _is_empty(builder)


def test_old_logs_and_a_large_cache_are_swept(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steerway.delivery.builds.adapters.builder.LOGS_MAX", 1)
    monkeypatch.setattr("steerway.delivery.builds.adapters.builder.CACHE_BYTES_MAX", 3)
    cache = builder.home / "builds" / "cache"
    cache.mkdir(parents=True)
    (cache / "package").write_text("beans")
    old, new = new_id(), new_id()
    for moment, build in enumerate((old, new)):
        builder.log(build).parent.mkdir(parents=True, exist_ok=True)
        builder.log(build).touch()
        os.utime(builder.log(build), (moment, moment))

    builder.sweep({new_id()})
    assert cache.exists()

    builder.sweep(set())
    assert not cache.exists()
    assert (builder.log(old).exists(), builder.log(new).exists()) == (False, True)


def test_output_has_a_limit(builder: Builder) -> None:
    waits = "while :; do head -c 200000 /dev/zero >> big; sleep 0.02; done"
    job = _command(waits, limits={"output": "1MB"})

    assert "wrote more than 1 MB" in _sentence(builder, job, errors.StepFailed)


def test_output_of_a_quick_command_has_a_limit(builder: Builder) -> None:
    job = _command("head -c 2000000 /dev/zero > big", limits={"output": "1MB"})

    assert "wrote more than 1 MB" in _sentence(builder, job, errors.StepFailed)


def test_a_log_has_a_limit_and_the_build_goes_on(builder: Builder) -> None:
    job = _command("yes beans | head -n 20000; touch done", limits={"log": "10kB"})

    assert "done" in _built(builder, job)

    text = builder.log(job.id).read_text()
    assert len(text) < 10_200
    assert text.endswith("The log is full; the rest is not kept.\n")


def test_a_line_without_an_end_is_broken(builder: Builder) -> None:
    job = _command("head -c 10000 /dev/zero | tr '\\0' x")

    _built(builder, job)

    lines = builder.log(job.id).read_text().splitlines()[1:]
    assert [len(line.partition(" ")[2]) for line in lines] == [4000, 4000, 2000]


def test_a_full_disk_stops_a_build_before_it_begins(tmp_path: Path) -> None:
    builder = Builder(tmp_path / "home", HOST, free_bytes_min=10**18)

    with pytest.raises(errors.DiskFull, match=r"The disk of .* is full: .* a build needs"):
        builder.build(_command("touch x")).__enter__()
    assert not (tmp_path / "home" / "builds").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts nothing")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_during_a_build_is_one_sentence(tiny_disk: Path) -> None:
    builder = Builder(tiny_disk, HOST, free_bytes_min=4 * 10**6)

    sentence = _sentence(builder, _command("head -c 20000000 /dev/zero > big"), errors.DiskFull)

    assert "is full" in sentence


def test_permissions_of_a_build_do_not_keep_its_files(builder: Builder) -> None:
    _sentence(builder, _command("mkdir -p a/b && chmod 0 a/b a; exit 1"), errors.StepFailed)


def test_a_plain_python_service_is_the_same_wherever_it_is_built(tmp_path: Path) -> None:
    began = time.monotonic()

    one = _manifest(tmp_path / "one", BuildSection(), TOOLS)
    two = _manifest(tmp_path / "much" / "further" / "two", BuildSection(), TOOLS)

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
    job = Job(new_id(), section, _export(TOOLS))

    assert not any("bin" in name for name in _names(bare, job))
    assert "Z 3\n" in bare.log(job.id).read_text()


def test_a_python_release_runs_and_is_not_changed_by_it(tmp_path: Path) -> None:
    builder, store = Builder(tmp_path / "home", HOST), Store(tmp_path / "home")
    files = TOOLS | {"src/shop/__main__.py": "print('beans')\n", "src/shop/__init__.py": ""}
    with builder.build(Job(new_id(), BuildSection(), _export(files))) as built:
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
    job = Job(new_id(), BuildSection(), _export(TOOLS | {name: text}))

    names = _names(builder, job)

    assert not any(name.startswith(".venv/bin") for name in names)
    assert "uv" not in builder.log(job.id).read_text()


def _names(builder: Builder, job: Job) -> list[str]:
    with builder.build(job) as built:
        return [p.relative_to(built.tree).as_posix() for p in built.tree.rglob("*")]


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

    one = _manifest(tmp_path / "one", BuildSection(), files)
    two = _manifest(tmp_path / "two", BuildSection(), files)
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

    names = _names(builder, Job(new_id(), BuildSection(), _export(files)))

    assert ".venv/bin/beans" in names
    assert not any("direct_url" in name or "activate" in name for name in names)


def test_a_dependency_with_another_hash_is_refused(builder: Builder, tmp_path: Path) -> None:
    _wheel(tmp_path)
    text = f"--no-index\n--find-links {tmp_path}\nbeans==1.0 --hash=sha256:{'0' * 64}\n"
    job = Job(new_id(), BuildSection(), _export(TOOLS | {"requirements.txt": text}))

    _sentence(builder, job, errors.StepFailed)

    assert "hash" in builder.log(job.id).read_text().lower()


def test_unlocked_dependencies_are_noted(builder: Builder, tmp_path: Path) -> None:
    _wheel(tmp_path)
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["beans"]\n'
    index = f'[tool.uv]\nno-index = true\nfind-links = ["{tmp_path}"]\n'
    job = Job(new_id(), BuildSection(), _export({"pyproject.toml": project + index}))

    with builder.build(job) as built:
        notes = built.notes

    assert "not locked" in notes[0]


NODE = {
    "package.json": '{"name": "shop", "scripts": {"build": "node build.js"}}',
    "build.js": "require('fs').writeFileSync('built.js', 'module.exports = 3')",
}


def test_a_node_service_without_packages_is_built_by_its_script(tmp_path: Path) -> None:
    one = _manifest(tmp_path / "one", BuildSection(), NODE)
    two = _manifest(tmp_path / "two", BuildSection(), NODE)

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
    job = Job(new_id(), BuildSection(), _export(_package_of_files()))

    names = _names(builder, job)

    assert "node_modules/beans" in names
    assert "node_modules/dev" not in names
    assert "beans/ran" not in names


def test_packages_without_a_lock_are_refused(builder: Builder) -> None:
    files = {"package.json": '{"dependencies": {"beans": "1"}}'}
    job = Job(new_id(), BuildSection(), _export(files))

    assert "no package-lock.json is committed" in _sentence(builder, job, errors.SourceUnready)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"package.json": "{"}, "package.json is not valid JSON"),
        ({"package.json": "[]"}, "package.json is not an object"),
        ({"pyproject.toml": "["}, "pyproject.toml is not valid TOML"),
        ({"requirements.txt": "", ".venv/x": ""}, ".venv is in the repository"),
        ({"package.json": "{}", "node_modules/x": ""}, "node_modules is in the repository"),
    ],
)
def test_files_that_cannot_be_built_say_why(
    builder: Builder, files: dict[str, str], words: str
) -> None:
    assert words in _sentence(
        builder, Job(new_id(), BuildSection(), _export(files)), errors.SourceUnready
    )
