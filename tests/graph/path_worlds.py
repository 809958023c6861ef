"""Small random graphs and path patterns over them, as the searches take them: arrays, no names."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from hypothesis import strategies as st

from luma_bench.language.graph.pattern import Direction, Mode, Quantifier, Selector
from luma_bench.models.graph.topology import Adjacency, Csr, EdgeRows, Topology, VertexRows
from luma_bench.plan.graph.bound import BoundEdge, BoundNode, BoundPath, Times
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable


def csr(origins, ends, slots, vertices):
    """Rows by origin, neighbours and then slots ascending."""
    origins, ends, slots = (np.asarray(item, np.int64) for item in (origins, ends, slots))
    order = np.lexsort((slots, ends, origins))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(origins, minlength=vertices)))).astype(np.int64)
    return Csr(indptr, ends[order].astype(np.int32), slots[order].astype(np.int32))


def adjacency(origins, ends, vertices, later, dead):
    """A base of all but the last `later` edges, and those as a delta; `dead` are slots."""
    count = len(origins)
    slots = np.arange(count)
    held = count - later
    base = csr(origins[:held], ends[:held], slots[:held], vertices)
    delta = csr(origins[held:], ends[held:], slots[held:], vertices) if later else None
    mask = None
    if dead:
        mask = np.zeros(count, np.bool_)
        mask[list(dead)] = True
    return Adjacency(base, delta, mask)


def topology_of(vertex_counts, edge_tables, later=0, dead=()):
    """A topology of vertex tables of these sizes, and edge tables of `(source, destination)` dense ids."""
    vertices = sum(vertex_counts)
    graph = PropertyGraph(
        "g",
        tuple(VertexTable(f"v{i}", f"v{i}", ("id",), (f"v{i}",)) for i in range(len(vertex_counts))),
        tuple(
            EdgeTable(
                f"e{i}", f"e{i}", ("id",), (f"e{i}",),
                source=EdgeEnd(("a",), "v0", ("id",)), destination=EdgeEnd(("b",), "v0", ("id",)),
            )
            for i in range(len(edge_tables))
        ),
    )  # fmt: skip
    firsts = np.concatenate(([0], np.cumsum(vertex_counts)))[:-1]
    rows = tuple(VertexRows(int(f), np.arange(n)) for f, n in zip(firsts, vertex_counts, strict=True))
    edges, first = [], 0
    for place, (a, b) in enumerate(edge_tables):
        a, b = np.asarray(a, np.int32), np.asarray(b, np.int32)
        gone = dead if place == 0 else ()
        more = min(later, len(a)) if place == 0 else 0
        edges.append(
            EdgeRows(
                first, np.arange(len(a)), a, b,
                adjacency(a, b, vertices, more, gone), adjacency(b, a, vertices, more, gone),
            )
        )  # fmt: skip
        first += len(a)
    return Topology(graph, 1, rows, tuple(edges), 1)


@dataclass
class World:
    """A graph, a pattern over it, the order of its vertices, and what its ends are restricted to."""

    topology: Topology
    path: BoundPath
    ranks: np.ndarray
    sources: np.ndarray | None
    targets: np.ndarray | None
    needed: frozenset[str]

    def __repr__(self):
        edges = [
            list(zip(e.source.tolist(), e.destination.tolist(), strict=True)) for e in self.topology.edges
        ]
        dead = [
            None if e.out.dead is None else np.flatnonzero(e.out.dead).tolist() for e in self.topology.edges
        ]
        return (
            f"World({[v.count for v in self.topology.vertices]}, {edges}, dead={dead}, {self.path}, "
            f"ranks={self.ranks.tolist()}, sources={self.sources}, targets={self.targets}, needed={set(self.needed)})"
        )


def worlds(**options):
    """Random worlds, of a seed each; for the options see `world_of`."""
    return st.integers(0, 2**32 - 1).map(lambda seed: world_of(Random(seed), **options))


def world_of(
    random,
    *,
    selectors=(None,),
    modes=tuple(Mode),
    costs=(),
    timed=False,
    vertices=5,
    edges=8,
    unbounded=True,
    quantified=2,
    least=2,
    length=None,
):
    """A random world; `selectors` are `(kind, count)` or None, `costs` the values that COST may have."""
    counts = random.choice([(vertices,), (vertices - 2, 2), (2,), (1, vertices - 1)])
    total = sum(counts)
    tables = []
    for _ in range(random.randint(1, 2)):
        size = random.randint(0 if tables else 2, edges)
        tables.append([[random.randrange(total) for _ in range(size)] for _ in range(2)])
    size = len(tables[0][0])
    dead = set(random.sample(range(size), min(size, random.choice([0, 0, 1, 2]))))
    topology = topology_of(counts, tables, random.randint(0, 3), dead)
    selector, mode = random.choice(selectors), random.choice(modes)
    length = length or random.randint(1, quantified + 1)
    names = random.choice(["abcd"] * 6 + ["abad", "aacd", "abba", "abbd"])
    left = quantified

    def node(variable):
        places = tuple(range(len(counts))) if random.random() < 0.8 else (0,)
        allowed = None
        if random.random() < 0.25:
            live = topology.live_vertices(places).tolist()
            allowed = np.array([vertex for vertex in live if random.random() < 0.7], np.int32)
        return BoundNode(variable, places, allowed)

    def edge(variable):
        nonlocal left
        every = tuple(range(len(tables)))
        places = every if random.random() < 0.7 else (random.choice(every),)
        quantifier = None
        if left and random.random() < 0.6:
            left -= 1
            low = random.randint(0, least)
            free = unbounded and (selector is not None or mode is not Mode.WALK)
            high = random.choice([low, low + 1, 3, *([None] * 4 if free else [])])
            quantifier = Quantifier(low, None if high is None else max(high, low, 1), (0, 0))
        sizes = {place: topology.edges[place].count for place in places}
        allowed = {}
        if random.random() < 0.2:
            place = random.choice(places)
            allowed[place] = np.array([random.random() < 0.7 for _ in range(sizes[place])], np.bool_)
        cost = depart = arrive = None
        if costs and random.random() < 0.85:
            cost = {
                p: np.array([random.choice(costs) for _ in range(n)], np.float64) for p, n in sizes.items()
            }
        if timed and random.random() < 0.85:
            least_time = -1 if random.random() < 0.2 else 0
            depart = {
                p: np.array([random.randint(0, 6) for _ in range(n)], np.int64) for p, n in sizes.items()
            }
            more = {
                p: np.array([random.randint(least_time, 2) for _ in range(n)], np.int64)
                for p, n in sizes.items()
            }
            arrive = {place: depart[place] + more[place] for place in sizes}
        direction = random.choice([Direction.RIGHT, Direction.RIGHT, Direction.LEFT, Direction.ANY])
        return BoundEdge(variable, places, direction, allowed, quantifier, cost, depart, arrive)

    elements = [node(names[0])]
    nodes_of = {names[0]: elements[0]}
    for place in range(length):
        name = names[place + 1]
        elements.append(edge(f"e{place}"))
        if name not in nodes_of:
            nodes_of[name] = node(name)
        elements.append(nodes_of[name])
    times = None
    if timed:
        times = Times(
            random.random() < 0.3, random.choice([None, None, 2, 4]), random.choice([None, None, 1, 3])
        )
    chosen = None if selector is None else Selector(selector[0], selector[1], (0, 0))
    path = BoundPath("p", chosen, mode, tuple(elements), times)
    ranks = np.array(random.sample(range(total), total), np.int64)

    def some():
        kind = random.random()
        if kind < 0.55:
            return None
        if kind < 0.8:
            return np.array([random.randrange(total)], np.int32)
        return np.array([vertex for vertex in range(total) if random.random() < 0.6], np.int32)

    variables = sorted({*nodes_of, *(item.variable for item in path.edges), "p"})
    needed = frozenset(name for name in variables if random.random() < 0.35) | {"elsewhere"}
    return World(topology, path, ranks, some(), some(), needed)
