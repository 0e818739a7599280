"""Kill whole retrainings: `predict` then forecasts exactly as the old version does, or as the new one would have.

Every second kill waits until the run begins to write, since that takes a hundredth of its time.

python tests/faults/retrain_kills.py [--kills 100] [--seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from whole import Model, make_model

from stockcast.cli import run
from stockcast.store.store import Store


@dataclass(frozen=True)
class Course:
    """An undisturbed retraining: what is forecast before and after it, and the seconds before and while it writes."""

    before: str
    after: str
    thinking: float
    writing: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    moment = random.Random(arguments.seed)
    counts = {"trials": 0, "killed": 0, "old": 0, "new": 0, "torn": 0}
    bad, most = [], 10 + 2 * arguments.kills
    with tempfile.TemporaryDirectory() as folder:
        template = make_model(Path(folder))
        template.grow()
        scratch = Path(folder) / "scratch"
        course = undisturbed(template, scratch)
        # A run that came to its end before the kill is checked, but not counted.
        while min(counts["killed"] - arguments.kills, counts["torn"] - 1) < 0 and counts["trials"] < most:
            counts["trials"] += 1
            model = template.copied(scratch)
            counts["killed"] += killed(model, counts["trials"] % 2 == 0, course, moment)
            counts["torn"] += is_torn(model)
            served = which(model, course)
            if served in counts:
                counts[served] += 1
            else:
                bad.append(f"trial {counts['trials']}: {served}")
            if is_torn(model):
                torn = model.copied(Path(folder) / "torn")
        if counts["torn"]:
            torn.told("retrain", "acme")
            if which(torn, course) != "new" or is_torn(torn):
                bad.append("the next run did not heal what a kill had left")
    print(*bad, sep="\n", end="\n" if bad else "")
    print(
        f"{counts['killed']} whole retrainings killed, {counts['torn']} of them in mid-write: {counts['old']} serve "
        f"the old and {counts['new']} the new version bit for bit, {len(bad)} bad"
    )
    return int(bool(bad) or counts["torn"] == 0 or counts["killed"] < arguments.kills)


def undisturbed(template: Model, scratch: Path) -> Course:
    """Raises unless the run promotes its challenger."""
    model = template.copied(scratch)
    before, begin = forecast(model), time.perf_counter()
    child = model.start("--quiet", "retrain", "acme")
    wait_for_writing(model, child)
    writes = time.perf_counter()
    while child.poll() is None and is_torn(model):
        time.sleep(0.0002)
    end = time.perf_counter()
    if child.wait() or forecast(model) == before:
        raise RuntimeError("it promotes nothing even when it is left alone")
    return Course(before, forecast(model), writes - begin, end - writes)


def killed(model: Model, in_mid_write: bool, course: Course, moment: random.Random) -> bool:
    """Start a retraining and kill it: whether it was still running."""
    child = model.start("--quiet", "retrain", "acme", start_new_session=True)
    if in_mid_write:
        wait_for_writing(model, child)
        time.sleep(moment.uniform(0, course.writing))
    else:
        time.sleep(moment.uniform(0, course.thinking))
    child.kill()
    child.communicate()
    return child.returncode == -signal.SIGKILL


def wait_for_writing(model: Model, child: subprocess.Popen[str]) -> None:
    while child.poll() is None and not lying_aside(model):
        time.sleep(0.0002)


def is_torn(model: Model) -> bool:
    """Whether a run has begun to write and not come to its end."""
    store = Store(model.store)
    return lying_aside(model) or store.champion("acme").version != store.versions("acme")[-1]


def lying_aside(model: Model) -> bool:
    """Whether something is half written. The folder itself comes and goes."""
    try:
        return any((model.store / "acme" / ".aside").iterdir())
    except FileNotFoundError:
        return False


def which(model: Model, course: Course) -> str:
    """Which version forecasts: old or new, or what is wrong."""
    faults = {what: fault for what, fault in Store(model.store).verify("acme").items() if fault}
    if faults:
        return f"damaged: {faults}"
    return {course.before: "old", course.after: "new"}.get(forecast(model), "it forecasts something else")


def forecast(model: Model) -> str:
    """Everything that `predict --json` says, but for the version's name."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = run(["predict", "acme", "--store", str(model.store), "--json", "--quiet"])
    if code:
        return f"predict ended with {code}: {told.getvalue()}"
    return json.dumps({**json.loads(told.getvalue()), "version": None})


if __name__ == "__main__":
    sys.exit(main())
