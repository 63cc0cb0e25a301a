"""Homes of tests, and how they are removed."""

import os
import shutil
from pathlib import Path


def remove(home: Path) -> None:
    """Delete a home. The folders of releases are read-only, which binds all but root."""
    for folder, _, _ in os.walk(home):
        Path(folder).chmod(0o700)
    shutil.rmtree(home)
