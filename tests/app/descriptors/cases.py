"""Files of wrong descriptors with the lines that `check` prints for them.

`=== title` starts a case, `+base` stands for four good lines, `>>>` starts an expected line.
`update.py` writes the expected lines again; review the difference.
"""

from dataclasses import dataclass
from pathlib import Path

from steerway.app import descriptor
from steerway.platform.descriptor.errors import DescriptorInvalid

DIRECTORY = Path(__file__).parent / "malformed"
BASE = "steerway: 1\nservice: shop\nrun:\n  command: ./shop\n"
EXPECTED = ">>> "


@dataclass(frozen=True)
class Case:
    """A wrong descriptor."""

    title: str
    written: str
    expected: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.written.replace("+base\n", BASE)


def read(file: Path) -> list[Case]:
    """The cases of a file."""
    chunks = file.read_text(encoding="utf-8").split("=== ")[1:]
    return [_case(chunk) for chunk in chunks]


def _case(chunk: str) -> Case:
    title, _, body = chunk.partition("\n")
    lines = body.splitlines(keepends=True)
    written = "".join(line for line in lines if not line.startswith(EXPECTED))
    expected = [line.removeprefix(EXPECTED).rstrip("\n") for line in lines if line not in written]
    return Case(title, written, tuple(line for line in expected if line))


def problems(text: str) -> tuple[str, ...]:
    """What is said about a text."""
    try:
        descriptor.load(text)
    except DescriptorInvalid as invalid:
        return tuple(str(problem) for problem in invalid.problems)
    return ()


def all_cases() -> list[Case]:
    """Every case."""
    return [case for file in sorted(DIRECTORY.glob("*.txt")) for case in read(file)]


def update() -> None:
    """Write what is said now as what is expected."""
    for file in sorted(DIRECTORY.glob("*.txt")):
        chunks = [
            f"=== {case.title}\n{case.written}"
            + "".join(f"{EXPECTED}{line}\n" for line in problems(case.text))
            for case in read(file)
        ]
        file.write_text("".join(chunks), encoding="utf-8")
