"""Retrain with challengers that are spoiled in every way: none is promoted, even by force, and the champion stays.

Most are an honest training whose forecasts are spoiled before they are judged; the others are real trainings, with
settings or on prices that no sound model can come from.

python tests/faults/poison.py [--each 4] [--real 10]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from whole import Model, make_model

import stockcast.learn
from stockcast.cli import run
from stockcast.data.forecast import Forecast
from stockcast.data.series import Floats
from stockcast.jobs.retrain import retrain_model
from stockcast.jobs.retraining.records import Retrained, RetrainRequest
from stockcast.learn import Learned, learn
from stockcast.store.champion import Champion
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store

Random = np.random.Generator
Spoil = Callable[[Forecast, Random], Forecast]
Rewrite = Callable[[list[str]], list[str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=4, help="how many of each kind, of which there are 25")
    parser.add_argument("--real", type=int, default=10, help="how many real trainings")
    arguments = parser.parse_args()
    stubbed, real, bad = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        models = {target: make_model(Path(folder) / target, *settings) for target, settings in SETTINGS.items()}
        for model in models.values():
            model.grow()
        model, scratch = models["return"], Path(folder) / "scratch"
        honest = honest_challenger(model.copied(scratch))
        for kind, spoil in SPOILS.items():
            for seed in range(arguments.each):
                for force in (False, True):
                    stubbed += 1
                    fault = stubbed_fault(model, honest, spoil, np.random.default_rng(seed), force)
                    bad += [f"{kind}, seed {seed}, force {force}: {fault}"] if fault else []
        for kind, (target, fit, rewrite) in list(REAL.items())[: arguments.real]:
            real += 1
            fault = real_fault(models[target].copied(scratch), fit, rewrite)
            bad += [f"{kind}: {fault}"] if fault else []
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{stubbed} trainings with spoiled forecasts and {real} real ones gone wrong: {len(bad)} bad or promoted")
    return int(bool(bad) or stubbed == 0)


def honest_challenger(model: Model) -> Learned:
    """What an honest training gives. Raises unless it is promoted: a gate that is always shut proves nothing."""
    learned: list[Learned] = []

    def kept(*arguments: Any, **options: Any) -> Learned:
        learned.append(learn(*arguments, **options))
        return learned[0]

    result = retrained(model, kept, force=True)
    if not result.promoted:
        raise RuntimeError(f"the honest challenger was not promoted: {result.reason}")
    return learned[0]


def retrained(model: Model, trainer: Callable[..., Learned], force: bool) -> Retrained:
    with mock.patch.object(stockcast.learn, "learn", trainer):
        return retrain_model(RetrainRequest(model.store, "acme", force=force), lambda _: None)


def stubbed_fault(model: Model, honest: Learned, spoil: Spoil, random: Random, force: bool) -> str | None:
    """What is wrong after a training that gave spoiled forecasts, or None."""
    store = Store(model.store)
    before = store.champion("acme")
    evaluated = honest.assessment.evaluated
    spoiled = replace(evaluated, forecast=spoil(evaluated.forecast, random))
    learned = replace(honest, held_out=replace(honest.assessment, evaluated=spoiled))
    result = retrained(model, lambda *_, **__: learned, force)
    if result.promoted or not still_serves(store, before):
        return f"promoted: {result.reason}"
    line = store.log("acme")[-1]
    return None if (line["promoted"], line["reason"]) == (False, result.reason) else f"the log says {line}"


def still_serves(store: Store, before: Champion) -> bool:
    """Whether the champion is as it was, but for what is remembered of rejected challengers."""
    return replace(store.champion("acme"), rejected=before.rejected) == before


def bands(forecast: Forecast, change: Callable[[Floats], Floats]) -> Forecast:
    """`change` is made to the ratios (n, H, Q) of the quantiles to the point."""
    point = forecast.point[..., None]
    return replace(forecast, quantiles=point * change(forecast.quantiles / point))


def prices(forecast: Forecast, change: Callable[[Floats], Floats]) -> Forecast:
    """`change` is made to the points (n, H); the bands go with them."""
    moved = change(forecast.point.copy())
    return bands(replace(forecast, point=moved), lambda _: forecast.quantiles / forecast.point[..., None])


def one_is(value: float, what: str) -> Spoil:
    """One number of the points or the quantiles is `value`."""

    def spoil(forecast: Forecast, random: Random) -> Forecast:
        numbers = getattr(forecast, what).copy()
        numbers[tuple(random.integers(size) for size in numbers.shape)] = value
        return replace(forecast, **{what: numbers})

    return spoil


def later(change: Spoil) -> Spoil:
    """Only the steps after the first are spoiled."""

    def spoil(forecast: Forecast, random: Random) -> Forecast:
        spoiled = change(forecast, random)
        point = np.concatenate([forecast.point[:, :1], spoiled.point[:, 1:]], axis=1)
        quantiles = np.concatenate([forecast.quantiles[:, :1], spoiled.quantiles[:, 1:]], axis=1)
        return replace(forecast, point=point, quantiles=quantiles)

    return spoil


SPOILS: Mapping[str, Spoil] = {
    "all points NaN": lambda made, _: replace(made, point=np.full_like(made.point, np.nan)),
    "all quantiles NaN": lambda made, _: replace(made, quantiles=np.full_like(made.quantiles, np.nan)),
    "one point NaN": one_is(np.nan, "point"),
    "one quantile NaN": one_is(np.nan, "quantiles"),
    "one point infinite": one_is(np.inf, "point"),
    "one quantile minus infinite": one_is(-np.inf, "quantiles"),
    "later steps NaN": later(lambda made, _: prices(made, lambda point: point * np.nan)),
    "the mean price for ever": lambda made, _: prices(made, lambda point: np.full_like(point, point.mean())),
    "the first price for ever": lambda made, _: prices(made, lambda point: np.full_like(point, point[0, 0])),
    "some price for ever": lambda made, random: prices(
        made, lambda p: np.full_like(p, p.mean() * random.uniform(0.5, 2))
    ),
    "one price for ever, in bands as wide as its errors": lambda made, _: bands(
        prices(made, lambda point: np.full_like(point, point.mean())), lambda ratio: ratio**8
    ),
    "far too high": lambda made, random: prices(made, lambda point: point * random.uniform(1.2, 2)),
    "far too low": lambda made, random: prices(made, lambda point: point * random.uniform(0.5, 0.8)),
    "in cents": lambda made, _: prices(made, lambda point: point * 100),
    "in hundreds": lambda made, _: prices(made, lambda point: point / 100),
    "below nothing": lambda made, _: prices(made, lambda point: -point),
    "later steps far too high": later(lambda made, random: prices(made, lambda p: p * random.uniform(1.2, 2))),
    "bands without width": lambda made, _: bands(made, np.ones_like),
    "bands ten times too narrow": lambda made, _: bands(made, lambda ratio: ratio**0.1),
    "bands ten times too wide": lambda made, _: bands(made, lambda ratio: ratio**10),
    "bands a hundred times too wide": lambda made, _: bands(made, lambda ratio: ratio**100),
    "bands upside down": lambda made, random: bands(made, lambda ratio: ratio[..., ::-1] ** random.uniform(2, 5)),
    "later bands without width, too high": later(lambda made, _: bands(prices(made, lambda p: p * 1.1), np.ones_like)),
    "random prices": lambda made, random: prices(
        made, lambda point: random.permutation(point * random.uniform(0.7, 1.4))
    ),
    "noise": lambda made, random: prices(made, lambda p: p * np.exp(0.1 * random.standard_normal(p.shape))),
}


def real_fault(model: Model, fit: dict[str, Any], rewrite: Rewrite) -> str | None:
    """What is wrong after a real training with other settings, on prices rewritten from those there are; or None."""
    kept, store = model.csv.read_text(), Store(model.store)
    change_settings(store, fit)
    before = store.champion("acme")
    model.csv.write_text("\n".join(rewrite(kept.splitlines())) + "\n")
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run(["retrain", "acme", "--store", str(model.store), "--quiet", "--json"])
    model.csv.write_text(kept)
    line = store.log("acme")[-1]
    if not still_serves(store, before) or line.get("promoted") or line.get("reason") == "nothing new":
        return f"{line}"
    return None if code in (0, 65) else f"exit {code}: {told.getvalue()}"


def change_settings(store: Store, fit: dict[str, Any]) -> None:
    """Let the champion's manifest say that it was fitted in this way, as its challenger then is."""
    bundle = store.load("acme")
    config = {**bundle.manifest.config, "fit": {**bundle.manifest.config["fit"], **fit}}
    now = datetime.now(UTC)
    version = store.save("acme", Bundle(replace(bundle.manifest, config=config), bundle.files), now)
    store.promote("acme", version, "with other settings", now)


def closes(change: Callable[[int, float], float]) -> Rewrite:
    """Each close as `change` makes it of its row and its value."""

    def rewrite(lines: list[str]) -> list[str]:
        rows = [line.split(",") for line in lines[1:]]
        return [lines[0], *(f"{day},{change(row, float(close)):.4f}" for row, (day, close) in enumerate(rows))]

    return rewrite


BLOCK = 195
"""The first row that the gate judges on."""

REAL: Mapping[str, tuple[str, dict[str, Any], Rewrite]] = {
    "steps of 10 down the gradient": ("level", {"learning_rate": 10.0, "clipnorm": 0.0, "optimizer": "sgd"}, list),
    "steps of 10 by adam": ("level", {"learning_rate": 10.0, "optimizer": "adam"}, list),
    "steps of 10 by rmsprop": ("level", {"learning_rate": 10.0, "optimizer": "rmsprop"}, list),
    "prices out of the network's reach": ("level", {}, closes(lambda row, p: p if row < BLOCK else 1.8 * p)),
    "a climb out of its reach": ("level", {}, closes(lambda row, p: p if row < BLOCK else p + 4 * (row - BLOCK))),
    "up and down by a fifth": ("return", {}, closes(lambda row, p: p if row < BLOCK else 90 + 18 * (row % 2))),
    "down by a tenth a day": ("return", {}, closes(lambda row, p: p if row < BLOCK else p * 0.9 ** (row - BLOCK))),
    "in cents": ("return", {}, closes(lambda row, p: p if row < BLOCK else p * 100)),
    "up by a tenth a day": ("return", {}, closes(lambda row, p: p if row < BLOCK else p * 1.1 ** (row - BLOCK))),
    "a file cut short": ("return", {}, lambda lines: [lines[0], *lines[-40:]]),
}
"""What the champion forecasts, how its challenger is fitted, and what happens to the prices."""

SETTINGS = {
    "return": ("gate.tolerance=0.01",),
    "level": (
        "gate.tolerance=0.01",
        "data.target=level",
        "model.head=point",
        "fit.loss=mse",
        "fit.realised=0",
        "fit.epochs=20",
    ),
}


if __name__ == "__main__":
    sys.exit(main())
