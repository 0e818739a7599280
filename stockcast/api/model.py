"""A model: trained on prices, or opened from a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.api import columns
from stockcast.api.frames import LOG, frame_of, in_short, page
from stockcast.api.prices import Prices, prices_of
from stockcast.config.run import DEFAULT_PRESET, config_name, load_config
from stockcast.errors import UsageError
from stockcast.jobs.common import in_memory
from stockcast.jobs.common.in_memory import GivenEvents, Paths
from stockcast.jobs.common.learned import demand_trainable, keep_version, learn_each, past_of
from stockcast.jobs.loaded import LoadedModel, open_model
from stockcast.jobs.new_version import bundle, provenance
from stockcast.jobs.past.memory import remember
from stockcast.jobs.predict import Prediction, forecast_next, staleness
from stockcast.jobs.source import demand_known_times, hints_from
from stockcast.model.training_run import Epoch
from stockcast.reading.records import PanelRead
from stockcast.store.model_files import BACKTEST, HISTORY
from stockcast.store.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True)
class Model:
    """A trained model, made by `train` or `open`: it forecasts, draws, tells how it was judged, and can be saved.

    `prices` and `events` are what it was trained on, None of an opened one; `store` is where that one stands.
    """

    loaded: LoadedModel
    prices: PanelRead | None = None
    events: GivenEvents | None = None
    store: Path | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What it is called."""
        return self.loaded.name

    @property
    def version(self) -> str:
        """Which version of a saved model this is; "" if it was not opened."""
        return self.loaded.manifest.version

    @property
    def verdict(self) -> str:
        """What its tests have earned, a sentence a line: on the forecast, its bands, their sharpness and tail."""
        return "\n".join(columns.verdict_lines(self.loaded.manifest.scores))

    @property
    def scores(self) -> DataFrame:
        """Every score on the held-out part, a row for each step and contestant; empty if it was not judged.

        Columns: step, model, n, days, mae, rmse (in the price's unit; NaN over several series), mae_percent,
        rmse_percent, pinball, crps (in percent of the last price), and more; then held_80, width_80 and
        interval_score_80, and so on for every band.

        >>> model.scores.query("step == 1").model.tolist()
        ['daily', 'naive', 'ewma', 'har']
        """
        manifest = self.loaded.manifest
        return frame_of(columns.score_columns(manifest.scores["models"], manifest.config_name))

    def predict(
        self,
        days: int | None = None,
        *,
        level: Sequence[float] | None = None,
        series: str | Sequence[str] = (),
        prices: Prices | DataFrame | None = None,
        events: DataFrame | Paths | None = None,
    ) -> DataFrame:
        """The next sessions, a row for each series and step, as `stockcast predict` forecasts them.

        Columns: series, date, step (from 1), forecast, and quantiles q0.01 to q0.99; or, with a `level` such as
        [80, 95], the ends of central bands instead: lo-80, hi-80, lo-95, hi-95. All are prices.

        It starts from the newest row of `prices`: by default of those that it was trained on, and of an opened model of
        those that now stand in its files. `days`: by default the model's horizon. `events` replace those it knows.

        Raises `NotFound` for a series or a file that is not there, `UsageError` for a level that the model has not.

        >>> model.predict(days=2, level=[80]).columns.tolist()
        ['series', 'date', 'step', 'forecast', 'lo-80', 'hi-80']
        """
        made = self._forecast(days, in_memory.texts_of(series), prices, events)
        return frame_of(columns.forecast_columns(made.entries(), level))

    def plot(self, kind: str = "forecast", *, series: str | None = None) -> Figure:
        """A picture, as `stockcast plot` draws it: the forecast, or the backtest, calibration or history of training.

        >>> model.plot().savefig("acme.png")
        """
        from stockcast.jobs.plot import draw_forecast, draw_held_out, draw_history

        if kind == "forecast":
            return draw_forecast(self._forecast(None, (series,) if series else (), None, None))
        if kind == "history":
            return draw_history(self.loaded)
        if kind in ("backtest", "calibration"):
            return draw_held_out(self.loaded, kind, series)
        raise UsageError(f"there is no picture {kind!r}.", "use forecast, backtest, calibration or history.")

    def save(self, name: str | None = None, *, store: str | Path = "models") -> str:
        """Save a new version under `name`, which serves from now on, as `stockcast train` does; what it is called.

        A model that was trained on frames has no file to read newer prices from: predict and retrain then ask for one.
        Raises `UsageError` for a model that was opened, `DataError` if others of that name know other series, `Busy`,
        or what writing raises; the store is then as it was.

        >>> version = model.save("acme")
        >>> stockcast.open("acme").version == version
        True
        """
        if self.prices is None:
            raise UsageError(f"{self.name} is saved already, in {self.store}.", "open it from there, or train anew.")
        models, called = Store(Path(store)), name or self.name
        manifest = self.loaded.manifest
        with models.lock(called):
            _, taken = past_of(models, called, self.prices, manifest.csv, hints_from(manifest.hints), LOG.info)
            version = keep_version(models, called, self.loaded.bundle, self.seconds)
            remember(models, called, taken)
        return version

    def _forecast(
        self,
        days: int | None,
        tickers: tuple[str, ...],
        prices: Prices | DataFrame | None,
        events: DataFrame | Paths | None,
    ) -> Prediction:
        loaded, given = self.loaded, self.events if events is None else in_memory.given_events(events)
        if self.store:
            demand_known_times(Store(self.store), loaded.manifest)
        alone = loaded.manifest.data[0]["name"] if len(loaded.manifest.data) == 1 else None
        own = self.prices if prices is None else prices_of(prices, name=alone).panel_read
        past = in_memory.newest(loaded, self.store, own, given, LOG.info)
        stale = staleness(loaded.since, loaded.max_age, datetime.now(UTC))
        made = forecast_next(loaded, past, days, tickers, stale, past.said)
        for line in made.warnings:
            LOG.warning(line)
        return made

    def __repr__(self) -> str:
        manifest = self.loaded.manifest
        return f"Model {self.name} ({manifest.config_name}) of {len(manifest.data)} series"

    def _repr_html_(self) -> str:
        return page(repr(self), self.verdict.split("\n"), in_short(self.scores))


def train(
    prices: Prices | DataFrame,
    *,
    config: str | Path = DEFAULT_PRESET,
    settings: Mapping[str, Any] | None = None,
    events: DataFrame | Paths | None = None,
    name: str | None = None,
    on_message: Callable[[str], None] = LOG.info,
    on_epoch: Callable[[Epoch, int], None] | None = None,
) -> Model:
    """Train a model on prices and judge it on their newest part, as `stockcast train` does; nothing is written.

    It is called `name`, as a single series of a frame is then, else as the prices are. `config` is a preset or a TOML
    file, `settings` are laid over it by their keys. `events` are a frame or files with
    date, series, kind, and if need be when and known. `on_epoch` hears of each epoch, and how many there may be.

    Raises `ConfigError` for a setting, `DataError` for prices that can't be used with these settings.

    >>> trained = stockcast.train(prices, settings={"fit.epochs": 1, "data.lookback": 20, "fit.warmup": 5})
    >>> trained.predict().step.tolist()
    [1, 2, 3, 4, 5]
    """
    begin, given = perf_counter(), prices_of(prices, name)
    chosen, called = load_config(str(config), settings or {}), config_name(str(config))
    told = None if events is None else in_memory.given_events(events)
    panel = in_memory.demand_given(given.panel_read.panel, told, on_message)
    demand_trainable(panel, chosen, on_message)
    (learned,) = learn_each(panel, chosen, called, 1, on_message, on_epoch or (lambda epoch, epochs: None))
    source = provenance(given.csvs, None, given.hints, given.panel_read.files, told.paths if told else ())
    made = bundle(learned, panel, chosen, called, source)
    own = replace(given.panel_read, panel=panel)
    loaded = in_memory.unsaved_model(name or given.model_name, made)
    return Model(loaded, own, told, seconds=perf_counter() - begin)


def open(name: str | None = None, *, store: str | Path = "models") -> Model:  # noqa: A001 -- as one says it: stockcast.open
    """The model that serves under `name` in a store, or the store's only one. It is checked; TensorFlow is not loaded.

    Raises `NotFound` naming the models there are, `ModelDamaged` for a file that is not what was saved.
    """
    return Model(open_model(Path(store), name, also=(HISTORY, BACKTEST)), store=Path(store))
