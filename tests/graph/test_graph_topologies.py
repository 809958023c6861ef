"""Topologies of a bench: what is shared between snapshots, what is built once, and what is refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from topology_worlds import check, expected, graph_of, read

from luma_bench.bench.graph import topology_making
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.errors import CancelledError, CatalogError, ResourceError, SchemaError
from luma_bench.models.control import Control
from luma_bench.models.graph.merged import isolated, merged
from luma_bench.storage.evolve import AddColumn, RenameColumn
from luma_bench.storage.store import Store
from luma_bench.types.graph import EdgeEnd, PropertyGraph, VertexTable

GRAPH = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v")})


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "b.luma") as made:
        yield made


def filled(store: Store, edges: int = 6) -> None:
    """Four vertices, and edges between them."""
    store.write("v", pa.table({"k": [1, 2, 3, 4], "x": [0, 0, 0, 0]}))
    store.write(
        "e",
        pa.table(
            {
                "s": [i % 4 + 1 for i in range(edges)],
                "d": [i * 3 % 4 + 1 for i in range(edges)],
                "w": [1.0] * edges,
            }
        ),
    )
    store.write("elsewhere", pa.table({"a": [1]}))


def test_snapshots_that_show_the_same_share_one_topology(store: Store) -> None:
    filled(store)
    topologies = Topologies(store)
    first = topologies.get(GRAPH, store.resolve(), Control())
    store.write("elsewhere", pa.table({"a": [2]}), mode="append")
    assert topologies.get(GRAPH, store.resolve(), Control()) is first
    store.alter("e", AddColumn("more", pa.int64()))
    assert topologies.get(GRAPH, store.resolve(), Control()) is first
    store.write("e", pa.table({"s": [1], "d": [1], "w": [0.5], "more": [1]}), mode="append")
    second = topologies.get(GRAPH, store.resolve(), Control())
    assert second is not first
    store.compact(retention="forever")
    assert topologies.get(GRAPH, store.resolve(), Control()) is second
    store.alter("v", RenameColumn("k", "key"))
    renamed = graph_of({"v": ("key",)}, {"e": (("s",), "v", ("d",), "v")})
    moved = topologies.get(renamed, store.resolve(), Control())
    assert moved.edges[0].out.base is second.edges[0].out.base
    assert topologies.get(GRAPH, store.resolve(2 + 2), Control()) is first


def test_an_update_of_other_columns_keeps_adjacency(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in DuckPGQ's life of a CSR: only changes of key columns make it invalid."""
    filled(store)
    topologies = Topologies(store)
    first = topologies.get(GRAPH, store.resolve(), Control())
    store.update("v", np.array([1]), pa.table({"k": [2], "x": [99]}))
    store.update("e", np.array([3]), pa.table({"s": [4], "d": [2], "w": [9.0]}))
    second = topologies.get(GRAPH, store.resolve(), Control())
    assert second.edges[0].out.base is first.edges[0].out.base
    assert second.edges[0].out.clean
    assert second.vertices[0].dead is None
    check(second, expected(GRAPH, read(store, store.resolve(), GRAPH)))
    store.update("v", np.array([4]), pa.table({"k": [20], "x": [99]}))
    third = topologies.get(GRAPH, store.resolve(), Control())
    assert third.edges[0].dangling > 0
    check(third, expected(GRAPH, read(store, store.resolve(), GRAPH)))


@pytest.mark.parametrize("small", [0, 50_000])
def test_what_is_rolled_back_was_never_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(topology_making, "SMALL", small)
    monkeypatch.setattr(topology_making, "SHARE", 1)
    filled(store)
    topologies = Topologies(store)
    first = topologies.get(GRAPH, store.resolve(), Control())
    transactions = [store.begin(), store.begin()]
    seen = []
    for number, transaction in enumerate(transactions, 1):
        # Both have rows of the same provisional ids.
        transaction.write("e", pa.table({"s": [number], "d": [number + 1], "w": [1.0]}), mode="append")
        transaction.delete("v", np.array([3]))
        view = transaction.view()
        inside = topologies.get(GRAPH, view, Control())
        check(inside, expected(GRAPH, read(store, view, GRAPH)))
        seen.append(inside)
        assert topologies.get(GRAPH, store.resolve(), Control()) is first
    assert seen[0] is not seen[1]
    for transaction in transactions:
        transaction.rollback()
    assert topologies.get(GRAPH, store.resolve(), Control()) is first


def test_a_graph_inside_of_the_transaction_that_makes_its_tables(store: Store) -> None:
    topologies = Topologies(store)
    with store.begin() as transaction:
        transaction.write("v", pa.table({"k": [1, 2]}), mode="create")
        transaction.write("e", pa.table({"s": [1], "d": [2]}), mode="create")
        view = transaction.view()
        check(topologies.get(GRAPH, view, Control()), expected(GRAPH, read(store, view, GRAPH)))
        transaction.commit()
    check(
        topologies.get(GRAPH, store.resolve(), Control()),
        expected(GRAPH, read(store, store.resolve(), GRAPH)),
    )


def test_another_handle_sees_what_the_first_committed(store: Store, tmp_path: Path) -> None:
    filled(store)
    with Store.open(tmp_path / "b.luma") as other:
        topologies = Topologies(other)
        topologies.get(GRAPH, other.resolve(), Control())
        store.write("e", pa.table({"s": [4], "d": [4], "w": [1.0]}), mode="append")
        check(
            topologies.get(GRAPH, other.resolve(), Control()),
            expected(GRAPH, read(store, store.resolve(), GRAPH)),
        )


def test_parallel_edges_are_in_the_order_of_their_rows_after_any_update(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", 1)
    store.write("v", pa.table({"k": [1, 2]}))
    store.write("e", pa.table({"s": [1] * 5, "d": [2] * 4 + [1]}))
    topologies = Topologies(store)
    for rows in ([1], [0, 3], [4], [2]):
        topologies.get(GRAPH, store.resolve(), Control())
        kept = store.scan(store.resolve(), "e").read(["_rowid", "s", "d"])
        some = kept.take(pa.array(rows))
        store.update("e", some.column(0).to_numpy(), some.drop_columns(["_rowid"]))
        found = topologies.get(GRAPH, store.resolve(), Control())
        csr = merged(found)
        row_ids = found.edges[0].row_ids[csr.slots]
        pairs = list(
            zip(
                np.repeat([0, 1], np.diff(csr.indptr)).tolist(),
                csr.neighbours.tolist(),
                row_ids.tolist(),
                strict=True,
            )
        )
        assert pairs == sorted(pairs)


def test_two_vertices_of_one_key_are_told_whenever_they_come(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology_making, "SMALL", 0)
    filled(store)
    topologies = Topologies(store)
    first = topologies.get(GRAPH, store.resolve(), Control())
    store.write("v", pa.table({"k": [3], "x": [1]}), mode="append")
    with pytest.raises(SchemaError, match=r"Two rows of 'v' have the same key \(k\)"):
        topologies.get(GRAPH, store.resolve(), Control())
    assert topologies.get(GRAPH, store.resolve(store.head() - 1), Control()) is first
    store.delete("v", np.array([2]))
    check(
        topologies.get(GRAPH, store.resolve(), Control()),
        expected(GRAPH, read(store, store.resolve(), GRAPH)),
    )


def test_two_threads_that_ask_build_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store)
    topologies = Topologies(store)
    view, built_tables = store.resolve(), []
    known = topology_making.edge_base
    monkeypatch.setattr(topology_making, "edge_base", lambda *given: built_tables.append(1) or known(*given))
    found: list = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(topologies.get(GRAPH, view, Control()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built_tables) == 1
    assert len({id(item) for item in found}) == 1


def test_a_graph_that_does_not_fit_is_refused_with_advice(store: Store) -> None:
    filled(store, 1000)
    with pytest.raises(ResourceError, match="memory_limit"):
        Topologies(store, budget=10_000).get(GRAPH, store.resolve(), Control())


def test_what_was_used_longest_ago_is_let_go(store: Store) -> None:
    filled(store, 3000)
    budget = 400_000
    topologies = Topologies(store, budget=budget)
    for number in range(12):
        store.write("e", pa.table({"s": [1] * 300, "d": [2] * 300, "w": [1.0] * 300}), mode="append")
        topologies.get(GRAPH, store.resolve(), Control())
        assert topologies.nbytes <= budget, number
    for at in range(5, store.head()):
        view = store.resolve(at)
        check(topologies.get(GRAPH, view, Control()), expected(GRAPH, read(store, view, GRAPH)))


def test_a_stopped_control_ends_the_work(store: Store) -> None:
    filled(store)
    control = Control()
    control.stop.set()
    with pytest.raises(CancelledError):
        Topologies(store).get(GRAPH, store.resolve(), control)


def test_a_table_that_is_gone_is_named(store: Store) -> None:
    filled(store)
    topologies = Topologies(store)
    before = store.resolve()
    store.drop_table("e")
    with pytest.raises(CatalogError, match="'e'"):
        topologies.get(GRAPH, store.resolve(), Control())
    check(topologies.get(GRAPH, before, Control()), expected(GRAPH, read(store, before, GRAPH)))


def test_a_replaced_table_has_edges_of_its_own(store: Store) -> None:
    filled(store)
    topologies = Topologies(store)
    topologies.get(GRAPH, store.resolve(), Control())
    store.write("e", pa.table({"d": [1], "s": [2]}), mode="replace")
    check(
        topologies.get(GRAPH, store.resolve(), Control()),
        expected(GRAPH, read(store, store.resolve(), GRAPH)),
    )


def test_vertices_and_edges_without_a_row(store: Store) -> None:
    store.create_table(pa.schema({"k": pa.int64()}), "v")
    store.create_table(pa.schema({"s": pa.int64(), "d": pa.int64()}), "e")
    found = Topologies(store).get(GRAPH, store.resolve(), Control())
    assert (found.vertex_count, found.edge_count) == (0, 0)
    assert merged(found).indptr.tolist() == [0]
    store.write(
        "e",
        pa.table({"s": [1], "d": [None]}, schema=pa.schema({"s": pa.int64(), "d": pa.int64()})),
        mode="append",
    )
    found = Topologies(store).get(GRAPH, store.resolve(), Control())
    assert (found.edges[0].nulls, found.edge_count) == (1, 0)


def test_a_graph_without_edges_has_isolated_vertices(store: Store) -> None:
    filled(store)
    graph = PropertyGraph("g", (VertexTable("v", "v", ("k",), ("v",)),), ())
    topologies = Topologies(store)
    assert isolated(topologies.get(graph, store.resolve(), Control())).tolist() == [True] * 4
    store.delete("v", np.array([1]))
    found = topologies.get(graph, store.resolve(), Control())
    assert len(found.live_vertices((0,))) == 3


def test_ends_that_refer_to_other_columns_than_the_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", 1)
    store.write("v", pa.table({"id": [1, 2, 3, 4], "code": ["a", "b", "c", None]}))
    store.write("e", pa.table({"s": [1, 2, 3, 4] * 3, "d": ["a", "b", "x", "c"] * 3}))
    edge = replace(
        GRAPH.edges[0], source=EdgeEnd(("s",), "v", ("id",)), destination=EdgeEnd(("d",), "v", ("code",))
    )
    graph = PropertyGraph("g", (VertexTable("v", "v", ("id",), ("v",)),), (edge,))
    topologies = Topologies(store)

    def look() -> None:
        check(
            topologies.get(graph, store.resolve(), Control()),
            expected(graph, read(store, store.resolve(), graph)),
        )

    look()
    store.update(
        "v", np.array([1]), pa.table({"id": [2], "code": ["x"]})
    )  # the same by one key, another by the other
    look()
    store.update("v", np.array([0]), pa.table({"id": [1], "code": ["a"]}))
    look()
    store.delete("v", np.array([2]))
    look()
    store.write("v", pa.table({"id": [9], "code": ["c"]}), mode="append")
    look()


def test_a_look_back_orders_parallel_edges_by_their_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", 1)
    store.write("v", pa.table({"k": [1, 2]}))
    store.write("e", pa.table({"s": [1, 1, 1], "d": [2, 2, 2]}))
    before = store.resolve()
    store.delete("e", np.array([0]))
    topologies = Topologies(store)
    for view in (store.resolve(), before):
        found = topologies.get(GRAPH, view, Control())
        check(found, expected(GRAPH, read(store, view, GRAPH)))


def test_tables_that_share_vertices_are_built_on_the_same_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", 4)
    graph = graph_of({"v": ("k",)}, {"e": (("s",), "v", ("d",), "v"), "f": (("s",), "v", ("d",), "v")})
    store.write("v", pa.table({"k": list(range(10))}))
    for name in ("e", "f"):
        store.write(name, pa.table({"s": [5, 6, 7, 8], "d": [9, 8, 7, 6]}))
    topologies = Topologies(store)

    def look() -> None:
        view = store.resolve()
        check(topologies.get(graph, view, Control()), expected(graph, read(store, view, graph)))

    look()
    store.delete("v", np.array([0]))  # no edge leads to it
    look()
    store.write(
        "e", pa.table({"s": [5] * 9, "d": [9] * 9}), mode="append"
    )  # built anew, on places that moved
    look()
    store.write("v", pa.table({"k": [10, 11]}), mode="append")
    store.write(
        "f", pa.table({"s": [10] * 9, "d": [9] * 9}), mode="append"
    )  # on more places behind the others
    look()
