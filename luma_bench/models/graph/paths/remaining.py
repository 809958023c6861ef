"""How many edges every partial match still needs: a search back from the ends, over vertices and positions."""

from __future__ import annotations

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.enumerate import FAR, Remaining
from luma_bench.models.graph.paths.nearest import distinct, pieces
from luma_bench.models.graph.paths.program import Gates, Program
from luma_bench.models.graph.topology import Ids


def remaining(
    program: Program,
    gates: Gates,
    back: tuple[Arcs, ...],
    ends: Ids,
    vertices: int,
    control: Control,
    *,
    most: int | None = None,
    until: int | None = None,
) -> Remaining:
    """By position and vertex, the fewest edges from there to a match that ends in one of `ends`.

    Walks count, whatever the mode and the times: what is found is never more than what a path needs.

    Parameters
    ----------
    back
        By edge of the program, its edges the other way.
    ends
        Vertices that the last node admits.
    most
        Leave off after so many edges: what is farther is `FAR`.
    until
        Leave off when this vertex is reached at the first position.
    """
    control.fits(4 * vertices * (program.final + 1), "Searching back from the ends of paths")
    found = np.full((program.final + 1, vertices), FAR, np.int32)
    before: dict[int, tuple[int, ...]] = {}
    for edge in range(len(program.edges)):
        before.update(sources_of(program, edge))
    level = _entered(program, gates, found, {program.final: ends}, 0)
    depth = 0
    while level and (most is None or depth < most) and (until is None or found[0][until] == FAR):
        control.check()
        depth += 1
        reached: dict[int, list[Ids]] = {}
        for position, at in level.items():
            if position in before and len(at):
                arcs = back[program.edge_at(position)]
                for _, moved in pieces(arcs, at, control):
                    for origin in before[position]:
                        fresh = moved.vertices[found[origin][moved.vertices] == FAR]
                        reached.setdefault(origin, []).append(distinct(fresh, vertices))
        merged = {position: _merged(parts, vertices) for position, parts in reached.items()}
        level = _entered(program, gates, found, merged, depth)
    return found


def _merged(parts: list[Ids], vertices: int) -> Ids:
    return parts[0] if len(parts) == 1 else distinct(np.concatenate(parts), vertices)


def sources_of(program: Program, edge: int) -> dict[int, tuple[int, ...]]:
    """By position of an edge, those from which a move leads there."""
    found: dict[int, tuple[int, ...]] = {}
    most, least = program.most[edge], program.least[edge]
    for count in range((least if most is None else most) + 1):
        position = program.base[edge] + count
        to = program.move(position)
        if to >= 0:
            found[to] = (*found.get(to, ()), position)
    return found


def _entered(
    program: Program,
    gates: Gates,
    found: Remaining,
    reached: dict[int, Ids],
    depth: int,
) -> dict[int, Ids]:
    """Mark what was not known before, and what passes on to it; gives all that is new, by position."""
    new: dict[int, Ids] = {}
    # From the last position down: what passes on does so to a later position.
    pending = dict(reached)
    for position in range(program.final, -1, -1):
        at = pending.get(position)
        if at is None:
            continue
        fresh = at[found[position][at] == FAR]
        if not len(fresh):
            continue
        found[position][fresh] = depth
        new[position] = fresh
        for earlier in passing(program, position):
            gate = gates[program.node_before(position)]
            through = fresh if gate is None else fresh[gate[fresh]]
            held = pending.get(earlier)
            pending[earlier] = through if held is None else np.union1d(held, through)
    return new


def passing(program: Program, position: int) -> range | tuple[int, ...]:
    """The positions from which a search passes on to this one."""
    if position == program.final:
        edge = len(program.edges) - 1
    elif position in program.base and position > 0:
        edge = program.edge_at(position) - 1
    else:
        return ()
    most, least, base = program.most[edge], program.least[edge], program.base[edge]
    return range(base + least, base + (least if most is None else most) + 1)
