"""Sample projects, each with the descriptor that `init` writes for it."""

from pathlib import Path

from steerway.app.detection.detecting import detect
from steerway.app.detection.writing import descriptor_text

DIRECTORY = Path(__file__).parent / "projects"
GOLDEN = "steerway.yaml"


def names() -> list[str]:
    """The projects."""
    return sorted(path.name for path in DIRECTORY.iterdir() if path.is_dir())


def expected(name: str) -> str:
    """The descriptor that is expected for a project."""
    return (DIRECTORY / name / GOLDEN).read_text(encoding="utf-8")


def written(name: str) -> str:
    """The descriptor that is written for it now."""
    return descriptor_text(detect(DIRECTORY / name))


def update() -> None:
    """Write what is written now as what is expected."""
    for name in names():
        (DIRECTORY / name / GOLDEN).write_text(written(name), encoding="utf-8")
