"""The one tolerance: sums of floats may differ by 1e-9 of their size, because the order of addition is free; nothing else may."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conformance_cases import EXACT, LIBM, SUMS, Aggregate
from conformance_engines import ENGINES, LOOKING_UP, taking_small_tables
from conformance_run import Asker, Refused
from conformance_same import differences, same, table_differences
from conformance_support import recorded

import luma_bench as lb

FLOAT = [engine for engine in recorded() if engine not in LOOKING_UP]
ROWS = 3_000


def _columns() -> dict[str, list[float]]:
    """Floats whose sums are easy or hard: of one sign, of every size, exact in binary, and large ones that fit."""
    rng = random.Random(11)
    return {
        "positive": [rng.uniform(0, 1) for _ in range(ROWS)],
        "sized": [rng.uniform(1, 9) * 10.0 ** rng.randint(-12, 12) for _ in range(ROWS)],
        "tenths": [0.1] * ROWS,
        "halves": [rng.randint(-1000, 1000) / 2 for _ in range(ROWS)],
        "large": [1e12 + rng.randint(0, 9) for _ in range(ROWS)],
    }


COLUMNS = _columns()


@pytest.fixture(scope="module")
def sums(
    conformance_bench: Path,
    opened: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], lb.Bench]]:
    """A bench of floats in five segments, for an engine."""
    path = tmp_path_factory.mktemp("sums") / "s.luma"
    table = pa.table(
        {
            "g": [i % 3 for i in range(ROWS)],
            **COLUMNS,
            "whole": pa.array([2**53 + i for i in range(ROWS)], pa.int64()),
            "cents": pa.array([Decimal(i).scaleb(-2) for i in range(ROWS)], pa.decimal128(12, 2)),
        }
    )
    made: dict[str, lb.Bench] = {}
    with lb.open(path, inline_bytes=0, chunk_rows=256, shard_rows=512, result_cache_bytes=0) as writer:
        writer.write("f", table.slice(0, 600))
        for first in range(600, ROWS, 600):
            writer.write("f", table.slice(first, 600), mode="append")

        def bench(engine: str) -> lb.Bench:
            if ENGINES[engine]:
                pytest.importorskip(ENGINES[engine])
            where = "cluster" if engine == "dask" else "here"
            if where not in made:
                given = {"cluster": request.getfixturevalue("cluster_client")} if engine == "dask" else {}
                made[where] = lb.open(path, "r", result_cache_bytes=0, **given)
            return taking_small_tables(made[where], engine)

        yield bench
        for opened_here in made.values():
            opened_here.close()  # fmt: skip


@pytest.mark.parametrize("engine", FLOAT)
def test_sums_are_within_the_tolerance_and_exact_where_they_can_be(
    sums: Callable[[str], lb.Bench], engine: str
) -> None:
    listed = ", ".join(f"sum({name}) AS {name}_sum, avg({name}) AS {name}_avg" for name in COLUMNS)
    text = f"SELECT g, {listed}, sum(whole) AS w, sum(cents) AS c, count(*) AS n FROM f GROUP BY g"
    answer = sums(engine).kadeql(text, engine=engine, strict=True, cache=False)
    assert answer.run.engine == engine
    for row in answer.to_arrow().to_pylist():
        members = range(row["g"], ROWS, 3)
        assert row["n"] == len(members)
        assert row["w"] == sum(2**53 + i for i in members)
        assert row["c"] == sum(Decimal(i).scaleb(-2) for i in members)
        for name, values in COLUMNS.items():
            exact = sum((Fraction(values[i]) for i in members), Fraction(0))
            assert math.isclose(row[f"{name}_sum"], exact, rel_tol=SUMS), name
            assert math.isclose(row[f"{name}_avg"], exact / len(members), rel_tol=SUMS), name
            if name in ("halves", "large"):  # every partial sum is a float, so no order of addition rounds
                assert row[f"{name}_sum"] == exact, name


@pytest.mark.parametrize("engine", FLOAT)
def test_a_value_that_is_no_sum_is_bit_for_bit(sums: Callable[[str], lb.Bench], engine: str) -> None:
    text = "SELECT sized, positive * 3 AS p, max(tenths) OVER () AS m FROM f"
    found = sums(engine).kadeql(text, engine=engine, cache=False).to_arrow()
    assert sorted(found["sized"].to_pylist()) == sorted(COLUMNS["sized"])
    assert sorted(found["p"].to_pylist()) == sorted(value * 3 for value in COLUMNS["positive"])
    assert set(found["m"].to_pylist()) == {0.1}


# --- the measure itself: a suite whose comparison forgives would prove nothing ---


@pytest.mark.parametrize(
    ("found", "wanted", "tolerance", "equal"),
    [
        (1.0, 1.0 + 1e-10, SUMS, True),
        (1.0, 1.0 + 1e-8, SUMS, False),
        (1.0, 1.0 + 1e-15, EXACT, False),
        (math.nextafter(1.0, 2), 1.0, LIBM, True),
        (1.0, 1.0 + 1e-15, LIBM, False),
        (0.0, 1e-300, SUMS, False),
        (-0.0, 0.0, EXACT, False),
        (math.nan, math.nan, EXACT, True),
        (math.nan, 0.0, SUMS, False),
        (math.inf, -math.inf, SUMS, False),
        (math.inf, 1.7e308, SUMS, False),
        (1, 1.0, SUMS, False),
        (1, True, SUMS, False),
        (None, 0, SUMS, False),
        (Decimal("1.00"), Decimal("1.01"), SUMS, False),
        (10**15, 10**15 + 1, SUMS, False),
        ("é", "e\u0301", SUMS, False),
        ([1, None], [1, None], EXACT, True),
        ([1.0, None], [None, 1.0], SUMS, False),
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, SUMS, True),
        ({"a": 1}, {"b": 1}, SUMS, False),
        (dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), SUMS, False),
    ],
)
def test_what_counts_as_the_same(found: object, wanted: object, tolerance: float, equal: bool) -> None:
    assert same(found, wanted, tolerance, signed=True) is equal


def test_types_and_names_and_order_count() -> None:
    table = pa.table({"a": pa.array([1, 2], pa.int32())})
    assert table_differences(table, table, ordered=True) == ""
    assert "types" in table_differences(table, table.cast(pa.schema([("a", pa.int64())])), ordered=False)
    assert "columns" in table_differences(table, table.rename_columns(["b"]), ordered=False)
    assert "rows" in table_differences(table, table.slice(0, 1), ordered=False)
    turned = table.take([1, 0])
    assert table_differences(table, turned, ordered=False) == ""
    assert "row 0" in table_differences(table, turned, ordered=True)


def test_an_aggregate_of_another_type_or_key_is_no_answer() -> None:
    item = Aggregate("sum(x)", pa.float64(), lambda rows: 1.0)
    assert differences({"a": 1.0}, 1, pa.float64(), {"a": 1.0}, item) == ""
    assert "type" in differences({"a": 1.0}, 1, pa.float32(), {"a": 1.0}, item)
    assert "keys" in differences({"a": 1.0}, 1, pa.float64(), {"b": 1.0}, item)
    assert "keys" in differences({"a": 1.0}, 2, pa.float64(), {"a": 1.0}, item)
    assert "for 'a'" in differences({"a": 1.0}, 1, pa.float64(), {"a": 2.0}, item)


def test_a_refusal_is_no_answer(asker: Callable[[str], Asker]) -> None:
    assert asker("point").ask("SELECT count(*) AS n FROM facts") == Refused(
        "it serves SELECT columns FROM table WHERE primary key = value, and this is another query"
    )
