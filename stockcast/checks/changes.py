"""The kinds of change between the prices that a model was trained on and those that it finds now, and their words.

`train`, `retrain`, `predict` and `check --against` all say what is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from math import log
from typing import Any, Literal

Answer = Literal["taken", "said", "refused"]

CHANGES: dict[str, tuple[Answer, str]] = {
    "another": ("refused", "the prices of another series"),
    "shifted": ("refused", "the same prices at other dates"),
    "other_price": ("refused", "another price, as where the close is now the day's average, or is no longer adjusted"),
    "stale": ("refused", "prices that end before those that the model was trained on"),
    "lost_columns": ("refused", "a column that the model was trained on is gone"),
    "shrunk": ("refused", "prices that begin later than those that the model was trained on"),
    "corrected": ("refused", "more than 0.5 % of the sessions have other prices, are gone, or are new; fewer are said"),
    "untold": ("said", "other prices, of which the model kept too little to tell how they differ"),
    "rough": ("said", "the prices are what they were but for a small part of a day's move, as another vendor's"),
    "split": ("said", "a split is worked into the past"),
    "new_columns": ("said", "a column that the model was trained without: it goes on without it"),
    "rescaled": ("taken", "all prices are multiplied by one factor, as by a dividend"),
    "same": ("taken", "the prices are what they were"),
}
"""Every kind, the gravest first, with what is made of it, and what it is."""

ACCEPTABLE = ("lost_columns", "shrunk", "corrected")
"""The refused kinds that --accept takes, as the model can still be used."""

_WITHOUT_PRICES = ("stale", "lost_columns", "shrunk", "new_columns", "untold")

_MOST_CORRECTED = 0.005
"""The share of sessions that may be corrected; one may be always: the last of them was often not over yet."""

_NAMED = 3
_REMEMBERED = 100
_OTHER_UNIT = log(1.25)
"""No dividend multiplies prices by more."""


@dataclass(frozen=True)
class Corrected:
    """A session whose price was `before`, as the later changes of the past leave it, and is `now`.

    None: it was not there; NaN: not looked up.
    """

    day: date
    before: float | None
    now: float | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.day} (new)"
        return f"{self.day} (gone)" if self.now is None else f"{self.day} ({self.now:.6g}, was {self.before:.6g})"


@dataclass(frozen=True)
class PastSplit:
    """Prices before `day`, or all that are shared, were divided by `ratio`; `proved` by volumes multiplied by it."""

    ratio: float
    day: date | None
    proved: bool

    def __str__(self) -> str:
        ratio = f"{self.ratio:.6g} for 1" if self.ratio > 1 else f"1 for {1 / self.ratio:.6g}"
        return ratio + (f" on {self.day}" if self.day else "") + ("" if self.proved else ", which no volume confirms")


@dataclass(frozen=True)
class Change:
    """How the prices of one series lie to those that the model was trained on.

    - `kinds`: of `CHANGES`, the gravest first;
    - `first`, `last`: the dates now, `was_first` and `was_last` at training;
    - `kept`: sessions whose price the model knows, not `whole`: fewer than it was trained on; `shared`: those of them
      that were compared; `apart`: those between them that one of both lacks;
    - `factor`: by which the oldest shared prices were multiplied; `steps`: days at which it changes;
      `rough`: to which part of a price they agree, if not to the digits that were printed.
    """

    series: str
    kinds: tuple[str, ...]
    first: date
    last: date
    was_first: date
    was_last: date
    kept: int = 0
    shared: int = 0
    apart: int = 0
    whole: bool = True
    factor: float = 1.0
    steps: int = 0
    rough: float = 0.0
    splits: tuple[PastSplit, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    lost_columns: tuple[str, ...] = ()
    new_columns: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The gravest of its kinds."""
        return self.kinds[0]

    def of_kinds(self, kinds: Iterable[str], **parts: Any) -> Change:
        """The same change, of these kinds, with more `parts` of it known."""
        ordered = tuple(sorted(set(kinds), key=list(CHANGES).index))
        return replace(self, kinds=ordered, **parts)

    @staticmethod
    def beyond(corrected: int, shared: int) -> bool:
        """Whether so many corrected sessions of all that are shared are too many to be taken."""
        return corrected > max(1, _MOST_CORRECTED * shared)

    def answer(self, kind: str, accept: Collection[str] = ()) -> Answer:
        """What is made of one of its kinds, if the kinds `accept` are taken."""
        few = kind == "corrected" and not self.beyond(len(self.corrected), self.shared)
        unit = kind == "rescaled" and abs(log(self.factor)) > _OTHER_UNIT
        return "said" if few or unit or self._is_accepted(kind, accept) else CHANGES[kind][0]

    def _is_accepted(self, kind: str, accept: Collection[str]) -> bool:
        """Whether `accept` holds the kind, or each day that was corrected."""
        by_day = kind == "corrected" and all(f"{kind}:{one.day}" in accept for one in self.corrected)
        return kind in ACCEPTABLE and (kind in accept or by_day)

    def remembered(self, accept: Collection[str]) -> frozenset[str]:
        """What is kept of the kinds that `accept` takes, so that nobody is asked again: of few days each by itself."""
        taken = {kind for kind in self.kinds if kind in accept and self.answer(kind) == "refused"}
        if "corrected" in taken and len(self.corrected) <= _REMEMBERED:
            taken = taken - {"corrected"} | {f"corrected:{one.day}" for one in self.corrected}
        return frozenset(taken)

    def refused(self, accept: Collection[str] = ()) -> str | None:
        """The gravest kind that is refused, though the kinds `accept` are taken; None if the prices may be used."""
        return next((kind for kind in self.kinds if self.answer(kind, accept) == "refused"), None)

    def verdict(self, accept: Collection[str] = ()) -> Answer:
        """What is made of all of it."""
        answers = {self.answer(kind, accept) for kind in self.kinds}
        return "refused" if "refused" in answers else "said" if "said" in answers else "taken"

    def sentence(self, kind: str) -> str:
        """One of its kinds in words."""
        part = "" if self.whole or kind in _WITHOUT_PRICES else " Only the newest of them were kept to compare with."
        return f"{self.series}: {_WORDS[kind](self)}{part}"

    def said(self, accept: Collection[str] = ()) -> dict[str, str]:
        """A sentence on each kind that is neither refused nor taken without a word."""
        return {kind: self.sentence(kind) for kind in self.kinds if self.answer(kind, accept) == "said"}

    def to_dict(self, accept: Collection[str] = ()) -> dict[str, Any]:
        """The change as JSON knows it."""
        return {
            "series": self.series,
            "kind": self.refused(accept) or self.kind,
            "kinds": list(self.kinds),
            "verdict": self.verdict(accept),
            "shared": self.shared,
            "factor": self.factor,
            "splits": [{"ratio": one.ratio, "date": one.day and str(one.day)} for one in self.splits],
            "corrected": [str(one.day) for one in self.corrected],
            "lost_columns": list(self.lost_columns),
            "new_columns": list(self.new_columns),
            "message": " ".join(self.sentence(kind) for kind in self.kinds),
        }


def unchanged(series: str, first: date, last: date, lost: tuple[str, ...]) -> Change:
    """The change of a series whose prices from `first` to `last` are to the bit those that the model was trained on."""
    change = Change(series, (), first, last, first, last, lost_columns=lost)
    return change.of_kinds(["lost_columns"] if lost else ["same"])


def beside_new_columns(change: Change, new: tuple[str, ...]) -> Change:
    """The same change where the series has columns that the model would use, had it known them."""
    others = [kind for kind in change.kinds if kind != "same"]
    return change.of_kinds(["new_columns", *others], new_columns=new) if new else change


def _stale(change: Change) -> str:
    return (
        f"its prices end on {change.last}, and the model was trained on prices up to {change.was_last}: the file is "
        "older than the model, or was cut."
    )


def _shrunk(change: Change) -> str:
    return f"its prices begin on {change.first}, and the model was trained on prices from {change.was_first} on."


def _corrected(change: Change) -> str:
    listed = ", ".join(map(str, change.corrected[:_NAMED])) + (", ..." if len(change.corrected) > _NAMED else "")
    return (
        f"{len(change.corrected):,} of {change.shared:,} past sessions {'is' if len(change.corrected) == 1 else 'are'} "
        f"not as the model was trained on: {listed}."
    )


def _rescaled(change: Change) -> str:
    unit = ", as by another unit or currency" if abs(log(change.factor)) > _OTHER_UNIT else ""
    return f"its past prices are multiplied by {change.factor:.6g}{unit}."


def _other_price(change: Change) -> str:
    if change.steps:
        return (
            f"its past prices are multiplied by another factor from each of {change.steps} days on, as where they are "
            "adjusted for dividends now and were not then, or the other way round."
        )
    return "it moves with the price that the model was trained on, but is another one, such as the day's average."


def _another(change: Change) -> str:
    why = (
        "they have no session in common"
        if not change.shared
        else f"beside {change.shared:,} sessions that both have, {change.apart:,} are in one of them alone"
        if change.apart > change.shared / 2
        else f"most of the {change.shared:,} sessions that both have moved otherwise"
    )
    return f"these are not the prices that the model was trained on: {why}."


def _shifted(_: Change) -> str:
    return "the prices that the model was trained on stand a session earlier or later now."


def _untold(change: Change) -> str:
    if change.kept:
        return "it has no session in common with the model's own, so that it can't be told whose prices these are."
    return (
        f"its prices up to {change.was_last} are not those that the model was trained on, and the model has kept none "
        "to tell how they differ."
    )


def _rough(change: Change) -> str:
    return (
        f"its past prices are those that the model was trained on to within {change.rough:.1g} of a price, and no "
        "nearer, as where they come from another vendor."
    )


def _split(change: Change) -> str:
    return f"a split is worked into its past prices: {'; '.join(map(str, change.splits))}."


def _same(change: Change) -> str:
    return f"its prices up to {min(change.last, change.was_last)} are those that the model was trained on."


def _lost_columns(change: Change) -> str:
    gone = "column is" if len(change.lost_columns) == 1 else "columns are"
    return f"the {gone} gone that the model was trained on: {', '.join(change.lost_columns)}."


def _new_columns(change: Change) -> str:
    was, it = ("column was", "it") if len(change.new_columns) == 1 else ("columns were", "them")
    named = ", ".join(change.new_columns)
    return f"the {was} not there when the model was trained: {named}. Only `stockcast train` makes use of {it}."


_WORDS: dict[str, Callable[[Change], str]] = {
    "another": _another,
    "shifted": _shifted,
    "other_price": _other_price,
    "stale": _stale,
    "lost_columns": _lost_columns,
    "shrunk": _shrunk,
    "corrected": _corrected,
    "untold": _untold,
    "rough": _rough,
    "split": _split,
    "new_columns": _new_columns,
    "rescaled": _rescaled,
    "same": _same,
}
