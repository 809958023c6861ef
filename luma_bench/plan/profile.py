"""What a query's plan is and what it cost: one typed tree, whichever engine runs it.

Engines give operators with their estimates and, after a run, rows, seconds and bytes; scans carry the storage's own
figures. `plan/explain_tree.py` writes it for people, `as_dict` for programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Detail = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of the bench's own that changed how a query runs.

    Attributes
    ----------
    name
        `statistics`, `top-k` or `semi-join`.
    table
        The table whose scan it changed.
    detail
        What it did, for people.
    """

    name: str
    table: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name} on {self.table}: {self.detail}"


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """One scan of a stored table as the storage saw it; counts are None before it ran.

    Attributes
    ----------
    table, table_rows
        What is read, and the rows it has at the snapshot.
    applied
        The predicates that the scan applied itself.
    rules
        What the bench's rules did to it.
    rows_read, nbytes
        Rows decoded from chunks that were not pruned, and bytes read from files (none for pooled chunks).
    """

    table: str
    table_rows: int
    applied: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rows_read: int | None = None
    nbytes: int | None = None
    segments_read: int | None = None
    segments_pruned: int | None = None
    chunks_read: int | None = None
    chunks_pruned: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figures under their documented keys."""
        shown: dict[str, Any] = {
            "table": self.table,
            "table_rows": self.table_rows,
            "applied": list(self.applied),
            "rules": list(self.rules),
        }
        if self.rows_read is not None:
            shown |= {
                "rows_read": self.rows_read,
                "bytes_read": self.nbytes,
                "segments_read": self.segments_read,
                "segments_pruned": self.segments_pruned,
                "chunks_read": self.chunks_read,
                "chunks_pruned": self.chunks_pruned,
            }
        return shown


@dataclass(frozen=True, slots=True)
class PlanTree:
    """One operator and the operators that feed it.

    Attributes
    ----------
    operator
        The engine's name of it, such as `HASH_JOIN`.
    detail
        What the engine says about it, in its order: conditions, groups, projections.
    rows_estimated, rows
        Rows that it was expected to hand on, and did; None where that is not known.
    seconds
        Time inside of it, summed over threads.
    nbytes
        Bytes that it handed on.
    scan
        For a scan of a stored table, the storage's figures.
    engine
        The engine that ran it, where that is not the plan's.
    """

    operator: str
    detail: tuple[tuple[str, Detail], ...] = ()
    rows_estimated: int | None = None
    rows: int | None = None
    seconds: float | None = None
    nbytes: int | None = None
    children: tuple[PlanTree, ...] = ()
    scan: ScanFigures | None = None
    engine: str = ""

    def walk(self) -> Iterator[PlanTree]:
        """The node and every node below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def with_scans(self, scans: Iterator[ScanFigures | None]) -> PlanTree:
        """The tree with figures at its scans, taken one after the other in the order of `walk`."""
        scan = next(scans) if self.is_scan else self.scan
        return replace(self, scan=scan, children=tuple(child.with_scans(scans) for child in self.children))

    @property
    def answer_rows(self) -> int | None:
        """The rows of the answer: CTE and UNION hand on nothing themselves, so that those below them are counted."""
        if self.operator == "CTE" and self.children:
            return self.children[-1].answer_rows
        if self.operator == "UNION":
            return sum(child.answer_rows or 0 for child in self.children)
        return self.rows

    @property
    def is_scan(self) -> bool:
        """Whether it reads a table that was given to the engine."""
        return self.operator == SCAN

    def about(self, name: str) -> Detail | None:
        """One detail by its name."""
        return next((value for key, value in self.detail if key == name), None)

    def as_dict(self) -> dict[str, Any]:
        """The tree under its documented keys; a figure that is not known is left out."""
        shown: dict[str, Any] = {"operator": self.operator}
        if self.engine:
            shown["engine"] = self.engine
        figures = {
            "rows_estimated": self.rows_estimated,
            "rows": self.rows,
            "seconds": self.seconds,
            "bytes": self.nbytes,
        }
        shown |= {key: value for key, value in figures.items() if value is not None}
        shown["detail"] = {
            key: value if isinstance(value, str) else list(value) for key, value in self.detail
        }
        if self.scan is not None:
            shown["scan"] = self.scan.as_dict()
        shown["children"] = [child.as_dict() for child in self.children]
        return shown


SCAN = "TABLE_SCAN"
"""The operator that reads a table."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that a query might run on.

    Attributes
    ----------
    seconds, memory
        What it is expected to take, and the bytes of its working set; None for an engine that cannot run it or cannot tell.
    why_not
        Why it would not do, or not by itself; empty when nothing speaks against it.
    detail
        What the figures are made of.
    """

    engine: str
    seconds: float | None = None
    memory: int | None = None
    why_not: str = ""
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The engine under its documented keys; what is not known is left out."""
        shown: dict[str, Any] = {"engine": self.engine}
        if self.seconds is not None:
            shown |= {"seconds": self.seconds, "memory": self.memory}
        if self.why_not:
            shown["why_not"] = self.why_not
        if self.detail:
            shown["detail"] = self.detail
        return shown


@dataclass(frozen=True, slots=True)
class Profile:
    """A query's plan with what is the bench's own of it, and its figures where it ran.

    Attributes
    ----------
    change
        The UPDATE or DELETE whose rows the query finds; empty for a query.
    cached
        Whether the answer comes (or would come) from the result cache.
    totals
        Figures of the whole run, by their documented keys; empty where it did not run.
    islands
        Of each relation that an island answers: what it is about (`graph` or `series`), then how it is answered, line by line.
    candidates
        Every engine with what it would take, or why it would not do.
    machine
        How fast the machine is that the estimates are made for.
    planned_by
        The engine whose plan is shown, where the one that would run the query shows none of its own.
    """

    engine: str
    reason: str
    snapshot: int
    tree: PlanTree
    estimates: Mapping[str, float] = field(default_factory=dict[str, float])
    fallbacks: tuple[str, ...] = ()
    rules: tuple[FiredRule, ...] = ()
    cached: bool = False
    change: str = ""
    totals: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    islands: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    candidates: tuple[Candidate, ...] = ()
    machine: str = ""
    planned_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The profile under its documented keys, ready for JSON."""
        shown: dict[str, Any] = {
            "engine": self.engine,
            "reason": self.reason,
            "snapshot": self.snapshot,
            "cached": self.cached,
            "estimates": dict(self.estimates),
            "fallbacks": list(self.fallbacks),
            "rules": [{"rule": rule.name, "table": rule.table, "detail": rule.detail} for rule in self.rules],
        }
        if self.candidates:
            shown["engines"] = [candidate.as_dict() for candidate in self.candidates]
        told = {"machine": self.machine, "planned_by": self.planned_by}
        shown |= {key: text for key, text in told.items() if text}
        if self.change:
            shown = {"change": self.change, **shown}
        for key, model in (("graphs", "graph"), ("series", "series")):
            told = {name: list(lines) for name, (about, *lines) in self.islands.items() if about == model}
            if told:
                shown[key] = told
        if self.totals:
            shown["ran"] = dict(self.totals)
        shown["plan"] = self.tree.as_dict()
        return shown
