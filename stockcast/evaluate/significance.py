"""Is it more than chance? Tests for forecasts, each with the source of its formula.

Every p value is two-sided; the sign of the statistic tells which side. Series of a panel share their days, so nothing
here counts the stocks of one day as independent: losses are averaged over each day first, and the days are tested.
A test that can't be made, because of too few days or no variation, has a p of NaN. `day` (n,) numbers each forecast's
origin among all days, in order, from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Floats
from stockcast.evaluate.power import separate_days

Days = NDArray[np.int64]

FEWEST_DAYS = 8


@dataclass(frozen=True)
class Evidence:
    """A test's statistic, its two-sided p value and the number of days behind it."""

    statistic: float
    p: float
    days: int


def daily_mean(values: Floats, day: Days) -> Floats:
    """The mean of `values` (n,) on each day that has any, in order of days, (days,)."""
    count = np.bincount(day)
    total = np.bincount(day, weights=values)
    return np.asarray(total[count > 0] / count[count > 0])


def variance_of_mean(values: Floats, lags: int) -> float:
    """The variance of the mean of a series whose values are correlated up to `lags` apart.

    The sum of the autocovariances up to `lags` (Diebold & Mariano 1995). Where that is not positive, the same with
    Bartlett's weights over twice the lags, which can't be negative (Newey & West 1987), as Harvey, Leybourne &
    Whitehouse (2017) advise.
    """
    n = len(values)
    centred = values - values.mean()
    covariance = np.array([centred[lag:] @ centred[: n - lag] / n for lag in range(min(2 * lags, n - 1) + 1)])
    plain = covariance[0] + 2 * covariance[1 : lags + 1].sum()
    if plain <= 0 or len(covariance) <= lags:
        weight = 1 - np.arange(len(covariance)) / len(covariance)
        plain = 2 * (weight @ covariance) - covariance[0]
    return float(max(plain, 0.0) / n)


def mean_test(daily: Floats, span: int, skewed: bool = False) -> Evidence:
    """Is the mean of `daily` (days,) zero, where values less than `span` days apart are correlated?

    The Diebold-Mariano statistic with the correction of Harvey, Leybourne & Newbold (1997), against Student's t. Its
    degrees of freedom are counted in separate spans, n / span - 1: with the paper's n - 1, a true null hypothesis is
    rejected far too often where n is less than some fifty spans. `skewed`: the values are, and few; the cubic of Hall
    (1992), On the removal of skewness by transformation, puts both sides right.
    """
    from scipy.special import stdtr

    n = len(daily)
    if n < max(FEWEST_DAYS, 4 * span):
        return Evidence(math.nan, math.nan, n)
    variance = variance_of_mean(daily, span - 1)
    if variance <= (1e-12 * np.abs(daily).max()) ** 2:
        return Evidence(math.nan, math.nan, n)
    correction = (n + 1 - 2 * span + span * (span - 1) / n) / n
    mean = float(daily.mean())
    if skewed:
        deviation = float(daily.std(ddof=1))
        skewness, share = float(((daily - mean) ** 3).mean()) / deviation**3, mean / deviation
        mean = deviation * (share + skewness * (share**2 / 3 + 1 / (6 * n)) + skewness**2 * share**3 / 27)
    statistic = mean * math.sqrt(correction / variance)
    return Evidence(statistic, float(2 * stdtr(n / span - 1, -abs(statistic))), n)


def clustered_span(days: int, step: int) -> int:
    """The span of scores that follow volatility: as calm and wild days come in clusters, so do they.

    At least the step itself, whose forecasts overlap, else 0.75 n^(1/3) (Stock & Watson, Introduction to Econometrics).
    """
    return max(step, int(0.75 * days ** (1 / 3)))


def diebold_mariano(loss: Floats, other: Floats, day: Days, step: int, clustered: bool = False) -> Evidence:
    """Do two forecasts `step` steps ahead differ in mean loss? A negative statistic: `loss` is the lower one.

    Diebold & Mariano (1995), Comparing predictive accuracy, with the correction of Harvey, Leybourne & Newbold (1997),
    on the mean difference of each day. `loss` and `other` have shape (n,). `clustered`: the losses
    follow volatility, as those of bands do, and are correlated beyond the overlap of their steps.
    """
    daily = daily_mean(loss - other, day)
    return mean_test(daily, clustered_span(len(daily), step) if clustered else step)


def pesaran_timmermann(move: Floats, foreseen: Floats, day: Days, step: int) -> Evidence:
    """Do the signs of foreseen and actual moves, (n,) each, agree more often than independent ones would?

    The numerator is that of Pesaran & Timmermann (1992), A simple nonparametric test of predictive performance: the
    share of agreements less the share expected of independent signs, which is twice their covariance. Its variance is
    estimated from the daily means, so that overlapping steps and stocks of one day are allowed, as the binomial one of
    the paper does not. Moves of exactly zero have no sign and are left out.
    """
    signed = (move != 0) & (foreseen != 0)
    if not signed.any():
        return Evidence(math.nan, math.nan, 0)
    up, call = move[signed] > 0, foreseen[signed] > 0
    agreement = 2 * (up - up.mean()) * (call - call.mean())
    return mean_test(daily_mean(agreement, day[signed]), step)


def effective_size(hits: Floats, day: Days, step: int) -> float:
    """How many independent forecasts the `hits` (n,), 0 or 1, are worth when their share is judged.

    One series one step ahead: all n, as in the binomial tests of the textbooks. Otherwise n over the design effect: the
    variance of the share, estimated from the daily means, over what it would be of independent hits (Kish 1965), with
    the loss of degrees of freedom by Korn & Graubard (1998); never more than n. Where all hits are equal, nothing can
    be estimated, and the days count, thinned by their overlap: bands h steps ahead, made daily, share part of their
    path, which for a random walk costs the factor (2 h^2 + 1) / (3 h).
    """
    from scipy.special import stdtrit

    n, days = len(hits), int(np.count_nonzero(np.bincount(day)))
    if days == n and step == 1:
        return float(n)
    separate = separate_days(days, step)
    variance = variance_of_mean(daily_mean(hits, day), clustered_span(days, step) - 1) if n else 0.0
    if separate < 2 or variance == 0:
        return separate
    freedom = (stdtrit(n - 1.0, 0.975) / stdtrit(separate - 1, 0.975)) ** 2
    share = float(hits.mean())
    return float(min(share * (1 - share) / variance * freedom, n))


def binomial_interval(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of Clopper & Pearson (1934) for a probability, after `hits` of `n`, which need not be whole."""
    from scipy.special import betaincinv

    if not n > 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = betaincinv(hits, n - hits + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return float(low), float(high)


def binomial_test(hits: float, n: float, probability: float) -> Evidence:
    """Is `probability` compatible with `hits` of `n`? The p is below 5 % just outside Clopper and Pearson's interval.

    A positive statistic, the normal deviate of the share, means more hits than expected.
    """
    from scipy.special import betainc

    if n < FEWEST_DAYS:
        return Evidence(math.nan, math.nan, int(n))
    at_most = betainc(n - hits, hits + 1, 1 - probability) if hits < n else 1.0
    at_least = betainc(hits, n - hits + 1, probability) if hits > 0 else 1.0
    deviate = (hits - n * probability) / math.sqrt(n * probability * (1 - probability))
    return Evidence(deviate, float(min(1.0, 2 * min(at_most, at_least))), int(n))


def basel_light(exceptions: float, n: float, probability: float) -> str | None:
    """The traffic light of a value at risk that losses exceeded so often in `n` days: green, yellow, red; None of few.

    Yellow from where a right model has as few exceptions or fewer with a probability of 95 %, red from 99.99 %: of 1 %
    in 250 days from 5 and from 10 exceptions (Basel Committee 1996, Supervisory framework for the use of backtesting).
    """
    from scipy.special import betainc

    if n < FEWEST_DAYS:
        return None
    at_most = betainc(n - exceptions, exceptions + 1, 1 - probability) if exceptions < n else 1.0
    return "green" if at_most < 0.95 else "yellow" if at_most < 0.9999 else "red"


def green_chance(n: float, probability: float, truth: float) -> float:
    """How likely that light is green in `n` days where losses exceed the value at risk with the probability `truth`."""
    from scipy.special import bdtr, bdtrik

    if n < FEWEST_DAYS:
        return math.nan
    most = np.ceil(bdtrik(0.95, int(n), probability)) - 1  # exceptions under a green light
    return float(bdtr(most, int(n), truth))


def kupiec(hits: float, n: float, probability: float) -> Evidence:
    """Likelihood ratio test of unconditional coverage, chi-squared with 1 degree of freedom.

    Kupiec (1995), Techniques for verifying the accuracy of risk measurement models. For a panel or overlapping steps
    give the `effective_size` as `n`, and `hits` in proportion.
    """
    from scipy.special import chdtrc, xlogy

    if n < FEWEST_DAYS:
        return Evidence(math.nan, math.nan, int(n))
    share = hits / n
    ratio = 2 * float(xlogy(hits, share / probability) + xlogy(n - hits, (1 - share) / (1 - probability)))
    return Evidence(max(ratio, 0.0), float(chdtrc(1, max(ratio, 0.0))), int(n))


def christoffersen(daily_hits: Floats, step: int = 1) -> Evidence:
    """Do misses of a band come in clusters? `daily_hits` (days,) is 0 or 1, or for a panel a day's share of hits.

    One series, one step: the likelihood ratio of a Markov chain against independence, chi-squared with 1 degree of
    freedom (Christoffersen 1998, Evaluating interval forecasts). Otherwise the hits are no chain; then the covariance
    of each day's share with that `step` days before, the nearest that doesn't overlap, is tested by `mean_test`.
    """
    from scipy.special import chdtrc, xlogy

    if len(daily_hits) < FEWEST_DAYS:
        return Evidence(math.nan, math.nan, len(daily_hits))
    if step > 1 or not np.isin(daily_hits, (0, 1)).all():
        centred = daily_hits - daily_hits.mean()
        return mean_test(centred[step:] * centred[:-step], step)
    before, after = daily_hits[:-1].astype(int), daily_hits[1:].astype(int)
    moves = np.bincount(2 * before + after, minlength=4).reshape(2, 2).astype(float)  # from, to
    if (moves.sum(axis=0) == 0).any() or (moves.sum(axis=1) == 0).any():
        return Evidence(math.nan, math.nan, len(daily_hits))
    expected = moves.sum(axis=1, keepdims=True) * moves.sum(axis=0) / moves.sum()
    ratio = max(2 * float(xlogy(moves, moves / expected).sum()), 0.0)
    return Evidence(ratio, float(chdtrc(1, ratio)), len(daily_hits))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """p values corrected for making several tests at once (Holm 1979). NaN stays NaN and isn't counted."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: int(np.isfinite(values).sum())]  # NaN sorts last
    corrected = values.copy()
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)), 1)
    return tuple(float(value) for value in corrected)
