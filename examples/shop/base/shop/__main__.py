"""Runs the shop: `python -m shop`."""

import signal
import socket
import sys

from shop import migrations
from shop.app import Shop
from shop.database import Database
from shop.log import Log
from shop.metrics import Metrics
from shop.server import Server
from shop.settings import Settings, SettingsError
from shop.supplier import Supplier
from shop.telemetry import Exporter

BACKLOG = 512


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0 when every request begun was answered."""
    try:
        settings = Settings.read()
    except SettingsError as problem:
        print(f"shop: {problem}", file=sys.stderr)
        return 2
    log = Log(settings.log_level)
    database = Database(settings.data)
    if settings.migrate:
        log.write("info", "database ready", applied=migrations.up(database))
    metrics = Metrics()
    database.noted = metrics.transaction
    exporter = Exporter(settings, metrics)
    shop = Shop(database, Supplier(settings, metrics), metrics, exporter, log)
    try:
        listener = socket.create_server(("127.0.0.1", settings.port), backlog=BACKLOG)
    except OSError as error:
        log.write("error", "cannot listen", port=settings.port, reason=str(error))
        return 1
    server = Server(listener, shop.answer, settings.threads, settings.linger)
    shop.leaving = lambda: server.stopping
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: server.stop())
    exporter.start()
    log.write("info", "serving", port=listener.getsockname()[1], threads=settings.threads)
    clean = server.serve()
    exporter.stop()
    log.write("info" if clean else "error", "stopped", clean=clean)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
