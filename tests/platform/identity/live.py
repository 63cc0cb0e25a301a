# ruff: noqa: PLC0415, T201 -- Django is set up before its models are imported; stdout is the answer
"""A real server for the tests: both doors, the small pages, a home of its own.

Run as `python -m tests.platform.identity.live HOME PORT`; prints one link for carol, then serves.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path


def main(home: Path, port: str) -> None:
    """Serve until killed."""
    os.environ["STEERWAY_HOME"] = str(home)
    os.environ["STEERWAY_PORT"] = port
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.platform.identity.live_settings"
    os.umask(0o077)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    print(_invite(), flush=True)
    (home / "run").mkdir()
    asyncio.run(_serve(home / "run" / "server.sock", int(port)))


def _invite() -> str:
    from django.db import connection

    from steerway.platform import clock
    from steerway.platform.db import unit_of_work
    from steerway.platform.identity import actions
    from steerway.platform.roles import Role
    from steerway.platform.work import Work
    from tests.cast import Started, actor

    with unit_of_work():
        work = Work(actor=actor("alice", Role.ADMIN), now=clock.now(), starter=Started())
        path = actions.invite(work, "carol", role="developer")
    connection.close()
    return path


async def _serve(path: Path, port: int) -> None:
    import uvicorn

    from steerway.app.asgi import Front
    from steerway.app.events import Stream

    front = Front(Stream(lambda _: False), threads=8)
    # The network door believes forwarded addresses, as a careless installation might have it.
    network = uvicorn.Config(front.door(local=False), port=port, log_config=None, lifespan="off")
    local = uvicorn.Config(front.door(local=True), log_config=None, lifespan="off")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))  # uvicorn itself would open it to everybody
        door.listen()
        await asyncio.gather(
            uvicorn.Server(network).serve(), uvicorn.Server(local).serve(sockets=[door])
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
