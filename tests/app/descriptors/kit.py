"""A good descriptor that uses every section."""

from pathlib import Path
from typing import Final

KIT: Final = (Path(__file__).parent / "kit.yaml").read_text(encoding="utf-8")
