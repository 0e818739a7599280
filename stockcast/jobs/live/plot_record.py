"""`stockcast plot --kind record`: the forecasts that were issued, over the prices that came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stockcast.errors import NotFound
from stockcast.jobs.live.score import read_model_record
from stockcast.jobs.live.scored_model import score_model
from stockcast.ledger import clock
from stockcast.reading.records import NO_HINTS
from stockcast.view.record_chart import record_fans
from stockcast.view.text import some

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_record(store: Path, name: str, csvs: Sequence[str], ticker: str | None) -> Figure:
    """The picture of one series of a model's record, the first if none is named.

    Raises `NotFound` where nothing was recorded of it, and as `read_model_record`.
    """
    record, read, price = read_model_record(store, name, csvs, NO_HINTS)
    if ticker is not None and ticker not in record.names:
        raise NotFound(f"nothing was recorded of {ticker!r}.", f"use --series with one of {some(record.names)}.")
    wanted = record.names[0] if ticker is None else ticker
    scored = score_model(name, record, read.panel, price, np.datetime64(clock.utc_now().date(), "D"), None, brief=False)
    now = scored.outcomes.renamed.get(wanted, wanted)
    series = next((one for one in read.panel.series if one.name == now), None)
    if series is None:
        raise NotFound(
            f"the prices of {wanted!r} are not among these.", f"use --series with one of {some(record.names)}."
        )
    return record_fans(series, scored.every, record.names.index(wanted), scored.rolling, name, price=price)
