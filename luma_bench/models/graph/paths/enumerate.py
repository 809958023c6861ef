"""Every match of a path pattern, one after the other: depth first over chunks of partial matches.

A chunk is expanded piece by piece, its children before the rest of it, so what is held at one time is about as many
pieces as the pattern is long. What the path's mode or times refuse is left out where an edge is taken, never later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.chunk import Chunk, Keep, begun, passed
from luma_bench.models.graph.paths.clock import Clock
from luma_bench.models.graph.paths.program import Gates, Program
from luma_bench.models.graph.topology import Bools, Ids, Ints

PIECE = 65_536
"""Children that one piece of a chunk may have, about; fewer where a partial match is wide."""
PIECE_BYTES = 32 << 20

Remaining = np.ndarray[Any, np.dtype[np.int32]]
"""By position and vertex, how many more edges a match takes at least; `FAR` for none."""
FAR = int(np.iinfo(np.int32).max) // 2


@dataclass(slots=True, eq=False)
class Enumeration:
    """A run over the matches of a program.

    Attributes
    ----------
    gates
        By node of the program, the vertices that it admits; None for all.
    arcs
        By edge of the program.
    remaining
        Prunes what cannot end; None to go without.
    longest
        Edges that a match may have; None for as many as the pattern allows.
    exact
        Give only matches of `longest` edges.
    cut
        Set when something might have gone on beyond `longest`.
    """

    program: Program
    gates: Gates
    arcs: tuple[Arcs, ...]
    control: Control
    mode: Mode = Mode.WALK
    clock: Clock | None = None
    keep: Keep = field(default_factory=Keep)
    remaining: Remaining | None = None
    longest: int | None = None
    exact: bool = False
    cut: bool = False

    def __post_init__(self) -> None:
        nodes = self.keep.nodes or self.mode in (Mode.ACYCLIC, Mode.SIMPLE)
        slots = self.keep.slots or self.mode is Mode.TRAIL
        self.keep = Keep(nodes, slots, self.keep.marks)

    def run(self, starts: Ids) -> Iterator[Chunk]:
        """The matches that begin at these vertices (admitted by the first node), in chunks at the final position."""
        stack: list[Chunk] = []
        first = begun(self.program, starts, self.keep, self.clock is not None)
        yield from self._pushed(stack, passed(self.program, self.gates, first))
        held = 0
        while stack:
            self.control.check()
            chunk = stack.pop()
            position = self.program.move(chunk.position)
            piece, rest = self._piece(chunk, held)
            if rest is not None:
                stack.append(rest)
            children = self._moved(piece, position)
            if len(children):
                yield from self._pushed(stack, self._followed(children))
            held = sum(item.width * len(item) for item in stack)
            self.control.fits(held, "Enumerating paths")

    def _pushed(self, stack: list[Chunk], chunks: list[Chunk]) -> Iterator[Chunk]:
        """Put what can move on the stack, and give what is whole."""
        for chunk in chunks:
            if chunk.position == self.program.final:
                if not len(chunk) or (self.exact and chunk.depth != self.longest):
                    continue
                whole = chunk if self.clock is None else chunk.take(self.clock.whole(chunk))
                if len(whole):
                    yield whole
                continue
            if self.program.move(chunk.position) < 0:
                continue
            if self.mode is Mode.SIMPLE and chunk.depth:
                assert chunk.nodes is not None
                chunk = chunk.take(chunk.vertices != chunk.nodes[0])
            kept = self._alive(chunk)
            if len(kept):
                stack.append(kept)

    def _alive(self, chunk: Chunk) -> Chunk:
        """What may still become a match within the length asked for."""
        if self.longest is not None and chunk.depth >= self.longest:
            self.cut = self.cut or len(chunk) > 0
            return chunk.take(slice(0, 0))
        if self.remaining is None or not len(chunk):
            return chunk
        left = self.remaining[chunk.position][chunk.vertices]
        kept = left < FAR
        if self.longest is not None:
            within = left <= self.longest - chunk.depth
            self.cut = self.cut or bool((kept & ~within).any())
            kept &= within
        return chunk if kept.all() else chunk.take(kept)

    def _piece(self, chunk: Chunk, held: int) -> tuple[Chunk, Chunk | None]:
        """As many rows of a chunk as have not too many children, and the others; one row at the least."""
        most = min(PIECE, max(PIECE_BYTES // chunk.width, 1))
        if self.control.memory:
            # The fuller the memory, the smaller the pieces: depth first in the end, one match at a time.
            most = min(most, max((self.control.memory - held) // (8 * chunk.width), 1))
        arcs = self.arcs[self.program.edge_at(chunk.position)]
        children = np.cumsum(self._children(arcs, chunk))
        cut = int(np.searchsorted(children, most, side="right"))
        if cut >= len(chunk):
            return chunk, None
        cut = max(cut, 1)
        return chunk.take(slice(0, cut)), chunk.take(slice(cut, None)) if cut < len(chunk) else None

    def _children(self, arcs: Arcs, chunk: Chunk) -> Ints:
        """By row, how many moves there are at most."""
        if self.clock is not None and chunk.departed is not None and chunk.arrived is not None:
            found = self.clock.spans(arcs, chunk.vertices, chunk.departed, chunk.arrived)
            if found is not None:
                return found[1].counts
        return arcs.at_most(chunk.vertices)

    def _moved(self, chunk: Chunk, position: int) -> Chunk:
        """The partial matches with one more edge that mode and times allow."""
        edge = self.program.edge_at(chunk.position)
        arcs = self.arcs[edge]
        if self.clock is not None and chunk.departed is not None and chunk.arrived is not None:
            rows, vertices, slots = self.clock.expand(arcs, chunk.vertices, chunk.departed, chunk.arrived)
        else:
            rows, vertices, slots = arcs.expand(chunk.vertices)
        kept: Bools | None = None
        check = self.program.edge_checks[edge]
        if check >= 0:
            kept = chunk.carried[check][rows] == slots
        departed = arrived = None
        if self.clock is not None and chunk.departed is not None and chunk.arrived is not None:
            departed, arrived, in_time = self.clock.moved(
                arcs, chunk.departed[rows], chunk.arrived[rows], slots
            )
            kept = in_time if kept is None else kept & in_time
        if kept is not None and not kept.all():
            rows, vertices, slots = rows[kept], vertices[kept], slots[kept]
            if departed is not None and arrived is not None:
                departed, arrived = departed[kept], arrived[kept]
        fresh = self._fresh(chunk, rows, vertices, slots)
        if fresh is not None and not fresh.all():
            rows, vertices, slots = rows[fresh], vertices[fresh], slots[fresh]
            if departed is not None and arrived is not None:
                departed, arrived = departed[fresh], arrived[fresh]
        carried = chunk.carried[:, rows]
        bind = self.program.edge_binds[edge]
        if bind >= 0:
            carried[bind] = slots
        return Chunk(
            position=position,
            depth=chunk.depth + 1,
            vertices=vertices,
            carried=carried,
            marks=None if chunk.marks is None else chunk.marks[:, rows],
            nodes=None if chunk.nodes is None else np.concatenate((chunk.nodes[:, rows], vertices[None, :])),
            slots=None if chunk.slots is None else np.concatenate((chunk.slots[:, rows], slots[None, :])),
            departed=departed,
            arrived=arrived,
        )

    def _fresh(self, chunk: Chunk, rows: Any, vertices: Ids, slots: Any) -> Bools | None:
        """Which of the moves repeat nothing that the mode forbids to repeat."""
        if self.mode is Mode.WALK:
            return None
        if self.mode is Mode.TRAIL:
            assert chunk.slots is not None
            return ~(chunk.slots[:, rows] == slots).any(axis=0)
        assert chunk.nodes is not None
        seen = chunk.nodes if self.mode is Mode.ACYCLIC else chunk.nodes[1:]
        return ~(seen[:, rows] == vertices).any(axis=0)

    def _followed(self, children: Chunk) -> list[Chunk]:
        """The children, and what passes on from them."""
        return passed(self.program, self.gates, children)
