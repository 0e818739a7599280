"""Every command that takes a model's name takes it whatever its capitals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.store.store import Store

GOLDEN = Path(__file__).parent / "golden" / "schema-1"

COMMANDS = (
    *(["predict", "ACME", "--csv", "acme.csv"], ["plot", "ACME", "--csv", "acme.csv", "-o", "acme.png"]),
    *(["export", "ACME", "-o", "acme.onnx"], ["retrain", "ACME", "--csv", "acme.csv"]),
    *(["models", "show", "ACME"], ["models", "verify", "ACME"], ["models", "prune", "ACME"], ["schedule", "ACME"]),
    ["models", "remove", "ACME"],
)


def test_a_name_is_taken_whatever_its_capitals(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, "models")
    write_csv(prices(rows=220), Path("acme.csv"))
    for command in COMMANDS:
        assert run([*command, "--json"]) == 0, command
        assert "ACME" not in json.loads(capsys.readouterr().out).get("name", "")
    assert Store(Path("models")).names() == ("level", "pair")
