"""The house as its own source tells it: the floors, who imports whom, and how long everything is.

    python -m tools.house

prints a table of the rooms, and of the longest modules and functions. `tests/test_house.py` holds the rules.
"""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "stockcast").rglob("*.py"))}

# From the bottom up. A module may import from its own room and from every lower floor.
FLOORS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"ground": ("stockcast/version.py", "stockcast/process.py", "stockcast/errors.py", "stockcast/config/*")},
    {"data": ("stockcast/data/*",)},
    {"checks": ("stockcast/checks/*",), "model": ("stockcast/model/*",), "evaluate": ("stockcast/evaluate/*",)},
    {
        "reading": ("stockcast/reading/*",),
        "store": ("stockcast/store/*",),
        "ledger": ("stockcast/ledger/*",),
        "view": ("stockcast/view/*",),
        "fetch": ("stockcast/fetch/*",),
    },
    {"recipe": ("stockcast/learn.py",)},
    {"fleet": ("stockcast/fleet/*",)},
    {"jobs": ("stockcast/jobs/*",)},
    {
        "command line": ("stockcast/cli/*", "stockcast/__main__.py"),
        "python": ("stockcast/__init__.py", "stockcast/api/*"),
    },
)

LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
SHORT_FUNCTION = 35
"""Nine functions in ten have fewer lines."""


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of a module, given as a path below the root."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def place(module: str) -> tuple[int, str]:
    """The floor and the room of a module."""
    for floor, rooms in enumerate(FLOORS):
        for room, patterns in rooms.items():
            if any(fnmatch.fnmatch(module, pattern) for pattern in patterns):
                return floor, room
    raise LookupError(f"{module} stands on no floor")


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
            for alias in node.names:
                yield f"{'.' * node.level}{node.module}.{alias.name}", when.get(node, "top"), node.lineno


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


def needs(module: str) -> set[str]:
    """The modules of stockcast that a module imports, be it for types alone."""
    found = {own_module(name) for name, _, _ in imports(module)}
    return {one for one in found if one is not None and one != module}


def circle() -> list[str]:
    """Modules that import each other in a circle, the first one again at the end; empty if there is none."""
    done: set[str] = set()

    def search(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for other in sorted(needs(module)):
            if found := search(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in MODULES if (found := search(module, []))), [])


def lines(module: str) -> int:
    """How many lines a module has."""
    return len(MODULES[module].read_bytes().splitlines())


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def function_lengths() -> dict[str, int]:
    """The lines of each function of the package, by where it stands."""
    return {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in functions(module)
    }


def main() -> None:
    """Rooms, then modules, then functions."""
    total = sum(map(lines, MODULES))
    print(f"{'floor':<6}{'room':<14}{'modules':>8}{'lines':>8}{'share':>8}")
    for floor in reversed(range(len(FLOORS))):
        for room in FLOORS[floor]:
            mine = [module for module in MODULES if place(module) == (floor, room)]
            inside = sum(map(lines, mine))
            print(f"{floor:<6}{room:<14}{len(mine):>8}{inside:>8,}{inside / total:>8.0%}")
    print(f"{'':<6}{'all':<14}{len(MODULES):>8}{total:>8,}\n")
    longest = sorted(MODULES, key=lines, reverse=True)
    print(f"longest modules (fewer than {LONGEST_MODULE} lines are allowed)")
    print("\n".join(f"{lines(module):>6}  {module}" for module in longest[:5]), end="\n\n")
    lengths = function_lengths()
    short = sum(length < SHORT_FUNCTION for length in lengths.values())
    print(f"{len(lengths)} functions, {short / len(lengths):.1%} of them under {SHORT_FUNCTION} lines; the longest:")
    print("\n".join(f"{lengths[one]:>6}  {one}" for one in sorted(lengths, key=lengths.__getitem__, reverse=True)[:5]))
    print(f"\ncircles: {' -> '.join(circle()) or 'none'}")


if __name__ == "__main__":
    main()
