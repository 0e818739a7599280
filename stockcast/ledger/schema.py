"""The tables of the ledger: the SQL that makes each version of the schema out of the one before.

docs/ledger.md explains them. Whole numbers stand for what is counted in days since 1970-01-01 (`origin`, `target`,
`session`), in seconds since then in UTC (`issued_at`, `opens_at`, `seen_at`), and in log returns times 1e11
(`point`, `before`, `move`, and what is kept of quantiles). A quantile of the model is kept as its distance from the
next one towards the median, and one of an opponent as its distance from the model's: small numbers, that take four
bytes where the quantiles themselves would take six.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stockcast.data.forecast import QUANTILES
from stockcast.data.tails import TAIL

APPLICATION_ID = 0x53544B4C
"""Tells a ledger from other SQLite files: the letters STKL."""

SCALE = 1e11
"""Log returns are kept as whole numbers, times this: to a ten millionth of a basis point, in four bytes up to 2.1 %."""

STEPS = 256
"""A forecast's id is that of its prediction times this, plus its step; no horizon is longer than 250."""

LIVE, LATE, SUPERSEDED = 0, 1, 2
"""What a forecast's `status` says: it counts; it came too late; one issued before it counts."""

OPPONENTS = ("naive", "ewma", "har")
"""The baselines whose quantiles are kept beside each forecast: the last price, EWMA, HAR."""


def _of_everyone(columns: tuple[str, ...]) -> tuple[str, ...]:
    """These columns of the model, then of each opponent."""
    return (*columns, *(f"{name}_{column}" for name in OPPONENTS for column in columns))


LEVEL_COLUMNS = tuple(f"q{round(1000 * level):03}" for level in QUANTILES)
LOW_TAIL, HIGH_TAIL = (f"q{round(1000 * level):03}" for level in (TAIL, 1 - TAIL))
LEARNED_COLUMNS = _of_everyone(LEVEL_COLUMNS)
TAIL_COLUMNS = _of_everyone((LOW_TAIL, HIGH_TAIL))
QUANTILE_COLUMNS = (*LEARNED_COLUMNS, *TAIL_COLUMNS)
"""The columns of all quantiles in `forecast`; those of the tails are NULL for a model that has none."""

MEDIAN = QUANTILES.index(0.5)

BANDS = {"50": ("q250", "q750"), "80": ("q100", "q900"), "90": ("q050", "q950"), "95": ("q025", "q975")}

TABLES = ("version", "series", "issue", "prediction", "forecast", "opening", "outcome", "revision")

_FIRST_TABLES = (
    """CREATE TABLE version (
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, version TEXT NOT NULL, manifest_sha256 TEXT NOT NULL,
  config TEXT NOT NULL, config_digest TEXT NOT NULL, cutoff INTEGER NOT NULL, calendar TEXT NOT NULL,
  UNIQUE (model, version, manifest_sha256)
) STRICT""",
    """CREATE TABLE series (
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, name TEXT NOT NULL, price TEXT NOT NULL, UNIQUE (model, name, price)
) STRICT""",
    """CREATE TABLE issue (
  id INTEGER PRIMARY KEY, issued_at INTEGER NOT NULL, clock_behind INTEGER NOT NULL, in_time INTEGER NOT NULL,
  stockcast TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT""",
    """CREATE TABLE prediction (
  id INTEGER PRIMARY KEY, issue INTEGER NOT NULL REFERENCES issue, version INTEGER NOT NULL REFERENCES version,
  series INTEGER NOT NULL REFERENCES series, origin INTEGER NOT NULL, last REAL NOT NULL CHECK (last > 0),
  before INTEGER, fingerprint BLOB NOT NULL
) STRICT""",
    """CREATE INDEX prediction_of_series ON prediction (series, origin)""",
    f"""CREATE TABLE forecast (
  id INTEGER PRIMARY KEY,
  prediction INTEGER GENERATED ALWAYS AS (id / {STEPS}) VIRTUAL REFERENCES prediction,
  step INTEGER GENERATED ALWAYS AS (id % {STEPS}) VIRTUAL CHECK (step > 0),
  status INTEGER NOT NULL CHECK (status IN ({LIVE}, {LATE}, {SUPERSEDED})), target INTEGER NOT NULL, point INTEGER,
  {", ".join(f"{column} INTEGER{' NOT NULL' * (column in LEVEL_COLUMNS)}" for column in LEARNED_COLUMNS)}
) STRICT""",
    """CREATE TABLE opening (
  calendar TEXT NOT NULL, session INTEGER NOT NULL, opens_at INTEGER NOT NULL, PRIMARY KEY (calendar, session)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE outcome (
  forecast INTEGER PRIMARY KEY REFERENCES forecast, move INTEGER NOT NULL, seen_at INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE revision (
  id INTEGER PRIMARY KEY, forecast INTEGER NOT NULL REFERENCES outcome, move INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT""",
    """CREATE INDEX revision_of_forecast ON revision (forecast)""",
)


def _append_only(table: str) -> Iterator[str]:
    """Triggers that refuse to change, delete or replace a row."""
    for verb in ("UPDATE", "DELETE"):
        yield (
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )
    key = {
        "opening": "calendar = NEW.calendar AND session = NEW.session",
        "outcome": "forecast = NEW.forecast",
    }.get(table, "id = NEW.id")
    yield (
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    )


def _as_kept(column: str) -> str:
    """A column of `forecast`, if it is a quantile's, in terms of what is kept: a sum of distances."""
    every = (LOW_TAIL, *LEVEL_COLUMNS, HIGH_TAIL)
    own = column[-len(LOW_TAIL) :]
    at, median = every.index(own), MEDIAN + 1
    inward = every[at : median + 1] if at <= median else every[median : at + 1]
    return " + ".join(f"f.{one}" for one in (*inward, *([column] if column != own else [])))


def _live_rows(columns: tuple[str, ...]) -> str:
    """Every forecast that counts, beside its outcome as it was first seen, in log returns from the origin's price."""
    quantiles = ", ".join(f"({_as_kept(column)}) / {SCALE!r} AS {column}" for column in columns)
    return f"""CREATE VIEW live_rows AS
SELECT v.model, s.name AS series, date(p.origin * 86400, 'unixepoch') AS origin,
  date(f.target * 86400, 'unixepoch') AS target, f.step, datetime(i.issued_at, 'unixepoch') AS issued_at, v.version,
  p.last, o.move / {SCALE!r} AS move, (SELECT count(*) FROM revision r WHERE r.forecast = f.id) AS revisions,
  coalesce(f.point, f.{LEVEL_COLUMNS[MEDIAN]}) / {SCALE!r} AS point, {quantiles}
FROM prediction p
JOIN issue i ON i.id = p.issue JOIN version v ON v.id = p.version JOIN series s ON s.id = p.series
JOIN forecast f ON f.id BETWEEN p.id * {STEPS} AND p.id * {STEPS} + {STEPS - 1}
LEFT JOIN outcome o ON o.forecast = f.id
WHERE f.status = {LIVE}"""


def _live_scores(judged: Mapping[str, tuple[str, str]]) -> str:
    """Of each model and step: coverage, and the mean pinball loss beside each opponent's, in percent of log return."""

    def loss(prefix: str) -> str:
        parts = (
            f"max({level!r} * (move - {prefix}{column}), {level - 1!r} * (move - {prefix}{column}))"
            for level, column in zip(QUANTILES, LEVEL_COLUMNS, strict=True)
        )
        return f"avg(100 * ({' + '.join(parts)}) / {len(QUANTILES)})"

    bands = ", ".join(f"avg(move BETWEEN {low} AND {high}) AS coverage_{band}" for band, (low, high) in judged.items())
    losses = ", ".join(f"{loss(f'{name}_')} AS pinball_{name}" for name in OPPONENTS)
    return f"""CREATE VIEW live_scores AS
SELECT model, step, count(*) AS n, count(DISTINCT origin) AS days, {bands}, {loss("")} AS pinball, {losses}
FROM live_rows WHERE move IS NOT NULL GROUP BY model, step"""


def _first() -> tuple[str, ...]:
    triggers = (statement for table in TABLES for statement in _append_only(table))
    views = (_live_rows(LEARNED_COLUMNS), _live_scores(BANDS))
    return (*_FIRST_TABLES, *triggers, *views, f"PRAGMA application_id = {APPLICATION_ID}")


def _with_tails() -> tuple[str, ...]:
    columns = (f"ALTER TABLE forecast ADD COLUMN {column} INTEGER" for column in TAIL_COLUMNS)
    old_views = ("DROP VIEW live_scores", "DROP VIEW live_rows")
    return (*columns, *old_views, _live_rows(QUANTILE_COLUMNS), _live_scores({**BANDS, "98": (LOW_TAIL, HIGH_TAIL)}))


MIGRATIONS = (_first(), _with_tails())
"""The statements that lead from schema 0, the empty file, to 1, from 1 to 2, and so on."""
