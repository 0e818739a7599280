"""How the champion did live: what `retrain` says beside its judgement on the newest block."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stockcast.data.series import Panel
from stockcast.errors import NotFound, StockcastError
from stockcast.jobs.live.recorded import recorded_of
from stockcast.jobs.live.scored_model import score_model
from stockcast.ledger import clock
from stockcast.view.score import champion_sentence


def champion_record(store: Path, name: str, version: str, panel: Panel) -> list[str]:
    """A sentence on the live record of a model's `version`; none where nothing was recorded of it.

    A ledger that can't be read is named, and stops nothing: the gate does not depend on it.
    """
    try:
        record, price = recorded_of(store, name, version=version)
    except NotFound:
        return []
    except StockcastError as error:
        return [f"{name}: how {version} did live is not known: {error.message}"]
    if record is None:
        return []
    today = np.datetime64(clock.utc_now().date(), "D")
    scored = score_model(name, record, panel, price, today, None, brief=True)
    return [champion_sentence(name, version, scored.scores, scored.days)] if scored.scores else []
