"""The manifest, the fingerprint of the data, and the arrays beside it."""

from __future__ import annotations

import io
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from stockcast.data.series import PriceSeries
from stockcast.errors import ModelDamaged
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.manifest import extends, file_digests, fingerprint, parse_manifest
from stockcast.store.records import dump, load_exact, sha256

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, make_manifest = sample["make_bundle"], sample["make_manifest"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
tables = st.dictionaries(st.text(max_size=5), json_values, max_size=3)


@given(tables)
def test_a_record_reads_back_as_it_was_written(table: dict[str, object]) -> None:
    assert load_exact(dump(table), "x") == table


@given(tables, st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_a_record_in_other_words_is_refused(table: dict[str, object], at: int, added: bytes) -> None:
    data = dump(table)
    at %= len(data) + 1
    with pytest.raises(ModelDamaged):
        load_exact(data[:at] + added + data[at:] + b" ", "x")


def test_a_manifest_reads_back_as_it_was_written() -> None:
    draft = replace(
        make_manifest(), name="acme", created="2026-11-21T02:15:00Z", files=file_digests(make_bundle().files)
    )
    manifest = replace(draft, version=f"20261121T021500Z-{sha256(draft.encode())[:8]}")
    assert parse_manifest(manifest.encode(), "manifest.json") == manifest
    with pytest.raises(ModelDamaged, match=r"manifest\.json.*version"):
        parse_manifest(replace(manifest, seed=1).encode(), "manifest.json")


@pytest.mark.parametrize(("test_csv", "written"), [(None, False), ("", True), ("prices/acme.csv", True)])
@pytest.mark.parametrize("events", [(), ("/data/reports.csv", "/data/rates")])
def test_optional_keys_are_written_where_there_is_something(
    test_csv: str | None, written: bool, events: tuple[str, ...]
) -> None:
    draft = replace(
        make_manifest(),
        name="acme",
        created="2026-11-21T02:15:00Z",
        files=file_digests(make_bundle().files),
        test_csv=test_csv,
        events=events,
    )
    manifest = replace(draft, version=f"20261121T021500Z-{sha256(draft.encode())[:8]}")
    assert (b"test_csv" in manifest.encode()) is written
    assert (b'"events"' in manifest.encode()) == bool(events)
    assert parse_manifest(manifest.encode(), "manifest.json") == manifest


def test_a_later_schema_says_what_to_do() -> None:
    page = dump({"schema": 3})
    with pytest.raises(ModelDamaged, match="schema 3; this stockcast reads schemas 1 to 2") as raised:
        parse_manifest(page, "manifest.json")
    assert "stockcast" in str(raised.value.fix)


def test_scores_that_are_no_numbers_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        replace(make_manifest(), scores={"rmse": float("nan")}).encode()


def shortened(series: PriceSeries, first: int, last: int) -> PriceSeries:
    columns = {key: values[first:last] for key, values in series.columns.items()}
    return PriceSeries(series.name, series.dates[first:last], columns)


def test_the_same_or_a_longer_series_extends(prices: Callable[..., PriceSeries]) -> None:
    series = prices(rows=60)
    earlier = fingerprint(shortened(series, 0, 50))
    assert (earlier["rows"], earlier["first"], earlier["last"]) == (50, str(series.dates[0]), str(series.dates[49]))
    assert extends(shortened(series, 0, 50), earlier)
    assert extends(series, earlier)
    close_only = PriceSeries(series.name, series.dates, {"close": series.columns["close"]})
    assert extends(close_only, earlier)


def test_any_other_series_does_not_extend(prices: Callable[..., PriceSeries]) -> None:
    series = prices(rows=60)
    earlier = fingerprint(shortened(series, 0, 50))
    assert not extends(shortened(series, 0, 49), earlier)
    assert not extends(shortened(series, 1, 60), earlier)
    assert not extends(PriceSeries("other", series.dates, series.columns), earlier)
    assert not extends(PriceSeries(series.name, series.dates + 1, series.columns), earlier)
    for row, same in ((0, False), (49, False), (50, True)):
        close = series.columns["close"].copy()
        close[row] += 0.01
        assert extends(PriceSeries(series.name, series.dates, {"close": close}), earlier) is same


shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
single = hnp.arrays(np.dtype("<f4"), shapes, elements=st.floats(-1e9, 1e9, width=32))
double = hnp.arrays(np.dtype("<f8"), shapes, elements=st.floats(-1e99, 1e99))
names = st.text("abcdefgh/_0123456789.:-", min_size=1, max_size=30)


@given(st.dictionaries(names, single | double, max_size=4))
def test_arrays_read_back_and_numpy_reads_them_too(arrays: dict[str, NDArray[np.floating]]) -> None:
    data = encode_arrays(arrays)
    assert data == encode_arrays(arrays)
    with np.load(io.BytesIO(data), allow_pickle=False) as by_numpy:
        for name, array in decode_arrays(data, "weights.npz").items():
            assert not array.flags.writeable
            for other in (arrays[name], by_numpy[name]):
                assert (array.dtype, array.shape) == (other.dtype, other.shape)
                np.testing.assert_array_equal(array, other)
    assert decode_arrays(data, "weights.npz").keys() == arrays.keys()


def test_arrays_written_by_numpy_are_read() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, kernel=np.ones((3, 4), dtype=np.float32), bias=np.zeros(4))
    arrays = decode_arrays(buffer.getvalue(), "weights.npz")
    assert {name: array.shape for name, array in arrays.items()} == {"kernel": (3, 4), "bias": (4,)}
