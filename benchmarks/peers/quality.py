"""One step ahead on a panel of stocks: `daily`, NeuralForecast and Darts beside EWMA, and how long each takes.

All are trained once on the prices up to 2023-01-03 and forecast every later day, the peers the returns of the closes
with their own sizes, a quantile loss and 1,000 steps. Seconds are those of the whole process, from the files to the
forecasts. The pinball loss is of the next log return, over the nine levels; the ratio is each stock's to EWMA's
(half-life 20, empirical quantiles, per stock, bands that follow), and the mean of the stocks.

    python -m benchmarks.peers.quality --peers .venv-peers/bin/python --data DIR

DIR holds a CSV a stock in the folder `panel`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.common import Sample, process, program
from benchmarks.peers.epochs import versions
from benchmarks.peers.job import SINCE

THEIRS = {"NeuralForecast LSTM": "quality_neuralforecast", "Darts BlockRNNModel": "quality_darts"}


def main() -> None:
    """Run all three, then score what they wrote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", required=True)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    panel = str(given.data.resolve() / "panel")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "ours.csv"]
        backtest = ("backtest", "--csv", panel, "--from", SINCE, "--against", "ewma", "-o", str(files[0]))
        took = {"daily": process("-m", "stockcast", "--store", folder, "--quiet", *backtest)()}
        for name, module in THEIRS.items():
            files.append(Path(folder) / f"{module}.csv")
            took[name] = program(given.peers, "-m", f"benchmarks.peers.{module}", panel, str(files[-1]))()
        report(files, took)
    print(f"\n{versions(given.peers, ('darts', 'neuralforecast', 'torch'))}")


def report(files: list[Path], took: dict[str, Sample]) -> None:
    """A line a model. Raises `RuntimeError` if two were judged on other days or stocks."""
    from benchmarks.peers.scores import read, score

    evaluated = {one.model: one for file in files for one in read(file)}
    scores = {name: score(one, evaluated["ewma"]) for name, one in evaluated.items()}
    print(f"{len(evaluated['ewma'].names)} stocks, {len(evaluated['ewma'].actual):,} forecasts\n")
    head = f"{'model':20}  pinball / EWMA's  better on  80 % held  95 % held  RMSE / last price's  seconds     MB"
    print(f"{head}\n{'-' * len(head)}")
    for name, one in scores.items():
        line = (
            f"{name:20}  {one.pinball:16.4f}  {one.better:9.0%}  {one.held80:9.1%}  {one.held95:9.1%}  {one.rmse:19.4f}"
        )
        spent = f"  {took[name].seconds:7.0f}  {took[name].megabytes:5.0f}" if name in took else ""
        print(line + spent)


if __name__ == "__main__":
    main()
