"""Reading the record of one model out of the ledger, as arrays: what was issued, and the outcomes seen so far."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats
from stockcast.ledger.quantiles import from_distances
from stockcast.ledger.records import day_number
from stockcast.ledger.schema import LIVE, QUANTILE_COLUMNS, SCALE, STEPS

ABSENT = -1
"""The status of a step that was not forecast."""

_BEGINNING = np.datetime64("0001-01-01")

_PREDICTIONS = """SELECT p.id, s.name, p.origin, p.last, p.before, v.cutoff
FROM series s JOIN prediction p ON p.series = s.id JOIN version v ON v.id = p.version
WHERE s.model = ?1 AND s.price = ?2 AND p.origin >= ?3 AND v.version = coalesce(?4, v.version) ORDER BY p.id"""

_FORECASTS = f"""SELECT f.id, f.status, f.target, coalesce(f.point, f.q500), o.move,
(SELECT r.move FROM revision r WHERE r.forecast = f.id ORDER BY r.id DESC LIMIT 1),
(SELECT count(*) FROM revision r WHERE r.forecast = f.id), {", ".join(f"f.{one}" for one in QUANTILE_COLUMNS)}
FROM series s JOIN prediction p ON p.series = s.id JOIN version v ON v.id = p.version
JOIN forecast f ON f.id BETWEEN p.id * {STEPS} AND p.id * {STEPS} + {STEPS - 1} LEFT JOIN outcome o ON o.forecast = f.id
WHERE s.model = ?1 AND s.price = ?2 AND p.origin >= ?3 AND v.version = coalesce(?4, v.version)"""
_FACTS = 7
_BATCH = 5_000


@dataclass(frozen=True)
class LiveRecord:
    """n predictions of one model, H steps each; what was not forecast or is not known is NaN, NaT or `ABSENT`.

    - `names` of the series, and `series` (n,): the index of each prediction's among them;
    - `origin` (n,), `last` (n,) the price then, `before` (n,) the log return of the origin's session;
    - `cutoff`: the last date whose price the first version in the record had learned from;
    - `status`, `target`, `point`, `move`, `revised`, `revisions` (n, H), `quantiles` (n, H, Q), and the opponents'
      quantiles by name: log returns from `last`, those of the tails among them if every forecast has them. `move` is
      the outcome seen first, `revised` the last one that was seen instead, `revisions` how often that happened;
    - `ids` (n,): the number of each prediction; `of_other_prices`: forecasts of another column of the prices.
    """

    names: tuple[str, ...]
    series: NDArray[np.int64]
    origin: Dates
    last: Floats
    before: Floats
    cutoff: np.datetime64
    status: NDArray[np.int64]
    target: Dates
    point: Floats
    quantiles: Floats
    opponents: Mapping[str, Floats]
    move: Floats
    revised: Floats
    revisions: NDArray[np.int64]
    ids: NDArray[np.int64]
    of_other_prices: int

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Which forecasts count, (n, H)."""
        counting: NDArray[np.bool_] = self.status == LIVE
        return counting

    def forecast_id(self, prediction: int, step: int) -> int:
        """The id of a forecast, by its place in the arrays."""
        return int(self.ids[prediction]) * STEPS + step + 1


def recorded_models(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The models that the ledger holds forecasts of, in alphabetical order."""
    return tuple(name for (name,) in connection.execute("SELECT DISTINCT model FROM series ORDER BY model"))


def newest_price(connection: sqlite3.Connection, model: str) -> str | None:
    """The price column that `model` was recorded with last; None if it never was."""
    row = connection.execute("SELECT price FROM series WHERE model = ? ORDER BY id DESC LIMIT 1", (model,)).fetchone()
    return str(row[0]) if row else None


def read_record(
    connection: sqlite3.Connection,
    model: str,
    price: str,
    since: np.datetime64 | None = None,
    version: str | None = None,
) -> LiveRecord | None:
    """What was issued for `model`, of the column `price`; None if nothing was.

    From the origins `since` then, or all; by that `version`, or every one.
    """
    key = (model, price, day_number(_BEGINNING if since is None else since), version)
    predictions = connection.execute(_PREDICTIONS, key).fetchall()
    if not predictions:
        return None
    ids, series, origin, last, before, cutoff = zip(*predictions, strict=True)
    names = tuple(dict.fromkeys(series))
    index = {name: number for number, name in enumerate(names)}
    (others,) = connection.execute(
        "SELECT count(*) FROM series s JOIN prediction p ON p.series = s.id WHERE s.model = ? AND s.price <> ?",
        (model, price),
    ).fetchone()
    table = _table(connection.execute(_FORECASTS, key), np.array(ids))  # (n, H, facts + quantiles)
    status, target, point, move, revised, revisions = (table[..., column] for column in range(1, _FACTS))
    quantiles, opponents = _at_shared_levels(*from_distances(table[..., _FACTS:]), forecast=np.isfinite(status))
    return LiveRecord(
        names,
        np.array([index[name] for name in series]),
        _dates(np.array(origin, dtype=np.float64)),
        np.array(last),
        np.array(before, dtype=np.float64) / SCALE,
        _dates(np.array(cutoff[:1], dtype=np.float64))[0],
        np.where(np.isnan(status), ABSENT, status).astype(np.int64),
        _dates(target),
        point / SCALE,
        quantiles,
        opponents,
        move / SCALE,
        revised / SCALE,
        np.nan_to_num(revisions).astype(np.int64),
        np.array(ids),
        others,
    )


def _at_shared_levels(
    quantiles: Floats, opponents: dict[str, Floats], forecast: NDArray[np.bool_]
) -> tuple[Floats, dict[str, Floats]]:
    """Quantiles (n, H, all) without the tails, unless every `forecast` (n, H) that was made has them."""
    if np.isfinite(quantiles[forecast]).all():
        return quantiles, opponents
    return quantiles[..., 1:-1], {name: one[..., 1:-1] for name, one in opponents.items()}


def _table(cursor: sqlite3.Cursor, ids: NDArray[np.int64]) -> Floats:
    """The rows of a query, (n, H, columns), by the prediction and step that their ids tell."""
    parts = []
    while rows := cursor.fetchmany(_BATCH):
        parts.append(np.array(rows, dtype=np.float64))
    flat = np.concatenate(parts)
    number = flat[:, 0].astype(np.int64)
    at, step = np.searchsorted(ids, number // STEPS), number % STEPS - 1
    table = np.full((len(ids), int(step.max()) + 1, flat.shape[1]), np.nan)
    table[at, step] = flat
    return table


def _dates(days: Floats) -> Dates:
    """Days since 1970-01-01, NaN where there is none, as dates."""
    known = np.isfinite(days)
    return np.where(known, np.where(known, days, 0).astype("int64").astype("datetime64[D]"), np.datetime64("NaT", "D"))
