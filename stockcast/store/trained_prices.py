"""prices.npz: what a version keeps of the prices that it was trained on, to tell later how their past has changed.

Of series number i, in the order of the manifest's `data`: `i.days` since 1970, `i.closes`, and `i.volumes`, -1 where
one is not known. Versions of schema 1 have no such file; of them the held-out part is known from backtest.csv.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.two_downloads import Past
from stockcast.data.series import Panel
from stockcast.evaluate.csv_escape import neutral
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.manifest import Manifest
from stockcast.store.model_files import BACKTEST
from stockcast.store.records import damaged

PRICES = "prices.npz"

MOST_ROWS = 5_000_000
"""Of all series, 80 MB: of a larger panel each series keeps its newest."""

_LARGEST_VOLUME = float(np.finfo(np.float32).max)


def prices_file(panel: Panel) -> bytes:
    """The content of prices.npz for the prices of `panel`."""
    kept = MOST_ROWS // len(panel)
    arrays: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(panel.series):
        rows = slice(max(0, len(one) - kept), None)
        volumes = one.columns.get("volume", np.full(len(one), np.nan))[rows]
        arrays[f"{number}.days"] = one.dates[rows].astype(np.int64).astype("<f4")
        arrays[f"{number}.closes"] = one.columns["close"][rows].astype("<f8")
        arrays[f"{number}.volumes"] = np.nan_to_num(volumes, nan=-1.0).clip(max=_LARGEST_VOLUME).astype("<f4")
    return encode_arrays(arrays)


def prices_kept_in(manifest: Manifest) -> str:
    """Which file of a version tells of its prices."""
    return PRICES if PRICES in manifest.files else BACKTEST


def past_prices(manifest: Manifest, files: Mapping[str, bytes], price: str) -> dict[str, Past]:
    """What a version knows of the prices of each series, by name, from the file that `prices_kept_in` names.

    `price` is the column that it forecasts. Raises `ModelDamaged`.
    """
    if PRICES in manifest.files:
        arrays = decode_arrays(files[PRICES], PRICES)
        return {one["name"]: _kept(one, number, arrays) for number, one in enumerate(manifest.data)}
    known = _held_out(files[BACKTEST])
    return {one["name"]: _of_days(past_dates(one), known.get(neutral(one["name"]), {}), price) for one in manifest.data}


def past_dates(one: Mapping[str, Any]) -> Past:
    """What the fingerprint of a series alone tells of its prices."""
    columns = frozenset(one["columns"]) if "columns" in one else None
    first, last = date.fromisoformat(one["first"]), date.fromisoformat(one["last"])
    nothing = np.zeros(0)
    return Past(one["name"], first, last, nothing.astype("datetime64[D]"), nothing, nothing, False, columns=columns)


def _kept(one: Mapping[str, Any], number: int, arrays: Mapping[str, NDArray[Any]]) -> Past:
    """What prices.npz has of the series with fingerprint `one`."""
    try:
        days, closes, volumes = (arrays[f"{number}.{part}"].astype(float) for part in ("days", "closes", "volumes"))
    except KeyError as error:
        raise damaged(PRICES, f"it has no {error}") from error
    dates = days.astype(np.int64).astype("datetime64[D]")
    sound = days.shape == closes.shape == volumes.shape == (min(len(days), one["rows"]),) and len(days) > 0
    if not sound or (np.diff(dates.astype(np.int64)) <= 0).any() or not (closes > 0).all():
        raise damaged(PRICES, f"the prices of series {number} are none")
    if str(dates[-1]) != one["last"]:
        raise damaged(PRICES, f"the prices of series {number} are not those of the manifest")
    volumes = np.where(volumes < 0, np.nan, volumes)
    whole = len(days) == one["rows"]
    return replace(past_dates(one), dates=dates, prices=closes, volumes=volumes, whole=whole)


def _held_out(data: bytes) -> dict[str, dict[str, float]]:
    """The prices by date of each series that backtest.csv names, from the forecasts one step ahead."""
    known: dict[str, dict[str, float]] = {}
    try:
        for row in csv.DictReader(io.StringIO(data.decode())):
            if row["step"] == "1":
                days = known.setdefault(row["series"], {})
                days[row["cutoff"]], days[row["date"]] = float(row["last"]), float(row["actual"])
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise damaged(BACKTEST, "it holds no forecasts") from error
    return known


def _of_days(past: Past, known: Mapping[str, float], price: str) -> Past:
    days = sorted(known)
    try:
        dates, prices = np.array(days, dtype="datetime64[D]"), np.array([known[day] for day in days])
    except ValueError as error:
        raise damaged(BACKTEST, "it holds no dates") from error
    if not (prices > 0).all():
        raise damaged(BACKTEST, "it holds no prices")
    return replace(past, dates=dates, prices=prices, volumes=np.full(len(days), np.nan), column=price)
