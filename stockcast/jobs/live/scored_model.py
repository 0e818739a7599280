"""One model's live record beside the prices that came: the scores, tests and words of a backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast, Forecast, levels_of
from stockcast.data.series import Floats, Panel
from stockcast.errors import DataError
from stockcast.evaluate.assessment import Assessment, assess
from stockcast.evaluate.live import Contest, RecordCounts, Rolling, contests, days_to_tell, rolling
from stockcast.evaluate.steps import NaiveErrors, Scores, first_step, jsonable, naive_errors, pick, score
from stockcast.jobs.live.outcomes import Outcomes, match_outcomes
from stockcast.ledger.live_record import LiveRecord
from stockcast.ledger.schema import LATE, SUPERSEDED
from stockcast.view.score import count_sentences, identity_sentences

Groups = Mapping[str, Mapping[str, tuple[Scores, ...]]]
"""The scores at each step of the model and its opponents, by the label of a part of the record."""


@dataclass(frozen=True)
class ScoredModel:
    """One model's live record; there are no `scores` and no `assessment` while no outcome is known.

    - `every`: all forecasts that count, their outcomes known or not; `price` and `decimals` of the prices;
    - `scores` at each step of the model, as "model", and of its opponents by name;
    - `groups`: the scores of its parts, if they were asked for; `left_out`: opponents that stand beside some only;
    - `days`: origins that were judged one step ahead; `enough_on`: the date by which there will be enough to tell.
    """

    name: str
    counts: RecordCounts
    outcomes: Outcomes
    every: EvaluatedForecast
    price: str
    decimals: int
    scores: Mapping[str, tuple[Scores, ...]] = field(default_factory=dict)
    assessment: Assessment | None = None
    contests: tuple[Contest, ...] = ()
    rolling: Rolling | None = None
    groups: Groups = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    days: int = 0
    enough_on: np.datetime64 | None = None

    def sentences(self) -> list[str]:
        """What was not scored and why, and what was assumed of the series."""
        return [*count_sentences(self.counts), *self.identity()]

    def identity(self) -> list[str]:
        """What was assumed or refused about the series and the opponents."""
        return identity_sentences(self.outcomes.renamed, self.outcomes.strangers, self.left_out)

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        groups = {
            label: {name: [one.as_dict() for one in steps] for name, steps in each.items()}
            for label, each in self.groups.items()
        }
        enough = None if self.enough_on is None else str(self.enough_on)
        return {
            "name": self.name,
            "counts": asdict(self.counts),
            **(self.assessment.as_dict() if self.assessment else {}),
            "against": [jsonable(one) for one in self.contests],
            "rolling": self.rolling and _newest(self.rolling),
            "by": groups,
            "enough": {"days": self.days, "needed": days_to_tell(1), "on": enough},
            "left_out": list(self.left_out),
            "renamed": self.outcomes.renamed,
            "strangers": list(self.outcomes.strangers),
        }


def _newest(rolled: Rolling) -> dict[str, Any]:
    ratio = {name: float(one[-1]) for name, one in rolled.ratio.items()}
    held = {"coverage": float(rolled.coverage[-1]), "low": rolled.low, "high": rolled.high}
    return {"until": str(rolled.days[-1]), **held, "ratio": ratio}


def score_model(
    name: str, record: LiveRecord, panel: Panel, price: str, today: np.datetime64, by: str | None, *, brief: bool
) -> ScoredModel:
    """Judge a record on the prices of `panel` as they are now; `by` is series, month or nothing.

    `brief`: the scores one step ahead and no tests, which is all that a line among many says.
    """
    outcomes = match_outcomes(record, panel, price, today)
    known = record.counts & np.isfinite(outcomes.move)
    every = _evaluated(name, record, outcomes, record.counts, record.quantiles)
    decimals = max(one.decimals for one in panel.series)
    nothing = ScoredModel(name, _counts(record, outcomes, known), outcomes, every, price, decimals)
    if not known.any():
        return nothing
    opponents = {
        one: _evaluated(one, record, outcomes, known, quantiles)
        for one, quantiles in record.opponents.items()
        if np.isfinite(quantiles[known]).all()
    }
    partly = [one for one in record.opponents if one not in opponents and np.isfinite(record.opponents[one]).any()]
    model = _evaluated(name, record, outcomes, known, record.quantiles)
    contestants = {"model": model, **opponents}
    days = len(np.unique(model.origin[np.isfinite(model.actual[:, 0])]))
    units = _units(record, outcomes, panel, price)
    found = replace(nothing, left_out=tuple(partly), days=days, enough_on=_enough_on(model, days))
    if brief:
        return replace(found, scores={key: score(first_step(one), units) for key, one in contestants.items()})
    assessment = assess(model, opponents, units) if "naive" in opponents else None
    groups = {
        label: {key: score(pick(one, keep), units) for key, one in contestants.items()}
        for label, keep in _parts(model, by).items()
    }
    return replace(
        found,
        scores=assessment.scores if assessment else {},
        assessment=assessment,
        contests=contests(model, opponents),
        rolling=rolling(model, opponents),
        groups=groups,
    )


def _counts(record: LiveRecord, outcomes: Outcomes, known: NDArray[np.bool_]) -> RecordCounts:
    changed = outcomes.changed
    return RecordCounts(
        scored=int(known.sum()),
        waiting=int(outcomes.waiting.sum()),
        late=int((record.status == LATE).sum()),
        superseded=int((record.status == SUPERSEDED).sum()),
        void=int(outcomes.void.sum()),
        overdue=int(outcomes.overdue.sum()),
        revisions=outcomes.revisions,
        skipped=outcomes.skipped,
        changed=len(set(zip(record.series[changed].tolist(), record.origin[changed].tolist(), strict=True))),
        of_other_prices=record.of_other_prices,
    )


def _evaluated(
    name: str, record: LiveRecord, outcomes: Outcomes, which: NDArray[np.bool_], quantiles: Floats
) -> EvaluatedForecast:
    """The forecasts `which` (n, H) in prices as they are now, oldest first, series by series; other steps are NaN."""
    rows = np.flatnonzero(which.any(axis=1))
    rows = rows[np.lexsort((outcomes.row[rows], record.series[rows]))]
    last = outcomes.last[rows]
    point = last[:, None] * np.exp(record.point[rows])
    prices = last[:, None, None] * np.exp(quantiles[rows])
    forecast = Forecast(record.series[rows], outcomes.row[rows], last, point, prices, levels_of(prices.shape[-1]))
    actual = np.where(which[rows], outcomes.actual[rows], np.nan)
    dates = np.where(which[rows], record.target[rows], np.datetime64("NaT", "D"))
    return EvaluatedForecast(name, record.names, forecast, actual, record.origin[rows], dates)


def _units(record: LiveRecord, outcomes: Outcomes, panel: Panel, price: str) -> NaiveErrors:
    """The last price's errors on what the first recorded version had learned from: the units of MASE and RMSSE."""
    before = {new: old for old, new in outcomes.renamed.items()}
    series = tuple(replace(one, name=before.get(one.name, one.name)) for one in panel.series)
    try:
        known = Panel(series).upto(record.cutoff)
    except DataError:  # the prices begin later than that
        return NaiveErrors({}, {})
    return naive_errors(known, price, record.status.shape[1])


def _parts(model: EvaluatedForecast, by: str | None) -> dict[str, NDArray[np.bool_]]:
    """The parts of a record by their label, in order: which forecasts belong to each, (n,)."""
    if by == "series":
        return {name: model.forecast.series == index for index, name in enumerate(model.names)}
    if by == "month":
        months = model.origin.astype("datetime64[M]")
        return {str(month): months == month for month in np.unique(months)}
    return {}


def _enough_on(model: EvaluatedForecast, days: int) -> np.datetime64 | None:
    """The date by which enough days will have been judged at the pace so far; None if there are enough, or only one."""
    origins = np.unique(model.origin)
    if days >= days_to_tell(1) or len(origins) < 2:
        return None
    pace = (origins[-1] - origins[0]) / np.timedelta64(1, "D") / (len(origins) - 1)
    reached: np.datetime64 = origins[-1] + np.timedelta64(round(pace * (days_to_tell(1) - days + 1)), "D")
    return reached
