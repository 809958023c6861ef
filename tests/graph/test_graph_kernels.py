"""Every engine's kernels against answers worked out edge by edge, on random multigraphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernel_oracles import NEVER, Changed, arcs, changed, cheapest, csr_of, earliest, graphs, reached

from luma_bench.errors import CancelledError, ResourceError
from luma_bench.models.graph.engine import GraphEngine, Tree
from luma_bench.models.graph.engines.choose import engine as chosen
from luma_bench.models.graph.engines.choose import warm
from luma_bench.models.graph.topology import Adjacency, Csr

EXAMPLES = settings(deadline=None, max_examples=60)
WHOLE = [0.0, 0.0, 1.0, 1.0, 2.0, 3.0]


@pytest.fixture(scope="module", params=["numpy", "numba"])
def engine(request: pytest.FixtureRequest) -> GraphEngine:
    if request.param == "numba":
        pytest.importorskip("numba")
        warm(wait=True)
    return chosen(request.param)


def same_tree(found: Tree, distance: list, parent: list, position: list) -> None:
    assert found.distance.dtype == np.float64
    assert found.parent.dtype == np.int32
    assert found.position.dtype == np.int64
    assert found.distance.tolist() == distance
    assert found.parent.tolist() == parent
    assert found.position.tolist() == position


@EXAMPLES
@given(world=changed(), data=st.data())
def test_expand_gives_live_allowed_edges_row_by_row(engine: GraphEngine, world: Changed, data: st.DataObject):
    frontier = data.draw(st.lists(st.integers(-1, world.vertices), max_size=6))

    found = engine.expand(world.adjacency, np.array(frontier, np.int32), world.allowed)

    expected = [
        (row, b, slot) for row, vertex in enumerate(frontier) for a, b, slot in world.live if a == vertex
    ]
    assert [item.dtype for item in found] == [np.int64, np.int32, np.int32]
    assert list(zip(*(item.tolist() for item in found), strict=True)) == expected


@EXAMPLES
@given(world=changed(), data=st.data())
def test_degrees_count_live_allowed_edges(engine: GraphEngine, world: Changed, data: st.DataObject):
    frontier = data.draw(st.lists(st.integers(-1, world.vertices), max_size=6))
    counts = [sum(a == vertex for a, _, _ in world.live) for vertex in range(-1, world.vertices + 1)][1:]

    every = engine.degrees(world.adjacency, None, world.allowed)
    some = engine.degrees(world.adjacency, np.array(frontier, np.int32), world.allowed)

    known = max(csr.vertices for csr in (world.adjacency.base, world.adjacency.delta) if csr is not None)
    assert every.tolist() == counts[:known]
    assert some.tolist() == [counts[vertex] if vertex >= 0 else 0 for vertex in frontier]


@EXAMPLES
@given(world=changed(), data=st.data())
def test_weighted_sum_adds_values_of_neighbours(engine: GraphEngine, world: Changed, data: st.DataObject):
    values = data.draw(
        st.lists(st.integers(-(2**40), 2**40), min_size=world.vertices, max_size=world.vertices)
    )
    expected = [sum(values[b] for a, b, _ in world.live if a == vertex) for vertex in range(world.vertices)]

    whole = engine.weighted_sum(world.adjacency, np.array(values, np.int64), world.allowed)
    real = engine.weighted_sum(world.adjacency, np.array(values, np.float64), world.allowed)

    assert whole.dtype == np.int64
    assert real.dtype == np.float64
    assert whole.tolist() == expected
    assert real.tolist() == expected


def test_weighted_sum_refuses_what_64_bits_do_not_hold(engine: GraphEngine):
    adjacency = Adjacency(csr_of(2, [(0, 1), (0, 1), (0, 1)]))
    fits, breaks = np.array([0, 2**61], np.int64), np.array([0, 2**62], np.int64)

    assert engine.weighted_sum(adjacency, fits, None).tolist() == [3 * 2**61, 0]
    with pytest.raises(ResourceError, match="more matches than a 64-bit number"):
        engine.weighted_sum(adjacency, breaks, None)
    allowed = np.array([True, False, False])
    assert engine.weighted_sum(adjacency, breaks, allowed).tolist() == [2**62, 0]


@EXAMPLES
@given(data=st.data())
def test_reach_finds_the_ends_of_walks(engine: GraphEngine, data: st.DataObject):
    vertices = data.draw(st.integers(1, 9))
    worlds = data.draw(st.lists(changed(vertices), min_size=1, max_size=2))
    sources = data.draw(st.lists(st.integers(0, vertices - 1), max_size=3))
    least = data.draw(st.integers(0, 4))
    most = data.draw(st.none() | st.integers(least, 6))

    found = engine.reach(
        tuple((world.adjacency, world.allowed) for world in worlds), np.array(sources, np.int32), least, most
    )

    edges = [(a, b) for world in worlds for a, b, _ in world.live]
    assert found.dtype == np.int32
    assert found.tolist() == reached(edges, sources, least, most, 20)


@EXAMPLES
@given(csr=graphs(), data=st.data())
def test_bfs_takes_the_smallest_parent(engine: GraphEngine, csr: Csr, data: st.DataObject):
    source = data.draw(st.integers(0, csr.vertices - 1))
    limit = data.draw(st.none() | st.integers(0, 4))
    labels, parent, position = cheapest(csr, np.ones(len(csr.neighbours)), source)
    distance = [label[0] for label in labels]
    far = [d > (np.inf if limit is None else limit) for d in distance]

    found = engine.bfs(csr, source, limit=limit)

    same_tree(
        found,
        [np.inf if out else d for out, d in zip(far, distance, strict=True)],
        [-1 if out else p for out, p in zip(far, parent, strict=True)],
        [-1 if out else p for out, p in zip(far, position, strict=True)],
    )
    alone = engine.bfs(csr, source, limit=limit, tree=False)
    assert alone.distance.tolist() == found.distance.tolist()
    assert (len(alone.parent), len(alone.position)) == (0, 0)


@EXAMPLES
@given(csr=graphs(), data=st.data())
def test_bfs_stops_at_the_level_of_its_target(engine: GraphEngine, csr: Csr, data: st.DataObject):
    source, target = (data.draw(st.integers(0, csr.vertices - 1)) for _ in range(2))
    whole = engine.bfs(csr, source)

    found = engine.bfs(csr, source, target=target)

    near = whole.distance <= whole.distance[target]
    assert np.array_equal(found.distance[near], whole.distance[near])
    assert np.array_equal(found.position[near], whole.position[near])
    assert not np.isfinite(found.distance[~near]).any()
    alone = engine.bfs(csr, source, target=target, tree=False)
    assert np.array_equal(alone.distance, found.distance)


@EXAMPLES
@given(csr=graphs(), data=st.data())
def test_sssp_breaks_ties_by_parent_and_position(engine: GraphEngine, csr: Csr, data: st.DataObject):
    source = data.draw(st.integers(0, csr.vertices - 1))
    count = len(csr.neighbours)
    weights = np.array(
        data.draw(st.lists(st.sampled_from([*WHOLE, np.inf]), min_size=count, max_size=count)), np.float64
    )
    labels, parent, position = cheapest(csr, weights, source)

    same_tree(engine.sssp(csr, weights, source), [label[0] for label in labels], parent, position)


def test_sssp_gives_parents_along_many_edges_of_no_length(engine: GraphEngine):
    csr = csr_of(151, [(a, max(min(a + step, 150), 0)) for a in range(151) for step in (-1, 1, a % 3)])
    for weights in (np.zeros(453), np.random.default_rng(0).choice([0.0, 0.0, 0.0, 1.0], 453)):
        labels, parent, position = cheapest(csr, weights, 7)
        same_tree(engine.sssp(csr, weights, 7), [label[0] for label in labels], parent, position)


@EXAMPLES
@given(csr=graphs(), data=st.data(), how=st.sampled_from(["plain", "bidirectional", "a*"]))
def test_pair_is_the_path_of_the_tree(engine: GraphEngine, csr: Csr, data: st.DataObject, how: str):
    source, target = (data.draw(st.integers(0, csr.vertices - 1)) for _ in range(2))
    count = len(csr.neighbours)
    spots = st.tuples(st.integers(0, 3), st.integers(0, 3))
    coordinates = np.array(
        data.draw(st.lists(spots, min_size=csr.vertices, max_size=csr.vertices)), np.float64
    )
    weights = np.array(
        data.draw(st.lists(st.sampled_from(WHOLE), min_size=count, max_size=count)), np.float64
    )
    if how == "a*":
        straight = [np.hypot(*(coordinates[a] - coordinates[b])) for a, b, _ in arcs(csr)]
        weights = weights + np.ceil(np.array(straight)) if count else weights
    labels, parent, position = cheapest(csr, weights, source)
    turned = csr_of(csr.vertices, [(b, a) for a, b, _ in arcs(csr)])
    reverse = (turned, weights[turned.slots])

    found = engine.pair(
        csr,
        weights,
        source,
        target,
        reverse=reverse if how == "bidirectional" else None,
        coordinates=coordinates if how == "a*" else None,
    )

    assert found.distance == labels[target][0]
    vertices, positions = [], []
    if np.isfinite(found.distance):
        vertices = [target]
        while vertices[-1] != source:
            positions.append(position[vertices[-1]])
            vertices.append(parent[vertices[-1]])
    assert found.vertices.tolist() == vertices[::-1]
    assert found.positions.tolist() == positions[::-1]
    assert (found.vertices.dtype, found.positions.dtype) == (np.int32, np.int64)


@EXAMPLES
@given(csr=graphs(), data=st.data(), strict=st.booleans())
def test_earliest_arrival_leads_by_edges_that_can_be_taken(
    engine: GraphEngine, csr: Csr, data: st.DataObject, strict: bool
):
    source, start = data.draw(st.integers(0, csr.vertices - 1)), data.draw(st.integers(-1, 3))
    count = len(csr.neighbours)
    depart = np.array(data.draw(st.lists(st.integers(0, 6), min_size=count, max_size=count)), np.int64)
    ride = np.array(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), np.int64)

    arrival, parent, position = engine.earliest_arrival(
        csr, depart, depart + ride, source, start, strict=strict
    )

    assert arrival.tolist() == earliest(csr, depart, depart + ride, source, start, strict)
    assert (parent[source], position[source]) == (-1, -1)
    for vertex in np.flatnonzero(arrival < NEVER).tolist():
        steps, here = 0, vertex
        while here != source:
            place, before = int(position[here]), int(parent[here])
            assert csr.indptr[before] <= place < csr.indptr[before + 1]
            assert csr.neighbours[place] == here
            assert depart[place] + ride[place] == arrival[here]
            assert depart[place] >= arrival[before] + (strict and before != source)
            here = before
            steps += 1
            assert steps <= csr.vertices
    assert (parent[arrival == NEVER] == -1).all()


def test_a_deep_graph_is_searched_like_a_flat_one(engine: GraphEngine):
    length = 3000
    csr = csr_of_path(length)

    found = engine.bfs(csr, 0)
    near = engine.bfs(csr, 0, limit=2000)
    aimed = engine.bfs(csr, 0, target=2500)

    assert found.distance.tolist() == list(range(length))
    assert engine.bfs(csr, 0, tree=False).distance.tolist() == list(range(length))
    assert np.isfinite(engine.bfs(csr, 0, limit=2000, tree=False).distance).sum() == 2001
    assert found.parent.tolist() == list(range(-1, length - 1))
    assert np.isfinite(near.distance).sum() == 2001
    assert np.isfinite(aimed.distance).sum() == 2501
    assert engine.reach(((Adjacency(csr), None),), np.array([5], np.int32), 1, None).tolist() == list(
        range(6, length)
    )


def csr_of_path(length: int) -> Csr:
    indptr = np.minimum(np.arange(length + 1), length - 1).astype(np.int64)
    return Csr(indptr, np.arange(1, length, dtype=np.int32), np.arange(length - 1, dtype=np.int32))


@pytest.mark.parametrize("seed", range(3))
def test_dense_steps_agree_with_gathered_ones(engine: GraphEngine, seed: int):
    random = np.random.default_rng(seed)
    vertices, count = 3000, 60_000
    ends = random.zipf(1.5, (count, 2)) % vertices
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(ends[:, 0], minlength=vertices), out=indptr[1:])
    csr = Csr(indptr, ends[order, 1].astype(np.int32), order.astype(np.int32))
    dead, allowed = random.random(count) < 0.2, random.random(count) < 0.5
    live = [(int(a), int(b)) for (a, b), no, yes in zip(ends, dead, allowed, strict=True) if yes and not no]
    following: dict[int, set[int]] = {}
    for a, b in live:
        following.setdefault(a, set()).add(b)

    current, expected = {7}, {7}
    for _ in range(4):
        current = set().union(*(following.get(vertex, set()) for vertex in current))
        expected |= current
    found = engine.reach(((Adjacency(csr, None, dead), allowed),), np.array([7], np.int32), 0, 4)

    assert found.tolist() == sorted(expected)


def test_long_kernels_end_when_they_are_asked_to(engine: GraphEngine):
    csr = csr_of_path(50)
    weights, times = np.ones(49), np.arange(49)

    def refuse() -> None:
        raise CancelledError("no")

    runs = [
        lambda: engine.reach(((Adjacency(csr), None),), np.zeros(1, np.int32), 0, None, check=refuse),
        lambda: engine.bfs(csr, 0, check=refuse),
        lambda: engine.sssp(csr, weights, 0, check=refuse),
        lambda: engine.pair(csr, weights, 0, 40, check=refuse),
        lambda: engine.weak_components(csr, check=refuse),
        lambda: engine.strong_components(csr, check=refuse),
        lambda: engine.pagerank(csr, csr, damping=0.8, tolerance=0.0, iterations=9, check=refuse),
        lambda: engine.triangles(csr, check=refuse),
        lambda: engine.core_numbers(csr, check=refuse),
        lambda: engine.communities(csr, None, seed=0, resolution=1.0, check=refuse),
        lambda: engine.betweenness(csr, np.zeros(1, np.int32), check=refuse),
        lambda: engine.betweenness(csr, np.zeros(1, np.int32), weights, check=refuse),
        lambda: engine.earliest_arrival(csr, times, times, 0, 0, strict=False, check=refuse),
    ]
    for run in runs:
        with pytest.raises(CancelledError):
            run()


def test_read_only_and_strided_arrays_are_taken(engine: GraphEngine):
    csr = csr_of(4, [(0, 1), (1, 2), (2, 3)])
    for array in (csr.indptr, csr.neighbours, csr.slots):
        array.flags.writeable = False
    weights = np.repeat([1.0, 2.0, 3.0], 2)[::2]

    assert engine.sssp(csr, weights, 0).distance.tolist() == [0.0, 1.0, 3.0, 6.0]
    assert engine.expand(Adjacency(csr), np.arange(8, dtype=np.int32)[::2]).neighbours.tolist() == [1, 3]


@EXAMPLES
@given(csr=graphs(), data=st.data())
def test_engines_agree_on_whole_graphs(csr: Csr, data: st.DataObject):
    pytest.importorskip("numba")
    warm(wait=True)
    one, other = chosen("numpy"), chosen("numba")
    count = len(csr.neighbours)
    weights = np.array(
        data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.25]), min_size=count, max_size=count)),
        np.float64,
    )
    reverse = csr_of(csr.vertices, [(b, a) for a, b, _ in arcs(csr)])
    sources = np.arange(csr.vertices, dtype=np.int32)
    settings_of_rank = {"damping": 0.85, "tolerance": 1e-9, "iterations": 50}

    assume(csr.vertices)
    assert np.array_equal(one.weak_components(csr), other.weak_components(csr))
    assert np.array_equal(one.strong_components(csr), other.strong_components(csr))
    assert np.array_equal(one.triangles(csr), other.triangles(csr))
    assert np.array_equal(one.core_numbers(csr), other.core_numbers(csr))
    for given_weights in (None, weights):
        assert np.array_equal(
            one.communities(csr, given_weights, seed=3, resolution=1.0),
            other.communities(csr, given_weights, seed=3, resolution=1.0),
        )
        assert np.array_equal(
            one.betweenness(csr, sources, given_weights), other.betweenness(csr, sources, given_weights)
        )
        assert np.array_equal(
            one.pagerank(csr, reverse, weights=given_weights, **settings_of_rank),
            other.pagerank(csr, reverse, weights=given_weights, **settings_of_rank),
        )


@pytest.mark.parametrize("weights", ["whole", "real", "one far edge", "equal"])
def test_engines_agree_where_heaps_are_large(weights: str):
    pytest.importorskip("numba")
    warm(wait=True)
    random = np.random.default_rng(5)
    vertices, count = 40_000, 200_000
    ends = random.integers(0, vertices, (count, 2))
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(ends[:, 0], minlength=vertices), out=indptr[1:])
    csr = Csr(indptr, ends[order, 1].astype(np.int32), order.astype(np.int32))
    costs = {
        "whole": random.integers(0, 20, count).astype(np.float64),
        "real": random.random(count) * 1e-3,
        "one far edge": np.where(np.arange(count) == 9, 1e12, random.random(count)),
        "equal": np.full(count, 2.0),
    }[weights]

    one, other = (chosen(name).sssp(csr, costs, 3) for name in ("numpy", "numba"))

    assert (np.isfinite(one.distance)).sum() > vertices // 2
    same_tree(other, one.distance.tolist(), one.parent.tolist(), one.position.tolist())
    far = int(np.argmax(np.where(np.isfinite(one.distance), one.distance, -1.0)))
    ways = [chosen(name).pair(csr, costs, 3, far) for name in ("numpy", "numba")]
    assert ways[0].positions.tolist() == ways[1].positions.tolist()
    walks = [chosen(name).bfs(csr, 3) for name in ("numpy", "numba")]
    assert np.array_equal(walks[0].position, walks[1].position)
    for name in ("numpy", "numba"):
        assert np.array_equal(chosen(name).bfs(csr, 3, tree=False).distance, walks[0].distance)


def test_triangles_in_threads_are_those_of_one_thread(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    warm(wait=True)
    from luma_bench.models.graph.engines import numba_work

    monkeypatch.setattr(numba_work, "threads", lambda: 3)
    random = np.random.default_rng(1)
    csr = csr_of(300, [(int(a), int(b)) for a, b in random.integers(0, 300, (4000, 2))])

    assert np.array_equal(*(chosen(name).triangles(csr) for name in ("numpy", "numba")))
