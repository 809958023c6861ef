"""What the engine would hand down to a scan of an input's WHERE: it plans the condition over a source that only takes notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.plain_conditions import plainly
from luma_bench.bench.series.predicates import in_microseconds, in_units
from luma_bench.engines.duck_profile import plan_tree
from luma_bench.errors import KadeQLError
from luma_bench.language.series.pattern import Input
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plan.profile import PlanTree
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_text import quoted

_NAME = "@recorded"
_PLAIN = frozenset({"PROJECTION", "TABLE_SCAN", "ARROW_SCAN", "PYTHON_ARROW_SCAN"})
_BYTES = 2_000
_NANOSECONDS = re.compile(r"[.][0-9]{7}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A condition as a scan may apply it.

    Attributes
    ----------
    predicates
        Each is TRUE of every row that fulfils the condition.
    whole
        Whether they are all of it.
    """

    predicates: tuple[Predicate, ...]
    whole: bool


class _Notes:
    """A source that is only planned with: it takes every predicate that a scan can apply exactly."""

    name = _NAME

    def __init__(
        self, schema: pa.Schema, rows: int, understood: Callable[[Predicate], Predicate | None]
    ) -> None:
        self.schema = schema
        self._rows = rows
        self._understood = understood
        self.taken: dict[Predicate, None] = {}

    def rows(self) -> int:
        """As many as the input has, so that the engine plans alike."""
        return self._rows

    def accepts(self, predicate: Predicate) -> bool:
        """Note it."""
        meant = self._understood(predicate)
        if meant is None:
            return False
        self.taken[meant] = None
        return True

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """No rows."""
        fields = [self.schema.field(index) for index in (range(len(self.schema)) if columns is None else columns)]  # fmt: skip
        return pa.RecordBatchReader.from_batches(pa.schema(fields), [])


def recorded(
    given: Input, schema: pa.Schema, rows: int, asked: Asked, takes: Callable[[Predicate], bool]
) -> Recorded:
    """What of an input's WHERE a scan can apply.

    Parameters
    ----------
    schema
        The input's columns as they are streamed, without `_rowid`.
    takes
        Whether the input applies a predicate exactly.
    """
    where = given.where
    if where is None:
        return Recorded((), True)
    if not where.sql.startswith(given.query.sql):
        return Recorded((), False)
    condition = where.sql[len(given.query.sql) :]
    plain = plainly(condition, given.alias, schema, asked.ask.params)
    if plain is not None and all(map(takes, plain)):
        return Recorded(plain, True)
    params = tuple((name, repr(asked.ask.params.get(name))) for name in sorted(where.params))
    # A predicate names columns, so that a table of equal columns gives the same.
    key = ("where", condition, given.alias, str(schema), params, asked.ask.identity)
    if where.volatile or not asked.lasting:
        return _planned(condition, given, schema, rows, asked, takes)
    return asked.kept.answers.get(
        key, lambda: _planned(condition, given, schema, rows, asked, takes), lambda _: _BYTES
    )


def _planned(
    condition: str,
    given: Input,
    schema: pa.Schema,
    rows: int,
    asked: Asked,
    takes: Callable[[Predicate], bool],
) -> Recorded:
    text = f"EXPLAIN (FORMAT JSON) SELECT * FROM {quoted(_NAME)} AS {quoted(given.alias)}{condition}"
    names = () if given.where is None else given.where.params
    fragment = SqlFragment(text, {name: asked.ask.params[name] for name in names})
    told = schema if _finer(condition, asked, names) else in_microseconds(schema)

    def understood(predicate: Predicate) -> Predicate | None:
        meant = predicate if told is schema else in_units(predicate, schema)
        return meant if meant is not None and takes(meant) else None

    notes = _Notes(told.insert(0, pa.field(ROW_ID, pa.int64(), False)), rows, understood)
    engine = next(one for one in asked.binder.engines.values() if one.complete)
    limits = asked.ask.limits
    inputs = Inputs({_NAME: notes}, limits=None if limits is None else limits.uncapped())
    try:
        tree = plan_tree(engine.run(fragment, inputs).column(1)[0].as_py())
    except KadeQLError:
        # It names what only the statement knows, as another table, or is wrong: the engine applies it to the rows, or tells.
        return Recorded((), False)
    operators = set() if tree is None else set(_operators(tree))
    whole = tree is not None and operators <= _PLAIN and bool(operators)
    return Recorded(tuple(notes.taken), whole)


def _finer(condition: str, asked: Asked, names: Iterable[str]) -> bool:
    """Whether a time in it may be given in less than microseconds."""
    given = [condition, *(str(asked.ask.params[name]) for name in names)]
    return any(_NANOSECONDS.search(text) for text in given)


def _operators(tree: PlanTree) -> Iterator[str]:
    yield tree.operator
    for child in tree.children:
        yield from _operators(child)
