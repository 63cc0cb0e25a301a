"""Settings of this installation: `STEERWAY_*` variables, read once at start.

Each variable may be given as `STEERWAY_X_FILE`, the path of a file that holds the value.
All problems are reported at once and the process does not start.
"""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from steerway.platform.errors import Invalid
from steerway.platform.roles import Role

PREFIX = "STEERWAY_"
PORT_MAX = 65535
MEGABYTES_MIN = 128  # below, the telemetry engine refuses work that everybody takes for small
NUMBER_MAX = 1_000_000_000
LOOPBACK = ("127.0.0.1", "::1")
# Variables of the command line, which are about a person's terminal and not the installation.
TERMINAL: Final[Mapping[str, str]] = {
    "server": "Address of a server elsewhere, as `steerway login` names it; else this machine's.",
    "token": "Token for that server, for pipelines; else the one that `steerway login` kept.",
}


class SettingsInvalid(Invalid):
    """One or more settings cannot be used."""

    message = "{problems}"


def _setting(description: str, default: Any = MISSING, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"description": description, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is true of this installation, not of the services it runs."""

    home: Path = _setting("Directory of all state.", Path("~/.steerway"))
    address: str = _setting("Address the server listens on.", "127.0.0.1")
    port: int = _setting("Port the server listens on.", 7300)
    url: str = _setting("Address people reach the server at, when it is behind a proxy.", "")
    hosts: tuple[str, ...] = _setting(
        "Further host names the server answers to, separated by commas.", ()
    )
    router_address: str = _setting("Address the router listens on.", "127.0.0.1")
    router_port: int = _setting("Port the router listens on.", 8080)
    replica_ports: tuple[int, int] = _setting(
        "First and last port given to replicas, as 20000-29999.", (20000, 29999)
    )
    database_url: str = _setting(
        "PostgreSQL address for records and workflows; SQLite in the home directory if empty.",
        "",
        secret=True,
    )
    oidc_issuer: str = _setting("OpenID Connect issuer; single sign-on is off if empty.", "")
    oidc_client_id: str = _setting("Client id at the issuer.", "")
    oidc_client_secret: str = _setting("Client secret at the issuer.", "", secret=True)
    oidc_role: str = _setting("Role of people who sign on for the first time.", "viewer")
    threads: int = _setting("Requests served at the same time.", 8)
    scrape: tuple[str, ...] = _setting(
        "Pages of metrics to read, as node=http://10.0.0.5:9100/metrics, separated by commas.", ()
    )
    certificates: tuple[str, ...] = _setting(
        "Files, directories and hosts (as example.org:443) whose certificates are watched, "
        "separated by commas.",
        (),
    )
    silence_seconds: int = _setting(
        "How long a signal may be silent until coverage calls it stale, up to 120.", 120
    )
    query_seconds: int = _setting("Longest time that one query of metrics may take.", 60)
    query_megabytes: int = _setting("Memory that one query of metrics may take.", 256)
    query_samples: int = _setting("Samples that one query of metrics may hold.", 20_000_000)
    ingest_megabytes: int = _setting(
        "Largest body of telemetry as it is sent; unpacked it may be four times as large.", 8
    )
    ingest_queue_megabytes: int = _setting(
        "Telemetry that may wait to be stored; senders of more are told to come again.", 128
    )
    ingest_series: int = _setting(
        "Series of metrics that one service may have, unless its descriptor says otherwise.", 20_000
    )
    clickhouse_url: str = _setting(
        "ClickHouse server for telemetry, as https://user:password@host:8443/database; "
        "in the server process if empty.",
        "",
        secret=True,
    )
    clickhouse_cluster: str = _setting(
        "Name of the cluster there, for replicated and distributed tables.", ""
    )
    telemetry_gigabytes: int = _setting(
        "Most room that telemetry takes in the home directory; the oldest is dropped for it.", 20
    )
    telemetry_megabytes: int = _setting(
        "Memory that the telemetry engine in the server process may take.", 400
    )
    metrics_days: int = _setting("Days that samples of metrics are kept.", 15)
    rollups_days: int = _setting("Days that rollups of five minutes are kept.", 400)
    logs_days: int = _setting("Days that logs are kept.", 15)
    traces_days: int = _setting("Days that traces are kept.", 7)
    requests_days: int = _setting("Days that the router's access log is kept.", 15)

    @property
    def run(self) -> Path:
        """Sockets, process files and router files."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """Log files."""
        return self.home / "log"

    @property
    def socket(self) -> Path:
        """Where the command line reaches the server without a token."""
        return self.run / "server.sock"

    @property
    def public_url(self) -> str:
        """Address of the web pages, without a slash at the end."""
        # A passkey belongs to a name, and browsers take `localhost` for one.
        host = "localhost" if self.address in LOOPBACK else self.address
        return self.url.rstrip("/") or f"http://{host}:{self.port}"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsInvalid: with every problem, one a line.
    """
    environ = os.environ if environ is None else environ  # noqa: TID251 -- read once, here
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, spec in known.items():
        try:
            text = _text(environ, name)
            if text is not None:
                values[name] = _parse(name, text, spec.default)
        except (ValueError, OSError) as error:
            problems.append(f"{PREFIX}{name.upper()}: {error}")
    problems += _unknown(environ, set(known))
    try:
        values["home"] = _home(values.get("home", known["home"].default))
    except (ValueError, RuntimeError) as error:
        problems.append(f"{PREFIX}HOME: {error}")
    problems += _misfits(values)
    if problems:
        raise SettingsInvalid(problems="\n".join(problems))
    return Settings(**values)


def _misfits(values: Mapping[str, Any]) -> list[str]:
    """What is written well and still cannot be."""
    problems = []
    if values.get("telemetry_megabytes", MEGABYTES_MIN) < MEGABYTES_MIN:
        problems.append(f"{PREFIX}TELEMETRY_MEGABYTES: {MEGABYTES_MIN} or more is expected")
    if not values.get("clickhouse_url", "https://").startswith(("http://", "https://")):
        problems.append(f"{PREFIX}CLICKHOUSE_URL: an address that starts with https:// is expected")
    if values.get("clickhouse_cluster") and not values.get("clickhouse_url"):
        problems.append(f"{PREFIX}CLICKHOUSE_CLUSTER: {PREFIX}CLICKHOUSE_URL is missing")
    if values.get("oidc_role", Role.VIEWER) not in set(Role):
        problems.append(f"{PREFIX}OIDC_ROLE: one of {', '.join(Role)} is expected")
    return problems


def written(value: object) -> str:
    """A value as one would set it."""
    if isinstance(value, tuple):
        return ("-" if value and isinstance(value[0], int) else ",").join(map(str, value))
    return str(value)


def _home(path: Path) -> Path:
    """The directory, by its whole path.

    Raises:
        ValueError: supervisord would take its path for another one.
        RuntimeError: it is below the home of nobody.
    """
    whole = path.expanduser().absolute()
    if odd := sorted(set(str(whole)) & set("[]*?;\n")):
        raise ValueError(f"a path without {' and '.join(map(repr, odd))} is expected")
    return whole


def _text(environ: Mapping[str, str], name: str) -> str | None:
    variable = PREFIX + name.upper()
    file = environ.get(f"{variable}_FILE")
    if file and variable in environ:
        raise ValueError(f"give either this or {variable}_FILE, not both")
    return Path(file).read_text().strip() if file else environ.get(variable)


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, int):
        return _port(text) if name.endswith("port") else _number(text)
    if isinstance(default, Path):
        return Path(text)
    if isinstance(default, tuple) and default:
        return _range(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= NUMBER_MAX:
        raise ValueError(f"a whole number from 1 to {NUMBER_MAX} is expected, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= PORT_MAX:
        raise ValueError(f"a whole number from 1 to {PORT_MAX} is expected, got {text!r}")
    return int(text)


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash or _port(first) > _port(last):
        raise ValueError(f"a range as 20000-29999 is expected, got {text!r}")
    return int(first), int(last)


def _unknown(environ: Mapping[str, str], known: set[str]) -> list[str]:
    names = {
        n.removeprefix(PREFIX).removesuffix("_FILE").lower()
        for n in environ
        if n.startswith(PREFIX)
    }
    # Services get STEERWAY_SERVICE and its kin; a server started from inside one must not trip.
    given = {"service", "environment", "release", "replica", "data_dir", "build"}
    given |= set(TERMINAL)
    return [
        f"{PREFIX}{name.upper()}: there is no such setting; `steerway settings` lists them"
        for name in sorted(names - known - given)
    ]
