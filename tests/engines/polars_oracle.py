"""The same relational plan on Polars and, as SQL, on the embedded engine: answers must be equal, types included."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_types import DuckTyper
from luma_bench.engines.polars.engine import PolarsEngine
from luma_bench.errors import LumaError
from luma_bench.plan.engine import Fallback, Inputs, SqlFragment
from luma_bench.plan.relational import Aggregate, Node, Program, Sort, Window, walk_nodes
from luma_bench.plan.relational.to_duck import program_sql


class Prepared:
    """A lowering that hands out one program."""

    def __init__(self) -> None:
        self.held: Program | None = None

    def program(self, fragment: SqlFragment, inputs: Inputs) -> Program:
        assert self.held is not None
        return self.held


@dataclass(slots=True)
class Oracle:
    """Both engines."""

    duck: DuckEngine
    polars: PolarsEngine
    lowering: Prepared

    @classmethod
    def opened(cls) -> Oracle:
        settings = Settings(threads=2, timezone="UTC")
        duck = DuckEngine(settings)
        lowering = Prepared()
        return cls(duck, PolarsEngine(settings, duck, lowering, DuckTyper(settings, duck.beside)), lowering)

    def close(self) -> None:
        self.polars.close()
        self.duck.close()

    def expected(
        self, node: Node, tables: Mapping[str, Any], shared: tuple[tuple[str, Node], ...] = ()
    ) -> pa.Table:
        width = [f"c{at}" for at in range(node.width)]
        text = program_sql(Program(node, pa.schema([(name, pa.null()) for name in width]), shared))
        return self.duck.run(SqlFragment(text), Inputs({}, dict(tables)))

    def _answer(
        self, node: Node, tables: Mapping[str, Any], shared: tuple[tuple[str, Node], ...]
    ) -> pa.Table | LumaError:
        try:
            return self.expected(node, tables, shared)
        except LumaError as error:
            return error

    def ask(
        self,
        node: Node,
        tables: Mapping[str, Any],
        schema: pa.Schema,
        shared: tuple[tuple[str, Node], ...] = (),
    ) -> pa.Table | str:
        """The answer of Polars, or why there is none."""
        self.lowering.held = Program(node, schema, shared)
        fragment, inputs = SqlFragment("SELECT 1"), Inputs({}, dict(tables))
        reason = self.polars.supports(fragment, inputs)
        if reason is not None:
            return reason
        try:
            return self.polars.run(fragment, inputs)
        except Fallback as fallback:
            return fallback.reason

    def check(
        self,
        node: Node,
        tables: Mapping[str, Any],
        shared: tuple[tuple[str, Node], ...] = (),
        *,
        refuses: bool = False,
    ) -> str | None:
        """Both answers are equal, or Polars refused: the reason, which only `refuses` lets pass."""
        expected = self._answer(node, tables, shared)
        if isinstance(expected, LumaError):
            # What DuckDB cannot compute must be refused here: its error is the answer.
            empty = self._answer(node, {name: table.slice(0, 0) for name, table in tables.items()}, shared)
            names = [(f"c{at}", pa.null()) for at in range(node.width)]
            schema = pa.schema(names) if isinstance(empty, LumaError) else empty.schema
            got = self.ask(node, tables, schema, shared)
            assert isinstance(got, str), f"{expected} but polars answered {got}"
            return got
        got = self.ask(node, tables, expected.schema, shared)
        if isinstance(got, str):
            assert refuses, got
            return got
        assert got.schema.equals(expected.schema, check_metadata=True), (got.schema, expected.schema)
        exact = not any(isinstance(part, Aggregate | Window) for part in walk_nodes(node))
        same_rows(got, expected, ordered=isinstance(node, Sort), exact=exact)
        return None


def same_rows(got: pa.Table, expected: pa.Table, *, ordered: bool = False, exact: bool = False) -> None:
    """The rows are equal; floats within 1e-9 unless they must be exact."""
    mine, theirs = ([tuple(row.values()) for row in table.to_pylist()] for table in (got, expected))
    assert len(mine) == len(theirs), (len(mine), len(theirs), mine[:5], theirs[:5])
    if not ordered:
        mine, theirs = sorted(mine, key=_key), sorted(theirs, key=_key)
    for a, b in zip(mine, theirs, strict=True):
        assert all(_same(x, y, exact=exact) for x, y in zip(a, b, strict=True)), (a, b)


def _key(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(_rank(value) for value in row)


def _rank(value: object) -> tuple[object, ...]:
    if value is None:
        return (1, "")
    if isinstance(value, float):
        return (0, "nan") if math.isnan(value) else (0, f"{value + 0.0:.7g}")
    return (0, repr(value))


def _same(a: object, b: object, *, exact: bool) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        if a == b:
            return not exact or math.copysign(1.0, a) == math.copysign(1.0, b)
        return (math.isnan(a) and math.isnan(b)) or (not exact and math.isclose(a, b, rel_tol=1e-9))
    return type(a) is type(b) and a == b
