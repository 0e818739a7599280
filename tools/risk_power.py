"""How many days the words for the lower tail take: the table of docs/risk.md.

    python tools/risk_power.py [--write]

One series, one step ahead, one test. How often a value at risk is found out, and what light it has, is the binomial
distribution's, exactly; how often an expected shortfall is, by simulation of returns whose tail is the one it assumes.
With --write the table in docs/risk.md is replaced.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import binom, genpareto

from stockcast.data.series import Floats
from stockcast.data.tails import INDEX, TAIL
from stockcast.evaluate.band_verdict import ALPHA
from stockcast.evaluate.significance import basel_light, binomial_test, clustered_span, mean_test

PAGE = Path(__file__).resolve().parent.parent / "docs" / "risk.md"
BEGIN, END = "<!-- power by tools/risk_power.py -->", "<!-- end -->"

DAYS = (125, 250, 500, 750, 1000, 1200, 1500, 2500)
RUNS = 2000
TOO_SMALL = 0.8
"""Of the true expected shortfall."""

VALUE_AT_RISK, SCALE = 2.5, 0.6
"""Where the simulated tail begins, and how far it reaches: about as a stock's returns in units of their deviation."""


def found_out(days: int, truth: float) -> float:
    """How often the binomial test rejects a value at risk below which returns fall with the probability `truth`."""
    rejected = [count for count in range(days + 1) if binomial_test(count, days, TAIL).p < ALPHA]
    return float(np.sum(binom.pmf(rejected, days, truth)))


def green(days: int, truth: float) -> float:
    """How often its light is green."""
    lit = [count for count in range(days + 1) if basel_light(count, days, TAIL) == "green"]
    return float(np.sum(binom.pmf(lit, days, truth)))


def shortfall_found_out(days: int, random: np.random.Generator) -> float:
    """How often an expected shortfall that is a fifth too small is found out in so many days."""
    tail = genpareto(INDEX, scale=SCALE)
    shortfall = TOO_SMALL * (VALUE_AT_RISK + tail.mean())

    def rejected(returns: Floats) -> bool:
        evidence = mean_test(returns / shortfall - 1, clustered_span(len(returns), 1), skewed=True)
        return evidence.p < ALPHA and evidence.statistic > 0

    counts = random.binomial(days, TAIL, RUNS)
    return float(np.mean([rejected(VALUE_AT_RISK + tail.rvs(count, random_state=random)) for count in counts]))


def table() -> str:
    """A line for each number of days."""
    head = ["days", "expected below", "2 % below: found out", "3 %", "1 %: green", "2 %: green", "shortfall found out"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for days in DAYS:
        shares = [found_out(days, 0.02), found_out(days, 0.03), green(days, 0.01), green(days, 0.02)]
        shares.append(shortfall_found_out(days, np.random.default_rng(days)))
        lines.append(f"| {days:,} | {days * TAIL:g} | {' | '.join(f'{100 * share:.0f} %' for share in shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="replace the table in docs/risk.md")
    given, text = parser.parse_args(), table()
    print(text)
    if given.write:
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        if not begin:
            raise SystemExit(f"{PAGE} has no place for the table.")
        PAGE.write_text(f"{before}{begin}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
