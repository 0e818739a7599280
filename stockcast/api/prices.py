"""Prices: from files or from frames, read and examined as the command line does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stockcast.api.columns import price_columns
from stockcast.api.frames import LOG, frame_of, page
from stockcast.checks.findings import acceptable
from stockcast.errors import UsageError
from stockcast.jobs.common.in_memory import Paths, read_frame, texts_of
from stockcast.jobs.fetching.addresses import default_name
from stockcast.jobs.source import left_out, read_prices, reading_lines
from stockcast.reading.column_names import demand_roles
from stockcast.reading.records import Hints, PanelRead
from stockcast.store.manifest import FRAME

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Prices:
    """Prices that were read and examined: one series, or several that one model is trained on.

    `names` are those of the series; `frame()` has their rows; `len()` counts them.
    """

    panel_read: PanelRead
    csvs: tuple[str, ...]
    hints: Hints

    @classmethod
    def from_frame(
        cls,
        frame: DataFrame,
        *,
        name: str | None = None,
        columns: Mapping[str, str] | None = None,
        date_format: str | None = None,
        accept: Collection[str] = (),
    ) -> Prices:
        """The prices of a frame: dates in its index or in a column, a close, and open, high, low, volume if there are.

        Several series stand below each other with a column of tickers (or `unique_id`, `ds`, `y`), or side by side:
        closes under their tickers, or two header levels as yfinance has them. A single one is called `name`, else
        after the ticker that the frame names. The other arguments are those of `read`.

        Raises `StockcastError` wherever the reader would refuse a file with these cells; line 2 is the first row.

        >>> import pandas, stockcast
        >>> days = pandas.bdate_range("2024-01-01", periods=3)
        >>> stockcast.Prices.from_frame(pandas.DataFrame({"Close": [10.0, 10.5, 10.25]}, days), name="acme")
        Prices of acme: 3 sessions, 2024-01-01 to 2024-01-03
        """
        hints = hints_of(columns, date_format, None, None, accept)
        prices = cls(read_frame(frame, name, hints), (FRAME,), hints)
        for line in reading_lines(prices.panel_read.files):
            LOG.info(line)
        return prices

    @property
    def model_name(self) -> str:
        """What a model of these prices is called, if nobody says: after the file, or after the first series."""
        return self.names[0] if self.csvs == (FRAME,) else default_name(self.csvs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the series."""
        return self.panel_read.panel.names

    def frame(self) -> DataFrame:
        """The rows as they were taken: series, date, then open, high, low, close and volume as far as they are there.

        >>> prices.frame().columns.tolist()
        ['series', 'date', 'open', 'high', 'low', 'close', 'volume']
        """
        return frame_of(price_columns(self.panel_read.panel.series))

    def __len__(self) -> int:
        return self.panel_read.panel.rows

    def __repr__(self) -> str:
        panel = self.panel_read.panel
        what = self.names[0] if len(panel) == 1 else f"{len(panel)} series"
        return f"Prices of {what}: {panel.rows:,} sessions, {panel.dates[0]} to {panel.dates[-1]}"

    def _repr_html_(self) -> str:
        return page(
            repr(self), [*reading_lines(self.panel_read.files), *left_out(self.panel_read)], self.frame().tail()
        )


def read(
    csv: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    delimiter: str | None = None,
    accept: Collection[str] = (),
    store: str | Path = "models",
) -> Prices:
    """The prices of a CSV file, a folder, a glob, an address, or several, read and examined as `stockcast train` does.

    Of an address a copy is kept in the `store`; else nothing is written. `columns` maps a role (date, ticker, open,
    high, low, close, adj_close, volume) to a header name or a column number; `accept` names faults to take that would
    be refused, such as splits or splits:2020-08-31.

    Raises `NotFound`, `DataError` for what can't be used, `AmbiguousData` where there are two sound readings.

    >>> stockcast.read("data/ibm.csv")
    Prices of ibm: 3,270 sessions, 2000-03-01 to 2013-03-01
    """
    hints, csvs = hints_of(columns, date_format, decimal, delimiter, accept), texts_of(csv)
    return Prices(read_prices(csvs, LOG.info, hints, store=Path(store)), csvs, hints)


def prices_of(given: Prices | DataFrame, name: str | None = None) -> Prices:
    """Prices, or a frame of them, whose single series is called `name`. Raises as `Prices.from_frame`."""
    return given if isinstance(given, Prices) else Prices.from_frame(given, name=name)


def hints_of(
    columns: Mapping[str, str] | None,
    date_format: str | None,
    decimal: str | None,
    delimiter: str | None,
    accept: Collection[str],
) -> Hints:
    """What is said of how to read. Raises `UsageError` for a role or a fault that there is not."""
    if isinstance(accept, str):
        raise UsageError(f"accept is the text {accept!r}.", f"give a list: accept=[{accept!r}].")
    roles = {role: str(name) for role, name in (columns or {}).items()}
    demand_roles(roles)
    return Hints(date_format, decimal, delimiter, roles, acceptable(accept))
