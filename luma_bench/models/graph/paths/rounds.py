"""The first of the cheapest walks where edges that cost nothing go round: step by step, never where one was before."""

from __future__ import annotations

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.paths.tight import Move, Moves, State, Way, departure
from luma_bench.models.graph.topology import Ints

Departure = tuple[int, int, int]


def first_round_way(program: Program, moves: Moves, first: State, ranks: Ints, control: Control) -> Way:
    """The first walk, by ranks and then slots, that leaves no vertex twice. For a pattern of one edge.

    Each step takes the first vertex from which the end can still be reached without leaving a vertex that was left
    before; the shortest such rest leaves none twice, so no step is ever taken back.
    """
    nodes, slots = [first[1]], list[int]()
    left: set[Departure] = set()
    state = first
    while True:
        control.check()
        options = moves.get(state, [])
        if any(move.to[0] == program.final for move in options):
            return Way(tuple(nodes), tuple(slots), (0,) * len(slots))
        left.add(_departed(program, state))
        chosen: Move | None = None
        for move in sorted(options, key=lambda move: (int(ranks[move.to[1]]), move.slot)):
            if _ends(program, moves, move.to, left):
                chosen = move
                break
        assert chosen is not None
        nodes.append(chosen.to[1])
        slots.append(chosen.slot)
        state = chosen.to


def _departed(program: Program, state: State) -> Departure:
    return departure(program, 0, state[0], state[1])


def _ends(program: Program, moves: Moves, state: State, left: set[Departure]) -> bool:
    """Whether a walk from a state to the end leaves nothing of what was left."""
    seen = {state}
    stack = [state]
    while stack:
        at = stack.pop()
        blocked = _departed(program, at) in left
        for move in moves.get(at, []):
            if move.to[0] == program.final:
                return True
            if not blocked and move.to not in seen:
                seen.add(move.to)
                stack.append(move.to)
    return False
