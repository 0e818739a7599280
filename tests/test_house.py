"""The rules of the house, read from the source itself: floors, circles, heavy libraries, names, sizes and habits."""

from __future__ import annotations

import ast
import fnmatch
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator

import pytest
from house import (
    FLOORS,
    LONGEST_FUNCTION,
    LONGEST_MODULE,
    MODULES,
    ROOT,
    SHORT_FUNCTION,
    circle,
    function_lengths,
    imports,
    lines,
    own_module,
    place,
    tree,
)

TOP = len(FLOORS) - 1
MOST_IN_A_FOLDER = 20

# The only modules that know TensorFlow. All others can be had without it.
TRAINING = (
    *(
        "model/network.py",
        "model/body.py",
        "model/cells/*",
        "model/kernels.py",
        "model/fit.py",
        "model/traced_steps.py",
        "model/losses.py",
        "model/optimizers.py",
        "model/onnx_files/*",
    ),
    "model/export.py",
)

NUMERIC = ("data", "checks", "model", "evaluate", "reading", "store", "ledger", "view", "fetch", "fleet", "jobs", "api")

# Where a slow library may be imported: at the top of a module, or only late, inside a function. Nowhere else.
HEAVY: dict[str, dict[str, tuple[str, ...]]] = {
    "numpy": {"top": (*(f"{room}/*" for room in NUMERIC), "learn.py")},
    "tensorflow": {"top": TRAINING},
    "keras": {"top": TRAINING},
    "onnxruntime": {"top": ("model/serve.py",)},
    "matplotlib": {"top": ("view/*",)},
    "jinja2": {"top": ("view/report/*",)},
    "markupsafe": {"top": ("view/report/*",)},
    "pandas": {"late": ("api/frames.py",)},
    "urllib3": {"late": ("fetch/transport.py",)},
    "yfinance": {"late": ("fetch/yahoo.py",)},
    "curl_cffi": {"late": ("fetch/yahoo.py",)},
    "peewee": {"late": ("fetch/yahoo.py",)},
    "sklearn": {"late": ("evaluate/directions.py",)},
    "exchange_calendars": {"late": ("data/exchange_years.py", "data/trading_calendars.py")},
    "scipy": {"late": ("evaluate/*",)},
    "arch": {"late": ("model/baselines.py",)},
    "dask": {"late": ("fleet/cluster.py",)},
    "distributed": {"late": ("fleet/cluster.py",)},
}
NOT_ON_START = (
    "numpy",
    "pandas",
    "matplotlib",
    "jinja2",
    "sklearn",
    "scipy",
    "tensorflow",
    "keras",
    "onnxruntime",
    "exchange_calendars",
    "distributed",
    "urllib3",
    "yfinance",
    "curl_cffi",
)

LIBRARIES = {"keras", "layers", "numpy", "tf", "util"}
"""What a comment may name besides the package's own modules."""


def test_imports_run_downward() -> None:
    wrong = []
    for module in MODULES:
        floor, room = place(module)
        for name, _, line in imports(module):
            other = own_module(name)
            if other is None:
                continue
            its_floor, its_room = place(other)
            if its_floor >= floor and its_room != room:
                wrong.append(f"{module}:{line} ({room}, floor {floor}) imports {name} ({its_room}, floor {its_floor})")
    assert not wrong, "\n".join(wrong)


def test_no_import_is_relative() -> None:
    wrong = [f"{module}:{line}" for module in MODULES for name, _, line in imports(module) if name.startswith(".")]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even for types alone, nor inside a function."""
    assert circle() == []


def test_each_public_name_stands_in_one_module() -> None:
    """But the two faces may call alike what they do alike: the command `train`, and `stockcast.train`."""
    faces = fnmatch.filter(MODULES, "stockcast/api/*")
    of_python = [node.name for one in faces for node in tree(one).body if isinstance(node, ast.FunctionDef)]
    assert len(set(of_python)) == len(of_python)
    places: dict[str, list[str]] = {}
    for module in sorted(set(MODULES) - set(faces)):
        for node in tree(module).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_folders_hold_no_more_than_can_be_overlooked() -> None:
    # Its own page, the __init__, is not one of those that it holds.
    counts = Counter(module.rpartition("/")[0] for module in MODULES if not module.endswith("/__init__.py"))
    assert {folder: count for folder, count in counts.items() if count > MOST_IN_A_FOLDER} == {}


def test_the_lists_of_this_test_name_what_is_there() -> None:
    rooms = [pattern for floor in FLOORS for patterns in floor.values() for pattern in patterns]
    allowed = [f"stockcast/{one}" for places in HEAVY.values() for patterns in places.values() for one in patterns]
    assert [one for one in rooms + allowed if not fnmatch.filter(MODULES, one)] == []


def test_comments_name_only_modules_that_are_there() -> None:
    """`path.py`, and `module.NAME` or `module.Class`, wherever a docstring or a comment says so."""
    stems = {path.stem for path in MODULES.values()} | LIBRARIES
    wrong = [
        f"{module}:{line} names {name}"
        for module, path in MODULES.items()
        for text, line in remarks(path.read_text(encoding="utf-8"))
        for pattern in (r"`((?:\w+/)*\w+\.py)`", r"`(?:\w+\.)*([a-z_]\w*)\.[A-Z]\w+`")
        for name in re.findall(pattern, text)
        if name not in stems and not any((base / name).is_file() for base in (ROOT, ROOT / "stockcast", path.parent))
    ]
    assert not wrong, "\n".join(wrong)


def remarks(source: str) -> Iterator[tuple[str, int]]:
    """Each comment and each text that is no part of an f-string, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.string, token.start[0]


def test_slow_libraries_stay_in_their_rooms() -> None:
    wrong = []
    for module in MODULES:
        inside = module.removeprefix("stockcast/")
        for name, when, line in imports(module):
            allowed = HEAVY.get(name.partition(".")[0])
            if allowed is None or when == "never":
                continue
            patterns = allowed.get("top", ()) + (allowed.get("late", ()) if when == "late" else ())
            if not any(fnmatch.fnmatch(inside, pattern) for pattern in patterns):
                wrong.append(f"{module}:{line} imports {name} ({when})")
    assert not wrong, "\n".join(wrong)


def test_only_the_command_line_says_click() -> None:
    wrong = [
        f"{module}:{line}"
        for module in MODULES
        for name, _, line in imports(module)
        if name.partition(".")[0] == "click" and place(module)[0] < TOP
    ]
    assert not wrong, wrong


def test_the_command_line_starts_light() -> None:
    program = f"import stockcast.cli, sys; print(*sorted({set(NOT_ON_START)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_modules_are_short() -> None:
    assert {module: lines(module) for module in MODULES if lines(module) >= LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    lengths = function_lengths()
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    long = {name: length for name, length in lengths.items() if length >= SHORT_FUNCTION}
    assert len(long) <= len(lengths) / 10, long


def test_every_module_and_public_name_is_explained() -> None:
    missing = [module for module in MODULES if ast.get_docstring(tree(module)) is None]
    for module in MODULES:
        for node in tree(module).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if not node.name.startswith("_") and ast.get_docstring(node) is None:
                missing.append(f"{module}:{node.lineno} {node.name}")
    assert not missing, "\n".join(missing)


def test_no_failure_is_caught_unseen() -> None:
    """Whoever catches everything must raise it again; only the boundary on the top floor may end it, at one place."""
    wide = [
        (module, node.lineno)
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node.type) and not raises_again(node)
    ]
    assert [where for where in wide if place(where[0])[0] < TOP] == []
    assert len(wide) <= 1, wide


def catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in ("Exception", "BaseException") for node in ast.walk(caught))


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_input_is_never_checked_by_assert() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Assert)
    ]
    assert not wrong


def test_only_the_command_line_prints() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if place(module)[0] < TOP
    ]
    assert not wrong


# Each pattern is written so that it does not match itself.
@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a note of unfinished work", rb"\b(TO[D]O|FIX[M]E)\b"),
        ("an absolute path of one machine", rb"(^|[^\w.])/(work|root|tmp|home/\w+|Users/\w+)/[\w.]"),
        ("the address of a package registry", rb"index[-]url|pypi[.]org/simple|files[.]python[h]osted"),
    ],
)
def test_no_tracked_file_holds(what: str, pattern: bytes) -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], check=False, cwd=ROOT, capture_output=True)
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    found = []
    for name in listing.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            lines = path.read_bytes().splitlines()
            found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if re.search(pattern, line)]
    assert not found, f"{what}: {found}"
