"""What a result says, in a sentence: every figure is read from the rows."""

from __future__ import annotations

import datetime

import pyarrow as pa

Row = dict[str, object]


def carriers(table: pa.Table) -> str:
    """The largest carriers and the total."""
    rows = table.to_pylist()
    top = rows[:3]
    share = sum(row["percent"] for row in top)
    total = sum(table["flights"].to_pylist())
    return (
        f"{_list([row['name'] for row in top])} fly {share:.0f} % of {total:,} flights; "
        f"{top[0]['name']} leads with {top[0]['flights']:,}."
    )


def late(table: pa.Table) -> str:
    """Late, on time, and what is neither."""
    row = table.to_pylist()[0]
    return (
        f"{row['late']:,} late and {row['on_time']:,} on time make {row['late'] + row['on_time']:,}, not "
        f"{row['flights']:,}: {row['cancelled']:,} were cancelled. Of those that left, "
        f"{row['percent_of_departed']} % were late."
    )


def hours(table: pa.Table) -> str:
    """The best and the worst hour."""
    rows = table.to_pylist()
    best = min(rows, key=lambda row: row["percent_late"])
    worst = max(rows, key=lambda row: row["percent_late"])
    return (
        f"Leave at {best['hour']} o'clock: {best['percent_late']} % are late. At {worst['hour']} it is "
        f"{worst['percent_late']} %, and one flight in ten waits more than {worst['one_in_ten_over']:.0f} minutes."
    )


def planes(table: pa.Table) -> str:
    """Old against young, and the flights that an inner join would lose."""
    rows = {row["plane"]: row for row in table.to_pylist()}
    old, middle, lost = rows["25 years and more"], rows["5 to 14 years"], rows["not in the register"]
    return (
        f"{'No' if old['percent_late'] <= middle['percent_late'] else 'Yes'}: planes of 25 years and more are late on {old['percent_late']} % of flights, those of 5 to 14 years on "
        f"{middle['percent_late']} %. {lost['flights']:,} flights, {lost['cancelled']:,} of them cancelled, have no "
        "plane in the register."
    )


def months(table: pa.Table) -> str:
    """The worst and the best cell of the pivot."""
    cells = [(row[code], code, row["month"]) for row in table.to_pylist() for code in ("EWR", "JFK", "LGA")]
    (high, high_code, high_month), (low, low_code, low_month) = max(cells), min(cells)
    return (
        f"{_month(high_month)} at {high_code} is worst: {high} minutes on average; "
        f"{_month(low_month)} at {low_code} is best: {low}."
    )


def bands(table: pa.Table) -> str:
    """The longest tail and its median."""
    top = table.to_pylist()[0]
    half = "early or on time" if top["median"] <= 0 else f"at most {top['median']:.0f} minutes late"
    return (
        f"{top['name']} on flights of {top['band']}: half leave {half}, the mean is {top['mean']} minutes, "
        f"and one in ten waits more than {top['one_in_ten_over']:.0f}."
    )


def worst(table: pa.Table) -> str:
    """The worst destination of each origin."""
    first: dict[str, Row] = {}
    for row in table.to_pylist():
        first.setdefault(row["origin"], row)
    said = [f"{row['city']} from {code} ({row['mean_arrival_delay']} minutes)" for code, row in first.items()]
    return f"Late on arrival by most, on average: {_list(said)}."


def days(table: pa.Table) -> str:
    """The day with most cancellations, and the day with the longest wait."""
    rows = table.to_pylist()
    top, slow = rows[0], max(rows, key=lambda row: row["median_delay"])
    return (
        f"{_day(top['day'])}: {top['cancelled']} of {top['flights']} flights cancelled, visibility down "
        f"to {top['visibility']:g} miles. On {_day(slow['day'])} half of those that left waited "
        f"more than {slow['median_delay']:.0f} minutes."
    )


def gaps(table: pa.Table) -> str:
    """How many readings are missing, and the days whose length is not 24 hours."""
    rows = table.to_pylist()
    inner = rows[1:-1]  # the readings begin and end within a day
    odd = [f"{_day(row['day'])} had {row['hours_in_day']}" for row in inner if row["hours_in_day"] != 24]
    most = max(rows, key=lambda row: row["missing"])
    return (
        f"{sum(row['missing'] for row in rows)} readings of three airports are missing, most on {_day(most['day'])} "
        f"({most['missing']}). {_list(odd)} hours, and that is right."
    )


def plane_before(table: pa.Table) -> str:
    """How lateness is handed on."""
    rows = table.to_pylist()
    good, bad = rows[0], rows[-1]
    legs = sum(row["legs"] for row in rows)
    return (
        f"Over {legs:,} departures within 12 hours of the same plane's one before: {good['percent_late']} % are late when "
        f"that one was on time, and {bad['percent_late']} % when it was more than two hours late."
    )


def _list(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _day(day: datetime.date) -> str:
    return f"{day.day} {_month(day.month)}"


def _month(number: int) -> str:
    return datetime.date(2000, number, 1).strftime("%B")
