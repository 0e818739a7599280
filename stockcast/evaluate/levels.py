"""The levels that quantiles are at, and the central bands that they make."""

from __future__ import annotations

from collections.abc import Sequence

from stockcast.data.forecast import LEVELS, Forecast
from stockcast.data.series import Floats

BANDS = (0.5, 0.8, 0.9, 0.95)
"""The central bands that are judged, wherever a forecast has their ends."""

TAILS = (LEVELS[0], LEVELS[-1])

TAIL_BAND = 0.98
"""The band between the tails. It is scored beside `BANDS` and has no say in their words: half of its misses are one
point, and to show that it holds within one takes twice as many days as the others need. `risk` tests the lower tail."""

DIGITS = 9  # of a level: 1 - 0.9 is 0.1


def central_bands(levels: tuple[float, ...]) -> tuple[float, ...]:
    """The central bands whose both ends are among `levels`, narrow first: those of `BANDS`, or any if there is none.

    Not all in any case: tests of nested bands share one correction, so who brings more of them would be asked less.
    """
    ends = {round(level, DIGITS) for level in levels}
    every = sorted(round(1 - 2 * low, DIGITS) for low in ends if low < 0.5 and round(1 - low, DIGITS) in ends)
    return tuple(band for band in BANDS if band in every) or tuple(every)


def scored_bands(levels: tuple[float, ...]) -> tuple[float, ...]:
    """The bands that are judged, and the one between the tails where it is there."""
    judged = central_bands(levels)
    tails = TAIL_BAND not in judged and all(level in levels for level in TAILS)
    return (*judged, TAIL_BAND) if tails else judged


def band_ends(levels: tuple[float, ...], band: float) -> tuple[int, int]:
    """Where among `levels` the lower and the upper end of a band stand, one of `central_bands`."""
    known = [round(level, DIGITS) for level in levels]
    low, high = (known.index(round(end, DIGITS)) for end in ((1 - band) / 2, (1 + band) / 2))
    return low, high


def loss_levels(levels: tuple[float, ...]) -> tuple[float, ...]:
    """The levels that figures of loss are over: without the tails, so that they mean the same of whoever has none.

    All levels where there are no others.
    """
    return tuple(level for level in levels if level not in TAILS) or levels


def band_edges(forecast: Forecast, band: float) -> tuple[Floats, Floats]:
    """The lower and the upper edge of a central band of a forecast, (n, H) each."""
    low, high = band_ends(forecast.levels, band)
    return forecast.quantiles[:, :, low], forecast.quantiles[:, :, high]


def shared_levels(all_levels: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Those that all forecasts have, of those that have any: pinball losses can be compared over these alone."""
    with_any = [levels for levels in all_levels if levels]
    first, *others = with_any or [()]
    return loss_levels(tuple(level for level in first if all(level in levels for levels in others)))
