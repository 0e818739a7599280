"""How time grows with the number of series and of rows: reading, examining, features, windows, and a forecast of each.

The exponent is the slope of log(processor seconds) over log(size), of the medians; 1 is linear.

    python -m benchmarks.growth --rounds 5
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import Sample, alternate, inside, rounds_wanted, table
from benchmarks.prices import write_panel
from stockcast.config.run import load_config
from stockcast.data.feature_table import make_features
from stockcast.data.features import choose_features
from stockcast.data.rows import scaled_rows
from stockcast.data.scaling import fit_scalers
from stockcast.data.windows import strided, windows_between
from stockcast.evaluate.steps import naive_errors
from stockcast.model.baselines import build
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import NO_HINTS

SERIES, SESSIONS = 30, 1000
FACTORS = (1, 2, 4)


def main() -> None:
    """More series, then longer ones."""
    rounds = rounds_wanted(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        grown = {
            "series": {factor: (factor * SERIES, SESSIONS) for factor in FACTORS},
            "rows": {factor: (SERIES, factor * SESSIONS) for factor in FACTORS},
        }
        for what, sizes in grown.items():
            contenders = {}
            for series, rows in sizes.values():
                prices = write_panel(Path(folder) / f"{series}x{rows}", series, rows)
                contenders[f"{series} series of {rows:,} rows"] = inside(partial(data_path, str(prices)))
            for run in contenders.values():
                run()
            samples = alternate(contenders, rounds)
            print(table(samples, next(iter(samples))))
            print(f"exponent of {what}: {exponent(samples, FACTORS):.2f}\n")


def data_path(csv: str) -> None:
    """All that a training does with prices but the training itself."""
    config = load_config("daily").data
    panel = examined(read_panel([csv]), NO_HINTS, date.max).panel
    table_of = make_features(panel.series, choose_features(config.features, panel, config.price), config)
    rows = scaled_rows(table_of, fit_scalers(table_of.values(), config), config)
    strided(windows_between(rows, config.lookback, None, panel.dates[-1]), 10)
    naive_errors(panel, config.price, config.horizon)
    newest = [np.array([len(one) - 1]) for one in panel.series]
    build("ewma", panel, config.price, config.horizon).forecast(panel, newest)


def exponent(samples: Mapping[str, Sequence[Sample]], factors: Sequence[int]) -> float:
    """The slope of log time over log size, by least squares."""
    times = [statistics.median(one.processor for one in mine) for mine in samples.values()]
    return float(np.polyfit(np.log(factors), np.log(times), 1)[0])


if __name__ == "__main__":
    main()
