"""Answers from statistics: counts and bounds of a table, from zone maps and the few chunks that they leave open."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from typing import Any

import pyarrow as pa

from luma_bench.engines.at_once import AtOnce
from luma_bench.engines.point import Describe
from luma_bench.errors import KadeQLError, UnsupportedError
from luma_bench.language.tokens import tokenize
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plan.scanrules.from_statistics import Figures, figures
from luma_bench.plan.scanrules.texts import ParsedTexts
from luma_bench.types.schema import TableSchema
from luma_bench.types.statistics import ScanStatistics, Summary, SupportsStatistics

_OTHER_TEXT = "it is no SELECT of counts and bounds of one table"
_LIKELY = re.compile(r"\s*select\s.*\b(?:count|min|max)\s*\(", re.IGNORECASE | re.DOTALL)
_EXPLAIN = re.compile(r"EXPLAIN (?P<options>\([^)]*\) )?(?P<query>.*)", re.DOTALL)
_LONGEST = 2_000
_ENTRIES = 256


class StatisticsEngine(AtOnce):
    """Answers counts, least and greatest values of one table without a scan.

    Parameters
    ----------
    describe
        The embedded engine's binder.

    Attributes
    ----------
    least_rows
        Tables with fewer rows are left to the embedded engine: a scan of them takes no time to speak of. Infinite in
        tests of the engine against its absence.
    """

    def __init__(self, describe: Describe) -> None:
        self.least_rows: float = 1 << 17
        self._describe = describe
        self._texts = ParsedTexts()
        self._lock = threading.Lock()
        self._schemas: OrderedDict[str, tuple[TableSchema, pa.Schema | None]] = OrderedDict()

    @property
    def name(self) -> str:
        """`statistics`."""
        return "statistics"

    @property
    def reason(self) -> str:
        """What the run record says of a query that it takes."""
        return "counts and bounds that the statistics know"

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None for counts and bounds of one table that its statistics decide nearly alone, else the reason why not."""
        text = fragment.text
        if len(text) > _LONGEST or _LIKELY.match(text) is None:
            return _OTHER_TEXT
        if inputs is None:
            return None
        if all(source.rows() < self.least_rows for source in inputs.sources.values()):
            return "the table is small"
        found = self._asked(fragment, inputs)
        if isinstance(found, str):
            return found
        asked, statistics, _ = found
        if not statistics.can_summarize(asked.wanted, asked.predicates, rows=asked.counts_rows):
            return "the statistics leave too many chunks open"
        return None

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """The answer, one row; of an EXPLAIN of such a text, the plan.

        Raises
        ------
        UnsupportedError
            The fragment is something else.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        if fragment.text[:8] == "EXPLAIN " and (found := _EXPLAIN.fullmatch(fragment.text)):
            return self._explained(
                SqlFragment(found["query"], fragment.params), inputs, found["options"] or ""
            )
        asked, statistics, schema = self._required(fragment, inputs)
        summary = statistics.summarize(
            asked.wanted, asked.predicates, _counters(asked, inputs), rows=asked.counts_rows
        )
        if summary is None:
            raise UnsupportedError("The statistics engine cannot run this.", hint="Leave out engine.")
        arrays = [_array(asked, summary, place, field.type) for place, field in enumerate(schema)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def close(self) -> None:
        """Forget the types of texts."""
        with self._lock:
            self._schemas.clear()

    def _required(self, fragment: SqlFragment, inputs: Inputs) -> tuple[Figures, ScanStatistics, pa.Schema]:
        found = self._asked(fragment, inputs)
        if isinstance(found, str):
            raise UnsupportedError(
                f"The statistics engine cannot run this: {found}.", hint="Leave out engine."
            )
        return found

    def _asked(
        self, fragment: SqlFragment, inputs: Inputs
    ) -> tuple[Figures, ScanStatistics, pa.Schema] | str:
        """What a text asks of which statistics, and the types of the answer; or why it is not served."""
        parsed = self._texts.get(fragment.text)
        if parsed is None:
            return _OTHER_TEXT
        hidden = {name.casefold() for name in (*inputs.relations, *(view.name for view in inputs.views))}
        known: dict[str, tuple[str, ScanStatistics]] = {}
        for name, source in inputs.sources.items():
            folded = name.casefold()
            if folded in parsed.tables and folded not in hidden and isinstance(source, SupportsStatistics):
                statistics = source.statistics
                if statistics is not None:
                    known[folded] = (name, statistics)
        asked = figures(
            parsed, {name: statistics.table for name, (_, statistics) in known.items()}, fragment.params
        )
        if isinstance(asked, str):
            return asked
        name, statistics = known[asked.table]
        schema = self._schema(fragment.text, name, statistics.table, inputs)
        if schema is None or len(schema) != len(asked.items):
            return "its types go through SQL only"
        return asked, statistics, schema

    def _schema(self, text: str, name: str, table: TableSchema, inputs: Inputs) -> pa.Schema | None:
        """The types and names of the answer as the embedded engine gives them; None for a type that it converts."""
        with self._lock:
            held = self._schemas.get(text)
        if held is not None and held[0] is table:
            return held[1]
        visible = pa.schema(list(inputs.sources[name].schema)[1:])
        try:
            made: pa.Schema | None = self._describe(_listing(text), {name: visible})
        except KadeQLError:
            made = None
        with self._lock:
            self._schemas[text] = (table, made)
            while len(self._schemas) > _ENTRIES:
                self._schemas.popitem(last=False)
        return made

    def _explained(self, fragment: SqlFragment, inputs: Inputs, options: str) -> pa.Table:
        """The plan in the form of the embedded engine's EXPLAIN: a key and a text."""
        asked, statistics, _ = self._required(fragment, inputs)
        about: dict[str, Any] = {
            "Table": statistics.table.name,
            "Figures": [f"{figure} of {column}" if column else figure for figure, column in asked.items],
            "Estimated Cardinality": "1",
        }
        plan: dict[str, Any] = {"name": "STATISTICS_LOOKUP", "extra_info": about, "children": []}
        if "ANALYZE" in options:
            counters = _counters(asked, inputs)
            before = (counters.chunks_read, counters.rows_read)
            plan["intermediate_rows"] = self.run(fragment, inputs).num_rows
            about["Chunks Read"] = str(counters.chunks_read - before[0])
            about["Rows Read"] = str(counters.rows_read - before[1])
        return pa.table({"explain_key": ["physical_plan"], "explain_value": [json.dumps([plan])]})


def _counters(asked: Figures, inputs: Inputs) -> Any:
    """The share of the table that is read, where the source keeps one."""
    source: Any = next(source for name, source in inputs.sources.items() if name.casefold() == asked.table)
    return getattr(source, "counters", inputs.counters)


def _array(asked: Figures, summary: Summary, place: int, kind: pa.DataType) -> pa.Array:
    figure, column = asked.items[place]
    if column is None:
        return pa.array([summary.rows], kind)
    held = summary.columns[column]
    if figure == "valid":
        return pa.array([held.valid], kind)
    bound = held.low if figure == "low" else held.high
    return pa.nulls(1, kind) if bound is None else pa.array([bound.as_py()], bound.type).cast(kind)


def _listing(text: str) -> str:
    """The text up to, not with, WHERE: what it selects. The binder takes no parameters."""
    tokens = tokenize(text)
    for i, word in enumerate(tokens.words):
        if word == "WHERE":
            return text[: tokens.starts[i]]
    return text
