"""What stockcast writes by hand, beside the library that does it too: cold start, the same work, and agreement.

    python -m benchmarks.libraries [--rounds 5]

The cold start is that of an interpreter that imports what the library needs, beside one that imports numpy alone. A
library that is not installed is left out with a word.
"""

from __future__ import annotations

import importlib.util
import io
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import inside, process, rounds_wanted
from benchmarks.prices import write_panel

FILES, ROWS = 20, 2765
IMPORTS = (
    *("pandas", "sklearn.preprocessing", "scipy.signal", "statsmodels.stats.proportion", "statsmodels.stats.multitest"),
    *("safetensors", "onnx", "crontab"),
)


@dataclass(frozen=True)
class Pair:
    """A piece of own code and the library's way to the same end; `agree` says what came of both."""

    what: str
    library: str
    imports: str
    own: Callable[[], Any]
    theirs: Callable[[], Any]
    agree: Callable[[Any, Any], str]


def main() -> None:
    """A line a pair."""
    rounds = rounds_wanted(__doc__)
    # All cold starts first: what this process holds counts as its children's.
    bare = cold("import numpy", rounds)
    starts = {name: cold(f"import numpy, {name}", rounds) for name in IMPORTS if is_installed(name)}
    print(f"an interpreter with numpy: {bare[0]:.2f} s of processor time, {bare[1]:.0f} MB\n")
    head = f"{'by hand':<22}{'library':<34}{'cold start':>12}{'MB':>6}{'own ms':>9}{'its ms':>9}  agreement"
    print(head, "-" * len(head), sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs(write_panel(Path(folder) / "files", FILES, ROWS)):
            start = f"{pair.what:<22}{pair.library:<34}"
            if pair.imports not in starts:
                print(f"{start}not installed here")
                continue
            seconds, megabytes = (mine - base for mine, base in zip(starts[pair.imports], bare, strict=True))
            print(f"{start}{seconds:>+10.2f} s{megabytes:>+6.0f}{warm(pair, rounds)}", flush=True)


def is_installed(module: str) -> bool:
    """Whether a module's package is there; it is not imported."""
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def warm(pair: Pair, rounds: int) -> str:
    """The median milliseconds of both once everything is imported, and what came of both."""
    agreement = pair.agree(pair.own(), pair.theirs())
    own, theirs = (
        statistics.median(inside(work)().processor for _ in range(rounds)) for work in (pair.own, pair.theirs)
    )
    return f"{1000 * own:>9.2f}{1000 * theirs:>9.2f}  {agreement}"


def cold(program: str, rounds: int) -> tuple[float, float]:
    """The median processor seconds and MB of an interpreter that runs `program`."""
    samples = [process("-c", program)() for _ in range(rounds)]
    return statistics.median(one.processor for one in samples), statistics.median(one.megabytes for one in samples)


def pairs(folder: Path) -> list[Pair]:
    """Each piece of own code that a library does as well."""
    return [digits(folder), scaling(), averages(), intervals(), corrections(), headers(), network_check(), crontab()]


def digits(folder: Path) -> Pair:
    """Clean price files to numbers."""
    from stockcast.reading.fast_path import read_clean
    from stockcast.reading.reader import keep_freed_memory

    keep_freed_memory()  # of use to both
    contents = [path.read_bytes() for path in sorted(folder.glob("*.csv"))]

    def own() -> Any:
        tables = [read_clean(content) for content in contents]
        return [table.numbers for table in tables if table is not None]

    def theirs() -> Any:
        import pandas as pd

        return [pd.read_csv(io.BytesIO(content)) for content in contents]

    def agree(mine: Any, frames: Any) -> str:
        same = all(
            np.array_equal(one[index], frame.iloc[:, index])
            for one, frame in zip(mine, frames, strict=True)
            for index in one
        )
        return "bit-equal" if same else "not bit-equal"

    return Pair(f"{FILES} clean files", "pandas.read_csv", "pandas", own, theirs, agree)


def scaling() -> Pair:
    """MinMax scaling of a panel's features."""
    from stockcast.config.sections import DataConfig
    from stockcast.data.scaling import fit_scaler

    values = np.random.default_rng(0).standard_t(4, (20_000, 25))

    def theirs() -> Any:
        from sklearn.preprocessing import MinMaxScaler

        return MinMaxScaler().fit(values)

    def agree(mine: Any, fitted: Any) -> str:
        same = np.array_equal(mine.scale, fitted.scale_) and np.array_equal(mine.offset, fitted.min_)
        return "bit-equal" if same else "not bit-equal"

    own = lambda: fit_scaler(values, DataConfig())  # noqa: E731 -- one of two that are timed alike
    return Pair("MinMax, Standard", "sklearn.preprocessing", "sklearn.preprocessing", own, theirs, agree)


def averages() -> Pair:
    """The EWMA of a series' squared returns."""
    from stockcast.data.volatility import ewma

    squares = np.square(0.01 * np.random.default_rng(0).standard_normal(ROWS))
    keep = 0.5 ** (1 / 40)

    def theirs() -> Any:
        from scipy.signal import lfilter

        return lfilter([1 - keep], [1, -keep], squares, zi=[keep * squares[0]])[0]

    return Pair("EWMA", "scipy.signal.lfilter", "scipy.signal", lambda: ewma(squares, 40, squares[0]), theirs, apart)


def intervals() -> Pair:
    """Clopper and Pearson's interval of 390 of 490."""
    from stockcast.evaluate.significance import binomial_interval

    def theirs() -> Any:
        from statsmodels.stats.proportion import proportion_confint

        return proportion_confint(390, 490, method="beta")

    return Pair(
        "Clopper-Pearson", "statsmodels.stats.proportion", "statsmodels.stats.proportion",
        lambda: binomial_interval(390, 490), theirs, apart,
    )  # fmt: skip


def corrections() -> Pair:
    """Holm's correction of twenty p values."""
    from stockcast.evaluate.significance import holm

    values = np.random.default_rng(0).random(20).tolist()

    def theirs() -> Any:
        from statsmodels.stats.multitest import multipletests

        return multipletests(values, method="holm")[1]

    return Pair(
        "Holm", "statsmodels.stats.multitest", "statsmodels.stats.multitest", lambda: holm(values), theirs, apart
    )


def headers() -> Pair:
    """Ten arrays from the bytes of a file."""
    from stockcast.store.arrays import decode_arrays, encode_arrays

    arrays = {f"a{number}": np.random.default_rng(number).random((24, 128)).astype("f4") for number in range(10)}
    file = encode_arrays(arrays)

    def theirs() -> Any:
        from safetensors.numpy import load

        return load(packed)

    packed = b""
    if is_installed("safetensors"):
        from safetensors.numpy import save

        packed = save(arrays)

    def agree(mine: Any, theirs: Any) -> str:
        return "bit-equal" if all(np.array_equal(mine[key], theirs[key]) for key in arrays) else "not bit-equal"

    return Pair("arrays of weights", "safetensors", "safetensors", lambda: decode_arrays(file, "file"), theirs, agree)


def network_check() -> Pair:
    """Whether an ONNX file is a plain network."""
    from stockcast.store.onnxfile import check_onnx

    model = next(iter(sorted(Path(__file__).parent.parent.glob("tests/jobs/golden/**/model.onnx")))).read_bytes()

    def theirs() -> Any:
        import onnx

        onnx.checker.check_model(onnx.load_from_string(model))

    return Pair(
        "ONNX outline", "onnx.checker", "onnx", lambda: check_onnx(model, "file"), theirs,
        lambda *_: "the checker takes functions, training steps and outside files",
    )  # fmt: skip


def crontab() -> Pair:
    """A block of lines put into a crontab with blank lines and odd spacing, and taken out again."""
    from stockcast.jobs.schedule import without_block

    user = "# mine\n\n*/5  *  * * *   true # odd\nMAILTO=me\n"

    def own() -> Any:
        lines = [*user.splitlines(), "# begin stockcast-1", "30 22 * * 1-5 true", "# end stockcast-1"]
        return "\n".join(without_block(lines, "stockcast-1")) + "\n"

    def theirs() -> Any:
        from crontab import CronTab

        table = CronTab(tab=user)
        table.new("true", comment="stockcast-1").setall("30 22 * * 1-5")
        table.remove_all(comment="stockcast-1")
        return table.render()

    def agree(mine: Any, other: Any) -> str:
        return f"the user's lines as before: own {mine == user}, library {other == user}"

    return Pair("crontab block", "python-crontab", "crontab", own, theirs, agree)


def apart(mine: Any, theirs: Any) -> str:
    """How far two answers are apart."""
    return f"apart by {np.max(np.abs(np.asarray(mine) - np.asarray(theirs)) / np.abs(np.asarray(theirs))):.0e}"


if __name__ == "__main__":
    main()
