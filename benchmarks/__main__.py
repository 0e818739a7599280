"""Run the commands that RESULTS.md names, and put what they print in their places; the words around them stay.

    python -m benchmarks                        every part that needs nothing but this repository
    python -m benchmarks kernel windows         these parts alone
    python -m benchmarks --data DIR tutorial    a part on prices that are not in the repository
    python -m benchmarks --data DIR --peers .venv-peers/bin/python peers

DIR holds the two Google files of the well-known tutorial in `tutorial`, one CSV a stock in `panel`, and the exchange
rates of LTSF in `anchors`. PEERS is a Python that has Darts and NeuralForecast (`make bench-peers` makes one).

A part is a comment with its command, and the block of text below it:

    <!-- python -m benchmarks.kernel --rounds 5 -->
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.common import ROOT

RESULTS = Path(__file__).with_name("RESULTS.md")
PART = re.compile(r"<!-- (python -m benchmarks\.(\S+).*?) -->\n+```text\n.*?```\n", re.DOTALL)


def main() -> None:
    """Run part after part, and write each one's figures as soon as they are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts to run; peers means all of benchmarks/peers")
    parser.add_argument("--data", metavar="DIR", help="prices that are not in the repository")
    parser.add_argument("--peers", metavar="PYTHON", help="the Python of the peers")
    given = parser.parse_args()
    places = {name: value for name, value in (("DATA", given.data), ("PEERS", given.peers)) if value}
    parts = [(match[1], match[2]) for match in PART.finditer(RESULTS.read_text(encoding="utf-8"))]
    chosen = [command for command, name in parts if is_chosen(name, given.names)]
    if not chosen:
        parser.error(f"no part is called {' or '.join(given.names)}; there are {', '.join(name for _, name in parts)}")
    open_places = {command: missing for command in chosen if (missing := missing_places(command, places))}
    for command, missing in open_places.items():
        if given.names:
            parser.error(f"{command} needs --{missing[0].lower()}")
        print(f"left out, for want of --{missing[0].lower()}: {command}", file=sys.stderr)
    for command in chosen:
        if command not in open_places:
            print(command, file=sys.stderr)
            replace_part(command, measured(command, places))


def is_chosen(name: str, wanted: list[str]) -> bool:
    """Whether a part, or the folder that it lies in, was named; where nothing was, all are."""
    return not wanted or any(name == one or name.startswith(f"{one}.") for one in wanted)


def missing_places(command: str, places: Mapping[str, str]) -> list[str]:
    """What the command leaves open and nobody has given."""
    return [word for word in command.split() if word in ("DATA", "PEERS") and word not in places]


def measured(command: str, places: Mapping[str, str]) -> str:
    """What the command prints, below the day and how busy the machine was. Raises `CalledProcessError` if it fails."""
    arguments = [places.get(word, word) for word in command.split()[1:]]
    before = os.getloadavg()[0]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    load = f"load average of a minute: {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    return f"{datetime.now(UTC):%Y-%m-%d}, {load}\n\n{done.stdout.rstrip()}\n"


def replace_part(command: str, text: str) -> None:
    """Put `text` below the command's comment. The file is read anew: somebody may have edited its words meanwhile."""
    before = RESULTS.read_text(encoding="utf-8")
    after = PART.sub(lambda match: block(command, text) if match[1] == command else match[0], before)
    aside = RESULTS.with_suffix(".aside")
    aside.write_text(after, encoding="utf-8")
    aside.replace(RESULTS)


def block(command: str, text: str) -> str:
    """A part as it stands in the file."""
    return f"<!-- {command} -->\n\n```text\n{text}```\n"


if __name__ == "__main__":
    main()
