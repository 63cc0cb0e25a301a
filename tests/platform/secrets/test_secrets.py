"""Secrets: sealed, found by service and environment, never given back."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from steerway.platform.errors import Forbidden
from steerway.platform.identity.rules import Role
from steerway.platform.keys import key
from steerway.platform.log import queries as log
from steerway.platform.secrets import actions, queries
from steerway.platform.secrets.errors import (
    SecretNameInvalid,
    SecretsMissing,
    SecretUnknown,
    ValueInvalid,
)
from steerway.platform.secrets.models import Secret
from steerway.platform.secrets.rules import MASK, VALUE_BYTES_MAX, redact
from steerway.platform.secrets.sealing import KEY_BYTES, Unsealable, seal, unseal
from steerway.platform.work import Work
from tests.cast import actor
from tests.platform.identity.conftest import stage

__all__ = ["stage"]
KEY = bytes(range(KEY_BYTES))
VALUE = "sk_live_8f2c91d7"


@given(st.text(max_size=200))
def test_what_is_sealed_is_unsealed(value: str) -> None:
    assert unseal(KEY, "payment-key", seal(KEY, "payment-key", value)) == value


def test_a_seal_never_looks_the_same_twice_and_shows_nothing() -> None:
    first, second = seal(KEY, "payment-key", VALUE), seal(KEY, "payment-key", VALUE)

    assert first != second
    assert VALUE not in first


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_every_change_of_a_sealed_text_is_noticed(place: int) -> None:
    sealed = seal(KEY, "payment-key", VALUE)
    changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]

    with pytest.raises(Unsealable):
        unseal(KEY, "payment-key", changed)


@pytest.mark.parametrize("text", ["", "v1", "v1::", "v1:x:y", "::::", "v1:00000000:é"])
def test_nonsense_is_not_a_sealed_text(text: str) -> None:
    with pytest.raises(Unsealable, match="payment-key cannot be unsealed"):
        unseal(KEY, "payment-key", text)


def test_a_seal_is_bound_to_its_name_and_key() -> None:
    sealed = seal(KEY, "payment-key", VALUE)

    with pytest.raises(Unsealable):
        unseal(KEY, "mail-key", sealed)
    with pytest.raises(Unsealable):
        unseal(os.urandom(KEY_BYTES), "payment-key", sealed)
    assert unseal(os.urandom(KEY_BYTES) + KEY, "payment-key", sealed) == VALUE


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
def browser(db: None, stage: None) -> Iterator[Client]:
    """The local door, as the command line uses it."""
    yield Client(REMOTE_ADDR="local")


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
        with pytest.raises(Unsealable):
            unseal(old, "payment-key", after)
        assert (tmp_path / "keys" / "secrets.key").stat().st_mode & 0o077 == 0
        for _ in range(6):
            actions.rotate(work, home=tmp_path)
        assert len(key(tmp_path, "secrets")) == 5 * KEY_BYTES

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
