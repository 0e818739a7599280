"""What models, versions and unfinished trainings are called on disk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_to_bytes

from stockcast.errors import UsageError

LONGEST = 200

PROGRESS = "progress.npz"
"""The file of an unfinished training."""

_STAMP = "%Y%m%dT%H%M%SZ"
_VERSION = re.compile(r"[0-8]\d{7}T\d{6}Z-[0-9a-f]{8}")
_NOT_PLAIN = re.compile(rb"[^a-z0-9._-]")
_AWKWARD_START = re.compile(rb"[.-]")
_AWKWARD_END = re.compile(rb"\.")
# A device on some systems, alone or before a dot; and the files that stand beside the models.
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com\d|lpt\d|lock)(\..*)?|(nightly|retrain)\.(lock|log)|ledger\.(lock|sqlite.*)|stockcast\.toml"
)


def folder_name(name: str) -> str:
    """The folder of model `name`: the name itself where it is plain, else with `%xx` for every other byte.

    Two names never share a folder, not even where the file system ignores case: capitals are written `%xx` too.
    Raises `UsageError` for a name that is empty, can't be printed, or takes more than 200 characters when written so.
    """
    if not name or not name.isprintable():
        raise UsageError(
            f"a model can't be called {name[:20]!r}.", "choose a name of printable characters with --name."
        )
    raw = name.encode()
    folder = b"".join(_written(raw, at) for at in range(len(raw))).decode()
    if _RESERVED.fullmatch(folder):
        folder = f"%{raw[0]:02x}{folder[1:]}"
    if len(folder) > LONGEST:
        raise UsageError(
            f"the model's name {name[:20]!r}... takes {len(folder)} characters on disk; {LONGEST} are allowed.",
            "choose a shorter one with --name.",
        )
    return folder


def _written(raw: bytes, at: int) -> bytes:
    byte = raw[at : at + 1]
    awkward = (at == 0 and _AWKWARD_START.match(byte)) or (at == len(raw) - 1 and _AWKWARD_END.match(byte))
    return b"%%%02x" % byte[0] if awkward or _NOT_PLAIN.match(byte) else byte


def model_name(folder: str) -> str | None:
    """The model that lives in `folder`, or None if that is no model's folder."""
    try:
        name = unquote_to_bytes(folder).decode()
        return name if folder_name(name) == folder else None
    except (UnicodeError, UsageError):
        return None


def is_version(text: str) -> bool:
    """Whether `text` has the form of a version, such as `20261121T021500Z-3f9c2a1b`."""
    return _VERSION.fullmatch(text) is not None and _time_of(text) is not None


def next_version(now: datetime, existing: Iterable[str], digest: str) -> str:
    """A version that sorts after all `existing` ones, even if the clock went back.

    `now` must be aware of its zone. `digest` is hexadecimal; its first eight digits end the version.
    """
    times = [time for time in map(_time_of, existing) if time is not None]
    after = max(times) + timedelta(seconds=1) if times else now
    return f"{max(now.astimezone(UTC), after).strftime(_STAMP)}-{digest[:8]}"


def _time_of(version: str) -> datetime | None:
    try:
        return datetime.strptime(version[:16], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
