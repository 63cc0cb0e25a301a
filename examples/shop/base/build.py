"""Checks what will run: every module compiles, every migration can be undone.

Nothing is written, so the same commit gives the same release wherever it is built.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def problems() -> list[str]:
    """What stands in the way of a release."""
    found = []
    for path in sorted(HERE.glob("shop/*.py")):
        try:
            compile(path.read_text(), path.name, "exec")
        except SyntaxError as error:
            found.append(f"shop/{path.name}:{error.lineno}: {error.msg}")
    for path in sorted(HERE.glob("migrations/*.up.sql")):
        if not path.with_name(path.name.replace(".up.", ".down.")).exists():
            found.append(f"migrations/{path.name} has no .down.sql beside it: it cannot be undone")
    return found


if __name__ == "__main__":
    for problem in problems():
        print(f"build: {problem}", file=sys.stderr)
    sys.exit(1 if problems() else 0)
