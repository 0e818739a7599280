"""`judge` through the command line: the scores of a backtest from its own rows, and whatever others may bring."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.config.run import load_config
from stockcast.data.forecast import EvaluatedForecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.assessment import assess
from stockcast.evaluate.rows import rows_text
from stockcast.evaluate.steps import naive_errors
from stockcast.model.baselines import build

FIRST, HORIZON = 200, 3  # the first cutoff's row, and the steps
DAILY = load_config().fit
RATES = (DAILY.follow, DAILY.follow_own)

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]
Row = dict[str, Any]


@pytest.fixture
def acme(prices: Prices, write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PriceSeries:
    """The prices in acme.csv, in the folder where the test runs."""
    monkeypatch.chdir(tmp_path)
    write_csv(prices(rows=400), tmp_path / "acme.csv")
    return prices(rows=400)


def contestants(panel: Panel, names: Sequence[str] = ("drift", "naive", "ewma")) -> list[EvaluatedForecast]:
    """Baselines as a backtest makes them: trained up to the session before the first cutoff."""
    train = panel.upto(panel.series[0].dates[FIRST - 1])
    origins = [np.arange(FIRST, len(one) - 1) for one in panel.series]
    every = [build(name, train, "close", HORIZON, *RATES) for name in names]
    return [evaluate(one.name, panel, one.forecast(panel, origins), "close") for one in every]


def rows_of(evaluated: Sequence[EvaluatedForecast]) -> list[Row]:
    return list(csv.DictReader(io.StringIO(rows_text(evaluated))))


def write(rows: Sequence[Row], path: str = "rows.csv", without: Sequence[str] = ()) -> None:
    columns = [column for column in rows[0] if column not in without]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def mine(rows: Sequence[Row], name: str = "mine") -> list[Row]:
    """The rows of drift, under another name."""
    return [row | {"model": name} for row in rows if row["model"] == "drift"]


def asked(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["judge", "rows.csv", *arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def told(capsys: Capture, *arguments: str, code: int) -> tuple[str, str]:
    """The error and the fix of a command that fails."""
    capsys.readouterr()
    assert run(["judge", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    error, fix = err.splitlines()[-2:]
    return error.removeprefix("Error: "), fix.removeprefix("Fix: ")


def alike(one: object, other: object, rel: float = 1e-8) -> bool:
    """Whether two JSON values are the same but for the digits that a row file leaves out."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key], rel) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(*pair, rel) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=rel, abs=rel / 10)
    return one == other


@pytest.mark.parametrize("count", [1, 2])
def test_a_backtests_rows_are_judged_as_the_backtest_judged_them(
    acme: PriceSeries, prices: Prices, write_csv: WriteCsv, capsys: Capture, count: int
) -> None:
    panel = Panel((acme, prices(rows=380, seed=1, name="beta"))[:count])
    every = contestants(panel)
    Path("rows.csv").write_text(rows_text(every), encoding="utf-8")
    training = naive_errors(panel.upto(acme.dates[FIRST - 1]), "close", HORIZON)
    expected = assess(every[0], {one.model: one for one in every[1:]}, training).as_dict()

    # With prices everything is made again, from what was known before the first cutoff.
    Path("panel").mkdir()
    for one in panel.series:
        write_csv(one, Path("panel") / f"{one.name}.csv")
    write(mine(rows_of(every)))
    made = asked(capsys, "--csv", "panel", "--against", "ewma")
    expected["verdict"]["model"] = "mine"
    for key in ("cutoffs", "models", "verdict", "directions", "risk"):
        rel = 1e-5 if key == "risk" else 1e-8  # a loss is a small difference of prices
        assert alike(made[key], json.loads(json.dumps(expected[key])), rel), key
    assert made["training"]["last"] == str(acme.dates[FIRST - 1])

    # Without, the file's own naive and ewma are the opponents; MASE and RMSSE need a training part.
    Path("rows.csv").write_text(rows_text(every).replace("\ndrift,", "\nmine,"), encoding="utf-8")
    own = asked(capsys)
    for steps in expected["models"].values():
        for step in steps:
            step |= {"mase": None, "rmsse": None}
    for key in ("cutoffs", "models", "verdict", "directions", "risk"):
        rel = 1e-5 if key == "risk" else 1e-8
        assert alike(own[key], json.loads(json.dumps(expected[key])), rel), key
    assert (own["model"], own["others"], own["training"]) == ("mine", [], None)
    assert set(own["series"]) == (set() if count == 1 else {"acme", "beta"})


def test_prices_fill_last_and_actual(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of(contestants(Panel((acme,)))))
    write(rows)
    whole = asked(capsys, "--csv", "acme.csv")
    write(rows, without=["last", "actual"])
    assert asked(capsys, "--csv", "acme.csv") == whole
    write([row | {"series": "ACME", "last": f"{float(row['last']):.1f}", "actual": ""} for row in rows])
    rounded = asked(capsys, "--csv", "acme.csv")
    assert (rounded["models"], rounded["compared"]) == (whole["models"], whole["compared"])
    error, fix = told(capsys, "rows.csv", code=65)
    assert "has no actual price" in error
    assert "--csv PRICES" in fix


def test_rows_after_the_end_of_the_prices_wait(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of(contestants(Panel((acme,)))))
    late = [{**rows[-1], "date": f"2030-01-0{step}", "step": str(step), "actual": ""} for step in (2, 3)]
    write([*rows, *late, {**rows[-1], "cutoff": "2030-01-04", "date": "2030-01-07", "last": "1", "actual": ""}])
    answer = asked(capsys, "--csv", "acme.csv")
    assert answer["compared"] == len(rows)
    assert "Left out: 3 rows dated after the prices end, which can't be judged yet." in answer["notes"]


def test_where_no_price_has_come_there_is_nothing_to_judge(acme: PriceSeries, capsys: Capture) -> None:
    row = mine(rows_of(contestants(Panel((acme,)))))[-1]
    write([{**row, "cutoff": str(acme.dates[-1]), "date": "2030-01-07", "last": "", "actual": ""}])
    error, fix = told(capsys, "rows.csv", "--csv", "acme.csv", code=65)
    assert f"has no row whose price has come: the prices end on {acme.dates[-1]}" in error
    assert "newer prices" in fix


def test_points_alone_are_judged_on_level_and_direction(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of(contestants(Panel((acme,)))))
    write(rows, without=[column for column in rows[0] if column.startswith("q")])
    for arguments in ([], ["--csv", "acme.csv"]):
        answer = asked(capsys, *arguments)
        assert answer["verdict"]["bands"] is answer["verdict"]["sharpness"] is None
        assert answer["verdict"]["level"]["word"] == "too few days"
        assert answer["verdict"]["sentences"][1] == "There are no bands to judge."
        assert "There are no quantiles of mine: only points are judged, no bands and no sharpness." in answer["notes"]
        assert run(["judge", "rows.csv", *arguments]) == 0
    assert "There are no quantiles" in capsys.readouterr().out


def test_other_levels_are_judged_by_the_bands_that_they_make(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of(contestants(Panel((acme,)))))
    gone = ("q0.01", "q0.025", "q0.05", "q0.95", "q0.975", "q0.99")
    few = [{key: value for key, value in row.items() if key not in gone} for row in rows]
    write([row | {"q0.3": row["q0.25"], "q0.7": row["q0.75"]} for row in few], without=["q0.25", "q0.75"])
    answer = asked(capsys, "--csv", "acme.csv")
    assert [band["level"] for band in answer["models"]["model"][0]["bands"]] == [0.8]
    assert [band["level"] for band in answer["models"]["naive"][0]["bands"]] == [0.5, 0.8, 0.9, 0.95, 0.98]
    assert answer["verdict"]["bands"]["band"] == 0.8
    assert "The bands of mine that can be judged: 80 %." in answer["notes"]
    assert answer["notes"][1] == "There is no q0.01 of mine: no value at risk is judged."
    assert answer["risk"] is None
    assert answer["notes"][2].endswith("that all contestants have, q0.1, q0.5, q0.9; left out of mine: q0.3, q0.7.")
    alone = asked(capsys)
    assert alone["models"]["model"][0]["pinball"] != answer["models"]["model"][0]["pinball"]
    assert alone["verdict"]["sharpness"] is None
    assert "add --csv PRICES" in alone["notes"][-1]


def test_weekly_steps_are_compared_with_as_many_sessions(acme: PriceSeries, capsys: Capture) -> None:
    """One row a week, one and two weeks ahead: the last price and its MASE are those of five and ten sessions."""
    close, dates = acme.columns["close"], acme.dates
    rows = [
        {"model": "weekly", "series": "acme", "cutoff": dates[at], "date": dates[at + 5 * step], "step": step}
        | {"forecast": 1.01 * close[at], "q0.1": 0.95 * close[at], "q0.9": 1.06 * close[at]}
        for at in range(FIRST, 385, 5)
        for step in (1, 2)
    ]
    write(rows)
    first, second = asked(capsys, "--csv", "acme.csv")["models"]["naive"]
    at = np.arange(FIRST, 385, 5)
    known = close[:FIRST]
    for steps, found in ((5, first), (10, second)):
        move = close[at + steps] - close[at]
        assert found["rmse"] == pytest.approx(np.sqrt(np.mean(move**2)))
        assert found["mase"] == pytest.approx(np.abs(move).mean() / np.abs(known[steps:] - known[:-steps]).mean())
    made = build("naive", Panel((acme,)).upto(dates[FIRST - 1]), "close", 10, *RATES).forecast(Panel((acme,)), [at])
    low, high = (made.quantiles[:, 4, made.levels.index(level)] for level in (0.1, 0.9))
    held = float(np.mean((low <= close[at + 5]) & (close[at + 5] <= high)))
    assert first["bands"][1]["coverage"] == pytest.approx(held)


def test_only_the_first_and_the_fifth_step(acme: PriceSeries, capsys: Capture) -> None:
    rows = [row | {"step": "5" if row["step"] == "2" else row["step"]} for row in rows_of(contestants(Panel((acme,))))]
    write(mine([row for row in rows if row["step"] != "3"]))
    for arguments in ([], ["--csv", "acme.csv"]):
        answer = asked(capsys, *arguments)
        assert [one["step"] for one in answer["models"]["model"]] == [1, 5]
        assert [one["step"] for one in answer["models"]["naive"]] == [1, 5]


def test_several_models_are_compared_on_the_rows_that_all_have(acme: PriceSeries, capsys: Capture) -> None:
    rows = rows_of(contestants(Panel((acme,))))
    one, two = mine(rows, "one"), mine(rows, "two")
    write([*one[4:], *two[:-2]])
    answer = asked(capsys, "--csv", "acme.csv")
    assert answer["compared"] == len(one) - 6
    assert (
        f"Compared on the {len(one) - 6} rows that all 2 models have; left out: 2 of one, 4 of two." in answer["notes"]
    )
    assert (answer["model"], [other["model"] for other in answer["others"]]) == ("one", ["two"])
    assert answer["models"]["two"] == answer["models"]["model"] == answer["others"][0]["models"]["one"]
    assert run(["judge", "rows.csv", "--csv", "acme.csv", "--against", "two"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Judged one on ")
    assert "\n1     two " in shown
    write([*one[:30], *two[60:]])
    error, fix = told(capsys, "rows.csv", code=65)
    assert "its models one, two have no row (series, cutoff and step) in common" in error
    assert "in a file of its own" in fix


def test_a_model_called_as_a_baseline_is_told_apart_from_the_one_that_is_made(
    acme: PriceSeries, capsys: Capture
) -> None:
    rows = rows_of(contestants(Panel((acme,))))
    write([*mine(rows), *(row for row in rows if row["model"] == "ewma"), *mine(rows, "model")])
    answer = asked(capsys, "--csv", "acme.csv", "--against", "ewma")
    assert answer["model"] == "mine"
    assert {"model", "naive", "ewma", "ewma (file)", "model (file)"} == set(answer["models"])
    assert [other["model"] for other in answer["others"]] == ["ewma (file)", "model (file)"]
    assert any(note.startswith("To tell them apart") for note in answer["notes"])
    by_itself = asked(capsys, "--against", "model")
    assert [other["model"] for other in by_itself["others"]] == ["ewma"]


def test_a_naive_that_is_not_the_last_price_is_refused(acme: PriceSeries, capsys: Capture) -> None:
    rows = rows_of(contestants(Panel((acme,))))
    naive = [row for row in rows if row["model"] == "naive"]
    write([*mine(rows), *naive[:7], *({**row, "forecast": "101"} for row in naive[7:])])
    error, fix = told(capsys, "rows.csv", code=65)
    assert f"line {len(naive) + 9}: naive forecasts 101, not the last price" in error
    assert "another name" in fix


@pytest.mark.parametrize(
    ("arguments", "code", "message", "fix"),
    [
        (["rows.csv", "--against", "ewma"], 2, "ewma is made from prices, and there are none", "add --csv PRICES"),
        (["rows.csv", "--against", "mien"], 2, "nothing called 'mien' to judge against. Did you mean 'mine'?", "mine"),
        (["none.csv"], 66, "there is no file none.csv", "path"),
        (["."], 65, ". is a folder", "regular file"),
        (["rows.csv", "--csv", "none.csv"], 66, "none.csv", "--csv"),
        (["rows.csv", "--csv", "acme.csv", "--price", "vwap"], 65, "acme has no column 'vwap'", "--price close"),
        (["rows.csv", "--csv", "acme.csv", "--price", "open"], 65, "but the open of acme on", "add --price close"),
        (["acme.csv"], 65, "acme.csv is not a row file of forecasts", "the first line names"),
        (["utf16.csv"], 65, "utf16.csv, line 1: the byte 0xff is not UTF-8 text", "save the file as UTF-8"),
        (["latin.csv"], 65, "latin.csv, line 2: the byte 0xe9 is not UTF-8 text", "save the file as UTF-8"),
    ],
)
def test_what_can_not_be_judged_is_refused(
    acme: PriceSeries, capsys: Capture, arguments: list[str], code: int, message: str, fix: str
) -> None:
    write(mine(rows_of(contestants(Panel((acme,))))))
    text = Path("rows.csv").read_text(encoding="utf-8")
    Path("utf16.csv").write_text(text, encoding="utf-16")
    Path("latin.csv").write_text(text.replace("mine", "min\u00e9"), encoding="latin-1")
    error, how = told(capsys, *arguments, code=code)
    assert message in error
    assert fix in how


WRONG: dict[str, tuple[Row, str, str]] = {
    "an actual that is no price": ({"actual": "123.45"}, "actual is 123.45, but the close of acme on", "prices"),
    "a last that is not the cutoff's": ({"last": "123.45"}, "last is 123.45, but the close of acme on", "prices"),
    "a cutoff on a Sunday": ({"cutoff": "2020-10-04", "date": "2020-10-05"}, "is no session of acme", "cutoff is the"),
    "a date on a Sunday": ({"date": "2020-10-25"}, "the date 2020-10-25 is no session of acme, whose", "sessions"),
    "another company": ({"series": "ajax"}, "the prices have no series 'ajax'; they have acme", "call the series"),
}


@pytest.mark.parametrize(("changes", "message", "fix"), list(WRONG.values()), ids=list(WRONG))
def test_rows_that_the_prices_contradict_are_named(
    acme: PriceSeries, capsys: Capture, changes: Row, message: str, fix: str
) -> None:
    rows = [row for row in mine(rows_of(contestants(Panel((acme,))))) if row["step"] == "1"]
    blank = {} if {"last", "actual"} & set(changes) else {"last": "", "actual": ""}
    rows[10] |= blank | changes
    write(rows)
    error, how = told(capsys, "rows.csv", "--csv", "acme.csv", code=65)
    assert error.startswith("rows.csv, line 12: ")
    assert message in error
    assert fix in how


def test_the_column_that_was_forecast_is_found_and_the_fix_works_when_typed(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of([evaluate("drift", Panel((acme,)), contestants(Panel((acme,)))[0].forecast, "open")]))
    opens = dict(zip(acme.dates.astype(str), acme.columns["open"], strict=True))
    write([row | {"last": opens[row["cutoff"]]} for row in rows])
    fix = told(capsys, "rows.csv", "--csv", "acme.csv", code=65)[1]
    added = shlex.split(fix.removeprefix("add ").split(":")[0])
    assert asked(capsys, "--csv", "acme.csv", *added)["compared"] == len(rows)


def test_too_little_before_the_first_cutoff_is_said_with_the_date(acme: PriceSeries, capsys: Capture) -> None:
    close, dates = acme.columns["close"], acme.dates
    for first, said in ((0, "the prices begin on the first cutoff"), (10, "has 10 sessions; the baseline naive needs")):
        rows = [
            {
                "model": "m",
                "series": "acme",
                "cutoff": dates[at],
                "date": dates[at + 1],
                "step": 1,
                "forecast": close[at],
            }
            for at in range(first, 200)
        ]
        write(rows)
        error, fix = told(capsys, "rows.csv", "--csv", "acme.csv", code=65)
        assert said in error
        assert "give prices that begin earlier" in fix


def test_prices_that_can_not_be_read_are_told_and_the_code_is_1(acme: PriceSeries, capsys: Capture) -> None:
    write(mine(rows_of(contestants(Panel((acme,))))))
    Path("broken.csv").write_text("Dear diary,\nnothing happened.\n", encoding="utf-8")
    answer = asked(capsys, "--csv", "acme.csv", "--csv", "broken.csv", code=1)
    assert [failure.split(":")[0] for failure in answer["failures"]] == ["broken.csv"]


def test_a_few_rows_are_judged_without_a_word_too_many(acme: PriceSeries, capsys: Capture) -> None:
    rows = mine(rows_of(contestants(Panel((acme,)))))
    still = [row | {"actual": row["last"]} for row in rows if row["step"] == "1"][:1]
    for few in (rows[:1], rows[:4], still):
        write(few)
        verdict = asked(capsys)["verdict"]
        assert verdict["level"]["word"] == verdict["direction"]["word"] == "too few days"
        assert run(["judge", "rows.csv"]) == 0


@pytest.mark.parametrize("kind", ["backtest", "calibration"])
@pytest.mark.parametrize("levels", [["q0.1", "q0.9"], ["q0.16", "q0.84"], ["q0.5"], []])
def test_pictures_are_drawn_of_what_there_is_or_refused(
    acme: PriceSeries, capsys: Capture, kind: str, levels: list[str]
) -> None:
    rows = [
        {key: value for key, value in row.items() if not key.startswith("q")}
        | {level: row["q0.1" if float(level[1:]) < 0.5 else "q0.9"] for level in levels}
        for row in mine(rows_of(contestants(Panel((acme,)))))
        if row["step"] != "1"
    ]
    write(rows, without=["last", "actual"])
    command = ["plot", "--rows", "rows.csv", "--kind", kind, "-o", "p.svg", "--quiet"]
    assert run(command) == 65
    assert "--csv PRICES" in capsys.readouterr().err
    refused = kind == "calibration" and len(levels) < 2
    assert run([*command, "--csv", "acme.csv"]) == (65 if refused else 0)
    if refused:
        assert "--kind backtest" in capsys.readouterr().err
    else:
        assert Path("p.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_picture_is_of_the_model_that_is_named(acme: PriceSeries, capsys: Capture) -> None:
    write([*mine(rows_of(contestants(Panel((acme,)))), "one"), *mine(rows_of(contestants(Panel((acme,)))), "two")])
    command = ["--rows", "rows.csv", "--kind", "backtest", "-o", "p.svg", "--quiet"]
    drawn = []
    for name in ([], ["one"], ["two"]):
        assert run(["plot", *name, *command]) == 0
        drawn.append(Path("p.svg").read_bytes())
    assert drawn[0] == drawn[1] != drawn[2]
    assert run(["plot", "three", *command]) == 66
    assert "name one of one, two" in capsys.readouterr().err


def test_names_from_a_file_can_not_steer_a_terminal(acme: PriceSeries, capsys: Capture) -> None:
    write(mine(rows_of(contestants(Panel((acme,)))), "\x1b[2Jmine"))
    assert run(["judge", "rows.csv"]) == 0
    assert "\x1b" not in capsys.readouterr().out
