"""Prices from frames: every usual shape gives the series that the reader finds in a file, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stockcast
from stockcast.data.series import PriceSeries
from stockcast.errors import AmbiguousData, DataError, UsageError

Made = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


def yahoo(series: PriceSeries) -> pd.DataFrame:
    """A frame as yfinance hands it out for one ticker."""
    index = pd.DatetimeIndex(series.dates, name="Date").tz_localize("America/New_York")
    return pd.DataFrame({key.capitalize(): values for key, values in series.columns.items()}, index)


def in_dates(frame: pd.DataFrame) -> pd.DataFrame:
    frame.index = frame.index.tz_localize(None)  # type: ignore[attr-defined]  # the index of dates that `yahoo` makes
    return frame


SHAPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as yfinance hands it out": lambda frame: frame,
    "dates in a column": lambda frame: in_dates(frame).reset_index(),
    "dates in an index without a name": lambda frame: in_dates(frame).rename_axis(None),
    "periods": lambda frame: in_dates(frame).to_period("D"),
    "newest first": lambda frame: in_dates(frame).iloc[::-1],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_frame_of_one_series_is_read_as_its_file(
    shape: str, prices: Made, write_csv: WriteCsv, tmp_path: Path
) -> None:
    series = prices(rows=80)
    frame = stockcast.Prices.from_frame(SHAPES[shape](yahoo(series)), name="acme").frame()
    pd.testing.assert_frame_equal(frame, stockcast.read(write_csv(series, tmp_path / "acme.csv")).frame())


def test_dates_as_text_and_rows_with_numbers(prices: Made) -> None:
    series = prices(rows=80)
    frame = in_dates(yahoo(series)).reset_index()
    every = stockcast.Prices.from_frame(frame.assign(Date=frame.Date.dt.strftime("%d %b %Y"))).frame()
    assert (every.date.to_numpy() == series.dates).all()
    some = stockcast.Prices.from_frame(frame[frame.Close > frame.Close.median()]).frame()
    assert len(some) == 40


@pytest.mark.parametrize("first", ["Price", "Ticker"])
def test_two_header_levels_in_either_order(first: str, prices: Made) -> None:
    """The later listing of one ticker is empty cells, in whichever level the tickers stand."""
    both = {name: yahoo(prices(rows=rows, seed=rows, name=name)) for name, rows in (("AA", 90), ("BRK-B", 70))}
    side = pd.concat(both, axis="columns", names=["Ticker", "Price"], sort=True)
    side = side if first == "Ticker" else side.swaplevel(axis="columns")
    read = stockcast.Prices.from_frame(side)
    assert read.names == ("AA", "BRK-B")
    for name, frame in both.items():
        mine = read.frame()[read.frame().series == name]
        assert (mine.close.to_numpy() == frame.Close.to_numpy()).all()
        assert (mine.volume.to_numpy() == frame.Volume.to_numpy()).all()


def test_two_header_levels_of_one_ticker_name_the_series(prices: Made) -> None:
    side = pd.concat({"IBM": yahoo(prices(rows=60))}, axis="columns", names=["Ticker", "Price"])
    assert stockcast.Prices.from_frame(side.swaplevel(axis="columns")).names == ("ibm",)


def test_header_levels_that_are_no_prices_are_refused() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")]))
    with pytest.raises(DataError, match="2 header levels, and 0 of them hold names such as Close"):
        stockcast.Prices.from_frame(frame)


def test_wide_closes_and_long_rows_are_the_same_panel(prices: Made) -> None:
    one, other = (prices(rows=90, seed=seed) for seed in (1, 2))
    wide = pd.DataFrame({"AA": one.columns["close"], "BB": other.columns["close"]}, pd.DatetimeIndex(one.dates))
    long = wide.rename_axis("ds").melt(var_name="unique_id", value_name="y", ignore_index=False).reset_index()
    read = stockcast.Prices.from_frame(wide)
    assert read.names == ("AA", "BB")
    pd.testing.assert_frame_equal(read.frame(), stockcast.Prices.from_frame(long).frame())


def test_floats_arrive_bit_for_bit() -> None:
    """Whole doubles, such as yfinance hands out, not the digits that a file would have."""
    values = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(200)))
    for close in (values, values.astype(np.float32), values * 1e-6):
        frame = pd.DataFrame({"Close": close}, pd.bdate_range("2020-01-01", periods=200))
        read = stockcast.Prices.from_frame(frame).frame().close.to_numpy()
        expected = close if close.dtype == np.float64 else np.array([float(str(one)) for one in close])
        assert (read == expected).all()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"Date": ["03/04/2020", "04/05/2020", "05/06/2020"], "Close": [1.0, 2.0, 3.0]}, AmbiguousData),
        ({"Date": ["2020-01-01", "2020-01-02"], "first": [1.0, 2.0], "second": [2.0, 1.0]}, AmbiguousData),
        ({"Date": ["2020-01-01", "2020-01-02"], "Close": ["n/a", "none"]}, DataError),
        ({"Date": ["soon", "later"], "Close": [1.0, 2.0]}, DataError),
    ],
)
def test_a_frame_is_refused_with_the_words_for_its_file(
    cells: dict[str, list[object]], kind: type[DataError], tmp_path: Path
) -> None:
    frame = pd.DataFrame(cells)
    path = tmp_path / "prices"
    frame.to_csv(path, index=False)
    refusals = []
    for attempt in (partial(stockcast.read, path), partial(stockcast.Prices.from_frame, frame)):
        with pytest.raises(kind) as caught:
            attempt()
        refusals.append((caught.value.message.replace(str(path), "prices"), caught.value.fix))
    assert refusals[0] == refusals[1]
    assert refusals[0][1]


def test_what_settles_a_question_is_said_by_argument() -> None:
    frame = pd.DataFrame({"Date": ["03/04/2020", "04/05/2020", "05/06/2020"], "Close": [1.0, 1.1, 1.2]})
    read = stockcast.Prices.from_frame(frame, date_format="%d/%m/%Y").frame()
    assert read.date.iloc[0] == pd.Timestamp("2020-04-03")
    two = pd.DataFrame({"Date": ["2020-01-01", "2020-01-02"], "first": [1.0, 1.1], "second": [2.0, 2.1]})
    assert stockcast.Prices.from_frame(two, columns={"close": "second"}).frame().close.tolist() == [2.0, 2.1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frame": [1.0, 2.0]}, "a list is no frame"),
        ({"frame": "data/ibm.csv"}, "a str is no frame"),
        ({"columns": {"clos": "x"}}, "there is no role 'clos'. Did you mean 'close'?"),
        ({"accept": "splits"}, "accept is the text 'splits'"),
        ({"accept": ["nothing"]}, "nothing"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], words: str) -> None:
    given = {"frame": pd.DataFrame({"Close": [1.0]}, pd.bdate_range("2020-01-01", periods=1)), **arguments}
    with pytest.raises(UsageError, match=words.replace("?", r"\?")) as caught:
        stockcast.Prices.from_frame(**given)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.fix
