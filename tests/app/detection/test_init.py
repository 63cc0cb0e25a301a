"""`steerway init`: a good descriptor from what a directory holds."""

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from steerway.app import descriptor
from steerway.app.commands.descriptor import init
from steerway.app.descriptor_advice import missing, warnings
from steerway.app.detection.detecting import detect
from steerway.app.detection.finding import Finding
from steerway.app.detection.units import compose_duration, compose_memory
from steerway.app.detection.writing import descriptor_text
from tests.app.descriptors import samples


@pytest.mark.parametrize("name", samples.names())
def test_each_project_gets_the_descriptor_that_is_expected(name: str) -> None:
    assert samples.written(name) == samples.expected(name)


@pytest.mark.parametrize("name", samples.names())
def test_what_is_written_passes_check_and_holds_no_secret(name: str) -> None:
    text = samples.written(name)

    loaded = descriptor.load(text)

    assert "hunter2" not in text
    assert "sk_live" not in text
    assert [one.path for one in warnings(loaded)] == ["owners"]
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_compose_service_is_taken_over_with_all_that_can_be() -> None:
    loaded = descriptor.load(samples.written("compose-shop"))

    run = loaded.settings.run
    assert run.command == "gunicorn shop:app --bind 0.0.0.0:$PORT --workers 2"
    assert run.replicas == 3
    assert run.health.timeout == timedelta(seconds=90)
    assert run.environment == {
        "LOG_LEVEL": "info",
        "REGION": None,
        "DEBUG": "false",
        "VERSION": "1.10",
    }
    assert run.secrets == {"DATABASE_URL": "database-url", "PAYMENT_KEY": "payment-key"}
    assert (run.limits.memory, run.limits.cpus, run.limits.processes) == (512 * 2**20, 0.5, 100)
    assert [one.path for one in missing(loaded)] == [
        "environments.production.run.environment.REGION"
    ]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"Procfile": "web: ./serve --port $PORT"}, "./serve --port $PORT"),
        ({"Procfile": "web: A=1 ./serve | tee log"}, "sh -c 'A=1 ./serve | tee log'"),
        ({"Procfile": "web: echo 'x' && ./serve"}, "sh -c 'echo '\\''x'\\'' && ./serve'"),
        ({"Procfile": "clock: ./tick"}, "./tick"),
        (
            {"requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"},
            "flask --app app:app run --host 127.0.0.1 --port $PORT",
        ),
        (
            {"requirements.txt": "Flask\ngunicorn\n", "shop/__init__.py": "it = Flask('x')\n"},
            "gunicorn shop:it --bind 127.0.0.1:$PORT",
        ),
        (
            {"requirements.txt": "fastapi\n", "main.py": "app: FastAPI = FastAPI()\n"},
            "uvicorn main:app --host 127.0.0.1 --port $PORT",
        ),
        (
            {"requirements.txt": "django\n", "manage.py": ""},
            "python manage.py runserver 127.0.0.1:$PORT --noreload",
        ),
        ({"requirements.txt": "six\n", "shop/__main__.py": ""}, "python -m shop"),
        ({"package.json": '{"scripts": {"start": "vite"}}'}, "npm run start"),
        ({"package.json": '{"main": "x.js"}', "x.js": ""}, "node x.js"),
        ({"Dockerfile": "FROM x\nCMD python -m shop\n"}, "python -m shop"),
        ({"Dockerfile": 'FROM x\nEXPOSE 80\nCMD ["./s", "-p", "80"]\n'}, "./s -p $PORT"),
        (
            {"compose.yml": "services: {a: {build: ., command: ./b, ports: ['80:81']}}"},
            "./b",
        ),
        (
            {"Procfile": "web: ./first", "package.json": '{"scripts": {"start": "node x"}}'},
            "./first",
        ),
    ],
)
def test_the_command_is_taken_from_the_file_that_knows_best(
    tmp_path: Path, files: dict[str, str], command: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")

    loaded = descriptor.load(descriptor_text(detect(tmp_path)))

    assert loaded.settings.run.command == command


@pytest.mark.parametrize(
    "content",
    [
        *("", "}", "services:", "services: 1", "services: []", "- x", "services: {a: }"),
        *("a: &a [*a]", "services: {1: {2: 3}}", "[" * 5000, "x = " + "[" * 5000, "\0"),
        "services: {a: {build: 1, ports: 3, environment: 7, deploy: x, volumes: y, command: {}}}",
        "services: {a: {healthcheck: {test: 1}, deploy: {resources: 2, replicas: x}}}",
        "services: {a: {environment: {1: 2}}}",
    ],
)
@pytest.mark.parametrize("name", ["compose.yaml", "package.json", "pyproject.toml", "Procfile"])
def test_a_file_of_any_content_still_gives_a_good_descriptor(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    descriptor.load(descriptor_text(detect(tmp_path)))


texts = st.text(max_size=30)


@settings(max_examples=150, deadline=timedelta(seconds=2))
@given(
    st.builds(
        Finding,
        source=texts,
        name=st.sampled_from(["shop", "Shop", "", "a" * 60]),
        description=texts,
        command=texts,
        environment=st.dictionaries(texts, texts | st.none(), max_size=3),
        secrets=st.dictionaries(texts, texts, max_size=3),
        notes=st.tuples(texts),
        worker=st.booleans(),
    )
)
def test_any_finding_becomes_a_good_descriptor(finding: Finding) -> None:
    descriptor.load(descriptor_text(finding))


@given(st.text(max_size=60).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_a_value_is_read_as_it_was_found(value: str) -> None:
    finding = Finding("x", name="shop", command="./shop", environment={"A": value})

    loaded = descriptor.load(descriptor_text(finding))

    assert loaded.settings.run.environment.get("A", value) == value


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("1m30s", "90s"),
        ("500ms", "500ms"),
        ("1h", "1h"),
        ("", ""),
        ("soon", ""),
        ("9" * 30 + "h", ""),
    ],
)
def test_durations_of_compose(text: str, ours: str) -> None:
    assert compose_duration(text) == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [("512M", "512MiB"), ("1g", "1GiB"), ("1000", "1kB"), ("lots", ""), (None, "")],
)
def test_sizes_of_compose(text: str | None, ours: str) -> None:
    assert compose_memory(text) == ours


def test_a_descriptor_that_is_there_is_only_replaced_when_it_is_forced(tmp_path: Path) -> None:
    file = tmp_path / "steerway.yaml"
    file.write_text("mine", encoding="utf-8")

    refused = CliRunner().invoke(init, [str(tmp_path)])
    kept = file.read_text(encoding="utf-8")
    printed = CliRunner().invoke(init, [str(tmp_path), "--print"])
    forced = CliRunner().invoke(init, [str(tmp_path), "--force"])

    assert (refused.exit_code, kept) == (1, "mine")
    assert "--force" in refused.output
    assert printed.output == file.read_text(encoding="utf-8")
    assert forced.exit_code == 0
    descriptor.load(file)
