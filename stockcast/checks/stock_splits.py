"""Unadjusted splits: overnight jumps by a split's ratio on sessions that are otherwise ordinary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockcast.data.series import PRICE_COLUMNS, Floats, PriceSeries

RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0)
_SIGNED_RATIOS = (*RATIOS, *(1 / ratio for ratio in RATIOS))
_SIGNED = -np.log(_SIGNED_RATIOS)

# What may lie between a jump and a split's ratio, as a share of the log ratio: overnight where there is an open, from
# close to close where there is none. Close to 3 for 2 stand true crashes; to 10 for 1 none, so more may be allowed.
_OVERNIGHT, _DAILY_WITH_OPEN, _DAILY = 0.125, 0.4, 0.06
_WIDEST, _MOST_TRADED = 6.0, 5.0
_WINDOW, _NEXT = 60, 5
_UNUSUAL_WITH_OPEN, _UNUSUAL = 3.5, 10.0
_NO_CRASH = np.log(4)
"""To a quarter overnight no price falls by itself, whatever is traded on that day."""
_LARGEST, _LEAST = 6.0, 0.01
_AFTER, _KEPT = 10, 0.6
_DAYS, _ORDINARY = 4, 2.5
"""So many times the usual move: less is needed where the open shows that the jump came overnight, by just a split's
ratio. Of closes alone a third less in a wild month is no split."""


@dataclass(frozen=True)
class Split:
    """From row `row` on prices are `ratio` times lower than before; for a reverse split the ratio is below 1."""

    row: int
    ratio: float

    def __str__(self) -> str:
        return f"{self.ratio:g} for 1" if self.ratio > 1 else f"1 for {round(1 / self.ratio, 6):g}"


def find_splits(series: PriceSeries) -> tuple[Split, ...]:
    """Splits that a series is not adjusted for.

    A session is one if its close, and its open where there is one, moved from the last close by nearly a split's
    ratio, if that is far more than the moves around it, if neither its range nor its volume is far beyond those around
    it, and if no session beside it takes it back.
    """
    returns = np.diff(np.log(series.columns["close"]))
    rows = np.flatnonzero(np.abs(returns) > np.log(1.25)) + 1
    return tuple(split for row in rows if (split := _split_at(series, returns, int(row))))


def _split_at(series: PriceSeries, returns: Floats, row: int) -> Split | None:
    columns = series.columns
    move = overnight = float(returns[row - 1])
    if "open" in columns:
        overnight = float(np.log(columns["open"][row] / columns["close"][row - 1]))
    place = int(np.argmin(np.abs(_SIGNED - overnight)))
    jump, ratio = float(_SIGNED[place]), _SIGNED_RATIOS[place]
    usual = _usual_move(returns, row - 1)
    near, nearly = (_OVERNIGHT, _DAILY_WITH_OPEN) if "open" in columns else (_DAILY, _DAILY)
    apart = nearly * abs(jump)
    if "open" in columns and _is_rare(series):
        # What a week or a month moves hides a jump between two of them; what usually lies between these doesn't.
        move, apart, usual = overnight, max(apart, _ORDINARY * usual), _usual_gap(series, row)
    moves = [move, *(np.log(columns[role][row] / columns[role][row - 1]) for role in PRICE_COLUMNS if role in columns)]
    if abs(overnight - jump) > near * abs(jump) or any(abs(each - jump) > apart for each in moves):
        return None
    beside = [float(returns[place]) for place in (row - 2, row) if 0 <= place < returns.size]
    taken_back = any(abs(move + other) < abs(move) / 2 for other in beside)
    if taken_back or abs(move) < (_UNUSUAL_WITH_OPEN if "open" in columns else _UNUSUAL) * usual:
        return None
    if abs(move) < _UNUSUAL * usual and not _stays(np.log(columns["close"]), row, move):
        return None
    beyond_crashes = "open" in columns and abs(jump) >= _NO_CRASH
    ordinary = _ranges_as_ever(series, row) and not _crowded(series, row, ratio)
    return Split(row, ratio) if beyond_crashes or ordinary else None


def _usual_move(returns: Floats, place: int) -> float:
    """The root mean square of the moves around a place, or of those next to it where they are wilder.

    Moves that are themselves as large count no more than the largest of ordinary ones: a series may have many splits.
    """
    usual = [0.0]
    for reach in (_WINDOW, _NEXT):
        around = np.abs(np.delete(returns[max(0, place - reach) : place + reach + 1], min(place, reach)))
        if around.size:
            usual.append(float(np.sqrt(np.mean(np.minimum(around, _LARGEST * np.median(around) + _LEAST) ** 2))))
    return max(usual)


def _is_rare(series: PriceSeries) -> bool:
    """Whether rows are weeks or months."""
    return float(np.median(np.diff(series.dates).astype(np.int64))) > _DAYS


def _usual_gap(series: PriceSeries, row: int) -> float:
    """The usual move from a close to the next open around a row."""
    opening, close = np.log(series.columns["open"][1:]), np.log(series.columns["close"][:-1])
    return _usual_move(opening - close, row - 1)


def _stays(closes: Floats, row: int, move: float) -> bool:
    """Whether logs of closes keep most of a move in the sessions after it, as they do after a split."""
    before, after = closes[max(0, row - _AFTER) : row], closes[row : row + _AFTER]
    kept = float(np.median(after) - np.median(before)) / move
    return after.size < _AFTER // 2 or kept > _KEPT


def _ranges_as_ever(series: PriceSeries, row: int) -> bool:
    if not {"high", "low"} <= series.columns.keys():
        return True
    around = slice(max(0, row - _WINDOW), row + _WINDOW)
    ranges = np.log(series.columns["high"][around] / series.columns["low"][around])
    own = np.log(series.columns["high"][row] / series.columns["low"][row])
    return bool(own <= _WIDEST * np.median(ranges[ranges > 0])) if (ranges > 0).any() else True


def _crowded(series: PriceSeries, row: int, ratio: float) -> bool:
    """Whether far more was traded than a split explains, which multiplies the volume by its ratio: a crash."""
    if "volume" not in series.columns:
        return False
    before = series.columns["volume"][max(0, row - _WINDOW) : row]
    before = before[before > 0]
    if before.size == 0:
        return False
    usual = max(np.median(before), np.median(before[-_AFTER:]))  # after an earlier split more is traded
    return bool(series.columns["volume"][row] > _MOST_TRADED * max(ratio, 1.0) * usual)
