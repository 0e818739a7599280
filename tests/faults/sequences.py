"""Random sequences of operations on a store beside a model of it in memory: both must always agree.

python tests/faults/sequences.py [--sequences 2000] [--steps 30]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sample import NOW, make_bundle, seeds_of

from stockcast.errors import ModelDamaged, NotFound
from stockcast.store.names import folder_name
from stockcast.store.store import Store

NAMES = st.sampled_from(["ibm", "../ibm", "IBM"])
CLOCK = st.integers(-400, 400).map(timedelta)
PICK = st.integers(0, 100)


@dataclass
class Expected:
    """What one model must look like; `seeds` by version, oldest first."""

    seeds: dict[str, int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    champion: str | None = None
    replaced: str | None = None
    max_age: int | None = None
    lines: int = 0

    def sound(self) -> list[str]:
        return [version for version in self.seeds if version not in self.damaged]


class StoreMachine(RuleBasedStateMachine):
    """A rule is an operation; after each one the store is compared with `Expected`."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.store = Store(self.place / "models")
        self.models: dict[str, Expected] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    @rule(name=NAMES, seed=st.integers(0, 5), clock=CLOCK)
    def save(self, name: str, seed: int, clock: timedelta) -> None:
        model = self.models.setdefault(name, Expected())
        version = self.store.save(name, make_bundle(seed), NOW + clock)
        assert all(version > earlier for earlier in model.seeds)
        model.seeds[version] = seed

    @rule(name=NAMES, pick=PICK, clock=CLOCK, logged=st.booleans())
    def promote(self, name: str, pick: int, clock: timedelta, logged: bool) -> None:
        model = self.models.get(name, Expected())
        if not model.seeds:
            return
        version = sorted(model.seeds)[pick % len(model.seeds)]
        line = {"event": "train"} if logged else None
        if version in model.damaged:
            self.refuses(lambda: self.store.promote(name, version, "why", NOW + clock, line), ModelDamaged)
            return
        self.store.promote(name, version, "why", NOW + clock, line)
        self.now_serves(model, version, lines=int(logged))

    @rule(name=NAMES, pick=PICK, chosen=st.booleans())
    def rollback(self, name: str, pick: int, chosen: bool) -> None:
        model = self.models.get(name, Expected())
        version = sorted(model.seeds)[pick % len(model.seeds)] if chosen and model.seeds else None
        target = version or model.replaced
        if target is None:
            self.refuses(lambda: self.store.rollback(name, version, "why", NOW), NotFound)
        elif target in model.damaged:
            self.refuses(lambda: self.store.rollback(name, version, "why", NOW), ModelDamaged)
        else:
            self.store.rollback(name, version, "why", NOW)
            self.now_serves(model, target, lines=1)

    @rule(name=NAMES, days=st.integers(0, 2))
    def limit_age(self, name: str, days: int) -> None:
        model = self.models.get(name, Expected())
        if model.champion is None:
            self.refuses(lambda: self.store.amend(name, max_age=days), NotFound)
            return
        self.store.amend(name, max_age=days)
        model.max_age = days

    @rule(name=NAMES, keep=st.integers(0, 4))
    def prune(self, name: str, keep: int) -> None:
        model = self.models.get(name, Expected())
        if model.champion is None:
            self.refuses(lambda: self.store.prune(name, keep), NotFound)
            return
        kept = {*sorted(model.seeds)[max(0, len(model.seeds) - keep) :], model.champion, model.replaced}
        deleted = self.store.prune(name, keep)
        assert set(deleted) == model.seeds.keys() - kept
        for version in deleted:
            del model.seeds[version]
            model.damaged.discard(version)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.models:
            self.store.remove(name)
            del self.models[name]
        else:
            self.refuses(lambda: self.store.remove(name), NotFound)

    @rule(name=NAMES, pick=PICK)
    def damage(self, name: str, pick: int) -> None:
        """Any version but the champion, which would then rightly be refused everywhere."""
        model = self.models.get(name, Expected())
        others = [version for version in sorted(model.seeds) if version != model.champion]
        if others:
            version = others[pick % len(others)]
            path = self.store.root / folder_name(name) / "versions" / version / "history.csv"
            path.write_bytes(b"damaged")
            model.damaged.add(version)

    @precondition(lambda self: self.models)
    @rule(pick=PICK)
    def die_in_mid_write(self, pick: int) -> None:
        for aside in sorted(self.store.root.glob("*/.aside"))[: pick % 3]:
            (aside / "torn").mkdir(exist_ok=True)
            (aside / "champion.json").write_bytes(b"{")
        for log in sorted(self.store.root.glob("*/log.jsonl"))[: pick % 3]:
            with log.open("ab") as file:
                file.write(b'{"event": "to')

    def now_serves(self, model: Expected, version: str, lines: int) -> None:
        if version != model.champion:
            model.replaced, model.champion = model.champion, version
        model.lines += lines

    def refuses(self, change: Callable[[], object], error: type[Exception]) -> None:
        try:
            change()
        except error:
            return
        raise AssertionError(f"no {error.__name__}")

    @invariant()
    def agrees(self) -> None:
        StoreMachine.steps += 1
        serving = {name: model for name, model in self.models.items() if model.champion}
        assert self.store.names() == tuple(sorted(serving))
        for name, model in self.models.items():
            assert self.store.versions(name) == tuple(sorted(model.seeds))
            assert len(self.store.log(name)) == model.lines
        for name, model in serving.items():
            champion = self.store.champion(name)
            assert (champion.version, champion.replaced) == (model.champion, model.replaced)
            assert champion.max_age == model.max_age
            assert seeds_of(self.store.load(name)) == {model.seeds[champion.version]}
            faults = {what for what, fault in self.store.verify(name).items() if fault}
            assert faults == model.damaged


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=30)
    arguments = parser.parse_args()
    wanted = settings(
        max_examples=arguments.sequences,
        stateful_step_count=arguments.steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(StoreMachine, settings=wanted)
    print(f"{arguments.sequences} random sequences, {StoreMachine.steps} comparisons: store and model agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
