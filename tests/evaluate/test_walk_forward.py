"""Walk-forward: nothing that is judged was trained on, and every cutoff is judged once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import DataError, UsageError
from stockcast.evaluate.walk_forward import walk

Prices = Callable[..., PriceSeries]


def numbered(rows: int, name: str = "one", skip: int = 0) -> PriceSeries:
    """A series on consecutive days from the first of 2020, or `skip` days later."""
    dates = np.datetime64("2020-01-01") + np.arange(skip, skip + rows)
    return PriceSeries(name, dates, {"close": np.arange(1.0, rows + 1)})


def day(number: int) -> np.datetime64:
    return np.datetime64("2020-01-01") + number


@given(
    st.integers(0, 40),
    st.one_of(st.none(), st.integers(1, 50)),
    st.one_of(st.none(), st.integers(20, 60)),
    st.integers(20, 60),
)
def test_every_cutoff_is_judged_once_and_after_its_training(
    late: int, refit: int | None, window: int | None, start: int
) -> None:
    panel = Panel((numbered(100), numbered(100 - late, "late", late), numbered(100 - late, "gone")))
    folds = walk(panel, day(start), 20, 5, refit, window)
    for index, one in enumerate(panel.series):
        evaluated = np.concatenate([fold.origins[index] for fold in folds])
        expected = [row for row in range(4, len(one) - 1) if one.dates[row] >= day(start)]
        np.testing.assert_array_equal(evaluated, expected)
    for fold in folds:
        before = int((fold.cutoff - day(0)).astype(int)) + 1
        dates = fold.training(panel).dates
        assert (dates[0], dates[-1]) == (fold.first, fold.cutoff)
        assert len(dates) == min(window or before, before)
        for one, rows in zip(panel.series, fold.origins, strict=True):
            assert (one.dates[rows] > fold.cutoff).all()
            assert len(rows) <= (refit or 100)


def test_never_refitted_there_is_one_fold_trained_up_to_the_day_before() -> None:
    (fold,) = walk(Panel((numbered(100),)), day(60), 20, 5)
    assert (fold.first, fold.cutoff) == (day(0), day(59))
    assert (fold.origins[0][0], fold.origins[0][-1]) == (60, 98)


def test_a_window_slides_with_the_folds() -> None:
    folds = walk(Panel((numbered(100),)), day(60), 20, 5, refit=15, window=30)
    assert [(fold.first, fold.cutoff) for fold in folds] == [(day(30), day(59)), (day(45), day(74)), (day(60), day(89))]
    assert [len(fold.origins[0]) for fold in folds] == [15, 15, 9]
    assert folds[1].training(Panel((numbered(100),))).series[0].columns["close"][0] == 46


def test_a_date_between_sessions_begins_at_the_next_one(prices: Prices) -> None:
    one = prices(rows=300, start="2020-01-01")
    saturday = np.datetime64("2020-10-03")
    (fold,) = walk(Panel((one,)), saturday, 100, 10)
    assert one.dates[fold.origins[0][0]] == saturday + 2
    assert fold.cutoff == saturday - 1


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (-500, "0 sessions lie before --from 2018-08-19; training needs 20"),
        (10, "10 sessions lie before --from 2020-01-11; training needs 20"),
        (19, "19 sessions lie before --from 2020-01-20; training needs 20"),
        (99, "leaves nothing to judge: the prices end on 2020-04-09"),
        (4000, "leaves nothing to judge: the prices end on 2020-04-09"),
    ],
)
def test_a_start_outside_of_what_the_data_allow_is_refused_with_the_dates_that_work(start: int, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        walk(Panel((numbered(100),)), day(start), 20, 5)
    assert error.value.fix == "give a date from 2020-01-21 to 2020-04-08."


def test_what_can_not_be_walked_is_refused() -> None:
    panel = Panel((numbered(100),))
    with pytest.raises(DataError, match="there are 15 sessions"):
        walk(Panel((numbered(15),)), day(10), 20, 5)
    with pytest.raises(DataError, match="no series has a session to judge with 100 sessions"):
        walk(panel, day(60), 20, 100)
    with pytest.raises(UsageError, match="--refit 0"):
        walk(panel, day(60), 20, 5, refit=0)
    with pytest.raises(UsageError, match="--window 10 is too short"):
        walk(panel, day(60), 20, 5, window=10)
