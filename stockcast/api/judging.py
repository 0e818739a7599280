"""How forecasts did: those of a configuration on the past, or anyone's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.api import columns
from stockcast.api.frames import LOG, frame_of, in_short, page
from stockcast.api.prices import Prices, prices_of
from stockcast.config.run import DEFAULT_PRESET
from stockcast.errors import UsageError
from stockcast.evaluate.assessment import Assessment
from stockcast.jobs.backtest import BacktestRequest, walk_panel
from stockcast.jobs.common import in_memory
from stockcast.jobs.common.in_memory import Paths
from stockcast.jobs.judge import USUAL, judge_table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Judgement:
    """How forecasts did: what `backtest` and `judge` hand back. `notes` say what was left out or not judged."""

    assessments: Mapping[str, Assessment]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What the tests have earned, a sentence a line; for each of several judged models, after its name."""
        told = {name: columns.verdict_lines(one.as_dict()) for name, one in self.assessments.items()}
        single = len(told) == 1
        return "\n".join("\n".join(lines) if single else f"{name}: {' '.join(lines)}" for name, lines in told.items())

    @property
    def scores(self) -> DataFrame:
        """Every score, a row for each step and contestant; the columns are those of `Model.scores`."""
        name, first = next(iter(self.assessments.items()))
        return frame_of(columns.score_columns(first.as_dict()["models"], name))

    @property
    def rows(self) -> DataFrame:
        """The row file: model, series, cutoff, date, step, last, actual, forecast, and the quantiles q0.01 to q0.99."""
        return frame_of(columns.row_columns(next(iter(self.assessments.values())).rows))

    def _repr_html_(self) -> str:
        return page(", ".join(self.assessments), [*self.verdict.split("\n"), *self.notes], in_short(self.scores))


def backtest(
    prices: Prices | DataFrame,
    *,
    start: str | date,
    config: str | Path = DEFAULT_PRESET,
    settings: Mapping[str, Any] | None = None,
    against: Sequence[str] = USUAL,
    refit: int | None = None,
    window: int | None = None,
    seeds: int = 1,
    events: DataFrame | Paths | None = None,
    on_message: Callable[[str], None] = LOG.info,
    on_fit: Callable[[int, int], None] | None = None,
) -> Judgement:
    """Walk forward from `start` on and judge a configuration beside others, as `stockcast backtest` does.

    `against`: baselines, cells, presets, TOML files. It is trained anew every `refit` sessions, None: once, on the
    `window` sessions before, None: on all. `on_fit` hears how many of all trainings are done. Nothing is written.

    Raises `DataError` for dates outside of the prices, `UsageError` for a contestant that is not known.
    """
    given, told = prices_of(prices), None if events is None else in_memory.given_events(events)
    request = BacktestRequest(
        Path(), (), str(config), settings or {}, _day(start), refit, window, tuple(against), seeds, None, given.hints
    )
    panel = in_memory.demand_given(given.panel_read.panel, told, on_message)
    result = walk_panel(panel, request, on_message, on_fit or (lambda done, every: None))
    return Judgement({result.config_name: result.assessment}, (result.spread.sentence(),) if result.spread else ())


def judge(
    rows: DataFrame | str | Path,
    *,
    prices: Prices | DataFrame | None = None,
    price: str = "close",
    against: Sequence[str] | None = None,
) -> Judgement:
    """Judge anyone's forecasts: rows with the columns of `Judgement.rows`; last, actual and quantiles may be missing.

    With `prices` there are baselines beside them; `against` names some, or models among the rows.

    Raises `DataError` naming the first wrong row; in a frame the first one is line 2.

    >>> rows = pandas.DataFrame({"model": "mine", "series": "acme", "cutoff": ["2024-01-01", "2024-01-02"],
    ...     "date": ["2024-01-02", "2024-01-03"], "step": 1, "last": [10.0, 11.0], "actual": [11.0, 10.5],
    ...     "forecast": [10.5, 11.0]})
    >>> stockcast.judge(rows).scores[["model", "mae"]].values.tolist()
    [['mine', 0.5], ['naive', 0.75]]
    """
    panel = None if prices is None else prices_of(prices).panel_read.panel
    result = judge_table(in_memory.frame_rows(rows), panel, price, None if against is None else tuple(against))
    return Judgement({one.name: one.assessment for one in result.judged}, result.notes)


def _day(start: str | date) -> date:
    """A date, or ISO text. Raises `UsageError` for anything else."""
    try:
        return date.fromisoformat(str(start)[:10])
    except ValueError as error:
        raise UsageError(f"start {start!r} is no date.", 'write it as "2011-01-03".') from error
