"""The prices that a model finds beside those that it was trained on: compared once, for every command that asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

from stockcast.checks.changes import Change, beside_new_columns, unchanged
from stockcast.checks.rewritten import find_change, lost_columns
from stockcast.checks.two_downloads import Past
from stockcast.data.features import columns_needed, columns_used
from stockcast.data.series import COLUMNS, Panel, PriceSeries
from stockcast.errors import DataError
from stockcast.jobs.past.refusals import another_model, refused_change
from stockcast.reading.records import Hints, PanelRead
from stockcast.store.manifest import Manifest, extends
from stockcast.store.model_files import SCALER, features_from
from stockcast.store.store import Store
from stockcast.store.trained_prices import past_dates, past_prices, prices_kept_in
from stockcast.view.text import likewise, some

Failures = tuple[tuple[Path, DataError], ...]


@dataclass(frozen=True)
class Compared:
    """The prices that may be used, and how each series that the model was trained on has changed.

    `refused` are the failures of the others, which `read` has, too, and `accept` the faults that were taken; `said` are
    sentences on what is neither refused nor taken without a word; `remembered`: see `Change.remembered`.
    """

    read: PanelRead
    changes: tuple[Change, ...]
    refused: Failures
    said: tuple[str, ...]
    remembered: frozenset[str]
    accept: frozenset[str]

    def to_list(self) -> list[dict[str, Any]]:
        """The changes as JSON knows them."""
        return [one.to_dict(self.accept) for one in self.changes]


def changes_since(store: Store, manifest: Manifest, panel: Panel) -> tuple[Change, ...]:
    """How each series of `panel` that the model was trained on has changed.

    The one series of a panel is compared with that of a model of one series, whatever they are called. Raises
    `ModelDamaged` if what was kept of the prices is.
    """
    known = {one["name"]: one for one in manifest.data}
    if len(known) == len(panel) == 1:
        known = {panel.names[0]: manifest.data[0]}
    version = _Version(store, manifest)
    return tuple(version.change(known[one.name], one) for one in panel.series if one.name in known)


@dataclass(frozen=True)
class _Version:
    """A saved version, of which no more is read than is needed."""

    store: Store
    manifest: Manifest

    def change(self, earlier: Mapping[str, Any], series: PriceSeries) -> Change:
        """How `series` lies to the one with the fingerprint `earlier`."""
        edges = past_dates(earlier)
        columns = edges.columns
        if columns is None and not series.columns.keys() >= {*COLUMNS}:
            columns = self._columns
        new = self._new_columns(edges.columns, series)
        if extends(replace(series, name=earlier["name"]), earlier):
            found = unchanged(series.name, edges.first, edges.last, lost_columns(columns, series))
        else:
            found = find_change(replace(self._pasts[earlier["name"]], columns=columns), series)
        return beside_new_columns(found, new)

    def _new_columns(self, trained_on: Collection[str] | None, series: PriceSeries) -> tuple[str, ...]:
        """Columns that the model's features would be made of, had they been there when it was trained."""
        there = series.columns.keys() - trained_on if trained_on is not None else set()
        return tuple(sorted(there & columns_used(self._features))) if there else ()

    @cached_property
    def _pasts(self) -> dict[str, Past]:
        files = self._load(prices_kept_in(self.manifest))
        return past_prices(self.manifest, files, self.manifest.config["data"]["price"])

    @cached_property
    def _columns(self) -> frozenset[str]:
        """The columns that a version of schema 1 surely had, which did not write them down: of several series none."""
        if len(self.manifest.data) > 1:
            return frozenset()
        return columns_needed(self._features)

    @cached_property
    def _features(self) -> Sequence[str]:
        return features_from(self._load(SCALER))

    def _load(self, file: str) -> Mapping[str, bytes]:
        return self.store.load(self.manifest.name, self.manifest.version, wanted=(file,)).files


def compare_past(
    store: Store, manifest: Manifest, read: PanelRead, csvs: Sequence[str], hints: Hints, given: Collection[str]
) -> Compared:
    """`read` without the series whose past is refused, which join its failures.

    `hints` say how it was read and what is taken; `given` of these is taken now. Raises the first refusal if none of
    the model's series is left, and for a model of one series where it is not among them.
    """
    changes = changes_since(store, manifest, read.panel)
    if not changes and len(manifest.data) == 1:
        demand_own_series(manifest, read.panel, csvs or manifest.csv)
    refused = {
        change.series: refused_change(change, kind, read.files, lambda: another_model(store, manifest, csvs, hints))
        for change in changes
        if (kind := change.refused(hints.accept))
    }
    if refused and len(refused) == len(changes):
        raise next(iter(refused.values()))
    sentences: dict[str, dict[str, str]] = {}
    for change in changes:
        for kind, sentence in change.said(hints.accept).items() if change.series not in refused else ():
            sentences.setdefault(kind, {})[change.series] = sentence
    said = tuple(line for alike in sentences.values() for line in likewise(alike))
    remembered = frozenset().union(*(change.remembered(given) for change in changes))
    failures = tuple(
        (file.path, refused[one.name]) for file in read.files for one in file.series if one.name in refused
    )
    kept = _as_trained(_without(read, failures, refused), {one.series: one.new_columns for one in changes})
    return Compared(kept, changes, failures, said, remembered, hints.accept)


def _as_trained(read: PanelRead, new: Mapping[str, Collection[str]]) -> PanelRead:
    """The prices without the columns that are `new` to the model, by series."""
    if not any(new.values()):
        return read

    def known(series: PriceSeries) -> PriceSeries:
        out = new.get(series.name, ())
        return replace(series, columns={role: values for role, values in series.columns.items() if role not in out})

    files = tuple(replace(file, series=tuple(map(known, file.series))) for file in read.files)
    return PanelRead(Panel(tuple(map(known, read.panel.series))), files, read.failures)


def _without(read: PanelRead, failures: Failures, refused: Collection[str]) -> PanelRead:
    """The prices without the series that are refused, which join the failures."""
    if not refused:
        return read
    kept = [replace(file, series=tuple(one for one in file.series if one.name not in refused)) for file in read.files]
    panel = Panel(tuple(one for one in read.panel.series if one.name not in refused))
    return PanelRead(panel, tuple(file for file in kept if file.series), (*read.failures, *failures))


def demand_own_series(manifest: Manifest, panel: Panel, csvs: Sequence[str]) -> None:
    """Raise `DataError` unless some of a model's own series is there: prices of others alone are not its news."""
    own = [one["name"] for one in manifest.data]
    if set(own).isdisjoint(panel.names):
        flags = " ".join(f"--csv {quote(csv)}" for csv in csvs)
        raise DataError(
            f"the model {manifest.name!r} is of {some(own)}; these prices are of {some(panel.names)}.",
            f"call the file {own[0]}.csv if it is the same series, or train another model: stockcast train {flags}",
        )
