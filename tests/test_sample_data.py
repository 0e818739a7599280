"""data/ibm.csv is what its README says."""

from __future__ import annotations

import csv
from pathlib import Path

IBM = Path(__file__).parent.parent / "data" / "ibm.csv"


def test_the_sample_prices_are_as_described() -> None:
    with IBM.open(encoding="ascii", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["Date", "Open", "High", "Low", "Close", "Volume"]
    assert rows[0] == ["2000-03-01", "102.0", "105.5", "100.06", "100.25", "10807800"]
    assert rows[-1] == ["2013-03-01", "200.65", "202.94", "199.36", "202.91", "3308300"]
    dates = [row[0] for row in rows]
    assert len(dates) == 3270
    assert dates == sorted(set(dates))
    for row in rows:
        opening, high, low, close = map(float, row[1:5])
        assert low <= min(opening, close) <= max(opening, close) <= high
