"""What travels comes out as it went in, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config.run import load_config
from stockcast.data.events.records import events_of
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import ConfigError, DataError, IOFailure, ModelDamaged, StockcastError, TrainingDiverged
from stockcast.evaluate.walk_forward import walk
from stockcast.fleet.parcel import Parcel, pack, unpack
from stockcast.fleet.tasks import Result, Task, differing, failed, installed
from stockcast.fleet.work import fold_of, fold_task, work
from stockcast.model.training_run import TrainingRun

Prices = Callable[..., PriceSeries]

ARRAYS = {
    "a": np.array([[1.5, np.nan], [-np.inf, 0.0]]),
    "b": np.arange(3, dtype=np.int64),
    "c": np.zeros((0, 4), np.float32),
}
PARCEL = pack(Parcel({"text": "prices ä", "number": 0.1, "none": None}, ARRAYS, {"file": bytes(range(256)), "": b""}))


def test_a_parcel_comes_out_as_it_went_in() -> None:
    parcel = unpack(PARCEL, "it")
    assert parcel.page == {"text": "prices ä", "number": 0.1, "none": None}
    assert parcel.files == {"file": bytes(range(256)), "": b""}
    assert list(parcel.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(parcel.arrays[name], array)
        assert parcel.arrays[name].dtype == array.dtype
    assert pack(parcel) == PARCEL


@given(st.integers(0, len(PARCEL) - 1), st.integers(1, 255))
def test_a_single_changed_byte_is_noticed(place: int, change: int) -> None:
    changed = bytearray(PARCEL)
    changed[place] ^= change
    with pytest.raises(IOFailure, match="it did not arrive as it was sent"):
        unpack(bytes(changed), "it")


@given(st.integers(0, len(PARCEL) - 1), st.binary(max_size=40))
def test_what_is_cut_short_or_is_no_parcel_is_refused(length: int, other: bytes) -> None:
    for data in (PARCEL[:length], PARCEL + b"\0", other):
        with pytest.raises(IOFailure):
            unpack(data, "it")


def test_a_task_comes_out_as_it_went_in(prices: Prices) -> None:
    day = np.datetime64("2020-03-02")
    events = events_of([(day, "", "fed", "", day - 30), (day + 1, "acme", "report", "after", day - 9)])
    panel = Panel((prices(rows=200), prices(rows=90, seed=1, name="b", columns=("close",)))).with_events(events)
    config = load_config("daily", {"split.until": "2020-06-01"})
    fold = walk(panel, np.datetime64("2020-07-01"), 60, 30)[0]
    task = Task.decode(fold_task(panel, fold, TrainingRun(config, "daily")).encode())
    assert (task.kind, task.config, task.config_name, task.versions) == ("fold", config, "daily", installed())
    for mine, theirs in zip(task.panel.series, panel.series, strict=True):
        assert (mine.name, mine.decimals, list(mine.columns)) == (theirs.name, theirs.decimals, list(theirs.columns))
        np.testing.assert_array_equal(mine.dates, theirs.dates)
        for column, values in theirs.columns.items():
            np.testing.assert_array_equal(mine.columns[column], values)
        assert mine.events.digest() == theirs.events.digest()
    again = fold_of(task)
    assert (again.first, again.cutoff) == (fold.first, fold.cutoff)
    assert all(map(np.array_equal, again.origins, fold.origins))


@pytest.mark.parametrize("kind", [DataError, TrainingDiverged, ModelDamaged, StockcastError])
def test_an_error_is_raised_again_as_what_it_was(kind: type[StockcastError]) -> None:
    with pytest.raises(kind) as told:
        Result.decode(failed(kind("what was found.", "what mends it.")), "it")
    assert (type(told.value), told.value.message, told.value.fix) == (kind, "what was found.", "what mends it.")


def test_a_result_can_name_no_class_but_an_error() -> None:
    for name in ("foreseen", "annotations", "BaseException"):
        told = pack(Parcel({"error": {"class": name, "message": "m", "fix": None}}))
        with pytest.raises(StockcastError, match="m"):
            Result.decode(told, "it")
    with pytest.raises(IOFailure):
        Result.decode(pack(Parcel({})), "it")


def test_a_worker_refuses_tasks_of_other_versions_by_name(prices: Prices) -> None:
    other = {**installed(), "keras": "2.0"}
    task = Task("learn", "acme", Panel((prices(rows=30),)), load_config("daily"), "daily", versions=other)
    with pytest.raises(StockcastError, match=r"keras [\d.]+|keras 2\.0"):
        Result.decode(work(task.encode()), "it")
    assert differing(installed()) is None


def test_a_worker_answers_with_the_error_of_a_task_that_can_not_be_done(prices: Prices) -> None:
    task = Task(
        "fold",
        "it",
        Panel((prices(rows=30),)),
        load_config("daily"),
        "daily",
        {"first": "2020-01-01", "cutoff": "2020-01-30"},
        {"origins/0": np.arange(2)},
    )
    with pytest.raises(ConfigError, match="22 sessions"):
        Result.decode(work(task.encode()), "it")
    with pytest.raises(IOFailure):
        Result.decode(work(b"no task"), "it")
