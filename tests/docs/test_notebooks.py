"""The notebooks run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import notebooks
import pytest

pytestmark = pytest.mark.tensorflow

PROGRAM = """
import notebooks, pathlib, sys
path = pathlib.Path(sys.argv[1])
ran, kept = notebooks.tidied(notebooks.executed(path)), notebooks.loaded(path)
counts = [[len(cell.outputs) for cell in one.cells if cell.cell_type == "code"] for one in (ran, kept)]
assert counts[0] == counts[1], counts
"""


@pytest.mark.parametrize("path", notebooks.every(), ids=lambda path: str(path.stem))
def test_a_notebook_runs(path: Path) -> None:
    """In a process of its own, as a notebook's server is; each cell gives as many outputs as it did."""
    environment = {**os.environ, "PYTHONPATH": str(Path(notebooks.__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
