"""The rules of the house, read from the source itself: floors, heavy libraries, sizes and habits."""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "stockcast").rglob("*.py"))}

# From the bottom up. A module may import from its own room and from every lower floor.
FLOORS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"ground": tuple(f"stockcast/{name}.py" for name in ("__init__", "agreement", "config", "errors", "refusal"))},
    {"data": ("stockcast/data/*",)},
    {"model": ("stockcast/model/*",), "evaluate": ("stockcast/evaluate/*",)},
    {"store": ("stockcast/store/*",), "view": ("stockcast/view/*",)},
    {"recipe": ("stockcast/learn.py",)},
    {"jobs": ("stockcast/jobs/*",)},
    {"command line": ("stockcast/cli/*", "stockcast/__main__.py")},
)
TOP = len(FLOORS) - 1

# The only modules that know TensorFlow. All others can be had without it.
TRAINING = (
    *("model/network.py", "model/cells/*", "model/kernels.py", "model/fit.py", "model/learner.py", "model/losses.py"),
    "model/export.py",
)

# Where a slow library may be imported: at the top of a module, or only late, inside a function. Nowhere else.
HEAVY: dict[str, dict[str, tuple[str, ...]]] = {
    "numpy": {"top": ("data/*", "model/*", "evaluate/*", "store/*", "view/*", "learn.py", "jobs/*")},
    "tensorflow": {"top": TRAINING},
    "keras": {"top": TRAINING},
    "onnxruntime": {"top": ("model/serve.py",)},
    "matplotlib": {"top": ("view/*",)},
    "pandas": {"late": ("data/*",)},
    "sklearn": {"late": ("data/scaling.py", "evaluate/directions.py")},
    "exchange_calendars": {"late": ("data/sessions.py", "data/calendars.py")},
    "scipy": {"late": ("evaluate/*", "model/*", "data/*")},
    "arch": {"late": ("model/baselines.py", "model/garch.py")},
}
NOT_ON_START = (
    "numpy",
    "pandas",
    "matplotlib",
    "sklearn",
    "scipy",
    "tensorflow",
    "keras",
    "onnxruntime",
    "exchange_calendars",
)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def place(module: str) -> tuple[int, str]:
    """The floor and the room of a module, given as a path."""
    for floor, rooms in enumerate(FLOORS):
        for room, patterns in rooms.items():
            if any(fnmatch.fnmatch(module, pattern) for pattern in patterns):
                return floor, room
    raise AssertionError(f"{module} stands on no floor")


def imports(module: str) -> Iterator[tuple[str, str, int]]:
    """Each import: its full dotted name; "top", "late" (in a function) or "never" (only for types); its line."""
    when: dict[ast.AST, str] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            when |= dict.fromkeys(ast.walk(node), "late")
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            when |= dict.fromkeys(ast.walk(node), "never")
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, when.get(node, "top"), node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} is a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", when.get(node, "top"), node.lineno


def own_module(name: str) -> str | None:
    """The module of stockcast that a dotted name stands in, as a path; None for other libraries."""
    parts = name.split(".")
    if parts[0] != "stockcast":
        return None
    for end in range(len(parts), 0, -1):
        stem = "/".join(parts[:end])
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if candidate in MODULES:
                return candidate
    return None


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


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
    long = {module: lines for module, path in MODULES.items() if (lines := len(path.read_bytes().splitlines())) >= 300}
    assert not long


def test_functions_are_short() -> None:
    lengths = {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in functions(module)
    }
    long = {name: length for name, length in lengths.items() if length >= 35}
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
