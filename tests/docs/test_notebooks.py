"""The notebooks run as they stand."""

from __future__ import annotations

from pathlib import Path

import notebooks
import pytest

pytestmark = pytest.mark.tensorflow


# nbclient's kernel leaves a socket to the end of the process.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("path", notebooks.every(), ids=lambda path: str(path.stem))
def test_a_notebook_runs(path: Path) -> None:
    ran = notebooks.tidied(notebooks.executed(path))
    told = [len(cell.outputs) for cell in ran.cells if cell.cell_type == "code"]
    assert told == [len(cell.outputs) for cell in notebooks.loaded(path).cells if cell.cell_type == "code"]
