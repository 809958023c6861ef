"""Random graphs and patterns, and what they match by looking at everything: what the matcher is held against."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from graph_arrays import Edges, topology
from plain_engine import PlainEngine

from luma_bench.language.graph.pattern import Direction, Duplicates, Mode, Quantifier
from luma_bench.models.control import Control
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine
from luma_bench.models.graph.match import matches
from luma_bench.models.graph.statistics import statistics
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath
from luma_bench.plan.graph.planner import plan

NULL = -1
MOST = 1500


class TooManyError(Exception):
    """More matches than are worth enumerating in Python."""


# -- a graph, and a pattern over it


def graph(rng: random.Random):
    sizes = [rng.choice((1, 3, 4, 5)) for _ in range(rng.choice((1, 1, 2)))]
    tables = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        source, destination = rng.randrange(len(sizes)), rng.randrange(len(sizes))
        count = rng.choice((0, 2, 5, 8, 10))
        begins = [rng.randrange(sizes[source]) for _ in range(count)]
        ends = [rng.randrange(sizes[destination]) for _ in range(count)]
        dead = [slot for slot in range(count) if rng.random() < 0.1] if rng.random() < 0.3 else []
        later = rng.randrange(count + 1) if rng.random() < 0.3 else 0
        tables.append(Edges(source, destination, begins, ends, dead, later))
    gone = [[v for v in range(size) if rng.random() < 0.15] if rng.random() < 0.2 else [] for size in sizes]
    return topology(sizes, tables, gone)


def pattern(
    rng: random.Random, topo, duplicates: Duplicates, *, most_edges: int = 4, searched: float = 0
) -> BoundMatch:
    vertex_tables, edge_tables = len(topo.vertices), len(topo.edges)
    clauses, known_edges, number = [], [], 0
    earlier: list[str] = []
    for place in range(rng.choice((1, 1, 1, 2, 2, 3))):
        nodes: dict[str, BoundNode] = {}
        paths = []
        for _ in range(rng.choice((1, 1, 2, 3)) if place == 0 else rng.choice((1, 1, 2))):
            elements = []
            length = rng.choice((0, 1, 1, 2, 2, 3)) if number < most_edges else 0
            for at in range(length + 1):
                names = [*earlier, *nodes]
                name = rng.choice(names) if names and rng.random() < 0.4 else f"n{place}{len(nodes)}"
                if name not in nodes:
                    tables = tuple(
                        sorted(rng.sample(range(vertex_tables), rng.randrange(1, vertex_tables + 1)))
                    )
                    if rng.random() < 0.6:
                        tables = tuple(range(vertex_tables))
                    allowed = None
                    if rng.random() < 0.3:
                        live = topo.live_vertices(tables)
                        allowed = live[np.array([rng.random() < 0.6 for _ in live], bool)]
                    nodes[name] = BoundNode(name, tables, allowed)
                elements.append(nodes[name])
                if at < length:
                    elements.append(edge(rng, topo, edge_tables, f"e{number}", known_edges))
                    number += 1
            variable = f"p{place}{len(paths)}" if rng.random() < 0.3 else None
            mode = Mode.TRAIL if rng.random() < searched else Mode.WALK
            if not searched and any(isinstance(item, BoundEdge) and item.quantifier for item in elements):
                variable = None
            paths.append(BoundPath(variable, None, mode, tuple(elements)))
        optional = rng.random() < (0.5 if place else 0.15)
        clauses.append(BoundClause(tuple(paths), optional))
        earlier += [name for name in nodes if name not in earlier]
    names = set()
    for clause in clauses:
        for path in clause.paths:
            names |= {
                item.variable
                for item in path.elements
                if searched or getattr(item, "quantifier", None) is None
            }
            names |= {path.variable} if path.variable else set()
    share = rng.choice((0.0, 0.3, 0.3, 0.7, 1.0))
    needed = frozenset(name for name in sorted(names) if rng.random() < share)
    return BoundMatch(tuple(clauses), needed, duplicates)


def edge(rng, topo, edge_tables, variable, known) -> BoundEdge:
    if known and rng.random() < 0.1:
        variable = rng.choice(known)
    tables = tuple(range(edge_tables))
    if rng.random() < 0.4:
        tables = tuple(sorted(rng.sample(tables, rng.randrange(1, edge_tables + 1))))
    allowed = {}
    for table in tables:
        if rng.random() < 0.25:
            allowed[table] = np.array([rng.random() < 0.6 for _ in range(topo.edges[table].count)], np.bool_)
    quantifier = None
    if variable not in known and rng.random() < 0.15:
        least = rng.randrange(3)
        quantifier = Quantifier(least, least + rng.randrange(3), (0, 0))
    elif variable not in known:
        known.append(variable)
    return BoundEdge(variable, tables, rng.choice(list(Direction)), allowed, quantifier)


# -- the same by enumeration


class Budget:
    """A topology that may be asked for edges only so often."""

    def __init__(self, topo) -> None:
        self.topo, self.left = topo, 20_000

    def __getattr__(self, name):
        return getattr(self.topo, name)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyError


def brute(topo, match: BoundMatch) -> Counter:
    topo = Budget(topo)
    rows: list[dict] = [{}]
    bound: set[str] = set()
    for clause in match.clauses:
        names = {item.variable for path in clause.paths for item in path.elements}
        names |= {path.variable for path in clause.paths if path.variable}
        after = []
        for row in rows:
            found = list(clause_rows(topo, clause, row))
            if not found and clause.optional:
                found = [row | dict.fromkeys(names - bound, NULL)]
            after += found
            if len(after) > MOST:
                raise TooManyError
        rows, bound = after, bound | names
    order = sorted(match.needed)
    return Counter(tuple(row[name] for name in order) for row in rows)


def clause_rows(topo, clause, row):
    rows = [row]
    for path in clause.paths:
        after = []
        for current in rows:
            for found, way in path_rows(topo, path, current):
                after.append(found | {path.variable: way} if path.variable else found)
                if len(after) > MOST:
                    raise TooManyError
        rows = after
    return rows


def bind(row, name, value):
    if name in row:
        return row if row[name] == value else None
    return row | {name: value}


def admits(topo, node, vertex) -> bool:
    if vertex == NULL:
        return False
    if node.allowed is not None:
        return vertex in node.allowed.tolist()
    return vertex in topo.live_vertices(node.tables).tolist()


def path_rows(topo, path, row):
    node = path.elements[0]
    for vertex in [row[node.variable]] if node.variable in row else range(topo.vertex_count):
        if admits(topo, node, vertex):
            found = onward(topo, path.elements, bind(row, node.variable, vertex), vertex, ((vertex,), ()))
            for now, way in found:
                if path.mode is Mode.WALK or len(set(way[1])) == len(way[1]):
                    yield now, way


def onward(topo, elements, row, at, way):
    if len(elements) == 1:
        yield row, way
        return
    link, node, rest = elements[1], elements[2], elements[2:]
    least, most = (1, 1) if link.quantifier is None else link.quantifier[:2]
    for slots, vertices in walks(topo, link, at, most):
        if len(slots) >= least:
            other = (at, *vertices)[-1]
            now = bind(row, link.variable, slots if link.quantifier is not None else slots[0])
            now = None if now is None else bind(now, node.variable, other)
            if now is not None and admits(topo, node, other):
                yield from onward(topo, rest, now, other, (way[0] + vertices, way[1] + slots))


def walks(topo, link, at, most):
    """Every walk of up to `most` edges: its slots, and the vertices behind them."""
    yield (), ()
    if most:
        for slot, other in steps(topo, link, at):
            for slots, vertices in walks(topo, link, other, most - 1):
                yield (slot, *slots), (other, *vertices)


def steps(topo, link, vertex):
    topo.spend()
    for table in link.tables:
        rows = topo.edges[table]
        for slot in np.flatnonzero((rows.source == vertex) | (rows.destination == vertex)).tolist():
            source, destination = int(rows.source[slot]), int(rows.destination[slot])
            if rows.out.dead is not None and rows.out.dead[slot]:
                continue
            if table in link.allowed and not link.allowed[table][slot]:
                continue
            if source == vertex and link.direction in (Direction.RIGHT, Direction.ANY):
                yield rows.first + slot, destination
            loop = source == destination and link.direction is Direction.ANY
            if destination == vertex and link.direction in (Direction.LEFT, Direction.ANY) and not loop:
                yield rows.first + slot, source


# -- what is compared


def rows_of(batches, match: BoundMatch) -> Counter:
    order = sorted(match.needed)
    found: Counter = Counter()
    for batch in batches:
        assert batch.rows > 0
        assert set(batch.nodes) | set(batch.edges) | set(batch.paths) | set(batch.groups) == match.needed
        columns = []
        for name in order:
            if name in batch.paths:
                columns.append(paths_of(batch.paths[name], batch.rows))
            elif name in batch.groups:
                columns.append(lists_of(batch.groups[name], batch.rows))
            else:
                values = batch.nodes.get(name, batch.edges.get(name))
                assert values.dtype == (np.int32 if name in batch.nodes else np.int64)
                assert len(values) == batch.rows
                columns.append(values.tolist())
        weights = [1] * batch.rows if batch.weights is None else batch.weights.tolist()
        assert all(weight > 0 for weight in weights)
        for row, weight in zip(
            zip(*columns, strict=True) if columns else [()] * batch.rows, weights, strict=True
        ):
            found[row] += weight
    return found


def lists_of(lists, rows):
    assert len(lists) == rows
    valid = np.ones(rows, bool) if lists.valid is None else lists.valid
    return [
        tuple(lists.values[int(lists.offsets[row]) : int(lists.offsets[row + 1])].tolist())
        if valid[row]
        else NULL
        for row in range(rows)
    ]


def paths_of(path, rows):
    both = zip(lists_of(path.nodes, rows), lists_of(path.edges, rows), strict=True)
    return [NULL if NULL in pair else pair for pair in both]


def run(topo, match, *, batch=7, memory=0, engine=None):
    control = Control(batch=batch, memory=memory)
    planned = plan(match, statistics(topo))
    assert planned.lines()
    return rows_of(matches(topo, match, planned, engine or PlainEngine(), control), match), control, planned


def check(seed: int, *, searched: float = 0) -> None:
    rng = random.Random(seed)
    topo = graph(rng)
    duplicates = rng.choice(list(Duplicates))
    match = pattern(rng, topo, duplicates, most_edges=3 if searched else 4, searched=searched)
    try:
        wanted = brute(topo, match)
    except TooManyError:
        return
    engine = NumpyEngine() if searched else PlainEngine()
    found, control, planned = run(topo, match, batch=rng.choice((1, 7, 1000)), engine=engine)
    if duplicates is Duplicates.IGNORED:
        assert set(found) == set(wanted), planned.lines()
    else:
        assert found == wanted, planned.lines()
    assert len(control.steps) >= sum(len(clause.steps) for clause in planned.clauses)
