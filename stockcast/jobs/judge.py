"""`stockcast judge`: anyone's forecasts, from a row file, judged as a backtest judges stockcast's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.refusal import nearest
from stockcast.config.run import load_config
from stockcast.data.forecast import EvaluatedForecast, Forecast
from stockcast.data.series import Panel
from stockcast.data.tails import OUTER, TAIL, has_shortfall
from stockcast.errors import DataError, UsageError
from stockcast.evaluate.assessment import JUDGED, Assessment, assess
from stockcast.evaluate.levels import BANDS, central_bands, loss_levels, shared_levels
from stockcast.evaluate.row_file.checks import keys_of
from stockcast.evaluate.row_file.prices import PricedRows, priced
from stockcast.evaluate.row_file.table import Mask, RowTable
from stockcast.evaluate.rows import evaluated_rows, read_table, with_outcome
from stockcast.evaluate.steps import NaiveErrors, score_each
from stockcast.jobs.source import OnMessage, read_prices
from stockcast.model.baselines import BASELINES, build
from stockcast.reading.records import Hints
from stockcast.reading.row_file import row_text
from stockcast.view.text import some

USUAL = ("naive", "ewma", "har")
"""The baselines that are made where nobody says which."""


@dataclass(frozen=True)
class JudgeRequest:
    """What the user asked for; `against` None: the usual baselines, as far as they can be had."""

    rows: Path
    csvs: tuple[str, ...]
    price: str
    against: tuple[str, ...] | None
    hints: Hints
    store: Path


@dataclass(frozen=True)
class JudgedModel:
    """One model of the file, assessed beside all others; `series` has its scores on each series of several."""

    name: str
    assessment: Assessment
    series: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the keys of a backtest's."""
        return {"model": self.name, **self.assessment.as_dict(), "series": dict(self.series)}


@dataclass(frozen=True)
class JudgeResult:
    """Every judged model of a file, in its order; `compared` rows of each were judged.

    `training` is the first and last date and the number of sessions that the baselines were fitted on; None: none was
    made. `notes` say what was left out, taken for something, or not judged.
    """

    rows: Path
    judged: tuple[JudgedModel, ...]
    compared: int
    training: tuple[str, str, int] | None
    notes: tuple[str, ...]
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it: the first model as a backtest's configuration, and the `others` alike."""
        first, *others = self.judged
        span = self.training and dict(zip(("first", "last", "sessions"), self.training, strict=True))
        return {
            "rows": str(self.rows),
            **first.as_dict(),
            "others": [one.as_dict() for one in others],
            "compared": self.compared,
            "training": span,
            "notes": list(self.notes),
            "failures": list(self.failures),
        }


def run_judge(request: JudgeRequest, on_message: OnMessage) -> JudgeResult:
    """Judge each model of the file that is not there as an opponent, beside all others.

    Raises `DataError` naming the first wrong row, `UsageError` for an opponent that can't be had.
    """
    table = read_table(row_text(request.rows), str(request.rows))
    if not request.csvs:
        return judge_table(table, None, request.price, request.against)
    _opponents(request.against, table, True)  # what can't be had is refused before prices are read
    read = read_prices(request.csvs, on_message, request.hints, store=request.store)
    result, failures = judge_table(table, read.panel, request.price, request.against), read.failures
    return replace(result, failures=tuple(f"{path}: {error.message}" for path, error in failures))


def judge_table(
    table: RowTable, panel: Panel | None = None, price: str = "close", against: tuple[str, ...] | None = None
) -> JudgeResult:
    """Judge forecasts that are read already, with baselines from prices where there are any. Raises as `run_judge`."""
    table, opponents = _told_apart(table, _opponents(against, table, panel is not None))
    if panel is None:
        field = _by_itself(with_outcome(table), opponents)
    else:
        field = _against_prices(priced(table, panel, price), opponents)
    compared = len(field.table) // len(field.models)
    return JudgeResult(Path(table.where), field.judged(), compared, field.span, field.notes(), ())


@dataclass(frozen=True)
class _Opponents:
    """Baselines that are to be made from prices, and models of the file, by name."""

    made: tuple[str, ...]
    named: tuple[str, ...]


@dataclass(frozen=True)
class _Field:
    """All contestants on the same rows: the `models` of the file and the baselines that were `made`, by name.

    `table` has the rows of the file's models; `errors` are the units of MASE; `span` is that of the training.
    """

    table: RowTable
    models: Mapping[str, EvaluatedForecast]
    made: Mapping[str, EvaluatedForecast]
    opponents: _Opponents
    errors: NaiveErrors
    span: tuple[str, str, int] | None

    def judged(self) -> tuple[JudgedModel, ...]:
        """The assessment of each model that is no opponent; of each, where all are."""
        names = [name for name in self.models if name not in self.opponents.named]
        names = names or [name for name in self.models if name != "naive"] or list(self.models)
        return tuple(self._judge(name) for name in names)

    def _judge(self, name: str) -> JudgedModel:
        mine, others = self.models[name], {key: one for key, one in self.models.items() if key != name}
        beside = {**others, **self.made}
        assessment = assess(mine, beside if "naive" in beside else {"naive": mine}, self.errors)
        each = score_each(mine, self.errors, self.levels) if len(np.unique(mine.forecast.series)) > 1 else {}
        return JudgedModel(name, assessment, {key: [one.as_dict() for one in steps] for key, steps in each.items()})

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels over which pinball losses are compared."""
        return shared_levels([one.forecast.levels for one in (*self.models.values(), *self.made.values())])

    def notes(self) -> tuple[str, ...]:
        """What was left out, taken for something else, or not judged."""
        own = [name for name in self.models if name in BASELINES]
        notes = [*self.table.notes]
        if own:
            notes.append(f"{', '.join(own)}: the file's own forecasts of that name, not made here.")
        for levels in dict.fromkeys(one.forecast.levels for one in self.models.values()):
            whose = some([name for name, one in self.models.items() if one.forecast.levels == levels])
            notes += _band_notes(whose, levels, self.levels)
        if self.span is None:
            notes.append(
                "No prices were given: baselines with bands were not made, and MASE is not known. "
                "To have them: add --csv PRICES."
            )
        return tuple(notes)


def _band_notes(whose: str, levels: tuple[float, ...], shared: tuple[float, ...]) -> list[str]:
    """Which of the models' quantiles say nothing about bands, and which nothing in comparison with others."""
    if not levels:
        return [f"There are no quantiles of {whose}: only points are judged, no bands and no sharpness."]
    notes = []
    bands = central_bands(levels)
    if not bands:
        notes.append(f"No two levels of {whose} make a central band, as q0.1 and q0.9 do: no band is judged.")
    elif bands != BANDS:
        notes.append(f"The bands of {whose} that can be judged: {', '.join(f'{100 * band:g} %' for band in bands)}.")
    if TAIL not in levels:
        notes.append(f"There is no q{TAIL:g} of {whose}: no value at risk is judged.")
    elif not has_shortfall(levels):
        notes.append(f"There is no q{OUTER:g} of {whose}: no expected shortfall is judged.")
    left_out = [f"q{level:g}" for level in loss_levels(levels) if level not in shared]
    if left_out:
        over = ", ".join(f"q{level:g}" for level in shared) or "none"
        notes.append(
            f"Pinball losses are over the levels that all contestants have, {over}; "
            f"left out of {whose}: {some(left_out)}."
        )
    return notes


def _opponents(against: tuple[str, ...] | None, table: RowTable, has_prices: bool) -> _Opponents:
    """Who is meant by --against: a baseline is made where there are prices; any other name is a model of the file."""
    makes = tuple(BASELINES) if has_prices else ()
    if against is None:
        usual = tuple(name for name in USUAL if name in makes)
        return _Opponents(usual, tuple(name for name in table.models if name in BASELINES and not makes))
    for name in against:
        if name in BASELINES and not makes and name not in table.models and name != "naive":
            raise UsageError(f"{name} is made from prices, and there are none.", "add --csv PRICES, or leave it out.")
        if name not in BASELINES and name not in table.models:
            known = [*BASELINES, *table.models]
            raise UsageError(
                f"there is nothing called {name!r} to judge against.{nearest(name, known)}",
                f"use some of {some(known)}, separated by commas.",
            )
    wanted = tuple(dict.fromkeys(["naive", *against]))  # the last price, always
    made = tuple(name for name in wanted if name in makes)
    return _Opponents(made, tuple(name for name in wanted if name in table.models and name not in made))


def _told_apart(table: RowTable, opponents: _Opponents) -> tuple[RowTable, _Opponents]:
    """The same; a model that is called as a baseline that is made, or as the judged one is in JSON, is marked."""
    taken = {*opponents.made, *([JUDGED] if len(table.models) > 1 else [])}
    labels = {name: f"{name} (file)" for name in table.models if name in taken}
    if not labels:
        return table, opponents
    note = f"To tell them apart, the file's {some(list(labels))} is called {some(list(labels.values()))}."
    renamed, named = (tuple(labels.get(name, name) for name in names) for names in (table.models, opponents.named))
    return replace(table, models=renamed).noted(note), replace(opponents, named=named)


def _against_prices(rows: PricedRows, opponents: _Opponents) -> _Field:
    """All baselines that are wanted, fitted on the prices before the first cutoff of the file.

    Their bands follow their misses as fast as those of the default configuration do: as strong as they can be made.
    """
    training, fit = rows.training, load_config().fit
    first = rows.table.cutoff.min()
    if training is None:
        raise DataError(f"the prices begin on the first cutoff, {first}.", "give prices that begin earlier.")
    keep, notes = _in_common(rows.table)
    rows = rows.take(keep)
    models = _evaluated(rows.table)
    like = next(iter(models.values()))
    horizon = int(rows.ahead.max())
    try:
        fits = {name: build(name, training, rows.price, horizon, fit.follow, fit.follow_own) for name in opponents.made}
        made = {name: rows.baseline(one, like) for name, one in fits.items()}
    except DataError as error:
        fix = f"give prices that begin earlier; up to {training.dates[-1]}, the last session before the first cutoff, "
        raise DataError(error.message, f"{fix}there are {len(training.dates)}.") from error
    span = (str(training.dates[0]), str(training.dates[-1]), len(training.dates))
    return _Field(rows.table.noted(*notes), models, made, opponents, rows.naive_errors(training), span)


def _by_itself(table: RowTable, opponents: _Opponents) -> _Field:
    """Without prices: the last price is in the file, its bands are not."""
    keep, notes = _in_common(table)
    table = table.take(keep).noted(*notes)
    models = _evaluated(table)
    made = {}
    if "naive" in models:
        mine = table.model == table.models.index("naive")
        table.refuse(
            mine & (np.abs(table.forecast - table.last) > table.tolerance(table.last)),
            lambda row: f"naive forecasts {table.forecast[row]:.10g}, not the last price {table.last[row]:.10g}",
            "naive is the last price here: give that model another name.",
        )
    else:
        made["naive"] = _last_price(next(iter(models.values())))
    return _Field(table, models, made, opponents, NaiveErrors({}, {}), None)


def _last_price(like: EvaluatedForecast) -> EvaluatedForecast:
    """The last price, without bands, as the forecast of the same rows."""
    old = like.forecast
    point = np.where(np.isfinite(old.point), old.last[:, None], np.nan)
    forecast = Forecast(old.series, old.row, old.last, point, np.empty((*point.shape, 0)), ())
    return replace(like, model="naive", forecast=forecast)


def _evaluated(table: RowTable) -> dict[str, EvaluatedForecast]:
    return {name: evaluated_rows(table, at, table.names) for at, name in enumerate(table.models)}


def _in_common(table: RowTable) -> tuple[Mask, tuple[str, ...]]:
    """The rows whose series, cutoff and step all models have, (rows,), and what is to be said of the others."""
    _, at, count = np.unique(keys_of(table), return_inverse=True, return_counts=True)
    keep = np.asarray(count[at] == len(table.models))
    if keep.all():
        return keep, ()
    if not keep.any():
        raise DataError(
            f"{table.where}: its models {some(table.models)} have no row (series, cutoff and step) in common.",
            "put them on the same cutoffs, or judge each in a file of its own.",
        )
    left = np.bincount(table.model[~keep], minlength=len(table.models))
    whose = ", ".join(f"{count:,} of {name}" for count, name in zip(left, table.models, strict=True) if count)
    each = int(keep.sum()) // len(table.models)
    return keep, (f"Compared on the {each:,} rows that all {len(table.models)} models have; left out: {whose}.",)
