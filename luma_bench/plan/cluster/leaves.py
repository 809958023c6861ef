"""Scans and constants as the start of a fragment: which parts of a table there are, and how many tasks they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from luma_bench.errors import EngineError
from luma_bench.plan.cluster.constants import predicates_of
from luma_bench.plan.cluster.estimates import share, size_text
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.stages import RowsFeed, TableFeed
from luma_bench.plan.cluster.work import Work
from luma_bench.plan.relational.expressions import And, Column, Expression
from luma_bench.plan.relational.nodes import Scan, Values
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanPart, ScanSource, SupportsSplit
from luma_bench.types.statistics import SupportsStatistics


def scanned(work: Work, node: Scan, conditions: Sequence[Expression] = ()) -> Pending:
    """A table's rows, or those for which the conditions hold, cut among as many tasks as they are worth.

    Raises
    ------
    EngineError
        The table is not among the program's inputs, or cannot be read in parts.
    """
    if node.shared and (node.name in work.shared or node.name in work.planned):
        found = _shared(work, node)
    else:
        table = work.tables.get(node.name)
        if table is None:
            raise EngineError(
                f"The plan reads {node.name!r}, which is no input of the query.",
                hint="Run it with engine='duckdb'.",
            )
        if not isinstance(table, pa.Table):
            return _stored(work, node, table, conditions)
        found = _rows(work, node, table)
    if not conditions:
        return found
    condition = _all(conditions)
    return found.filtered(condition, share(condition))


def constants(node: Values) -> Pending:
    """Rows of constants, for one task to make."""
    return Pending(node, (), 1, rows=float(len(node.rows)), purpose=("constants",))


def _shared(work: Work, node: Scan) -> Pending:
    """Some columns of a shared part, as its tasks made it."""
    found = work.planned.get(node.name) or work.parts(work.shared[node.name])
    return found.projected(Column(int(name[1:])) for name in node.columns)


def _rows(work: Work, node: Scan, rows: pa.Table) -> Pending:
    """Rows in memory: they are the driver's, and go to the tasks with the stage."""
    chosen = (
        rows.select([_place(rows.schema, name, node.name) for name in node.columns]) if node.columns else rows
    )
    tasks = _task_count(work, float(chosen.nbytes), rows.num_rows)
    name = work.name(node.name)
    types = work.typer.column_types(rows.schema)
    return Pending(
        body=Scan(name, node.columns),
        feeds=(RowsFeed(name, chosen, whole=tasks == 1),),
        tasks=tasks,
        scans={name: types},
        rows=float(rows.num_rows),
        purpose=(f"read {node.name}",),
    )


def _stored(work: Work, node: Scan, source: ScanSource, conditions: Sequence[Expression]) -> Pending:
    """A stored table without the parts that its zone maps rule out."""
    schema = source.schema
    places = [_place(schema, name, node.name) for name in node.columns]
    types = work.typer.column_types(schema)
    predicates = predicates_of(conditions, node.columns, types)
    parts = _split(work, source, places, predicates)
    name = work.name(node.name)
    all_rows = source.rows()
    rows = float(sum(part.rows for part in parts))
    kept = _kept(source, conditions, predicates, rows / all_rows if all_rows else 1.0)
    nbytes = sum(part.nbytes for part in parts)
    if parts:
        groups = _groups(parts, _task_count(work, float(nbytes), len(parts)))
        feed = TableFeed(name, tuple(parts), groups=groups)
        tasks = len(parts) if groups is None else len(groups)
    else:
        feed, tasks = RowsFeed(name, schema.empty_table()), 1
    found = Pending(
        body=Scan(name, node.columns),
        feeds=(feed,),
        tasks=tasks,
        scans={name: types},
        rows=rows,
        purpose=(f"scan {node.name}",),
        notes=(
            f"{node.name}: {len(parts)} parts, {size_text(nbytes)} for {tasks} task{'' if tasks == 1 else 's'}",
        ),
    )
    if not conditions:
        return found
    filtered = found.filtered(_all(conditions), 1.0)
    return replace(filtered, rows=min(rows, all_rows * kept), kept=kept)


def _split(
    work: Work, source: ScanSource, places: Sequence[int], predicates: Sequence[Predicate]
) -> Sequence[ScanPart]:
    if not isinstance(source, SupportsSplit):
        raise _unreadable(source)
    parts = source.split(work.slots, places, predicates)
    if parts is None:
        raise _unreadable(source)
    nbytes = sum(part.nbytes for part in parts)
    wanted = math.ceil(nbytes / work.settings.part_bytes)
    if wanted <= work.slots:
        return parts
    finer = source.split(_rounds(wanted, work.slots), places, predicates)
    if finer is None:
        raise _unreadable(source)
    return finer


def _task_count(work: Work, nbytes: float, most: int) -> int:
    """As many tasks as there are parts, but none for less than what is worth a task."""
    worth = max(1, math.ceil(nbytes / work.settings.least_part_bytes))
    wanted = _rounds(max(work.slots, math.ceil(nbytes / work.settings.part_bytes)), work.slots)
    return max(1, min(worth, most, wanted))


def _groups(parts: Sequence[ScanPart], tasks: int) -> tuple[tuple[int, ...], ...] | None:
    """Neighbouring parts for each task, of about equal rows; None for one each."""
    if tasks >= len(parts):
        return None
    total = sum(part.rows for part in parts)
    groups: list[list[int]] = [[] for _ in range(tasks)]
    before = 0
    for at, part in enumerate(parts):
        middle = before + part.rows / 2
        groups[min(tasks - 1, int(middle * tasks / total) if total else 0)].append(at)
        before += part.rows
    filled = tuple(tuple(group) for group in groups if group)
    return filled or ((),)


def _kept(
    source: ScanSource, conditions: Sequence[Expression], predicates: Sequence[Predicate], left: float
) -> float:
    """The share of the table's rows that pass: by its statistics where they can tell, else guessed."""
    if not conditions:
        return 1.0
    guessed = share(_all(conditions))
    statistics = source.statistics if isinstance(source, SupportsStatistics) else None
    if statistics is None or not predicates:
        return min(left, guessed)
    told = statistics.share(predicates)
    if told is None:
        return min(left, guessed)
    rest = len(conditions) - len(predicates)
    return min(left, told * (guessed ** (rest / len(conditions)) if rest > 0 else 1.0))


def _all(conditions: Sequence[Expression]) -> Expression:
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))


def _place(schema: pa.Schema, column: str, table: str) -> int:
    """A column's position, by its name in any case of letters."""
    found = schema.get_field_index(column)
    if found >= 0:
        return found
    folded = column.casefold()
    for at, name in enumerate(schema.names):
        if str(name).casefold() == folded:
            return at
    raise EngineError(
        f"The plan reads column {column!r} of {table!r}, which has none of that name.",
        hint="Run it with engine='duckdb'.",
    )


def _rounds(tasks: int, slots: int) -> int:
    """The tasks as whole rounds of all slots."""
    return math.ceil(tasks / slots) * slots


def _unreadable(source: ScanSource) -> EngineError:
    return EngineError(
        f"Table {source.name!r} cannot be read by other processes.", hint="Run it with engine='duckdb'."
    )
