"""Years of other calendars: the Buddhist era of Thailand and the Minguo era of Taiwan, and what proves them.

Both have the months and days of the common era and count the years from another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from stockcast.data.series import Dates
from stockcast.errors import DataError

BUDDHIST, MINGUO = ", Buddhist years", ", Minguo years"
OFFSETS = {BUDDHIST: 543, MINGUO: -1911}
"""What is taken from a year of the era to get that of the common era."""
_OF_TWO_DIGITS = {BUDDHIST: 2500, MINGUO: 0}

_OLDEST, _NEWEST, _BUDDHIST_YEARS = 1600, 2200, range(2300, 2700)
_FEWEST = 10
_FAR = 100


def era_of(years: Sequence[str], where_minguo: bool, with_days: bool, today: date) -> str:
    """The era of a column's years as they are written, or "" for the common one.

    Minguo years have three digits at least once; Buddhist ones lie far in the future. Raises `DataError` for years of
    a calendar that is not known, such as the Persian.
    """
    numbers = [int(year) for year in years if len(year) == 4]
    if where_minguo:
        return MINGUO if any(len(year) == 3 for year in years) else ""
    if numbers and min(numbers) > today.year + _FAR and max(numbers) - OFFSETS[BUDDHIST] <= today.year + 1:
        return BUDDHIST
    late = [year for year in numbers if year > today.year + _FAR]
    if with_days and late and max(late) - OFFSETS[BUDDHIST] <= today.year + 1 and len(numbers) - len(late) > 1:
        raise DataError(
            f"the dates have years of two calendars, such as {min(numbers)} and {late[0]}, which is "
            f"{late[0] - OFFSETS[BUDDHIST]} if it is a Buddhist year.",
            "export all dates in the common era.",
        )
    # Without a day it may be a price: 1359.12.
    if with_days and numbers and min(numbers) >= 1200 and max(numbers) < 1500 and len(numbers) > 1:
        raise DataError(
            f"the dates have years such as {numbers[0]}, which are of a calendar that stockcast does not know.",
            "export the dates in the common era.",
        )
    return ""


def other_calendar(*ends: np.datetime64) -> bool:
    """Whether the first and the last date could have years of another era, or of two."""
    first, last = sorted(int(str(end)[:4]) for end in ends)
    return last < _OLDEST or first > _NEWEST or last in _BUDDHIST_YEARS


def common_year(year: str, era: str) -> int:
    """The year of the common era; two digits of a Buddhist year belong to the 2500s."""
    return int(year) + (_OF_TWO_DIGITS[era] if len(year) == 2 else 0) - OFFSETS[era]


def weekdays_prove(dates: Dates) -> bool:
    """Whether daily dates all fall on weekdays, which in another year they would not."""
    days = np.unique(dates[~np.isnat(dates)])
    daily = days.size >= _FEWEST and np.median(np.diff(days).astype(np.int64)) == 1
    return bool(daily and np.is_busday(days).all())


def weekdays_disprove(dates: Dates) -> bool:
    """Whether daily dates lie on weekends as on other days and yet leave two days of each week out."""
    days = np.unique(dates[~np.isnat(dates)])
    if days.size < _FEWEST or np.median(np.diff(days).astype(np.int64)) != 1:
        return False
    share = days.size / float((days[-1] - days[0]).astype(np.int64) + 1)
    return bool(share < 0.8 and np.mean(~np.is_busday(days)) > 0.1)
