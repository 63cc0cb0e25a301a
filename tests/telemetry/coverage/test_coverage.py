"""What is in the store turns cells green, and silence turns them stale, in the log as well."""

from datetime import datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from steerway.control.coverage import queries
from steerway.control.coverage.workflows import Watch
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.runtimes.models import Replica
from steerway.platform import clock
from steerway.platform.identity.models import User
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from steerway.telemetry.coverage import actions
from steerway.telemetry.coverage.queries import Grid, grids
from steerway.telemetry.coverage.rules import Expected, Layer, Place, Signal, State
from steerway.telemetry.ingest.rules.samples import STALE
from steerway.telemetry.store import Store
from tests.cast import NOON
from tests.platform.web import scene
from tests.telemetry.seeding import seed, seed_samples

pytestmark = [pytest.mark.django_db, pytest.mark.database]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SHOP = Place("shop", "production")
WHOLE = Expected(SHOP, scrapes=True, databases=1, suppliers=1)
OWN = {"service": "shop", "environment": "production"}


def sampled(store: Store, metric: str, at: datetime, value: float = 1, **labels: str) -> None:
    seed_samples(store, metric, labels, [(at.timestamp(), value)])


def everything(store: Store, at: datetime) -> None:
    sampled(store, "shop_orders_total", at, job="shop", **OWN)
    sampled(store, "process_threads", at, job="process", **OWN)
    sampled(store, "node_load1", at, job="host", instance="here")
    sampled(store, "router_replicas", at, job="router", **OWN)
    sampled(store, "sqlite_pages", at, job="sqlite", **OWN)
    sampled(store, "probe_duration_seconds", at, job="supplier", **OWN)
    origin = {**OWN, "version": "v1"}
    line = {"ts": at, **origin, "instance": "1", "source": "process", "severity": 9, "body": "x"}
    seed(store, "logs", [line])
    seed(store, "spans", [{"ts": at, **origin, "name": "GET /", "trace_id": "a", "span_id": "b"}])
    seed(store, "requests", [{"ts": at, **origin, "status": 200, "path": "/"}])


def look(store: Store, now: datetime, expected: Expected = WHOLE) -> Grid:
    return grids(store, [expected], now=now)[0]


def test_everything_that_was_heard_is_fresh_and_two_minutes_later_nothing_is(
    work: Work, store: Store
) -> None:
    everything(store, NOON)

    fresh = look(store, NOON + timedelta(seconds=60))
    later = look(store, NOON + timedelta(seconds=121))

    seen = {(c.layer, c.signal) for c in fresh.cells if c.state is State.FRESH}
    assert seen == {
        *((layer, Signal.METRICS) for layer in Layer),
        (Layer.PROCESS, Signal.LOGS),
        (Layer.ROUTER, Signal.LOGS),
        (Layer.APPLICATION, Signal.TRACES),
    }
    assert fresh.cell(Layer.HOST, Signal.METRICS).seen_at == NOON
    assert State.FRESH not in {cell.state for cell in later.cells}
    assert later.cell(Layer.HOST, Signal.METRICS).state is State.STALE
    assert later.cell(Layer.ROUTER, Signal.LOGS).state is State.QUIET


def test_a_target_that_fails_is_not_seen(work: Work, store: Store) -> None:
    sampled(store, "up", NOON, 0, job="shop", **OWN)
    sampled(store, "pg_up", NOON, 0, job="postgresql", **OWN)
    sampled(store, "shop_orders_total", NOON, STALE, job="shop", **OWN)

    found = look(store, NOON)

    assert found.cell(Layer.APPLICATION, Signal.METRICS).state is State.NEVER
    assert found.cell(Layer.DATABASE, Signal.METRICS).state is State.NEVER


def test_requests_without_access_log_are_stale(work: Work, store: Store) -> None:
    seed(store, "requests", [{"ts": NOON, **OWN, "version": "v1", "status": 200, "path": "/"}])
    now = NOON + timedelta(minutes=5)
    points = [(now.timestamp() - 20, 5.0), (now.timestamp() - 10, 9.0)]
    seed_samples(store, "router_requests_total", {**OWN, "job": "router"}, points)

    assert look(store, now).cell(Layer.ROUTER, Signal.LOGS).state is State.STALE


def test_a_cell_that_turns_is_in_the_log_once_and_remembered(work: Work, store: Store) -> None:
    everything(store, NOON)
    late = NOON + timedelta(hours=3)

    states = actions.note(work, [look(store, NOON)], {})
    for moment in (NOON + timedelta(minutes=3), NOON + timedelta(minutes=4), late):
        states = actions.note(scene.at(moment), [look(store, moment)], states)
    everything(store, late)
    states = actions.note(scene.at(late), [look(store, late)], states)
    again = actions.note(
        scene.at(late + timedelta(minutes=2)), [look(store, late + timedelta(seconds=2))], states
    )

    told = list(Event.objects.filter(subject="shop host metrics").order_by("seq"))
    assert [one.type for one in told] == ["telemetry.stale", "telemetry.fresh"]
    assert (told[0].service, told[0].environment) == ("shop", "production")
    silent = look(store, late + timedelta(hours=9)).cell(Layer.ROUTER, Signal.LOGS)
    assert silent.state is State.QUIET
    assert silent.seen_at is not None
    assert set(again.values()) <= {State.FRESH, State.NOT_EXPECTED, State.NEVER}


def test_a_cell_that_flickers_waits_and_the_log_is_not_filled(work: Work, store: Store) -> None:
    everything(store, NOON)
    gone, back = NOON + timedelta(seconds=121), NOON + timedelta(seconds=125)
    states = actions.note(scene.at(gone), [look(store, gone)], {})
    everything(store, back)

    states = actions.note(scene.at(back), [look(store, back)], states)
    patient = back + timedelta(seconds=90)
    actions.note(scene.at(patient), [look(store, patient)], states)

    told = Event.objects.filter(subject="shop host metrics").order_by("seq")
    assert [(one.type, one.at) for one in told] == [
        ("telemetry.stale", gone),
        ("telemetry.fresh", patient),
    ]


def test_after_a_start_nothing_is_called_stale_before_it_could_be_heard(
    work: Work, store: Store
) -> None:
    deployed(NOON - timedelta(hours=1))
    everything(store, NOON - timedelta(minutes=5))
    moments = iter([NOON, NOON + timedelta(seconds=119), NOON + timedelta(seconds=121)])
    watch = Watch(
        lambda: store, lambda: ["shop"], lambda: scene.at(next(moments)), timedelta(minutes=2)
    )

    watch.look()
    watch.look()
    early = Event.objects.filter(type="telemetry.stale").count()
    watch.look()

    assert early == 0
    assert Event.objects.filter(type="telemetry.stale", subject="shop host metrics").exists()


def test_people_see_it_over_the_api_and_on_a_page(work: Work, store: Store) -> None:
    now = clock.now()
    deployed(now)
    everything(store, now - timedelta(seconds=5))
    client = Client()
    client.force_login(User.objects.create_user("guest", role="viewer"), BACKEND)

    found = client.get("/api/coverage/shop").json()[-1]
    all_of_them = client.get("/api/coverage").json()
    missing = client.get("/api/coverage/nothing")
    page = render_to_string(
        "coverage/grid.html", {"grid": queries.grids(store, ["shop"], now=now)[-1], "now": now}
    )

    cells = {(one["layer"], one["signal"]): one for one in found["cells"]}
    assert (found["service"], found["environment"]) == ("shop", "production")
    assert cells["host", "metrics"]["state"] == "fresh"
    assert cells["host", "metrics"]["seen_at"] is not None
    assert {one["service"] for one in all_of_them} == {"shop"}
    assert missing.status_code == 404
    assert '<th scope="row">Host</th>' in page
    assert "Fresh" in page


def deployed(at: datetime) -> None:
    scene.apply(scene.at(at), "shop", "Sells.", "alice", 1)
    found = scene.deploy(scene.at(at), Wish("shop", "production", "v1"))
    Replica.objects.create(
        deployment_id=found.id,
        service="shop",
        environment="production",
        index=7,
        program="shop.production.7",
        port=20007,
        wanted=True,
        placed_at=at,
    )


def test_a_printed_line_that_names_its_trace_is_the_applications_word(
    work: Work, store: Store
) -> None:
    line = {**OWN, "ts": NOON, "version": "v1", "source": "process", "severity": 9, "body": "x"}
    seed(store, "logs", [{**line, "instance": "1", "trace_id": "a" * 32}])

    grid = look(store, NOON + timedelta(seconds=60))

    assert grid.cell(Layer.APPLICATION, Signal.LOGS).state is State.FRESH
    assert grid.cell(Layer.PROCESS, Signal.LOGS).state is State.FRESH
