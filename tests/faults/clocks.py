"""Retrain and predict while the clock jumps: versions stay in order, `since` is right, staleness is told rightly.

Needs faketime, which on Debian is a package of that name.

python tests/faults/clocks.py [--moments 8]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from whole import Model, make_model

# In UTC, and in the zone where the program runs. A retraining takes seconds, so that it spans what happens in them.
MOMENTS = {
    "an hour is left out": ("2026-03-29 00:59:57", "Europe/Berlin"),
    "an hour comes twice": ("2026-11-01 05:59:57", "America/New_York"),
    "back a day": ("2026-10-31 05:59:57", "America/New_York"),
    "back a year": ("2025-10-31 12:00:00", "America/New_York"),
    "on again": ("2026-11-02 12:00:00", "America/New_York"),
    "a leap day begins": ("2028-02-28 23:59:57", "UTC"),
    "a leap day ends": ("2028-02-29 23:59:57", "UTC"),
    "32 bits end": ("2038-01-19 03:14:04", "UTC"),
}
LIMIT = 3
"""Days after which a champion is stale."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=len(MOMENTS), help="only the first so many")
    arguments = parser.parse_args()
    if shutil.which("faketime") is None:
        print("NOT RUN: there is no faketime here; install the package faketime.")
        return 0
    bad = []
    chosen = list(MOMENTS.items())[: arguments.moments]
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder), around=at(datetime(2026, 3, 1, tzinfo=UTC), "UTC"))
        for what, (moment, zone) in chosen:
            try:
                check(model, datetime.fromisoformat(f"{moment}+00:00"), zone)
            except RuntimeError as error:
                bad.append(f"{what}: {error}")
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"retrained over {len(chosen)} jumps of the clock ({', '.join(what for what, _ in chosen)}): {len(bad)} bad")
    return int(bool(bad) or not chosen)


def check(model: Model, moment: datetime, zone: str) -> None:
    """Retrain at this moment, and predict then, later and earlier. Raises `RuntimeError` saying what is wrong."""
    earlier = versions(model)
    answer = model.told("retrain", "acme", "--force", around=at(moment, zone))
    champion = json.loads((model.store / "acme" / "champion.json").read_text())
    if not answer["promoted"] or champion["version"] != answer["version"]:
        raise RuntimeError(f"not promoted: {answer['reason']}")
    if answer["version"] <= max(earlier) or versions(model) != sorted([*earlier, answer["version"]]):
        raise RuntimeError(f"{answer['version']} is not the newest of {versions(model)}")
    late = datetime.fromisoformat(champion["since"]) - moment
    if not timedelta(0) <= late < timedelta(minutes=10):
        raise RuntimeError(f"it serves since {champion['since']}, {late} after it was trained")
    for days, said in ((0, None), (LIMIT - 1, None), (LIMIT + 1, "stale"), (-1, None), (-400, "its age is unknown")):
        run = model.start(
            *("predict", "acme", "--json", "--quiet", "--strict", "--max-age", str(LIMIT)),
            around=at(moment + timedelta(days=days), zone),
        )
        out, _ = run.communicate()
        told = [warning for warning in json.loads(out)["warnings"] if said and said in warning]
        if run.returncode != int(said is not None) or len(told) != run.returncode:
            raise RuntimeError(f"after {days} days predict ended with {run.returncode} and said {told}: {out}")


def at(moment: datetime, zone: str) -> tuple[str, ...]:
    """What goes around a program so that its clock begins at this moment and its day is that of `zone`."""
    return ("env", "TZ=UTC", "faketime", moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), "env", f"TZ={zone}")


def versions(model: Model) -> list[str]:
    return sorted(path.name for path in (model.store / "acme" / "versions").iterdir())


if __name__ == "__main__":
    sys.exit(main())
