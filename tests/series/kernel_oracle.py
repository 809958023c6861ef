"""Rows of series, the kernel over them, and what plain loops make of the same rows."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from luma_bench.models.control import Control
from luma_bench.models.series.aggregates import Spec
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.finishing import Finished
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.length import SECOND, Length
from luma_bench.models.series.partials import Aggregation, Gathered
from luma_bench.models.series.runs import Runs, Stretch, Values

NAN = math.nan
BUCKET = 10


@dataclass(frozen=True)
class Row:
    code: int
    time: int
    x: float | None
    w: float | None
    n: int | None
    place: int


Made = Callable[[list[Row], int, int], Any]


def stretches(rows: list[Row], pieces: int) -> list[tuple[Stretch, int]]:
    """The rows as stored stretches, each sorted into runs with the permutation that says where rows stand."""
    made: list[tuple[Stretch, int]] = []
    for part in np.array_split(np.arange(len(rows)), pieces):
        stored = [rows[place] for place in part.tolist()]
        order = sorted(range(len(stored)), key=lambda at, stored=stored: (stored[at].code, stored[at].time))
        runs = [stored[at] for at in order]
        codes = np.array([row.code for row in runs], np.int32)
        begins = np.flatnonzero(np.concatenate([np.ones(min(1, len(runs)), bool), codes[1:] != codes[:-1]]))
        columns = {name: column([getattr(row, name) for row in runs], name) for name in ("x", "w", "n")}
        made.append(
            (
                Stretch(
                    Runs(
                        codes[begins],
                        np.append(begins, len(runs)).astype(np.int64),
                        np.array([row.time for row in runs], np.int64),
                        np.array(order, np.int64),
                    ),
                    columns,
                ),
                int(part[0]) if len(part) else 0,
            )
        )
    return made


def column(values: list[Any], name: str) -> Values:
    dtype = np.int64 if name == "n" else np.float64
    valid = np.array([value is not None for value in values], bool)
    data = np.array([7 if value is None else value for value in values], dtype)
    return Values(data, None if valid.all() else valid)


DTYPES = {"x": np.dtype(np.float64), "w": np.dtype(np.float64), "n": np.dtype(np.int64)}


def run(
    specs: list[Spec], rows: list[Row], pieces: int = 1, codes: bool = True
) -> dict[tuple[int, int], list[Any]]:
    aggregation = Aggregation(specs, SECOND, DTYPES)
    buckets = Buckets.of(Length(0, 0, BUCKET * SECOND), SECOND)
    gathered = Gathered(aggregation, Control())
    for stretch, first in stretches(rows, pieces):
        keys = None if codes else np.zeros(len(stretch.runs.codes), np.int32)
        gathered.add(aggregation.partial(stretch, Groups.of(stretch.runs, buckets, keys), first))
    partial = gathered.result()
    found = aggregation.finished(partial, buckets.ends(partial.starts))
    keys = list(zip(partial.codes.tolist(), partial.starts.tolist(), strict=True))
    assert keys == sorted(set(keys))
    return {key: [answer(item, at) for item in found] for at, key in enumerate(keys)}


def answer(item: Finished, at: int) -> Any:
    taken = [
        None if value.valid is not None and not value.valid[at] else value.data[at] for value in item.values
    ]
    if item.form == "int128":
        return None if taken[0] is None else int(taken[0][1]) * 2**64 + int(np.uint64(taken[0][0]))
    plain = [value.item() if value is not None else None for value in taken]
    return plain[0] if len(plain) == 1 else plain


def same(got: Any, want: Any) -> bool:
    if isinstance(want, list):
        return len(got) == len(want) and all(same(a, b) for a, b in zip(got, want, strict=True))
    if isinstance(want, float) and isinstance(got, float):
        return got == pytest.approx(want, rel=1e-9, abs=1e-9, nan_ok=True)
    return got == want and type(got) is type(want)


def groups(rows: list[Row], codes: bool = True) -> dict[tuple[int, int], list[Row]]:
    made: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.time, row.place)):
        made[row.code if codes else 0, row.time // BUCKET * BUCKET].append(row)
    return made


def above(value: float) -> tuple[bool, float]:
    return (True, 0.0) if value != value else (False, value)


def increase(samples: list[tuple[int, float]]) -> float | None:
    if len(samples) < 2:
        return None
    return float(sum(b if b < a else b - a for (_, a), (_, b) in itertools.pairwise(samples)))


def rate(samples: list[tuple[int, float]]) -> float | None:
    grown = increase(samples)
    return (
        None if grown is None or samples[-1][0] == samples[0][0] else grown / (samples[-1][0] - samples[0][0])
    )


def extrapolated(samples: list[tuple[int, float]], start: int) -> float | None:
    grown = increase(samples)
    if grown is None or samples[-1][0] == samples[0][0]:
        return None
    lasted = samples[-1][0] - samples[0][0]
    between = lasted / (len(samples) - 1)
    before, after = samples[0][0] - start, start + BUCKET - samples[-1][0]
    if before >= between * 1.1:
        before = between / 2
    if grown > 0 and samples[0][1] >= 0:
        before = min(before, lasted * samples[0][1] / grown)
    if after >= between * 1.1:
        after = between / 2
    return grown * (lasted + before + after) / lasted / BUCKET


def weight(samples: list[tuple[int, float]], end: int | None) -> float | None:
    stops = [*(time for time, _ in samples[1:]), samples[-1][0] if end is None else end] if samples else []
    lasted = stops[-1] - samples[0][0] if samples else 0
    if not lasted:
        return None
    return (
        sum(value * (stop - time) for (time, value), stop in zip(samples, stops, strict=True) if stop > time)
        / lasted
    )


def slope(samples: list[tuple[int, float]]) -> float | None:
    if len({time for time, _ in samples}) < 2:
        return None
    return statistics.linear_regression([time for time, _ in samples], [value for _, value in samples]).slope


def samples_of(rows: list[Row], name: str) -> list[tuple[int, Any]]:
    return [(row.time, getattr(row, name)) for row in rows if getattr(row, name) is not None]


def brute(spec: Spec, rows: list[Row], start: int) -> Any:  # noqa: C901
    name = spec.columns[0] if spec.columns else ""
    samples = samples_of(rows, name) if name else []
    values = [value for _, value in samples]
    match spec.function:
        case "count_star":
            return len(rows)
        case "count":
            return len(values)
        case "sum":
            return (math.fsum(values) if name != "n" else sum(values)) if values else None
        case "avg":
            return sum(values) / len(values) if values else None
        case "min":
            return min(values, key=above) if values else None
        case "max":
            return max(values, key=above) if values else None
        case "var_samp":
            return statistics.variance(values) if len(values) > 1 else None
        case "stddev_pop":
            return statistics.pstdev(values) if values else None
        case "first" | "last":
            row = rows[0] if spec.function == "first" else rows[-1]
            return row.place if spec.places else getattr(row, name)
        case "any_value":
            return values[0] if values else None
        case "arg_min" | "arg_max":
            by = spec.columns[1] if len(spec.columns) == 2 else "time"
            there = sorted(
                (row for row in rows if getattr(row, name) is not None and getattr(row, by) is not None),
                key=lambda row: row.place,
            )
            if not there:
                return None
            pick = min if spec.function == "arg_min" else max
            row = pick(there, key=lambda row: above(getattr(row, by)))
            return row.place if spec.places else getattr(row, name)
        case "increase":
            return increase(samples)
        case "delta":
            return float(values[-1] - values[0]) if len(values) > 1 else None
        case "rate":
            return rate(samples)
        case "prom_rate":
            return extrapolated(samples, start)
        case "derivative":
            return slope(samples)
        case "integral":
            if len(samples) < 2:
                return None
            return float(sum((d - c) * (a + b) / 2 for (c, a), (d, b) in itertools.pairwise(samples)))
        case "time_weight":
            return weight(samples, start + BUCKET if spec.carried else None)
        case "vwap":
            pairs = [(row.x, row.w) for row in rows if row.x is not None and row.w is not None]
            total = sum(b for _, b in pairs)
            return sum(a * b for a, b in pairs) / total if pairs and total else None
        case "ohlc":
            if not values:
                return [None] * 4
            return [values[0], max(values, key=above), min(values, key=above), values[-1]]
    raise AssertionError(spec)


ANY_ORDER = [
    Spec("count_star"),
    Spec("count", ("x",)),
    Spec("sum", ("x",)),
    Spec("sum", ("n",)),
    Spec("avg", ("x",)),
    Spec("avg", ("n",)),
    Spec("min", ("x",)),
    Spec("max", ("x",)),
    Spec("min", ("n",)),
    Spec("max", ("n",)),
    Spec("var_samp", ("w",)),
    Spec("stddev_pop", ("w",)),
    Spec("first", ("x",)),
    Spec("last", ("n",)),
    Spec("last", ("x",), places=True),
    Spec("any_value", ("x",)),
    Spec("arg_min", ("n",)),
    Spec("arg_max", ("x",), places=True),
    Spec("arg_max", ("n", "x")),
    Spec("arg_min", ("w", "n"), places=True),
    Spec("derivative", ("w",)),
    Spec("vwap", ("x", "w")),
    Spec("ohlc", ("x",)),
]
IN_ORDER = [
    Spec("increase", ("n",)),
    Spec("delta", ("w",)),
    Spec("rate", ("n",)),
    Spec("prom_rate", ("w",)),
    Spec("integral", ("w",)),
    Spec("time_weight", ("w",)),
    Spec("time_weight", ("w",), carried=True),
]


def check(specs: list[Spec], rows: list[Row], pieces: int, codes: bool = True) -> None:
    got = run(specs, rows, pieces, codes)
    want = groups(rows, codes)
    assert got.keys() == want.keys()
    for key, members in want.items():
        for spec, value in zip(specs, got[key], strict=True):
            expected = brute(spec, members, key[1])
            assert same(value, expected), (spec, key, value, expected, members)
