"""What is kept of a finished run for its plan: the record, and each table's scan as the storage saw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from luma_bench.bench.ask import Ask
from luma_bench.bench.metered import MeteredScan
from luma_bench.plan.profile import PlanTree, ScanFigures
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanSource


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is over; it holds figures only, so that nothing of the store stays open for it."""

    record: RunRecord
    scans: Mapping[str, ScanFigures]


def run_of(record: RunRecord, sources: Mapping[str, ScanSource]) -> Run:
    """What is to be kept of a run over some sources."""
    return Run(
        record,
        {name: source.figures(name) for name, source in sources.items() if isinstance(source, MeteredScan)},
    )


def again(ask: Ask, record: RunRecord) -> Ask:
    """How to ask for the plan of what ran: at the snapshot that it read, whatever is the newest by then."""
    return replace(ask, limits=None, at=record.snapshot if ask.view is None else ask.at)


def with_run(tree: PlanTree, run: Run) -> PlanTree:
    """The plan with what its scans read, and with the rows of the answer at its root.

    A table that the plan scans more than once keeps its figures to itself: they are those of all of its scans together.
    """
    named = Counter(node.scan.table for node in tree.walk() if node.scan is not None)

    def scans() -> Iterator[ScanFigures | None]:
        for node in tree.walk():
            if not node.is_scan:
                continue
            seen = run.scans.get(node.scan.table) if node.scan is not None else None
            if seen is None or node.scan is None or named[seen.table] > 1:
                yield node.scan
            else:
                yield replace(seen, rules=node.scan.rules)

    found = tree.with_scans(scans())
    return _answering(found, run.record.rows_out)


def _answering(tree: PlanTree, rows: int) -> PlanTree:
    """The plan with the rows of the answer at the operator that gives them."""
    if tree.operator == "CTE" and tree.children:
        *others, main = tree.children
        return replace(tree, children=(*others, _answering(main, rows)))
    return (
        tree
        if tree.rows is not None or tree.operator in ("UNION", "STATEMENTS")
        else replace(tree, rows=rows)
    )
