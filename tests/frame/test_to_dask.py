"""Frames and results as dask.dataframes: read part by part where that is the same, else computed first and cut."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.engines.cluster import interop
from luma_bench.errors import UnsupportedError

ROWS = 5_000


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


def columns() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=int(i)) for i in rng.integers(0, 900, ROWS)]
    return {
        "k": pa.array(range(ROWS), pa.int64()),
        "n": pa.array([None if i % 10 == 0 else i for i in range(ROWS)], pa.int32()),
        "x": rng.normal(size=ROWS),
        "s": [None if i % 13 == 0 else f"word {i % 40}" for i in range(ROWS)],
        "b": pa.array([None, True, False, True, False] * (ROWS // 5)),
        "d": pa.array(days),
        "t": pa.array([1_000_000 * i for i in range(ROWS)], pa.timestamp("us")),
        "z": pa.array([1_000 * i for i in range(ROWS)], pa.timestamp("ms", "Europe/Paris")),
        "m": pa.array([Decimal(i) / 100 for i in range(ROWS)], pa.decimal128(10, 2)),
        "l": [list(range(i % 3)) for i in range(ROWS)],
        "c": pa.array([f"code {i % 4}" for i in range(ROWS)]).dictionary_encode(),
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """A table of ten chunks with deleted rows and a tail."""
    path = tmp_path_factory.mktemp("dask") / "b.luma"
    with lb.open(path, chunk_rows=500, threads=2) as opened:
        opened.write("t", pa.table(columns()))
        opened.kadeql("DELETE FROM t WHERE k % 7 = 3")
        opened.write("t", pa.table(columns()).slice(3, 1), mode="append")
        yield opened


def rows_of(found: Any) -> list[dict[str, Any]]:
    """The rows of a dask.dataframe, as Python values and NULL as None."""
    table = pa.Table.from_pandas(found.compute(), preserve_index=False)
    return table.to_pylist()


STORED: list[Callable[[lb.DataFrame], lb.DataFrame]] = [
    lambda f: f,
    lambda f: f[["s", "k"]],
    lambda f: f[f.k > 4_000],
    lambda f: f[(f.n > 17) & (f.s == "word 3")][["k", "s", "m"]],
    lambda f: f.assign(double=f.x * 2, word=f.s.str.upper())[["double", "word", "k"]],
    lambda f: f.dropna(subset="n").rename(columns={"n": "number"})[["number", "d", "z"]],
]


@pytest.mark.parametrize("make", STORED)
@pytest.mark.parametrize("count", [1, 4, 50, None])
def test_rows_of_one_table_are_read_when_they_are_computed(
    bench: lb.Bench,
    make: Callable[[lb.DataFrame], lb.DataFrame],
    count: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = make(bench.table("t"))
    expected = frame.to_arrow()

    with monkeypatch.context() as patch:
        patch.setattr(lb.DataFrame, "collect", _refused)
        found = frame.to_dask(npartitions=count)

    assert found.npartitions <= (count or 1)
    assert (found.npartitions > 1) == (count in (4, 50))
    assert list(found.columns) == frame.columns
    assert rows_of(found) == plain(expected)


def _refused(*_: Any, **__: Any) -> None:
    raise AssertionError("nothing may run before rows are asked for")


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as pandas has them: texts as text, and no dictionaries."""
    fields = [
        pa.field(f.name, f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in table.schema
    ]
    return table.cast(pa.schema(fields)).to_pylist()


COMPUTED: list[Callable[[lb.DataFrame], lb.DataFrame]] = [
    lambda f: f.groupby("s").agg(n=("k", "count"), total=("k", "sum")).sort_values("s"),
    lambda f: f.sort_values("x")[["k", "x"]],
    lambda f: f.head(100)[["k"]],
    lambda f: f[["k", "x"]].assign(before=f.x.shift(1)),
    lambda f: f[["c"]].drop_duplicates().sort_values("c"),
]


@pytest.mark.parametrize("make", COMPUTED)
def test_anything_else_is_computed_first_and_cut(
    bench: lb.Bench, make: Callable[[lb.DataFrame], lb.DataFrame]
) -> None:
    frame = make(bench.table("t"))

    found = frame.to_dask(npartitions=3)

    assert found.npartitions == 3
    expected = frame.to_arrow()
    whole = [
        field.name for field in expected.schema if pa.types.is_decimal(field.type) and not field.type.scale
    ]
    for name in whole:
        place = expected.schema.get_field_index(name)
        expected = expected.set_column(place, name, expected[name].cast(pa.int64()))
    assert rows_of(found) == plain(expected)


def test_dtypes_are_those_of_every_partition(bench: lb.Bench) -> None:
    found = bench.table("t").to_dask(npartitions=5)

    parts = [found.partitions[at].compute() for at in range(found.npartitions)]

    assert found.npartitions == 5
    for part in parts:
        assert part.dtypes.to_dict() == found.dtypes.to_dict()
    kinds = {name: str(dtype) for name, dtype in found.dtypes.items()}
    assert kinds == {
        "k": "Int64",
        "n": "Int32",
        "x": "float64",
        "s": "string",
        "b": "boolean",
        "d": "date32[day][pyarrow]",
        "t": "datetime64[us]",
        "z": "datetime64[ms, Europe/Paris]",
        "m": "decimal128(10, 2)[pyarrow]",
        "l": kinds["l"],
        "c": "string",
    }
    assert kinds["l"].startswith("list<")
    assert kinds["l"].endswith("[pyarrow]")


def test_columns_that_are_never_null_keep_numpy_dtypes(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"k": [1, 2], "v": [1, None]}, primary_key="k")

        dtypes = bench.table("t").to_dask().dtypes

        assert (str(dtypes["k"]), str(dtypes["v"])) == ("int64", "Int64")


def test_dask_computes_with_it(bench: lb.Bench) -> None:
    frame = bench.table("t")
    found = frame.to_dask(npartitions=4)

    means = found.groupby("c").x.mean().compute().to_dict()

    expected = frame.groupby("c").agg(mean=("x", "mean")).to_pandas()
    assert means == pytest.approx(dict(zip(expected.c, expected["mean"], strict=True)))
    assert int(found.k.sum().compute()) == frame.k.sum()
    assert len(found) == len(frame)
    assert len(found[found.n > 100]) == len(frame[frame.n > 100])


def test_only_the_columns_that_a_computation_needs_are_read(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    original = interop.StoredPartition.rows

    def noted(self: interop.StoredPartition, columns: list[str]) -> pa.Table:
        asked.append(list(columns))
        return original(self, columns)

    monkeypatch.setattr(interop.StoredPartition, "rows", noted)
    found = bench.table("t").to_dask(npartitions=2)

    found.x.mean().compute()
    found[["s", "k"]].groupby("s").k.sum().compute()

    assert asked[:2] == [["x"], ["x"]]
    assert all(set(names) == {"s", "k"} for names in asked[2:])


def test_a_partition_survives_pickling_and_is_small(bench: lb.Bench) -> None:
    frame = bench.table("t")
    found = frame[frame.k < 3_000][["k", "s"]].to_dask(npartitions=6)

    sizes = [len(pickle.dumps(found.partitions[at])) for at in range(found.npartitions)]

    assert found.npartitions == 6
    assert max(sizes) < 40_000
    back = pickle.loads(pickle.dumps(found))
    assert rows_of(back) == frame[frame.k < 3_000][["k", "s"]].to_arrow().to_pylist()


def test_it_stays_at_its_snapshot(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"k": list(range(1_000))})
        found = bench.table("t").to_dask()
        bench.kadeql("DELETE FROM t WHERE k < 500")
        bench.write("t", {"k": [7]}, mode="append")
        bench.compact()

        assert int(found.k.sum().compute()) == sum(range(1_000))
        assert bench.table("t").to_dask().k.count().compute() == 501


def test_its_snapshot_is_kept_as_long_as_it_lives(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma", retention=0, inline_bytes=0) as bench:
        bench.write("t", {"k": list(range(1_000))})
        found = bench.table("t").to_dask()
        bench.write("t", {"k": [1]}, mode="replace")
        bench.compact()

        assert int(found.k.sum().compute()) == sum(range(1_000))


def test_it_is_read_after_its_bench_was_closed(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"k": list(range(1_000))})
        found = bench.table("t").to_dask()

    assert int(found.k.sum().compute()) == sum(range(1_000))


def test_uncommitted_rows_and_rows_under_policies_are_handed_over(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"k": [1, 2, 3], "v": ["a", "b", "a"]})
        with bench.transaction() as transaction:
            transaction.write("t", {"k": [4], "v": ["a"]}, mode="append")
            assert rows_of(transaction.table("t").to_dask(2))[-1] == {"k": 4, "v": "a"}
            transaction.rollback()
        bench.kadeql("CREATE ROW POLICY own ON t USING v = 'a' TO staff")
        seen = bench.acting_as(lb.Identity("ada", roles=("staff",))).table("t")

        assert [row["k"] for row in rows_of(seen.to_dask(2))] == [1, 3]
        assert [row["k"] for row in rows_of(seen[seen.k > 1].to_dask(2))] == [3]


def test_empty_tables_and_empty_answers_keep_their_dtypes(bench: lb.Bench) -> None:
    empty = bench.table("t")
    for frame in (empty[empty.k < -5], empty[empty.k < -5].sort_values("x"), empty.head(0)):
        found = frame.to_dask(npartitions=4)

        assert found.npartitions >= 1
        assert len(found) == 0
        assert str(found.compute().dtypes["n"]) == "Int32"


def test_frames_of_data_and_of_files(tmp_path: Path) -> None:
    data = {"x": list(range(100)), "y": ["a", None] * 50}
    lb.from_dict(data).to_parquet(tmp_path / "t.parquet")

    for frame in (lb.from_dict(data), lb.read_parquet(tmp_path / "t.parquet")):
        found = frame.to_dask(npartitions=3)

        assert found.npartitions == 3
        assert rows_of(found) == [{"x": x, "y": y} for x, y in zip(data["x"], data["y"], strict=True)]


def test_a_result(bench: lb.Bench) -> None:
    result = bench.kadeql("SELECT s, sum(k) AS total, count(*) AS n FROM t GROUP BY s ORDER BY s")

    found = result.to_dask(npartitions=4)

    assert found.npartitions == 4
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "s": "string",
        "total": "Int64",
        "n": "Int64",
    }
    frame = result.to_pandas()
    assert found.compute()["total"].tolist() == frame["total"].tolist()
    assert [found.partitions[at].compute().shape[0] for at in range(4)] == [10, 10, 10, 11]


@pytest.mark.parametrize(("rows", "count"), [(0, 1), (0, 5), (1, 3), (41, 4), (60, 70), (64, 8)])
def test_rows_in_memory_are_cut_in_order_and_about_equally(rows: int, count: int) -> None:
    found = interop.from_arrow(pa.table({"x": pa.array(range(rows), pa.int64())}), count)

    sizes = found.map_partitions(len, meta=(None, "int64")).compute().tolist()

    assert found.npartitions == max(1, min(rows, count))
    assert max(sizes) - min(sizes) <= 1
    assert found.x.compute().tolist() == list(range(rows))


@pytest.mark.parametrize("count", [0, -1])
def test_numbers_that_hold_nothing(bench: lb.Bench, count: int) -> None:
    with pytest.raises(UnsupportedError, match=f"npartitions={count} holds no rows"):
        bench.table("t").to_dask(npartitions=count)
    with pytest.raises(UnsupportedError, match="holds no rows"):
        bench.kadeql("SELECT 1 AS x").to_dask(npartitions=count)


def test_without_dask_the_error_says_what_to_install(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)

    for asked in (bench.table("t"), bench.kadeql("SELECT 1 AS x")):
        with pytest.raises(UnsupportedError, match=r"needs dask\.dataframe") as caught:
            asked.to_dask()
        assert caught.value.hint == "Install it: pip install 'luma-bench[scale]'."


def test_importing_it_loads_no_dask() -> None:
    code = "import sys, luma_bench.engines.cluster.interop as i; print('dask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
