"""Settings that don't fit the prices are refused with flags that, typed once, make them fit."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config.run import RunConfig, load_config, parse_settings
from stockcast.data.prepared import prepare
from stockcast.data.rows import scaled_rows
from stockcast.data.scaling import fit_scalers
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.time_split import demand_windows, embargoed
from stockcast.data.windows import windows_between
from stockcast.errors import ConfigError, DataError

Prices = Callable[..., PriceSeries]

shares = st.sampled_from([0, 0.01, 0.15, 0.4, 0.999, 1, 20, 1e30])
changes = st.fixed_dictionaries(
    {},
    optional={
        "data.lookback": st.sampled_from([1, 2, 10, 60, 2000]),
        "data.horizon": st.sampled_from([1, 2, 5, 60, 250]),
        "data.features": st.sampled_from([["close"], ["return"], ["open", "variance_5"]]),
        "data.target": st.sampled_from(["return", "level"]),
        "split.test": shares,
        "split.calibration": shares,
        "split.validation": shares,
        "split.until": st.dates(date(2019, 12, 1), date(2021, 3, 1)),
        "split.embargo": st.sampled_from([0, 1, 30, 10**9]),
    },
)


def training_windows(panel: Panel, config: RunConfig) -> int:
    """How many windows a training would have. Raises as it would."""
    prepared = prepare(panel, config)
    cuts, known = prepared.cuts, prepared.table.upto(prepared.cuts.calibration)
    rows = scaled_rows(known, fit_scalers(known.upto(cuts.fit).values(), config.data), config.data)
    end = embargoed(cuts, known.dates, config.split.embargo).fit
    train = windows_between(rows, config.data.lookback, None, end)
    demand_windows(train, end, config)
    return len(train)


def named(fix: str) -> dict[str, Any]:
    """The settings that a fix names."""
    keys = {"--set": "", "--until": "split.until="}
    return parse_settings(keys[word] + after for word, after in pairwise(shlex.split(fix)) if word in keys)


def settled(changed: dict[str, Any]) -> RunConfig:
    """`daily` with these settings; the warm-up is none of the matter."""
    return load_config("daily", {"fit.warmup": 0, "fit.realised": 0, **changed})


@given(rows=st.sampled_from([5, 21, 25, 26, 30, 39, 64, 80, 130, 300]), changed=changes, young=st.booleans())
def test_what_the_fix_names_mends_it_at_once(rows: int, changed: dict[str, Any], young: bool, prices: Prices) -> None:
    series = (prices(rows=rows), *([prices(rows=9, seed=1, name="young", start="2020-01-20")] if young else []))
    panel, config = Panel(series), settled(changed)
    try:
        assert training_windows(panel, config) > 0
        return
    except (ConfigError, DataError) as refused:
        fix = refused.fix or ""
    if not named(fix):
        assert fix == "use a longer history."
        assert rows < 64
        return
    assert training_windows(panel, settled(changed | named(fix))) > 0, fix


def test_an_embargo_is_taken_off_what_is_left(prices: Prices) -> None:
    panel = Panel((prices(rows=200),))
    message = "20 sessions with known inputs are left to train on; lookback 60 and horizon 5 need at least 65"
    with pytest.raises(DataError, match=message) as refused:
        training_windows(panel, settled({"split.embargo": 100}))
    assert "--set data.lookback=15" in str(refused.value.fix)
