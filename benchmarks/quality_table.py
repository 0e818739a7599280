"""The benchmark of quality as a document."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np

from benchmarks.common import ROOT
from benchmarks.outcome import BANDS, HORIZON, Outcome, following
from stockcast.data.series import Panel

QUALITY = ROOT / "benchmarks" / "QUALITY.md"

SECTION = re.compile(r"\n<!-- (?P<title>.*?) -->\n.*?\n<!-- end -->\n", re.DOTALL)
"""A section that another benchmark writes, which stays when the document is written anew."""

LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-learn", "arch")


@dataclass(frozen=True)
class Report:
    """All that was measured: each seed's outcome by part, and each ablation's by fold."""

    panel: Panel
    until: str
    seeds: tuple[int, ...]
    measured: Mapping[str, Sequence[Outcome]]
    folds: tuple[str, ...]
    ablations: Mapping[str, Sequence[Outcome]]


@dataclass(frozen=True)
class Row:
    """A figure of one part, the number that it should reach, and its digits."""

    label: str
    part: str
    figure: Callable[[Outcome], float]
    goal: str = ""
    digits: int = 4


HARS, ALONE = ("har", "har-own"), ("har-own",)
"""Those that `daily` is to be better than; a stock that is trained alone has an opponent that knows no other either."""

TITLES: Mapping[str, str] = {
    "naive": "last price",
    "ewma": "EWMA",
    "garch": "GARCH",
    "har": "HAR, slopes shared",
    "har-own": "HAR, each stock's own",
}
"""The baselines, as the tables call them."""

ROWS = (
    Row("loss at step 1, ratio to EWMA", "panel", lambda o: first(o, "ewma"), "0.976"),
    Row("loss at step 1, ratio to GARCH", "panel", lambda o: first(o, "garch"), "0.969"),
    Row("loss at step 1, ratio to HAR", "panel", lambda o: first(o, hardest(o, HARS)), "0.988"),
    Row("stocks better than GARCH at step 1, %", "panel", lambda o: better(o, "garch"), "99", 1),
    Row("stocks better than HAR at step 1, %", "panel", lambda o: better(o, hardest(o, HARS)), "90", 1),
    Row("loss at steps 2-5, ratio to EWMA", "panel", lambda o: later(o, "ewma"), "0.985"),
    Row("loss at steps 2-5, ratio to HAR", "panel", lambda o: later(o, hardest(o, HARS, later))),
    Row("RMSE of the median, ratio to the last price, worst step", "panel", lambda o: o.rmse.mean(0).max(), "1.000"),
    Row("coverage of the bands, worst band and step, points off", "panel", lambda o: o.off.max(), "1.0", 2),
    Row("coverage of the 98 % band, worst step, points off", "panel", lambda o: o.off[:, -1].max(), "0.5", 2),
    Row("stocks with 80 % coverage within 3 points, step 1, %", "panel", lambda o: o.close_by[0], "90", 1),
    Row("the same, worst step, %", "panel", lambda o: o.close_by.min(), "", 1),
    Row("training, seconds", "panel", lambda o: o.seconds, "30", 1),
    *(
        row
        for part, title, goal in (
            ("alone", "one stock alone", "0.989"),
            ("alone before", "one stock alone, earlier", ""),
        )
        for row in (
            Row(f"{title}, loss at step 1, ratio to EWMA", part, lambda o: first(o, "ewma"), goal),
            Row(f"{title}, loss at steps 2-5, ratio to EWMA", part, lambda o: later(o, "ewma")),
            Row(f"{title}, loss at step 1, ratio to HAR", part, lambda o: first(o, hardest(o, ALONE))),
            Row(f"{title}, loss at steps 2-5, ratio to HAR", part, lambda o: later(o, hardest(o, ALONE, later))),
            Row(f"{title}, better than EWMA at step 1, %", part, lambda o: better(o, "ewma"), "", 1),
            Row(f"{title}, better than HAR at step 1, %", part, lambda o: better(o, hardest(o, ALONE)), "", 1),
        )
    ),
    Row("one stock alone, training, seconds", "alone", lambda o: o.seconds, "6", 1),
    Row("closes only, loss at step 1, ratio to EWMA", "closes", lambda o: first(o, "ewma"), "0.988"),
    Row("closes only, loss at step 1, ratio to HAR", "closes", lambda o: first(o, hardest(o, HARS))),
    Row("stocks left out of training, loss at step 1, ratio to EWMA", "left out", lambda o: first(o, "ewma"), "0.982"),
)

STEPS: Mapping[str, Callable[[Outcome], np.ndarray]] = {
    "loss, ratio to EWMA": lambda o: o.loss["ewma"].mean(0),
    "loss, ratio to GARCH": lambda o: o.loss["garch"].mean(0),
    "loss, ratio to HAR": lambda o: o.loss[hardest(o, HARS)].mean(0),
    "RMSE of the median, ratio to the last price": lambda o: o.rmse.mean(0),
    **{
        f"coverage of the {band} % band, %": lambda o, at=at: 100 * o.coverage[..., at].mean(0)  # type: ignore[misc]  # a default holds the loop's value
        for at, band in enumerate(BANDS)
    },
    "stocks with 80 % coverage within 3 points, %": lambda o: o.close_by,
}


def first(one: Outcome, opponent: str) -> float:
    """The mean over the stocks of the loss one step ahead, as a ratio."""
    return float(one.loss[opponent][:, 0].mean())


def later(one: Outcome, opponent: str) -> float:
    """The same of the steps after the first."""
    return float(one.loss[opponent][:, 1:].mean())


def hardest(one: Outcome, names: Sequence[str], figure: Callable[[Outcome, str], float] = first) -> str:
    """The one of these baselines, with fixed bands or with bands that follow, that comes off best beside the model."""
    return max((form for name in names for form in (name, following(name))), key=lambda form: figure(one, form))


def better(one: Outcome, opponent: str) -> float:
    """The percentage of stocks with a smaller loss than an opponent's, one step ahead."""
    return float(100 * (one.loss[opponent][:, 0] < 1).mean())


def document(report: Report) -> str:
    """The whole of QUALITY.md."""
    parts = (
        introduction(report),
        figures(report),
        steps(report),
        baselines(report),
        ablations(report),
        machine(report),
    )
    return "\n\n".join(parts) + "\n"


def put_document(text: str) -> str:
    """Write the document, and behind it the sections that were in the old one. The whole of it."""
    old = QUALITY.read_text(encoding="utf-8") if QUALITY.exists() else ""
    whole = text + "".join(found[0] for found in SECTION.finditer(old))
    QUALITY.write_text(whole, encoding="utf-8")
    return whole


def put_section(title: str, text: str) -> str:
    """Put a section in the place of the one of its title, or at the end. The section itself."""
    section = f"\n<!-- {title} -->\n\n## {title}\n\n{text}\n\n<!-- end -->\n"
    old = QUALITY.read_text(encoding="utf-8")
    rest = SECTION.sub(lambda found: "" if found["title"] == title else found[0], old)
    QUALITY.write_text(rest + section, encoding="utf-8")
    return section


def introduction(report: Report) -> str:
    dates = report.panel.dates
    later = int((dates > np.datetime64(report.until, "D")).sum())
    seeds = ", ".join(str(seed) for seed in report.seeds)
    return f"""# How good the bands of `daily` are

Written by `python -m benchmarks.quality`; don't edit it by hand.

{len(report.panel)} stocks, {dates[0]} to {dates[-1]}. Trained once on the prices up to {report.until}, never \
refitted, and judged on each of the {later} sessions since. Loss is the mean pinball loss over nine quantiles of the \
log return over the next 1 to {HORIZON} sessions; ratios are means over stocks, and below 1 is better. EWMA: half-life \
20, with each stock's own empirical quantiles at each step, fixed. GARCH: GARCH(1,1)-t of each stock, with empirical \
quantiles, fixed. HAR: log HAR on the variance of ranges and gaps over 1, 5, 22 and 66 sessions, and on falls, fitted \
to the panel or to each stock by itself, its bands fixed or following as those of `daily` do: the hardest of these \
four; where the network knows one stock alone, of the two that do so too. Mean over seeds {seeds}, with the least and \
the greatest in brackets. The settings were chosen on earlier \
prices alone, by the ablations below."""


def figures(report: Report) -> str:
    """What should be reached, and what was."""
    lines = ["| figure | measured | goal |", "|---|---|---|"]
    for row in ROWS:
        values = [row.figure(one) for one in report.measured[row.part]]
        mean, least, most = (f"{value:.{row.digits}f}" for value in (np.mean(values), min(values), max(values)))
        lines.append(f"| {row.label} | {mean} ({least}-{most}) | {row.goal} |")
    alone = len(report.measured["alone"][0].rmse)
    left_out = len(report.measured["left out"][0].rmse)
    note = (
        f"One stock alone: {alone} stocks, each trained by itself. Left out: trained on {len(report.panel) - left_out} "
        f"stocks, judged on the {left_out} others. Earlier: trained up to {report.folds[0]}, judged to {report.until}. "
        "Seconds are those of the training itself, without the imports."
    )
    return "\n".join([*lines, "", note])


def steps(report: Report) -> str:
    """The panel's figures step by step, means over the seeds."""
    head = [f"| step | {' | '.join(str(step) for step in range(1, HORIZON + 1))} |", "|---" * (HORIZON + 1) + "|"]
    lines = []
    for label, figure in STEPS.items():
        values = np.mean([figure(one) for one in report.measured["panel"]], axis=0)
        digits = 1 if label.endswith("%") else 4
        lines.append(f"| {label} | {' | '.join(f'{value:.{digits}f}' for value in values)} |")
    return "\n".join([*head, *lines])


def baselines(report: Report) -> str:
    """Each baseline with fixed bands and with bands that follow, on the panel and on the stocks of the other parts."""
    note = (
        "Losses as ratios to EWMA's with fixed bands, means over stocks: of each baseline with the bands that training "
        "gave it, and with bands that follow its misses at the rates of `daily`. Then `daily`'s loss beside that of "
        "the baseline that follows, means over the seeds."
    )
    parts = {
        "panel": f"{len(report.panel)} stocks",
        "alone": "Stocks that are trained alone",
        "alone before": f"The same, trained up to {report.folds[0]} and judged to {report.until}",
    }
    texts = [baseline_table(title, report.measured[part]) for part, title in parts.items()]
    return "\n\n".join(["## Baselines whose bands follow, and whose bands don't", note, *texts])


def baseline_table(title: str, seeds: Sequence[Outcome]) -> str:
    """A line a baseline."""
    head = "step 1, fixed | following | steps 2-5, fixed | following | `daily`, step 1 | steps 2-5 | stocks better, %"
    lines = [f"| {title} | {head} |", "|---" * 8 + "|"]
    for name, label in TITLES.items():
        cells = [beside_ewma(seeds[0], form, figure) for figure in (first, later) for form in (name, following(name))]
        cells += [float(np.mean([figure(one, following(name)) for one in seeds])) for figure in (first, later)]
        stocks = np.mean([better(one, following(name)) for one in seeds])
        lines.append(f"| {label} | {' | '.join(f'{cell:.4f}' for cell in cells)} | {stocks:.1f} |")
    return "\n".join(lines)


def beside_ewma(one: Outcome, baseline: str, figure: Callable[[Outcome, str], float]) -> float:
    """A baseline's own loss as a ratio to EWMA's with fixed bands: the model's is in both and cancels out."""
    ratios = one.loss["ewma"] / one.loss[baseline]
    return figure(replace(one, loss={baseline: ratios}), baseline)


def ablations(report: Report) -> str:
    """What each part of the preset is worth, on earlier days."""
    columns = ("step 1", "steps 2-5", "worst coverage", "near")
    titles = [f"{column}, from {end}" for end in report.folds for column in columns]
    note = (
        "Ratios to EWMA, the greatest miss of a band's coverage in points, and the percentage of stocks whose 80 % "
        "coverage is within 3 points at step 1: of seed 0, trained up to the day that is named and judged from there "
        f"to {report.until}. Differences within those of the three seeds say little; the first fold has a crash of a "
        "kind that its training has not seen."
    )
    lines = ["## Ablations", "", note, "", f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    for label, outcomes in report.ablations.items():
        cells = []
        for one in outcomes:
            ratios = f"{first(one, 'ewma'):.4f} | {later(one, 'ewma'):.4f}"
            cells.append(f"{ratios} | {one.off.max():.1f} | {one.close_by[0]:.0f}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def machine(report: Report) -> str:
    """Where and how all this was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    seeds = " ".join(str(seed) for seed in report.seeds)
    return f"""## Where

{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}, {versions}. \
Load average at the end {os.getloadavg()[2]:.1f} over 15 minutes.

    python -m benchmarks.quality --data DIR --until {report.until} --seeds {seeds}"""
