"""Column lineage: which stored columns each output column of a statement is made of. Best effort, never a guess.

The text is resolved by its parse tree and the tables' schemas. What the tree does not show for certain (a table function, a
name that it reads otherwise than the engine) is said to be unknown.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from luma_bench.plan.lineage_changes import written
from luma_bench.plan.lineage_columns import (
    ColumnLineage,
    Tables,
    Unknown,
    Views,
    query_tree,
    resolved,
    statement_tree,
)

__all__ = ["ColumnLineage", "Lineage", "change_lineage", "query_lineage"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one statement: best effort, by its parse tree; conditions (WHERE, ON) are not part of it.

    Attributes
    ----------
    text
        The statement.
    columns
        One entry for each output column, in order; empty where `unknown` says why nothing is known.
    target
        The table that the statement writes; None for a query.
    """

    text: str
    columns: tuple[ColumnLineage, ...]
    target: str | None = None
    unknown: str = ""

    def __getitem__(self, name: str) -> ColumnLineage:
        """The lineage of one output column by its name, ignoring case.

        Raises
        ------
        KeyError
            There is no such column.
        """
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise KeyError(name)

    def __str__(self) -> str:
        if self.unknown:
            return f"lineage unknown: {self.unknown}"
        rows = [("column", "from", "made by")]
        rows += [(column.name, _from(column), column.transformation) for column in self.columns]
        widths = [max(len(row[i]) for row in rows) for i in range(2)]
        lines = [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
        title = "lineage (best effort)" + (f" of what is written to {self.target}" if self.target else "")
        return "\n".join([title, *lines])

    def _repr_html_(self) -> str:
        if self.unknown:
            return f"<p>lineage unknown: {html.escape(self.unknown)}</p>"
        title = "lineage (best effort)" + (f" of what is written to {self.target}" if self.target else "")
        cells = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in (one.name, _from(one), one.transformation))
            + "</tr>"
            for one in self.columns
        )
        return (
            f"<table><caption>{html.escape(title)}</caption>"
            f"<thead><tr><th>column</th><th>from</th><th>made by</th></tr></thead><tbody>{cells}</tbody></table>"
        )


def _from(column: ColumnLineage) -> str:
    return f"unknown: {column.unknown}" if column.unknown else ", ".join(column.sources) or "(no column)"


def query_lineage(
    text: str,
    tables: Tables,
    views: Views,
    names: Sequence[str],
) -> Lineage:
    """The lineage of one query.

    Parameters
    ----------
    text
        The query in the engine's dialect.
    tables
        Column names of every relation that it may read, by name.
    views
        The query of each view and, for a view that names them, its columns, by the view's name.
    names
        The output columns as the engine says: where the tree has others, nothing is known.
    """
    try:
        found = resolved(query_tree(text), tables, views)
    except Unknown as error:
        return Lineage(text, (), unknown=str(error))
    told = [column.name.casefold() for column in found]
    if len(told) != len(names):
        return Lineage(
            text, (), unknown=f"the parse tree has {len(told)} output columns, the engine {len(names)}"
        )
    columns: list[ColumnLineage] = []
    for column, name in zip(found, names, strict=True):
        # A column without a name of its own is called by the engine as its text, which the tree does not keep.
        named = column.name and not column.name.startswith("_col_")
        if named and column.name.casefold() != name.casefold() and column.transformation == column.name:
            return Lineage(
                text, (), unknown=f"the parse tree has {column.name!r} where the engine has {name!r}"
            )
        columns.append(ColumnLineage(name, column.sources, column.transformation, column.unknown))
    return Lineage(text, tuple(columns))


def change_lineage(
    text: str,
    tables: Tables,
    views: Views,
) -> Lineage:
    """The lineage of INSERT, UPDATE, MERGE or CREATE TABLE AS: of each column that is written."""
    try:
        tree = statement_tree(text)
        target, columns = written(tree, tables, views)
    except Unknown as error:
        return Lineage(text, (), unknown=str(error))
    known = next((names for name, names in tables.items() if name.casefold() == target.casefold()), None)
    folded = {name.casefold() for name in known or ()}
    absent = [column.name for column in columns if column.name.casefold() not in folded]
    if known is not None and absent and not isinstance(tree, exp.Create):
        return Lineage(text, (), unknown=f"table {target!r} has no column {absent[0]!r}")
    return Lineage(text, tuple(columns), target)
