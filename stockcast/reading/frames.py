"""A pandas frame as the reader finds it in a file: what is refused in the one is refused in the other, in its words.

pandas itself is not imported: whoever has a frame has it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.errors import DataError, UsageError
from stockcast.reading.column_names import VALUE_ROLES, role_of
from stockcast.reading.files import Source

if TYPE_CHECKING:
    from pandas import DataFrame

UNNAMED = "prices"
"""What a single series is called where neither the caller nor the frame names it."""


def price_source(frame: DataFrame, name: str | None = None) -> Source:
    """A frame of prices as the content of a CSV file, called `name`, else after its only ticker.

    Two header levels, prices under tickers or tickers under prices as yfinance has them, become a column of tickers.
    Raises `UsageError` for what is no frame, `DataError` for header levels that aren't these.
    """
    _demand_frame(frame)
    tickers: list[Any] = []
    if frame.columns.nlevels > 1:
        level = _ticker_level(frame)
        tickers = list(dict.fromkeys(frame.columns.get_level_values(level)))
        parts = [_under(frame, one, level) for one in tickers]
        if len(parts) > 1:
            parts = [part.assign(ticker=str(one)) for one, part in zip(tickers, parts, strict=True)]
    else:
        parts = [frame]
    columns = list(dict.fromkeys(column for part in parts for column in part.columns))
    text = "".join(_csv(part.reindex(columns=columns), header=at == 0) for at, part in enumerate(parts))
    return _source(text, name or _only_ticker(frame, tickers) or UNNAMED)


def table_source(frame: DataFrame, name: str) -> Source:
    """Any other frame as the content of a CSV file that messages call `name`. Raises `UsageError` for what is none."""
    _demand_frame(frame)
    return _source(_csv(frame, header=True), name)


def _source(text: str, name: str) -> Source:
    content = text.encode()
    return Source(Path(name), content, hashlib.sha256(content).hexdigest())


def _demand_frame(frame: object) -> None:
    if not hasattr(frame, "to_csv") or not hasattr(frame, "columns"):
        raise UsageError(
            f"a {type(frame).__name__} is no frame.", "give a pandas DataFrame; a file is read by stockcast.read."
        )


def _ticker_level(frame: DataFrame) -> int:
    """Which of two header levels has the tickers: the one beside that whose labels are names of price columns."""
    levels = [set(map(str, frame.columns.get_level_values(level))) for level in range(frame.columns.nlevels)]
    named = [level for level, labels in enumerate(levels) if any(_is_price(label) for label in labels)]
    if len(levels) != 2 or len(named) != 1:
        raise DataError(
            f"the frame has {len(levels)} header levels, and {len(named)} of them hold names such as Close.",
            "give it two, tickers and Open, High, Low, Close, Volume; or one, with a column of tickers.",
        )
    return 1 - named[0]


def _under(frame: DataFrame, ticker: Any, level: int) -> DataFrame:
    """The columns of one ticker, in the rows that have anything of it."""
    mine: Any = frame.xs(ticker, axis="columns", level=level)
    part: DataFrame = mine.dropna(how="all")
    return part


def _is_price(label: str) -> bool:
    meaning = role_of(label)
    return meaning is not None and meaning[0] in VALUE_ROLES


def _only_ticker(frame: DataFrame, tickers: list[Any]) -> str:
    """The one ticker that a frame names, in lower case as files are called; empty for several and for none."""
    if frame.columns.nlevels == 1:
        of_tickers = [column for column in frame.columns if (role_of(str(column)) or ("",))[0] == "ticker"]
        tickers = [one for column in of_tickers[:1] for one in frame[column].unique()[:2]]
    return str(tickers[0]).lower() if len(tickers) == 1 else ""


def _csv(frame: DataFrame, header: bool) -> str:
    """Commas, a point, and dates without the zone of their exchange; an index of bare numbers is left out."""
    frame = frame.copy(deep=False)
    if getattr(frame.index, "tz", None) is not None:
        frame.index = frame.index.tz_localize(None)  # type: ignore[attr-defined]  # an index with a zone has it
    for column, kind in frame.dtypes.items():
        if getattr(kind, "tz", None) is not None:
            frame[column] = frame[column].dt.tz_localize(None)
    numbered = frame.index.nlevels == 1 and frame.index.name is None and frame.index.dtype.kind in "iu"
    if not numbered and frame.index.nlevels == 1 and frame.index.name is None:
        frame.index.name = "Date"
    text: str = frame.to_csv(index=not numbered, header=header, lineterminator="\n")
    return text
