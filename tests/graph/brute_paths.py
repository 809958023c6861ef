"""Path patterns by trying everything: clear, slow, and sharing nothing with the searches but the pattern's own classes.

A match is `(vertices, slots, counts)`: the walk, and how many edges each edge of the pattern takes of it.
"""

from __future__ import annotations

import itertools

from luma_bench.language.graph.pattern import Direction, Mode


def arcs_of(topology, edge, vertex):
    """`(neighbour, global slot)` of each edge that one repeat of a pattern edge may take from a vertex."""
    found = []
    for table in edge.tables:
        rows = topology.edges[table]
        dead = set() if rows.out.dead is None else {i for i, gone in enumerate(rows.out.dead) if gone}
        for slot in range(rows.count):
            if slot in dead or (table in edge.allowed and not edge.allowed[table][slot]):
                continue
            a, b = int(rows.source[slot]), int(rows.destination[slot])
            if edge.direction is not Direction.LEFT and a == vertex:
                found.append((b, rows.first + slot))
            if edge.direction is not Direction.RIGHT and b == vertex:
                if edge.direction is Direction.ANY and a == b:
                    continue
                found.append((a, rows.first + slot))
    return found


def value(topology, values, slot):
    """A value of an edge by its global slot."""
    for table, array in values.items():
        first = topology.edges[table].first
        if first <= slot < first + topology.edges[table].count:
            return array[slot - first].item()
    raise AssertionError(slot)


def admits(topology, node, vertex):
    """Whether a node of the pattern may be this vertex."""
    if node.allowed is not None:
        return vertex in node.allowed.tolist()
    return vertex in topology.live_vertices(node.tables).tolist()


def allowed_by_mode(mode, vertices, slots):
    """Whether a walk repeats nothing that it may not."""
    if mode is Mode.TRAIL:
        return len(set(slots)) == len(slots)
    if mode is Mode.ACYCLIC:
        return len(set(vertices)) == len(vertices)
    if mode is Mode.SIMPLE:
        inner = vertices[:-1] if len(vertices) > 1 and vertices[0] == vertices[-1] else vertices
        return len(set(inner)) == len(inner)
    return True


def element_of(counts, step):
    """The pattern edge that takes a step of the walk."""
    for place, end in enumerate(itertools.accumulate(counts)):
        if step < end:
            return place
    raise AssertionError(step)


def needless(path, match):
    """Whether two edges of one quantified edge leave the same vertex beyond its least repeats."""
    vertices, _, counts = match
    start = 0
    for edge, count in zip(path.edges, counts, strict=True):
        least = 1 if edge.quantifier is None else edge.quantifier.least
        keys = [(vertices[start + taken], 0 if least <= 1 else min(taken, least)) for taken in range(count)]
        if len(set(keys)) < len(keys):
            return True
        start += count
    return False


def moments(topology, path, match):
    """The departures and arrivals of a walk's edges, those that have times."""
    depart, arrive = [], []
    for step, slot in enumerate(match[1]):
        edge = path.edges[element_of(match[2], step)]
        if edge.depart is not None:
            depart.append(value(topology, edge.depart, slot))
            arrive.append(value(topology, edge.arrive, slot))
    return depart, arrive


def times_hold(topology, path, match):
    """Whether a journey keeps to the times."""
    times = path.times
    if times is None or not match[1]:
        return True
    depart, arrive = moments(topology, path, match)
    if not depart:
        return True
    for before, after in zip(arrive, depart[1:], strict=False):
        if after < before or (times.strict and after == before):
            return False
    if times.within is not None and arrive[-1] - depart[0] > times.within:
        return False
    return times.starting_at is None or depart[0] >= times.starting_at


def cost_of(topology, path, match):
    """The sum of COST."""
    total = 0.0
    for step, slot in enumerate(match[1]):
        edge = path.edges[element_of(match[2], step)]
        if edge.cost is not None:
            total += value(topology, edge.cost, slot)
    return total


def equal_variables(path, match):
    """Whether nodes of one variable are one vertex, and fixed edges of one variable one edge."""
    bound = {}
    at = 0
    for node, count in zip(path.nodes, (*match[2], 0), strict=True):
        if bound.setdefault(node.variable, match[0][at]) != match[0][at]:
            return False
        at += count
    at = 0
    for edge, count in zip(path.edges, match[2], strict=True):
        if (
            edge.quantifier is None
            and bound.setdefault(("edge", edge.variable), match[1][at]) != match[1][at]
        ):
            return False
        at += count
    return True


def walks(topology, path, longest, sources=None, targets=None):
    """Every match of at most `longest` edges before any selector, in no order."""
    nodes, edges = path.nodes, path.edges
    arcs = [
        {vertex: arcs_of(topology, edge, vertex) for vertex in range(topology.vertex_count)} for edge in edges
    ]
    fine = [
        {vertex for vertex in range(topology.vertex_count) if admits(topology, node, vertex)}
        for node in nodes
    ]
    found = []
    stack = [
        ((vertex,), (), (0,) * len(edges), 0)
        for vertex in sorted(fine[0])
        if sources is None or vertex in sources.tolist()
    ]
    while stack:
        vertices, slots, counts, place = stack.pop()
        edge = edges[place]
        least, most = (1, 1) if edge.quantifier is None else edge.quantifier[:2]
        if counts[place] >= least and vertices[-1] in fine[place + 1]:
            if place + 1 < len(edges):
                stack.append((vertices, slots, counts, place + 1))
            elif targets is None or vertices[-1] in targets.tolist():
                found.append((vertices, slots, counts))
        if (most is None or counts[place] < most) and len(slots) < longest:
            more = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
            for end, slot in arcs[place][vertices[-1]]:
                grown = ((*vertices, end), (*slots, slot))
                if allowed_by_mode(path.mode, *grown):
                    stack.append((*grown, more, place))
    return [match for match in found if equal_variables(path, match) and times_hold(topology, path, match)]


def matches(topology, path, longest, ranks=None, sources=None, targets=None):
    """What a path pattern matches, its selector applied: a list, sorted by ends, length or cost, and ranks."""
    found = walks(topology, path, longest, sources, targets)
    selector = path.selector
    if selector is None:
        return sorted(found)

    def order(match):
        names = tuple(int(ranks[vertex]) for vertex in match[0])
        first = cost_of(topology, path, match) if selector.kind == "cheapest" else len(match[1])
        return first, names, match[1], match[2]

    pairs = {}
    for match in found:
        if selector.kind != "cheapest" or not needless(path, match):
            pairs.setdefault((match[0][0], match[0][-1]), []).append(match)
    kept = []
    for group in pairs.values():
        group.sort(key=order)
        if selector.kind == "all":
            kept += [match for match in group if len(match[1]) == len(group[0][1])]
        else:
            kept += group[: selector.count if selector.kind == "shortest" else 1]
    return sorted(kept)
