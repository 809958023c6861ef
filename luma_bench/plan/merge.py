"""MERGE INTO as one query: which row each clause takes, under its number, with the new values beside it.

Three branches, as far as clauses ask for them, make a UNION: pairs that match are a join; source rows without a target
row and target rows without a source row are anti-joins, in which only the one side can be named, as DuckDB has it. In each,
`__luma_action` is the number of the first clause whose condition holds, and a value is computed where its clause acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from luma_bench.errors import KadeQLBindError, KadeQLUnsupportedError, nearest
from luma_bench.language import (
    Assignment,
    Composer,
    Excerpt,
    Given,
    Match,
    Merge,
    MergeClause,
    Piece,
    Query,
    own,
)
from luma_bench.plan.dml import TypesOf, generated_column, named_column
from luma_bench.types.schema import ROW_ID, Column, TableSchema, rows_relation
from luma_bench.types.sql_text import quoted

ROW = "__luma_row"
ACTION = "__luma_action"
MESSAGE = "__luma_error"
_ONE = "__luma_one"
_SOURCE = '"__luma_source"'
_NO_NAME = re.compile(r"\b(?:select|from|values|table|error)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Acting:
    """One clause with the columns that it writes.

    Attributes
    ----------
    given
        The place of each column's value among the query's values, by name.
    defaults
        The columns that get their DEFAULT.
    """

    clause: MergeClause
    number: int
    given: dict[str, int] = field(default_factory=dict[str, int])
    defaults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The query of a MERGE: `ROW`, `ACTION`, a value for each of `columns`, and `MESSAGE` when a clause has one."""

    query: Query
    columns: tuple[Column, ...]
    clauses: tuple[Acting, ...]
    has_message: bool


def merge_plan(
    statement: Merge, table: TableSchema, writable: Sequence[str], source: Sequence[str], types_of: TypesOf
) -> MergePlan:
    """Compose the query of a MERGE.

    Parameters
    ----------
    writable
        The columns of the table that take values.
    source
        The columns of the source; only asked for when `takes_all(statement)`.

    Raises
    ------
    KadeQLBindError
        A clause names no column of the table, or gives another number of values than of columns.
    """
    places: dict[str, int] = {}
    acting: list[Acting] = []
    values: list[dict[str, Given]] = []
    for number, clause in enumerate(statement.clauses):
        written = _written(statement, clause, table, writable, source)
        for name, item in written.items():
            if not item.assignment.default:
                places.setdefault(name, len(places))
        given = {name: places[name] for name, item in written.items() if not item.assignment.default}
        defaults = frozenset(name for name, item in written.items() if item.assignment.default)
        acting.append(Acting(clause, number, given, defaults))
        values.append(written)
    names = list(places)
    branches: dict[Match, list[Acting]] = {}
    for item in acting:
        branches.setdefault(item.clause.match, []).append(item)
    has_message = any(clause.message is not None for clause in statement.clauses)
    composer = _Composed(statement, names, values, has_message, shared=len(branches) > 1)
    query = composer.query(branches, list(types_of(names)))
    columns = tuple(table.column(name) for name in names)
    return MergePlan(query, columns, tuple(acting), has_message)


def takes_all(statement: Merge) -> bool:
    """Whether some clause takes the source's columns as they come."""
    return any(clause.every for clause in statement.clauses)


def _written(
    statement: Merge, clause: MergeClause, table: TableSchema, writable: Sequence[str], source: Sequence[str]
) -> dict[str, Given]:
    """What a clause gives each column that it writes."""
    if clause.every:
        return _every(statement, clause, table, writable, source)
    whole = statement.whole
    if clause.action == "update":
        found = {}
        for item in clause.given:
            column = named_column(table, item.assignment.column, item.assignment.span, whole)
            if column.name not in writable:
                raise generated_column(table, column, item.assignment.span, whole)
            found[column.name] = item
        return found
    if clause.action != "insert":
        return {}
    names = list(writable)
    if clause.columns is not None:
        names = []
        for name, span in zip(clause.columns, clause.column_spans, strict=True):
            column = named_column(table, name, span, whole)
            if column.name not in writable:
                raise generated_column(table, column, span, whole)
            if column.name in names:
                raise KadeQLBindError(
                    f"The column {column.name!r} stands twice.",
                    text=whole,
                    span=span,
                    hint="Name each column once.",
                )
            names.append(column.name)
    if len(names) != len(clause.given):
        if clause.columns == ():
            return {}
        raise _count_error(clause, whole, len(clause.given), names)
    return dict(zip(names, clause.given, strict=True))


def _every(
    statement: Merge, clause: MergeClause, table: TableSchema, writable: Sequence[str], source: Sequence[str]
) -> dict[str, Given]:
    """Every column of the source, by its place or by its name."""
    if clause.every == "position":
        if len(source) != len(writable):
            raise _count_error(clause, statement.whole, len(source), writable)
        pairs = list(zip(writable, source, strict=True))
    else:
        known = {name.casefold(): name for name in writable}
        pairs = []
        for name in source:
            if name.casefold() not in known:
                near = nearest(name, list(writable), 1)
                raise KadeQLBindError(
                    f"The source has a column {name!r}, and table {table.name!r} has none of this name that takes values.",
                    text=statement.whole,
                    span=clause.span,
                    hint=f"Did you mean {near[0]!r}? Or list the columns." if near else "List the columns.",
                )
            pairs.append((known[name.casefold()], name))
    if len({name.casefold() for name in source}) != len(source):
        raise KadeQLUnsupportedError(
            "The source has a column's name twice, so its columns cannot be taken as they come.",
            text=statement.whole,
            span=clause.span,
            hint="Give them names of their own: USING (SELECT a.id, b.x FROM …) AS s.",
        )
    qualifier = f"{statement.source_name}." if statement.source_name else ""
    return {
        name: Given(
            Assignment(name, clause.span, clause.span),
            Excerpt((own(f"{qualifier}{quoted(taken)}", clause.span),), frozenset(), clause.span),
        )
        for name, taken in pairs
    }


def _count_error(clause: MergeClause, whole: str, given: int, names: Sequence[str]) -> KadeQLBindError:
    return KadeQLBindError(
        f"This clause gives {given} values for {len(names)} columns.",
        text=whole,
        span=clause.span,
        hint=f"The columns are: {', '.join(names)}.",
    )


class _Composed:
    """Composes the branches."""

    def __init__(
        self,
        statement: Merge,
        names: Sequence[str],
        values: Sequence[dict[str, Given]],
        has_message: bool,
        *,
        shared: bool,
    ) -> None:
        self._statement = statement
        self._names = names
        self._values = values
        self._has_message = has_message
        # A source with one name is computed once; a join has several names, which stand where they are used.
        self._shared = shared and bool(statement.source_name)
        self._composer = Composer(statement.table_span)
        self._target = f"{quoted(rows_relation(statement.table))} AS {statement.shown}"

    def query(self, branches: dict[Match, list[Acting]], types: Sequence[str]) -> Query:
        """The whole query."""
        statement, composer = self._statement, self._composer
        if statement.ctes is not None:
            composer.add(statement.ctes).own(" ")
        if self._shared:
            composer.own(", " if statement.ctes is not None else "WITH ")
            composer.own(f"{_SOURCE} AS MATERIALIZED (SELECT * FROM ").add(statement.rows).own(") ")
        for number, (match, clauses) in enumerate(branches.items()):
            composer.own(" UNION ALL " if number else "")
            self._branch(match, clauses)
        return composer.query(statement.sources, types)

    def _branch(self, match: Match, clauses: list[Acting]) -> None:
        statement, composer = self._statement, self._composer
        calls = any("(" in piece.text for item in clauses for piece in self._pieces(item))
        row = f"{statement.shown}.{ROW_ID}"
        if match == "target":
            # A column beside an aggregate is an error, as it is in the other branches.
            row = f'CAST(nullif("{_ONE}", 1) AS BIGINT)' if calls else "CAST(NULL AS BIGINT)"
        composer.own(f'SELECT {row} AS "{ROW}", ', statement.table_span)
        always = self._action(clauses)
        for place, name in enumerate(self._names):
            composer.own(", ")
            self._value(place, name, clauses, always)
        if self._has_message:
            self._message(clauses)
        composer.own(" FROM ")
        if match == "target":
            self._source(nested=False)
            if calls:
                composer.own(f' CROSS JOIN (SELECT 1 AS "{_ONE}") AS "__luma_ones"')
            composer.own(f" ANTI JOIN {self._target} ", statement.table_span)
        else:
            composer.own(f"{self._target} {'' if match == 'matched' else 'ANTI '}JOIN ", statement.table_span)
            self._source(nested=True)
            composer.own(" ")
        composer.add(statement.join)
        if not always:
            composer.own(" WHERE ", statement.table_span)
            self._acts(clauses)
            composer.own(" IS NOT NULL", statement.table_span)

    def _pieces(self, item: Acting) -> Iterator[Piece]:
        """The user's text in a clause."""
        if item.clause.condition is not None:
            yield from item.clause.condition.pieces
        for given in self._values[item.number].values():
            yield from given.value.pieces

    def _source(self, *, nested: bool) -> None:
        statement, composer = self._statement, self._composer
        if self._shared:
            composer.own(f"{_SOURCE} AS {statement.source_name}", statement.rows.span)
        elif statement.source_name or not nested:
            composer.add(statement.rows)
        else:
            composer.own("(").add(statement.rows).own(")")

    def _action(self, clauses: list[Acting]) -> bool:
        """The number of the clause that takes a row; whether that is always the one and only."""
        if clauses[0].clause.condition is None:
            self._composer.own(f'{self._number(clauses[0])} AS "{ACTION}"', clauses[0].clause.span)
            return clauses[0].clause.action != "nothing"
        self._choice(clauses)
        self._composer.own(f' AS "{ACTION}"')
        return False

    def _acts(self, clauses: list[Acting]) -> None:
        """What `ACTION` is, by its name; or written again, where DuckDB takes no name for a subquery or error()."""
        conditions = [item.clause.condition for item in clauses if item.clause.condition is not None]
        texts = " ".join(piece.text for condition in conditions for piece in condition.pieces)
        if _NO_NAME.search(texts) is None:
            self._composer.own(f'"{ACTION}"', self._statement.table_span)
        elif clauses[0].clause.condition is None:
            self._composer.own(self._number(clauses[0]), clauses[0].clause.span)
        else:
            self._choice(clauses)

    def _choice(self, clauses: list[Acting]) -> None:
        """The number of the first clause whose condition holds."""
        composer = self._composer
        composer.own("CASE")
        for item in clauses:
            if item.clause.condition is None:
                composer.own(f" ELSE {self._number(item)}", item.clause.span)
                break
            composer.own(" WHEN (").add(item.clause.condition).own(
                f") THEN {self._number(item)}", item.clause.span
            )
        composer.own(" END")

    def _number(self, item: Acting) -> str:
        return "CAST(NULL AS INTEGER)" if item.clause.action == "nothing" else str(item.number)

    def _value(self, place: int, name: str, clauses: list[Acting], always: bool) -> None:
        composer = self._composer
        if always:
            clauses = clauses[:1]
        found = [(item.number, self._values[item.number][name]) for item in clauses if name in item.given]
        if not found:
            composer.own("CAST(NULL AS {})", cast=place).own(f' AS "__luma_set_{place}"')
            return
        if always:
            composer.value(found[0][1].value, place)
        else:
            composer.own("CASE ", found[0][1].value.span)
            self._acts(clauses)
            for number, item in found:
                composer.own(f" WHEN {number} THEN ", item.value.span).value(item.value, place)
            composer.own(" END")
        composer.own(f' AS "__luma_set_{place}"')

    def _message(self, clauses: list[Acting]) -> None:
        composer = self._composer
        found = [item for item in clauses if item.clause.message is not None]
        composer.own(", ")
        if not found:
            composer.own("CAST(NULL AS VARCHAR)")
        else:
            composer.own("CASE ")
            self._acts(clauses)
            for item in found:
                assert item.clause.message is not None
                composer.own(f" WHEN {item.number} THEN CAST((").add(item.clause.message).own(") AS VARCHAR)")
            composer.own(" END")
        composer.own(f' AS "{MESSAGE}"')
