"""Which scan of an engine's plan reads which table: the plan names columns and rows, the sources know what was asked.

An engine's plan does not name the tables that it was given. A run tells them apart by what each stream was asked for and
gave; without a run, a scan that could be of two tables stays without a name rather than get a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from luma_bench.bench.metered import MeteredScan, StreamFigures
from luma_bench.plan.profile import FiredRule, PlanTree, ScanFigures


def with_figures(
    tree: PlanTree, sources: Mapping[str, MeteredScan], rules: Sequence[FiredRule], *, ran: bool
) -> PlanTree:
    """The tree with the storage's figures at every scan whose table is known."""
    scans = [node for node in tree.walk() if node.is_scan]
    found = _after_run(scans, sources, rules) if ran else _before_run(scans, sources, rules)
    return tree.with_scans(iter(found))


def _after_run(
    scans: Sequence[PlanTree], sources: Mapping[str, MeteredScan], rules: Sequence[FiredRule]
) -> list[ScanFigures | None]:
    opened = [(name, stream) for name, source in sources.items() for stream in source.streams]
    found: list[ScanFigures | None] = [None] * len(scans)
    # What agrees in the rows too is taken first, so that what is left cannot take its place.
    for strict in (True, False):
        for i, node in enumerate(scans):
            if found[i] is not None:
                continue
            columns = _columns(node)
            fits = [
                (name, stream)
                for name, stream in opened
                if stream.columns == columns and (not strict or stream.rows_out == node.rows)
            ]
            if not fits or (not strict and len({name for name, _ in fits}) > 1):
                continue
            name, stream = fits[0]
            opened.remove(fits[0])
            found[i] = _figures(name, sources[name], stream, rules)
    return found


def _before_run(
    scans: Sequence[PlanTree], sources: Mapping[str, MeteredScan], rules: Sequence[FiredRule]
) -> list[ScanFigures | None]:
    found: list[ScanFigures | None] = []
    for node in scans:
        columns = _columns(node)
        fits = [
            (name, source)
            for name, source in sources.items()
            if columns <= set(source.schema.names) and source.rows() == node.rows_estimated
        ]
        if len(fits) == 1:
            name, source = fits[0]
            found.append(ScanFigures(name, source.table_rows, rules=_of(name, rules)))
        else:
            found.append(None)
    return found


def _columns(node: PlanTree) -> frozenset[str]:
    named = node.about("Projections") or ()
    return frozenset({named} if isinstance(named, str) else named)


def _figures(
    name: str, source: MeteredScan, stream: StreamFigures, rules: Iterable[FiredRule]
) -> ScanFigures:
    own = stream.counters
    return ScanFigures(
        name,
        source.table_rows,
        stream.applied,
        _of(name, rules),
        own.rows_read,
        own.bytes_read,
        own.segments_read,
        own.segments_pruned,
        own.chunks_read,
        own.chunks_pruned,
    )


def _of(name: str, rules: Iterable[FiredRule]) -> tuple[str, ...]:
    return tuple(f"{rule.name}: {rule.detail}" for rule in rules if rule.table == name)
