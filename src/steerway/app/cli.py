"""The `steerway` command: a tree of commands, each loaded when it is used.

Exit codes: 0 done; 1 refused or failed; 2 wrong input; 3 not allowed; 4 the server does not
answer; 130 interrupted.
"""

import sys
from importlib import import_module
from typing import Any, Final

import click

from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)

# Command, where it lives, and its line of help (here, so that help loads nothing).
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("steerway.app.commands.server:up", "Start Steerway on this machine."),
    "restart": (
        "steerway.app.commands.server:restart",
        "Start the server anew; services run on.",
    ),
    "down": ("steerway.app.commands.server:down", "Stop Steerway and everything it runs."),
    "status": ("steerway.control.bridge.cli:status", "What runs, and what needs you."),
    "init": ("steerway.app.commands.descriptor:init", "Write a steerway.yaml from what is here."),
    "check": ("steerway.app.commands.descriptor:check", "Check a steerway.yaml."),
    "schema": ("steerway.app.commands.descriptor:schema", "Print the JSON Schema of descriptors."),
    "explain": (
        "steerway.app.commands.descriptor:explain",
        "Where each value in force comes from.",
    ),
    "plan": ("steerway.planning.catalog.cli:plan", "What applying a descriptor would change."),
    "apply": ("steerway.planning.catalog.cli:apply", "Make a descriptor what should be true."),
    "services": ("steerway.planning.catalog.cli:services", "List services."),
    "pause": ("steerway.planning.catalog.cli:pause", "Stop all automatic work on a service."),
    "resume": ("steerway.planning.catalog.cli:resume", "Let automatic work go on."),
    "deploy": ("steerway.delivery.deployments.cli:deploy", "Deploy a version of a service."),
    "rollback": ("steerway.delivery.deployments.cli:rollback", "Return to the last good release."),
    "cancel": ("steerway.delivery.deployments.cli:cancel", "Stop a deployment before its switch."),
    "canary": ("steerway.delivery.analyses.cli:canary", "Steer a version that earns its traffic."),
    "watch": ("steerway.delivery.deployments.cli:watch", "Follow a deployment to its end."),
    "deployment": ("steerway.delivery.deployments.cli:deployment", "Show one deployment."),
    "deployments": ("steerway.delivery.deployments.cli:deployments", "List deployments."),
    "releases": ("steerway.delivery.releases.cli:releases", "List releases."),
    "flags": ("steerway.delivery.flags.cli:flags", "What users see, without a deployment."),
    "query": ("steerway.telemetry.metrics.cli:query", "Ask for metrics in PromQL."),
    "logs": ("steerway.telemetry.logs.cli:logs", "Show, search and follow what a service prints."),
    "traces": ("steerway.telemetry.traces.cli:traces", "List traces, show one, map the services."),
    "coverage": (
        "steerway.control.coverage.cli:coverage",
        "Which layers of a service are seen, and which went silent.",
    ),
    "telemetry": (
        "steerway.telemetry.collectors.cli:telemetry",
        "What is collected: list, pause, resume.",
    ),
    "changes": ("steerway.planning.changes.cli:changes", "List changes."),
    "change": ("steerway.planning.changes.cli:change", "Show one change."),
    "hold": ("steerway.planning.changes.cli:hold", "Keep changes of a service from starting."),
    "lift": ("steerway.planning.changes.cli:lift", "End a hold."),
    "holds": ("steerway.planning.changes.cli:holds", "List holds in force."),
    "freeze": ("steerway.planning.changes.cli:freeze", "Keep all changes from starting."),
    "thaw": ("steerway.planning.changes.cli:thaw", "End the freeze."),
    "dashboard": (
        "steerway.telemetry.dashboards.cli:dashboard",
        "Dashboards: import one of Grafana.",
    ),
    "log": ("steerway.platform.log.cli:log", "The event log: show, verify, export."),
    "timeline": ("steerway.platform.log.cli:timeline", "What happened to a service."),
    "secret": ("steerway.platform.secrets.cli:secret", "Set, list and remove secrets."),
    "user": ("steerway.platform.identity.cli:user", "People: list, add, change role, link."),
    "token": ("steerway.platform.identity.cli:token", "API tokens: list, create, revoke."),
    "login": ("steerway.platform.identity.cli:login", "Sign in to a server elsewhere."),
    "logout": ("steerway.platform.identity.cli:logout", "Forget the sign-in."),
    "whoami": ("steerway.platform.identity.cli:whoami", "Who the server thinks you are."),
    "settings": ("steerway.app.commands.server:settings", "Settings of this installation."),
    "unit": ("steerway.app.commands.server:unit", "Print a systemd unit for the server."),
    "completion": ("steerway.app.commands.completion:completion", "Set up shell completion."),
}

EXIT_FAILED: Final = 1
EXIT_INVALID: Final = 2
EXIT_FORBIDDEN: Final = 3
EXIT_UNAVAILABLE: Final = 4
EXIT_INTERRUPTED: Final = 130
EXIT_CODES: Final = {
    0: "Done.",
    EXIT_FAILED: "Refused, or it failed.",
    EXIT_INVALID: "The input is wrong.",
    EXIT_FORBIDDEN: "Not allowed, or not signed in.",
    EXIT_UNAVAILABLE: "The server, or something it needs, does not answer.",
    EXIT_INTERRUPTED: "Interrupted.",
}
BY_STATUS: Final = {
    401: EXIT_FORBIDDEN,
    403: EXIT_FORBIDDEN,
    400: EXIT_INVALID,
    422: EXIT_INVALID,
    503: EXIT_UNAVAILABLE,
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named first, or an error that names the nearest ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 -- on a typo only

            near = get_close_matches(args[0], COMMANDS, n=2)
            if near:
                hint = f"{error.message} Did you mean {' or '.join(near)}?"
                raise click.UsageError(hint, ctx) from error
            raise


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steerway", message="%(version)s")
def steerway() -> None:
    """Operate your software: plan, deliver and control it from one descriptor."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code; every error is one sentence."""
    try:
        result = steerway.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        _leave("Interrupted.", EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_INVALID)
    except SteerwayError as error:
        _leave(str(error), exit_code(error))
    except KeyboardInterrupt:
        _leave("Interrupted.", EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    sys.exit(result if isinstance(result, int) else 0)


def exit_code(error: SteerwayError) -> int:
    """The exit code that an error leaves with."""
    status: Any = getattr(error, "status", None)
    if status is not None:
        return BY_STATUS.get(status, EXIT_FAILED)
    kinds = {
        Forbidden: EXIT_FORBIDDEN,
        Invalid: EXIT_INVALID,
        Unavailable: EXIT_UNAVAILABLE,
        NotFound: EXIT_FAILED,
        Refused: EXIT_FAILED,
    }
    return next((code for kind, code in kinds.items() if isinstance(error, kind)), EXIT_FAILED)


def _leave(sentence: str, code: int) -> None:
    click.echo(sentence, err=True)
    sys.exit(code)
