"""Matches of random patterns over random multigraphs, against enumeration edge by edge in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from graph_arrays import Edges, topology
from hypothesis import given, settings
from hypothesis import strategies as st
from match_worlds import check, run

from luma_bench.errors import CancelledError, ResourceError
from luma_bench.language.graph.pattern import Direction, Duplicates, Mode, Quantifier
from luma_bench.models.control import Control
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine
from luma_bench.models.graph.match import matches
from luma_bench.models.graph.statistics import statistics
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath
from luma_bench.plan.graph.planner import plan


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_random_patterns_over_random_multigraphs(seed: int) -> None:
    check(seed)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_searched_paths_among_other_parts(seed: int) -> None:
    check(seed, searched=0.4)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(st.integers(0, 2**32))
def test_many_random_patterns_over_random_multigraphs(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(st.integers(0, 2**32))
def test_many_searched_paths_among_other_parts(seed: int) -> None:
    check(seed, searched=0.4)


# -- what random graphs do not show


def node(name, allowed=None, tables=(0,)):
    return BoundNode(name, tables, None if allowed is None else np.array(allowed, np.int32))


def right(name, **more):
    return BoundEdge(name, (0,), Direction.RIGHT, **more)


def whole(*paths, needed=(), duplicates=Duplicates.COUNTED):
    made = tuple(BoundPath(None, None, Mode.WALK, elements) for elements in paths)
    return BoundMatch((BoundClause(made),), frozenset(needed), duplicates)


@pytest.fixture(scope="module")
def wide():
    """2,000 vertices and 40,000 random edges with a hub: enough that frontiers are walked all at once."""
    rng = np.random.default_rng(11)
    begins = np.concatenate([rng.integers(0, 2000, 38_000), np.zeros(2000, np.int64)])
    ends = np.concatenate([rng.integers(0, 2000, 38_000), np.arange(2000)])
    return topology([2000], [Edges(0, 0, begins, ends, later=100)])


def matrix(topo, power=1):
    rows = topo.edges[0]
    counts = np.zeros((topo.vertex_count, topo.vertex_count), np.int64)
    np.add.at(counts, (rows.source, rows.destination), 1)
    return np.linalg.matrix_power(counts.astype(object), power) if power > 1 else counts


def test_large_frontiers_agree_with_powers_of_the_matrix(wide) -> None:
    one = matrix(wide).astype(np.float64)
    two, three = one @ one, one @ one @ one
    chain = (node("a"), right("@1"), node("b"), right("@2"), node("c"), right("@3"), node("d"))
    engine = NumpyEngine()
    assert run(wide, whole(chain), engine=engine, batch=5000)[0] == {(): int(three.sum())}
    found, _, _ = run(wide, whole(chain, needed={"d"}), engine=engine, batch=5000)
    assert [found[(v,)] for v in range(2000)] == three.sum(axis=0).astype(int).tolist()
    cycle = (*chain[:5], right("@3"), node("a"))
    for size in (50, 100_000):
        found, _, _ = run(wide, whole(cycle), engine=engine, batch=size)
        assert found == {(): int(np.trace(three))}
    start = (node("a", [0, 7]), *chain[1:5])
    found, _, _ = run(wide, whole(start, needed={"a", "c"}), engine=engine, batch=5000)
    assert sum(found.values()) == int(two[[0, 7]].sum())
    assert all(count == two[a, c] for (a, c), count in found.items())
    far = (node("a", [0]), right("@1", quantifier=Quantifier(2, 3, (0, 0))), node("c"))
    found, _, _ = run(wide, whole(far, needed={"c"}), engine=engine, batch=5000)
    assert [found[(v,)] for v in range(2000)] == (two + three)[0].astype(int).tolist()


def test_all_rows_of_two_hops_are_handed_on_in_batches(wide) -> None:
    chain = (node("a", list(range(300))), right("r"), node("b"), right("s"), node("c"))
    match = whole(chain, needed={"r", "c"}, duplicates=Duplicates.NEEDED)
    control = Control(batch=1000)
    sizes = [
        batch.rows for batch in matches(wide, match, plan(match, statistics(wide)), NumpyEngine(), control)
    ]
    one = matrix(wide).astype(np.float64)
    assert sum(sizes) == int((one @ one)[:300].sum())
    assert max(sizes) <= 1500
    assert sum(sizes) / len(sizes) >= 500
    assert control.steps[-1].rows == sum(sizes)
    assert control.steps[-1].seconds >= 0


def test_cancelling_ends_a_long_match(wide) -> None:
    chain = (*(item for at in range(5) for item in (node(f"n{at}"), right(f"e{at}"))), node("z"))
    match = whole(chain, needed={"e0", "e1", "e2", "e3", "e4"}, duplicates=Duplicates.NEEDED)
    control = Control(batch=1000)
    rows = matches(wide, match, plan(match, statistics(wide)), NumpyEngine(), control)
    assert next(rows).rows
    control.stop.set()
    with pytest.raises(CancelledError):
        list(rows)


def test_a_hub_that_does_not_fit_is_refused(wide) -> None:
    match = whole((node("a", [0]), right("r"), node("b")), needed={"r"}, duplicates=Duplicates.NEEDED)
    with pytest.raises(ResourceError, match="The edges of one vertex needs"):
        run(wide, match, memory=50_000, engine=NumpyEngine())


def test_a_part_that_is_held_beside_another_has_to_fit(wide) -> None:
    match = whole((node("a"),), (node("b"),), needed={"a", "b"}, duplicates=Duplicates.NEEDED)
    with pytest.raises(ResourceError, match="shares no variable"):
        run(wide, match, memory=4_000, engine=NumpyEngine())


def test_a_count_beyond_64_bits_is_refused() -> None:
    loops = topology([1], [Edges(0, 0, [0] * 1000, [0] * 1000)])
    chain = (*(item for at in range(7) for item in (node(f"n{at}"), right(f"@{at}"))), node("z"))
    with pytest.raises(ResourceError, match="more than can be counted exactly"):
        run(loops, whole(chain), engine=NumpyEngine())
    found, _, _ = run(loops, whole(chain[:13]), engine=NumpyEngine())
    assert found == {(): 1000**6}
    found, _, _ = run(loops, whole(chain, duplicates=Duplicates.IGNORED), engine=NumpyEngine())
    assert set(found) == {()}


def test_no_match_gives_no_row() -> None:
    empty = topology([2], [Edges(0, 0, [], [])])
    for duplicates in Duplicates:
        found, _, _ = run(empty, whole((node("a"), right("@1"), node("b")), duplicates=duplicates))
        assert not found
