"""The catalog in the terminal."""

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table


@click.command()
@json_option
def services(as_json: bool) -> None:
    """List services with their environments."""
    found = connect().get("/api/services")
    if as_json:
        print_json(found)
        return
    print_table(
        ["service", "state", "environments", "owners", "applied", "by"],
        [
            [
                one["name"],
                "paused" if one["paused_at"] else one["state"],
                ", ".join(environment["name"] for environment in one["environments"]),
                ", ".join(one["owners"]) or "-",
                ago(one["applied_at"]),
                one["applied_by"],
            ]
            for one in found
        ],
        empty="No services yet. `steerway init` and `steerway apply` add one.",
    )


@click.command()
@click.argument("service")
@click.option("--reason", required=True, help="Why; it is shown wherever the service is shown.")
def pause(service: str, reason: str) -> None:
    """Keep Steerway's hands off SERVICE: nothing is repaired or started for it."""
    connect().put(f"/api/services/{service}/pause", {"reason": reason})
    click.echo(f"{service} is paused. `steerway resume {service}` ends it.")


@click.command()
@click.argument("service")
def resume(service: str) -> None:
    """Let Steerway look after SERVICE again."""
    connect().delete(f"/api/services/{service}/pause")
    click.echo(f"Steerway looks after {service} again.")
