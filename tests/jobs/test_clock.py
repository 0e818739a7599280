"""What changes of the clock do: versions stay in order, and staleness is told rightly or not at all."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from stockcast.jobs.predict import staleness
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle = sample["make_bundle"]

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")

FORWARD = datetime(2026, 3, 29, 1, 59, 59, tzinfo=BERLIN)
BACK = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)

MOMENTS = {
    "an hour is left out": (FORWARD, datetime(2026, 3, 29, 3, 0, 0, tzinfo=BERLIN)),
    "an hour comes twice": (BACK, BACK.replace(fold=1)),
    "at the same second": (BACK, BACK),
    "back a day": (BACK, BACK - timedelta(days=1)),
    "back a year": (BACK, BACK - timedelta(days=365)),
    "back to the beginning of time": (BACK, datetime(1970, 1, 1, tzinfo=UTC)),
    "over a leap day": (datetime(2028, 2, 28, 23, tzinfo=UTC), datetime(2028, 2, 29, 23, tzinfo=UTC)),
    "over the end of 32 bits": (
        datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    ),
}


@pytest.mark.parametrize(("first", "then"), list(MOMENTS.values()), ids=list(MOMENTS))
def test_the_later_training_is_the_newer_version_whatever_the_clock_says(
    tmp_path: Path, first: datetime, then: datetime
) -> None:
    store = Store(tmp_path)
    made = []
    for seed, now in enumerate((first, then, then + timedelta(hours=1))):
        made.append(store.save("acme", make_bundle(seed), now))
        champion = store.promote("acme", made[-1], "trained", now)
        assert champion.since == now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert store.versions("acme") == tuple(made)
    assert store.champion("acme").version == made[-1]
    assert store.rollback("acme", None, "by hand", first).version == made[-2]
    assert store.prune("acme", keep=0) == (made[0],)


JUNE = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "now", "limit", "said"),
    [
        (JUNE, JUNE + 7 * DAY - timedelta(seconds=1), 7, None),
        (JUNE, JUNE + 7 * DAY, 7, "stale: it has served for 7 days"),
        (JUNE, JUNE + 700 * DAY, 0, None),
        # Seven days on the wall are an hour less in spring, an hour more in autumn.
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), datetime(2026, 4, 4, 12, tzinfo=BERLIN), 7, None),
        (datetime(2026, 10, 31, 12, tzinfo=NEW_YORK), datetime(2026, 11, 7, 12, tzinfo=NEW_YORK), 7, "7 days"),
        (datetime(2028, 2, 28, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC), 2, "2 days"),
        (datetime(2027, 2, 28, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC), 2, None),
        (datetime(2038, 1, 18, tzinfo=UTC), datetime(2038, 1, 21, tzinfo=UTC), 3, "3 days"),
        (JUNE, JUNE - DAY - timedelta(seconds=9), 7, None),
        (JUNE, JUNE - 365 * DAY, 7, "the clock"),
        (JUNE, JUNE - 365 * DAY, 0, None),
    ],
)
def test_a_champion_is_stale_after_its_days_and_not_before(
    since: datetime, now: datetime, limit: int, said: str | None
) -> None:
    told = staleness(since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), limit, now.astimezone(UTC))
    assert (told is None) == (said is None)
    assert said is None or (told is not None and said in told)
