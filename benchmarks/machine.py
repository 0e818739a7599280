"""What the figures were measured on.

python -m benchmarks.machine
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("tensorflow", "keras", "numpy", "pandas", "onnxruntime", "click", "pydantic")


def main() -> None:
    """The processor, the memory, the system and the versions."""
    processor = field(Path("/proc/cpuinfo"), "model name") or platform.processor()
    kilobytes = int(field(Path("/proc/meminfo"), "MemTotal").split()[0])
    print(f"{processor}, {len(os.sched_getaffinity(0))} cores, {kilobytes / 2**20:.0f} GiB")
    print(f"Linux {platform.release()}, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))


def field(path: Path, name: str) -> str:
    """The first value of that name in a file of lines `name: value`; empty if there is none."""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


if __name__ == "__main__":
    main()
