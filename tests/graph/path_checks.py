"""A path search held against brute force, row by row."""

from __future__ import annotations

from collections import Counter

import brute_paths

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.models.control import Control
from luma_bench.models.graph.paths.search import search

NAT = -(2**63)


def expected_row(world, match, needed):
    """The row that bindings have for a match: by variable, the path as vertices, slots, cost and times."""
    vertices, slots, counts = match
    path = world.path
    row = {}
    starts = [sum(counts[:place]) for place in range(len(counts) + 1)]
    for node, start in zip(path.nodes, starts, strict=True):
        if node.variable in needed:
            row[node.variable] = vertices[start]
    for edge, start, count in zip(path.edges, starts, counts, strict=False):
        if edge.variable in needed:
            row[edge.variable] = slots[start] if edge.quantifier is None else slots[start : start + count]
    if path.variable in needed:
        cost = brute_paths.cost_of(world.topology, path, match) if any(e.cost for e in path.edges) else None
        depart = arrive = None
        if path.times is not None:
            depart = arrive = NAT
            departures, arrivals = brute_paths.moments(world.topology, path, match)
            if departures:
                depart, arrive = departures[0], arrivals[-1]
        row[path.variable] = (vertices, slots, cost, depart, arrive)
    return tuple(sorted(row.items()))


def rows_of(batch):
    """The rows of bindings, in the same form, each with its weight."""

    def lists(values):
        return [
            tuple(values.values[a:b].tolist())
            for a, b in zip(values.offsets, values.offsets[1:], strict=False)
        ]

    columns = {}
    for values in (batch.nodes, batch.edges):
        columns |= {name: array.tolist() for name, array in values.items()}
    columns |= {name: lists(values) for name, values in batch.groups.items()}
    for name, path in batch.paths.items():
        parts = [
            [None] * batch.rows if part is None else part.tolist()
            for part in (path.cost, path.departure, path.arrival)
        ]
        columns[name] = list(zip(lists(path.nodes), lists(path.edges), *parts, strict=True))
    for values in columns.values():
        assert len(values) == batch.rows
    rows = [tuple(sorted((name, values[i]) for name, values in columns.items())) for i in range(batch.rows)]
    weights = [1] * batch.rows if batch.weights is None else batch.weights.tolist()
    return list(zip(rows, weights, strict=True))


def found_by(world, engine, duplicates=Duplicates.NEEDED, needed=None, control=None):
    """What the search gives, as a multiset of rows."""
    needed = world.needed if needed is None else needed
    found = Counter()
    for batch in search(
        world.topology, world.path, engine, control or Control(batch=7), world.sources, world.targets,
        world.ranks, needed, duplicates,
    ):  # fmt: skip
        assert batch.rows
        for row, weight in rows_of(batch):
            assert weight > 0
            found[row] += weight
    return found


def check(world, engine, longest):
    """Hold the search against brute force, whatever the reader does with equal rows; how many matches were compared."""
    matches = brute_paths.matches(
        world.topology, world.path, longest, world.ranks, world.sources, world.targets
    )
    paths = frozenset({"p"})
    # What brute force leaves off at, the search may go on to: seen by the paths alone.
    given = found_by(world, engine, needed=paths)
    beyond = [row for row in given if len(dict(row)["p"][1]) > longest]
    if world.path.selector is not None and world.path.selector.kind == "cheapest":
        # Of these pairs of ends brute force cannot have found the cheapest.
        far = {(row[0][1][0][0], row[0][1][0][-1]) for row in beyond}
        matches = [match for match in matches if (match[0][0], match[0][-1]) not in far]
    for needed in (paths,) if beyond else (world.needed, paths):
        rows = [expected_row(world, match, needed) for match in matches]
        for duplicates in Duplicates:
            found = found_by(world, engine, duplicates, needed)
            for row in beyond:
                del found[row]
            if duplicates is Duplicates.IGNORED:
                assert set(found) == set(rows), (duplicates, needed)
            else:
                assert found == Counter(rows), (duplicates, needed)
    return len(matches)
