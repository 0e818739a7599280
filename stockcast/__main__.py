"""`python -m stockcast` and the console script `stockcast`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from stockcast.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
