"""Write the expected results of the tests again: `python -m tests.app.descriptors.update`."""

from tests.app.descriptors import cases, samples


def main() -> None:
    """Update every golden file; review the difference."""
    cases.update()
    samples.update()


if __name__ == "__main__":
    main()
