"""A believable installation, made through the actions that make real ones."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.delivery.deployments import actions as deployments
from steerway.delivery.deployments import queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step
from steerway.delivery.releases import actions as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import File, Manifest, Origin, Sealed
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Ports, Process, ProcessState
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.planning.changes import actions as changes
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import Started, actor

STEP = timedelta(milliseconds=700)
BUILD = timedelta(seconds=14)

SHOP = """steerway: 1
service: {name}
description: {description}
owners: [{owners}]
source:
  ref: main
build:
  kind: python
run:
  command: python -m {name}
  replicas: 2
  environment:
    LOG_LEVEL: info
    REGION: null
  secrets:
    PAYMENT_KEY: payment-key
  limits: {{memory: 256MB, cpus: 0.5}}
route:
  timeout: 15s
environments:
  - name: testing
    run:
      replicas: 1
      environment: {{REGION: local}}
  - name: production
    run:
      replicas: {replicas}
      environment: {{REGION: eu-west, LOG_LEVEL: warning}}
"""

# What stands on the page of panels of each service.
DASHBOARD = """dashboard:
  title: At a glance
  variables:
    - name: code
      title: Code
      label: code
      of: router_requests_total{service="$service"}
      all: true
    - {name: window, title: Window, values: [1m, 5m], default: 1m}
  rows:
    - title: Requests
      panels:
        - title: By code
          kind: stack
          unit: requests/s
          width: 6
          query: >-
            sum by (code)
            (rate(router_requests_total{service="$service",code=~"$code"}[$window]))
          legend: "{{code}}"
        - title: Now
          kind: stat
          unit: requests/s
          width: 3
          query: sum(rate(router_requests_total{service="$service"}[$window]))
        - title: Errors
          kind: gauge
          unit: ratio
          max: 0.1
          width: 3
          thresholds: [{value: 0.005, tone: warn}, {value: 0.05}]
          query: >-
            sum(rate(router_requests_total{service="$service",code="500"}[$window]))
            / sum(rate(router_requests_total{service="$service"}[$window]))
    - title: Behind them
      panels:
        - title: Memory
          kind: table
          unit: bytes
          query: process_resident_memory_bytes{service="$service"}
        - {title: Failures, kind: logs, query: failed, width: 5}
        - {title: About, kind: text, width: 3, text: Ask alice before a limit is changed.}
"""

SERVICES = (
    ("shop", "Sells coffee beans to people who know which ones they want.", "alice, bob", 3),
    ("ledger", "Books every payment twice, once on each side.", "carol", 2),
    ("inbox", "Turns mail of customers into tickets.", "dave", 2),
    ("pictures", "Scales and serves pictures of products.", "alice", 2),
    ("newsletter", "Writes to everybody who asked for it, on Thursdays.", "erin", 1),
)


PEOPLE = (("alice", "admin"), ("guest", "viewer"))


@dataclass(frozen=True, slots=True)
class Scene:
    """What was made, for tests that need a name."""

    running: str
    failed: str
    good: str
    release: str


def start(workflow: str, record_id: UUID) -> None:
    """No workflow runs on a scene: it is moved on by hand."""


def at(moment: datetime, name: str = "alice") -> Work:
    """Work of somebody at a moment."""
    return Work(actor=actor(name, Role.ADMIN), now=moment, starter=Started())


def play(now: datetime) -> Scene:
    """Two weeks of work, ending with one deployment in flight and one that failed."""
    for days, (name, description, owners, replicas) in enumerate(SERVICES):
        apply(
            at(now - timedelta(days=13, hours=days), "alice"), name, description, owners, replicas
        )
    for days in (12, 11, 9, 6, 5, 4, 2):
        minor = 13 - days
        when = now - timedelta(days=days, hours=2)
        for environment in ("testing", "production"):
            wish = Wish("shop", environment, f"v1.{minor}", f"Weekly round {minor}")
            deploy(at(when, "bob" if days % 2 else "alice"), wish)
            when += timedelta(minutes=21)
    for index, name in enumerate(("ledger", "inbox", "pictures")):
        when = now - timedelta(days=3, hours=index * 2)
        for environment in ("testing", "production"):
            deploy(at(when, "carol"), Wish(name, environment, "v3.0", "Move to Python 3.11"))
            when += timedelta(minutes=9)
    good = deploy(
        at(now - timedelta(hours=5), "alice"), Wish("shop", "production", "v1.12", "Faster search")
    )
    for deployment in queries.all_serving():
        run(at(deployment.switched_at or now), deployment, routed=True)
    loop(at(now - timedelta(hours=2)), queries.serving("pictures", "production"))
    failed = fail(
        at(now - timedelta(minutes=42), "carol"),
        Wish("ledger", "production", "v3.1", "Round half to even"),
    )
    pause(at(now - timedelta(hours=1), "dave"))
    changes.hold(
        at(now - timedelta(minutes=50), "erin"),
        service="newsletter",
        reason="Thursday's letter is going out; hold until 18:00",
    )
    running = begin(
        at(now - timedelta(seconds=21), "bob"), Wish("shop", "testing", "v1.13", "Gift cards")
    )
    assert good.release is not None
    run(at(now - timedelta(seconds=3)), running, routed=False)
    return Scene(running.ref, failed.ref, good.ref, str(good.release.id))


def apply(work: Work, name: str, description: str, owners: str, replicas: int) -> None:
    """Put a service into the catalog."""
    text = SHOP.format(name=name, description=description, owners=owners, replicas=replicas)
    text += DASHBOARD
    catalog.apply(work, declared(descriptor.load(text, "steerway.yaml")))


def pause(work: Work) -> None:
    """Somebody looks into a machine by hand."""
    catalog.pause(work, services.get("inbox"), reason="Looking at the mail queue by hand")


def deploy(work: Work, wish: Wish) -> Deployment:
    """A deployment that went well."""
    deployment = deployments.start(work, wish)
    for step in Step:
        work = take(work, deployment, step)
    deployments.finish(work, deployment)
    return Deployment.objects.get(id=deployment.id)


def begin(work: Work, wish: Wish) -> Deployment:
    """A deployment whose replicas are just being looked at."""
    deployment = deployments.start(work, wish)
    for step in (Step.PREFLIGHT, Step.BUILD, Step.INSTALL, Step.CONFIGURE, Step.START):
        work = take(work, deployment, step)
    deployments.enter(work, deployment, Step.VERIFY)
    return deployment


def fail(work: Work, wish: Wish) -> Deployment:
    """A deployment whose replicas never became healthy."""
    deployment = begin(work, wish)
    deployments.fail(
        later(work, timedelta(seconds=51)),
        deployment,
        error="ledger.production.1 is not healthy after 30 s: GET /healthz answered 500",
        log_tail=LOG_TAIL,
    )
    return deployment


def run(work: Work, deployment: Deployment, *, routed: bool) -> None:
    """Its replicas, as the watcher sees them."""
    placed = runtimes.place(
        work,
        deployment.id,
        service=deployment.service,
        environment=deployment.environment,
        indexes=range(deployment.replica_count),
        ports=Ports(20000, 29999),
    )
    runtimes.started(work, placed)
    for replica in Replica.objects.filter(deployment_id=deployment.id):
        seen = Process(
            name=replica.program,
            state=ProcessState.RUNNING,
            pid=4000 + (replica.port or 0) % 1000,
            started_at=work.now,
        )
        runtimes.note(work, replica, seen)
    runtimes.admit(work, placed, routed=routed)


def loop(work: Work, deployment: Deployment | None) -> None:
    """One replica that keeps ending."""
    assert deployment is not None
    replica = Replica.objects.get(deployment_id=deployment.id, index=1)
    runtimes.admit(work, [replica], routed=False)
    replica.refresh_from_db()
    seen = Process(
        name=replica.program,
        state=ProcessState.BACKOFF,
        exits=6,
        crashes=6,
        last_exit="exit status 1 after 2 s",
    )
    runtimes.note(work, replica, seen)


def take(work: Work, deployment: Deployment, step: Step) -> Work:
    """One step, and the work at its end."""
    deployments.enter(work, deployment, step)
    if step is Step.SWITCH:
        deployments.switched(work, deployment)
    work = later(work, BUILD if step is Step.BUILD else STEP)
    if step is Step.BUILD:
        deployments.take_release(work, deployment, built(work, deployment))
    deployments.leave(work, deployment, step)
    return work


def built(work: Work, deployment: Deployment) -> Release:
    """A release as the builder would register it."""
    mark = sha256(f"{deployment.service} {deployment.ref_asked}".encode()).hexdigest()
    manifest = Manifest("python", "3.11", (File("main.py", "0644", 48_211_904, mark),))
    origin = Origin(
        commit=mark[:40],
        name=deployment.ref_asked,
        subject=deployment.change.why or "No subject",
        author="Bob Baker",
        input_digest=sha256(mark.encode()).hexdigest(),
    )
    return releases.register(
        work, service=deployment.service, origin=origin, sealed=Sealed(manifest)
    )


def later(work: Work, span: timedelta) -> Work:
    """The same work, some time on."""
    return replace(work, now=work.now + span)


LOG_TAIL = """ledger: listening on 127.0.0.1:20417
ledger: opening the books of 2026
Traceback (most recent call last):
  File "/app/ledger/rounding.py", line 41, in half_to_even
    return amount.quantize(CENT, rounding=ROUND_HALF_EVN)
NameError: name 'ROUND_HALF_EVN' is not defined. Did you mean: 'ROUND_HALF_EVEN'?
ledger: GET /healthz 500 in 2 ms"""
