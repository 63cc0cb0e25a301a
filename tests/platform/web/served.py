"""A real server on a scene: `python -m tests.platform.web.served PORT [empty] [measured]`.

Says in one line of JSON which cookies and names a browser needs, then obeys lines on its input:
`finish REF` and `fail REF` move a deployment on, `judge REF` a canary by some seconds. It ends
when its input does. Only where it was measured is the telemetry store open.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

import django

django.setup()  # Models need the settings before they are imported.

import uvicorn  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402

from steerway.app import access  # noqa: E402
from steerway.app.asgi import Front  # noqa: E402
from steerway.app.events import Stream  # noqa: E402
from steerway.app.prometheus import Prometheus  # noqa: E402
from steerway.app.watching import TRAFFIC  # noqa: E402
from steerway.control.traffic.rules import Flow, Look, Tally  # noqa: E402
from steerway.delivery.deployments import actions, queries  # noqa: E402
from steerway.delivery.deployments.rules import Step  # noqa: E402
from steerway.delivery.router.rules import cluster_name  # noqa: E402
from steerway.platform import clock  # noqa: E402
from steerway.platform.db import reading  # noqa: E402
from steerway.platform.identity.models import User  # noqa: E402
from steerway.telemetry import store  # noqa: E402
from steerway.telemetry.metrics.rules import QueryLimits  # noqa: E402
from tests.platform.web import flagged, judged, measured, scene  # noqa: E402

AREAS = ("platform", "telemetry", "planning", "delivery", "control")
MORE_SECONDS = 8
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def main() -> None:
    """Make the scene, say how to come in, serve."""
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"
    settings.MIGRATION_MODULES = dict.fromkeys(AREAS)
    call_command("migrate", run_syncdb=True, verbosity=0)
    if "measured" in sys.argv:
        measured.measure(store.open(settings.STEERWAY), clock.now())
    prepared = _prepare(is_empty="empty" in sys.argv)
    sys.stdout.write(json.dumps(prepared) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_obey, daemon=True).start()
    threading.Thread(target=_visit, daemon=True).start()
    asyncio.run(_serve(int(sys.argv[1])))


def _prepare(*, is_empty: bool) -> dict[str, Any]:
    with transaction.atomic():
        played = {} if is_empty else asdict(scene.play(clock.now()))
        if not is_empty:
            flagged.play(clock.now())
        if "measured" in sys.argv:
            played |= asdict(judged.play(clock.now()))
        cookies = {name: _cookie(name, role) for name, role in scene.PEOPLE}
    return {"cookie": settings.SESSION_COOKIE_NAME, "cookies": cookies, "scene": played}


def _cookie(name: str, role: str) -> str:
    client = Client()
    client.force_login(User.objects.create_user(name, role=role), BACKEND)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _obey() -> None:
    for line in sys.stdin:
        verb, ref = line.split()
        with transaction.atomic():
            deployment = queries.get(ref)
            work = scene.at(clock.now(), "bob")
            if verb == "judge":
                since = clock.now() - timedelta(seconds=MORE_SECONDS)
                judged.judge(deployment, since=since, seconds=MORE_SECONDS)
            elif verb == "finish":
                actions.leave(work, deployment, Step.VERIFY)
                for step in (Step.SWITCH, Step.DRAIN, Step.RETIRE):
                    work = scene.take(work, deployment, step)
                actions.finish(work, deployment)
            else:
                actions.fail(work, deployment, error="replica 0 is not healthy", log_tail="boom")
    os.kill(os.getpid(), signal.SIGTERM)


def _visit() -> None:
    """Visitors of the shop: 20 a second, one in ten sees a failure; a minute of them is over."""
    with reading():
        served = queries.serving("shop", "production")
    name = cluster_name("shop", "production", served.id) if served else ""
    answered = {Flow("shop", "production", name): Tally(20, 2)} if served else {}
    for second in range(60, 0, -1):
        TRAFFIC.add(Look(clock.now() - timedelta(seconds=second), answered, begins=second == 60))
    while True:
        TRAFFIC.add(Look(clock.now(), answered))
        time.sleep(1)


async def _serve(port: int) -> None:
    allowed = partial(access.may, "records.read")
    doors = [Prometheus(store.current, allowed, QueryLimits())]
    front = Front(Stream(access.may_read), 4, doors)
    server = uvicorn.Server(
        uvicorn.Config(
            front.door(local=False), port=port, log_level="error", timeout_graceful_shutdown=1
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.should_exit:
        await asyncio.sleep(0.1)
    await front.close()
    await serving
    store.close()


if __name__ == "__main__":
    main()
