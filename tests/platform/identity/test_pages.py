"""The pages of people: what each shows, to whom, and that nothing in them runs inline."""

import re
from collections.abc import Callable

import pytest
from django.template.loader import get_template
from django.test import Client

from steerway.platform.identity import actions, pages, signin, tokens
from steerway.platform.identity.models import User
from steerway.platform.web.middleware import CSP
from steerway.platform.work import Work
from tests.platform.identity.stage import PASSWORD, kinds
from tests.platform.identity.test_signin import add_app, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Browser = Callable[[str], Client]
Works = Callable[[str], Work]

OPEN = ["/account/login", "/account/inactive"]
OWN = [
    "/account",
    "/account/password",
    "/account/logout",
    "/account/reauthenticate",
    "/device",
    "/device?code=BBBB-BBBB",
    "/people",
]
AFTER_PROOF = [
    "/account/2fa/app/removal",
    "/account/2fa/codes",
    "/account/2fa/codes/new",
    "/account/2fa/passkeys/new",
]
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+\s*=|javascript:", re.IGNORECASE
)


def assert_clean(html: str) -> None:
    assert "<main" in html
    assert not INLINE.search(html), INLINE.search(html)
    for address in re.findall(r'(?:src|action|href)="([^"]+)"', html):
        assert address.startswith(("/", "#", "data:image/")), address


@pytest.mark.parametrize("path", OPEN)
def test_open_pages_have_nothing_inline(db: None, path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == CSP
    assert_clean(answer.content.decode())


@pytest.mark.parametrize("path", OWN)
def test_own_pages_have_nothing_inline(browser: Browser, path: str) -> None:
    answer = browser("alice").get(path)

    assert answer.status_code in (200, 404)
    assert answer.headers["Content-Security-Policy"] == CSP
    assert_clean(answer.content.decode())


def test_pages_of_second_factors_have_nothing_inline(people: dict[str, User]) -> None:
    client = Client()
    sign_in(client, "alice")
    client.post("/account/reauthenticate", {"password": PASSWORD})
    assert_clean(client.get("/account/2fa/app").content.decode())
    add_app(people["alice"])
    client.post("/account/2fa/codes/new")

    for path in AFTER_PROOF:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert_clean(answer.content.decode())
    again = Client()
    sign_in(again, "alice")
    assert_clean(again.get("/account/2fa/authenticate").content.decode())


@pytest.mark.parametrize(
    "name",
    ["429.html", "socialaccount/authentication_error.html", "socialaccount/login_cancelled.html"],
)
def test_rare_pages_can_be_shown(name: str) -> None:
    assert_clean(get_template(name).render({}))


def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline() -> None:
    assert "default-src 'none'" in CSP
    assert "frame-ancestors 'none'" in CSP
    assert "base-uri 'none'" in CSP
    assert "form-action 'self'" in CSP
    for word in ("unsafe", "http", "*", "blob:"):
        assert word not in CSP


def test_other_headers_are_set(browser: Browser) -> None:
    headers = browser("alice").get("/account").headers

    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]


def test_a_token_s_secret_is_shown_once(browser: Browser) -> None:
    client = browser("dave")

    made = client.post(
        "/account/tokens", {"name": "ci", "role": "viewer", "days": "7", "scopes": "records.read"}
    ).content.decode()

    secret = re.search(r"swy_\w{38}", made)
    assert secret
    assert_clean(made)
    again = client.get("/account").content.decode()
    assert secret[0] not in again
    assert secret[0][:10] in again
    assert "viewer: records.read" in again


def test_a_token_is_revoked_from_its_row(browser: Browser, works: Works) -> None:
    token, _ = tokens.create(works("dave"), name="ci", days=7)

    answer = browser("dave").post(f"/account/tokens/{token.pk}/revocation")

    assert answer.headers["Location"] == "/account"
    assert kinds()[-1] == "token.revoked"


def test_a_token_that_cannot_be_says_why_and_changes_nothing(browser: Browser) -> None:
    client = browser("dave")
    for fields in ({"name": "ci", "days": "x"}, {"name": "ci", "days": "7", "role": "admin"}):
        answer = client.post("/account/tokens", fields)
        assert answer.status_code in (403, 422)
    assert "token.created" not in kinds()


def test_people_are_for_who_manages_them(browser: Browser) -> None:
    assert browser("olga").get("/people").status_code == 403
    assert browser("olga").post("/people", {"name": "eve", "role": "admin"}).status_code == 403
    assert not User.objects.filter(username="eve").exists()
    page = browser("alice").get("/people").content.decode()
    assert all(name in page for name in ("alice", "olga", "dave", "guest"))


def test_an_admin_invites_and_sees_the_link_once(browser: Browser) -> None:
    client = browser("alice")

    made = client.post("/people", {"name": "Carol", "role": "developer"}).content.decode()

    link = re.search(r"http://[^<\s]+/link/[\w-]{43}", made)
    assert link
    assert_clean(made)
    assert link[0] not in client.get("/people").content.decode()
    path = "/link/" + link[0].rpartition("/")[2]
    assert b"Sign in as carol" in Client().get(path).content


def test_an_admin_changes_a_role_disables_enables_and_helps(browser: Browser) -> None:
    client = browser("alice")

    client.post("/people/dave/role", {"role": "operator"})
    client.post("/people/dave/disable")
    client.post("/people/dave/enable")
    client.post("/people/dave/factors")
    client.post("/people/dave/link")

    assert User.objects.get(username="dave").role == "operator"
    assert kinds() == [
        "user.role-changed",
        "user.disabled",
        "user.enabled",
        "user.factors-cleared",
        "user.link-made",
    ]


def test_the_last_admin_cannot_be_lost_through_the_page(browser: Browser) -> None:
    client = browser("alice")

    answer = client.post("/people/alice/role", {"role": "viewer"})

    assert answer.status_code == 409
    assert b"alice is the last admin" in answer.content
    assert User.objects.get(username="alice").role == "admin"


def test_list_pages_ask_the_database_as_often_for_many_as_for_few(
    browser: Browser, works: Works, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client = browser("alice")
    for number in range(30):
        actions.invite(works("alice"), f"bot{number}", role="viewer")
        tokens.create(works("alice"), name="ci", days=1, owner=f"bot{number}")
    client.get("/people")

    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        client.get("/people")


def test_a_provider_s_person_gets_a_free_name_and_the_set_role(
    people: dict[str, User],
) -> None:
    assert signin._free_name("bob") == "bob"
    assert signin._free_name("alice") == "alice2"


@pytest.mark.parametrize(
    ("host", "secure", "work"),
    [("localhost:7300", False, True), ("127.0.0.1:7300", False, False)],
)
def test_passkeys_are_said_to_work_where_browsers_let_them(
    rf: object, host: str, secure: bool, work: bool
) -> None:
    request = rf.get("/", HTTP_HOST=host, secure=secure)  # type: ignore[attr-defined]

    assert pages._passkeys_work(request) is work
