"""Until when certificates are good."""

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from steerway.telemetry.collectors.errors import LookFailed
from steerway.telemetry.scraping.rules.batch import Point

METRIC: Final = "certificate_not_after_timestamp_seconds"
FILES_MAX: Final = 200
FILE_BYTES_MAX: Final = 1_000_000
TIMEOUT: Final = timedelta(seconds=5)
SUFFIXES: Final = (".pem", ".crt", ".cer")
HTTPS: Final = 443


def of_file(place: str) -> Iterator[Point]:
    """The earliest end in a file, or in each file of a directory.

    Raises:
        LookFailed: there is none.
    """
    path, found = Path(place), 0
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files[:FILES_MAX]:
        if file == path or file.suffix in SUFFIXES:
            ends = _ends(file)
            found += len(ends)
            if ends:
                yield Point(METRIC, {"path": str(file)}, min(ends))
    if not found:
        raise LookFailed(what=place, why="there is no certificate")


def of_host(place: str) -> Iterator[Point]:
    """The end of what a host shows; also one that is not to be trusted has an end.

    Raises:
        LookFailed: it shows none.
    """
    host, _, port = place.partition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        address = (host, int(port or HTTPS))
        with (
            socket.create_connection(address, timeout=TIMEOUT.total_seconds()) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        raise LookFailed(what=place, why=getattr(error, "strerror", None) or error) from error
    if shown:
        end = x509.load_der_x509_certificate(shown).not_valid_after_utc
        yield Point(METRIC, {"host": place}, end.timestamp())


def _ends(file: Path) -> list[float]:
    try:
        with file.open("rb") as handle:
            content = handle.read(FILE_BYTES_MAX)
        found = x509.load_pem_x509_certificates(content)
    except (OSError, ValueError):
        return []
    return [one.not_valid_after_utc.timestamp() for one in found]
