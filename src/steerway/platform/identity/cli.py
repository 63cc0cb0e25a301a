"""People, tokens and one's own sign-in in the terminal."""

import json
import os
import socket
import time
from typing import Any, Final

import click

from steerway.platform.client import Client, Problem
from steerway.platform.errors import Refused
from steerway.platform.terminal import (
    ago,
    connect,
    json_option,
    print_json,
    print_table,
    query,
    tokens_file,
)

SLOWER_SECONDS: Final = 5
POLLS_MAX: Final = 400


class SignInFailed(Refused):
    """The sign-in did not come to a token."""

    message = "Not signed in: {why}. Run `steerway login` again."


WHY: Final = {
    "access_denied": "somebody said no in the browser",
    "expired_token": "nobody confirmed it in time",
}


@click.group()
def user() -> None:
    """People: list, add, change role, link, disable."""


@user.command("list")
@json_option
def list_people(as_json: bool) -> None:
    """List everybody."""
    found = connect().get("/api/people")
    if as_json:
        print_json(found)
        return
    rows = [
        [p["name"], p["role"], "active" if p["active"] else "disabled", ago(p["last_signed_in_at"])]
        for p in found
    ]
    print_table(
        ["name", "role", "state", "signed in"],
        rows,
        empty="Nobody yet. `steerway user add NAME --role admin` invites somebody.",
    )


@user.command()
@click.argument("name")
@click.option("--role", default="viewer", show_default=True, help="What they may do.")
def add(name: str, role: str) -> None:
    """Invite NAME: prints their first sign-in link."""
    made = connect().post("/api/people", {"name": name, "role": role})
    _print_link(made)


@user.command()
@click.argument("name")
@click.argument("role")
def role(name: str, role: str) -> None:
    """Give NAME the role ROLE.

    ROLE: viewer, developer, operator or admin.
    """
    person = connect().patch(f"/api/people/{name}", {"role": role})
    click.echo(f"{person['name']} is {person['role']} from now on.")


@user.command()
@click.argument("name", default="")
def link(name: str) -> None:
    """Print a link that signs NAME in once.

    Without NAME, the first admin.
    """
    path = f"/api/people/{name}/links" if name else "/api/people/first-link"
    _print_link(connect().post(path), within="24 hours" if name else "15 minutes")


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Sign NAME out everywhere and let them in no more."""
    connect().patch(f"/api/people/{name}", {"active": False})
    click.echo(f"{name} is disabled. `steerway user enable {name}` lets them in again.")


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let NAME in again."""
    connect().patch(f"/api/people/{name}", {"active": True})
    click.echo(f"{name} is enabled.")


@user.command("forget-factors")
@click.argument("name")
def forget_factors(name: str) -> None:
    """Forget the second factors of NAME, who lost them."""
    connect().delete(f"/api/people/{name}/factors")
    click.echo(f"{name} signs in without a second factor until they set one up.")


@click.group()
def token() -> None:
    """API tokens: list, create, revoke."""


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List live tokens: your own, or all for an admin."""
    found = connect().get("/api/tokens")
    if as_json:
        print_json(found)
        return
    rows = [
        [t["owner"], t["name"], t["prefix"] + "…", t["role"], ", ".join(t["scopes"]),
         ago(t["last_used_at"]), t["expires_at"][:10]]
        for t in found
    ]  # fmt: skip
    print_table(
        ["owner", "name", "begins with", "role", "scopes", "last used", "expires"],
        rows,
        empty="No tokens. `steerway token create NAME` makes one.",
    )


@token.command()
@click.argument("name")
@click.option("--owner", default="", help="Whose token it is; else yours.")
@click.option("--role", default="", help="At most what it may do; else the owner's role.")
@click.option("--scope", "scopes", multiple=True, help="Only for this; may be repeated.")
@click.option(
    "--days", default=90, show_default=True, type=click.IntRange(1, 365), help="How long it lives."
)
@json_option
def create(
    name: str, owner: str, role: str, scopes: tuple[str, ...], days: int, *, as_json: bool
) -> None:
    """Make the token NAME and print its secret, this once."""
    body = {"name": name, "owner": owner, "role": role, "days": days}
    made = connect().post("/api/tokens", {**body, "scopes": list(scopes) or ["*"]})
    if as_json:
        print_json(made)
        return
    click.echo(made["secret"])
    click.echo(f"It acts for {made['owner']} until {made['expires_at'][:10]}.", err=True)


@token.command()
@click.argument("name")
@click.option("--owner", default="", help="Whose token it is, when several have the name.")
def revoke(name: str, owner: str) -> None:
    """Make the token NAME stop working.

    Its beginning or id will do as well.
    """
    client = connect()
    fits = [
        t
        for t in client.get("/api/tokens")
        if name in (t["name"], t["prefix"], t["prefix"] + "…", t["id"])
        and owner in ("", t["owner"])
    ]
    if len(fits) != 1:
        raise click.ClickException(
            f"{len(fits)} live tokens are called {name}. `steerway token list` shows them."
        )
    client.delete(f"/api/tokens/{fits[0]['id']}")
    click.echo(f"The token {fits[0]['owner']}/{fits[0]['name']} is revoked.")


@click.command()
@click.argument("server", envvar="STEERWAY_SERVER")
def login(server: str) -> None:
    """Sign in to the server at the address SERVER: it shows a code, you confirm in the browser."""
    server = server.rstrip("/")
    client = Client(server)
    asked = client.post("/api/device", {"client": f"steerway on {socket.gethostname()}"})
    click.echo(f"Open {asked['verification_uri_complete']}")
    click.echo(f"and compare the code: {click.style(asked['user_code'], bold=True)}")
    granted = _wait(client, asked["device_code"], float(asked["interval"]))
    _keep(server, granted["access_token"])
    click.echo(f"Signed in to {server} as {granted['name']}. Name it in STEERWAY_SERVER to use it.")


@click.command()
@click.argument("server", envvar="STEERWAY_SERVER")
def logout(server: str) -> None:
    """Revoke and forget the token for SERVER."""
    server = server.rstrip("/")
    secret = _kept().get(server, "")
    if secret:
        try:
            Client(server, secret).delete("/api/me/token")
        except Problem:
            click.echo("The server does not know the token any more.", err=True)
    _keep(server, "")
    click.echo(f"Signed out of {server}.")


@click.command()
@json_option
def whoami(as_json: bool) -> None:
    """Who the server thinks you are."""
    me = connect().get(query("/api/me"))
    if as_json:
        print_json(me)
        return
    narrowed = "" if me["scopes"] == ["*"] else f", only for {', '.join(me['scopes'])}"
    click.echo(f"{me['name']}  {me['role']}{narrowed}")


def _wait(client: Client, device_code: str, interval: float) -> dict[str, Any]:
    for _ in range(POLLS_MAX):
        time.sleep(interval)
        try:
            answer: dict[str, Any] = client.post("/api/device/token", {"device_code": device_code})
        except Problem as problem:
            error = str(problem.problem.get("error", problem))
            if error == "slow_down":
                interval += SLOWER_SECONDS
            elif error != "authorization_pending":
                raise SignInFailed(why=WHY.get(error, error)) from problem
        else:
            return answer
    raise SignInFailed(why=WHY["expired_token"])


def _kept() -> dict[str, str]:
    file = tokens_file()
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _keep(server: str, secret: str) -> None:
    """Write the tokens anew, readable by their owner alone from the first moment."""
    file = tokens_file()
    kept = {**_kept(), server: secret}
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump({where: text for where, text in kept.items() if text}, handle)
    draft.replace(file)


def _print_link(made: dict[str, str], *, within: str = "24 hours") -> None:
    click.echo(made["url"])
    click.echo(f"It signs {made['name']} in once, within {within}.", err=True)
