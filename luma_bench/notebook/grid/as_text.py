"""A view as a KadeQL text of its own: the statement that gave the result, filtered and sorted around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from luma_bench.errors import UnsupportedError
from luma_bench.language import format_text
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.requests import View
from luma_bench.notebook.grid.views import write
from luma_bench.plan.literals import constant, identifier

_QUERY = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(SELECT|FROM|WITH|VALUES|TABLE|PIVOT|UNPIVOT|\()",
    re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(r'"c(\d+)"|\$(p\d+|z\d+|search)\b')
"""A column or a parameter, as `views.write` spells them."""


def view_text(statement: str, columns: Sequence[GridColumn], asked: View) -> str:
    """The text.

    Raises
    ------
    UnsupportedError
        The statement is no query, or two columns that the view names have one name.
    """
    statement = statement.strip().rstrip(";").rstrip()
    if not (asked.sort or asked.filter or asked.search):
        return statement
    if _QUERY.match(statement) is None:
        raise UnsupportedError(
            "Only a query can be filtered and sorted by a text; this result came from another statement.",
            hint="Export it to a variable, and ask that: FROM name.",
        )
    written = write(asked, columns)
    names = [column.name.casefold() for column in columns]
    for column in written.used.values():
        if names.count(column.name.casefold()) > 1:
            raise UnsupportedError(
                f"Two columns are called {column.name!r}, so that a text cannot tell them apart.",
                hint="Give them names of their own in the query: … AS name.",
            )

    def spelled(found: re.Match[str]) -> str:
        if found[1] is not None:
            return identifier(columns[int(found[1])].name)
        return constant(written.params[found[2]])

    # In one pass: what is put in may look like a name itself.
    clauses = _NAME.sub(spelled, written.text)
    return format_text(f"SELECT * FROM (\n{statement}\n) AS result{clauses}")
