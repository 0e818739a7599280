"""The levels that quantiles are at, and the central bands that they make."""

from __future__ import annotations

from collections.abc import Sequence

BANDS = (0.5, 0.8, 0.9, 0.95)
"""The central bands that are judged, wherever a forecast has their ends."""

DIGITS = 9  # of a level: 1 - 0.9 is 0.1


def central_bands(levels: tuple[float, ...]) -> tuple[float, ...]:
    """The central bands whose both ends are among `levels`, narrow first: those of `BANDS`, or any if there is none.

    Not all in any case: tests of nested bands share one correction, so who brings more of them would be asked less.
    """
    ends = {round(level, DIGITS) for level in levels}
    every = sorted(round(1 - 2 * low, DIGITS) for low in ends if low < 0.5 and round(1 - low, DIGITS) in ends)
    return tuple(band for band in BANDS if band in every) or tuple(every)


def band_ends(levels: tuple[float, ...], band: float) -> tuple[int, int]:
    """Where among `levels` the lower and the upper end of a band stand, one of `central_bands`."""
    known = [round(level, DIGITS) for level in levels]
    low, high = (known.index(round(end, DIGITS)) for end in ((1 - band) / 2, (1 + band) / 2))
    return low, high


def shared_levels(all_levels: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """The levels that all forecasts have, of those that have any: pinball losses can be compared over these alone."""
    with_any = [levels for levels in all_levels if levels]
    first, *others = with_any or [()]
    return tuple(level for level in first if all(level in levels for levels in others))
