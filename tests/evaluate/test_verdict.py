"""The words that a model gets, from forecasts whose quality is known because they were made so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from stockcast.data.forecast import EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Floats, Panel, PriceSeries
from stockcast.errors import StockcastError
from stockcast.evaluate.band_verdict import BAND_WORDS, NO_EVIDENCE, TOO_FEW
from stockcast.evaluate.verdict import RULES, UNTESTED, Verdict, verdict
from stockcast.model.baselines import build

ROWS, JUDGED, HORIZON = 1000, 400, 3


def walks(count: int = 1, step: int = 1) -> Panel:
    """Random walks whose volatility doubles and halves every hundred days."""
    random = np.random.default_rng(4)
    dates = np.datetime64("2015-01-01") + step * np.arange(ROWS)
    volatility = np.where(np.arange(ROWS) // 100 % 2, 0.02, 0.005)
    shared = random.standard_normal(ROWS)
    every = []
    for index in range(count):
        returns = volatility * (0.6 * shared + 0.8 * random.standard_normal(ROWS))
        every.append(PriceSeries(f"w{index}", dates, {"close": 100 * np.exp(np.cumsum(returns))}))
    return Panel(tuple(every))


def baselines(panel: Panel) -> dict[str, EvaluatedForecast]:
    train = panel.upto(panel.series[0].dates[ROWS - JUDGED - 1])
    origins = [np.arange(ROWS - JUDGED, ROWS - 1) for _ in panel.series]
    found = {}
    for name in ("naive", "ewma"):
        forecast = build(name, train, "close", HORIZON).forecast(panel, origins)
        found[name] = evaluate(name, panel, forecast, "close")
    return found


def changed(evaluated: EvaluatedForecast, point: Floats | None = None, widen: float = 1.0) -> EvaluatedForecast:
    """The same forecasts with another point, around which the bands move along, or with bands `widen` times as wide."""
    old = evaluated.forecast
    new_point = old.point if point is None else point
    quantiles = new_point[..., None] * (old.quantiles / old.point[..., None]) ** widen
    forecast = Forecast(old.series, old.row, old.last, new_point, quantiles, old.levels)
    return replace(evaluated, model="test", forecast=forecast)


def foreseeing(evaluated: EvaluatedForecast, share: float) -> Floats:
    """A point forecast that knows a share of each move."""
    last = evaluated.forecast.last[:, None]
    return np.where(np.isfinite(evaluated.actual), last + share * (evaluated.actual - last), last)


def say(model: EvaluatedForecast, others: Mapping[str, EvaluatedForecast]) -> tuple[Verdict, str]:
    result = verdict(model, others)
    return result, " ".join(result.sentences())


@pytest.mark.parametrize("count", [1, 5])
def test_the_last_price_claims_nothing_and_bands_that_follow_volatility_are_sharper(count: int) -> None:
    others = baselines(walks(count))
    naive, text = say(others["naive"], others)
    assert (naive.level.word, naive.direction.word) == (UNTESTED, UNTESTED)
    assert naive.sharpness is not None
    assert naive.sharpness.word == "blunter"
    assert text.startswith("The point forecast is the last price itself, and claims no skill")
    against_naive, text = say(others["ewma"], {"naive": others["naive"], "ewma": others["naive"]})
    assert against_naive.sharpness is not None
    assert against_naive.sharpness.word == "sharper"
    assert "They are sharper than EWMA's (pinball loss" in text


@pytest.mark.parametrize("count", [1, 5])
def test_a_forecast_that_knows_has_skill_in_level_and_direction(count: int) -> None:
    others = baselines(walks(count))
    result, text = say(changed(others["ewma"], foreseeing(others["ewma"], 0.2)), others)
    assert (result.level.word, result.direction.word) == ("skill", "skill")
    assert result.level.value == pytest.approx(-0.2, abs=0.01)
    assert result.direction.value == 1
    assert "Evidence of skill in the level one step ahead (RMSE 20.0 % below the last price's, p < 0.001)" in text
    assert "evidence of skill in direction one step ahead (100 % right" in text


def test_a_forecast_that_bets_the_wrong_way_is_told_so() -> None:
    others = baselines(walks())
    result, text = say(changed(others["ewma"], foreseeing(others["ewma"], -0.3)), others)
    assert (result.level.word, result.direction.word) == ("worse", "wrong")
    assert "the level is worse than the last price" in text.lower()
    assert "its direction is wrong more often than chance" in text


@pytest.mark.parametrize("count", [1, 5])
def test_noise_around_the_last_price_is_no_skill(count: int) -> None:
    others = baselines(walks(count))
    noise = np.random.default_rng(5).normal(1, 0.0005, others["ewma"].forecast.point.shape)
    result, text = say(changed(others["ewma"], noise * others["ewma"].forecast.point), others)
    assert (result.level.word, result.direction.word) == ("no evidence", "no evidence")
    assert text.startswith("The forecast stays at the last price (within 3 % of a usual move): no evidence of skill in")
    assert "no evidence of skill in direction (" in text


def test_a_copy_of_yesterdays_price_is_named_in_days_or_steps() -> None:
    for step, words in ((1, "repeats yesterday's price, one day late"), (7, "repeats the last price, one step late")):
        others = baselines(walks(step=step))
        result, text = say(changed(others["ewma"], 1.02 * others["ewma"].forecast.point), others)
        assert result.persistence.repeats
        assert text.startswith(f"The forecast {words}: ")


@pytest.mark.parametrize(("widen", "word"), [(0.6, "too narrow"), (1.7, "too wide")])
@pytest.mark.parametrize("count", [1, 5])
def test_bands_that_are_off_are_called_so(widen: float, word: str, count: int) -> None:
    others = baselines(walks(count))
    result, text = say(changed(others["ewma"], widen=widen), others)
    assert result.bands is not None
    assert result.bands.word == word
    assert f"The bands are {word} at every step: the {100 * result.bands.band:.0f} % band held" in text


@pytest.mark.parametrize("count", [1, 5])
def test_bands_that_four_hundred_days_can_not_fault_are_not_said_to_be_kept(count: int) -> None:
    others = baselines(walks(count))
    result, text = say(others["ewma"], others)
    assert result.bands is not None
    assert {step.word for step in result.bands.steps} == {NO_EVIDENCE, TOO_FEW} if count == 1 else {NO_EVIDENCE}
    quoted = f"the 80 % band held {100 * result.bands.value:.1f} % ({100 * result.bands.low:.1f} to "
    assert quoted in text
    assert "There is no evidence against the bands" in text


def test_skill_at_a_later_step_is_not_hidden_by_a_first_one_that_claims_nothing() -> None:
    others = baselines(walks())
    point = foreseeing(others["ewma"], 0.5)
    point[:, 0] = others["ewma"].forecast.last
    result, text = say(changed(others["ewma"], point), others)
    assert (result.level.word, result.level.step) == ("skill", 2)
    assert text.startswith("Evidence of skill in the level two steps ahead")


def test_the_error_of_one_series_is_compared_in_its_own_unit() -> None:
    others = baselines(walks())
    model = changed(others["ewma"], 1.02 * others["ewma"].forecast.point)
    first = model.forecast.point[:, 0] - model.actual[:, 0], model.forecast.last - model.actual[:, 0]
    ratio = np.sqrt(np.mean(first[0] ** 2) / np.mean(first[1] ** 2))
    assert verdict(model, others).level.value == pytest.approx(ratio - 1)


def test_without_an_opponent_sharpness_is_not_mentioned() -> None:
    others = baselines(walks())
    result, text = say(others["naive"], {"naive": others["naive"]})
    assert (result.sharpness, result.opponent) == (None, None)
    assert "sharper" not in text


def test_sharpness_is_held_against_the_hardest_opponent_there_is() -> None:
    others = baselines(walks())
    both, text = say(others["ewma"], {**others, "har": others["naive"]})
    assert (both.opponent, both.sharpness and both.sharpness.word) == ("har", "sharper")
    assert "They are sharper than HAR's (pinball loss" in text
    equal, text = say(others["ewma"], {**others, "har": changed(others["ewma"], widen=1.01)})
    assert equal.sharpness is not None
    assert equal.sharpness.word == "no evidence"
    assert "There is no evidence that they are sharper or blunter than HAR's" in text


@pytest.mark.parametrize("days", [5, 20, 60])
def test_a_few_days_are_said_to_be_too_few_and_prove_nothing(days: int) -> None:
    others = baselines(walks())
    few = {name: _part(one, slice(50, 50 + days)) for name, one in others.items()}
    noise = np.random.default_rng(5).normal(1, 0.0005, few["ewma"].forecast.point.shape)
    result, text = say(changed(few["ewma"], noise * few["ewma"].forecast.point), few)
    assert result.bands is not None
    assert {result.level.word, result.direction.word, result.bands.word} == {TOO_FEW}
    assert "oo few days to tell of skill in the level" in text
    assert " or in direction" in text
    assert "There are too few days to tell whether the bands keep their promise at every step" in text
    assert "evidence" not in text


def _part(evaluated: EvaluatedForecast, part: slice) -> EvaluatedForecast:
    old = evaluated.forecast
    forecast = Forecast(old.series[part], old.row[part], old.last[part], old.point[part], old.quantiles[part])
    return EvaluatedForecast(
        evaluated.model,
        evaluated.names,
        forecast,
        evaluated.actual[part],
        evaluated.origin[part],
        evaluated.dates[part],
    )


def test_one_lucky_step_of_many_is_not_called_skill() -> None:
    """On its own the p value of the one step is below 5 %; among twenty it isn't."""
    random = np.random.default_rng(6)
    words = []
    for _ in range(60):
        day = np.datetime64("2020-01-01") + np.arange(250)
        move = random.normal(0, 1, (250, 20))  # twenty steps with moves of their own
        last = np.full(250, 100.0)
        point, actual = 100 + random.normal(0, 0.3, move.shape), 100 + move
        forecast = Forecast(
            np.zeros(250, dtype=np.int64), np.arange(250), last, point, np.repeat(point[..., None], 9, axis=2)
        )
        dates = np.repeat(day[:, None], 20, axis=1)
        mine = EvaluatedForecast("test", ("x",), forecast, actual, day, dates)
        flat = replace(mine, forecast=replace(forecast, point=np.full(move.shape, 100.0)))
        words.append(verdict(mine, {"naive": flat}).direction.word)
    assert words.count("no evidence") >= 54


def test_baselines_must_have_been_judged_on_the_same_cutoffs() -> None:
    others = baselines(walks())
    for part in (slice(50), slice(1, 51)):
        with pytest.raises(StockcastError, match="same cutoffs"):
            verdict(_part(others["ewma"], slice(2, 52)), {"naive": _part(others["naive"], part)})


def test_the_verdict_as_json_holds_the_sentences_and_only_words_of_the_rules() -> None:
    others = baselines(walks())
    result = verdict(others["ewma"], others)
    record = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert tuple(record["sentences"]) == result.sentences()
    assert record["echo"]["repeats"] is False
    for topic, rule in RULES.items():
        assert record[topic]["word"] in {rule.below, "no evidence", TOO_FEW, rule.above, UNTESTED}
    assert record["bands"]["word"] == record["bands"]["steps"][0]["word"]
    assert {step["word"] for step in record["bands"]["steps"]} <= set(BAND_WORDS)
