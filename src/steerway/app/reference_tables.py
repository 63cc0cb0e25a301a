"""Text of the reference: its headings and tables in Markdown."""

from collections.abc import Sequence

NOTE = "*Generated from the code by `make docs`; edit the code.*"


def page(title: str, *parts: str) -> str:
    """A page: its title, the note that it is generated, and its parts."""
    return "\n\n".join([f"# {title}", NOTE, *(part.strip() for part in parts if part)]) + "\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; bars and line ends within a cell are kept from breaking it."""
    lines = [_row(headings), _row(["---"] * len(headings))]
    return "\n".join(lines + [_row([_cell(cell) for cell in row]) for row in rows])


def code(text: object) -> str:
    """Text as it is typed; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def one_line(text: str | None) -> str:
    """The text without its line ends."""
    return " ".join((text or "").split())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
