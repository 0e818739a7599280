"""`stockcast predict`: the next sessions from the newest rows. Never imports TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.data.events.features import unsaid_events
from stockcast.data.forecast import Directions, Forecast, extended, newest_origins
from stockcast.data.series import Dates, Panel
from stockcast.data.tails import TAIL, expected_shortfall, has_shortfall
from stockcast.errors import DataError, ModelDamaged, NotFound
from stockcast.jobs.common.coming_sessions import listed_sessions, past_the_list, sessions_ahead
from stockcast.jobs.loaded import CALENDAR_DOUBT, LoadedModel, open_model
from stockcast.jobs.output import check_output, write_output
from stockcast.jobs.past.comparison import Compared, compare_past
from stockcast.jobs.past.memory import remember
from stockcast.jobs.source import demand_known_times, found_in, model_hints, read_model_prices, taken_of
from stockcast.reading.records import NO_HINTS, Hints
from stockcast.store.settled import settled
from stockcast.store.store import Store
from stockcast.view.events import unsaid_sentences
from stockcast.view.predict import decimals_of, prediction_csv, prediction_table
from stockcast.view.text import likewise, some


@dataclass(frozen=True)
class PredictRequest:
    """What the user asked for; `form` is table, csv or json."""

    store: Path
    name: str | None
    csvs: tuple[str, ...]
    days: int | None
    tickers: tuple[str, ...]
    hints: Hints = NO_HINTS
    max_age: int | None = None
    form: str = "table"
    output: Path | None = None
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """Forecasts of the sessions after the newest row of each series.

    `forecast` has one row a series of `panel`; `dates` (series, days) are their sessions. `details` are for those who
    want to know what the network saw; they ask nothing of a reader of the forecast. `past`: how the prices, which were
    read from `paths`, lie to those of the training.
    """

    loaded: LoadedModel
    panel: Panel
    forecast: Forecast
    dates: Dates
    warnings: tuple[str, ...]
    details: tuple[str, ...]
    stale: str | None
    past: Compared
    paths: tuple[str, ...]

    @property
    def every(self) -> Panel:
        """All series that were read, those too that are not forecast."""
        return self.past.read.panel

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        single = len(self.panel) == 1
        return {
            **self.loaded.facts(),
            "as_of": str(max(one.dates[-1] for one in self.panel.series)),
            "last": round(float(self.forecast.last[0]), self._digits(0)) if single else None,
            "target": self.loaded.config.data.price,
            "calendar": self.loaded.manifest.calendar,
            "forecasts": self.entries(),
            "warnings": list(self.warnings),
            "past": self.past.to_list(),
        }

    def text(self, form: str) -> str:
        """The forecasts as a table, as CSV or as JSON."""
        if form == "json":
            return json.dumps(self.to_dict())
        if form == "csv":
            return prediction_csv(self.entries())
        return prediction_table(self.panel, self.forecast, self.dates, self.loaded.name)

    def _digits(self, index: int) -> int:
        """Of a price: two more than its source has, or one more than its table: nothing of use is lost or invented."""
        one = self.panel.series[index]
        return max(one.decimals + 2, decimals_of(one, self.forecast.quantiles[index]) + 1)

    def entries(self) -> list[dict[str, Any]]:
        """One record a series and step, as `predict --json` promises them."""
        digits = [self._digits(index) for index in range(len(self.panel))]
        return [
            {
                "series": one.name,
                "date": str(self.dates[index, step]),
                "step": step + 1,
                "forecast": round(float(self.forecast.point[index, step]), digits[index]),
                "quantiles": {
                    str(level): round(float(value), digits[index])
                    for level, value in zip(self.forecast.levels, self.forecast.quantiles[index, step], strict=True)
                },
                **_risk(self.forecast, index, step),
                **_probabilities(self.forecast.directions, index, step),
            }
            for index, one in enumerate(self.panel.series)
            for step in range(self.forecast.horizon)
        ]


def _risk(forecast: Forecast, index: int, step: int) -> dict[str, dict[str, float]]:
    """The value at risk and the expected shortfall as losses in shares of the last price; nothing without tails."""
    if not has_shortfall(forecast.levels):
        return {}
    quantiles, last = forecast.quantiles[index, step], forecast.last[index]
    prices = {
        "value_at_risk": quantiles[forecast.levels.index(TAIL)],
        "expected_shortfall": expected_shortfall(quantiles, forecast.levels),
    }
    return {"risk": {"level": TAIL} | {name: round(float(1 - price / last), 6) for name, price in prices.items()}}


def _probabilities(directions: Directions | None, index: int, step: int) -> dict[str, dict[str, float]]:
    """How likely each class of move is, for the steps that the model was made for."""
    if directions is None or step >= directions.probabilities.shape[1]:
        return {}
    chances = directions.probabilities[index, step]
    named = zip(directions.labels, chances, strict=True)
    return {"probabilities": {label: round(float(chance), 4) for label, chance in named}}


def predict_model(request: PredictRequest) -> tuple[Prediction, str]:
    """The forecast and its text, which goes into `request.output` where that is named. Raises as `predict_next`."""
    prediction = predict_next(request)
    text = prediction.text(request.form)
    if request.output is not None:
        check_output(request.output, request.store, request.csvs or prediction.paths)
        write_output(request.output, f"{text}\n".encode())
    return prediction, text


def predict_next(request: PredictRequest) -> Prediction:
    """Forecast with the champion. Raises `NotFound` for a model, file or series that doesn't exist."""
    loaded = open_model(request.store, request.name)
    demand_known_times(Store(request.store), loaded.manifest)
    hints = model_hints(loaded.manifest, loaded.accepted, request.hints)
    manifest = settled(request.store, loaded.manifest)
    read = read_model_prices(manifest, request.csvs, lambda _: None, hints, request.events, store=request.store)
    past = compare_past(Store(request.store), manifest, read, request.csvs, hints, request.hints.accept)
    taken = taken_of(request.hints, past.read.files) | past.remembered
    doubts = [*remember(Store(request.store), loaded.name, taken - {*loaded.accepted}), *past.said]
    limit = loaded.max_age if request.max_age is None else request.max_age
    stale = staleness(loaded.since, limit, datetime.now(UTC))
    made = forecast_next(loaded, past, request.days, request.tickers, stale, doubts)
    return replace(made, paths=manifest.csv)


def forecast_next(
    loaded: LoadedModel,
    past: Compared,
    days: int | None,
    tickers: tuple[str, ...],
    stale: str | None,
    doubts: Sequence[str],
) -> Prediction:
    """Forecast `days` sessions, None: the model's horizon, from the newest rows; of `tickers`, or of all series.

    `stale` and `doubts` are sentences that are known already. Raises `NotFound` for a series that doesn't exist.
    """
    read = past.read
    panel, ended = _still_trading(_chosen(read.panel, tickers), loaded)
    days = days or loaded.config.data.horizon
    origins = newest_origins(read.panel, panel)
    rows = loaded.forecaster.rows_for(read.panel, origins)
    newest = replace(loaded.forecaster.forecast_rows(rows, origins), series=np.arange(len(panel)))
    forecast = extended(newest, days)
    _demand_numbers(forecast, loaded)
    dates = np.stack([sessions_ahead(loaded, one, days) for one in panel.series])
    warnings = likewise({str(path): f"{path}: {error.message}" for path, error in read.failures})
    warnings += [*doubts, *found_in(read.files)]
    warnings += unsaid_sentences(unsaid_events(panel, loaded.forecaster.features, loaded.forecaster.sessions))
    beyond, unseen = (
        likewise({name: sentence for name, sentence in found.items() if name in panel.names})
        for found in (loaded.forecaster.beyond_known_prices(rows), loaded.forecaster.beyond_fitted_range(rows))
    )
    warnings += [
        *ended,
        *_doubts(loaded, days),
        *past_the_list(loaded, panel, days),
        *likewise(_beside_their_bands(panel, forecast)),
        *beyond,
    ]
    said = (*warnings, *([stale] if stale else []))
    return Prediction(loaded, panel, forecast, dates, said, tuple(unseen), stale, past, loaded.manifest.csv)


def _demand_numbers(forecast: Forecast, loaded: LoadedModel) -> None:
    """Raise `ModelDamaged` unless all of a forecast are numbers."""
    if not forecast.all_numbers:
        raise ModelDamaged(
            f"{loaded.name}, version {loaded.manifest.version}, forecasts what are no numbers; nothing is printed.",
            f"let another version serve: stockcast models rollback {loaded.name}; or train it again.",
        )


def _chosen(panel: Panel, tickers: tuple[str, ...]) -> Panel:
    """Only the series that were asked for, or all."""
    if not tickers:
        return panel
    missing = [ticker for ticker in tickers if ticker not in panel.names]
    if missing:
        raise NotFound(f"there is no series {missing[0]!r}.", f"use --series with one of {some(panel.names)}.")
    return Panel(tuple(one for one in panel.series if one.name in tickers))


def staleness(since: str, limit: int, now: datetime) -> str | None:
    """A sentence if a champion that serves `since` then (UTC) is `limit` days old or from days to come; 0: no limit."""
    begin = datetime.fromisoformat(since)
    age = (now - begin).days
    if not limit or -2 <= age < limit:  # a clock that was put right by a day is no reason to complain
        return None
    if age < 0:
        return f"the model has served since {begin:%Y-%m-%d}, but the clock says {now:%Y-%m-%d}: its age is unknown."
    return f"the model is stale: it has served for {age} days, since {begin:%Y-%m-%d}; the limit is {limit}."


def _still_trading(panel: Panel, loaded: LoadedModel) -> tuple[Panel, list[str]]:
    """The series whose newest price is recent enough to be forecast from, and a sentence on each of the others."""
    oldest = listed_sessions(loaded)[0]
    recent = tuple(one for one in panel.series if one.dates[-1] >= oldest)
    ended = {
        one.name: f"{one.name} is left out: its prices end on {one.dates[-1]}, before {oldest}."
        for one in panel.series
        if one.dates[-1] < oldest
    }
    if not recent:
        raise DataError(
            f"the newest price is of {max(one.dates[-1] for one in panel.series)}; the model was trained on prices "
            f"up to {max(one['last'] for one in loaded.manifest.data)}.",
            "give prices that reach that date.",
        )
    return Panel(recent), likewise(ended)


def _beside_their_bands(panel: Panel, forecast: Forecast) -> dict[str, str]:
    """A sentence on each series whose point lies outside of its own 50 % band, as that of a biased model does."""
    low, high = (forecast.quantiles[..., forecast.levels.index(level)] for level in (0.25, 0.75))
    beside = np.any((forecast.point < low) | (forecast.point > high), axis=1)
    return {
        one.name: f"{one.name}: the forecast lies outside its own 50 % band: the model has mostly erred to one side."
        for one, outside in zip(panel.series, beside, strict=True)
        if outside
    }


def _doubts(loaded: LoadedModel, days: int) -> list[str]:
    """What a reader of this forecast should know about it."""
    horizon = loaded.config.data.horizon
    doubts = [str(one.get("message")) for one in loaded.manifest.findings if one.get("kind") == CALENDAR_DOUBT]
    if days > horizon:
        doubts.append(
            f"the model forecasts {horizon} session{'s' * (horizon > 1)}; the later ones keep the last price forecast, "
            "with bands that grow as the square root of time."
        )
    if not loaded.judged:
        doubts.append("the model was never judged: no price was held back to judge it by.")
    if loaded.forecaster.calibration and loaded.forecaster.calibration.in_sample:
        doubts.append("the bands are made from the training part's own errors and may be too narrow.")
    return doubts
