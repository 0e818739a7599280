"""What the teaching texts build, run on their own prices: T1 to T4, T8 and T9.

Each function runs one system and gives the fields of its part of tools/tutorials.md.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tutorial_bench import Bench, losses, over_seeds, p_value, session, table

IBM = "--csv data/ibm.csv"
GOOGLE = "--csv data/Google_Stock_Price_Train.csv --price open"
AIRLINE = "stockcast train --config tutorial-airline --csv data/international-airline-passengers.csv"
NEXT5 = f"stockcast train --config tutorial-next5 {IBM}"
LEARNED = re.compile(r"windows that it learned: RMSE ([\d.]+), the last price's ([\d.]+)\.$", re.MULTILINE)


def google(bench: Bench, seeds: int) -> dict[str, str]:
    """T1."""
    files = "--csv data/Google_Stock_Price_Train.csv --test-csv data/Google_Stock_Price_Test.csv"
    return _stacked(bench, seeds, "google", f"stockcast train --config tutorial-google {files}")


def facebook(bench: Bench, seeds: int) -> dict[str, str]:
    """T2."""
    files = "--csv data/FB_training_data.csv --test-csv data/FB_test_data.csv"
    return _stacked(bench, seeds, "facebook", f"stockcast train --config tutorial-facebook {files}")


def _stacked(bench: Bench, seeds: int, name: str, train: str) -> dict[str, str]:
    rows = []
    for seed in range(seeds):
        command, called = of_seed(train, name, seed)
        told = losses(bench.run(command))
        mine, last = rmses(bench, called)
        rows.append((told[0], told[-1], mine[0], last[0]))
    command, _ = of_seed(train, name, 0)
    draw = f"stockcast plot {name} --kind backtest -o tutorial-{name}.png"
    head = ["seed", "loss, epoch 1", f"loss, epoch {len(told)}", "RMSE", "last price's RMSE"]
    worse = sum(mine > last for *_, mine, last in rows)
    ratio = statistics.fmean(mine / last for *_, mine, last in rows)
    return {
        f"{name}_session": session((command, bench.run(command)), (draw, bench.run(draw))),
        f"{name}_seeds": over_seeds(head, rows, (4, 5, 2, 4)),
        f"{name}_picture": bench.picture(draw, f"Opening prices of {name.capitalize()}: real in red, forecast in blue"),
        f"{name}_count": str(seeds),
        f"{name}_worse": str(worse),
        f"{name}_ratio": f"{ratio:.2f}",
    }


def airline(bench: Bench, seeds: int) -> dict[str, str]:
    """T3."""
    rows = []
    for seed in range(seeds):
        command, called = of_seed(AIRLINE, "airline", seed)
        output = bench.run(command)
        told, (fitted,), (mine, last) = losses(output), LEARNED.findall(output), rmses(bench, called)
        rows.append((told[0], told[-1], float(fitted[0]), float(fitted[1]), mine[0], last[0]))
    command, _ = of_seed(AIRLINE, "airline", 0)
    bench.run(f"{AIRLINE} --set data.lookback=12 --name airline-twelve")
    ahead = "stockcast predict airline --days 3"
    draw = "stockcast plot airline --kind parts -o tutorial-airline.png"
    head = [
        "seed",
        "loss, epoch 1",
        f"loss, epoch {len(told)}",
        "train RMSE",
        "last month's",
        "test RMSE",
        "last month's",
    ]
    picture = "All months, and the forecasts of the training part and of the test part, each in its place"
    return {
        "airline_session": session(*((one, bench.run(one)) for one in (command, ahead, draw))),
        "airline_seeds": over_seeds(head, rows, (4, 5, 2, 2, 2, 2)),
        "airline_picture": bench.picture(draw, picture),
        "airline_twelve": f"{rmses(bench, 'airline-twelve')[0][0]:.2f}",
        "airline_ratio": f"{statistics.fmean(row[4] / row[5] for row in rows):.3f}",
    }


def next_five(bench: Bench, seeds: int) -> dict[str, str]:
    """T4."""
    on_returns = f"{NEXT5} --set data.target=return --set 'data.features=[\"return\"]'"
    ways = {
        "direct": (NEXT5, "next5"),
        "recursive": (f"{NEXT5} --set model.multistep=recursive", "next5-recursive"),
        "direct, on returns": (on_returns, "next5-returns"),
    }
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for way, (start, name) in ways.items():
        for seed in range(seeds):
            command, called = of_seed(start, name, seed)
            bench.run(command)
            mine, last = rmses(bench, called)
            found[way].append(mine)
    rows = [
        [str(step + 1), *(_mean_and_spread([run[step] for run in runs]) for runs in found.values()), f"{usual:.4f}"]
        for step, usual in enumerate(last)
    ]
    shown = [of_seed(*ways[way], 0)[0] for way in ("direct", "recursive")]
    return {
        "next5_session": session(*((command, bench.run(command)) for command in shown)),
        "next5_steps": table(["step", *ways, "last price"], rows),
        "next5_count": str(seeds),
    }


def preparing(bench: Bench, seeds: int) -> dict[str, str]:
    """T8, on models of T4 and T9."""
    next_five(bench, seeds)
    direction(bench, seeds)
    panel = (
        "stockcast train --config tutorial-next5 --price open --set 'data.features=[\"open\"]' --set data.lookback=40 "
        "--set fit.epochs=3 --csv data/FB_training_data.csv --csv data/Google_Stock_Price_Test.csv"
    )
    coded = (
        f'stockcast train --config direction {IBM} --set \'data.calendar_features=["weekday","month"]\' --name coded'
    )
    bench.run(coded)
    losses_of = {
        inputs: f"{scores(bench, name)['directions']['steps'][0]['log_loss']:.4f}"
        for inputs, name in (("daily features", "direction"), ("and weekday and month", "coded"))
    }
    standard, ahead = f"{AIRLINE} --set data.scaler=standard --name airline-standard", "stockcast predict next5"
    padded = [f"{panel} --name unpadded", f"{panel} --set data.padding=pre --name padded"]
    return {
        "preparing_standard": session((standard, bench.run(standard))),
        "preparing_beyond": session((ahead, bench.run(ahead))),
        "preparing_padding": session(*((one, f"...\n{bench.run(one).splitlines()[-1]}") for one in padded)),
        "preparing_codes": table(["inputs", "log loss, held out"], list(losses_of.items())),
    }


def direction(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T9."""
    start = "stockcast train --config direction"
    two = "--set data.thresholds=[0.0]"
    trained = {
        "direction": ("IBM", 3, f"{start} {IBM} --name direction"),
        "updown": ("IBM", 2, f"{start} {IBM} {two} --name updown"),
        "direction-google": ("Google", 3, f"{start} {GOOGLE} --name direction-google"),
        "updown-google": ("Google", 2, f"{start} {GOOGLE} {two} --name updown-google"),
    }
    rows, found = [], {}
    for name, (where, classes, command) in trained.items():
        bench.run(command)
        (found[name],) = scores(bench, name)["directions"]["steps"]
        rows.append([where, str(classes), *_direction_row(found[name])])
    head = ["prices", "classes", "days", "accuracy", "balanced", "majority", "p", "chance", "p", "log loss", "Brier"]
    labels = ("down", "flat", "up")
    matrix = zip(labels, found["direction"]["confusion"], strict=True)
    train, ahead = trained["direction"][-1], "stockcast predict direction"
    told = [one["accuracy"] - one["majority_accuracy"] for one in found.values() if one["p_majority"] < 0.05]
    return {
        "direction_session": session((train, bench.run(train)), (ahead, bench.run(ahead))),
        "direction_scores": table(head, rows),
        "direction_confusion": table(["", *labels], [[label, *map(str, row)] for label, row in matrix]),
        "direction_count": str(len(found)),
        "direction_better": str(sum(gain > 0 for gain in told) or "none"),
        "direction_worse": str(sum(gain < 0 for gain in told) or "none"),
    }


def _direction_row(found: Mapping[str, Any]) -> list[str]:
    accuracy, balanced, majority, chance = (
        f"{100 * found[key]:.1f} %" for key in ("accuracy", "balanced_accuracy", "majority_accuracy", "chance_accuracy")
    )
    ours = [str(found["n"]), accuracy, balanced, majority, p_value(found["p_majority"])]
    return [*ours, chance, p_value(found["p_chance"]), f"{found['log_loss']:.4f}", f"{found['brier']:.4f}"]


def of_seed(command: str, name: str, seed: int) -> tuple[str, str]:
    """The training `command` with a seed, 0 being the default, and what its model is called."""
    called = f"{name}-{seed}" if seed else name
    return f"{command} --name {called}{f' --seed {seed}' if seed else ''} -vv", called


def scores(bench: Bench, name: str) -> dict[str, Any]:
    """The held-out scores of a saved model."""
    found: dict[str, Any] = bench.ask(f"stockcast models show {name}")["manifest"]["scores"]
    return found


def rmses(bench: Bench, name: str) -> tuple[list[float], list[float]]:
    """The RMSE of each step, and the last price's."""
    models = scores(bench, name)["models"]
    return [one["rmse"] for one in models["model"]], [one["rmse"] for one in models["naive"]]


def _mean_and_spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.4f} ({statistics.stdev(values) if len(values) > 1 else 0:.4f})"
