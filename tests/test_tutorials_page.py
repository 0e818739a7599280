"""The page on the teaching texts: what its tool makes of outputs, and that its commands are the program's own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from tutorial_bench import losses, over_seeds, without_most_epochs
from tutorial_networks import MEMORY, returning_moves
from tutorials import SYSTEMS

from stockcast.cli import stockcast
from stockcast.config.run import load_config

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "tutorials.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^\$ stockcast (.*)$", PAGE, re.MULTILINE)))


def test_the_page_has_every_system_its_commands_and_its_pictures() -> None:
    parts = dict(re.findall(r"^## (T\d+)\. (.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE))
    assert list(parts) == list(SYSTEMS) == [f"T{number}" for number in range(1, 12)]
    assert all("\n```console\n$ " in part and "**What it means.**" in part for part in parts.values())
    assert "${" not in PAGE
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_one_that_the_program_has(line: str) -> None:
    name, *arguments = shlex.split(line)
    if name == "models":
        pytest.skip("no command of settings")
    command = stockcast.commands[name]
    with click.Context(stockcast) as above:
        parsed = command.make_context(name, arguments, parent=above)
    if "preset" in parsed.params:
        load_config(parsed.params["preset"], parsed.params["settings"])


def test_of_many_epochs_the_first_and_the_last_are_shown() -> None:
    told = [f"epoch {number}/9  loss 0.{number}00000" for number in range(1, 10)]
    output = "\n".join(["Read a.csv", *told, "Saved"])
    assert list(without_most_epochs(output)) == ["Read a.csv", *told[:2], "...", told[-1], "Saved"]
    assert losses(output) == [number / 10 for number in range(1, 10)]


def test_a_table_over_seeds_ends_with_the_mean_and_the_spread() -> None:
    figures = np.random.default_rng(0).normal(10, 3, (5, 2))
    *_, mean, spread = over_seeds(["seed", "a", "b"], figures.tolist(), (3, 2)).splitlines()
    for line, expected in ((mean, figures.mean(axis=0)), (spread, figures.std(axis=0, ddof=1))):
        assert line.split(" | ")[1:] == [f"{expected[0]:.3f}", f"{expected[1]:.2f} |"]


def test_made_up_moves_come_back_and_tell_nothing_sooner() -> None:
    prices = np.array([float(line.split(",")[1]) for line in returning_moves().splitlines()[1:]])
    moves = np.diff(np.log(prices))
    correlation = [np.corrcoef(moves[lag:], moves[:-lag])[0, 1] for lag in range(1, MEMORY + 1)]
    assert correlation[-1] == pytest.approx(0.9, abs=0.03)
    assert max(map(abs, correlation[:-1])) < 0.3
