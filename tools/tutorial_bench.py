"""Where the commands of the teaching texts are run and what they print is kept; and the pieces of a page about them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TEXTS_OWN = (
    "Google_Stock_Price_Train.csv",
    "Google_Stock_Price_Test.csv",
    "FB_training_data.csv",
    "FB_test_data.csv",
    "international-airline-passengers.csv",
)
EPOCH = re.compile(r"^epoch (\d+)/(\d+)  loss ([\d.]+)")
SHOWN_EPOCHS = 2


@dataclass(frozen=True)
class Bench:
    """A folder with the prices, a store of models, and what every command has printed there.

    Its name is a digest of the program, the presets and the prices: with any of them changed, all is run anew.
    """

    folder: Path

    @staticmethod
    def of(data: Path) -> Bench:
        """The bench for the files of the texts in `data`. Exits with a message if one of them is not there."""
        missing = [name for name in TEXTS_OWN if not (data / name).is_file()]
        if missing:
            raise SystemExit(f"{data} has no {missing[0]}. tools/tutorials.md says where the files come from.")
        prices = [*(data / name for name in TEXTS_OWN), ROOT / "data" / "ibm.csv"]
        sources = [*sorted((ROOT / "stockcast").rglob("*.py")), *sorted((ROOT / "configs").glob("*.toml")), *prices]
        digest = hashlib.sha256()
        for path in sources:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        folder = ROOT / "build" / "tutorials" / digest.hexdigest()[:12]
        (folder / "printed").mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        for path in prices:
            shutil.copy(path, folder / "data" / path.name)
        return Bench(folder)

    def run(self, command: str) -> str:
        """What `command` prints at a terminal of 100 columns without colours. Exits with it if the command fails."""
        kept = self._kept(command)
        if not kept.is_file():
            print(command, flush=True)
            done = subprocess.run(arguments(command), check=False, cwd=self._at(command), env=environment(), **TOGETHER)
            if done.returncode:
                raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout.decode()}")
            lines = [line.rstrip() for line in done.stdout.decode().rstrip().splitlines()]
            self._keep(kept, "\n".join(lines))
        return kept.read_text(encoding="utf-8").replace(f"{self.folder}/", "")  # a model knows its prices' whole path

    def ask(self, command: str) -> dict[str, Any]:
        """The object that `command` prints with --json."""
        answer: dict[str, Any] = json.loads(self.run(f"{command} --json --quiet"))
        return answer

    def has(self, command: str) -> bool:
        """Whether it is known what `command` prints."""
        return self._kept(command).is_file()

    def kill(self, command: str, epoch: int) -> None:
        """Run a training with -vv in a process of its own, and kill it when it has told of so many epochs."""
        with subprocess.Popen(arguments(command), cwd=self.folder, env=environment(), **TOGETHER) as process:
            for line in process.stdout or ():
                if line.decode().startswith(f"epoch {epoch}/"):
                    process.send_signal(signal.SIGKILL)
                    break
        if process.returncode != -signal.SIGKILL:
            raise SystemExit(f"{command} ended with {process.returncode} before its epoch {epoch}.")

    def weights(self, name: str) -> str:
        """The SHA-256 of the weights that the model `name` has."""
        (path,) = self.folder.glob(f"models/{name}/versions/*/weights.npz")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def picture(self, command: str, alt: str) -> str:
        """The picture that `command` draws with -o, copied beside the page."""
        self.run(command)
        name = command.split()[-1]
        images = ROOT / "docs" / "images"
        images.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / name, images / name)
        return f"![{alt}](images/{name})"

    def _at(self, command: str) -> Path:
        return self.folder if command.startswith("stockcast ") else ROOT

    def _kept(self, command: str) -> Path:
        return self.folder / "printed" / f"{hashlib.sha256(command.encode()).hexdigest()[:16]}.txt"

    def _keep(self, path: Path, text: str) -> None:
        aside = path.with_suffix(".part")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)


TOGETHER: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
}
"""How a command is run as at a terminal: both streams as they come."""


def arguments(command: str) -> list[str]:
    """`stockcast ...` or `python ...`, run by this interpreter."""
    program, *rest = shlex.split(command)
    return [sys.executable, *(["-m", "stockcast"] if program == "stockcast" else []), *rest]


def environment() -> dict[str, str]:
    """This process's, without settings of the user's own."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("STOCKCAST_")}
    return ours | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def session(*pairs: tuple[str, str]) -> str:
    """Commands and what they printed, as a block; of the lines that tell of epochs the first and the last ones."""
    lines = [line for command, output in pairs for line in (f"$ {command}", *without_most_epochs(output))]
    return "\n".join(["```console", *lines, "```"])


def without_most_epochs(output: str) -> Iterator[str]:
    """The lines of an output; `...` stands for the epochs between the first two and the last."""
    for line in output.splitlines():
        told = EPOCH.match(line)
        number, total = (int(told[1]), int(told[2])) if told else (0, 0)
        if number <= SHOWN_EPOCHS or number == total:
            yield line
        elif number == SHOWN_EPOCHS + 1:
            yield "..."


def only_last_epoch(output: str) -> str:
    """What a training with -vv told of its last epoch; `...` stands for all else."""
    *_, last = (line for line in output.splitlines() if EPOCH.match(line))
    return f"...\n{last}\n..."


def losses(output: str) -> list[float]:
    """The loss of each epoch that a training with -vv told of."""
    return [float(told[3]) for line in output.splitlines() if (told := EPOCH.match(line))]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column flush left and the others flush right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def over_seeds(head: Sequence[str], rows: Sequence[Sequence[float]], digits: Sequence[int]) -> str:
    """A table of a row a seed and a column a figure, with the mean and the standard deviation (n - 1) below."""
    columns = list(zip(*rows, strict=True))
    below = {"mean": [statistics.fmean(column) for column in columns]}
    if len(rows) > 1:
        below["standard deviation"] = [statistics.stdev(column) for column in columns]
    named = {str(seed): row for seed, row in enumerate(rows)} | below
    cells = (
        [name, *(f"{value:.{many}f}" for value, many in zip(row, digits, strict=True))] for name, row in named.items()
    )
    return table(head, cells)


def p_value(p: float | None) -> str:
    """A p value with three digits, or what stands for one."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
