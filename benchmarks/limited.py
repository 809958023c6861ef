"""Whether an answer under LIMIT is right where ORDER BY leaves ties, so that more than one answer is.

The rows that may stand in the window are those whose tie group reaches into it; those whose whole group lies in it must.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp, parse_one

from benchmarks.agreement import same_rows
from benchmarks.harness import DisagreementError


@dataclass(frozen=True, slots=True)
class Window:
    """What a text with LIMIT may answer: `possible` rows, the `sure` ones among them, and how many of them."""

    possible: pa.Table
    sure: pa.Table
    rows: int

    def check(self, answer: pa.Table) -> None:
        """Raise `DisagreementError` when `answer` is none of the right ones."""
        if answer.num_rows != self.rows:
            raise DisagreementError(f"{answer.num_rows} rows and {self.rows}")
        if answer.column_names != self.possible.column_names:
            raise DisagreementError(f"columns {answer.column_names} and {self.possible.column_names}")
        for left, right, what in (
            (answer, self.possible, "cannot stand there"),
            (self.sure, answer, "is missing"),
        ):
            wrong = _without(left, right)
            if wrong.num_rows:
                raise DisagreementError(f"{wrong.num_rows} rows: {wrong.slice(0, 1).to_pylist()[0]} {what}")


def agreement(text: str, peer: duckdb.DuckDBPyConnection) -> Callable[[pa.Table, pa.Table], None]:
    """How two answers to `text` are compared; what is right under LIMIT is asked of `peer`."""
    tree = parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Select), "one plain SELECT"
    shown = _shown_keys(tree)

    def agree(left: pa.Table, right: pa.Table) -> None:
        if tree.args.get("limit") is None:
            same_rows(left, right)
        else:
            window = window_of(tree, peer)
            window.check(left)
            window.check(right)
        same_rows(left.select(shown), right.select(shown), ordered=True)

    return agree


def _shown_keys(tree: exp.Select) -> list[int]:
    """The places of the result columns that ORDER BY sorts by; equal rows may change places, these values may not."""
    order = tree.args.get("order")
    columns = {
        part.alias_or_name.casefold(): i for i, part in enumerate(tree.expressions) if part.alias_or_name
    }
    texts = {
        (part.this if isinstance(part, exp.Alias) else part).sql(): i
        for i, part in enumerate(tree.expressions)
    }
    found: list[int] = []
    for key in order.expressions if order is not None else ():
        name = key.this.name.casefold() if isinstance(key.this, exp.Column) else ""
        place = columns.get(name, texts.get(key.this.sql()))
        if place is None:
            return found
        found.append(place)
    return found


def window_of(tree: exp.Select, peer: duckdb.DuckDBPyConnection) -> Window:
    """The right answers to a SELECT with LIMIT, in the peer's eyes."""
    limit, offset = _number(tree, "limit") or 0, _number(tree, "offset") or 0
    order = tree.args.get("order")
    keys = list(order.expressions) if order is not None else []
    whole = tree.copy()
    for part in ("order", "limit", "offset"):
        whole.set(part, None)
    sorting: list[str] = []
    for i, key in enumerate(keys):
        whole.select(exp.alias_(key.this.copy(), f"__key_{i}"), copy=False)
        # sqlglot writes the default places of NULL out: DuckDB's own.
        sorting.append(exp.Ordered(this=exp.column(f"__key_{i}"), **_direction(key)).sql("duckdb"))
    by = f"ORDER BY {', '.join(sorting)}" if sorting else "ORDER BY 0"
    hidden = ", ".join(["__first", "__tied", *(f"__key_{i}" for i in range(len(keys)))])
    ranked = (
        f"SELECT *, rank() OVER ({by}) AS __first, count(*) OVER (PARTITION BY {_names(len(keys))}) AS __tied "
        f"FROM ({whole.sql('duckdb')})"
    )
    reaching = f"__first <= {offset + limit} AND __first + __tied - 1 > {offset}"
    inside = f"__first > {offset} AND __first + __tied - 1 <= {offset + limit}"
    possible = peer.sql(f"SELECT * EXCLUDE ({hidden}) FROM ({ranked}) WHERE {reaching}").to_arrow_table()
    sure = peer.sql(f"SELECT * EXCLUDE ({hidden}) FROM ({ranked}) WHERE {inside}").to_arrow_table()
    total = peer.sql(f"SELECT count(*) FROM ({whole.sql('duckdb')})").fetchall()[0][0]
    return Window(possible, sure, min(limit, max(0, total - offset)))


def _direction(key: exp.Expr) -> dict[str, object]:
    assert isinstance(key, exp.Ordered)
    return {name: key.args[name] for name in ("desc", "nulls_first") if key.args.get(name) is not None}


def _names(count: int) -> str:
    return ", ".join(f"__key_{i}" for i in range(count)) or "1"


def _number(tree: exp.Select, name: str) -> int | None:
    node = tree.args.get(name)
    return None if node is None else int(node.expression.name)


def _without(left: pa.Table, right: pa.Table) -> pa.Table:
    """The rows of `left` that `right` lacks, each as often as it does; floats to nine digits."""
    con = duckdb.connect()
    try:
        con.register("a", left)
        con.register("b", right)
        parts = [
            f"printf('%.9g', CAST({exp.to_identifier(name, quoted=True).sql('duckdb')} AS DOUBLE)) AS c{i}"
            if pa.types.is_floating(left.schema.field(i).type)
            else f"{exp.to_identifier(name, quoted=True).sql('duckdb')} AS c{i}"
            for i, name in enumerate(left.column_names)
        ]
        text = ", ".join(parts)
        return con.sql(f"SELECT {text} FROM a EXCEPT ALL SELECT {text} FROM b").to_arrow_table()
    finally:
        con.close()
