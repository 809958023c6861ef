"""The cheapest walks from one start to one end as a graph: the states on them, and which leads to which without a loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.distances import Distances
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.paths.remaining import passing, sources_of
from luma_bench.models.graph.paths.scene import Run
from luma_bench.models.graph.topology import Ints

State = tuple[int, int]
"""A position and a vertex."""


class Move(NamedTuple):
    """A step between two states: a negative slot passes on without an edge."""

    slot: int
    to: State


Moves = dict[State, list[Move]]


class Way(NamedTuple):
    """A walk: its vertices, its slots, and the edge of the program that each step stands for."""

    nodes: tuple[int, ...]
    slots: tuple[int, ...]
    edges: tuple[int, ...]


def tight_moves(
    run: Run, back: tuple[Arcs, ...], found: Distances, start: int, end: int, control: Control
) -> Moves:
    """The moves of all cheapest walks between two vertices, by the state that they leave; cost sums are exact floats.

    Parameters
    ----------
    back
        By edge of the program, its edges the other way.
    """
    program = run.program
    before: dict[int, tuple[int, ...]] = {}
    for edge in range(len(program.edges)):
        before.update(sources_of(program, edge))
    moves: Moves = {}
    first, last = (0, start), (program.final, end)
    seen = {last}
    stack = [last]
    while stack:
        control.check()
        state = stack.pop()
        position, vertex = state
        cost = found[position][vertex]
        origins: list[tuple[int, State]] = []
        gate = (
            run.gates[program.node_before(position)] if position in (*program.base, program.final) else None
        )
        if gate is None or gate[vertex]:
            origins += [(-1, (p, vertex)) for p in passing(program, position) if found[p][vertex] == cost]
        if position in before:
            arcs = back[program.edge_at(position)]
            _, vertices, slots = arcs.expand(np.array([vertex], np.int32))
            costs = arcs.costs(slots)
            for origin in before[position]:
                fits = np.flatnonzero(found[origin][vertices] + costs == cost)
                origins += zip(
                    slots[fits].tolist(), ((origin, v) for v in vertices[fits].tolist()), strict=True
                )
        for slot, origin in origins:
            moves.setdefault(origin, []).append(Move(slot, state))
            if origin not in seen:
                seen.add(origin)
                if origin != first or program.base[0] in before:
                    stack.append(origin)
    return moves


def ordered(moves: Moves, first: State) -> list[State] | None:
    """The states from `first` on so that every move leads to a later one; None where moves go round."""
    done: set[State] = set()
    open_ones: set[State] = set()
    order: list[State] = []
    stack: list[tuple[State, int]] = [(first, 0)]
    open_ones.add(first)
    while stack:
        state, place = stack.pop()
        following = moves.get(state, [])
        while place < len(following) and following[place].to in done:
            place += 1
        if place == len(following):
            open_ones.discard(state)
            done.add(state)
            order.append(state)
            continue
        to = following[place].to
        if to in open_ones:
            return None
        stack.append((state, place + 1))
        stack.append((to, 0))
        open_ones.add(to)
    return order[::-1]


def needless(program: Program, way: Way) -> bool:
    """Whether two steps of one edge of the program leave the same vertex beyond its least repeats.

    Such a walk has a match inside of it that costs no more. Where edges cost nothing, such walks would go round without
    an end, each before the other in the order of keys; so they do not count.
    """
    keys: set[tuple[int, int, int]] = set()
    counts = [0] * len(program.edges)
    for vertex, edge in zip(way.nodes, way.edges, strict=False):
        key = departure(program, edge, counts[edge], vertex)
        if key in keys:
            return True
        keys.add(key)
        counts[edge] += 1
    return False


def departure(program: Program, edge: int, count: int, vertex: int) -> tuple[int, int, int]:
    """What may be left only once: an edge's vertex, and how many repeats were taken as far as the least matters."""
    least = program.least[edge]
    return edge, 0 if least <= 1 else min(count, least), vertex


def first_way(program: Program, moves: Moves, order: list[State], first: State, ranks: Ints) -> Way:
    """The first of all walks along moves that never go round: by ranks, slots, and so that earlier edges take fewer."""
    best: dict[State, Move] = {}
    for state in reversed(order):
        options = [move for move in moves.get(state, []) if move.to in best or move.to[0] == program.final]
        for move in options:
            if state not in best or _before(program, best, state, move, best[state], ranks):
                best[state] = move
    return way_of(program, best, first)


def way_of(program: Program, best: dict[State, Move], first: State) -> Way:
    """The walk along the chosen moves."""
    nodes, slots, edges = [first[1]], list[int](), list[int]()
    state = first
    while state[0] != program.final:
        move = best[state]
        if move.slot >= 0:
            nodes.append(move.to[1])
            slots.append(move.slot)
            edges.append(program.edge_at(state[0]))
        state = move.to
    return Way(tuple(nodes), tuple(slots), tuple(edges))


def _before(
    program: Program, best: dict[State, Move], state: State, one: Move, other: Move, ranks: Ints
) -> bool:
    """Whether a walk that goes on by one move comes before that of another; both behind it are chosen already."""
    if one.to == other.to and one.slot >= 0 and other.slot >= 0:
        return one.slot < other.slot
    if one.slot >= 0 and other.slot >= 0 and one.to[1] != other.to[1]:
        return bool(ranks[one.to[1]] < ranks[other.to[1]])
    ways = [way_of(program, {**_chain(program, best, move), state: move}, state) for move in (one, other)]
    keys = [([int(ranks[v]) for v in way.nodes], way.slots, [-e for e in way.edges]) for way in ways]
    return keys[0] < keys[1]


def _chain(program: Program, best: dict[State, Move], move: Move) -> dict[State, Move]:
    chain: dict[State, Move] = {}
    state = move.to
    while state[0] != program.final:
        chain[state] = best[state]
        state = best[state].to
    return chain
