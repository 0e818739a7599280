"""Every setting to its bounds: what comes of it is a model, or a refusal whose fix, when it is followed, ends in one.

The settings are drawn from the bounds that `config/sections` states, so that a new one is tried as soon as it is there.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from stockcast.cli import run
from stockcast.config.run import RunConfig, default_settings, load_config
from stockcast.data.features import DAILY
from stockcast.data.series import COLUMNS, PriceSeries
from stockcast.errors import ConfigError

Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]

ROWS = (12, 30, 80, 130, 200)
"""How many sessions there are: from too few for anything to enough for most."""

COSTLY = {"model.units": 8, "model.hidden": 8, "fit.epochs": 1}
"""The largest value that is tried of what takes long without being another case."""

WORDS = {
    "data.price": ("close", "open", "volume", "nonsense"),
    "data.calendar": ("auto", "24/7", "weekdays", "weekly", "monthly", "XNYS", "nonsense"),
    "data.features": (*DAILY, *COLUMNS, "nonsense"),
    "split.until": ("2019-12-31", "2020-01-10", "2020-03-20", "2020-06-01", "2031-01-01", "nonsense"),
}
"""What settings are tried with whose bounds don't say what they may be."""

LARGE = {int: (10**4, 10**18, 10**20), float: (1e3, 1e38, 1e39, 1e308)}
"""What a number without an upper bound is tried with."""

HOPS = 8
"""So many refusals in a row are followed."""


def fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting, each named `section.key`."""
    for section, outer in RunConfig.model_fields.items():
        for key, field in outer.annotation.model_fields.items():  # type: ignore[union-attr]  # a Section, each of them
            yield f"{section}.{key}", field


def values(name: str, kind: Any, marks: list[Any]) -> st.SearchStrategy[Any]:
    """A strategy for a setting of this type and these bounds: mostly its bounds and what is next to them."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return values(name, inner[0], [*marks, *(one for field in inner[1:] for one in field.metadata)])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is UnionType:
        return st.none() | values(name, next(one for one in inner if one is not NoneType), marks)
    if origin is tuple:
        least = next((one.min_length for one in marks if isinstance(one, MinLen)), 0)
        most = next((one.max_length for one in marks if isinstance(one, MaxLen)), 3)
        return st.lists(values(name, inner[0], []), min_size=least, max_size=min(most, 3))
    if kind is bool:
        return st.booleans()
    if name in WORDS:
        return st.sampled_from(WORDS[name])
    return st.sampled_from(numbers(name, kind, marks))


def numbers(name: str, kind: type, marks: list[Any]) -> list[Any]:
    """Numbers at and about the bounds."""
    near = 1 if kind is int else 1e-9
    low, above, high, below = (_bound(marks, *which) for which in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")))
    default = default_settings()[name]
    found: list[Any] = [default]
    if isinstance(default, list):
        found = [-0.3, 0.3] if kind is float else [8]
    found += [] if low is None else [low, low + near, low + 2]
    found += [] if above is None else [above + 1e-30, above + near]
    found += [high] if high is not None else [below - near] if below is not None else LARGE[kind]
    if low is None and above is None:
        found += [-one for one in found]
    inside = (one for one in found if (high is None or one <= high) and (below is None or one < below))
    return sorted({kind(min(one, COSTLY.get(name, one))) for one in inside})


def _bound(marks: list[Any], kind: type, key: str) -> Any:
    return next((getattr(one, key) for one in marks if isinstance(one, kind)), None)


def changes() -> st.SearchStrategy[dict[str, Any]]:
    """A few settings, each within its bounds."""
    each = {name: values(name, field.annotation, list(field.metadata)) for name, field in fields()}
    few = st.lists(st.sampled_from(sorted(each)), min_size=1, max_size=4, unique=True)
    return few.flatmap(lambda names: st.fixed_dictionaries({name: each[name] for name in names}))


def flag(key: str, value: Any) -> str:
    """`--set`'s argument for a value; none that is not set can be written."""
    return f"{key}={value if isinstance(value, str) else json.dumps(value)}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, prices: Prices, write_csv: WriteCsv) -> Path:
    """A folder with a file of each length."""
    folder = tmp_path_factory.mktemp("bounds")
    for rows in ROWS:
        write_csv(prices(rows=rows), folder / f"{rows}.csv")
    return folder


def told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run([*arguments, "--json", "--quiet"])
    return code, json.loads(capsys.readouterr().out)


def outcome(capsys: pytest.CaptureFixture[str], place: Path, rows: int, changed: dict[str, str]) -> list[str]:
    """What was said on the way to a model, or to a refusal that asks for other prices."""
    store = ["--store", str(place / "models")]
    base = ["train", "--csv", str(place / f"{rows}.csv"), *store]
    said: list[str] = []
    while len(said) <= HOPS:
        code, answer = told(capsys, [*base, *(part for one in changed.items() for part in ("--set", "=".join(one)))])
        if code == 0:
            code, answer = told(capsys, ["predict", str(rows), *store])
            assert code == 0, answer
            return said
        error = answer["error"]
        assert code in (2, 65), error
        assert error["fix"], error
        assert error["message"] not in " ".join(said), f"the fix {error['fix']!r} leads back to: {error['message']}"
        said.append(f"{error['message']} {error['fix']}")
        mended = followed(error["fix"])
        if not mended:
            assert "longer history" in error["fix"] or "give" in error["fix"], error
            return said
        changed = changed | mended
    raise AssertionError(f"no end: {said}")


def followed(fix: str) -> dict[str, str]:
    """The settings that a fix names: of two ways that it offers with flags, the first."""
    words = shlex.split(fix.partition(" or --set")[0] if fix.startswith("--set") else fix)
    keys = {"--set": "", "--until": "split.until="}
    pairs = [keys[word] + after.rstrip(",;") for word, after in pairwise(words) if word in keys]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_no_setting_takes_what_is_no_number(value: str) -> None:
    floats = [name for name, field in fields() if "float" in str(field.annotation)]
    assert len(floats) > 15
    for name in floats:
        text = f"[{value}]" if isinstance(default_settings()[name], list) else value
        with pytest.raises(ConfigError, match=name) as refused:
            load_config("daily", [f"{name}={text}"])
        assert refused.value.fix, name


@pytest.mark.tensorflow
@settings(
    max_examples=25,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rows=st.sampled_from(ROWS), changed=changes())
def test_every_bound_ends_in_a_model_or_in_a_fix_that_works(
    rows: int, changed: dict[str, Any], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"model.units": "[4]", "fit.epochs": "1"}
    given_ = {key: flag(key, value).split("=", 1)[1] for key, value in changed.items() if value is not None}
    outcome(capsys, place, rows, small | given_)
