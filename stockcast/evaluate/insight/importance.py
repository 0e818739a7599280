"""What a network looks at: how much worse it does when one group of its inputs is another day's.

Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019), on windows that it did not learn from. A group
is shuffled as a whole and through all of a window's sessions, so that what belongs together stays together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Windows32 = NDArray[np.float32]

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "returns": ("return", "gap", "body", "trend"),
    "range and volatility": ("range", "volatility", "variance", "square"),
    "volume": ("volume",),
    "abnormal moves and reports": ("event", "news", "due", "season", "lag"),
    "the market": ("market",),
    "the prices themselves": ("open", "high", "low", "close"),
    "the calendar": ("weekday", "month", "ticker"),
}
"""Groups of inputs, by the first word of a feature's name."""

OTHERS = "known events"

_OF_EVENTS = re.compile(r"\S+ (ahead \d+|recent|since)")


@dataclass(frozen=True)
class GroupImportance:
    """By how much the loss rises, relative to what it is, when the group `name` of `inputs` is shuffled.

    `rises` has one number a shuffling: 0.02 is 2 % more loss.
    """

    name: str
    inputs: tuple[str, ...]
    rises: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean rise."""
        return float(np.mean(self.rises))

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest rise."""
        return min(self.rises), max(self.rises)


def input_groups(features: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The places of a network's inputs by the group that they belong to; groups that have none are left out."""
    places: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        places.setdefault(_group(feature), []).append(at)
    return {name: tuple(places[name]) for name in (*_GROUPS, OTHERS) if name in places}


def _group(feature: str) -> str:
    if _OF_EVENTS.fullmatch(feature):
        return OTHERS
    word = feature.replace(" ", "_").replace("=", "_").partition("_")[0]
    return next((name for name, words in _GROUPS.items() if word in words), OTHERS)


def permutation_importance(
    windows: Windows32, features: Sequence[str], loss: Callable[[Windows32], float], repeats: int, seed: int = 0
) -> tuple[GroupImportance, ...]:
    """The importance of each group of `features`, the greatest first.

    `windows` (n, L, F) are those that the network is judged on, and `loss` is its mean loss on them, in their order.
    No number in them is new: each is one that was known on another of the days. Nothing for fewer than two windows, or
    a loss of zero, which nothing can be relative to.
    """
    usual = loss(windows) if len(windows) > 1 else 0.0
    if usual <= 0:
        return ()
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(windows)) for _ in range(repeats)]
    found = []
    for name, places in input_groups(features).items():
        columns = list(places)
        rises = []
        for order in orders:
            shuffled = windows.copy()
            shuffled[:, :, columns] = windows[order][:, :, columns]
            rises.append(loss(shuffled) / usual - 1)
        found.append(GroupImportance(name, tuple(features[at] for at in places), tuple(rises)))
    return tuple(sorted(found, key=lambda one: -one.mean))
