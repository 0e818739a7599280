"""The folder of all models: which version serves, what it holds, and every change to it, each whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.errors import ModelDamaged, NotFound, StockcastError, UsageError
from stockcast.store import atomic
from stockcast.store.champion import CHAMPION, Champion, parse_champion
from stockcast.store.choice import listed, may_serve, meant
from stockcast.store.lock import hold, unused
from stockcast.store.manifest import FILES_OF, MANIFEST, file_digests, with_version
from stockcast.store.names import PROGRESS, folder_name, is_version, model_name, next_version
from stockcast.store.read_version import Bundle, check_content, read_bundle, read_limited
from stockcast.store.records import damaged, dump_line, load, sha256

if TYPE_CHECKING:
    from stockcast.store.checkpoint import Progress

LOG = "log.jsonl"
_LOCK = "lock"
_VERSIONS = "versions"
_TEMPORARY = ".aside"
_LARGEST_POINTER = 1 << 16
_LARGEST_LOG = 1 << 28


@dataclass(frozen=True)
class Store:
    """The models under the folder `root`, which need not exist yet.

    Guarantees, also after a crash or a failure of the disk at any moment:
    - a version is never changed after it got its name, and versions sort by age;
    - the champion is a version that was whole when it was promoted;
    - whatever a dead writer left behind is gone after the next change to the model.

    Reading takes no lock and needs no right to write. Every change takes the model's lock; to make several as one, or
    to keep others out beforehand, hold `lock` around them. Besides the errors named, reading raises `IOFailure`, and
    a change raises `Busy`, `CannotCreate` or `IOFailure`.
    """

    root: Path

    def names(self) -> tuple[str, ...]:
        """The models that have a champion, and those whose folder can't be looked into, in alphabetical order."""
        with atomic.reading(self.root):
            if not self.root.exists():
                return ()
            folders = [entry.name for entry in self.root.iterdir() if may_serve(entry)]
        return tuple(sorted(name for name in map(model_name, folders) if name is not None))

    def only(self) -> str:
        """The name of the only model. Raises `NotFound` if there is none, `UsageError` if there are several."""
        names = self.names()
        if len(names) > 1:
            raise UsageError(f"{self.root} holds {len(names)} models: {listed(names)}.", "name one of them.")
        if not names:
            raise self._missing()
        return names[0]

    def find(self, name: str | None) -> str:
        """The model that is called `name`, whatever its capitals, or else `name` itself; without a name the `only`."""
        return meant(name, self.names()) if name else self.only()

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of model `name`, oldest first; none if there is no such model."""
        folder = self._folder(name) / _VERSIONS
        with atomic.reading(folder):
            found = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return tuple(sorted(filter(is_version, found)))

    def champion(self, name: str) -> Champion:
        """Which version of model `name` serves. Raises `NotFound` naming the models there are, `ModelDamaged`."""
        path = self._folder(name) / CHAMPION
        try:
            return parse_champion(read_limited(path, _LARGEST_POINTER), path)
        except NotFound:
            raise self._missing(name) from None

    def load(self, name: str, version: str | None = None, wanted: Collection[str] | None = None) -> Bundle:
        """A version of model `name`, or its champion, with the files `wanted` (None: every one), all checked.

        Raises `NotFound`, or `ModelDamaged` naming the file.
        """
        if version is not None:
            return self._read(name, version, wanted)
        champion = self.champion(name)
        while True:
            try:
                return self._read(name, champion.version, wanted, champion.manifest_sha256)
            except (NotFound, ModelDamaged) as error:
                newer = self.champion(name)
                if newer != champion:
                    champion = newer  # another one was promoted, and this one pruned, since the pointer was read
                elif isinstance(error, NotFound):
                    raise damaged(self._folder(name) / CHAMPION, f"{champion.version} is not there") from error
                else:
                    raise

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep every other writer away from model `name`, whose folder is made if need be. Raises `Busy` at once."""
        folder = self._folder(name)
        atomic.make_folder(folder)
        with hold(folder / _LOCK, name):
            yield

    def save(self, name: str, bundle: Bundle, now: datetime) -> str:
        """Write a new version of model `name`, which doesn't serve until it is promoted, and return what it is called.

        Raises `ModelDamaged` for content that could never be loaded, such as weights that are NaN.
        """
        needed = FILES_OF[bundle.manifest.schema]
        if bundle.files.keys() != set(needed):
            raise ValueError(f"a bundle needs the files {needed}")
        folder = self._folder(name)
        for file, data in bundle.files.items():
            check_content(folder / file, data)
        with self._changing(name):
            draft = replace(bundle.manifest, name=name, version="", created=_iso(now), files=file_digests(bundle.files))
            page = draft.encode()
            version = next_version(now, self.versions(name), sha256(page))
            files = {**bundle.files, MANIFEST: with_version(page, version)}
            atomic.write_folder(folder / _TEMPORARY / version, folder / _VERSIONS / version, files)
        return version

    def promote(
        self, name: str, version: str, why: str, now: datetime, line: Mapping[str, Any] | None = None
    ) -> Champion:
        """Make `version` the one that serves, after checking all of it, and add `line` to the log as one with it.

        Raises `NotFound` or `ModelDamaged`.
        """
        with self._changing(name):
            digest = self._read(name, version, None).digest
            champion = self._follower(name, Champion(version, digest, _iso(now), why, None))
            folder = self._folder(name)
            with atomic.appended(folder / LOG, dump_line(line)) if line else nullcontext():
                atomic.replace_file(folder / _TEMPORARY / CHAMPION, folder / CHAMPION, champion.encode())
        return champion

    def amend(self, name: str, max_age: int | None = None, accepted: Collection[str] = ()) -> None:
        """From now on model `name` is stale after `max_age` days (0: never; None: as before), and `accepted` is taken.

        Both outlive the champion. Raises `NotFound`, `ModelDamaged` for a damaged pointer.
        """
        self.champion(name)
        with self._changing(name):
            folder, champion = self._folder(name), self.champion(name)
            faults = tuple(sorted({*champion.accepted, *accepted}))
            amended = replace(champion, max_age=champion.max_age if max_age is None else max_age, accepted=faults)
            if amended != champion:
                atomic.replace_file(folder / _TEMPORARY / CHAMPION, folder / CHAMPION, amended.encode())

    def reject(self, name: str, prices: str, line: Mapping[str, Any]) -> None:
        """Remember that a challenger was rejected on the prices with this digest, and add `line` to the log with it.

        Raises `NotFound`, `ModelDamaged` for a damaged pointer.
        """
        with self._changing(name):
            folder, champion = self._folder(name), replace(self.champion(name), rejected=prices)
            with atomic.appended(folder / LOG, dump_line(line)):
                atomic.replace_file(folder / _TEMPORARY / CHAMPION, folder / CHAMPION, champion.encode())

    def rollback(self, name: str, version: str | None, why: str, now: datetime) -> Champion:
        """Promote `version`, or the one that the champion replaced, and log it. Raises `NotFound` or `ModelDamaged`."""
        if not self.versions(name):
            raise self._missing(name)
        target = version or self.champion(name).replaced
        if target is None:
            raise NotFound(f"the champion of {name!r} replaced no other version.", f"see: stockcast models show {name}")
        return self.promote(name, target, why, now, {"event": "rollback", "time": _iso(now), "to": target, "why": why})

    def prune(self, name: str, keep: int = 5) -> tuple[str, ...]:
        """Delete all but the newest `keep` versions, the champion, the one it replaced, and any that is being read.

        Returns the deleted versions. Raises `NotFound`, `ModelDamaged` for a damaged pointer.
        """
        if keep < 0:
            raise UsageError(f"{keep} versions can't be kept.", "use --keep 0 or more.")
        self.champion(name)
        deleted = []
        with self._changing(name):
            champion = self.champion(name)
            versions = self.versions(name)
            for version in versions[: max(0, len(versions) - keep)]:
                folder = self._folder(name) / _VERSIONS / version
                if version in (champion.version, champion.replaced):
                    continue
                with unused(folder) as free:
                    if free:
                        atomic.take_away(folder, self._folder(name) / _TEMPORARY / version)
                        deleted.append(version)
        return tuple(deleted)

    def remove(self, name: str) -> None:
        """Delete model `name` with all its versions and its log; the empty lock file stays. Raises `NotFound`."""
        folder = self._folder(name)
        with atomic.reading(folder):
            # The pointer first: what is left of a torn removal is no model.
            parts = [part for part in (CHAMPION, _VERSIONS, LOG, PROGRESS) if (folder / part).exists()]
        if not parts:
            raise self._missing(name)
        with self._changing(name):
            for part in parts:
                atomic.take_away(folder / part, folder / _TEMPORARY / part)

    def verify(self, name: str) -> dict[str, str | None]:
        """What is wrong with the pointer and with each version of model `name`: a message, or None where all is well.

        Raises `NotFound`.
        """
        if not self.versions(name):
            self.champion(name)
        return {CHAMPION: self._fault(name, None)} | {one: self._fault(name, one) for one in self.versions(name)}

    def _fault(self, name: str, version: str | None) -> str | None:
        try:
            self.load(name, version)
        except StockcastError as error:
            return error.message
        return None

    def append_log(self, name: str, line: Mapping[str, Any]) -> None:
        """Add one line to the log of model `name`. Raises `ValueError` for NaN or infinity."""
        with self.lock(name), atomic.appended(self._folder(name) / LOG, dump_line(line)):
            pass

    def log(self, name: str) -> tuple[dict[str, Any], ...]:
        """The log of model `name`, oldest line first. Raises `ModelDamaged` for a line that is no JSON object."""
        path = self._folder(name) / LOG
        try:
            *lines, _torn = read_limited(path, _LARGEST_LOG).split(b"\n")
        except NotFound:
            return ()
        return tuple(load(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1))

    def progress(self, name: str, run: str) -> Progress:
        """The progress of the training of model `name` that `run` describes; for whoever holds the lock."""
        from stockcast.store.checkpoint import Progress

        return Progress(self._folder(name), run)

    def has_progress(self, name: str) -> bool:
        """Whether an unfinished training of model `name` has left its progress."""
        return (self._folder(name) / PROGRESS).exists()

    def _folder(self, name: str) -> Path:
        """The place of model `name`. Raises `ModelDamaged` where it, or that of its versions, is a link out of here."""
        folder = self.root / folder_name(name)
        atomic.refuse_link(folder)
        atomic.refuse_link(folder / _VERSIONS)
        return folder

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        """Hold the lock, with the folders there and swept of what a dead writer left."""
        folder = self._folder(name)
        with self.lock(name):
            atomic.empty_folder(folder / _TEMPORARY)
            atomic.make_folder(folder / _VERSIONS)
            yield

    def _read(
        self, name: str, version: str, wanted: Collection[str] | None, manifest_sha256: str | None = None
    ) -> Bundle:
        folder = self._folder(name) / _VERSIONS / version
        if not is_version(version):
            raise NotFound(f"{version!r} is not a version of {name!r}.", f"see: stockcast models show {name}")
        bundle = read_bundle(folder, wanted, manifest_sha256)
        if bundle.manifest.name != name:
            raise damaged(folder / MANIFEST, f"it belongs to model {bundle.manifest.name!r}")
        return bundle

    def _follower(self, name: str, new: Champion) -> Champion:
        """The `new` champion with which version it replaces, and with what `amend` has said of the model."""
        try:
            before = self.champion(name)
        except (NotFound, ModelDamaged):
            return new  # promoting is how a damaged pointer is mended
        replaced = before.replaced if before.version == new.version else before.version
        return replace(new, replaced=replaced, max_age=before.max_age, accepted=before.accepted)

    def _missing(self, name: str = "") -> NotFound:
        what = f"model {name!r}" if name else "model"
        return NotFound(
            f"there is no {what} in {self.root}; it holds: {listed(self.names(), name)}.",
            "train one with: stockcast train --csv FILE, or name another store with --store DIR.",
        )


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
