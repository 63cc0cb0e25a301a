"""A shop whose deployments are moved on by hand, a minute at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from itertools import count

import pytest

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.releases import actions as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import File, Manifest, Origin, Sealed
from steerway.planning.catalog import actions as catalog
from steerway.platform.work import Work

DESCRIPTOR = """steerway: 1
service: {service}
run:
  command: python -m {service}
  environment: {{LOG_LEVEL: {level}}}
release: {{strategy: {strategy}}}
environments: [{{name: testing}}, {{name: production}}]
"""


@dataclass
class Counter:
    """A place to deploy from: it knows the people, and the time goes on with each step."""

    alice: Work
    minutes: Iterator[int]

    @property
    def work(self) -> Work:
        """Alice, a minute later."""
        return replace(self.alice, now=self.alice.now + timedelta(minutes=next(self.minutes)))

    def declare(
        self, service: str = "shop", level: str = "info", strategy: str = "blue-green"
    ) -> None:
        """Apply the descriptor."""
        text = DESCRIPTOR.format(service=service, level=level, strategy=strategy)
        catalog.apply(self.work, declared(descriptor.load(text, "steerway.yaml")))

    def release(self, version: str, service: str = "shop") -> Release:
        """The release that a version is built into."""
        digest = sha256(version.encode()).hexdigest()
        origin = Origin(
            commit=digest[:40], name=version, subject="", author="", input_digest=digest
        )
        sealed = Sealed(Manifest("command", "", (File("main.py", "0644", 1, digest),)))
        return releases.register(self.work, service=service, origin=origin, sealed=sealed)

    def begin(self, version: str, environment: str = "production", **wish: object) -> Deployment:
        """A deployment that has its release."""
        wanted = Wish(**{"service": "shop", "environment": environment, "ref": version, **wish})  # type: ignore[arg-type] # its fields by name
        deployment = actions.start(self.work, wanted)
        actions.take_release(self.work, deployment, self.release(version, deployment.service))
        return queries.by_id(deployment.id)

    def serve(self, version: str, environment: str = "production") -> Deployment:
        """A deployment that went well."""
        return self.end(self.begin(version, environment))

    def end(self, deployment: Deployment) -> Deployment:
        """The deployment, once users have reached it and it has ended well."""
        actions.switched(self.work, deployment)
        actions.finish(self.work, deployment)
        return queries.by_id(deployment.id)

    def fail(self, version: str) -> Deployment:
        """A deployment that did not come up."""
        deployment = self.begin(version)
        actions.fail(self.work, deployment, error="It does not come up.", log_tail="no beans")
        return queries.by_id(deployment.id)

    def roll_back(self, to: str = "", environment: str = "production") -> Deployment:
        """A rollback that went well."""
        return self.end(actions.rollback(self.work, Wish("shop", environment, to)))


@pytest.fixture
def counter(work: Work) -> Counter:
    """The shop is declared, and nothing is deployed."""
    made = Counter(work, count(1))
    made.declare()
    return made
