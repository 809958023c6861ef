"""Path search on graphs that brute force cannot take: networkx as the oracle, hubs, long chains, limits."""

from __future__ import annotations

import itertools
import threading
from random import Random

import networkx as nx
import numpy as np
import pytest
from path_checks import rows_of
from path_worlds import topology_of
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from luma_bench.errors import CancelledError, ResourceError, UnsupportedError
from luma_bench.language.graph.pattern import Direction, Duplicates, Mode, Quantifier, Selector
from luma_bench.models.control import Control
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine
from luma_bench.models.graph.paths.search import search
from luma_bench.plan.graph.bound import BoundEdge, BoundNode, BoundPath, Times

PATH = frozenset({"p"})
PLUS = (1, None)


def ids(vertex):
    return None if vertex is None else np.atleast_1d(np.array(vertex, np.int32))


def pattern(
    quantifier, *, start=None, end=None, selector=None, mode=Mode.WALK, cost=None, direction=Direction.RIGHT
):
    """`(a)-[e]->{…}(b)`."""
    edge = BoundEdge(
        "e", (0,), direction, {}, Quantifier(*quantifier, (0, 0)), None if cost is None else {0: cost}
    )
    chosen = None if selector is None else Selector(*selector, (0, 0))
    ends = BoundNode("a", (0,), ids(start)), BoundNode("b", (0,), ids(end))
    return BoundPath("p", chosen, mode, (ends[0], edge, ends[1]))


def found(topology, path, needed=PATH, duplicates=Duplicates.NEEDED, control=None, ranks=None):
    batches = search(
        topology, path, NumpyEngine(), control or Control(), None, None, ranks, needed, duplicates
    )
    return [row for batch in batches for row in rows_of(batch)]


def paths(rows):
    return [dict(row)["p"] for row, _ in rows]


def random_graph(seed, vertices=60, edges=240):
    random = Random(seed)
    ends = [[random.randrange(vertices) for _ in range(edges)] for _ in range(2)]
    costs = np.array([random.choice([1, 1, 2, 3, 5]) for _ in range(edges)], np.float64)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(vertices))
    for a, b, cost in zip(*ends, costs, strict=True):
        graph.add_edge(a, b, weight=cost)
    return topology_of([vertices], [ends]), graph, costs


@pytest.mark.parametrize("seed", range(4))
def test_shortest_paths_are_those_of_networkx(seed):
    topology, graph, _ = random_graph(seed, edges=120)
    start = 0
    lengths = nx.single_source_shortest_path_length(graph, start)
    given = paths(found(topology, pattern(PLUS, start=start, selector=("any", 1))))
    assert {nodes[-1]: len(slots) for nodes, slots, *_ in given if nodes[-1] != start} == {
        vertex: length for vertex, length in lengths.items() if length
    }
    every = paths(found(topology, pattern(PLUS, start=start, selector=("all", 1))))
    for end in set(lengths) - {start}:
        # networkx gives each path of vertices once for each choice among parallel edges.
        wanted = sorted(map(tuple, nx.all_shortest_paths(graph, start, end)))
        mine = sorted(nodes for nodes, *_ in every if nodes[-1] == end)
        assert sorted(set(mine)) == sorted(set(wanted))
        first = next(nodes for nodes, *_ in given if nodes[-1] == end)
        assert first == wanted[0]


@pytest.mark.parametrize("seed", range(4))
def test_k_shortest_acyclic_paths_are_those_of_networkx(seed):
    topology, graph, _ = random_graph(seed, vertices=14, edges=40)
    simple = nx.DiGraph(graph)
    for end in range(1, 14, 3):
        mine = paths(
            found(topology, pattern(PLUS, start=0, end=end, selector=("shortest", 4), mode=Mode.ACYCLIC))
        )
        if not nx.has_path(simple, 0, end):
            assert not mine
            continue
        parallel = {(a, b): graph.number_of_edges(a, b) for a, b in simple.edges}
        lengths = [
            length
            for path in nx.shortest_simple_paths(simple, 0, end)
            for length in [len(path) - 1]
            * int(np.prod([parallel[pair] for pair in itertools.pairwise(path)]))
        ]
        assert [len(slots) for _, slots, *_ in mine] == lengths[:4]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("permuted", [False, True])
def test_cheapest_paths_cost_what_networkx_says_and_ties_go_to_the_first(seed, permuted):
    topology, graph, costs = random_graph(seed)
    ranks = np.random.default_rng(seed).permutation(60) if permuted else np.arange(60)
    wanted = nx.single_source_dijkstra_path_length(graph, 0)
    one = found(topology, pattern(PLUS, start=0, selector=("cheapest", 1), cost=costs), ranks=ranks)
    from_start = {nodes[-1]: (cost, nodes, slots) for nodes, slots, cost, *_ in paths(one)}
    assert {end: cost for end, (cost, *_) in from_start.items() if end} == {
        end: cost for end, cost in wanted.items() if end
    }
    for end in sorted(set(wanted) - {0})[::7]:
        best = min(
            nx.all_shortest_paths(graph, 0, end, weight="weight"), key=lambda way: [ranks[v] for v in way]
        )
        pair = found(
            topology, pattern(PLUS, start=0, end=end, selector=("cheapest", 1), cost=costs), ranks=ranks
        )
        to_end = found(topology, pattern(PLUS, end=end, selector=("cheapest", 1), cost=costs), ranks=ranks)
        ((nodes, slots, cost, *_),) = paths(pair)
        assert nodes == tuple(best)
        assert from_start[end] == (cost, nodes, slots)
        assert (nodes, slots) in {(way, taken) for way, taken, *_ in paths(to_end)}


@pytest.mark.parametrize("digits", [0, 1, 3])
@pytest.mark.parametrize("way", ["from", "to"])
def test_cheapest_walks_of_thousands_of_vertices_with_edges_that_cost_nothing(digits, way):
    vertices, edges = 5_000, 25_000
    random = np.random.default_rng(digits)
    begins, ends = random.integers(0, vertices, (2, edges))
    costs = np.round(random.random(edges) * 10, digits)
    # Both ways between some vertices, so that they go round.
    begins[:200], ends[:200] = ends[200:400], begins[200:400]
    costs[:400] = 0
    graph = coo_array((np.maximum(costs, 1e-300), (begins, ends)), shape=(vertices, vertices))
    order = np.lexsort((graph.data, graph.col, graph.row))
    pairs = graph.row[order].astype(np.int64) * vertices + graph.col[order]
    kept = order[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
    single = csr_array((graph.data[kept], (graph.row[kept], graph.col[kept])), shape=graph.shape)
    distance = dijkstra(single if way == "from" else csr_array(single.T), indices=1)
    topology = topology_of([vertices], [(begins, ends)])
    side = {"start": 1} if way == "from" else {"end": 1}
    given = paths(found(topology, pattern((0, None), selector=("cheapest", 1), cost=costs, **side)))
    assert len(given) == np.isfinite(distance).sum()
    for nodes, slots, cost, *_ in given:
        far = nodes[-1] if way == "from" else nodes[0]
        assert cost == pytest.approx(distance[far], rel=1e-12, abs=1e-12)
        assert len(set(nodes)) == len(nodes)
        assert begins[list(slots)].tolist() == list(nodes[:-1])
        assert ends[list(slots)].tolist() == list(nodes[1:])


def first_walks(vertices, pairs, costs, start, ranks):
    """By end, the first of the cheapest walks that leave no vertex twice, by trying all of them."""
    best = {}
    open_ones = [(0.0, (start,), ())]
    while open_ones:
        cost, nodes, slots = open_ones.pop()
        key = cost, [int(ranks[vertex]) for vertex in nodes], slots
        if slots and (nodes[-1] not in best or key < best[nodes[-1]][0]):
            best[nodes[-1]] = key, nodes
        if nodes[-1] in nodes[:-1]:
            continue
        open_ones += [
            (cost + costs[slot], (*nodes, b), (*slots, slot))
            for slot, (a, b) in enumerate(pairs)
            if a == nodes[-1]
        ]
    return {(start, end): (nodes, key[2], key[0]) for end, (key, nodes) in best.items()}


@pytest.mark.parametrize("seed", range(40))
def test_the_first_cheapest_walks_where_edges_that_cost_nothing_go_round(seed):
    random = np.random.default_rng(seed)
    vertices = int(random.integers(4, 8))
    pairs = random.integers(0, vertices, (2 * vertices, 2)).tolist()
    costs = random.choice([0.0, 0.0, 0.0, 1.0], len(pairs))
    ranks = random.permutation(vertices)
    wanted = {}
    for start in range(vertices):
        wanted |= first_walks(vertices, pairs, costs, start, ranks)
    topology = topology_of([vertices], [list(zip(*pairs, strict=True))])
    # All pairs, from one start, and to one end: each is another search.
    for start, end in ((None, None), (0, None), (None, 0), (1, 2)):
        rows = paths(
            found(
                topology,
                pattern(PLUS, start=start, end=end, selector=("cheapest", 1), cost=costs),
                ranks=ranks,
            )
        )
        mine = {(nodes[0], nodes[-1]): (nodes, slots, cost) for nodes, slots, cost, *_ in rows}
        assert len(mine) == len(rows)
        assert mine == {
            ends: walk for ends, walk in wanted.items() if start in (None, ends[0]) and end in (None, ends[1])
        }


def test_costs_that_large_sums_swallow_do_not_go_round_for_ever():
    pairs = [(0, 1), (1, 0), (1, 2)]
    topology = topology_of([3], [list(zip(*pairs, strict=True))])
    path = pattern(PLUS, start=1, end=2, selector=("cheapest", 1), cost=np.array([1.0, 1.0, 1e20]))
    ((nodes, slots, *_),) = paths(found(topology, path, ranks=np.array([0, 2, 1])))
    assert (nodes, slots) == ((1, 2), (2,))


@pytest.mark.parametrize("ends", [{"start": 0}, {"end": 100_000}, {}])
def test_a_chain_that_costs_nothing_stops_when_asked(ends):
    length = 100_000
    topology = topology_of([length + 1], [(np.arange(length), np.arange(1, length + 1))])
    control = Control()
    timer = threading.Timer(0.2, control.stop.set)
    timer.start()
    with pytest.raises(CancelledError):
        found(
            topology, pattern(PLUS, selector=("cheapest", 1), cost=np.zeros(length), **ends), control=control
        )


def test_a_hub_of_a_million_edges():
    leaves = 1_000_000
    out = np.arange(1, leaves + 1)
    hub = np.zeros(leaves, np.int64)
    topology = topology_of([leaves + 1], [(np.concatenate((hub, out[:2])), np.concatenate((out, hub[:2])))])
    rows = found(topology, pattern((1, 3), start=1), frozenset(), Duplicates.COUNTED)
    assert rows == [((), 1 + leaves + 2)]
    ((nodes, slots, *_),) = paths(found(topology, pattern(PLUS, start=1, end=leaves, selector=("any", 1))))
    assert (nodes, slots) == ((1, 0, leaves), (leaves, leaves - 1))
    one = search(
        topology, pattern(PLUS, start=0, mode=Mode.ACYCLIC), NumpyEngine(), Control(), None, None, None, PATH,
        Duplicates.NEEDED,
    )  # fmt: skip
    assert sum(batch.rows for batch in one) == leaves


def test_a_chain_of_a_hundred_thousand_edges():
    length = 100_000
    topology = topology_of([length + 1], [(np.arange(length), np.arange(1, length + 1))])
    for selector, cost in (("any", None), ("cheapest", np.ones(length)), ("cheapest", np.zeros(length))):
        path = pattern(PLUS, start=0, end=length, selector=(selector, 1), cost=cost)
        ((nodes, slots, *_),) = paths(found(topology, path))
        assert nodes == tuple(range(length + 1))
        assert slots == tuple(range(length))
    assert (
        len(found(topology, pattern(PLUS, start=0, mode=Mode.TRAIL), frozenset("b"), Duplicates.IGNORED))
        == length
    )


def complete(vertices):
    pairs = list(itertools.permutations(range(vertices), 2))
    return topology_of([vertices], [([a for a, _ in pairs], [b for _, b in pairs])])


@pytest.mark.parametrize("mode", [Mode.TRAIL, Mode.ACYCLIC, Mode.SIMPLE])
@pytest.mark.parametrize("needed", [PATH, frozenset("a")])
def test_an_endless_enumeration_streams_and_stops_when_asked(mode, needed):
    control = Control(batch=1000)
    batches = search(
        complete(25),
        pattern(PLUS, mode=mode),
        NumpyEngine(),
        control,
        None,
        None,
        None,
        needed,
        Duplicates.NEEDED,
    )
    assert next(batches).rows >= 1000
    timer = threading.Timer(0.2, control.stop.set)
    timer.start()
    with pytest.raises(CancelledError):
        for _ in batches:
            pass


def test_an_enumeration_keeps_to_its_memory():
    topology = complete(25)
    control = Control(batch=1000, memory=64 << 20)
    batches = search(
        topology,
        pattern(PLUS, mode=Mode.TRAIL),
        NumpyEngine(),
        control,
        None,
        None,
        None,
        PATH,
        Duplicates.NEEDED,
    )
    assert sum(batch.rows for batch in itertools.islice(batches, 50)) >= 50_000
    with pytest.raises(ResourceError, match="memory_limit"):
        found(topology, pattern(PLUS, start=0, end=1, selector=("any", 1)), control=Control(memory=100))


def test_more_walks_than_a_count_holds_are_refused():
    topology = complete(25)
    with pytest.raises(ResourceError, match="64"):
        found(topology, pattern((1, 30)), frozenset(), Duplicates.COUNTED)
    assert found(topology, pattern((1, 30)), frozenset("b"), Duplicates.IGNORED)


def test_walks_without_a_bound_are_refused_with_advice():
    topology = complete(3)
    with pytest.raises(UnsupportedError, match="ANY SHORTEST"):
        found(topology, pattern(PLUS))


def test_a_closed_trail_that_is_not_there_is_not_looked_for_for_ever():
    # A pendant vertex: undirected walks come back to it, trails never do.
    pairs = [(a, b) for a in range(40) for b in range(a)] + [(40, 0)]
    topology = topology_of([41], [([a for a, _ in pairs], [b for _, b in pairs])])
    path = pattern(PLUS, start=40, selector=("any", 1), mode=Mode.TRAIL, direction=Direction.ANY)
    given = paths(found(topology, path))
    assert sorted(nodes[-1] for nodes, *_ in given) == list(range(40))
    path = pattern(PLUS, start=0, end=0, selector=("any", 1), mode=Mode.TRAIL, direction=Direction.ANY)
    ((nodes, slots, *_),) = paths(found(topology, path))
    assert nodes == (0, 1, 2, 0)
    assert len(set(slots)) == 3


def test_journeys_of_a_time_respecting_pattern():
    # Query 7: flights, each departing after the last one's arrival, in twelve hours.
    flights = [(0, 1, 0, 2), (1, 2, 3, 5), (1, 2, 1, 4), (2, 3, 5, 13), (2, 3, 6, 9), (0, 3, 4, 11)]
    begins, ends, depart, arrive = (np.array(column, np.int64) for column in zip(*flights, strict=True))
    topology = topology_of([4], [(begins, ends)])
    edge = BoundEdge("f", (0,), Direction.RIGHT, {}, Quantifier(1, 4, (0, 0)), None, {0: depart}, {0: arrive})
    path = BoundPath(
        "p", None, Mode.WALK, (BoundNode("a", (0,), ids(0)), edge, BoundNode("b", (0,))), Times(False, 12)
    )
    rows = paths(found(topology, path))
    assert sorted((slots, departure, arrival) for _, slots, _, departure, arrival in rows) == [
        ((0,), 0, 2), ((0, 1), 0, 5), ((0, 1, 4), 0, 9), ((5,), 4, 11),
    ]  # fmt: skip
