"""Numbers in sentences."""

from __future__ import annotations

import math

import pytest

from stockcast.evaluate.wording import p_value


@pytest.mark.parametrize(
    ("p", "text"),
    [
        *[(0.0004, "p < 0.001"), (0.0123, "p = 0.012"), (0.34, "p = 0.34"), (math.nan, "not testable")],
        *[(0.0499, "p = 0.0499"), (0.04997, "p = 0.04997"), (0.05, "p = 0.050"), (0.0501, "p = 0.050")],
    ],
)
def test_a_p_value_shows_on_which_side_of_five_percent_it_lies(p: float, text: str) -> None:
    assert p_value(p) == text
