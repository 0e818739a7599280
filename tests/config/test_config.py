"""Settings: presets, overrides, refusals."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.config.run import RunConfig, config_folder, default_settings, from_table, load_config, preset_names
from stockcast.data.series import PriceSeries
from stockcast.errors import ConfigError, NotFound
from stockcast.view.settings import commented_toml


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_its_printed_settings_are_the_same(name: str) -> None:
    config = load_config(name)
    assert from_table(tomllib.loads(commented_toml(config))) == config
    assert load_config(str(config_folder() / f"{name}.toml")).digest() == config.digest()


def test_the_digest_changes_with_every_setting_and_with_nothing_else() -> None:
    plain = load_config()
    assert load_config(settings=["data.lookback=60"]).digest() == plain.digest()
    assert load_config(settings=["data.lookback=61"]).digest() != plain.digest()


@pytest.mark.parametrize(
    ("setting", "said", "fix"),
    [
        ("data.lookbak=3", "Did you mean 'data.lookback'", "config show"),
        ("data.lookback", "not SECTION.KEY=VALUE", "--set data.lookback=40"),
        ("lookback=3", "not SECTION.KEY=VALUE", "--set"),
        ("modl.units=[3]", "no setting 'modl'", "config show"),
    ],
)
def test_a_setting_that_there_is_not_is_refused_with_the_nearest(setting: str, said: str, fix: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as refused:
        load_config("daily", [setting])
    assert fix in (refused.value.fix or "")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data.lookback=0", "data.lookback is 0: input should be greater than or equal to 1"),
        ("fit.seed=-1", "fit.seed is -1: input should be greater than or equal to 0"),
        ("model.units=[-3]", "model.units.0 is -3: input should be greater than or equal to 1"),
        ("model.units=[]", "model.units is []: tuple should have at least 1 item"),
        ("model.cell=lstn", "model.cell is 'lstn': input should be 'lstm', "),
        ("model.cell=transformer", "model.cell is 'transformer': input should be 'lstm', "),
        ("fit.loss=mse", "fit.loss 'mse' doesn't go with model.head 'scale'"),
        ("fit.warmup=60", "fit.warmup 60 must be below data.lookback 60"),
        ("data.range_low=1", "data.range_low 1.0 must lie below"),
        ("model.cell=mlp", "model.cell 'mlp' reads the window to its end: it needs fit.pos"),
        ("fit.momentum=0.9", "fit.momentum 0.9 needs fit.optimizer 'sgd'; it is 'adam'"),
        ("fit.clipvalue=0.5", "fit.clipvalue 0.5 doesn't go with fit.clipnorm 1"),
        ("model.bidirectional=true", "model.bidirectional reads the window to its end"),
        ("model.multistep=recursive", "model.multistep 'recursive' needs data.features ['close']"),
        ("data.padding=pre", "data.padding 'pre' needs fit.positions 'last'"),
        ("data.truncating=post", "data.truncating 'post' needs data.padding"),
        ("fit.tbptt=120", "fit.tbptt 120 must divide data.lookback 60, and so be at most as long"),
        ("fit.tbptt=7", "fit.tbptt 7 must divide data.lookback 60"),
        ("model.stateful=true", "model.stateful needs fit.stride 60"),
        ("data.target=level", "fit.realised 0.3 needs fit.loss 'pinball' and data.target 'return'"),
        ("data.thresholds=[0.3,-0.3]", "data.thresholds [0.3, -0.3] must rise"),
        ("data.thresholds=[0.3,0.3]", "data.thresholds [0.3, 0.3] must rise"),
        ("data.task=direction", "data.task 'direction' doesn't go with model.head 'scale'"),
    ],
)
def test_a_bad_setting_is_refused_with_its_key_and_bound_and_with_a_fix_that_mends_it(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as refused:
        load_config("daily", [setting])
    mended = load_config("daily", [setting, *(word for word in shlex.split(refused.value.fix or "") if "=" in word)])
    assert mended == from_table(tomllib.loads(commented_toml(mended)))


def test_an_unknown_preset_names_the_nearest_and_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'daily'"):
        load_config("dayly")
    with pytest.raises(NotFound, match=r"absent\.toml"):
        load_config(str(tmp_path / "absent.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("[data\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(str(broken))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("cell", ["recurrent cell", "one of lstm, "]),
        ("units", ["each >= 1 and <= 2048", "at least 1 of them", "at most 8 of them", "default [32, 32]"]),
        ("calendar_features", ["each one of weekday, month, ticker"]),
        ("lookback", ["sessions that the network looks back on", ">= 1", "<= 2000"]),
        ("horizon", ["default 5"]),
        ("dropout", [">= 0", "< 1", "default 0.1"]),
        ("optimizer", ["one of adam, rmsprop, sgd"]),
    ],
)
def test_the_printed_settings_say_what_a_value_may_be_and_what_it_is_else(key: str, said: list[str]) -> None:
    lines = commented_toml(load_config("tutorial-google")).splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith(f"{key} = "))
    told = lines[place - 1].removeprefix("# ").split("; ")
    assert [word for word in said if not any(word in part for part in told)] == []
    assert any(part.startswith("default ") for part in told) == (
        key not in ("cell", "calendar_features", "lookback", "optimizer")
    )


@pytest.mark.parametrize(
    ("command", "said", "fix"),
    [
        (["train", "--config", "stateful", "--set", "data.thresholds=[0.3,-0.3]"], "data.thresholds", "[-0.3, 0.3]"),
        (["train", "--set", "data.lookback=301"], "data.lookback 301 is longer than acme, which has 300", "=145"),
        (["backtest", "--from", "2020-06-01", "--set", "data.lookback=301"], "data.lookback 301 is longer", "=49"),
        (["train", "--set", "model.units=[32,-1]"], "model.units.1 is -1", "--set model.units=[16,16]"),
        (["train", "--set", "model.cell=grru"], "model.cell is 'grru'", "--set model.cell=gru"),
        (["train", "--config", "stateful", "--set", "fit.tbptt=61"], "fit.tbptt 61", "--set fit.tbptt=60"),
    ],
)
def test_on_the_command_line_a_bad_setting_exits_with_2_before_anything_is_trained(
    command: list[str],
    said: str,
    fix: str,
    tmp_path: Path,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    csv = write_csv(prices(rows=300), tmp_path / "acme.csv")
    store = tmp_path / "models"
    assert run([*command, "--csv", str(csv), "--store", str(store), "--quiet"]) == 2
    error, mend = capsys.readouterr().err.splitlines()
    assert error.startswith("Error: ")
    assert said in error
    assert mend.startswith("Fix: ")
    assert fix in mend
    assert not list(store.glob("*/versions/*"))


def test_every_setting_says_what_it_means() -> None:
    assert len(default_settings()) > 20
    for section in RunConfig.model_fields.values():
        fields = section.annotation.model_fields  # type: ignore[union-attr]  # every section is a model
        assert all(field.description for field in fields.values())
