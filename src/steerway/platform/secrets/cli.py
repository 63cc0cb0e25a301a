"""Secrets in the terminal. A value comes from standard input or a prompt, never an argument."""

import sys

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query


@click.group()
def secret() -> None:
    """Set, list and remove secrets."""


@secret.command("set")
@click.argument("name")
@click.option("--service", required=True, help="Whose secret it is.")
@click.option("--env", "environment", default="", help="Only in this environment; else in all.")
def set_value(name: str, service: str, environment: str) -> None:
    """Set the secret NAME. Type the value, or send it: `steerway secret set NAME … < file`."""
    path = query(f"/api/secrets/{service}/{name}", environment=environment)
    done = connect().put(path, {"value": _value(name)})
    where = done["environment"] or "all environments"
    click.echo(
        f"{name} of {service} in {where} is set (version {done['version']}). "
        "Replicas get it at their next start."
    )


@secret.command("list")
@click.option("--service", default="", help="Only this service.")
@click.option("--env", "environment", default="", help="Only what holds in this environment.")
@json_option
def names(service: str, environment: str, as_json: bool) -> None:
    """List secrets; their values are never shown."""
    found = connect().get(query("/api/secrets", service=service, environment=environment))
    if as_json:
        print_json(found)
        return
    rows = [
        [s["service"], s["name"], s["environment"] or "all", str(s["version"]), s["updated_by"],
         ago(s["updated_at"])]
        for s in found
    ]  # fmt: skip
    print_table(
        ["service", "secret", "environment", "version", "by", "set"],
        rows,
        empty="No secrets yet. `steerway secret set NAME --service SERVICE` makes one.",
    )


@secret.command()
@click.argument("name")
@click.option("--service", required=True, help="Whose secret it is.")
@click.option("--env", "environment", default="", help="The environment it is set for.")
def remove(name: str, service: str, environment: str) -> None:
    """Forget the secret NAME."""
    connect().delete(query(f"/api/secrets/{service}/{name}", environment=environment))
    click.echo(f"{name} of {service} is removed. Replicas keep it until their next start.")


@secret.command()
def rotate() -> None:
    """Make a new key and seal every secret with it."""
    done = connect().post("/api/secrets/rotation")
    click.echo(f"{done['resealed']} secrets are sealed with a new key. Back up keys/secrets.key.")


def _value(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True))
    # One newline at the end is the editor's or echo's; a key file's others stay.
    return sys.stdin.read().removesuffix("\n")
