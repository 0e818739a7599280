"""Where a symbol is traded: the calendar of its sessions, and which of them are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates
from stockcast.data.trading_calendars import closings, keeps_one_rule, openings, sessions_between
from stockcast.errors import DataError

SETTLING = timedelta(minutes=20)
"""From the close until a provider has the day's own prices: closing auctions, and answers that lag by 15 minutes."""

_LONGEST_DAY = np.timedelta64(2, "D")
"""A day is over everywhere so long after its date in UTC."""

# By the codes of Yahoo's chart answers and of Tiingo's descriptions. All parts of one market close together.
_CALENDARS = {
    **dict.fromkeys(("NMS", "NGM", "NCM", "NYQ", "NYS", "ASE", "PCX", "BTS", "PNK", "OQB", "OQX"), "XNYS"),
    **dict.fromkeys(("SNP", "DJI", "NIM", "WCB", "CXI"), "XNYS"),
    **dict.fromkeys(("NYSE", "NASDAQ", "NYSE ARCA", "NYSE MKT", "NYSE NAT", "AMEX", "BATS", "OTC", "PINK"), "XNYS"),
    **dict.fromkeys(("LSE", "IOB", "FGI"), "XLON"),
    **dict.fromkeys(("GER", "FRA", "STU", "MUN", "BER", "DUS", "HAM"), "XETR"),
    "PAR": "XPAR",
    "AMS": "XAMS",
    "BRU": "XBRU",
    "LIS": "XLIS",
    "MIL": "XMIL",
    "MCE": "XMAD",
    "EBS": "XSWX",
    "VIE": "XWBO",
    "STO": "XSTO",
    "HEL": "XHEL",
    "CPH": "XCSE",
    "OSL": "XOSL",
    "ISE": "XDUB",
    "WSE": "XWAR",
    "JPX": "XTKS",
    "OSA": "XTKS",
    "HKG": "XHKG",
    "SHH": "XSHG",
    "SHG": "XSHG",
    "SHZ": "XSHG",
    "SHE": "XSHG",
    "NSI": "XBOM",
    "BSE": "XBOM",
    "KSC": "XKRX",
    "KOE": "XKRX",
    "TAI": "XTAI",
    "TWO": "XTAI",
    "SES": "XSES",
    "ASX": "XASX",
    "NZE": "XNZE",
    "TOR": "XTSE",
    "VAN": "XTSE",
    "SAO": "BVMF",
    "MEX": "XMEX",
    "JNB": "XJSE",
    "CCC": "24/7",
    "CCY": "weekdays",
}


@dataclass(frozen=True)
class Venue:
    """A market: its calendar, as `trading_calendars` names it, and its time zone.

    The calendar is weekdays where the market is not known; a day of those is over at midnight, there.
    """

    exchange: str
    calendar: str
    timezone: str

    def finished(self, dates: Dates, now: datetime) -> NDArray[np.bool_]:
        """Which of these days' sessions are over and settled at `now`, which knows its zone."""
        past = np.asarray(dates < _moment(now).astype("datetime64[D]") - _LONGEST_DAY)
        past[~past] = self._ends(dates[~past]) + np.timedelta64(SETTLING) <= _moment(now)
        return past

    def newest_session(self, now: datetime) -> np.datetime64 | None:
        """The last session that is over and settled at `now`; None where the calendar doesn't reach it."""
        today = np.datetime64(now.astimezone(UTC).date(), "D")
        sessions = sessions_between(self.calendar, today - 31, today + 1)
        over = sessions[self.finished(sessions, now)]
        return over[-1] if over.size else None

    def settled_at(self, day: np.datetime64) -> datetime:
        """When the session of `day` is over and settled."""
        end = (self._ends(np.array([day], dtype="datetime64[D]"))[0] + np.timedelta64(SETTLING)).item()
        return end.replace(tzinfo=UTC)  # type: ignore[no-any-return]  # numpy types .item() as Any

    def timed(self, at: datetime) -> tuple[date, str]:
        """The local day of a moment, and whether it is before or after that day's session; else nothing."""
        local = at.astimezone(ZoneInfo(self.timezone))
        day = np.array([local.date()], dtype="datetime64[D]")
        if keeps_one_rule(self.calendar) or not sessions_between(self.calendar, day[0], day[0]).size:
            return local.date(), ""
        before = _moment(at) < openings(self.calendar, day)[0]
        after = _moment(at) >= closings(self.calendar, day)[0]
        midnight = local.hour == local.minute == 0
        return local.date(), "" if midnight else "before" if before else "after" if after else ""

    def _ends(self, dates: Dates) -> NDArray[np.datetime64]:
        """When each day is over, in UTC (rows,): at its session's close, at midnight where there is no known one."""
        midnights = [
            datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(self.timezone)).astimezone(UTC)
            for day in dates.astype("datetime64[D]").tolist()
        ]
        ends = np.array([one.replace(tzinfo=None) for one in midnights], dtype="datetime64[s]")
        if keeps_one_rule(self.calendar) or not dates.size:
            return ends
        known = np.isin(dates, sessions_between(self.calendar, dates.min(), dates.max()))
        ends[known] = closings(self.calendar, dates[known])
        return ends


def venue_of(exchange: str, timezone: str) -> Venue:
    """The venue of a provider's code for an exchange. Raises `DataError` for a time zone that is none."""
    try:
        ZoneInfo(timezone)
    except (LookupError, ValueError, OSError) as error:
        raise DataError(f"the provider names a time zone {timezone[:30]!r}, which is none.") from error
    return Venue(exchange, _CALENDARS.get(exchange.upper(), "weekdays"), timezone)


def _moment(now: datetime) -> np.datetime64:
    return np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "s")
