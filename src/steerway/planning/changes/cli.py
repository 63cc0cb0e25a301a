"""Changes, holds and the freeze in the terminal."""

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query


@click.command()
@click.option("--service", default="", help="Only this service.")
@click.option("--env", "environment", default="", help="Only this environment.")
@click.option("--rows", default=30, type=click.IntRange(1, 200), help="At most so many.")
@json_option
def changes(service: str, environment: str, rows: int, as_json: bool) -> None:
    """List changes, newest first."""
    path = query("/api/changes", service=service, environment=environment, rows=rows)
    found = connect().get(path)
    if as_json:
        print_json(found)
        return
    print_table(
        ["change", "state", "kind", "service", "environment", "summary", "by", "opened"],
        [
            [c["ref"], c["state"], c["kind"], c["service"], c["environment"] or "-",
             c["summary"], c["requested_by"], ago(c["opened_at"])]
            for c in found
        ],
        empty="No changes yet. `steerway apply` and `steerway deploy` make them.",
    )  # fmt: skip


@click.command()
@click.argument("ref")
@json_option
def change(ref: str, as_json: bool) -> None:
    """Show the change REF: who, what, why, and how it ended."""
    found = connect().get(f"/api/changes/{ref}")
    if as_json:
        print_json(found)
        return
    click.secho(f"{found['ref']}  {found['summary']}", bold=True)
    for label in ("state", "kind", "service", "environment", "requested_by", "opened_at", "why"):
        if found[label]:
            click.echo(f"  {label.replace('_', ' '):<14}{found[label]}")
    if found["outcome"]:
        click.echo(f"  {'outcome':<14}{found['outcome']}")
    for difference in found["facts"].get("differences", []):
        click.echo(f"  {difference}")


@click.command()
@click.argument("service")
@click.option("--reason", required=True, help="Why; people who are held up read it.")
def hold(service: str, reason: str) -> None:
    """Keep changes of SERVICE from starting."""
    held = connect().post("/api/holds", {"service": service, "reason": reason})
    click.echo(
        f"{held['ref']}  changes of {service} are held. `steerway lift {held['ref']}` ends it."
    )


@click.command()
@click.argument("ref")
def lift(ref: str) -> None:
    """End the hold REF."""
    connect().delete(f"/api/holds/{ref}")
    click.echo(f"{ref} is lifted.")


@click.command()
@json_option
def holds(as_json: bool) -> None:
    """List holds in force, the freeze among them."""
    found = connect().get("/api/holds")
    if as_json:
        print_json(found)
        return
    print_table(
        ["hold", "kind", "service", "reason", "by", "placed"],
        [
            [
                h["ref"],
                h["brake"],
                h["service"] or "all",
                h["reason"],
                h["placed_by"],
                ago(h["placed_at"]),
            ]
            for h in found
        ],
        empty="Nothing is held.",
    )


@click.command()
@click.option("--reason", required=True, help="Why; people who are held up read it.")
def freeze(reason: str) -> None:
    """Keep every change from starting, except emergencies and rollbacks."""
    frozen = connect().put("/api/freeze", {"reason": reason})
    click.echo(f"{frozen['ref']}  all changes are frozen. `steerway thaw` ends it.")


@click.command()
def thaw() -> None:
    """End the freeze."""
    connect().delete("/api/freeze")
    click.echo("Changes may start again.")
