"""The tour's ten questions once more, as lazy frames: each function gives the rows that its KadeQL text gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.frame import DataFrame

ZONE = "America/New_York"


def carriers(bench: Bench) -> DataFrame:
    """A join, a count, and each count's share of all."""
    flights, airlines = bench.table("flights"), bench.table("airlines")
    counted = flights.merge(airlines, on="carrier").groupby(["name", "carrier"]).size("flights")
    counted = counted.sort_values("flights", ascending=False)
    return counted.assign(percent=(100 * counted.flights / counted.flights.sum()).round(1))


def late(bench: Bench) -> DataFrame:
    """Conditions counted: a NULL is neither late nor on time."""
    flights = bench.table("flights")
    judged = flights.assign(
        late=flights.dep_delay > 15, on_time=~(flights.dep_delay > 15), cancelled=flights.dep_delay.isna()
    )
    found = judged.agg(
        flights=("flight_id", "size"),
        late=("late", "sum"),
        on_time=("on_time", "sum"),
        cancelled=("cancelled", "sum"),
        departed=("dep_delay", "count"),
    )
    return found.assign(percent_of_departed=(100 * found.late / found.departed).round(1)).drop(
        columns="departed"
    )


def hours(bench: Bench) -> DataFrame:
    """The hour that New York's clocks show at a moment, and quantiles by hour."""
    flights = bench.table("flights")
    flights = flights.assign(hour=flights.sched.dt.at_zone(ZONE).dt.hour, late=flights.dep_delay > 15)
    by_hour = flights.groupby("hour").agg(
        departed=("dep_delay", "count"),
        median_delay=("dep_delay", "median"),
        one_in_ten_over=("dep_delay", lambda delay: delay.quantile(0.9)),
        percent_late=("late", "mean"),
    )
    return by_hour[by_hour.departed > 0].assign(
        one_in_ten_over=by_hour.one_in_ten_over.round(1), percent_late=(100 * by_hour.percent_late).round(1)
    )


def planes(bench: Bench) -> DataFrame:
    """A left join that keeps what has no match, and a case of ages."""
    import luma_bench as lb

    flights, planes = bench.table("flights"), bench.table("planes")
    known = planes[["tailnum", "year"]].rename(columns={"year": "built"}).assign(registered=True)
    joined = flights.merge(known, on="tailnum", how="left")
    age = joined.year - joined.built
    names = ["under 5 years", "5 to 14 years", "15 to 24 years", "25 years and more"]
    plane = lb.cut(age, [-100, 5, 15, 25, 200], right=False, labels=names)
    plane = plane.mask(joined.built.isna(), "year unknown")
    plane = plane.mask(joined.registered.isna(), "not in the register")
    grouped = joined.assign(plane=plane, age=age, late=joined.dep_delay > 15).groupby("plane", sort=False)
    found = grouped.agg(
        flights=("flight_id", "size"),
        departed=("dep_delay", "count"),
        percent_late=("late", "mean"),
        youngest=("age", "min"),
    )
    found = found.assign(
        cancelled=found.flights - found.departed, percent_late=(100 * found.percent_late).round(1)
    )
    return found.sort_values(["youngest", "plane"])[["plane", "flights", "cancelled", "percent_late"]]


def months(bench: Bench) -> DataFrame:
    """A pivot whose columns are known."""
    flights = bench.table("flights")
    table = flights.pivot_table(
        "dep_delay", index="month", columns="origin", aggfunc="mean", among=["EWR", "JFK", "LGA"]
    )
    return table.round(1)


def bands(bench: Bench) -> DataFrame:
    """Bands of a number, several reductions by group, and the first of an order."""
    import luma_bench as lb

    flights, airlines = bench.table("flights"), bench.table("airlines")
    names = ["under 500 miles", "500 to 1,499", "1,500 and more"]
    flights = flights.assign(band=lb.cut(flights.distance, [0, 500, 1500, 10_000], right=False, labels=names))
    found = (
        flights.merge(airlines, on="carrier")
        .groupby(["name", "band"])
        .dep_delay.agg(
            departed="count", median="median", mean="mean", one_in_ten_over=lambda delay: delay.quantile(0.9)
        )
    )
    found = found[found.departed >= 1000].round({"mean": 1, "one_in_ten_over": 1})
    return found.sort_values(["one_in_ten_over", "name", "band"], ascending=[False, True, True]).head(12)


def worst(bench: Bench) -> DataFrame:
    """The first three of each group in an order."""
    flights, airports = bench.table("flights"), bench.table("airports")
    joined = flights.merge(airports, left_on="dest", right_on="iata")
    found = joined.groupby(["origin", "dest", "name", "city"], dropna=False).agg(
        landed=("arr_delay", "count"), mean_arrival_delay=("arr_delay", "mean")
    )
    found = found[found.landed >= 1000]
    order = found.sort_values(["mean_arrival_delay", "dest"], ascending=[False, True])
    first = order[order.groupby("origin").cumcount() < 3]
    return first.round({"mean_arrival_delay": 1}).sort_values(
        ["origin", "mean_arrival_delay"], ascending=[True, False]
    )


def days(bench: Bench) -> DataFrame:
    """A left join on two keys, and days on New York's calendar."""
    flights, weather = bench.table("flights"), bench.table("weather")
    readings = weather[["origin", "time_hour", "visib", "wind_gust"]].assign(reading=1)
    joined = flights.merge(readings, on=["origin", "time_hour"], how="left")
    joined = joined.assign(day=joined.sched.dt.at_zone(ZONE).dt.date)
    found = joined.groupby("day").agg(
        flights=("flight_id", "size"),
        departed=("dep_delay", "count"),
        median_delay=("dep_delay", "median"),
        visibility=("visib", "min"),
        gust=("wind_gust", "max"),
        with_weather=("reading", "count"),
    )
    found = found.assign(
        cancelled=found.flights - found.departed,
        gust=found.gust.round(1),
        without_weather=found.flights - found.with_weather,
    )
    found = found.assign(percent=(100 * found.cancelled / found.flights).round(1))
    columns = [
        "day",
        "flights",
        "cancelled",
        "percent",
        "median_delay",
        "visibility",
        "gust",
        "without_weather",
    ]
    return found.sort_values(["cancelled", "day"], ascending=[False, True])[columns].head(10)


def gaps(bench: Bench) -> DataFrame:
    """Every hour that should be there, beside those that are."""
    weather = bench.table("weather")
    seen = weather[["origin", "time_hour"]].assign(reading=1)
    expected = seen.groupby("origin").resample("h", on="time_hour").reading.count()
    expected = expected.assign(day=expected.time_hour.dt.at_zone(ZONE).dt.date)
    found = expected.groupby("day").agg(
        hours_in_day=("time_hour", "nunique"), expected=("time_hour", "size"), readings=("reading", "sum")
    )
    found = found.assign(missing=found.expected - found.readings)
    return found[(found.missing > 0) | (found.hours_in_day != 24)].sort_values("day")


def plane_before(bench: Bench) -> DataFrame:
    """What the row before it in each group says of a row."""
    import pandas as pd

    import luma_bench as lb

    flights = bench.table("flights")
    flown = flights[flights.dep.notna() & flights.tailnum.notna()].sort_values(["dep", "flight_id"])
    by_plane = flown.groupby("tailnum")
    legs = flown.assign(sched_before=by_plane.sched.shift(), delay_before=by_plane.dep_delay.shift())
    legs = legs[legs.sched - legs.sched_before <= pd.Timedelta(hours=12)]
    names = ["on time", "up to an hour late", "up to two hours late", "later than that"]
    edges = [-10_000, 15, 60, 120, 10_000]
    legs = legs.assign(plane_before=lb.cut(legs.delay_before, edges, labels=names), late=legs.dep_delay > 15)
    found = legs.groupby("plane_before").agg(
        legs=("flight_id", "size"),
        median_delay=("dep_delay", "median"),
        percent_late=("late", "mean"),
        least=("delay_before", "min"),
    )
    found = found.assign(percent_late=(100 * found.percent_late).round(1))
    return found.sort_values("least").drop(columns="least")


ANSWERS: tuple[Callable[[Bench], DataFrame], ...] = (
    carriers,
    late,
    hours,
    planes,
    months,
    bands,
    worst,
    days,
    gaps,
    plane_before,
)
"""By the number of the question, from 1."""
