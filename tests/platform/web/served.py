"""A real server on a scene: `python -m tests.platform.web.served PORT [empty]`.

Prints one line of JSON with the cookies and names that a browser needs, then obeys lines on its
input: `finish REF` and `fail REF` move a deployment on. It ends when its input does.
"""

import asyncio
import json
import sys
import threading
from typing import Any

import django
from django.conf import settings


def main() -> None:
    """Make the scene, say how to come in, serve."""
    django.setup()
    settings.STEERWAY_STARTER = "tests.platform.web.served.start"
    settings.MIGRATION_MODULES = dict.fromkeys(
        ("platform", "telemetry", "planning", "delivery", "control")
    )
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    print(json.dumps(_prepare(empty="empty" in sys.argv)), flush=True)
    threading.Thread(target=_obey, daemon=True).start()
    asyncio.run(_serve(int(sys.argv[1])))


def start(workflow: str, record_id: object) -> None:
    """No workflow runs here: the scene moves on by hand."""


def _prepare(*, empty: bool) -> dict[str, Any]:
    from dataclasses import asdict

    from django.db import transaction
    from django.test import Client

    from steerway.platform import clock
    from steerway.platform.identity.models import User
    from tests.platform.web import scene

    with transaction.atomic():
        played = {} if empty else asdict(scene.play(clock.now()))
        cookies = {}
        for name, role in (("alice", "admin"), ("guest", "viewer")):
            client = Client()
            client.force_login(
                User.objects.create_user(name, role=role),
                "allauth.account.auth_backends.AuthenticationBackend",
            )
            cookies[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"cookie": settings.SESSION_COOKIE_NAME, "cookies": cookies, "scene": played}


def _obey() -> None:
    from django.db import transaction

    from steerway.delivery.deployments import actions, queries
    from steerway.delivery.deployments.rules import Step
    from steerway.platform import clock
    from tests.platform.web import scene

    for line in sys.stdin:
        verb, ref = line.split()
        with transaction.atomic():
            deployment = queries.get(ref)
            work = scene.at(clock.now(), "bob")
            if verb == "finish":
                actions.leave(work, deployment, Step.VERIFY)
                for step in (Step.SWITCH, Step.DRAIN, Step.RETIRE):
                    work = scene.take(work, deployment, step)
                actions.finish(work, deployment)
            else:
                actions.fail(work, deployment, error="replica 0 is not healthy", log_tail="boom")


async def _serve(port: int) -> None:
    import uvicorn

    from steerway.app import access
    from steerway.app.asgi import Front
    from steerway.app.events import Stream

    front = Front(Stream(access.may_read), threads=4)
    config = uvicorn.Config(
        front.door(local=False), port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    main()
