"""One model's page: everything that the store, the ledger and the prices say of it tonight."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.run import DEFAULT_PRESET, load_config, preset_names
from stockcast.data.forecast import EvaluatedForecast
from stockcast.errors import NotFound, StockcastError
from stockcast.evaluate.insight.regimes import calm_and_stormy
from stockcast.evaluate.levels import band_edges
from stockcast.jobs.live.recorded import recorded_of
from stockcast.jobs.live.scored_model import ScoredModel, score_model
from stockcast.jobs.loaded import LoadedModel
from stockcast.jobs.morning.importance import model_importance
from stockcast.jobs.predict import Prediction, PredictRequest, predict_next
from stockcast.jobs.source import OnMessage
from stockcast.ledger import clock
from stockcast.reading.records import NO_HINTS, Hints
from stockcast.store.model_files import BACKTEST, backtest_from
from stockcast.store.store import Store
from stockcast.view.chart_style import BAND_COLOURS, one_line
from stockcast.view.report.claims import claims_section
from stockcast.view.report.fleet import STALE, WELL, FleetRow, SmallFan
from stockcast.view.report.forecast import drawn_series, forecast_section, next_moves
from stockcast.view.report.held_out import held_out_section, verdict_sentences
from stockcast.view.report.inputs import inputs_section
from stockcast.view.report.lineage import Lineage, findings_section, lineage_section
from stockcast.view.report.record import RecordShown, no_record_section, record_section
from stockcast.view.report.records import Bullets, Page, PageSection, Words
from stockcast.view.report.render import page_html

RECENT = 40
"""Prices of the small fan of an index."""


@dataclass(frozen=True)
class PageRequest:
    """Whose page to make: of the model `name` in `store`, from `csvs` or its own prices.

    `tonight` is what went wrong with it before, if anything did; `home` is where the index is, seen from the page.
    """

    store: Path
    name: str | None
    csvs: tuple[str, ...] = ()
    hints: Hints = NO_HINTS
    tonight: tuple[str, ...] = ()
    home: str | None = None


@dataclass(frozen=True)
class ModelPage:
    """A page as HTML, its row of an index, and what was said while it was made."""

    name: str
    html: str
    row: FleetRow
    messages: tuple[str, ...]


def model_page(request: PageRequest) -> ModelPage:
    """Make a model's page. Nothing of the store is changed but what is kept so that it need not be measured again.

    Raises `NotFound` for a model or a file that isn't there, `DataError` for prices that can't be used.
    """
    messages: list[str] = []
    store = Store(request.store)
    prediction = predict_next(PredictRequest(request.store, request.name, request.csvs, None, (), request.hints))
    loaded = prediction.loaded
    evaluated = _judged_on(store, loaded)
    scored, trouble = _live(request.store, loaded.name, prediction)
    sections = (
        _verdict(loaded),
        forecast_section(prediction.panel, prediction.forecast, prediction.dates, loaded.config.data.price),
        _record(loaded.name, prediction, scored, trouble),
        held_out_section(loaded.manifest.scores, evaluated, calm_and_stormy(evaluated) if evaluated else {}),
        _inputs(store, prediction, evaluated, messages.append),
        findings_section(prediction.warnings, _found_in_training(loaded)),
        lineage_section(_lineage(store, loaded)),
        claims_section(loaded.manifest.scores),
    )
    stale = [prediction.stale] if prediction.stale else []
    page = Page(
        one_line(loaded.name, 60),
        _about(prediction),
        sections,
        f"{clock.utc_now():%Y-%m-%d %H:%M} UTC",
        (*request.tonight, *stale),
        request.home,
    )
    return ModelPage(loaded.name, page_html(page), _row(prediction, scored), tuple(messages))


def _judged_on(store: Store, loaded: LoadedModel) -> EvaluatedForecast | None:
    if not loaded.judged:
        return None
    return backtest_from(store.load(loaded.name, loaded.manifest.version, wanted=(BACKTEST,)).files)


def _live(store: Path, name: str, prediction: Prediction) -> tuple[ScoredModel | None, str | None]:
    """The model's live record; None where nothing was recorded, or with what hinders it from being told."""
    try:
        record, price = recorded_of(store, name)
    except NotFound:
        return None, None
    except StockcastError as error:
        return None, error.message
    if record is None:
        return None, None
    today = np.datetime64(clock.utc_now().date(), "D")
    return score_model(name, record, prediction.every, price, today, None, brief=False), None


def _about(prediction: Prediction) -> str:
    loaded, panel = prediction.loaded, prediction.panel
    whose = one_line(panel.names[0]) if len(panel) == 1 else f"{len(panel)} series"
    newest = max(one.dates[-1] for one in panel.series)
    return f"{whose}, prices up to {newest}. Preset {loaded.manifest.config_name}, serving since {loaded.since[:10]}."


def _verdict(loaded: LoadedModel) -> PageSection:
    said = verdict_sentences(loaded.manifest.scores)
    never = Words("This model was never judged: no price was held back to judge it by.")
    return PageSection("verdict", "The verdict", (Bullets(said),) if said else (never,))


def _record(name: str, prediction: Prediction, scored: ScoredModel | None, trouble: str | None) -> PageSection:
    if scored is None:
        return no_record_section(name, trouble)
    wanted = [prediction.panel.names[at] for at in drawn_series(prediction.forecast)]
    before = {new: old for old, new in scored.outcomes.renamed.items()}
    drawn = next((one for one in wanted if before.get(one, one) in scored.every.names), None)
    series = next((one for one in prediction.panel.series if one.name == drawn), None)
    at = scored.every.names.index(before.get(drawn, drawn)) if drawn is not None else 0
    told = (scored.assessment, scored.contests, scored.rolling, scored.days, scored.enough_on)
    return record_section(RecordShown(scored.every, series, at, scored.price, *told, tuple(scored.sentences())))


def _inputs(
    store: Store, prediction: Prediction, evaluated: EvaluatedForecast | None, on_message: OnMessage
) -> PageSection:
    if evaluated is None:
        return inputs_section((), 0, "It can't be measured: no price was held back that the model did not learn from.")
    found, windows = model_importance(store, prediction.loaded, prediction.every, evaluated, on_message)
    return inputs_section(found, windows, "It can't be measured: tonight's prices lack the days it was judged on.")


def _found_in_training(loaded: LoadedModel) -> tuple[tuple[str, str], ...]:
    """Each file and what was found in it; of the calendar there is no file."""
    found = loaded.manifest.findings
    return tuple((Path(str(one.get("file", "-"))).name, str(one.get("message", one.get("kind")))) for one in found)


def _lineage(store: Store, loaded: LoadedModel) -> Lineage:
    manifest, champion = loaded.manifest, store.champion(loaded.name)
    preset = manifest.config_name if manifest.config_name in preset_names() else DEFAULT_PRESET
    facts = {
        "Preset or file": manifest.config_name,
        "Prices": ", ".join(manifest.csv),
        **({"Events": ", ".join(manifest.events)} if manifest.events else {}),
        "Calendar": manifest.calendar,
        "Seed": str(manifest.seed),
        "SHA-256 of its manifest": loaded.bundle.digest,
        "SHA-256 of its network": str(manifest.files["model.onnx"]["sha256"]),
        "Made with": ", ".join(f"{library} {number}" for library, number in sorted(manifest.libraries.items())),
    }
    changed = _changed(loaded.config.model_dump(mode="json"), load_config(preset).model_dump(mode="json"))
    versions = store.versions(loaded.name)
    return Lineage(asdict(champion), facts, preset, changed, manifest.data, versions, store.log(loaded.name))


def _changed(own: dict[str, Any], usual: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The settings of which the two differ, each named `section.key`."""
    return {
        f"{section}.{key}": (str(value), str(usual[section][key]))
        for section, values in own.items()
        for key, value in values.items()
        if value != usual[section][key]
    }


def _row(prediction: Prediction, scored: ScoredModel | None) -> FleetRow:
    loaded, moves = prediction.loaded, next_moves(prediction.forecast).mean(axis=0)
    steps = scored.scores.get("model", ()) if scored else ()
    held = [band.coverage for band in steps[0].bands if band.level == 0.8] if steps else []
    skill, against = held_out_ratio(loaded.manifest.scores)
    return FleetRow(
        loaded.name,
        STALE if prediction.stale else WELL,
        prediction.stale or "",
        as_of=str(max(one.dates[-1] for one in prediction.panel.series)),
        series=len(prediction.panel),
        low=float(moves[0]),
        high=float(moves[1]),
        fan=_small_fan(prediction),
        coverage=held[0] if held else math.nan,
        days=scored.days if scored and held else 0,
        skill=skill,
        against=against,
        since=loaded.since,
        age=(datetime.now(UTC) - datetime.fromisoformat(loaded.since)).days,
    )


def held_out_ratio(scores: Any) -> tuple[float, str]:
    """The pinball loss one step ahead in units of the hardest baseline's, and whose that is; NaN if there is none."""
    verdict = scores.get("verdict")
    opponent = verdict and verdict.get("opponent")
    steps = [scores["models"][name][0]["pinball"] for name in ("model", opponent)] if opponent else []
    if not steps or not steps[1] or steps[0] is None:
        return math.nan, ""
    return steps[0] / steps[1], opponent


def _small_fan(prediction: Prediction) -> SmallFan:
    forecast, one = prediction.forecast, prediction.panel.series[0]
    last = forecast.last[0]
    recent = one.columns[prediction.loaded.config.data.price][-RECENT:] / last
    edges = [edge[0] for tail in BAND_COLOURS for edge in band_edges(forecast, round(1 - 2 * tail, 9))]
    bands = np.concatenate([np.ones((1, len(edges))), np.stack(edges, axis=1) / last])
    return SmallFan(recent, bands)
