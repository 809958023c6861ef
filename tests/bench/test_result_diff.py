"""`Result.diff`: what changed from one result to another, held against counting in Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import SchemaError, UnsupportedError

Row = tuple[Any, ...]
ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from(["a", "b", ""]), st.none() | st.floats(allow_subnormal=False)),
    max_size=8,
)  # fmt: skip
SCHEMA = pa.schema({"k": pa.int64(), "s": pa.string(), "x": pa.float64()})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    path: Path = tmp_path_factory.mktemp("diff") / "d.luma"
    with lb.open(path) as opened:
        yield opened


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)


def known(row: Row) -> Row:
    """A row as something that can be counted: NaN is itself, and there is one zero."""
    return tuple("NaN" if isinstance(value, float) and math.isnan(value) else value for value in row)


def result(bench: lb.Bench, rows: pa.Table) -> lb.Result:
    return bench.kadeql("SELECT * FROM given", tables={"given": rows}, cache=False)


@settings(deadline=None, max_examples=60)
@given(before=ROWS, after=ROWS)
def test_rows_as_wholes_are_a_multiset(bench: lb.Bench, before: list[Row], after: list[Row]):
    found = result(bench, table(before)).diff(table(after), tolerance=0)
    old, new = Counter(map(known, before)), Counter(map(known, after))
    added = Counter(known(tuple(row.values())) for row in found.added.to_pylist())
    removed = Counter(known(tuple(row.values())) for row in found.removed.to_pylist())
    assert added == new - old
    assert removed == old - new
    assert found.same == (old == new)
    assert not len(found.changed)


@settings(deadline=None, max_examples=60)
@given(before=st.dictionaries(st.none() | st.integers(0, 6), st.tuples(st.none() | st.text(max_size=2), st.none() | st.floats()), max_size=6), after=st.dictionaries(st.none() | st.integers(0, 6), st.tuples(st.none() | st.text(max_size=2), st.none() | st.floats()), max_size=6))  # fmt: skip
def test_rows_by_key(bench: lb.Bench, before: dict[Any, Row], after: dict[Any, Row]):
    old, new = (
        table([(key, *rest) for key, rest in before.items()]),
        table([(key, *rest) for key, rest in after.items()]),
    )
    found = result(bench, old).diff(new, "k", tolerance=0)
    assert set(found.added.column("k").to_pylist()) == set(after) - set(before)
    assert set(found.removed.column("k").to_pylist()) == set(before) - set(after)
    differing = {key for key in set(before) & set(after) if known(before[key]) != known(after[key])}
    assert set(found.changed.column("k").to_pylist()) == differing
    counts = Counter(
        name
        for key in differing
        for name, one, two in zip(("s", "x"), known(before[key]), known(after[key]), strict=True)
        if one != two
    )
    assert Counter(found.changed_columns) == counts


def test_changed_rows_show_what_changed(bench: lb.Bench):
    old = pa.table({"k": [1, 2, 3], "a": ["x", "y", "z"], "b": [1.0, 2.0, 3.0]})
    new = pa.table({"k": [3, 2, 1], "a": ["z", "Y", "x"], "b": [3.5, 2.0, 1.0]})
    found = result(bench, old).diff(new, key="k")
    assert found.changed.to_pydict() == {
        "k": [2, 3], "a before": ["y", None], "a after": ["Y", None], "b before": [None, 3.0], "b after": [None, 3.5],
    }  # fmt: skip
    assert found.changed_columns == {"a": 1, "b": 1}
    assert "2 rows changed, by k" in repr(found)
    assert "Changed (a 1, b 1)" in found._repr_html_()


def test_rounding_is_no_difference_unless_asked_for(bench: lb.Bench):
    old = pa.table({"k": ["a", "a", "b"], "x": [0.3, 7.0, 1e9], "y": [1.0, 2.0, 0.0]})
    new = pa.table({"k": ["a", "b", "a"], "x": [0.1 + 0.2, 1e9 + 1e-4, 7.0], "y": [1.0, 0.0, 2.0 + 1e-14]})
    assert result(bench, old).diff(new).same
    assert result(bench, old).diff(new, tolerance=0).summary.startswith("3 rows added, 3 rows removed")
    # A value is held against its counterpart, not against others: what is small is not nothing.
    small = pa.table({"x": [1e15, 2.0]})
    assert len(result(bench, small).diff(pa.table({"x": [1e15, 500.0]})).added) == 1
    wide = pa.table({"x": [math.inf, math.nan, 1.0]})
    assert result(bench, wide).diff(wide).same
    assert len(result(bench, wide).diff(pa.table({"x": [1.0, math.nan, -math.inf]})).added) == 1
    assert len(result(bench, wide).diff(pa.table({"x": [1e308, math.nan, 1.0]})).added) == 1


def test_columns_come_and_go_and_change_their_types(bench: lb.Bench):
    old = pa.table({"a": [1, 2], "b": ["x", "y"], "gone": [True, False]})
    new = pa.table({"b": ["x", "y"], "a": pa.array([1, 3], pa.int32()), "fresh": [1, 2]})
    found = result(bench, old).diff(new)
    assert found.columns_added == ("fresh",)
    assert found.columns_removed == ("gone",)
    assert [(one.name, str(one.before), str(one.after)) for one in found.columns_retyped] == [
        ("a", "int64", "int32")
    ]
    assert found.added.to_pydict() == {"b": ["y"], "a": [3], "fresh": [2]}
    assert "Column a was int64 and is int32." in repr(found)
    # What has another kind of type is compared by what it looks like.
    assert not len(result(bench, old).diff(old.set_column(0, "a", pa.array(["1", "2"]))).added)
    nothing = result(bench, old).diff(pa.table({"other": [1]}))
    assert (len(nothing.added), len(nothing.removed)) == (1, 2)


def test_another_schema_is_said_before_the_rows(bench: lb.Bench):
    old = pa.table({"a": [1, 2], "b": ["x", "y"]})
    new = old.set_column(0, "a", old["a"].cast(pa.int32())).append_column("c", pa.array([1, 2]))
    found = result(bench, old).diff(new)
    assert not found.same
    assert (
        found.summary
        == "1 column added, 1 column retyped, the same rows in the columns that both have · 2 rows before, 2 after."
    )
    assert (
        result(bench, old).diff(old.slice(1).drop(["b"]), "a").summary
        == "1 column removed, 1 row removed, by a · 2 rows before, 1 after."
    )


def test_a_month_is_not_thirty_days(bench: lb.Bench):
    ways = {"1 MONTH": "30 DAYS", "1 DAY": "24 HOURS"}
    for one, two in ways.items():
        before = bench.kadeql(f"SELECT 1 AS k, INTERVAL {one} AS i, [INTERVAL {one}] AS j")
        after = bench.kadeql(f"SELECT 1 AS k, INTERVAL {two} AS i, [INTERVAL {two}] AS j")
        assert before.diff(before).same
        assert before.diff(before, "k").same
        assert len(before.diff(after).added) == 1
        assert before.diff(after, "k").changed_columns == {"i": 1, "j": 1}
        assert len(before.diff(after, "i").added) == 1


def test_the_tolerance_reaches_into_lists_and_structs(bench: lb.Bench):
    kinds: list[tuple[pa.DataType, Any, Any, Any]] = [
        (pa.list_(pa.float64()), [1.0, None, math.nan], [1.0 + 1e-12, None, math.nan], [1.0, None, 2.0]),
        (pa.list_(pa.float32(), 2), [1.0, 2.0], [1.0, 2.0], [1.0, 2.5]),
        (pa.struct({"p": pa.float64(), "q": pa.string()}), {"p": 0.3, "q": "x"}, {"p": 0.1 + 0.2, "q": "x"}, {"p": 0.3, "q": "y"}),
        (pa.map_(pa.string(), pa.list_(pa.float64())), [("a", [0.3])], [("a", [0.1 + 0.2])], [("b", [0.3])]),
        (pa.list_(pa.list_(pa.float64())), [[0.3], []], [[0.1 + 0.2], []], [[], [0.3]]),
    ]  # fmt: skip
    for kind, value, close, other in kinds:
        old, near, far = (
            pa.table({"k": [1, 2, 3], "v": pa.array([value, None, changed], kind)})
            for changed in (value, close, other)
        )
        for key in (None, "k"):
            assert result(bench, old).diff(near, key).same, (kind, key)
            assert not result(bench, old).diff(far, key).same, (kind, key)
        assert result(bench, old).diff(far, "k").changed_columns == {"v": 1}
        assert result(bench, old).diff(near, tolerance=0).same == (value == close and "nan" not in str(value))


def test_nested_values_and_odd_names(bench: lb.Bench):
    old = pa.table({'a"b': [[1, 2], None], "x; DROP": [{"p": 1}, {"p": None}], "n": [0, 1]})
    new = pa.table({'a"b': [[1, 2], [3]], "x; DROP": [{"p": 1}, {"p": 2}], "n": [0, 1]})
    found = result(bench, old).diff(new, "n")
    assert found.changed_columns == {'a"b': 1, "x; DROP": 1}
    assert len(result(bench, old).diff(new).removed) == 1


def test_columns_of_one_name_are_told_apart_by_their_order(bench: lb.Bench):
    asked = bench.kadeql("SELECT 1 AS a, 2 AS a")
    assert asked.diff(bench.kadeql("SELECT 1 AS a, 2 AS a")).same
    assert not asked.diff(bench.kadeql("SELECT 2 AS a, 1 AS a")).same


def test_snapshots_are_compared(bench: lb.Bench):
    bench.write("t", {"k": [1, 2], "v": [10, 20]}, mode="replace")
    first = bench.snapshot
    bench.kadeql("UPDATE t SET v = 21 WHERE k = 2; INSERT INTO t VALUES (3, 30)")
    found = bench.kadeql("SELECT * FROM t", at=first).diff(bench.kadeql("SELECT * FROM t"), key="k")
    assert (found.rows_before, found.rows_after) == (2, 3)
    assert found.changed.to_pydict() == {"k": [2], "v before": [20], "v after": [21]}
    assert found.added.to_pydict() == {"k": [3], "v": [30]}


def test_results_of_different_benches_and_plain_tables(bench: lb.Bench, tmp_path: Path):
    with lb.open(tmp_path / "other.luma") as other:
        assert bench.kadeql("SELECT 1 AS a").diff(other.kadeql("SELECT 1 AS a")).same
    import pandas as pd

    assert bench.kadeql("SELECT 1::BIGINT AS a").diff(pd.DataFrame({"a": [1]})).same
    assert (
        lb.Result(pa.table({"a": [1]}), bench.kadeql("SELECT 1").run, "")
        .diff({"a": [2]})
        .summary.startswith("1 row added")
    )


def test_whole_numbers_beyond_a_double_are_compared_with_doubles(bench: lb.Bench):
    old = pa.table({"k": [2**53 + 1, 3], "v": [2**53 + 1, 1]})
    new = pa.table({"k": [float(2**53), 3.0], "v": [float(2**53), 1.5]})
    found = result(bench, old).diff(new, "k")
    assert found.changed_columns == {"v": 1}
    assert len(result(bench, old).diff(new).added) == 1


def test_empty_results(bench: lb.Bench):
    nothing = pa.table({"a": pa.array([], pa.int64())})
    assert result(bench, nothing).diff(nothing).same
    assert result(bench, nothing).diff(nothing, "a").same
    assert len(result(bench, nothing).diff(pa.table({"a": [1]}), "a").added) == 1


def test_what_cannot_be_compared_is_refused(bench: lb.Bench):
    asked = result(bench, pa.table({"a": [1, 1], "b": [1, 2]}))
    with pytest.raises(SchemaError, match=r"several rows with one key: a = 1"):
        asked.diff(asked, "a")
    with pytest.raises(SchemaError, match="no column 'c'"):
        asked.diff(asked, ("a", "c"))
    with pytest.raises(UnsupportedError, match="tolerance"):
        asked.diff(asked, tolerance=-1)
    for tolerance in (math.inf, math.nan, "1", None, True):
        with pytest.raises(UnsupportedError, match="is no tolerance"):
            asked.diff(asked, tolerance=tolerance)
    with pytest.raises(UnsupportedError, match="not a table"):
        asked.diff(3)


def test_nothing_from_outside_reaches_the_page(bench: lb.Bench):
    evil = "<img src=x onerror=alert(1)>"
    found = result(bench, pa.table({evil: [evil]})).diff(pa.table({evil: ["other"], f"{evil}2": [1]}))
    assert evil not in found._repr_html_()
