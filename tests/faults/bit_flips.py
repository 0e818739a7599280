"""Flip single bits of a saved model's files: every flip is found before the model is used.

python tests/faults/bit_flips.py [--every N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from attacks import folder
from victim import make_store

from stockcast.errors import ModelDamaged
from stockcast.store.store import Store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth bit")
    arguments = parser.parse_args()
    flips, unseen = 0, []
    with tempfile.TemporaryDirectory() as place:
        store = make_store(Path(place))
        for path in (store.root / "acme" / "champion.json", *sorted(folder(store).iterdir())):
            sound = path.read_bytes()
            for bit in range(0, 8 * len(sound), arguments.every):
                flips += 1
                path.write_bytes(flipped(sound, bit))
                if not refused(store, path.name):
                    unseen.append(f"{path.name}, bit {bit}")
            path.write_bytes(sound)
        store.load("acme")
    print(*unseen, sep="\n", end="\n" if unseen else "")
    print(f"{flips} single bits flipped: {len(unseen)} not found")
    return int(bool(unseen) or flips == 0)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refused(store: Store, file: str) -> bool:
    try:
        store.load("acme")
    except ModelDamaged as error:
        return file in error.message
    return False


if __name__ == "__main__":
    sys.exit(main())
