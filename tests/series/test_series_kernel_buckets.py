"""Buckets of time against a bucket found minute by minute on the zone's clock, and against what calendars say."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLBindError, SchemaError
from luma_bench.models.series import zones
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.length import DAY, SECOND, Length
from luma_bench.models.series.runs import Runs

UTC = dt.UTC
ZONES = {
    "America/New_York": [dt.datetime(2013, 3, 10), dt.datetime(2013, 11, 3)],
    "Australia/Lord_Howe": [dt.datetime(2019, 4, 6), dt.datetime(2019, 10, 5)],
    "Asia/Kathmandu": [dt.datetime(1985, 12, 31), dt.datetime(2020, 5, 5)],
    "Pacific/Apia": [dt.datetime(2011, 12, 30)],
    "America/Sao_Paulo": [dt.datetime(2018, 11, 4), dt.datetime(2018, 2, 17)],
    "America/St_Johns": [dt.datetime(2006, 4, 2), dt.datetime(2006, 10, 29)],
    "Europe/Berlin": [dt.datetime(1969, 12, 31), dt.datetime(2024, 10, 27)],
}


def seconds(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def local(zone: zoneinfo.ZoneInfo, second: int) -> int:
    offset = dt.datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return second + int(offset.total_seconds())


def wall_starts(zone: str, first: int, last: int, edges: list[int]) -> dict[int, int]:
    """Start of the bucket of every minute: the first minute at which the clock shows an edge or later, ever before."""
    info = zoneinfo.ZoneInfo(zone)
    found: dict[int, int] = {}
    start, ahead = None, 0
    for minute in range(first, last, 60):
        clock = local(info, minute)
        while ahead < len(edges) and clock >= edges[ahead]:
            start, ahead = minute, ahead + 1
        if start is not None:
            found[minute] = start
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["2h", "6h", "12h", "1d"])
def test_wall_clock_buckets_begin_when_the_clock_first_shows_their_start(zone: str, text: str) -> None:
    size = Length.parse(text).fixed
    assert size is not None
    size //= SECOND
    for around in ZONES[zone]:
        first, last = seconds(around) - 2 * 86_400, seconds(around) + 3 * 86_400
        edges = list(range((first - 86_400) // size * size, last + 2 * 86_400, size))
        want = wall_starts(zone, first - 86_400, last, edges)
        times = np.arange(first, last, 60)
        buckets = Buckets.of(Length.parse(text), SECOND, zone)
        got = buckets.starts(times)
        assert got.tolist() == [want[time] for time in times.tolist()]
        starts = np.unique(got)
        assert buckets.ends(starts[:-1]).tolist() == starts[1:].tolist()
        assert buckets.grid(first, last - 1).tolist() == starts.tolist()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["15m", "1h", "40m"])
def test_short_buckets_follow_the_clock_with_the_offset_of_the_instant(zone: str, text: str) -> None:
    size = (Length.parse(text).fixed or 0) // SECOND
    info = zoneinfo.ZoneInfo(zone)
    for around in ZONES[zone]:
        first, last = seconds(around) - 2 * 86_400, seconds(around) + 3 * 86_400
        times = np.arange(first, last, 60)
        buckets = Buckets.of(Length.parse(text), SECOND, zone)
        got = buckets.starts(times).tolist()
        offsets = {time: local(info, time) - time for time in range(first - 7_200, last, 60)}
        change = [time for time in times.tolist() if offsets[time] != offsets[time - 60]]
        for time, start in zip(times.tolist(), got, strict=True):
            want = (time + offsets[time]) // size * size - offsets[time]
            apart = [at for at in change if want < at <= time]
            if apart and (offsets[apart[-1]] - offsets[apart[-1] - 60]) % size:
                want = apart[-1]
            assert start == want
        starts = np.unique(buckets.starts(times))
        assert buckets.ends(starts[:-1]).tolist() == starts[1:].tolist()
        assert buckets.grid(first, last - 1).tolist() == starts.tolist()


def test_both_hours_of_a_fall_back_stay() -> None:
    hour = Buckets.of(Length.parse("1h"), SECOND, "America/New_York")
    first = seconds(dt.datetime(2013, 11, 3, 4))
    times = np.arange(first, first + 5 * 3600, 1800)
    assert np.unique(hour.starts(times), return_counts=True)[1].tolist() == [2] * 5


def test_two_hours_over_a_fall_back_are_three() -> None:
    two = Buckets.of(Length.parse("2h"), SECOND, "America/New_York")
    midnight = seconds(dt.datetime(2013, 11, 3, 4))
    assert two.ends(np.array([midnight])).tolist() == [midnight + 3 * 3600]


def test_a_day_that_was_skipped_has_no_bucket() -> None:
    days = Buckets.of(Length.parse("1d"), SECOND, "Pacific/Apia")
    grid = days.grid(seconds(dt.datetime(2011, 12, 28, 12)), seconds(dt.datetime(2012, 1, 1, 12)))
    info = zoneinfo.ZoneInfo("Pacific/Apia")
    shown = [dt.datetime.fromtimestamp(int(second), info).strftime("%m-%d %H:%M") for second in grid]
    assert shown == ["12-28 00:00", "12-29 00:00", "12-31 00:00", "01-01 00:00", "01-02 00:00"]


def test_midnight_in_a_gap_is_the_first_instant_after() -> None:
    days = Buckets.of(Length.parse("1d"), SECOND, "America/Sao_Paulo")
    (start,) = days.starts(np.array([seconds(dt.datetime(2018, 11, 4, 15))])).tolist()
    assert (
        dt.datetime.fromtimestamp(start, zoneinfo.ZoneInfo("America/Sao_Paulo")).strftime("%d %H:%M")
        == "04 01:00"
    )


@given(
    st.sampled_from(["1s", "7m", "90m", "5h", "6h", "18h", "1d", "3d", "36h", "1w"]),
    st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=30),
    st.integers(-(10**6), 10**6),
)
@settings(deadline=None, max_examples=100)
def test_without_a_zone_sizes_are_multiples_from_the_epoch(text: str, times: list[int], shift: int) -> None:
    size = (Length.parse(text).fixed or 0) // SECOND
    origin = 4 * 86_400 if text == "1w" else 0
    buckets = Buckets.of(Length.parse(text), SECOND, offset=Length(0, 0, shift * SECOND))
    got = buckets.starts(np.array(times, np.int64)).tolist()
    assert got == [(time - origin - shift) // size * size + origin + shift for time in times]


@given(
    st.sampled_from(["1mo", "3mo", "1y", "5mo", "1w", "1d"]),
    st.lists(st.integers(-60_000, 60_000), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=100)
def test_calendar_buckets_of_dates(text: str, days: list[int]) -> None:
    length = Length.parse(text)
    got = Buckets.of(length, DAY).starts(np.array(days, np.int64)).tolist()
    for day, start in zip(days, got, strict=True):
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        if length.months:
            month = (date.year * 12 + date.month - 1 - 1970 * 12) // length.months * length.months + 1970 * 12
            want = dt.date(month // 12, month % 12 + 1, 1)
        else:
            want = date - dt.timedelta(days=date.weekday() if text == "1w" else 0)
        assert start == (want - dt.date(1970, 1, 1)).days


def test_months_of_a_zone_agree_with_polars() -> None:
    rng = np.random.default_rng(4)
    times = (
        np.sort(rng.integers(seconds(dt.datetime(1965, 1, 1)), seconds(dt.datetime(2030, 1, 1)), 500))
        * 1_000_000
    )
    column = pl.Series(times).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("America/New_York")
    for text, every in [("1mo", "1mo"), ("1y", "1y"), ("1w", "1w"), ("1d", "1d"), ("3mo", "1q")]:
        want = column.dt.truncate(every).dt.convert_time_zone("UTC").to_physical().to_list()
        assert Buckets.of(Length.parse(text), 1_000, "America/New_York").starts(times).tolist() == want


def test_an_origin_is_an_edge_and_an_offset_moves_the_clock() -> None:
    origin = seconds(dt.datetime(2024, 1, 31, 5))
    months = Buckets.of(Length.parse("1mo"), SECOND, "America/New_York", origin=origin)
    edges = months.grid(origin, origin + 100 * 86_400)
    info = zoneinfo.ZoneInfo("America/New_York")
    shown = [dt.datetime.fromtimestamp(int(second), info).strftime("%m-%d %H") for second in edges]
    assert shown == ["01-31 00", "02-29 00", "03-31 00", "04-30 00"]
    days = Buckets.of(Length.parse("1d"), SECOND, "America/New_York", offset=Length.parse("6h"))
    edges = days.grid(seconds(dt.datetime(2013, 11, 2, 12)), seconds(dt.datetime(2013, 11, 5, 12)))
    assert [dt.datetime.fromtimestamp(int(second), info).strftime("%d %H") for second in edges] == [
        "02 06",
        "03 06",
        "04 06",
        "05 06",
    ]
    odd = Buckets.of(Length.parse("7m"), SECOND, origin=100)
    assert odd.starts(np.array([99, 100, 519, 520])).tolist() == [100 - 420, 100, 100, 520]
    fiscal = Buckets.of(Length.parse("1y"), DAY, offset=Length.parse("3mo"))
    assert fiscal.starts(np.array([0, 89, 90])).tolist() == [-275, -275, 90]


def test_moments_at_the_ends_of_int64_are_refused_never_wrapped() -> None:
    ends = np.iinfo(np.int64)
    hour = Buckets.of(Length.parse("1h"), 1)
    assert hour.starts(np.array([ends.max - 3600 * 10**9])).tolist() == [
        (ends.max - 3600 * 10**9) // (3600 * 10**9) * (3600 * 10**9)
    ]
    for text, zone in [("1h", None), ("1d", "America/New_York"), ("1mo", None), ("15m", "Asia/Kathmandu")]:
        buckets = Buckets.of(Length.parse(text), 1, zone)
        with pytest.raises(SchemaError, match="before the first"):
            buckets.starts(np.array([ends.min + 1]))
        with pytest.raises(SchemaError, match="behind the last"):
            buckets.starts(np.array([ends.max - 1]))
    second = Buckets.of(Length.parse("1s"), 1, offset=Length(0, 0, 999_999_999))
    near = ends.min + 2 * SECOND
    assert int(second.starts(np.array([near]))[0]) == (near + 1) // SECOND * SECOND - 1
    edge = ends.min + 854_775_807
    assert second.starts(np.array([edge, edge + 5, edge + SECOND])).tolist() == [edge, edge, edge + SECOND]
    far = np.array([9_000_000_000_000_000_000, -9_000_000_000_000_000_000])
    assert Buckets.of(Length.parse("1h"), 1_000, "America/New_York").starts(far).tolist()[0] <= far[0]


@pytest.mark.parametrize("text", ["0h", "-1h", "1mo 1d", "10ms"])
def test_lengths_that_no_bucket_can_have_are_refused(text: str) -> None:
    with pytest.raises(KadeQLBindError):
        Buckets.of(Length.parse(text), SECOND)


def test_an_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(KadeQLBindError, match="Europe/Berlin"):
        Buckets.of(Length.parse("1h"), SECOND, "Europe/Berlni")


@pytest.mark.parametrize("zone", sorted(zoneinfo.available_timezones())[::17])
def test_offsets_are_those_of_the_zone(zone: str) -> None:
    rng = np.random.default_rng(len(zone))
    first, last = seconds(dt.datetime(1901, 1, 1)), seconds(dt.datetime(2050, 1, 1))
    table = zones.offsets(zone, first, last, SECOND)
    times = rng.integers(first, last, 300)
    info = zoneinfo.ZoneInfo(zone)
    assert (times + table.at(times)).tolist() == [local(info, int(time)) for time in times]
    clock = rng.integers(first + 200_000, last - 200_000, 50)
    for shown, instant in zip(clock.tolist(), table.first(clock).tolist(), strict=True):
        assert local(info, instant) >= shown
        assert local(info, instant - 1) < shown


def test_offsets_of_far_years_follow_the_rules_of_the_zone() -> None:
    first, last = seconds(dt.datetime(2, 1, 1)), seconds(dt.datetime(9998, 1, 1))
    rng = np.random.default_rng(9)
    for zone in ("America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"):
        table = zones.offsets(zone, first, last, SECOND)
        info = zoneinfo.ZoneInfo(zone)
        times = rng.integers(first, last, 300)
        assert (times + table.at(times)).tolist() == [local(info, int(time)) for time in times]
        assert np.all(np.diff(table.since) > 0)


@pytest.mark.parametrize("text", ["5m", "1h", "2h", "1d", "1mo"])
@pytest.mark.parametrize("zone", [None, "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("every", [7, 611])
def test_groups_are_cut_where_the_bucket_changes(text: str, zone: str | None, every: int) -> None:
    begin = seconds(dt.datetime(2013, 9, 20))
    times = [np.arange(begin, begin + span * 86_400, every) for span in (40, 3)]
    runs = Runs(
        np.array([5, 2], np.int32),
        np.cumsum([0, *(len(time) for time in times)]),
        np.concatenate(times),
    )
    buckets = Buckets.of(Length.parse(text), SECOND, zone)
    groups = Groups.of(runs, buckets)
    starts, codes = buckets.starts(runs.time), np.repeat(runs.codes, np.diff(runs.offsets))
    assert np.repeat(groups.starts, groups.sizes).tolist() == starts.tolist()
    assert np.repeat(groups.codes, groups.sizes).tolist() == codes.tolist()
    changes = np.flatnonzero((starts[1:] != starts[:-1]) | (codes[1:] != codes[:-1]))
    assert len(groups.codes) == len(changes) + 1
    assert Groups.of(runs, None).cuts.tolist() == runs.offsets.tolist()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Berln", "'Europe/Berlin'"),
        ("berlin", "'Europe/Berlin'"),
        ("New York", "'America/New_York'"),
        ("Mars/X", "'"),
    ],
)
def test_a_zone_that_there_is_not_says_which_are_spelt_like_it(name: str, near: str) -> None:
    with pytest.raises(KadeQLBindError) as caught:
        zones.checked(name)
    assert near in str(caught.value.hint)
    assert 1 <= str(caught.value.hint).count("/") <= 3
