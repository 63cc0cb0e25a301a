"""Traces in the terminal."""

from typing import Any, Final

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query

WIDTH: Final = 40  # characters of the bars


@click.command()
@click.argument("trace_id", default="")
@click.option("--service", default="", help="With a span of this service.")
@click.option("--env", "environment", default="", help="With a span in this environment.")
@click.option("--name", default="", help="With a span of this name.")
@click.option("--status", default="", type=click.Choice(["", "ok", "error", "unset"]),
              help="With a span that ended so.")  # fmt: skip
@click.option("--min-duration", default="", help="With a span that took at least so, as 250ms.")
@click.option("--attribute", "-a", multiple=True, help="With a span of this NAME=VALUE.")
@click.option("--since", default="", help="From then on: 15m, 2h, or an ISO moment.  [default: 1h]")
@click.option("--map", "is_map", is_flag=True, help="Who calls whom instead.")
@json_option
def traces(trace_id: str, is_map: bool, as_json: bool, **asked: Any) -> None:
    """List traces, or show TRACE_ID as a waterfall."""
    client = connect()
    if trace_id:
        found = client.get(query(f"/api/traces/{trace_id}"))
        shown = _print_waterfall
    elif is_map:
        path = query("/api/traces/map", since=asked["since"], environment=asked["environment"])
        found, shown = client.get(path), _print_map
    else:
        attributes = asked.pop("attribute")
        path = query("/api/traces", **asked)
        for number, one in enumerate(attributes):
            path += ("&" if number or "?" in path else "?") + query("", attribute=one)[1:]
        found, shown = client.get(path), _print_list
    if as_json:
        print_json(found)
    else:
        shown(found)


def _print_list(found: dict[str, Any]) -> None:
    rows = [
        [
            one["trace_id"],
            ago(one["at"]),
            f"{one['duration_ms']:.1f} ms",
            str(one["spans"]),
            str(one["errors"] or ""),
            f"{one['service']}: {one['name']}",
        ]
        for one in found["traces"]
    ]
    headings = ["trace", "when", "took", "spans", "errors", "what"]
    print_table(headings, rows, empty="No trace matches. Look further back with --since.")


def _print_waterfall(found: dict[str, Any]) -> None:
    whole = found["duration_ms"] or 1
    rows = []
    for one in found["spans"]:
        begin = round(one["offset_ms"] / whole * WIDTH)
        length = max(1, round(one["duration_ms"] / whole * WIDTH))
        name = one["name"] or "(parent that was never sent)"
        rows.append(
            [
                f"{'  ' * one['depth']}{one['service']} {name}".strip(),
                f"{one['duration_ms']:.1f} ms",
                (" " * begin + "▇" * length)[:WIDTH],
                "error" if one["status"] == "error" else "",
            ]
        )
    print_table(["span", "took", "when", "status"], rows, empty="")
    if found["is_cut"]:
        click.echo("It has more spans than are shown.")


def _print_map(found: dict[str, Any]) -> None:
    rows = [
        [one["caller"], one["callee"], str(one["calls"]), str(one["errors"]),
         f"{one['p95_ms']:.1f} ms"]
        for one in found["edges"]
    ]  # fmt: skip
    headings = ["caller", "callee", "calls", "errors", "p95"]
    print_table(headings, rows, empty="No service called another one. Look further with --since.")
