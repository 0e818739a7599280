"""The global options, accepted before and after the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True)
class Shared:
    """The global options of one run."""

    store: Path = Path("models")
    as_json: bool = False
    quiet: bool = False
    verbose: int = 0

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar is wanted, if there is a terminal to draw it on."""
        return not (self.quiet or self.as_json)


def shared_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the global options; its body gets them, joined with those before it, as `shared`."""

    @click.option("--store", type=click.Path(path_type=Path), help="Folder of the models. [default: models]")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @click.option("-q", "--quiet", is_flag=True, help="Print nothing but the result.")
    @click.option("-v", "--verbose", count=True, help="Say more; twice for every epoch.")
    @click.pass_context  # type: ignore[arg-type]  # mypy doesn't see that the context still comes first
    @wraps(function)
    def with_shared(
        context: click.Context, store: Path | None, as_json: bool, quiet: bool, verbose: int, **rest: Any
    ) -> Any:
        before = context.obj or Shared()
        context.obj = replace(
            before,
            store=store or before.store,
            as_json=as_json or before.as_json,
            quiet=quiet or before.quiet,
            verbose=max(verbose, before.verbose),
        )
        return function(shared=context.obj, **rest)

    return with_shared
