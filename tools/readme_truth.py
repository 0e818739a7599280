"""Check that README.md says what is so; with --write, correct what its commands print.

    python tools/readme_truth.py [--write]

A block fenced as ```console is a session: each line `$ stockcast ...` is run, all in one temporary folder that holds a
copy of data/, in their order, and the lines below it must be what the command prints, stdout and stderr as they come.
Only this may differ from one machine to another:

- a number of seconds or minutes with its unit, the moment of a run, the stamp that names a saved model's version, and
  the mark of a schedule; the folder and the Python of a run are shown as below /path/to;
- a number with a decimal point, by half a percent or by two in its last digit: the same training on another
  processor rounds its sums in another order;
- runs of blanks and of ruled lines, since the columns' widths follow the numbers.

Relative links, pictures and links to a heading must lead somewhere. With --write, a picture whose name one of the
commands has drawn is replaced by what it drew.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "$ "
FENCE = "```"

TIME = re.compile(r"\b\d+(\.\d+)? ?(s|seconds?|min|minutes?)\b")
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MARK = re.compile(r"\bstockcast-[0-9a-f]{8}\b")
VERSION = re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{8}\b")
DECIMAL = re.compile(r"\d[\d,]*\.\d+")
RELATIVE_TOLERANCE = 0.005
LAST_DIGITS = 2

FOLDER = "/path/to/prices"
PYTHON = "/path/to/stockcast/.venv/bin/python"

LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|<img[^>]*\ssrc=\"([^\"]+)\"")


@dataclass(frozen=True)
class Step:
    """One command of a session: the lines of README.md from `first` up to `end`, without it, are its output."""

    command: str
    first: int
    end: int


def main() -> int:
    """Check the README; the exit code says whether it is true."""
    parser = argparse.ArgumentParser(description="Check that README.md says what is so.")
    parser.add_argument("--write", action="store_true", help="correct what the commands print, and the pictures")
    write = parser.parse_args().write
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "data", Path(folder, "data"))
        printed = [(step, run(step.command, Path(folder))) for step in steps(text)]
        faults = list(wrong_outputs(text, printed))
        if write:
            text = corrected(text, printed)
            readme.write_text(text, encoding="utf-8")
            redraw(text, Path(folder))
            faults = []
    faults += broken_links(text)
    print("\n".join(faults) if faults else f"README.md: {len(printed)} commands and {len(links(text))} links are true.")
    return 1 if faults else 0


def steps(text: str) -> list[Step]:
    """The commands of all sessions in `text`. Exits with a message at one that is not stockcast's."""
    found: list[Step] = []
    lines = text.splitlines()
    for begin, end in sessions(lines):
        prompts = [number for number in range(begin, end) if lines[number].startswith(PROMPT)]
        if not prompts or prompts[0] != begin:
            raise SystemExit(f"README.md:{begin + 1}: a console block begins with `$ stockcast ...`.")
        for number, following in zip(prompts, [*prompts[1:], end], strict=True):
            command = lines[number].removeprefix(PROMPT)
            if command.split()[0] != "stockcast":
                raise SystemExit(f"README.md:{number + 1}: {command!r} is not run here; put it into a block of sh.")
            last = following
            while not lines[last - 1].strip():
                last -= 1
            found.append(Step(command, number + 1, last))
    return found


def sessions(lines: list[str]) -> Iterator[tuple[int, int]]:
    """The first line and the closing fence of each block fenced as console."""
    begin = None
    for number, line in enumerate(lines):
        if begin is None and line.strip() == f"{FENCE}console":
            begin = number + 1
        elif begin is not None and line.strip() == FENCE:
            yield begin, number
            begin = None


def run(command: str, folder: Path) -> list[str]:
    """What `command` prints, as it would at a terminal of 100 columns without colours."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("STOCKCAST_")}
    ours |= {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=folder,
        env=ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode().replace(str(folder.resolve()), FOLDER).replace(sys.executable, PYTHON)
    return [line.rstrip() for line in printed.rstrip().splitlines()]


def wrong_outputs(text: str, printed: list[tuple[Step, list[str]]]) -> Iterator[str]:
    """For each command that prints something else than `text` shows, the difference."""
    lines = text.splitlines()
    for step, output in printed:
        shown = lines[step.first : step.end]
        if not same_output(shown, output):
            yield f"README.md:{step.first}: {step.command}"
            yield from difflib.unified_diff(shown, output, "README.md", "what it prints", lineterm="")


def same_output(shown: list[str], output: list[str]) -> bool:
    """Whether two outputs are equal, but for what may differ from one machine to another."""
    return len(shown) == len(output) and all(map(same_line, shown, output))


def same_line(shown: str, output: str) -> bool:
    """Whether two lines are equal, but for what may differ from one machine to another."""
    shown, output = masked(shown), masked(output)
    if DECIMAL.sub("#", shown) != DECIMAL.sub("#", output):
        return False
    return all(map(close, DECIMAL.findall(shown), DECIMAL.findall(output)))


def masked(line: str) -> str:
    for pattern, word in ((TIME, "TIME"), (MOMENT, "MOMENT"), (VERSION, "VERSION"), (MARK, "MARK")):
        line = pattern.sub(word, line)
    return re.sub(r"\s+", " ", re.sub(r"[─━═-]{2,}", "--", line)).strip()


def close(shown: str, output: str) -> bool:
    """Whether two decimal numbers agree in their digits after the point, and nearly in their values."""
    digits = len(shown.partition(".")[2])
    if digits != len(output.partition(".")[2]):
        return False
    first, second = float(shown.replace(",", "")), float(output.replace(",", ""))
    allowed = max(RELATIVE_TOLERANCE * max(first, second), LAST_DIGITS * 10.0**-digits)
    return abs(first - second) <= allowed * (1 + 1e-9)


def corrected(text: str, printed: list[tuple[Step, list[str]]]) -> str:
    """`text` with the output of every command that prints something else replaced by what it prints."""
    lines = text.splitlines()
    for step, output in reversed(printed):
        if not same_output(lines[step.first : step.end], output):
            lines[step.first : step.end] = output
    return "\n".join(lines) + "\n"


def redraw(text: str, folder: Path) -> None:
    """Replace each picture of the README by the file of its name in `folder`, if there is one."""
    for target in links(text):
        drawn = folder / Path(target).name
        if drawn.is_file():
            (ROOT / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(drawn, ROOT / target)


def links(text: str) -> list[str]:
    """The targets of all links and pictures in `text`, but for addresses on the web."""
    targets = [link or picture for link, picture in LINK.findall(outside_blocks(text))]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def broken_links(text: str) -> Iterator[str]:
    """A message for each link that leads to no file and to no heading."""
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", outside_blocks(text), re.MULTILINE)}
    for target in links(text):
        path, _, heading = target.partition("#")
        if not (ROOT / path).exists() or (not path and heading not in anchors):
            yield f"README.md: the link to {target} leads nowhere."


def outside_blocks(text: str) -> str:
    return re.sub(rf"^{FENCE}.*?^{FENCE}$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchor(heading: str) -> str:
    """The name under which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
