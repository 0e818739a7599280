"""What is wrong with the prices of a series, whatever file they came from. Pure: nothing is mended here.

Each check returns the findings of one or two kinds; `findings.KINDS` has their verdicts and `--accept` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.findings import Finding, finding, merged, refusal
from stockcast.checks.stock_splits import RATIOS, find_splits
from stockcast.data.series import Dates, Floats, PriceSeries
from stockcast.data.trading_calendars import weekdays_of
from stockcast.errors import DataError

Mask = NDArray[np.bool_]

_STALE = 5
_LEAST_SHARE = 0.0005
_STRAY = 3.0
"""How many times farther than usual the newest close may lie from its own high and low."""


def examine(
    series: PriceSeries, expected: Dates | None = None, today: date | None = None, calendar: str = "its calendar"
) -> tuple[Finding, ...]:
    """Every finding about one series.

    `expected` are the sessions of `calendar` between its first and last date: without them only gaps far longer than
    the others are seen. Rows after `today` lie in the future.
    """
    checks = (_splits, _outside, _stray_close, _bad_prints, _stale, _weekends, _running, _zero_volume)
    found = [one for check in checks for one in check(series)]
    return (*found, *_absent(series, expected, calendar), *_future(series, today))


def examine_all(
    several: Iterable[PriceSeries],
    expected: Dates | None = None,
    today: date | None = None,
    calendar: str = "its calendar",
) -> tuple[Finding, ...]:
    """The findings about several series, one for each kind. `expected` may reach beyond each of them."""
    return merged((one.name, found) for one in several for found in examine(one, expected, today, calendar))


def admit(
    several: Sequence[PriceSeries], accept: frozenset[str], where: str, today: date
) -> tuple[tuple[PriceSeries, ...], tuple[Finding, ...], tuple[DataError, ...]]:
    """The series of a file that may be used, what was found in these, and why each other one is refused.

    `accept` are the kinds of findings that are taken although they would be refused.
    """
    sound: list[PriceSeries] = []
    found: list[tuple[str, Finding]] = []
    refused: list[DataError] = []
    for one in several:
        of_one = examine(one, None, today)
        error = refusal(of_one, accept, f"{where}, {one.name}" if len(several) > 1 else where)
        if error:
            refused.append(error)
        else:
            sound.append(one)
            found += [(one.name, each) for each in of_one]
    return tuple(sound), merged(found), tuple(refused)


def _splits(series: PriceSeries) -> list[Finding]:
    splits = find_splits(series)
    if not splits:
        return []
    listed = ", ".join(f"{split} on {series.dates[split.row]}" for split in splits[:5])
    rest = ", ..." if len(splits) > 5 else ""
    return [
        finding(
            "splits",
            series.dates[[split.row for split in splits]],
            f"{'It is' if len(splits) == 1 else 'They are'} {listed}{rest}.",
        )
    ]


def _outside(series: PriceSeries) -> list[Finding]:
    """Close or Open outside Low..High, by more than the last printed digit."""
    columns = series.columns
    if not {"high", "low"} <= columns.keys():
        return []
    slack = 0.51 * 10.0**-series.decimals + 1e-6 * columns["high"]
    found = [finding("high_below_low", series.dates[columns["high"] < columns["low"] - slack])]
    for role in ("close", "open"):
        if role in columns:
            outside = (columns[role] > columns["high"] + slack) | (columns[role] < columns["low"] - slack)
            where = series.dates[outside]
            found.append(finding(f"{role}_outside", where, _stretch(series, role, outside) if outside.any() else ""))
    return [one for one in found if one.count]


def _stretch(series: PriceSeries, role: str, outside: Mask) -> str:
    """The usual cause where a price stays a split's ratio away from the others up to one date."""
    middle = np.sqrt(series.columns["high"] * series.columns["low"])
    ratio = series.columns[role] / middle
    usual = float(np.median(ratio[outside]))
    nearest = min((one for ratio in RATIOS for one in (ratio, 1 / ratio)), key=lambda one: abs(np.log(one / usual)))
    stretch = outside & (np.abs(np.log(ratio / nearest)) < 0.1)
    rows = np.flatnonzero(stretch)
    if rows.size < 0.9 * outside.sum() or abs(np.log(usual / nearest)) > 0.1:
        worst = int(np.argmax(np.where(outside, np.abs(np.log(ratio)), 0)))
        return f"Farthest off on {series.dates[worst]}: {series.columns[role][worst]:g} against {middle[worst]:g}."
    if rows[-1] == len(series) - 1:
        return (
            f"It is about {nearest:g} times the other prices from {series.dates[rows[0]]} on: one was adjusted alone."
        )
    until = series.dates[rows[-1] + 1]
    return (
        f"It is about {nearest:g} times the other prices before {until}: it is not adjusted for the split as they are."
    )


def _stray_close(series: PriceSeries) -> list[Finding]:
    """A newest close that is many times its own high, or a small part of its low: a lost decimal mark, cents for units.

    Every forecast begins there. Where the close always lies so far off, it is no slip of one row: see `_outside`.
    """
    columns = series.columns
    if not {"high", "low"} <= columns.keys():
        return []
    close, high, low = (columns[role] for role in ("close", "high", "low"))
    beyond = np.maximum(close / high, low / close)
    if beyond[-1] <= _STRAY * max(float(np.median(beyond[:-1])) if len(series) > 1 else 1.0, 1.0):
        return []
    detail = f"It is {close[-1]:g} between {low[-1]:g} and {high[-1]:g}."
    return [finding("stray_close", series.dates[-1:], detail)]


def _bad_prints(series: PriceSeries) -> list[Finding]:
    """Closes that leap and come back at once; highs and lows far beyond the row's open and close."""
    columns = series.columns
    if len(series) < 4:
        return []
    returns = np.diff(np.log(columns["close"]))
    threshold = max(np.log(1.2), 12 * float(np.median(np.abs(returns))))
    leaps, back = returns[:-1], returns[1:]
    spikes = np.zeros(len(series), dtype=bool)
    spikes[1:-1] = (np.abs(leaps) > threshold) & (np.abs(back) > threshold) & (np.abs(leaps + back) < np.abs(leaps) / 4)
    if {"open", "high", "low"} <= columns.keys():
        spikes |= _shadows(columns["open"], columns["high"], columns["low"], columns["close"])
    rows = np.flatnonzero(spikes)
    if rows.size == 0:
        return []
    low, high = columns.get("low", columns["close"]), columns.get("high", columns["close"])
    example = (
        f"There the prices reach from {low[rows[0]]:g} to {high[rows[0]]:g}, after {columns['close'][rows[0] - 1]:g}."
    )
    return [finding("bad_prints", series.dates[rows], example)]


def _shadows(opening: Floats, high: Floats, low: Floats, close: Floats) -> Mask:
    above = np.log(high / np.maximum(opening, close))
    below = np.log(np.minimum(opening, close) / low)
    far = max(np.log(1.4), 25 * float(np.median(above + below)))
    far_out: Mask = (above > far) | (below > far)
    return far_out


def _stale(series: PriceSeries) -> list[Finding]:
    """Sessions whose prices and volume all equal those before, in runs of five and more."""
    columns = [values for role, values in series.columns.items() if role != "volume"]
    same = np.all([np.diff(values) == 0 for values in columns], axis=0)
    volume = series.columns.get("volume")
    if volume is not None:
        same &= (np.diff(volume) == 0) | (volume[1:] == 0) | np.isnan(volume[1:])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    runs = [(start, end) for start, end in edges.reshape(-1, 2) if end - start >= _STALE]
    if not runs:
        return []
    rows = np.concatenate([np.arange(start, end) + 1 for start, end in runs])
    longest = max(end - start for start, end in runs)
    return [finding("stale", series.dates[rows], f"The longest run has {longest}.")]


def _weekends(series: PriceSeries) -> list[Finding]:
    """Rows on Saturdays and Sundays, unless the series is open on that day in the weeks around, too."""
    if _median_step(series) > 1:
        return []
    days = series.dates[~np.is_busday(series.dates)]
    around = days[:, None] + 7 * np.array([-4, -3, -2, -1, 1, 2, 3, 4])  # (rows, 8)
    possible = (around >= series.dates[0]) & (around <= series.dates[-1])
    strays = days[np.isin(around, series.dates).sum(axis=1) < np.minimum(3, np.maximum(possible.sum(axis=1), 1))]
    if strays.size == 0:
        return []
    return [finding("weekend_rows", strays, _share(strays.size / len(series), "all rows"))]


def _share(share: float, of: str) -> str:
    """A share in words; nothing for one that would read as none."""
    return f"{share:.1%} of {of}." if share >= _LEAST_SHARE else ""


def _running(series: PriceSeries) -> list[Finding]:
    """Two rows of one week, or of one month, where others come once: mostly the running one has a row of its own."""
    usual = _median_step(series)
    if usual < 5 or len(series) < 4:
        return []
    if usual > 8:
        period = series.dates.astype("datetime64[M]").astype(np.int64)
    else:
        # A week that is called by its Saturday or Sunday begins there.
        label = int(np.bincount(weekdays_of(series.dates)).argmax())
        period = (series.dates.astype(np.int64) + 3 - (label if label >= 5 else 0)) // 7
    again = series.dates[1:][np.diff(period) == 0]
    return [finding("running", again)] if again.size else []


def _zero_volume(series: PriceSeries) -> list[Finding]:
    volume = series.columns.get("volume")
    if volume is None or not (volume == 0).any():
        return []
    return [finding("zero_volume", series.dates[volume == 0])]


def _absent(series: PriceSeries, expected: Dates | None, calendar: str) -> list[Finding]:
    if expected is not None:
        inside = expected[(expected >= series.dates[0]) & (expected <= series.dates[-1])]
        missing = np.setdiff1d(inside, series.dates)
        detail = f"The calendar is {calendar}. {_share(missing.size / inside.size, 'its sessions')}".strip()
        return [finding("missing_sessions", missing, detail)] if missing.size else []
    usual = _median_step(series)
    steps = np.diff(series.dates).astype(np.int64)
    gaps = np.flatnonzero(steps > (10 if usual <= 1 else 1.8 * usual))
    if gaps.size == 0:
        return []
    longest = int(gaps[np.argmax(steps[gaps])])
    detail = f"The longest lasts {steps[longest]} days, after {series.dates[longest]}."
    return [finding("gaps", series.dates[gaps], detail)]


def _median_step(series: PriceSeries) -> float:
    return float(np.median(np.diff(series.dates).astype(np.int64))) if len(series) > 1 else 1.0


def _future(series: PriceSeries, today: date | None) -> list[Finding]:
    if today is None or series.dates[-1] <= np.datetime64(today) + 1:
        return []
    return [finding("future", series.dates[series.dates > np.datetime64(today) + 1], f"Today is {today}.")]
