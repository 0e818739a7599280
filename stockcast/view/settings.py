"""The settings as text: TOML with comments, and the list of presets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from stockcast.config.sections import Section

_SIGNS = {Ge: ("ge", ">="), Gt: ("gt", ">"), Le: ("le", "<="), Lt: ("lt", "<")}
_LENGTHS = {MinLen: ("min_length", "at least"), MaxLen: ("max_length", "at most")}


def preset_list(about: Mapping[str, str]) -> str:
    """Each preset with what it says of itself."""
    width = max(len(name) for name in about)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in about.items())


def commented_toml(config: Section) -> str:
    """The settings as a TOML file, each with its meaning, bounds and, if it differs, default."""
    lines: list[str] = []
    for section, whole in type(config).model_fields.items():
        inner = getattr(config, section)
        lines += [f"[{section}]"]
        if not isinstance(inner, Section):  # a table whose keys are the user's own
            lines += [
                f"# {whole.description}",
                *(f"{json.dumps(key)} = {_toml(value)}" for key, value in inner.items()),
                "",
            ]
            continue
        for key, field in type(inner).model_fields.items():
            value = getattr(inner, key)
            parts = [field.description, *_bounds(field.annotation, field.metadata), *_default(field, value)]
            lines += [f"# {'; '.join(part for part in parts if part)}", _assignment(key, value), ""]
    return "\n".join(lines).rstrip()


def _assignment(key: str, value: Any) -> str:
    return f"# {key} is not set" if value is None else f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else str(value)


def _default(field: FieldInfo, value: Any) -> list[str]:
    return [] if value == field.default else [f"default {_toml(field.default)}"]


def _bounds(annotation: Any, marks: Sequence[Any]) -> Iterator[str]:
    """What a value may be: the words to choose from, its limits, and those of each part of a list."""
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Literal:
        yield f"one of {', '.join(inner)}"
    elif kind is Annotated:
        yield from _bounds(inner[0], [mark for field in inner[1:] for mark in field.metadata])
    elif kind is tuple and (parts := list(_bounds(inner[0], ()))):
        yield f"each {' and '.join(parts)}"
    yield from map(_bound, marks)


def _bound(mark: Any) -> str:
    for kind, (name, sign) in _SIGNS.items():
        if isinstance(mark, kind):
            return f"{sign} {getattr(mark, name)}"
    for length, (name, words) in _LENGTHS.items():
        if isinstance(mark, length):
            return f"{words} {getattr(mark, name)} of them"
    return ""
