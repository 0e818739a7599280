"""What the teaching texts say of networks and their training: T5 to T7, T10 and T11.

Each function runs one system and gives the fields of its part of tools/tutorials.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tutorial_bench import Bench, losses, only_last_epoch, session, table
from tutorial_systems import GOOGLE, IBM, NEXT5, rmses, scores

WHERE = {"IBM": f"{IBM} --from 2011-01-03", "Google": f"{GOOGLE} --from 2016-01-04"}
MEMORY = 3
"""Sessions after which a made-up move comes back."""

KILLED = (3, 12, 25)
"""Epochs in which a training is killed, to be taken up."""

CHOICES = (
    (),
    ("fit.optimizer=rmsprop",),
    ("fit.optimizer=sgd", "fit.learning_rate=0.1"),
    ("fit.optimizer=sgd", "fit.learning_rate=0.1", "fit.momentum=0.9"),
    ("fit.loss=mae",),
    ("fit.loss=huber",),
    ("fit.loss=pinball", "model.head=quantiles"),
    ("fit.batch_size=8",),
    ("fit.batch_size=4096",),
    ("model.initializer=he",),
    ("model.initializer=orthogonal",),
    ("model.initializer=zeros",),
    ("fit.clipnorm=1",),
    ("fit.clipvalue=0.5",),
    ("fit.l1=0.0001",),
    ("fit.l2=0.0001",),
    ("split.validation=0.1", "fit.patience=3"),
)


def cells(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T5."""
    rivals = "naive,ewma,gru,rnn,peephole,coupled"
    found = {name: _contest(bench, where, rivals) for name, where in WHERE.items()}
    both = f"{WHERE['IBM']} --set model.bidirectional=true --set fit.positions=last"
    spans = []
    for name, (_, ratios) in found.items():
        pinball = [ratio for _, ratio in ratios.values()]
        spans.append(f"{min(pinball):.3f} and {max(pinball):.3f} on {name}")
    return {
        "cells_ibm": found["IBM"][0],
        "cells_google": found["Google"][0],
        "cells_both": _contest(bench, both, "naive,ewma")[0],
        "cells_spans": ", ".join(spans),
    }


def ladder(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T6."""
    inputs = {"IBM": "", "Google": " --set 'data.features=[\"open\"]'"}
    fields: dict[str, str] = {}
    sharp, best = [], []
    for name, where in WHERE.items():
        bands, ratios = _contest(bench, where, "naive,linear,mlp,rnn,gru,lstm")
        level = f"--config tutorial-next5 {where}{inputs[name]}"
        levels, others = _contest(bench, level, "naive,linear,mlp,rnn,gru")
        fields |= {f"ladder_{name.lower()}": bands, f"ladder_level_{name.lower()}": levels}
        sharp.append(f"{ratios['linear'][1]:.3f} against the LSTM's {ratios['lstm'][1]:.3f} on {name}")
        least = min(others, key=lambda rival: others[rival][0])
        best.append(f"{others[least][0]:.2f} times on {name} (`{least}`)")
    perceptron = (
        f"stockcast train --config direction {IBM} --set data.thresholds=[0.0] --set model.cell=linear "
        "--set fit.positions=last --name perceptron"
    )
    said = {"ladder_sharp": ", ".join(sharp), "ladder_best": ", ".join(best)}
    return fields | said | {"ladder_perceptron": session((perceptron, bench.run(perceptron)))}


def _contest(bench: Bench, options: str, against: str) -> tuple[str, dict[str, tuple[float, float]]]:
    """A backtest one step ahead as a block; then each network's RMSE and pinball loss, divided by the last price's."""
    command = f"stockcast backtest {options} --horizon 1 --against {against}"
    models: Mapping[str, list[dict[str, float]]] = bench.ask(command)["models"]
    (naive,) = models["naive"]
    ratios = {
        "lstm" if name == "model" else name: (one["rmse"] / naive["rmse"], one["pinball"] / naive["pinball"])
        for name, (one,) in models.items()
        if name not in ("naive", "ewma")
    }
    return session((command, bench.run(command))), ratios


def gradients(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T7."""
    command = "python -m pytest --quiet -m tensorflow -k central_difference tests/model"
    return {"gradients_session": session((command, bench.run(command)))}


def training(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T10."""
    start = f"{NEXT5} --set data.horizon=1"
    rows, ratios = [], []
    for number, choice in enumerate(CHOICES):
        command = f"{start}{''.join(f' --set {one}' for one in choice)} --name choice-{number} -vv"
        told = losses(bench.run(command))
        (mine,), (last,) = rmses(bench, f"choice-{number}")
        ratios.append(mine / last)
        changed = ", ".join(f"`{one}`" for one in choice) or "nothing: adam, mse, batches of 32, glorot"
        rows.append([changed, str(len(told)), f"{told[0]:.5f}", f"{told[-1]:.5f}", f"{mine:.3f}", f"{mine / last:.2f}"])
        if "fit.momentum=0.9" in choice:
            shown = session((command, bench.run(command)))
    resumed = [_resumed(bench, start, epoch) for epoch in KILLED]
    equal = sum(bench.weights(f"killed-{epoch}") == bench.weights("choice-0") for epoch in KILLED)
    return {
        "training_session": shown,
        "training_choices": table(["changed", "epochs", "first loss", "last loss", "RMSE", "/ last price"], rows),
        "training_killed": f"{', '.join(map(str, KILLED[:-1]))} or {KILLED[-1]}",
        "training_resumed": session(resumed[-1]),
        "training_count": str(len(KILLED)),
        "training_equal": str(equal),
        "training_least": f"{min(ratios):.2f}",
    }


def _resumed(bench: Bench, start: str, epoch: int) -> tuple[str, str]:
    """A training that is killed in `epoch` and taken up: the second command and what it prints."""
    command = f"{start} --name killed-{epoch}"
    resume = f"{command} --resume -vv"
    if not bench.has(resume):
        bench.kill(f"{command} -vv", epoch)
    return resume, bench.run(resume)


def state(bench: Bench, seeds: int) -> dict[str, str]:  # noqa: ARG001 -- all systems are called alike
    """T11."""
    (bench.folder / "data" / "echo.csv").write_text(returning_moves(), encoding="utf-8")
    small = "--set data.lookback=2 --set fit.stride=2 --set fit.tbptt=2 --set 'data.features=[\"return\"]'"
    made_up = (
        f"stockcast train --config stateful --csv data/echo.csv {small} "
        "--set model.head=point --set fit.loss=mse --set fit.decay=cosine"
    )
    rows, shown = [], []
    for prices, start, name in (
        ("IBM", f"stockcast train --config stateful {IBM}", "ibm"),
        ("made up", made_up, "echo"),
    ):
        for how, more in (("carried", ""), ("zero", " --set model.stateful=false")):
            command = f"{start}{more} --name {name}-{how} -vv"
            output = bench.run(command)
            told, (score, *_) = losses(output), scores(bench, f"{name}-{how}")["models"]["model"]
            rows.append([prices, how, f"{told[0]:.4f}", f"{told[-1]:.4f}", f"{score['pinball']:.4f}"])
            shown.append((command, output))
    *_, carried, zero = rows
    (command, output), *others = shown
    return {
        "state_session": session((command, output)),
        "state_others": session(*((other, only_last_epoch(told)) for other, told in others)),
        "state_memory": str(MEMORY),
        "state_scores": table(["prices", "state", "first loss", "last loss", "held-out pinball %"], rows),
        "state_carried": f"{carried[2]} to {carried[3]}",
        "state_zero": f"{zero[2]} to {zero[3]}",
    }


def returning_moves(rows: int = 3000) -> str:
    """A CSV of prices; 0.9 of each log return comes back `MEMORY` sessions later, and the rest of the next is noise."""
    random = np.random.default_rng(0)
    moves = 0.004 * random.standard_normal(rows)
    for row in range(MEMORY, rows):
        moves[row] = 0.9 * moves[row - MEMORY] + np.sqrt(0.19) * moves[row]
    dates = np.busday_offset("2015-01-01", np.arange(rows), roll="forward")
    lines = (f"{day},{price:.4f}" for day, price in zip(dates, 100 * np.exp(np.cumsum(moves)), strict=True))
    return "\n".join(["Date,Close", *lines]) + "\n"
