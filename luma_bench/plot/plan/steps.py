"""A plan as the lines of its drawing: one operator each, in an order and in lanes that no two edges cross in.

An operator stands above what feeds it. Its main input (a join's probed side, the query below a WITH) goes on in its own
lane; every other input stands before that, one lane further right. So lanes count nested build sides, not depth, and a
plan of sixty operators is as wide as one of six.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from luma_bench.plan.profile import PlanTree, Profile, ScanFigures
from luma_bench.types.record import bytes_text, seconds_text

_SAID_ELSEWHERE = frozenset(
    {"Estimated Cardinality", "Function", "Total Time", "CTE Index", "Table Index", "Delim Index"}
)
_MAIN_IS_LAST = frozenset({"CTE", "MATERIALIZED_CTE", "RECURSIVE_CTE"})
_READERS = frozenset({"CTE_SCAN", "RECURSIVE_CTE_SCAN", "REC_CTE_SCAN"})
_INDEXES = ("CTE Index", "Table Index")
_RULE = "rule"
_NOT_ABOUT = frozenset({_RULE, "Execution Mode", "Order Mode", "Materialized Consumers"})
_FEW = 1_000
"""Rows below which it does not matter how good an estimate was."""
OFF = 10
"""An estimate that is this many times off is pointed at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of the drawing.

    Attributes
    ----------
    id, parent
        Its number, which is its place from the top, and that of the operator that it feeds.
    lane
        0 for the main line; one more for each build side that it is nested in.
    reads
        The operator whose rows it reads again, for a reference to a WITH.
    surprise
        How far the estimate was off, in words, where it was and those of what feeds it were not.
    details
        What the engine says about it, names and texts.
    share
        Its part of the time of all operators, from 0 to 1; None before a run.
    """

    id: int
    parent: int | None
    lane: int
    operator: str
    name: str
    engine: str
    details: tuple[tuple[str, str], ...]
    estimated: int | None
    rows: int | None
    seconds: float | None
    nbytes: int | None
    share: float | None
    scan: ScanFigures | None
    reads: int | None = None
    surprise: str = ""

    @property
    def about(self) -> str:
        """The details in one line, without the rules."""
        return " · ".join(f"{key}: {value}" for key, value in self.details if key not in _NOT_ABOUT)

    @property
    def rules(self) -> tuple[str, ...]:
        """What rules of the bench did to it."""
        return tuple(value for key, value in self.details if key == _RULE)

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below its name."""
        return tuple(
            line for line in (self.about, *(f"rule: {rule}" for rule in self.rules), self.reading) if line
        )

    @property
    def off(self) -> float:
        """How many times more rows there were than expected, below 1 for fewer; 1 where that is not known."""
        if self.rows is None or self.estimated is None or max(self.rows, self.estimated) < _FEW:
            return 1.0
        return (self.rows + 1) / (self.estimated + 1)

    @property
    def pruning(self) -> tuple[int, int] | None:
        """Chunks read and pruned; None where nothing was counted."""
        if self.scan is None or (not self.scan.chunks_read and not self.scan.chunks_pruned):
            return None
        return self.scan.chunks_read or 0, self.scan.chunks_pruned or 0

    @property
    def reading(self) -> str:
        """What a scan of a stored table read and skipped, in one line."""
        scan = self.scan
        if scan is None:
            return ""
        if scan.rows_read is None:
            return f"{scan.table_rows:,} rows stored"
        parts = [
            f"read {scan.rows_read:,} of {scan.table_rows:,} rows",
            bytes_text(scan.nbytes or 0),
            _part(scan.chunks_read or 0, scan.chunks_pruned or 0, "chunks"),
            _part(scan.segments_read or 0, scan.segments_pruned or 0, "segments"),
        ]
        return " · ".join(part for part in parts if part)

    @property
    def words(self) -> str:
        """Everything about it as one text, for a tooltip and a screen reader."""
        parts = [f"{self.operator} {self.name}".rstrip()]
        if self.estimated is not None:
            parts.append(f"expected rows {self.estimated:,}")
        if self.rows is not None:
            parts.append(f"rows {self.rows:,}")
        if self.seconds is not None:
            parts.append(f"time {seconds_text(self.seconds)}")
        if self.nbytes is not None:
            parts.append(f"handed on {bytes_text(self.nbytes)}")
        parts += [part for part in (self.surprise, *self.lines) if part]
        return " · ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """The step for a front end: numbers as numbers, and texts that are ready to show."""
        shown: dict[str, Any] = {
            "id": self.id, "parent": self.parent, "lane": self.lane, "operator": self.operator, "name": self.name,
            "engine": self.engine, "details": [list(pair) for pair in self.details], "words": self.words,
        }  # fmt: skip
        known = {
            "estimated": self.estimated,
            "rows": self.rows,
            "seconds": self.seconds,
            "bytes": self.nbytes,
            "share": self.share,
            "reads": self.reads,
            "scan": None if self.scan is None else self.scan.as_dict(),
        }
        shown |= {key: value for key, value in known.items() if value is not None}
        told = {"surprise": self.surprise, "reading": self.reading}
        return shown | {key: text for key, text in told.items() if text}


def steps(profile: Profile) -> tuple[Step, ...]:
    """The operators of a plan from top to bottom."""
    engine = profile.planned_by or profile.engine
    total = sum(node.seconds or 0.0 for node in profile.tree.walk())
    island = _only_island(profile)
    found: list[Step] = []
    indexes: dict[str, int] = {}
    readers: list[tuple[int, str]] = []
    # A stack, since a plan may be deeper than Python recurses.
    pending: list[tuple[PlanTree, int | None, int]] = [(profile.tree, None, 0)]
    while pending:
        node, parent, lane = pending.pop()
        number = len(found)
        index = _index(node)
        if index and node.operator in _READERS:
            readers.append((number, index))
        elif index:
            indexes.setdefault(index, number)
        model, name = island if island and node.is_scan and node.scan is None else ("", "")
        found.append(
            Step(
                id=number,
                parent=parent,
                lane=lane,
                operator=node.operator,
                name=node.scan.table if node.scan is not None else name or _named(node),
                engine=model or node.engine or engine,
                details=_details(node),
                estimated=node.rows_estimated,
                rows=node.rows,
                seconds=node.seconds,
                nbytes=node.nbytes,
                share=None if node.seconds is None or not total else node.seconds / total,
                scan=node.scan,
            )
        )
        main, others = _inputs(node)
        if main is not None:
            pending.append((main, number, lane))
        pending += [(child, number, lane + 1) for child in reversed(others)]
    return _surprised(_joined(found, indexes, readers))


def _joined(found: list[Step], indexes: dict[str, int], readers: list[tuple[int, str]]) -> list[Step]:
    """The steps with what the references to a WITH read."""
    for number, index in readers:
        # What a WITH computes is its first input, right below it.
        owner = indexes.get(index)
        if owner is not None:
            found[number] = replace(found[number], reads=owner, name=found[owner].name)
    return found


def _surprised(found: list[Step]) -> tuple[Step, ...]:
    """The steps with a word where an estimate went wrong: not at all those above, which inherit it."""
    inherited: dict[int, float] = {}
    for step in found:
        if step.parent is not None:
            inherited[step.parent] = max(inherited.get(step.parent, 1.0), _far(step.off))
        if step.reads is not None:
            inherited[step.id] = _far(step.off)
    return tuple(
        replace(step, surprise=_surprise(step.off))
        if _far(step.off) >= OFF and _far(step.off) > 3 * inherited.get(step.id, 1.0)
        else step
        for step in found
    )


def _far(off: float) -> float:
    return max(off, 1 / off)


def _surprise(off: float) -> str:
    return f"{off:,.0f} times more rows" if off > 1 else f"{1 / off:,.0f} times fewer rows"


def _inputs(node: PlanTree) -> tuple[PlanTree | None, list[PlanTree]]:
    """The input that goes on in the same lane, and the others."""
    if not node.children:
        return None, []
    at = len(node.children) - 1 if node.operator in _MAIN_IS_LAST else 0
    return node.children[at], [child for place, child in enumerate(node.children) if place != at]


def _only_island(profile: Profile) -> tuple[str, str] | None:
    """The model and name of the one relation that an island answers, where the plan has one scan that can be it."""
    unnamed = [node for node in profile.tree.walk() if node.is_scan and node.scan is None]
    if len(profile.islands) != 1 or len(unnamed) != 1:
        return None
    name, (model, *_) = next(iter(profile.islands.items()))
    return model, name


def _index(node: PlanTree) -> str:
    for key in _INDEXES:
        value = node.about(key)
        if isinstance(value, str):
            return value
    return ""


def _named(node: PlanTree) -> str:
    """What an operator is known by besides its kind: the name of a WITH, the kind of a join."""
    for key in ("CTE Name", "Join Type"):
        value = node.about(key)
        if isinstance(value, str) and value:
            return value
    return ""


def _details(node: PlanTree) -> tuple[tuple[str, str], ...]:
    applied = node.scan is not None and bool(node.scan.applied)
    shown = [
        (key, " ".join((value if isinstance(value, str) else ", ".join(value)).split()))
        for key, value in node.detail
        if key not in _SAID_ELSEWHERE
        and key not in ("CTE Name", "Join Type")
        and not (key == "Filters" and applied)
    ]
    if node.scan is not None:
        shown += [("applied", ", ".join(node.scan.applied))] if applied else []
        shown += [(_RULE, rule) for rule in node.scan.rules]
    return tuple((key, value) for key, value in shown if value)


def _part(read: int, pruned: int, what: str) -> str:
    return f"{read:,} of {read + pruned:,} {what}" if read + pruned else ""
