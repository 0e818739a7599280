"""Build what is published, and use it as somebody does who has nothing else.

    python tools/dist.py

The sdist is built from the checkout, and the wheel from the sdist, into dist/. The wheel is then installed into a fresh
virtual environment in a temporary folder, with the locked versions of what it needs; there train, predict and plot run,
and `tools/first_lines.py` from Python. Nothing of the checkout can be imported there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def main() -> None:
    """Build, install, run. Raises `CalledProcessError` if any of it fails."""
    shutil.rmtree(DIST, ignore_errors=True)
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)  # of an earlier build, which would get into the wheel
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), cwd=ROOT)
    (wheel,) = DIST.glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="stockcast-dist-") as folder:
        use(wheel, Path(folder))
    print(f"{wheel.name} trains, predicts and plots in an environment of its own.")


def use(wheel: Path, folder: Path) -> None:
    """Install `wheel` into an environment in `folder`, and run it there."""
    environment, work = folder / "environment", folder / "work"
    work.mkdir()
    venv.create(environment, with_pip=False)
    python, command = (str(environment / "bin" / name) for name in ("python", "stockcast"))
    uv = str(Path(sys.executable).parent / "uv")
    lock = str(ROOT / "requirements.lock")
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", lock, f"{wheel}[baselines]", cwd=work)
    run(uv, "pip", "check", "--quiet", "--python", python, cwd=work)
    shutil.copy(ROOT / "data" / "ibm.csv", work)
    where = "import stockcast; print(stockcast.__version__, stockcast.__file__)"
    told = subprocess.run([python, "-c", where], cwd=work, check=True, capture_output=True, text=True).stdout
    if str(environment) not in told:
        raise SystemExit(f"this is not the stockcast that was installed: {told}")
    run(command, "train", "--csv", "ibm.csv", "--set", "fit.epochs=1", cwd=work)
    run(command, "predict", "ibm", cwd=work)
    run(command, "plot", "ibm", "-o", "ibm.png", cwd=work)
    run(python, str(ROOT / "tools" / "first_lines.py"), cwd=work)
    for name in ("ibm.png", "first.png"):
        if not (work / name).read_bytes().startswith(b"\x89PNG"):
            raise SystemExit(f"{name} is no picture")


def run(*command: str, cwd: Path) -> None:
    """Show a command, and run it."""
    print("$", *(Path(part).name if part.startswith("/") else part for part in command), flush=True)
    subprocess.run(command, cwd=cwd, check=True)


if __name__ == "__main__":
    main()
