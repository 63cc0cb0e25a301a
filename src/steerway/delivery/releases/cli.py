"""Releases in the terminal."""

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query

MEGA = 1_000_000


@click.command()
@click.argument("service")
@click.option("--rows", default=20, type=click.IntRange(1, 200), help="At most so many.")
@json_option
def releases(service: str, rows: int, as_json: bool) -> None:
    """List the releases of SERVICE, newest first."""
    found = connect().get(query("/api/releases", service=service, rows=rows))
    if as_json:
        print_json(found)
        return
    print_table(
        ["release", "commit", "digest", "size", "built", "subject"],
        [
            [r["name"], r["commit"][:8], r["digest"][:12],
             "removed" if r["removed_at"] else f"{r['size_bytes'] / MEGA:.1f} MB",
             ago(r["built_at"]), r["subject"]]
            for r in found
        ],
        empty=f"Nothing has been built. `steerway deploy {service}` builds a release.",
    )  # fmt: skip
