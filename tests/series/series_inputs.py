"""Inputs of constructs over small benches, and what they hold by looking at every row: what the readers are held against."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pyarrow as pa

import luma_bench as lb
from luma_bench.bench.ask import Ask
from luma_bench.bench.series.asked import Asked, Kept
from luma_bench.bench.series.rows import InputRows
from luma_bench.language import Query, parse
from luma_bench.language.series.pattern import Constant, Input, Name, Windows
from luma_bench.models.control import Control
from luma_bench.types.identity import OWNER, Identity
from luma_bench.types.scan import ScanCounters

NOBODY = (0, 1)


def asked_of(bench: lb.Bench, kept: Kept | None = None, *, user: Identity | None = None, **ask: Any) -> Asked:
    binder = bench._machinery.statements.runner.binder
    identity = Identity("owner", (OWNER,)) if user is None else user
    return Asked(
        binder, binder.store.resolve(), Ask(identity=identity, **ask), ScanCounters(), kept or Kept()
    )


def query(asked: Asked, text: str) -> Query:
    (found,) = parse(text, asked.binder.inspector)
    assert isinstance(found, Query)
    return found


def input_of(asked: Asked, item: str, where: str | None = None, before: str = "") -> Input:
    base = f"{before}SELECT * FROM {item} AS x"
    filtered = None if where is None else query(asked, f"{base} WHERE ({where})")
    return Input(query(asked, base), item if item.isidentifier() else None, "x", filtered)


def rows_of(asked: Asked, item: str, where: str | None = None, before: str = "") -> InputRows:
    return InputRows(input_of(asked, item, where, before), "the text", asked)


def constant(asked: Asked, text: str) -> Constant:
    literal = text[1:-1] if text.startswith("'") and "'" not in text[1:-1] else None
    return Constant(text, NOBODY, query(asked, f"SELECT ({text}) AS value"), literal)


def windows(
    asked: Asked,
    given: Input,
    kind: Any,
    *sizes: str,
    time: str | None = "ts",
    keys: tuple[str, ...] = (),
    **more: Any,
) -> Windows:
    return Windows(
        alias="@window 1",
        text="TUMBLE",
        span=NOBODY,
        kind=kind,
        input=given,
        keys=tuple(Name(key, NOBODY) for key in keys),
        time=None if time is None else Name(time, NOBODY),
        sizes=tuple(constant(asked, size) for size in sizes),
        **more,
    )


def read(
    rows: InputRows,
    keys: tuple[str, ...],
    time: str = "ts",
    number: str = "n",
    batch: int = 131_072,
    **more: Any,
) -> tuple[list[tuple[Any, ...]], int]:
    """Every row of `parts` as (keys…, time, number), and the rows without a time; each part is looked over."""
    series = rows.series(keys)
    found: list[tuple[Any, ...]] = []
    without = 0
    last = -1
    for part in rows.parts([number], keys, time, Control(batch=batch), series=series, **more):
        runs = part.runs
        without += runs.without_time
        assert part.first > last or not runs.rows
        last = max(last, part.first)
        assert len(set(runs.codes.tolist())) == len(runs.codes)
        assert runs.offsets[0] == 0
        assert runs.offsets[-1] == runs.rows
        names = part.ordered(number).to_pylist()
        values = list(zip(*(array.to_pylist() for array in series.arrays(runs.codes)), strict=True))
        for run in range(len(runs.codes)):
            low, high = int(runs.offsets[run]), int(runs.offsets[run + 1])
            own = list(zip(runs.time[low:high].tolist(), names[low:high], strict=True))
            assert own == sorted(own)  # numbers ascend as rows are stored
            found += [(*(values[run] if keys else ()), *row) for row in own]
    return found, without


KEY_TYPES = (
    (pa.string(), lambda rng: rng.choice(["a", "b", "ccc", "", "ä", None])),
    (pa.int32(), lambda rng: rng.choice([0, 1, -7, 2**31 - 1, None])),
    (pa.bool_(), lambda rng: rng.choice([True, False, None])),
    (pa.date32(), lambda rng: rng.choice([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None])),
    (pa.float64(), lambda rng: rng.choice([0.0, 1.5, -1e300, None])),
    (pa.decimal128(9, 2), lambda rng: rng.choice([0, 5, -7, None])),
    (pa.int64(), lambda rng: rng.randrange(3)),
)


def table_of(
    rng: random.Random, rows: int, first: int, kinds: Any, *, ordered: bool, nulls: float, unit: str
) -> pa.Table:
    """Rows of keys k0, k1, …, a time `ts`, a value `x` and numbers `n` from `first` on."""
    keys = [[draw(rng) for _ in range(rows)] for _, draw in kinds]
    times = [None if rng.random() < nulls else rng.randrange(-50, 200) for _ in range(rows)]
    if ordered:
        order = sorted(
            range(rows),
            key=lambda i: (*(repr(key[i]) for key in keys), -99 if times[i] is None else times[i]),
        )
        keys = [[key[i] for i in order] for key in keys]
        times = [times[i] for i in order]
    columns = {
        f"k{i}": pa.array(key, kind) for i, (key, (kind, _)) in enumerate(zip(keys, kinds, strict=True))
    }
    columns["ts"] = pa.array(times, pa.int64()).cast(pa.timestamp(unit))
    columns["x"] = pa.array([rng.choice([None, 1.0, float("nan"), -2.5]) for _ in range(rows)], pa.float64())
    columns["n"] = pa.array(range(first, first + rows), pa.int64())
    return pa.table(columns)


def fill(bench: lb.Bench, name: str, tables: list[pa.Table], **layout: Any) -> pa.Table:
    """A table written in several commits."""
    for place, table in enumerate(tables):
        bench.write(name, table, "append" if place else "create", **({} if place else layout))
    return pa.concat_tables(tables)


def open_bench(path: Path, **settings: Any) -> lb.Bench:
    return lb.open(path, **settings)
