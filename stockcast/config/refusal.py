"""Why settings are refused: pydantic's report as one sentence that names the key and the bound, and as a fix."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from stockcast.errors import ConfigError

SEE = "see: stockcast config show"


class Disagreement(NamedTuple):
    """Settings that can't go together: the keys, what they are and what is needed; then the flags that mend it."""

    what: str
    fix: str


def demand_agreement(disagreements: Iterable[Disagreement]) -> None:
    """Raise the first of them, if there is one, as pydantic wants it of a validator."""
    for one in disagreements:
        raise PydanticCustomError("disagreement", "{what}", one._asdict())


def explained(error: ValidationError, usual: Mapping[str, Any], what_it_is: str = "the default") -> ConfigError:
    """The first thing that is wrong; the `usual` values of every setting are each named `section.key`."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ConfigError(f"there is no setting {key!r}.{nearest(key, usual)}", SEE)
    if first["type"] == "disagreement":
        return ConfigError(f"{first['msg']}.", first["ctx"]["fix"])
    what = f"{first['msg'][0].lower()}{first['msg'][1:]}"
    return ConfigError(f"{key} is {first['input']!r}: {what}.", _fix(first, usual, what_it_is))


def _fix(error: ErrorDetails, usual: Mapping[str, Any], what_it_is: str) -> str:
    """The setting's usual value; in place of a misspelt word, the word."""
    key = ".".join(str(part) for part in error["loc"][:2])
    if key not in usual:
        return SEE
    if error["type"] == "literal_error" and (meant := _like(str(error["input"]), _quoted(error["ctx"]["expected"]))):
        return f"--set {key}={meant}"
    default = usual[key]
    text = default if isinstance(default, str) else json.dumps(default, separators=(",", ":"))
    return f"--set {key}={text} is {what_it_is}; what else there is: stockcast config show"


def _quoted(words: str) -> list[str]:
    return re.findall(r"'([^']*)'", words)


def nearest(word: str, words: Iterable[str]) -> str:
    """A question that names the one of `words` most like `word`, or nothing."""
    like = _like(word, words)
    return f" Did you mean {like!r}?" if like else ""


def _like(word: str, words: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)), None)
