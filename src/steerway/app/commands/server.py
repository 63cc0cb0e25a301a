"""Starting and stopping Steerway itself, and looking at its settings."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final

import click

from steerway.app.server import HomeInUse, network_socket, serve
from steerway.app.sites import site_of, supervisor_of
from steerway.delivery.router.adapters import programs as router
from steerway.delivery.runtimes.rules import Program, SealedSecret
from steerway.platform.client import Client, Problem, ServerDown
from steerway.platform.errors import Refused, Unavailable
from steerway.platform.keys import key
from steerway.platform.secrets.sealing import seal
from steerway.platform.settings import PREFIX, Settings, load, written
from steerway.platform.terminal import json_option, print_json, print_table

PROGRAM: Final = "server"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
POLL_SECONDS: Final = 0.05
TAIL_BYTES: Final = 3000

UNIT: Final = """\
[Unit]
Description=Steerway
After=network.target

[Service]
User={user}
{variables}
# Secret settings, one NAME=VALUE a line, readable by root alone.
EnvironmentFile=-/etc/steerway.env
ExecStart={python} -m steerway.app up --foreground
Restart=always
# Services and the router belong to supervisord, which outlives the server.
KillMode=process
NoNewPrivileges=true
ProtectSystem=full

[Install]
WantedBy=multi-user.target
"""


class StartedElsewhere(Refused):
    """A service manager, or a person at a terminal, started the server."""

    message = (
        "The server (process {pid}) runs in the foreground for somebody else. Restart it there, "
        "as with `systemctl restart steerway`."
    )


class NotStarted(Unavailable):
    """The server ends before it answers."""

    message = "The server did not start ({cause}). The end of {log}:\n{tail}"


class HomeUnusable(Unavailable):
    """The home directory cannot be made or written."""

    message = "{home} cannot be used: {reason}. Choose another directory with STEERWAY_HOME."


@click.command()
@click.option("--foreground", is_flag=True, help="Stay; for systemd and containers.")
def up(foreground: bool) -> None:
    """Start Steerway on this machine; does nothing when it runs."""
    settings = load()
    if foreground:
        serve(settings)
        return
    url = settings.public_url
    with _turn(settings):
        if _is_ready(settings):
            click.echo(f"Steerway is running at {url}")
            return
        start(settings)
    click.echo(f"Steerway runs at {url}")
    click.echo("`steerway user link` signs you in; `steerway status` shows what runs.")


@click.command()
def restart() -> None:
    """Start the server anew, with what is installed and set now; services run on."""
    settings = load()
    supervisor = supervisor_of(settings)
    with _turn(settings):
        ours = supervisor.record(PROGRAM)
        if pid := _holder(settings):
            if ours is None or ours.pid != pid:
                raise StartedElsewhere(pid=pid)
            supervisor.stop(PROGRAM)
        start(settings)
    click.echo(f"Steerway runs at {settings.public_url}")


@click.command()
def down() -> None:
    """Stop Steerway, the router and every service; keep all state."""
    settings = load()
    supervisor = supervisor_of(settings)
    if not (settings.run / "conf.d").exists():
        click.echo("Nothing runs.")
        return
    with _turn(settings):
        supervisor.clear()
        supervisor.stop(PROGRAM)
        _stop_foreground(settings)
        supervisor.shutdown()
        router.end(site_of(settings))
        settings.socket.unlink(missing_ok=True)  # a server that was killed leaves it
    click.echo("Everything is stopped. `steerway up` starts it again.")


@click.command()
@json_option
def settings(as_json: bool) -> None:
    """Show the settings in force; secret ones are masked."""
    current = load()
    rows = []
    for spec in fields(current):
        value = getattr(current, spec.name)
        shown = "set" if spec.metadata["secret"] and value else written(value)
        rows.append([f"{PREFIX}{spec.name.upper()}", shown, spec.metadata["description"]])
    if as_json:
        print_json({name: value for name, value, _ in rows})
        return
    print_table(["variable", "value", "what it is"], rows, empty="")


@click.command()
def unit() -> None:
    """Print a systemd unit that keeps the server running on a host."""
    current = load()
    plain, _ = _variables(current)
    pairs = (f"{name}={value}" for name, value in sorted(plain.items()))
    variables = "\n".join(f"Environment={_quoted(pair)}" for pair in pairs)
    user, python = Path.home().owner(), _quoted(sys.executable)
    click.echo(UNIT.format(user=user, variables=variables, python=python), nl=False)


def start(settings: Settings) -> None:
    """Start the server under supervisord and wait until it answers.

    Raises:
        HomeUnusable: the home directory cannot be made or written.
        HomeInUse: a server holds the home directory, and does not answer.
        PortTaken, RouterPortTaken: another program has the port of the server, or of the router.
        NotStarted: it ends before it answers.
    """
    _refuse_taken_ports(settings)
    supervisor = supervisor_of(settings)
    if supervisor.record(PROGRAM):
        supervisor.stop(PROGRAM)  # how its last life ended says nothing about this one
    supervisor.ensure()
    supervisor.add(_program(settings))
    # One of before that keeps ending, or comes up with supervisord: what it did is not our start.
    supervisor.stop(PROGRAM)
    supervisor.start(PROGRAM)
    until = time.monotonic() + START_SECONDS
    while not _is_ready(settings):
        process = supervisor.processes()[PROGRAM]
        if process.exits or time.monotonic() > until:
            supervisor.stop(PROGRAM)
            raise NotStarted(
                cause=process.last_exit or f"it did not answer within {START_SECONDS} s",
                log=settings.log / "server.log",
                tail=supervisor.tail(PROGRAM, TAIL_BYTES),
            )
        time.sleep(POLL_SECONDS)


def _program(settings: Settings) -> Program:
    """The server as a program; its secret settings are sealed, as those of services are."""
    opener = key(settings.home, "secrets")
    plain, secret = _variables(settings)
    return Program(
        name=PROGRAM,
        command=(sys.executable, "-m", "steerway.app", "up", "--foreground"),
        directory=settings.home,
        log=settings.log / "server.log",
        environment=plain,
        secrets={
            name: SealedSecret(name, seal(opener, name, value)) for name, value in secret.items()
        },
    )


def _variables(settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """The settings given here, as the server needs them: those anybody may see, and the secret."""
    known = {f"{PREFIX}{f.name.upper()}": bool(f.metadata["secret"]) for f in fields(settings)}
    plain = {f"{PREFIX}HOME": str(settings.home)}
    secret = {}
    for name, value in os.environ.items():  # noqa: TID251 -- passed on
        if known.get(name):
            secret[name] = value
        elif name != f"{PREFIX}HOME" and name.removesuffix("_FILE") in known:
            plain[name] = value
    return plain, secret


def _quoted(text: str) -> str:
    """A word of a unit file. Source: systemd.syntax(7), systemd.unit(5): `%` begins a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    """One command at a time starts or stops: the others wait, and then look again."""
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.run.mkdir(mode=0o700, exist_ok=True)
        turn = (settings.run / "commands.lock").open("w")
    except OSError as error:
        raise HomeUnusable(home=settings.home, reason=error.strerror) from error
    with turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _refuse_taken_ports(settings: Settings) -> None:
    if pid := _holder(settings):
        raise HomeInUse(pid=pid, home=settings.home)
    with network_socket(settings):
        router.check_port(site_of(settings))


def _is_ready(settings: Settings) -> bool:
    try:
        Client(str(settings.socket)).get("/api/ready")
    except (ServerDown, Problem):
        return False
    return True


def _stop_foreground(settings: Settings) -> None:
    """End a server that systemd or a terminal started."""
    pid = _holder(settings)
    if not pid:
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while _holder(settings) == pid:
        if time.monotonic() > until:  # It may be killed at any time, and waits for a long step.
            os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _holder(settings: Settings) -> int | None:
    """The process that holds the home directory; None when there is none."""
    file = settings.run / "server.lock"
    if not file.exists():
        return None
    with file.open("r") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(handle.read() or 0) or None
    return None
