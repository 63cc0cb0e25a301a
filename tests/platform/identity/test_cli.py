"""Commands of people, tokens, secrets and sign-in, against a real server."""

import http.client
import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steerway.platform.identity import cli
from steerway.platform.identity.cli import login, logout, token, user, whoami
from steerway.platform.secrets.cli import secret
from tests.platform.identity.served import Server


@pytest.fixture(autouse=True)
def terminal(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of the machine's owner, with a configuration directory of its own."""
    monkeypatch.setenv("STEERWAY_HOME", str(server.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STEERWAY_SERVER", raising=False)


def run(command: object, *arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(command, arguments, input=typed)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result


def test_people_are_invited_changed_and_shown_out() -> None:
    link = run(user, "add", "nina", "--role", "operator").stdout.splitlines()[0]
    assert "/link/" in link

    run(user, "role", "nina", "developer")
    run(user, "disable", "nina")
    found = {p["name"]: p for p in json.loads(run(user, "list", "--json").stdout)}
    assert (found["nina"]["role"], found["nina"]["active"]) == ("developer", False)
    run(user, "enable", "nina")
    run(user, "forget-factors", "nina")
    assert "/link/" in run(user, "link", "nina").stdout
    assert "nina" in run(user, "list").stdout


def test_the_owner_of_the_machine_gets_a_link_without_naming_anybody() -> None:
    made = run(user, "link")

    assert "/link/" in made.stdout
    assert "signs admin in once" in made.stderr


def test_a_token_is_made_listed_and_revoked() -> None:
    run(user, "add", "robot", "--role", "developer")

    made = run(token, "create", "ci", "--owner", "robot", "--scope", "records.read", "--days", "7")
    value = made.stdout.strip()
    assert value.startswith("swy_")
    assert "acts for robot" in made.stderr
    listed = run(token, "list").stdout
    assert value not in listed
    assert value[:10] in listed
    assert "is revoked" in run(token, "revoke", "ci", "--owner", "robot").stdout
    assert value[:10] not in run(token, "list").stdout


def test_a_token_that_is_not_there_is_said_so() -> None:
    result = CliRunner().invoke(token, ["revoke", "nothing"])

    assert result.exit_code == 1
    assert "0 live tokens are called nothing" in result.output


def test_a_pipeline_comes_with_a_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    run(user, "add", "pipeline", "--role", "developer")
    made = run(token, "create", "ci", "--owner", "pipeline", "--scope", "records.read")

    monkeypatch.setenv("STEERWAY_SERVER", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("STEERWAY_TOKEN", made.stdout.strip())

    assert "pipeline/ci" in run(whoami).stdout


def test_whoami_on_the_machine_itself() -> None:
    assert run(whoami).stdout.startswith("local:")


def test_a_secret_comes_from_standard_input_and_is_never_shown() -> None:
    value = "sk_live_from_stdin"

    done = run(secret, "set", "pay", "--service", "shop", "--env", "production", typed=value + "\n")
    listed = run(secret, "list", "--service", "shop")
    as_json = run(secret, "list", "--json")
    rotated = run(secret, "rotate")
    removed = run(secret, "remove", "pay", "--service", "shop", "--env", "production")

    said = "".join(r.output for r in (done, listed, as_json, rotated, removed))
    assert value not in said
    assert "version 1" in done.stdout
    assert "production" in listed.stdout
    # No option or argument takes a value: it would be in the list of processes.
    parameters = [p.name for p in secret.commands["set"].params]
    assert parameters == ["name", "service", "environment"]


def test_login_waits_for_a_yes_keeps_the_token_and_logout_gives_it_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(user, "add", "lena", "--role", "developer")
    lena = run(token, "create", "helper", "--owner", "lena").stdout.strip()
    here = f"http://127.0.0.1:{server.port}"
    waited: list[float] = []

    def confirm(seconds: float) -> None:
        """What happens while the command waits: lena says yes in her browser."""
        waited.append(seconds)
        if len(waited) == 1:
            _say_yes(server, _waiting_code(output))

    output: list[str] = []
    echo = cli.click.echo
    monkeypatch.setattr(
        cli.click, "echo", lambda text="", **k: (output.append(text), echo(text, **k))
    )
    monkeypatch.setattr(cli.time, "sleep", confirm)

    said = run(login, here).stdout

    assert f"Signed in to {here} as lena" in said
    file = tmp_path / "steerway" / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text())[here]
    assert kept not in said
    monkeypatch.setenv("STEERWAY_SERVER", here)
    assert run(whoami).stdout.startswith("lena/login-")
    run(logout, here)
    assert json.loads(file.read_text()) == {}
    assert _me(server, kept) == 401
    assert _me(server, lena) == 200


def _waiting_code(output: list[str]) -> str:
    page = next(line for line in output if "code=" in line)
    return page.rpartition("code=")[2].strip()


def _say_yes(server: Server, code: str) -> None:
    """As a browser does it: sign in by a link, open the page of the code, press the button."""
    path = "/link/" + run(user, "link", "lena").stdout.splitlines()[0].rpartition("/")[2]
    browser = Browser(server)
    browser.post(path, {})
    browser.post("/device", {"code": code, "answer": "yes"})


class Browser:
    """Cookies and forms, no more."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cookies: dict[str, str] = {}

    def post(self, path: str, fields: dict[str, str]) -> None:
        """Load the page, so that its form's token is there, then send the form."""
        self._ask("GET", path)
        sent = {**fields, "csrfmiddlewaretoken": self._cookies["steerway-csrf"]}
        self._ask("POST", path, "&".join(f"{key}={value}" for key, value in sent.items()))

    def _ask(self, method: str, path: str, body: str | None = None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        cookies = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        kind = "application/x-www-form-urlencoded"
        connection.request(method, path, body, {"Cookie": cookies, "Content-Type": kind})
        answer = connection.getresponse()
        answer.read()
        assert answer.status < 400, (method, path, answer.status)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            key, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[key] = value
        connection.close()


def _me(server: Server, token_secret: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/api/me", headers={"Authorization": f"Bearer {token_secret}"})
    status = connection.getresponse().status
    connection.close()
    return status
