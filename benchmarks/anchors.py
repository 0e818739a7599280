"""`daily` and `har` on two benchmarks whose figures others have published.

The exchange rates of LTSF (Zeng et al. 2023, Are transformers effective for time series forecasting?): eight rates, cut
7 : 1 : 2 in time, each standardised on the first part, mean squared error over the next 96 to 720 days. Their program
leaves out the last windows that fill no batch of 32, and so does this, or the last price would have another error than
theirs. `daily` learns from the first part, with horizons up to the 250 that the setting allows; later steps repeat the
last point.

The variance of the S&P 500 on the last 1,000 days of the file that comes with the library `arch`: Parkinson's estimator
from the day's high and low, known the day before, and QLIKE, a / f - log(a / f) - 1 (Patton 2011, Volatility forecast
comparison using imperfect volatility proxies). The regressions are fitted anew each day on the 1,000 days before, in
windows of 1, 5 and 22 days; `har` and `daily` once, before the first of these days, and their spread squared is brought
to the size of Parkinson's variance by one factor from the days of training.

    python -m benchmarks.anchors --data DIR

DIR holds `exchange_rate.txt.gz` in the folder `anchors`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from stockcast.config.run import load_config
from stockcast.data.forecast import Forecast, evaluate, extended
from stockcast.data.returns import trailing_mean
from stockcast.data.series import Floats, Panel, PriceSeries
from stockcast.data.volatility import ewma
from stockcast.data.windows import usable_ends
from stockcast.evaluate.levels import band_ends
from stockcast.learn import fit_to_cutoff
from stockcast.model.baselines import Scaled, build
from stockcast.model.training_run import TrainingRun

RATES, BATCH, LONGEST = 8, 32, 250
HORIZONS = (96, 192, 336, 720)
LTSF: Mapping[str, tuple[float, ...]] = {
    "repeat last": (0.081, 0.167, 0.305, 0.823),
    "DLinear": (0.081, 0.157, 0.305, 0.643),
    "NLinear": (0.089, 0.180, 0.331, 1.033),
    "FEDformer": (0.148, 0.271, 0.460, 1.195),
    "Autoformer": (0.197, 0.300, 0.509, 1.447),
    "Informer": (0.847, 1.204, 1.672, 2.478),
}
"""Published errors at `HORIZONS`. The first table in their repository had the two linear models the wrong way round."""

DAYS, REGRESSED = 1000, (1, 5, 22)
PUBLISHED: Mapping[str, float] = {"random walk": 0.800, "EWMA, memory 0.94": 0.520, "HAR": 0.440}
"""QLIKE on the same days."""

SEEDS = (0, 1, 2)


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print(exchange_table(exchange_rates(given.data / "anchors" / "exchange_rate.txt.gz")))
    print()
    print(variance_table(sp500()))


def exchange_rates(path: Path) -> Panel:
    """The eight rates. The file has no dates, so they get business days."""
    rates = np.loadtxt(path, delimiter=",")
    dates = np.busday_offset("1990-01-01", np.arange(len(rates)), roll="forward")
    return Panel(tuple(PriceSeries(f"rate {at + 1}", dates, {"close": rates[:, at]}) for at in range(RATES)))


def exchange_table(panel: Panel) -> str:
    """A line a forecaster, the published figures last."""
    made = {steps: exchange_forecast(panel, steps) for steps in sorted({min(one, LONGEST) for one in HORIZONS})}
    errors: dict[str, list[float]] = {"the last price": [], "daily": []}
    for horizon in HORIZONS:
        forecast = extended(made[min(horizon, LONGEST)], horizon)
        last = np.repeat(forecast.last[:, None], horizon, axis=1)
        errors["the last price"].append(exchange_error(panel, replace(forecast, point=last)))
        errors["daily"].append(exchange_error(panel, forecast))
    head = f"{'exchange rates, mean squared error':35}" + "".join(f"{horizon:>8}" for horizon in HORIZONS)
    rows = errors | {f"{name}, as published": list(published) for name, published in LTSF.items()}
    lines = [f"{name:35}" + "".join(f"{error:8.3f}" for error in mine) for name, mine in rows.items()]
    return "\n".join([head, "-" * len(head), *lines])


def exchange_forecast(panel: Panel, horizon: int) -> Forecast:
    """From every day of the last fifth, by a network that was fitted to the first seven tenths."""
    days, first, last = len(panel.dates), *exchange_parts(panel)
    parts = (f"split.until={panel.dates[days - last - 1]}", f"split.calibration={days - last - first}")
    # The second part is for the bands alone: the network isn't fitted to it, too, and the bands have no part in this.
    still = ("fit.refit=false", "fit.follow=0", "fit.follow_own=0")
    config = load_config("daily", [*parts, *still, f"data.horizon={horizon}"])
    forecaster = fit_to_cutoff(panel, TrainingRun(config, "daily"))[1].forecaster
    return forecaster.forecast(panel, [np.arange(days - last - 1, days - 1)] * len(panel))


def exchange_parts(panel: Panel) -> tuple[int, int]:
    """How many days the first part of the benchmark has, and its last."""
    days = len(panel.dates)
    return int(0.7 * days), int(0.2 * days)


def exchange_error(panel: Panel, forecast: Forecast) -> float:
    """The mean squared error of the points whose answers are all known, in as many windows as fill whole batches."""
    first, _ = exchange_parts(panel)
    deviation = np.array([one.columns["close"][:first].std() for one in panel.series])
    evaluated = evaluate("daily", panel, forecast, "close")
    errors = (evaluated.actual - forecast.point) / deviation[forecast.series][:, None]
    each = errors.reshape(len(panel), -1, forecast.horizon)
    windows = np.isfinite(each[0]).all(axis=1).sum() // BATCH * BATCH
    return float(np.square(each[:, :windows]).mean())


def sp500() -> PriceSeries:
    """The S&P 500 from 1999 to 2018, from the library `arch`."""
    from arch.data import sp500 as file

    table = file.load()
    columns = {key.lower(): table[key].to_numpy(dtype=np.float64) for key in ("Open", "High", "Low", "Close", "Volume")}
    return PriceSeries("S&P 500", table.index.to_numpy().astype("datetime64[D]"), columns)


def variance_table(series: PriceSeries) -> str:
    """A line a forecaster, with the published figure beside it where there is one."""
    actual = parkinson(series)
    forecasts = {**classics(actual), "har": [har_variance(series, actual)]}
    forecasts[f"daily, mean of {len(SEEDS)} seeds"] = [daily_variance(series, actual, seed) for seed in SEEDS]
    head = f"{'S&P 500, QLIKE of the variance':35}{'measured':>10}{'published':>11}"
    lines = []
    for name, made in forecasts.items():
        losses = [qlike(actual[-DAYS:], one[-DAYS - 1 : -1]) for one in made]
        published = f"{PUBLISHED[name]:11.3f}" if name in PUBLISHED else ""
        lines.append(f"{name:35}{np.mean(losses):10.3f}{published}")
    return "\n".join([head, "-" * len(head), *lines])


def parkinson(series: PriceSeries) -> Floats:
    """Each day's variance from its high and low (Parkinson 1980), (rows,)."""
    variance: Floats = np.log(series.columns["high"] / series.columns["low"]) ** 2 / (4 * np.log(2))
    return variance


def qlike(actual: Floats, forecast: Floats) -> float:
    """The mean loss, 0 at best."""
    ratio = actual / forecast
    return float(np.mean(ratio - np.log(ratio) - 1))


def classics(actual: Floats) -> dict[str, list[Floats]]:
    """What each row's past says of the next day's variance, (rows,): as others do it."""
    averages = np.column_stack([trailing_mean(actual, window) for window in REGRESSED])
    levels, logs = np.full(len(actual), np.nan), np.full(len(actual), np.nan)
    for row in range(len(actual) - DAYS - 1, len(actual)):
        past = slice(row - DAYS, row)  # each beside the variance of the day after it, the newest of which is the row's
        answers = actual[row - DAYS + 1 : row + 1]
        levels[row] = regressed(averages[past], answers, averages[row])[0]
        said, noise = regressed(np.log(averages[past]), np.log(answers), np.log(averages[row]))
        logs[row] = np.exp(said + noise / 2)  # the mean of a log-normal variance
    smooth = ewma(actual, np.log(0.5) / np.log(0.94), float(actual[0]))
    return {"random walk": [actual], "EWMA, memory 0.94": [smooth], "HAR": [levels], "log HAR": [logs]}


def regressed(x: Floats, y: Floats, newest: Floats) -> tuple[float, float]:
    """What ordinary least squares of `y` (n,) on `x` (n, F) says at `newest` (F,), and its residual variance."""
    design = np.column_stack([np.ones(len(x)), x])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(solution[0] + newest @ solution[1:]), float(np.var(y - design @ solution))


def har_variance(series: PriceSeries, actual: Floats) -> Floats:
    """The square of the spread of `har`, as large as `actual` in training."""
    panel = Panel((series,))
    baseline = build("har", panel.upto(cutoff(series)), "close", 1)
    assert isinstance(baseline, Scaled)
    square = baseline.volatility.ahead(panel, "close", 1)[0, :, 0] ** 2
    return resized(square, actual)


def daily_variance(series: PriceSeries, actual: Floats, seed: int) -> Floats:
    """The square of the width of `daily`'s 80 % band one day ahead, as large as `actual` in training."""
    panel = Panel((series,))
    config = load_config("daily", [f"split.until={cutoff(series)}", f"fit.seed={seed}"])
    forecaster = fit_to_cutoff(panel, TrainingRun(config, "daily"))[1].forecaster
    rows = forecaster.rows(forecaster.table(panel))
    origins = usable_ends(rows, config.data.lookback)
    made = forecaster.forecast_rows(rows, rows.by_series(origins))
    low, high = (np.log(made.quantiles[:, 0, end]) for end in band_ends(made.levels, 0.8))
    square = np.full(len(series), np.nan)
    square[rows.number(origins)] = (high - low) ** 2
    return resized(square, actual)


def cutoff(series: PriceSeries) -> np.datetime64:
    """The last day before those that are judged."""
    day: np.datetime64 = series.dates[-DAYS - 1]
    return day


def resized(square: Floats, actual: Floats) -> Floats:
    """Forecasts (rows,) of the next day's variance times the one factor that the days of training call for, (rows,)."""
    factor = np.nanmean(actual[1:-DAYS] / square[: -DAYS - 1])
    resized: Floats = factor * square
    return resized


if __name__ == "__main__":
    main()
