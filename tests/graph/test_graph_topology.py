"""Topologies: keys of every kind, what is shared between snapshots, what is built once, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topology_worlds import check, expected, graph_of, ordered

from luma_bench.errors import SchemaError
from luma_bench.models.graph.build import build
from luma_bench.models.graph.merged import isolated, live_mask, merged
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.storage.store import Store
from luma_bench.types.graph import PropertyGraph

GRAPH = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v")})


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "b.luma") as made:
        yield made


def built(tables: dict[str, pa.Table], graph: PropertyGraph = GRAPH):
    """A topology of tables in memory, held against them."""
    rows = {
        name: table.add_column(0, "_rowid", [np.arange(table.num_rows) * 3 + 7])
        for name, table in tables.items()
    }
    made = build(graph, 1, lambda table, columns: rows[table].select(["_rowid", *columns]))
    check(made, expected(graph, rows))
    return made


KINDS = {
    "dense integers": (pa.int64(), pa.int16(), [5, 3, 4, None, 9], [3, 9, 5, 77, None, 3]),
    "sparse integers": (pa.int64(), pa.int64(), [2**60, -(2**60), 0], [2**60, 0, 5, -(2**60)]),
    "uint64": (pa.uint64(), pa.int64(), [2**63 + 1, 4, 0], [4, -4, 0, None]),
    "two uint64": (pa.uint64(), pa.uint32(), [2**63 + 1, 4, 0], [4, 1, 0, None]),
    "floats": (pa.float64(), pa.float32(), [0.0, 1.5, 2.0], [-0.0, 1.5, 3.0, None]),
    "float to integer": (pa.int32(), pa.float64(), [0, 1, 2], [0.0, 1.5, 2.0]),
    "texts": (pa.string(), pa.large_string(), ["a", "", "b", None], ["a", "", None, "zz", "b", "a"]),
    "views": (pa.string_view(), pa.string(), ["a", "", "long enough to lie outside"], ["long enough to lie outside", "a", "x"]),
    "dictionaries": (pa.string(), pa.dictionary(pa.int8(), pa.string()), ["a", "b", "c"], ["c", "a", None, "x"]),
    "binary": (pa.binary(), pa.large_binary(), [b"a", b"\0"], [b"\0", b"b"]),
    "booleans": (pa.bool_(), pa.bool_(), [True, False], [False, None, True]),
    "dates": (pa.date32(), pa.timestamp("ms"), [dt.date(2020, 1, 1), dt.date(1969, 5, 5)], [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 5), dt.datetime(1969, 5, 5)]),
    "moments": (pa.timestamp("s", "UTC"), pa.timestamp("us", "Europe/Berlin"), [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 2, tzinfo=dt.UTC)]),
    "decimals": (pa.decimal128(9, 2), pa.int32(), [Decimal("1.00"), Decimal("2.50")], [1, 2]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_two_types_meet(kind: str) -> None:
    one, other, keys, ends = KINDS[kind]
    vertices = pa.table({"k": pa.array(keys, one)})
    edges = pa.table({"s": pa.array(ends, other), "d": pa.array(ends[::-1], other)})
    built({"v": vertices, "e": edges})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.int64(), pa.string()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.date32(), pa.timestamp("us", "UTC")),
    ],
)
def test_types_that_cannot_be_compared_are_named(one: pa.DataType, other: pa.DataType) -> None:
    with pytest.raises(SchemaError, match=r"v\.k is a .* and e\.s a .*cannot be compared"):
        built(
            {
                "v": pa.table({"k": pa.array([], one)}),
                "e": pa.table({"s": pa.array([], other), "d": pa.array([], other)}),
            }
        )


def test_a_key_of_a_nested_type_is_refused() -> None:
    kind = pa.list_(pa.int8())
    rows = {
        "v": pa.table({"k": pa.array([[1]], kind)}),
        "e": pa.table({"s": pa.array([[1]], kind), "d": pa.array([[1]], kind)}),
    }
    with pytest.raises(SchemaError, match=r"v\.k is a list.*cannot be a key"):
        built(rows)


@pytest.mark.parametrize("where", ["v", "e"])
def test_a_key_that_is_nan_is_refused(where: str) -> None:
    tables = {"v": pa.table({"k": [1.0, 2.0]}), "e": pa.table({"s": [1.0], "d": [2.0]})}
    tables[where] = pa.table({name: [float("nan")] for name in tables[where].column_names})
    with pytest.raises(SchemaError, match=f"is NaN: column '[ks]' of table '{where}'"):
        built(tables)


@pytest.mark.parametrize("keys", [[1, 2, 1], [10**12, 5, 10**12], ["a", "b", "a"]])
def test_a_key_that_two_vertices_have_is_refused(keys: list) -> None:
    with pytest.raises(SchemaError, match=r"Two rows of 'v' have the same key \(k\)"):
        built({"v": pa.table({"k": keys}), "e": pa.table({"s": keys[:1], "d": keys[:1]})})


def test_a_key_that_no_edge_refers_to_is_unique_too() -> None:
    graph = replace(GRAPH, vertices=(replace(GRAPH.vertices[0], key=("id",)),))
    rows = {"v": pa.table({"id": [1, 1], "k": [1, 2]}), "e": pa.table({"s": [1], "d": [2]})}
    with pytest.raises(SchemaError, match=r"the same key \(id\)"):
        built(rows, graph)


def test_vertices_without_a_key_have_no_edges() -> None:
    found = built({"v": pa.table({"k": [None, 1, None]}), "e": pa.table({"s": [1, None], "d": [1, 1]})})
    assert (found.edges[0].nulls, found.edges[0].count) == (1, 1)
    assert isolated(found).tolist() == [True, False, True]


ROWS = st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 3))] * 4), max_size=30)


@given(
    keys=st.sets(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 2**40).map(lambda n: n % 3 * 10**11)), max_size=20),
    edges=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "c", None]), st.sampled_from([0, 10**11, 7]), st.integers(0, 9)), max_size=40),
    others=st.sets(st.integers(0, 9), max_size=8),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_composite_keys_and_two_vertex_tables(keys, edges, others) -> None:
    graph = graph_of(
        {"other": ("id",), "v": ("a", "b", "c")},
        {
            "e": (("x", "y", "z"), "v", ("o",), "other"),
            "back": (("o",), "other", ("x", "y", "z"), "v"),
        },
    )
    a, b, c = zip(*sorted(keys), strict=True) if keys else ((), (), ())
    vertices = pa.table(
        {"a": pa.array(a, pa.int8()), "b": pa.array(b, pa.string()), "c": pa.array(c, pa.int64())}
    )
    columns = list(zip(*edges, strict=True)) or [(), (), (), ()]
    rows = pa.table(
        {
            "x": pa.array(columns[0], pa.int64()),
            "y": pa.array(columns[1], pa.string()),
            "z": pa.array(columns[2], pa.int64()),
            "o": pa.array(columns[3], pa.int32()),
        }
    )
    other = pa.table({"id": pa.array(sorted(others), pa.int64())})
    built({"other": other, "v": vertices, "e": rows, "back": rows}, graph)


@given(
    edges=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40),
    more=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=15),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_merged_adjacency_is_that_of_the_edges(edges, more, data) -> None:
    graph = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v"), "f": (("s",), "v", ("d",), "v")})
    tables = {"v": pa.table({"k": list(range(7))})}
    for name, pairs in (("e", edges), ("f", more)):
        tables[name] = pa.table(
            {
                "s": pa.array([s for s, _ in pairs], pa.int64()),
                "d": pa.array([d for _, d in pairs], pa.int64()),
            }
        )
    found = built(tables, graph)
    pairs = [*edges, *more]
    chosen = data.draw(st.sampled_from([(0,), (1,), (0, 1)]))
    masks = {
        table: np.array(data.draw(st.lists(st.booleans(), min_size=rows.count, max_size=rows.count)), bool)
        for table, rows in enumerate(found.edges)
        if data.draw(st.booleans())
    }
    for reverse in (False, True):
        for undirected in (False, True):
            wanted = Counter()
            for table in chosen:
                rows = found.edges[table]
                for slot in range(rows.count):
                    if table in masks and not masks[table][slot]:
                        continue
                    s, d = pairs[rows.first + slot]
                    s, d = (d, s) if reverse else (s, d)
                    wanted[s, d, rows.first + slot] += 1
                    if undirected and s != d:
                        wanted[d, s, rows.first + slot] += 1
            csr = merged(found, chosen, reverse=reverse, undirected=undirected, allowed=masks)
            ordered(csr)
            numbers = np.repeat(np.arange(7), np.diff(csr.indptr))
            assert (
                Counter(zip(numbers.tolist(), csr.neighbours.tolist(), csr.slots.tolist(), strict=True))
                == wanted
            )


def test_adjacency_of_one_clean_table_is_handed_over() -> None:
    found = built({"v": pa.table({"k": [1, 2]}), "e": pa.table({"s": [1], "d": [2]})})
    assert merged(found).neighbours is found.edges[0].out.base.neighbours
    assert merged(found, reverse=True).slots is found.edges[0].into.base.slots
    both = merged(found, undirected=True)
    assert merged(found, undirected=True) is both
    assert live_mask(found) is None


def test_numbers_lead_back_to_rows() -> None:
    graph = graph_of(
        {"a": ("k",), "b": ("k",)}, {"e": (("s",), "a", ("d",), "b"), "f": (("s",), "b", ("d",), "b")}
    )
    edges = pa.table({"s": [1, 1], "d": [1, 1]})
    found = built(
        {"a": pa.table({"k": [1, 2]}), "b": pa.table({"k": [5, 1, 6]}), "e": edges, "f": edges}, graph
    )
    tables, rows = found.row_ids_of(np.array([4, 0, -1, 2], np.int32))
    assert (tables.tolist(), rows.tolist()) == ([1, 0, -1, 1], [13, 7, -1, 7])
    tables, rows = found.slot_row_ids(np.array([3, -1, 0]))
    assert (tables.tolist(), rows.tolist()) == ([1, -1, 0], [10, -1, 7])
    assert found.live_vertices((1,)).tolist() == [2, 3, 4]


@given(
    ids=st.lists(st.integers(0, 60), unique=True, max_size=30),
    more=st.lists(st.integers(61, 90), unique=True, max_size=6),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_row_ids_are_found_and_taken(ids, more, data) -> None:
    held = RowIds.of(np.array(ids, np.int64))
    now = list(ids)
    if ids:
        places = sorted(data.draw(st.sets(st.integers(0, len(ids) - 1), max_size=4)))
        fresh = list(range(100, 100 + len(places)))[::-1]
        held = held.patched(np.array(places, np.int64), np.array(fresh, np.int64), np.array(more, np.int64))
        for place, row in zip(places, fresh, strict=True):
            now[place] = row
        now += more
    assert len(held) == len(now)
    asked = np.array(data.draw(st.lists(st.integers(-3, 110), max_size=20)), np.int64)
    assert held.places(asked).tolist() == [now.index(row) if row in now else -1 for row in asked.tolist()]
    if now:
        places = np.array(data.draw(st.lists(st.integers(0, len(now) - 1), max_size=10)), np.int64)
        assert held.take(places).tolist() == [now[place] for place in places]
    assert held.array.tolist() == now
