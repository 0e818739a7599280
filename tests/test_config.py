"""Settings: presets, overrides, refusals."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from stockcast.config import RunConfig, all_keys, config_folder, from_table, load_config, preset_names
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
        ("data.lookback=0", "data.lookback is 0: input should be greater than or equal to 1", "config show"),
        ("data.lookback", "not SECTION.KEY=VALUE", "--set data.lookback=40"),
        ("lookback=3", "not SECTION.KEY=VALUE", "--set"),
        ("modl.units=[3]", "no setting 'modl'", "config show"),
        ("fit.loss=mse", "'mse' doesn't go with model.head 'scale'", "config show"),
        ("fit.warmup=60", "fit.warmup 60 must be below data.lookback 60", "config show"),
        ("data.range_low=1", "data.range_low 1.0 must lie below", "config show"),
        ("model.cell=lstn", "model.cell is 'lstn': input should be 'lstm', 'gru'", "config show"),
        ("model.cell=mlp", "model.cell 'mlp' reads the window to its end: it needs fit.pos", "config show"),
        ("fit.momentum=0.9", "fit.momentum 0.9 needs fit.optimizer 'sgd'; it is 'adam'", "config show"),
        ("fit.clipvalue=0.5", "fit.clipvalue 0.5 doesn't go with fit.clipnorm 1", "config show"),
        ("model.bidirectional=true", "model.bidirectional reads the window to its end", "config show"),
        ("model.multistep=recursive", "model.multistep 'recursive' needs data.features ['close']", "config show"),
        ("data.padding=pre", "data.padding 'pre' needs fit.positions 'last'", "config show"),
        ("data.truncating=post", "data.truncating 'post' needs data.padding", "config show"),
        ("fit.tbptt=120", "fit.tbptt 120 must divide data.lookback 60", "config show"),
        ("fit.tbptt=7", "fit.tbptt 7 must divide data.lookback 60", "config show"),
        ("model.stateful=true", "model.stateful needs fit.stride 60", "config show"),
        ("data.thresholds=[0.3,-0.3]", "data.thresholds [0.3, -0.3] must rise", "config show"),
        ("data.task=direction", "data.task 'direction' doesn't go with model.head 'scale'", "config show"),
        ("model.units=[-3]", "model.units.0 is -3", "config show"),
    ],
)
def test_a_bad_setting_is_refused_with_the_key_and_the_fix(setting: str, said: str, fix: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as refused:
        load_config("daily", [setting])
    assert fix in (refused.value.fix or "")


def test_an_unknown_preset_names_the_nearest_and_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'daily'"):
        load_config("dayly")
    with pytest.raises(NotFound, match=r"absent\.toml"):
        load_config(str(tmp_path / "absent.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("[data\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(str(broken))


def test_every_setting_says_what_it_means() -> None:
    assert len(all_keys()) > 20
    for section in RunConfig.model_fields.values():
        fields = section.annotation.model_fields  # type: ignore[union-attr]  # every section is a model
        assert all(field.description for field in fields.values())
