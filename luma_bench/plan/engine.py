"""The engine protocol: what a fragment is, what an engine gets, and what it must give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROWS_PREFIX, rows_relation

__all__ = ["ROWS_PREFIX", "Engine", "Inputs", "SqlFragment", "rows_relation"]


@dataclass(frozen=True, slots=True)
class SqlFragment:
    """An opaque SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN of one) in DuckDB's dialect, with `$name` parameters.

    `text` is what runs; whoever made it maps offsets in it back to the user's text.
    """

    text: str
    params: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a fragment may read, by name: pinned scan sources, Arrow relations, and where to count what was read.

    `relations` are Arrow-capable objects (`__arrow_c_stream__`): islands' outputs and the caller's own tables.
    A relation hides a source of the same name. `known` names every table at the snapshot, read or not: an unknown name
    is answered with the nearest of them.
    """

    sources: Mapping[str, ScanSource]
    relations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    counters: ScanCounters = field(default_factory=ScanCounters)
    known: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Every name that a text could have meant."""
        return list(dict.fromkeys((*self.known, *self.sources, *self.relations)))


class Engine(Protocol):
    """Turns a fragment into Arrow. Capabilities are flags, and nobody asks an engine for its name to decide."""

    @property
    def name(self) -> str:
        """The name run records carry."""
        ...

    @property
    def looks_up(self) -> bool:
        """Whether it finds rows by key and scans nothing: what it supports is its own at once, at next to no cost."""
        ...

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None when this engine can run the fragment, else the reason it cannot; without inputs the text alone is judged."""
        ...

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        KadeQLError
            The fragment does not parse, bind or convert; it points into `fragment.text`.
        CancelledError
            `cancel` was called.
        EngineError
            Anything else that the engine reports. An error of a scan source comes out as it was raised.
        """
        ...

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run as a stream: batches come as the engine makes them; dropping the reader stops it."""
        ...

    def cancel(self) -> int:
        """Stop every running query of this engine; how many there were."""
        ...

    def progress(self) -> float | None:
        """The fraction done of the newest running query (rows read over rows expected), None when idle or unknown."""
        ...

    def close(self) -> None:
        """Stop what runs and release every resource."""
        ...
