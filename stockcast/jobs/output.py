"""Results into the user's own files: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from stockcast.store.atomic import replace_file


def write_output(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`. Raises `CannotCreate` or `IOFailure`, the old content untouched."""
    replace_file(path.with_name(f".{path.name}.{os.getpid()}"), path, data)
