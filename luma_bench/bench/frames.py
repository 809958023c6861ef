"""A lazy frame among the tables of a call: its text becomes part of the statement's one plan, where one bench reads both.

Python's functions (`map_batches`) run first, and what is over their rows joins the plan. A frame of another bench, or of
another identity, is run by its own executor, and its rows are handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder
    from luma_bench.frame.base import Frame
    from luma_bench.plan.writer import KadeQL
    from luma_bench.storage.store import ResolvedSnapshot
    from luma_bench.types.identity import Identity


class StandingFrame:
    """A frame under a name, for one call: what has to run before the statement runs once.

    Attributes
    ----------
    name
        The name that the statement knows it by.
    frame
        The frame as it was handed in.
    notes
        What the run record is to say of it.
    """

    __slots__ = ("_query", "_rows", "frame", "name", "notes")

    def __init__(self, name: str, frame: Frame) -> None:
        self.name = name
        self.notes: list[str] = []
        self.frame = frame
        self._rows: pa.Table | None = None
        self._query: KadeQL | None = None

    def part_of(
        self, binder: Binder, identity: Identity, snapshot: ResolvedSnapshot
    ) -> tuple[str, Mapping[str, pa.Table], ResolvedSnapshot] | None:
        """The frame's text, its relations in memory and the snapshot that it reads; None when it cannot be a part.

        Parameters
        ----------
        binder, identity, snapshot
            What binds the statement, for whom, and what the statement reads.
        """
        from luma_bench.bench.executor import PinnedExecutor
        from luma_bench.frame.mapping import resolved
        from luma_bench.plan.nodes import Files, Table
        from luma_bench.plan.render import render
        from luma_bench.plan.rules import optimize
        from luma_bench.plan.walk import bottom_up

        at: ResolvedSnapshot | None = snapshot
        if any(isinstance(node, Table | Files) for node in bottom_up(self.frame.plan)):
            executor = self.frame.executor
            at = executor.shared(binder, identity) if isinstance(executor, PinnedExecutor) else None
        if at is None:
            return None
        if self._query is None:
            ready = resolved(self.frame)
            if ready is not self.frame:
                self._note(f"The Python steps of {self.name!r} ran before the statement.")
            self._query = render(optimize(ready.plan).plan)
        if (at.id, at.draft) != (snapshot.id, snapshot.draft):
            then = f"at snapshot {at.id}" if not at.draft else "as the transaction was then"
            self._note(f"{self.name!r} is read as it was when the frame was made, {then}.")
        return self._query.text, self._query.tables, at

    def rows(self) -> pa.Table:
        """The frame's rows, run by its own executor, once."""
        if self._rows is None:
            rows = self._rows = self.frame.to_arrow()
            self._note(
                f"{self.name!r} is no frame of this bench and identity: it ran by itself first, "
                f"and handed over {rows.num_rows:,} rows."
            )
        return self._rows

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def standing(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tables of a call with every lazy frame and Series as a `StandingFrame`."""
    found = {name: value for name, value in tables.items() if _is_lazy(value)}
    if not found:
        return tables
    from luma_bench.frame import Series

    made = {
        name: StandingFrame(name, value.to_frame() if isinstance(value, Series) else value)
        for name, value in found.items()
    }
    return {**tables, **made}


def handed(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables as the caller handed them in, for a later call."""
    return {
        name: value.frame if isinstance(value, StandingFrame) else value for name, value in tables.items()
    }


def _is_lazy(value: object) -> bool:
    """Whether a value is a frame or a Series; looking does not load their room."""
    if not type(value).__module__.startswith("luma_bench.frame"):
        return False
    from luma_bench.frame import Series
    from luma_bench.frame.base import Frame

    return isinstance(value, Frame | Series)
