"""Modules that are loaded when somebody looks into them, and not when they are imported.

`importlib.util.LazyLoader` does this too, but loads a module even for its file's name, which TensorFlow asks of all.
"""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _LateModule(ModuleType):
    """A module that is empty until it is asked for what it should hold."""

    def __getattr__(self, name: str) -> Any:
        loader = None if name.startswith("__") else vars(self).pop("_late_loader", None)
        if loader is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        loader.exec_module(self)
        return getattr(self, name)


class _LateLoader(importlib.abc.Loader):
    """Makes an empty module and leaves it the loader that can fill it."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["_late_loader"] = self.loader


class _LateFinder(importlib.abc.MetaPathFinder):
    """Finds certain modules, and no others."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self.names else None
        if spec is not None and spec.loader is not None:
            spec.loader = _LateLoader(spec.loader)
        return spec


@contextmanager
def loaded_late(names: Sequence[str]) -> Iterator[None]:
    """Inside this, the modules `names` are imported empty; whoever looks into them later finds all that they hold."""
    finder = _LateFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
