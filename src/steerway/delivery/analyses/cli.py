"""Canaries in the terminal: looked at, and steered."""

from typing import Any

import click

from steerway.platform.terminal import connect, json_option, print_json

BAR = 20


@click.group()
def canary() -> None:
    """Look at and steer a version that earns its traffic."""


@canary.command()
@click.argument("ref")
@json_option
def show(ref: str, as_json: bool) -> None:
    """Show how the canary of the deployment REF compares."""
    found = connect().get(f"/api/deployments/{ref}/analysis")
    print_json(found) if as_json else _print(found)


@canary.command()
@click.argument("ref")
def pause(ref: str) -> None:
    """Keep the canary of REF at its share; evidence of harm still takes it back."""
    found = connect().post(f"/api/deployments/{ref}/analysis/pause")
    click.echo(f"{ref} stays at {found['percent']:g} %. `steerway canary resume {ref}` goes on.")


@canary.command()
@click.argument("ref")
def resume(ref: str) -> None:
    """Let the canary of REF go on."""
    found = connect().post(f"/api/deployments/{ref}/analysis/resumption")
    click.echo(f"{ref} goes on from {found['percent']:g} %.")


@canary.command()
@click.argument("ref")
@click.option("--step", type=float, help="Which step, in percent; the one it waits for.")
def approve(ref: str, step: float | None) -> None:
    """Let the canary of REF take a step that a person must approve."""
    client = connect()
    wanted = step or client.get(f"/api/deployments/{ref}/analysis")["waits_for"]
    if wanted is None:
        raise click.UsageError(f"{ref} waits for nobody; name the step with --step.")
    client.post(f"/api/deployments/{ref}/analysis/approval", {"percent": wanted})
    click.echo(f"{ref} may take its step to {wanted:g} %.")


@canary.command()
@click.argument("ref")
def promote(ref: str) -> None:
    """Give the canary of REF all of the traffic now, whatever is known of it."""
    connect().post(f"/api/deployments/{ref}/analysis/promotion")
    click.echo(f"{ref} gets everything. `steerway watch {ref}` follows it.")


def _print(found: dict[str, Any]) -> None:
    head = click.style(found["ref"], bold=True)
    steps = " ".join(f"{step:g}" for step in found["steps"])
    click.echo(
        f"{head}  {found['version']} beside {found['stable_version']} · {found['service']} in "
        f"{found['environment']} · {found['percent']:g} % of {steps} 100"
    )
    click.echo(f"  {found['state']}: {found['answer']}")
    for reason in found["reasons"]:
        click.echo(f"  {reason}")
    for point in found["points"][-1:]:
        for metric in point["metrics"]:
            click.echo(metric_line(metric))


def metric_line(metric: dict[str, Any]) -> str:
    """How near one metric is to a rollback, and how far through its gate."""
    filled = round(metric["nearness"] * BAR)
    bar = click.style("█" * filled, fg="red") + "·" * (BAR - filled)
    passed = "gate passed" if metric["gate_passed"] else f"{metric['progress']:.0%} of its proof"
    proof = passed if metric["gate_needed"] or metric["gate_passed"] else ""
    return (
        f"  {metric['name']:<12} {bar} {_ratio(metric, 'new'):>8} new {_ratio(metric, 'old'):>8} "
        f"old  {proof}"
    ).rstrip()


def _ratio(metric: dict[str, Any], side: str) -> str:
    trials = metric[f"requests_{side}"]
    return f"{100 * metric[f'bad_{side}'] / trials:.2f} %" if trials else "no data"
