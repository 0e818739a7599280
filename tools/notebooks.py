"""The notebooks of docs/notebooks: run, kept with what they print, and shown as pages of the site.

    python tools/notebooks.py [NAME ...]

runs each, or those that are named, in a temporary folder with a copy of data/, and writes it back with its output. A
test runs them, too, and compares nothing: their numbers are those of one machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "notebooks"
SECONDS = 600


def every() -> tuple[Path, ...]:
    """All notebooks, in the order of their names."""
    return tuple(sorted(FOLDER.glob("*.ipynb")))


def loaded(path: Path) -> Any:
    """A notebook as it stands."""
    import nbformat

    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]  # it has none


def executed(path: Path) -> Any:
    """A notebook with the output of this run. Raises `CellExecutionError` if a cell fails."""
    from nbclient import NotebookClient

    notebook = loaded(path)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "data", Path(folder) / "data")
        # TensorFlow's first lines on the machine that it runs on are no part of a notebook.
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        client = NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": folder}})
        client.execute()
    return notebook


def tidied(notebook: Any) -> Any:
    """Without what differs from one machine and run to another and means nothing: times, counts, TensorFlow's notes."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if not (one.output_type == "stream" and one.name == "stderr")]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def as_page(path: Path) -> str:
    """A notebook as Markdown: its texts, its code, and what that printed, drew and showed."""
    blocks: list[str] = []
    for cell in loaded(path).cells:
        if cell.cell_type == "markdown":
            blocks.append(cell.source)
        else:
            blocks += [f"```python\n{cell.source}\n```", *_outputs(cell.outputs)]
    return "\n\n".join([*blocks, f"This page is a notebook: `docs/notebooks/{path.name}` in the checkout.", ""])


def _outputs(outputs: Any) -> Iterator[str]:
    for one in outputs:
        data = one.get("data", {})
        if one.output_type == "stream":
            yield f"```text\n{one.text.rstrip()}\n```"
        elif "image/png" in data:
            picture = "".join(data["image/png"].split())
            yield f'<img alt="What this cell draws" src="data:image/png;base64,{picture}">'
        elif "text/html" in data:
            yield f'<div class="output" markdown="0">\n{data["text/html"]}\n</div>'
        elif "text/plain" in data:
            yield f"```text\n{data['text/plain']}\n```"


def main() -> None:
    """Run the notebooks and write them back."""
    import nbformat

    for path in every():
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        text: str = nbformat.writes(tidied(executed(path)))  # type: ignore[no-untyped-call]  # it has none
        path.write_text(f"{text}\n", encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
