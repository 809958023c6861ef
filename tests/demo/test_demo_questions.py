"""The ten questions: every answer against pandas over the source's own files, which shares no code with the bench."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.demo.questions import QUESTIONS

Source = Callable[[str], pd.DataFrame]


@pytest.fixture(scope="module")
def raw(source: Source) -> pd.DataFrame:
    return source("flights.csv.zip")


@pytest.fixture(scope="module")
def names(source: Source) -> dict[str, str]:
    airlines = source("airlines.csv")
    return dict(zip(airlines["carrier"], airlines["name"], strict=True))


@pytest.fixture
def ask(tour_bench: lb.Bench) -> Callable[[int], pa.Table]:
    def run(number: int) -> pa.Table:
        question = QUESTIONS[number - 1]
        assert question.number == number
        return tour_bench.kadeql(question.text, params=question.params).to_arrow()

    return run


def percent_late(delays: pd.Series) -> float:
    return round(100 * (delays.dropna() > 15).mean(), 1)


def test_1_carriers(ask, raw: pd.DataFrame, names: dict[str, str]) -> None:
    rows = ask(1).to_pylist()
    counts = raw["carrier"].value_counts()
    assert {row["carrier"]: row["flights"] for row in rows} == counts.to_dict()
    assert {row["carrier"]: row["name"] for row in rows} == {code: names[code] for code in counts.index}
    assert sum(row["flights"] for row in rows) == 336776  # no code lacks a name


def test_2_late(ask, raw: pd.DataFrame) -> None:
    row = ask(2).to_pylist()[0]
    delay = raw["dep_delay"]
    assert (row["late"], row["on_time"]) == (int((delay > 15).sum()), int((delay <= 15).sum()))
    assert row["cancelled"] == delay.isna().sum() == 8255
    assert row["percent_of_departed"] == percent_late(delay)


def test_3_hours(ask, raw: pd.DataFrame) -> None:
    rows = ask(3).to_pylist()
    grouped = raw.dropna(subset="dep_delay").groupby("hour")["dep_delay"]
    assert [row["hour"] for row in rows] == sorted(grouped.groups)
    for row in rows:
        delays = grouped.get_group(row["hour"])
        assert row["departed"] == len(delays)
        assert row["median_delay"] == delays.median()
        assert row["one_in_ten_over"] == pytest.approx(delays.quantile(0.9), abs=0.051)
        assert row["percent_late"] == percent_late(delays)


def test_4_planes(ask, raw: pd.DataFrame, source: Source) -> None:
    planes = source("planes.csv").set_index("tailnum")["year"]
    known = raw["tailnum"].isin(planes.index)
    age = 2013 - raw["tailnum"].map(planes)
    group = pd.cut(
        age,
        [-1, 4, 14, 24, 200],
        labels=["under 5 years", "5 to 14 years", "15 to 24 years", "25 years and more"],
    )
    group = group.astype(object).where(age.notna(), np.where(known, "year unknown", "not in the register"))
    rows = {row["plane"]: row for row in ask(4).to_pylist()}
    assert set(rows) == set(group)
    for name, delays in raw["dep_delay"].groupby(group):
        assert rows[name]["flights"] == len(delays)
        assert rows[name]["cancelled"] == delays.isna().sum()
        assert rows[name]["percent_late"] == percent_late(delays)
    assert rows["not in the register"]["flights"] == 52606


def test_5_months(ask, raw: pd.DataFrame) -> None:
    expected = raw.pivot_table(values="dep_delay", index="month", columns="origin", aggfunc="mean").round(1)
    ours = ask(5).to_pandas().set_index("month")
    pd.testing.assert_frame_equal(ours, expected, check_names=False, check_index_type=False)


def test_6_bands(ask, raw: pd.DataFrame, names: dict[str, str]) -> None:
    band = pd.cut(
        raw["distance"], [0, 499, 1499, 9999], labels=["under 500 miles", "500 to 1,499", "1,500 and more"]
    )
    left = raw.dropna(subset="dep_delay")
    grouped = left.groupby([left["carrier"].map(names), band.astype(str)[left.index]])["dep_delay"]
    expected = pd.DataFrame({
        "departed": grouped.size(), "median": grouped.median(), "mean": grouped.mean().round(1), "p90": grouped.quantile(0.9).round(1),
    })  # fmt: skip
    expected = expected[expected["departed"] >= 1000]
    rows = ask(6).to_pylist()
    assert len(rows) == 12
    for row in rows:
        cell = expected.loc[(row["name"], row["band"])]
        assert row["departed"] == cell["departed"]
        assert (row["median"], row["mean"]) == (cell["median"], pytest.approx(cell["mean"], abs=0.051))
        assert row["one_in_ten_over"] == pytest.approx(cell["p90"], abs=0.051)
    assert rows[-1]["one_in_ten_over"] >= expected["p90"].nlargest(12).min() - 0.051


def test_7_worst(ask, raw: pd.DataFrame) -> None:
    grouped = raw.groupby(["origin", "dest"])["arr_delay"].agg(["count", "mean"]).query("count >= 1000")
    expected = grouped.sort_values("mean", ascending=False).groupby("origin").head(3).sort_index()
    rows = pd.DataFrame(ask(7).to_pylist()).set_index(["origin", "dest"]).sort_index()
    assert list(rows.index) == list(expected.index)
    assert rows["mean_arrival_delay"].tolist() == pytest.approx(expected["mean"].tolist(), abs=0.051)
    assert rows["landed"].tolist() == expected["count"].tolist()


def test_8_days(ask, raw: pd.DataFrame, source: Source) -> None:
    weather = source("weather.csv")[["origin", "time_hour", "visib", "wind_gust"]]
    joined = raw.merge(weather, on=["origin", "time_hour"], how="left", indicator=True)
    assert len(joined) == len(raw)
    grouped = joined.groupby(["month", "day"])
    cancelled = grouped["dep_delay"].apply(lambda delays: delays.isna().sum())
    rows = ask(8).to_pylist()
    assert [row["cancelled"] for row in rows] == cancelled.nlargest(10).tolist()
    for row in rows:
        day = grouped.get_group((row["day"].month, row["day"].day))
        assert row["flights"] == len(day)
        assert row["median_delay"] == day["dep_delay"].median()
        assert row["visibility"] == day["visib"].min()
        assert row["without_weather"] == (day["_merge"] == "left_only").sum()
    assert (str(rows[0]["day"]), rows[0]["cancelled"], rows[0]["flights"]) == ("2013-02-08", 472, 930)
    assert "2013-03-08" in {str(row["day"]) for row in rows}


def test_9_gaps(ask, source: Source) -> None:
    weather = source("weather.csv")
    weather["at"] = pd.to_datetime(weather["time_hour"])
    missing: dict[str, int] = {}
    for _, group in weather.groupby("origin"):
        lacking = pd.date_range(group["at"].min(), group["at"].max(), freq="h").difference(group["at"])
        for day in lacking.tz_convert("America/New_York").strftime("%Y-%m-%d"):
            missing[day] = missing.get(day, 0) + 1
    rows = {str(row["day"]): row for row in ask(9).to_pylist()}
    assert {day: row["missing"] for day, row in rows.items() if row["missing"]} == missing
    assert (rows["2013-03-10"]["hours_in_day"], rows["2013-11-03"]["hours_in_day"]) == (23, 25)
    assert all(row["expected"] == row["readings"] + row["missing"] for row in rows.values())


def test_10_plane_before(ask, raw: pd.DataFrame) -> None:
    left = raw.dropna(subset="dep_delay").copy()
    clock = pd.to_datetime(left[["year", "month", "day"]]) + pd.to_timedelta(
        left["sched_dep_time"] // 100 * 60 + left["sched_dep_time"] % 100, unit="m"
    )
    left["sched"] = clock.dt.tz_localize("America/New_York")
    left["dep"] = left["sched"] + pd.to_timedelta(left["dep_delay"], unit="m")
    left["number"] = left.index
    left = left.sort_values(["tailnum", "dep", "number"])
    before = left.groupby("tailnum")[["sched", "dep_delay"]].shift()
    near = left["sched"] - before["sched"] <= pd.Timedelta("12h")
    group = pd.cut(before["dep_delay"][near], [-999, 15, 60, 120, 9999], labels=False)
    rows = ask(10).to_pylist()
    assert before["sched"].notna().sum() == 324484
    assert [row["legs"] for row in rows] == group.value_counts().sort_index().tolist()
    for number, row in enumerate(rows):
        delays = left["dep_delay"][near][group == number]
        assert row["median_delay"] == delays.median()
        assert row["percent_late"] == percent_late(delays)


@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe"])
def test_no_answer_depends_on_the_sessions_zone(zone: str, tour_folder, ask) -> None:
    with lb.open(tour_folder / "tour.luma", mode="r", timezone=zone) as bench:
        for question in QUESTIONS:
            there = bench.kadeql(question.text, params=question.params).to_arrow()
            assert there.to_pylist() == ask(question.number).to_pylist(), question.title


def test_sentences_take_their_figures_from_the_rows() -> None:
    def said(number: int, **columns: list[object]) -> str:
        return QUESTIONS[number - 1].answer(pa.table(columns))

    assert "7 late and 5 on time make 12, not 20: 8 were cancelled" in said(
        2, flights=[20], late=[7], on_time=[5], cancelled=[8], percent_of_departed=[58.3]
    )
    assert said(5, month=[1, 2], EWR=[1.0, 9.5], JFK=[3.0, 4.0], LGA=[0.5, 2.0]) == (
        "February at EWR is worst: 9.5 minutes on average; January at LGA is best: 0.5."
    )
    groups = ["25 years and more", "5 to 14 years", "not in the register"]
    assert said(
        4, plane=groups, flights=[1, 2, 3], cancelled=[0, 0, 1], percent_late=[30.0, 20.0, 1.0]
    ).startswith("Yes")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question.number))
def test_every_question_has_an_answer_in_a_sentence(question, ask) -> None:
    assert question.answer(ask(question.number)).endswith(".")
    assert set(question.params) == set(re.findall(r"\$(\w+)", question.text))


def test_the_routes_reach_guam(tour_bench: lb.Bench) -> None:
    """Five equal shortest ways from Burlington, all through Honolulu."""
    text = """
        SELECT a.dst AS first, b.dst AS second
        FROM (SELECT DISTINCT src, dst FROM routes) a
        JOIN (SELECT DISTINCT src, dst FROM routes) b ON b.src = a.dst
        JOIN (SELECT DISTINCT src, dst FROM routes) c ON c.src = b.dst
        WHERE a.src = 'BTV' AND c.dst = 'GUM'
        ORDER BY first"""
    ways = [(row["first"], row["second"]) for row in tour_bench.kadeql(text).to_arrow().to_pylist()]
    assert ways == [(hub, "HNL") for hub in ("ATL", "DEN", "DTW", "IAD", "ORD")]
