"""`backtest` before anything is trained: contestants that can't be told apart are refused."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _place(
    tmp_path: Path,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prices, and configurations of one name in two folders."""
    monkeypatch.chdir(tmp_path)
    write_csv(prices(rows=300), tmp_path / "acme.csv")
    for file in ("a/daily.toml", "b/daily.toml", "lstm.toml", "ewma.toml", "model.toml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("[data]\nlookback = 40\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("config", "against", "name"),
    [
        ("daily", "a/daily.toml", "daily"),
        ("daily", "daily", "daily"),
        ("a/daily.toml", "b/daily.toml", "daily"),
        ("daily", "a/daily.toml,b/daily.toml", "daily"),
        ("tutorial-google", "a/daily.toml,daily", "daily"),
        ("daily", "lstm,lstm.toml", "lstm"),
        ("daily", "ewma.toml", "ewma"),
        ("daily", "ewma,ewma.toml", "ewma"),
        ("ewma.toml", "ewma", "ewma"),
        ("daily", "model.toml", "model"),
    ],
)
def test_two_contestants_of_one_name_are_refused(config: str, against: str, name: str, capsys: Capture) -> None:
    assert run(["backtest", "--csv", "acme.csv", "--from", "2020-12-01", "--config", config, "--against", against]) == 2
    error, fix = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("Error: ", "Fix: "))]
    assert f"{name!r}" in error
    assert fix.startswith("Fix: ")


def test_the_fix_for_two_files_of_one_name_works_when_typed(capsys: Capture) -> None:
    command = ["backtest", "--csv", "acme.csv", "--from", "2020-12-01", "--against"]
    assert run([*command, "a/daily.toml"]) == 2
    fix = capsys.readouterr().err.splitlines()[-1]
    copy = fix[fix.index("cp ") :].split(", then")[0]
    source, target = (Path(one) for one in shlex.split(copy)[1:])
    target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    # An unknown contestant beside it is what is refused now: nothing is trained in this test.
    assert run([*command, f"{target},nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_naming_a_contestant_twice_is_naming_it_once(capsys: Capture) -> None:
    command = ["backtest", "--csv", "acme.csv", "--from", "2020-12-01", "--against"]
    assert run([*command, "naive,naive,a/daily.toml,nobody", "--config", "tutorial-google"]) == 2
    assert "nobody" in capsys.readouterr().err
