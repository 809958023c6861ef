"""Stored tables and relations as frames: read once with every column that the program needs, and without a copy."""

from __future__ import annotations

import datetime as dt
import decimal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import Rows, selected, titles
from luma_bench.engines.polars.kinds import Refused, kind_of
from luma_bench.engines.polars.relations import table_rows
from luma_bench.engines.polars.running import RunningQuery
from luma_bench.engines.polars.syntax import Syntax
from luma_bench.errors import EngineError
from luma_bench.plan.engine import Inputs
from luma_bench.plan.relational.expressions import Expression, conjuncts
from luma_bench.plan.relational.nodes import Program, Scan, walk_nodes
from luma_bench.plan.relational.to_duck import expression_sql
from luma_bench.types.predicate import Comparison, In, IsNull, Operator, Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanSource

_OPERATORS: Mapping[str, Operator] = {"=": "=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TURNED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


@dataclass(frozen=True, slots=True)
class Held:
    """A relation in memory."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        return self.table.schema


class Tables:
    """The inputs of one program.

    Parameters
    ----------
    query
        The query that they are read for; without one nothing is read, and every table has no rows.
    """

    def __init__(
        self, program: Program, inputs: Inputs, duck: Duck, query: RunningQuery | None = None
    ) -> None:
        self._inputs = inputs
        self._duck = duck
        self._query = query
        self._needed = _columns(program)
        self._whole: dict[str, Held] = {}
        self._types: dict[str, dict[str, str]] = {}
        self._rows: dict[tuple[str, tuple[Predicate, ...]], Rows] = {}

    def rows(self, scan: Scan, conditions: Sequence[Expression]) -> Rows:
        """The columns of a scan, in its order."""
        found = self._found(scan.name)
        if not scan.columns:
            return self._counted(found)
        return self._columns(scan, found, self._accepted(scan, found, conditions))

    def _found(self, name: str) -> ScanSource | Held:
        """What a name stands for: a relation hides a source."""
        for kept in (self._inputs.relations, self._inputs.sources):
            if name in kept:
                return kept[name] if kept is self._inputs.sources else self._relation(name)
        folded = name.casefold()
        for kept in (self._inputs.relations, self._inputs.sources):
            for known in kept:
                if known.casefold() == folded:
                    return kept[known] if kept is self._inputs.sources else self._relation(known)
        raise Refused(f"the relation {name}")

    def _relation(self, name: str) -> Held:
        if name not in self._whole:
            given = self._inputs.relations[name]
            schema = getattr(given, "schema", None)
            if self._query is None and isinstance(schema, pa.Schema):
                given = pa.Table.from_batches([], schema)
            self._whole[name] = Held(given if isinstance(given, pa.Table) else pa.table(given))
        return self._whole[name]

    def _columns(self, scan: Scan, found: ScanSource | Held, predicates: tuple[Predicate, ...]) -> Rows:
        schema: pa.Schema = found.schema
        known = {name.casefold(): at for at, name in reversed(list(enumerate(schema.names)))}
        for name in scan.columns:
            if name.casefold() not in known:
                raise Refused(f"the column {name}")
        places = [known[name.casefold()] for name in scan.columns]
        wanted = sorted({known[name] for name in self._needed[scan.name.casefold()] if name in known})
        key = (scan.name.casefold(), predicates)
        if key not in self._rows:
            types = self._duck.column_types(schema)
            kinds = [kind_of(types[schema.names[at]]) for at in wanted]
            table = self._read(found, wanted, predicates)
            rows = table_rows(table, kinds)
            if self._query is not None:
                rows = replace(rows, frame=self._query.watched(rows.frame))
            self._rows[key] = rows
        rows = self._rows[key]
        return selected(rows, [rows.columns[wanted.index(at)] for at in places])

    def _counted(self, found: ScanSource | Held) -> Rows:
        """Rows of which no column is read."""
        count = 0
        if self._query is not None:
            count = found.table.num_rows if isinstance(found, Held) else found.rows()
        return Rows(pl.DataFrame({"row": pl.repeat(value=False, n=count, eager=True)}).lazy(), (), count)

    def _read(self, found: ScanSource | Held, wanted: list[int], predicates: Sequence[Predicate]) -> pa.Table:
        if isinstance(found, Held):
            return found.table.select(wanted)
        query = self._query
        if query is None:
            return pa.schema([found.schema.field(at) for at in wanted]).empty_table()
        began = time.perf_counter()
        reader = found.stream(wanted, list(predicates), self._inputs.counters)
        batches: list[pa.RecordBatch] = []
        for batch in reader:
            query.check()
            batches.append(batch)
        table = pa.Table.from_batches(batches, reader.schema)
        if table.num_columns != len(wanted):
            raise EngineError(f"The table {found.name!r} gave {table.num_columns} columns of {len(wanted)}.")
        self._inputs.report.nodes.append(
            NodeRecord(
                f"scan {found.name}",
                "polars",
                rows=table.num_rows,
                nbytes=table.nbytes,
                elapsed=time.perf_counter() - began,
            )
        )
        return table

    def _accepted(
        self, scan: Scan, found: ScanSource | Held, conditions: Sequence[Expression]
    ) -> tuple[Predicate, ...]:
        """The conditions that the source applies by itself, saving work."""
        if self._query is None or isinstance(found, Held) or not conditions:
            return ()
        schema: pa.Schema = found.schema
        types = {name.casefold(): kind for name, kind in self._duck.column_types(schema).items()}
        names = {name.casefold(): name for name in schema.names}
        columns = [(names[name.casefold()], types[name.casefold()]) for name in scan.columns]
        parts = [part for condition in conditions for part in conjuncts(condition)]
        trees = self._duck.parsed([expression_sql(part, titles(len(columns))) for part in parts])
        offered = [made for tree in trees for made in self._predicates(tree, columns)]
        return tuple(made for made in dict.fromkeys(offered) if found.accepts(made))

    def _predicates(self, tree: Syntax, columns: Sequence[tuple[str, str]]) -> list[Predicate]:
        """What a condition means as predicates; none where that is not certain."""
        args = tree.args
        if tree.form == "and":
            return [made for part in args for made in self._predicates(part, columns)]
        if not args or not any(part.form == "column" for part in args):
            return []
        if tree.form == "compare" and tree.name in _OPERATORS:
            column, constant, operator = args[0], args[1], tree.name
            if column.form != "column":
                column, constant, operator = constant, column, _TURNED[operator]
            return self._comparison(column, constant, _OPERATORS[operator], columns)
        if args[0].form != "column":
            return []
        name, kind = columns[int(args[0].name[1:])]
        match tree.form:
            case "between":
                low = self._comparison(args[0], args[1], ">=", columns)
                return low + self._comparison(args[0], args[2], "<=", columns)
            case "in":
                values = [self._constant(part, kind) for part in args[1:]]
                return [] if None in values else [In(name, tuple(values), kind)]
            case "is null":
                return [IsNull(name)]
            case "is not null":
                return [IsNull(name, negated=True)]
            case _:
                return []

    def _comparison(
        self, column: Syntax, constant: Syntax, operator: Operator, columns: Sequence[tuple[str, str]]
    ) -> list[Predicate]:
        if column.form != "column":
            return []
        name, kind = columns[int(column.name[1:])]
        value = self._constant(constant, kind)
        return [] if value is None else [Comparison(name, operator, value, kind)]

    def _constant(self, tree: Syntax, kind: str) -> object:
        """The constant as exactly a value of the column's type; None where it is none."""
        family = kind_of(kind).family
        if not tree.is_constant or family not in ("integer", "decimal", "text", "date"):
            return None
        given, told = self._duck.constants([tree.text, f"TRY_CAST({tree.text} AS {kind})"])
        value: Any = told.as_py()
        plain: Any = given.as_py()
        if value is None or plain is None:
            return None
        if family == "text":
            return value if isinstance(plain, str) else None
        if family == "date":
            is_date = type(plain) is dt.date or (tree.is_literal_text and type(value) is dt.date)
            return value if is_date else None
        if isinstance(plain, bool) or not isinstance(plain, int | decimal.Decimal) or plain != value:
            return None
        return int(value) if family == "integer" else value


def _columns(program: Program) -> dict[str, set[str]]:
    """By relation the columns that the program reads, names folded."""
    needed: dict[str, set[str]] = {}
    for root in (*(node for _, node in program.shared), program.root):
        for node in walk_nodes(root):
            if isinstance(node, Scan) and not node.shared:
                needed.setdefault(node.name.casefold(), set()).update(
                    name.casefold() for name in node.columns
                )
    return needed
