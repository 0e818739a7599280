"""Which sessions a saved model forecasts: those that it lists, and those that its calendar goes on with."""

from __future__ import annotations

import numpy as np

from stockcast.data.series import Dates, Panel, PriceSeries
from stockcast.data.trading_calendars import coming, next_sessions
from stockcast.jobs.loaded import LAST_DAY, LoadedModel
from stockcast.store.records import damaged


def sessions_ahead(loaded: LoadedModel, one: PriceSeries, days: int) -> Dates:
    """The sessions to forecast: those that the model lists, and past its list those that its calendar goes on with."""
    listed = listed_sessions(loaded)
    lacking = _lacking(listed, one, days)
    if lacking:
        later = next_sessions(loaded.manifest.calendar, listed, lacking)
        listed = np.append(listed, later[later <= LAST_DAY])
    return coming(listed, one.dates[-1], days, listed[0])


def _lacking(listed: Dates, one: PriceSeries, days: int) -> int:
    """How many of so many days lie past the list; none if all do, as the model is too old then."""
    left = int(np.count_nonzero(listed > one.dates[-1]))
    return max(days - left, 0) if left else 0


def past_the_list(loaded: LoadedModel, panel: Panel, days: int) -> list[str]:
    """A sentence if some of so many days lie past the sessions that the model lists."""
    listed = listed_sessions(loaded)
    if not any(_lacking(listed, one, days) for one in panel.series):
        return []
    return [
        f"the model lists sessions up to {listed[-1]}; those after it follow the calendar {loaded.manifest.calendar}."
    ]


def listed_sessions(loaded: LoadedModel) -> Dates:
    """The newest sessions of the model's prices and those that come. Raises `ModelDamaged` if it lists none."""
    if not loaded.manifest.next_sessions:
        raise damaged(loaded.manifest.version, "its manifest lists no coming session")
    return np.array(loaded.manifest.next_sessions, dtype="datetime64[D]")
