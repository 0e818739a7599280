"""What a training begins with: a panel cut in time, and every feature of all its rows."""

from __future__ import annotations

from dataclasses import dataclass

from stockcast.config.run import RunConfig
from stockcast.config.sections import DataConfig
from stockcast.data.calendar_features import code_names
from stockcast.data.events.features import event_feature_names
from stockcast.data.events.records import REPORT
from stockcast.data.feature_table import FeatureTable, make_features
from stockcast.data.features import GUESSED, choose_features
from stockcast.data.series import Panel
from stockcast.data.session_list import session_list
from stockcast.data.time_split import Cuts, cut
from stockcast.errors import ConfigError


@dataclass(frozen=True)
class Prepared:
    """A panel cut in time, with the unscaled features of all its rows; `known` are the prices up to the cutoff."""

    panel: Panel
    cuts: Cuts
    known: Panel
    table: FeatureTable


def prepare(panel: Panel, config: RunConfig) -> Prepared:
    """Cut time as the settings say, and make every feature once. Which ones there are depends on `known` alone.

    Raises `ConfigError` for events beside a network that is fed its own forecasts, and as `cut` and `session_list` do.
    """
    cuts = cut(panel, config)
    known = panel.upto(cuts.calibration)
    names = input_names(known, config.data)
    sessions = None
    if known.event_kinds:
        if config.model.multistep == "recursive":
            raise ConfigError(
                "model.multistep 'recursive' feeds on its own forecasts, and events are none of them.",
                "leave out --events, or --set model.multistep=direct.",
            )
        sessions = session_list(known.series, config.data.calendar, panel.dates[-1])
    table = make_features(panel.series, names, config.data.of_panel(len(known)), sessions=sessions)
    return Prepared(panel, cuts, known, table)


def input_names(known: Panel, data: DataConfig) -> tuple[str, ...]:
    """The network's inputs: the features that the columns of `known` allow, those of its events, and calendar codes.

    Where dates of reports are known, nothing else needs to guess them.
    """
    codes = code_names(data.calendar_features, data.calendar_codes, known.names)
    chosen = choose_features(data.features, known, data.price)
    kinds = known.event_kinds
    if REPORT in kinds and not data.features:
        chosen = tuple(name for name in chosen if not name.startswith(GUESSED))
    return (*chosen, *event_feature_names(kinds, data.horizon), *codes)
