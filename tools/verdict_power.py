"""How often the words for bands are earned, right and wrong: the tables of docs/verdict.md, by simulation.

    python tools/verdict_power.py [--runs N] [--write]

A random walk with normal steps is forecast one to five steps ahead by bands of known coverage: the normal quantiles,
all times one factor. So the truth is known, and the words of `evaluate.band_verdict` can be held against it. With
--write the tables in docs/verdict.md are replaced. Takes some ten minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast
from stockcast.evaluate.band_verdict import BAND_WORDS, KEPT, NARROW, BandsVerdict, judge_bands

PAGE = Path(__file__).resolve().parent.parent / "docs" / "verdict.md"
BEGIN, END = "<!-- {} by tools/verdict_power.py -->", "<!-- end -->"

HORIZON = 5
WRONG = ((20, 0.558), (60, 0.664), (490, 0.751))
"""Days and true coverage of the 80 % band, of cells in which a test for narrowness alone fails three times in ten."""

DAYS = (50, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1500, 2000, 3000, 4000, 5000)
FOUR_OF_FIVE = 0.8


def walk(days: int, coverage: float, random: np.random.Generator) -> EvaluatedForecast:
    """Forecasts of a random walk from so many days; their 80 % band holds the share `coverage` in truth."""
    moves = random.standard_normal(days + HORIZON) / 100
    level = np.concatenate([[0.0], np.cumsum(moves)])
    rows = np.arange(days)
    ahead = rows[:, None] + np.arange(1, HORIZON + 1)  # (n, H)
    factor = ndtri((1 + coverage) / 2) / ndtri(0.9)
    spread = factor * ndtri(np.array(QUANTILES)) * np.sqrt(np.arange(1, HORIZON + 1))[:, None] / 100  # (H, Q)
    last = 100 * np.exp(level[rows])
    quantiles = last[:, None, None] * np.exp(spread)
    point = np.repeat(last[:, None], HORIZON, axis=1)
    dates = np.datetime64("2000-01-03") + np.arange(days + HORIZON)
    forecast = Forecast(np.zeros(days, dtype=np.int64), rows, last, point, quantiles)
    return EvaluatedForecast("walk", ("walk",), forecast, 100 * np.exp(level[ahead]), dates[rows], dates[ahead - 1])


def verdicts(days: int, coverage: float, runs: int) -> list[BandsVerdict]:
    """What is said of so many walks."""
    random = np.random.default_rng([days, round(1000 * coverage)])
    every = (judge_bands(walk(days, coverage, random)) for _ in range(runs))
    return [one for one in every if one is not None]


def share(found: Sequence[BandsVerdict], word: str, step: int) -> float:
    """How often a step got a word."""
    return float(np.mean([one.steps[step - 1].word == word for one in found]))


def wrong_table(runs: int) -> str:
    """Each cell's words one step ahead, and how often any step was called kept."""
    lines = [
        f"| days | 80 % band holds | {' | '.join(BAND_WORDS)} | kept, any step |",
        f"|{'---|' * (len(BAND_WORDS) + 3)}",
    ]
    for days, coverage in WRONG:
        found = verdicts(days, coverage, runs)
        words = " | ".join(f"{100 * share(found, word, 1):.1f} %" for word in BAND_WORDS)
        somewhere = np.mean([any(step.word == KEPT for step in one.steps) for one in found])
        lines.append(f"| {days} | {100 * coverage:.1f} % | {words} | {100 * somewhere:.1f} % |")
    return "\n".join(lines)


def power_table(runs: int) -> str:
    """How often right bands are called kept, and narrow ones narrow, by days; then where four of five is reached."""
    questions = [("kept", 0.8, KEPT, 1), ("kept", 0.8, KEPT, 5)]
    questions += [("found out", cover, NARROW, step) for cover in (0.75, 0.7) for step in (1, 5)]
    rows, reached = [], ["-"] * len(questions)
    for days in DAYS:
        found = {cover: verdicts(days, cover, runs) for cover in (0.8, 0.75, 0.7)}
        shares = [share(found[cover], word, step) for _, cover, word, step in questions]
        rows.append(f"| {days:,} | {' | '.join(f'{100 * one:.0f} %' for one in shares)} |")
        pairs = zip(reached, shares, strict=True)
        reached = [f"{days:,}" if at == "-" and one >= FOUR_OF_FIVE else at for at, one in pairs]
    heads = [f"{what}, {number} ahead" for what in ("kept", "5 points", "10 points") for number in ("one", "five")]
    lines = [f"| days | {' | '.join(heads)} |", f"|{'---|' * (len(heads) + 1)}", *rows]
    return "\n".join([*lines, f"| four of five from | {' | '.join(reached)} |"])


def written(page: str, name: str, table: str) -> str:
    """The page with the table of this name replaced."""
    before, begin, rest = page.partition(BEGIN.format(name))
    if not begin:
        raise SystemExit(f"{PAGE} has no place for {name}.")
    return f"{before}{begin}\n{table}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Print the tables, and write them where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--runs", type=int, default=2000, help="of each cell of the first table; a fourth in the second"
    )
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/verdict.md")
    given = parser.parse_args()
    tables = {"wrong": wrong_table(given.runs), "power": power_table(given.runs // 4)}
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        print(f"{table}\n")
        page = written(page, name, table)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
