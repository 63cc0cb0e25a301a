"""Secrets: sealed, found by service and environment, never given back."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from steerway.platform.errors import Forbidden
from steerway.platform.keys import key
from steerway.platform.log import queries as log
from steerway.platform.roles import Role
from steerway.platform.secrets import actions, queries
from steerway.platform.secrets.errors import (
    SecretNameInvalid,
    SecretsMissing,
    SecretUnknown,
    Unsealable,
    ValueInvalid,
)
from steerway.platform.secrets.models import Secret
from steerway.platform.secrets.rules import MASK, VALUE_BYTES_MAX, redact
from steerway.platform.secrets.sealing import KEY_BYTES, seal, unseal
from steerway.platform.work import Work
from tests.cast import actor
from tests.platform.identity.conftest import stage

__all__ = ["stage"]
KEY = bytes(range(KEY_BYTES))
VALUE = "sk_live_8f2c91d7"


def test_a_ring_of_keys_seals_with_the_newest_and_opens_with_all() -> None:
    newest = os.urandom(KEY_BYTES)
    ring = newest + KEY

    assert unseal(ring, "payment-key", seal(KEY, "payment-key", VALUE)) == VALUE
    assert unseal(newest, "payment-key", seal(ring, "payment-key", VALUE)) == VALUE
    with pytest.raises(ValueError, match="does not open"):
        unseal(KEY, "payment-key", seal(ring, "payment-key", VALUE))


@pytest.mark.parametrize(
    ("text", "values", "redacted"),
    [
        ("key=abcd1234;", ["abcd1234"], f"key={MASK};"),
        ("abcd1234 abcd", ["abcd", "abcd1234"], f"{MASK} {MASK}"),
        ("a b c", ["a"], "a b c"),
        ("one\ntwo-two\n", ["one-one\ntwo-two"], f"one\n{MASK}\n"),
        ("nothing", [], "nothing"),
        ("nothing", [""], "nothing"),
    ],
)
def test_values_are_masked_in_texts(text: str, values: list[str], redacted: str) -> None:
    assert redact(text, values) == redacted


@pytest.fixture
def browser(db: None, stage: None) -> Client:
    """The local door, as the command line uses it."""
    return Client(REMOTE_ADDR="local")


def put(work: Work, name: str = "payment-key", environment: str = "", value: str = VALUE) -> Secret:
    return actions.set_value(
        work, name, service="shop", environment=environment, value=value, key=KEY
    )


@pytest.mark.django_db
@pytest.mark.database
class TestStore:
    """With the database."""

    def test_a_secret_of_the_environment_goes_before_one_of_all(self, work: Work) -> None:
        put(work, value="for all")
        put(work, environment="production", value="for production")

        found = {
            environment: queries.sealed("shop", environment, {"PAYMENT_KEY": "payment-key"})
            for environment in ("testing", "production")
        }

        assert unseal(KEY, "payment-key", found["testing"]["PAYMENT_KEY"]) == "for all"
        assert unseal(KEY, "payment-key", found["production"]["PAYMENT_KEY"]) == "for production"

    def test_missing_secrets_are_all_named_with_the_next_step(self, work: Work) -> None:
        put(work)
        names = {"A": "payment-key", "B": "mail-key", "C": "db-key"}

        with pytest.raises(SecretsMissing, match=r"db-key, mail-key.*steerway secret set"):
            queries.sealed("shop", "production", names)
        assert queries.sealed("shop", "production", {}) == {}

    def test_another_service_s_secret_is_not_found(self, work: Work) -> None:
        put(work)

        with pytest.raises(SecretsMissing):
            queries.sealed("cart", "production", {"A": "payment-key"})

    def test_a_new_value_counts_up_and_is_on_record_without_the_value(self, work: Work) -> None:
        put(work)
        secret = put(work, value=VALUE + "2")

        assert secret.version == 2
        assert Secret.objects.count() == 1
        events = log.newest(log.Filter(), rows=10)
        assert [event.type for event in events] == ["secret.set", "secret.set"]
        everything = str([log.cloudevent(event) for event in events])
        everything += repr(secret) + str(vars(secret)) + repr(queries.names(work, service="shop"))
        assert VALUE not in everything

    def test_names_are_listed_by_service_and_environment(self, work: Work) -> None:
        put(work)
        put(work, "mail-key", environment="testing")

        assert [s.name for s in queries.names(work, service="shop")] == ["mail-key", "payment-key"]
        held = queries.names(work, service="shop", environment="production")
        assert [s.name for s in held] == ["payment-key"]
        assert queries.names(work, service="cart") == []

    @pytest.mark.parametrize("name", ["", "Payment", "7up", "a_b", "a" * 65, "a/b", "a\n"])
    def test_a_name_has_a_form(self, work: Work, name: str) -> None:
        with pytest.raises(SecretNameInvalid):
            put(work, name)

    @pytest.mark.parametrize("value", ["", "a\0b", "x" * (VALUE_BYTES_MAX + 1)])
    def test_a_value_fits_an_environment_variable(self, work: Work, value: str) -> None:
        with pytest.raises(ValueInvalid):
            put(work, value=value)

    def test_removing_forgets_it(self, work: Work) -> None:
        put(work)

        actions.remove(work, "payment-key", service="shop")

        assert not Secret.objects.exists()
        with pytest.raises(SecretUnknown, match="of shop in all environments"):
            actions.remove(work, "payment-key", service="shop")

    @pytest.mark.parametrize(
        ("role", "may"),
        [
            (Role.VIEWER, set()),
            (Role.DEVELOPER, {"list"}),
            (Role.OPERATOR, {"list", "set", "remove"}),
            (Role.ADMIN, {"list", "set", "remove", "rotate"}),
        ],
    )
    def test_each_role_may_its_part(
        self, work: Work, role: Role, may: set[str], tmp_path: Path
    ) -> None:
        put(work)
        one = replace(work, actor=actor("olga", role))
        attempts = {
            "list": lambda: queries.names(one, service="shop"),
            "set": lambda: put(one),
            "rotate": lambda: actions.rotate(one, home=tmp_path),
            "remove": lambda: actions.remove(one, "payment-key", service="shop"),
        }
        for name in set(attempts) - may:
            with pytest.raises(Forbidden):
                attempts[name]()

        for name in sorted(may - {"rotate"}, reverse=True):
            attempts[name]()

    def test_a_rotation_seals_anew_and_still_opens_what_replicas_hold(
        self, work: Work, tmp_path: Path
    ) -> None:
        old = key(tmp_path, "secrets")
        actions.set_value(work, "payment-key", service="shop", value=VALUE, key=old)
        before = queries.sealed("shop", "production", {"A": "payment-key"})["A"]

        assert actions.rotate(work, home=tmp_path) == 1

        ring = key(tmp_path, "secrets")
        after = queries.sealed("shop", "production", {"A": "payment-key"})["A"]
        assert ring[KEY_BYTES:] == old
        assert unseal(ring[:KEY_BYTES], "payment-key", after) == VALUE
        assert unseal(ring, "payment-key", before) == VALUE
        with pytest.raises(ValueError, match="does not open"):
            unseal(old, "payment-key", after)
        assert (tmp_path / "keys" / "secrets.key").stat().st_mode & 0o077 == 0
        for _ in range(6):
            actions.rotate(work, home=tmp_path)
        assert len(key(tmp_path, "secrets")) == 5 * KEY_BYTES

    def test_a_secret_of_another_key_stops_the_rotation_by_name(
        self, work: Work, tmp_path: Path
    ) -> None:
        put(work)

        with pytest.raises(Unsealable, match="payment-key does not open"):
            actions.rotate(work, home=tmp_path)

    def test_the_api_takes_a_value_and_never_gives_one(self, browser: Client) -> None:
        body = json.dumps({"value": VALUE})

        answers = [
            browser.put("/api/secrets/shop/payment-key", body, content_type="application/json"),
            browser.get("/api/secrets?service=shop"),
            browser.post("/api/secrets/rotation"),
            browser.put("/api/secrets/shop/BAD", body, content_type="application/json"),
            browser.put("/api/secrets/shop/k", '{"v": "x"}', content_type="application/json"),
            browser.delete("/api/secrets/shop/payment-key"),
        ]

        assert [a.status_code for a in answers] == [200, 200, 200, 422, 422, 204]
        assert not any(VALUE in a.content.decode() for a in answers)
        assert answers[0].json()["version"] == 1
        assert [s["name"] for s in answers[1].json()] == ["payment-key"]
