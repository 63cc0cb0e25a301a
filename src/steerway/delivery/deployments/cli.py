"""Deployments in the terminal."""

import time
from datetime import datetime
from typing import Any

import click

from steerway.delivery.analyses.rules import lines
from steerway.platform import clock
from steerway.platform.client import Client, Problem
from steerway.platform.terminal import (
    ago,
    connect,
    is_interactive,
    json_option,
    painted,
    print_json,
    print_table,
    query,
)

POLL_SECONDS = 0.15
JUDGED_SECONDS = 0.5  # a canary is judged once a second
NOT_FOUND = 404
MARKS = {
    "waiting": ("·", "bright_black"),
    "running": ("▸", "cyan"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("-", "bright_black"),
}
GOOD = {"succeeded", "unchanged"}
FACTS = (
    "state",
    "change",
    "commit",
    "digest",
    "config_digest",
    "requested_by",
    "requested_at",
    "switched_at",
    "ended_at",
    "rolled_back_at",
)


@click.command()
@click.argument("service")
@click.option("--env", "environment", default="", help="Environment; the last one when left out.")
@click.option("--ref", default="", help="Branch, tag or commit; the descriptor's when left out.")
@click.option("--why", default="", help="Why; it becomes part of the change.")
@click.option("--emergency", is_flag=True, help="Pass holds and the freeze; needs --why.")
@click.option("--force", is_flag=True, help="Deploy even when this version serves already.")
@click.option("--dark", is_flag=True, help="Run it without a user until somebody releases it.")
@click.option("--no-wait", is_flag=True, help="Do not follow it to its end.")
@json_option
def deploy(
    service: str,
    environment: str,
    ref: str,
    why: str,
    emergency: bool,
    force: bool,
    dark: bool,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Deploy a version of SERVICE."""
    client = connect()
    wish = {
        "service": service,
        "environment": environment or _last_environment(client, service),
        "ref": ref,
        "why": why,
        "emergency": emergency,
        "force": force,
        "dark": dark,
    }
    return _follow(client, client.post("/api/deployments", wish), no_wait=no_wait, as_json=as_json)


@click.command()
@click.argument("service")
@click.option("--env", "environment", default="", help="Environment; the last one when left out.")
@click.option("--to", default="", help="Version to return to; the last good one when left out.")
@click.option("--why", default="", help="Why; it becomes part of the change.")
@click.option("--no-wait", is_flag=True, help="Do not follow it to its end.")
@json_option
def rollback(
    service: str, environment: str, to: str, why: str, no_wait: bool, as_json: bool
) -> int:
    """Return SERVICE to its last good release, with the configuration it had."""
    client = connect()
    wish = {
        "service": service,
        "environment": environment or _last_environment(client, service),
        "to": to,
        "why": why,
    }
    return _follow(client, client.post("/api/rollbacks", wish), no_wait=no_wait, as_json=as_json)


@click.command()
@click.argument("ref")
def cancel(ref: str) -> None:
    """Stop the deployment REF before its switch, or a canary, and undo what it started."""
    connect().post(f"/api/deployments/{ref}/cancellation")
    click.echo(f"{ref} is asked to stop. `steerway watch {ref}` follows it.")


@click.command()
@click.argument("ref")
@json_option
def watch(ref: str, as_json: bool) -> int:
    """Follow the deployment REF to its end. Exit 1 when it did not succeed."""
    client = connect()
    return _follow(client, client.get(f"/api/deployments/{ref}"), as_json=as_json)


@click.command()
@click.argument("ref")
@json_option
def deployment(ref: str, as_json: bool) -> None:
    """Show the deployment REF: what, where, why, and how each step went."""
    found = connect().get(f"/api/deployments/{ref}")
    if as_json:
        print_json(found)
        return
    click.echo(_title(found))
    for label in FACTS:
        if found[label]:
            click.echo(f"  {label.replace('_', ' '):<15}{found[label]}")
    for step in found["steps"]:
        click.echo(_step_line(step))
    if found["state"] != "running":
        _print_end(found)


@click.command()
@click.option("--service", default="", help="Only this service.")
@click.option("--env", "environment", default="", help="Only this environment.")
@click.option("--rows", default=20, type=click.IntRange(1, 200), help="At most so many.")
@json_option
def deployments(service: str, environment: str, rows: int, as_json: bool) -> None:
    """List deployments, newest first."""
    path = query("/api/deployments", service=service, environment=environment, rows=rows)
    found = connect().get(path)
    if as_json:
        print_json(found)
        return
    print_table(
        ["deployment", "state", "service", "environment", "version", "kind", "by", "asked"],
        [
            [d["ref"], d["state"], d["service"], d["environment"], d["version"], d["kind"],
             d["requested_by"], ago(d["requested_at"])]
            for d in found
        ],
        empty="Nothing has been deployed. `steerway deploy SERVICE` does.",
    )  # fmt: skip


def _last_environment(client: Client, service: str) -> str:
    """The environment that users reach: the last of the ordered ones."""
    environments: list[dict[str, Any]] = client.get(f"/api/services/{service}")["environments"]
    return str(environments[-1]["name"])


def _follow(
    client: Client, deployment: dict[str, Any], *, no_wait: bool = False, as_json: bool = False
) -> int:
    if no_wait:
        print_json(deployment) if as_json else click.echo(deployment["ref"])
        return 0
    if as_json:
        deployment = _wait(client, deployment)
        print_json(deployment)
    elif is_interactive():
        deployment = _draw(client, deployment)
    else:
        deployment = _print_steps(client, deployment)
    if not as_json:
        _print_end(deployment)
    return 0 if deployment["state"] in GOOD else 1


def _wait(client: Client, deployment: dict[str, Any]) -> dict[str, Any]:
    while deployment["state"] == "running":
        time.sleep(POLL_SECONDS)
        deployment = client.get(f"/api/deployments/{deployment['ref']}")
    return deployment


class _Canary:
    """What is known of the canary of a deployment, if it is one; asked for as often as it moves."""

    def __init__(self, client: Client) -> None:
        """Know nothing yet."""
        self._client = client
        self._asked_at = 0.0
        self._said = (0.0, "")
        self.found: dict[str, Any] | None = None
        self.points: list[dict[str, Any]] = []  # that nobody has read yet

    def look(self, deployment: dict[str, Any]) -> None:
        """Ask for what is new."""
        is_judged = any(
            s["name"] == "judge" and s["state"] != "waiting" for s in deployment["steps"]
        )
        is_due = time.monotonic() >= self._asked_at + JUDGED_SECONDS
        if not is_judged or not (is_due or deployment["state"] != "running"):
            return
        self._asked_at = time.monotonic()
        known = self.found["points"] if self.found else []
        after = known[-1]["second"] if known else 0
        try:
            found = self._client.get(f"/api/deployments/{deployment['ref']}/analysis?after={after}")
        except Problem as problem:
            if problem.status == NOT_FOUND:  # the first version here is compared with nothing
                return
            raise
        self.points += found["points"]
        self.found = found | {"points": found["points"][-1:] or known}

    def news(self) -> list[str]:
        """A line for each change of the share or the answer since it was asked last."""
        told = lines.news(self.points, self._said)
        self.points = []
        self._said = told[-1][1] if told else self._said
        return [painted(line) for line, _ in told]

    def standing(self) -> list[str]:
        """Where it stands, to be drawn below its step."""
        return (
            [f"      {painted(line)}" for line in lines.standing(self.found)] if self.found else []
        )


def _print_steps(client: Client, deployment: dict[str, Any]) -> dict[str, Any]:
    """A line when a step ends, or a canary moves: for pipes and logs of pipelines."""
    click.echo(_title(deployment))
    printed: set[tuple[str, str]] = set()
    canary = _Canary(client)
    while True:
        canary.look(deployment)
        for line in canary.news():
            click.echo(line)
        for step in deployment["steps"]:
            # A rolling deployment comes back to a step for each replica, with another note.
            one = (step["name"], step["note"])
            if step["state"] in ("done", "failed") and one not in printed:
                printed.add(one)
                click.echo(_step_line(step))
        if deployment["state"] != "running":
            return deployment
        time.sleep(POLL_SECONDS)
        deployment = client.get(f"/api/deployments/{deployment['ref']}")


def _draw(client: Client, deployment: dict[str, Any]) -> dict[str, Any]:
    """The steps, redrawn in place."""
    from rich.live import Live  # noqa: PLC0415 -- loaded only where it draws
    from rich.text import Text  # noqa: PLC0415

    canary = _Canary(client)
    with Live(refresh_per_second=8, transient=False) as live:
        while True:
            canary.look(deployment)
            live.update(Text.from_ansi("\n".join(_drawn(deployment, canary))))
            if deployment["state"] != "running":
                return deployment
            time.sleep(POLL_SECONDS)
            deployment = client.get(f"/api/deployments/{deployment['ref']}")


def _drawn(deployment: dict[str, Any], canary: _Canary) -> list[str]:
    drawn = [_title(deployment)]
    for step in deployment["steps"]:
        drawn.append(_step_line(step))
        drawn += canary.standing() if step["name"] == "judge" else []
    return drawn


def _title(deployment: dict[str, Any]) -> str:
    verb = "Deploying" if deployment["kind"] == "deploy" else "Rolling back to"
    head = click.style(deployment["ref"], bold=True)
    return (
        f"{head}  {verb} {deployment['version']} · {deployment['service']} in "
        f"{deployment['environment']} · {deployment['strategy']}"
    )


def _step_line(step: dict[str, Any]) -> str:
    mark, colour = MARKS[step["state"]]
    name = step["name"].ljust(10)
    return f"  {click.style(mark, fg=colour)} {name} {_took(step):>8}  {step['note']}".rstrip()


def _took(step: dict[str, Any]) -> str:
    if not step["started_at"]:
        return ""
    ended = datetime.fromisoformat(step["ended_at"]) if step["ended_at"] else clock.now()
    seconds = (ended - datetime.fromisoformat(step["started_at"])).total_seconds()
    return f"{max(seconds, 0):.1f} s"


def _print_end(deployment: dict[str, Any]) -> None:
    if deployment["state"] == "succeeded":
        seconds = (
            datetime.fromisoformat(deployment["ended_at"])
            - datetime.fromisoformat(deployment["requested_at"])
        ).total_seconds()
        click.secho(f"{deployment['version']} serves after {seconds:.1f} s.", fg="green")
    elif deployment["state"] == "unchanged":
        click.echo(f"{deployment['version']} serves already with the same configuration.")
    else:
        click.secho(
            f"{deployment['ref']} {deployment['state']}: {deployment['error']}", fg="red", err=True
        )
        if deployment["log_tail"]:
            click.echo(deployment["log_tail"], err=True)
