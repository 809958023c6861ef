"""The series relations of a query: each island of its text as the scan sources that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Literal

from luma_bench.bench.ask import Ask
from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.locating import missing_value
from luma_bench.bench.series.asked import Asked, Kept
from luma_bench.language import Query
from luma_bench.language.series.pattern import (
    AnySeries,
    Applied,
    Asof,
    Grouped,
    Latest,
    TiedRight,
    WindowJoin,
    Windows,
)
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder


class SeriesIslands:
    """Makes the relations of series islands over one store. Thread-safe.

    Attributes
    ----------
    plan
        Which plan grouped windows run by: what the planner says, or for checks always one of the two.
    """

    def __init__(self, binder: Binder) -> None:
        self.plan: Literal["auto", "runs", "sql"] = "auto"
        self._binder = binder
        self._kept = Kept.within(binder.store.settings.effective_memory_limit)
        self._lock = Lock()

    def sources(
        self, island: AnySeries, query: Query, snapshot: ResolvedSnapshot, ask: Ask, counters: ScanCounters
    ) -> Mapping[str, IslandRelation]:
        """The relations of an island of a query, by their names in it.

        Raises
        ------
        KadeQLBindError
            A table or column does not exist at the snapshot, a column is of a type that the construct does not take, or
            a parameter has no value.
        """
        for name in sorted(island.params):
            if name not in ask.params:
                raise missing_value(query, name)
        asked = Asked(self._binder, snapshot, ask, counters, self._kept)
        whole = query.whole
        match island:
            case Asof():
                from luma_bench.bench.series.asof import asof_relations

                return asof_relations(island, whole, asked)
            case Windows():
                from luma_bench.bench.series.windows import WindowScan

                made: IslandRelation = WindowScan(island, whole, asked)
            case Grouped():
                from luma_bench.bench.series.grouped import GroupedScan

                made = GroupedScan(island, whole, asked)
            case Latest():
                from luma_bench.bench.series.latest import LatestScan

                made = LatestScan(island, whole, asked)
            case TiedRight():
                from luma_bench.bench.series.tied import TiedScan

                made = TiedScan(island, whole, asked)
            case WindowJoin():
                from luma_bench.bench.series.window_join import WindowJoinScan

                made = WindowJoinScan(island, whole, asked)
            case Applied():
                from luma_bench.bench.series.applied import AppliedScan

                made = AppliedScan(island, whole, asked)
        return {island.alias: made}

    def cancel(self) -> int:
        """Stop what is being prepared; how many statements there were. Everything runs inside of its statement."""
        return 0

    def close(self) -> None:
        """Let go of everything."""
