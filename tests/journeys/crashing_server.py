"""A server that ends itself, as hard as it goes, at the points listed in `crashes.json`.

A point is what the deployment's observer is told ("enter build"), or a call to the outside
("after store.put"). The first of the list is waited for; when it is reached it is struck off
and the process kills itself in that very moment.
"""

import dataclasses
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from steerway.app.server import serve
from steerway.platform import settings as settings_module

OUTSIDE = ("git", "builder", "store", "supervisor", "envoy")


class Fuse:
    """Reads the list anew at each point, and kills when the point is due."""

    def __init__(self, home: Path) -> None:
        self.plan = home / "crashes.json"
        self.state = home / "run" / "state" / "server.json"
        self.lock = threading.Lock()

    def __call__(self, point: str) -> None:
        with self.lock:
            points = json.loads(self.plan.read_text()) if self.plan.exists() else []
            if not points or points[0] != point:
                return
            self.plan.with_name("killed.txt").write_text(str(os.getpid()))
            draft = self.plan.with_suffix(".draft")
            draft.write_text(json.dumps(points[1:]))
            draft.replace(self.plan)
            # Earlier crashes are forgiven: the pause between them would grow to half a minute.
            self.state.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()


class Watched:
    """An outside system whose calls are points."""

    def __init__(self, name: str, real: Any, fuse: Fuse) -> None:
        self._name, self._real, self._fuse = name, real, fuse

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if not callable(value):
            return value

        def called(*arguments: Any, **options: Any) -> Any:
            answer = value(*arguments, **options)
            self._fuse(f"after {self._name}.{name}")
            return answer

        return called


def crashing(settings: settings_module.Settings) -> Any:
    """The worker of this server, which may not live to see the end of a step."""
    from steerway.app.worker import Worker, log_step  # noqa: PLC0415 -- Django is loaded now

    fuse = Fuse(settings.home)

    def observe(deployment_id: str, what: str) -> None:
        log_step(deployment_id, what)
        fuse(what)

    worker = Worker(settings, observe)
    watched: dict[str, Any] = {
        name: Watched(name, getattr(worker.ground, name), fuse) for name in OUTSIDE
    }
    worker.rollout.ground = dataclasses.replace(worker.ground, **watched)
    return worker


if __name__ == "__main__":
    loaded = settings_module.load()
    serve(loaded, crashing)
