"""Rules over the scans of a query that is about to run: fewer chunks to read, where it is proven that they cannot matter."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.metered import MeteredScan, predicate_text
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plan.profile import FiredRule
from luma_bench.plan.scanrules.conditions import column_type
from luma_bench.plan.scanrules.key_ranges import key_predicate
from luma_bench.plan.scanrules.semi_join import Reduction, reductions
from luma_bench.plan.scanrules.texts import ParsedText, ParsedTexts
from luma_bench.plan.scanrules.top_rows import top_rows
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROWS_PREFIX, TableSchema, rows_relation
from luma_bench.types.statistics import Matching, ScanStatistics, Skip

TOP_K, SEMI_JOIN = "top-k", "semi-join"

_FEWER = 20
"""How many times the rows of a table whose keys are read first fit into the large one."""
_PLAIN_KEY_ROWS = 100_000
_HIT_SHARE = 0.25
_CLUSTERED = 0.5
_START_ROWS = 1_000_000


class Reducer:
    """Applies the rules; shared by threads.

    Attributes
    ----------
    rules
        The names of the rules that are on: all of them, but in tests of a rule against its absence.
    least_rows, least_chunks
        What makes a table large: queries that read no such table are left alone.
    """

    def __init__(self) -> None:
        self.rules = frozenset({TOP_K, SEMI_JOIN})
        self.least_rows = 1 << 17
        self.least_chunks = 4
        self._texts = ParsedTexts()

    def apply(self, fragment: SqlFragment, inputs: Inputs) -> tuple[FiredRule, ...]:
        """Narrow the sources of a statement that is about to run, and say what was done."""
        if not self.rules:
            return ()
        metered = {name: source for name, source in inputs.sources.items() if isinstance(source, MeteredScan)}
        viewed = "\n".join(view.sql for view in inputs.views).casefold()
        read = fragment.text.casefold() if ROWS_PREFIX in fragment.text else ""
        large = {
            name.casefold(): (name, source, statistics)
            for name, source in metered.items()
            if source.table_rows >= self.least_rows
            and (statistics := source.statistics) is not None
            and statistics.chunks >= self.least_chunks
            # A view may read it besides, or with_rowid(t), and scans of one table are not told apart.
            and rows_relation(name.casefold()) not in read
            and (not viewed or (name.casefold() not in viewed and '"' not in name))
        }
        if not large:
            return ()
        text = self._told(fragment, inputs)
        if text is None:
            return ()
        known = _known(inputs)
        tables = {name: statistics.table for name, (_, statistics) in known.items()}
        fired: list[FiredRule] = []
        if TOP_K in self.rules:
            fired += self._top_k(text, fragment, tables, large)
        matches = {
            name.casefold(): source
            for name, source in inputs.sources.items()
            if isinstance(source, IslandRelation) and source.keys
        }
        if SEMI_JOIN in self.rules and len(known) + len(matches) > 1:
            fired += self._semi_joins(text, fragment, tables, known, large, matches)
        return tuple(fired)

    def _told(self, fragment: SqlFragment, inputs: Inputs) -> ParsedText | None:
        """The statement's tree; None where the rules leave it alone."""
        text = self._texts.get(fragment.text)
        if text is None:
            return None
        names = [*inputs.sources, *inputs.relations, *(view.name for view in inputs.views)]
        folded = {name.casefold() for name in names}
        # One name, one meaning: what hides another relation in some places only is left alone.
        return None if text.common & folded or len(folded) < len(names) else text

    def starts(self, fragment: SqlFragment, inputs: Inputs) -> tuple[FiredRule, ...]:
        """Let the keys of a table be where a graph's relation starts, when the statement joins it with them."""
        graphs = {
            name.casefold(): source
            for name, source in inputs.sources.items()
            if isinstance(source, IslandRelation) and source.starting
        }
        if not graphs or SEMI_JOIN not in self.rules:
            return ()
        text = self._told(fragment, inputs)
        if text is None:
            return ()
        known = _known(inputs)
        tables = {name: statistics.table for name, (_, statistics) in known.items()}
        fired: list[FiredRule] = []
        columns = {name: source.starting for name, source in graphs.items()}
        for reduction in reductions(text, tables, frozenset(), fragment.params, columns):
            source, small = graphs[reduction.table], known[reduction.keys_from][0]
            if small.table_rows > _START_ROWS:
                continue
            keys = _keys(reduction, small)
            kind = column_type(reduction.column)
            if kind is None or not source.start(reduction.column.name, keys, kind):
                continue
            said = (
                f"{reduction.column.name} from {len(keys):,} keys of {small.name}.{reduction.key_column.name}"
            )
            fired.append(FiredRule(SEMI_JOIN, source.name, said))
        return tuple(fired)

    def _top_k(
        self,
        text: ParsedText,
        fragment: SqlFragment,
        tables: Mapping[str, TableSchema],
        large: Mapping[str, tuple[str, MeteredScan, ScanStatistics]],
    ) -> list[FiredRule]:
        found = top_rows(text, tables, fragment.params)
        if found is None or found[0] not in large:
            return []
        name, source, statistics = large[found[0]]
        top = found[1]
        order = f"{top.column}{' DESC' if top.descending else ''}"
        return _narrowed(TOP_K, name, source, statistics, top, f"the first {top.count:,} by {order}")

    def _semi_joins(
        self,
        text: ParsedText,
        fragment: SqlFragment,
        tables: Mapping[str, TableSchema],
        known: Mapping[str, tuple[MeteredScan, ScanStatistics]],
        large: Mapping[str, tuple[str, MeteredScan, ScanStatistics]],
        matches: Mapping[str, IslandRelation],
    ) -> list[FiredRule]:
        fired: list[FiredRule] = []
        columns = {name: source.keys for name, source in matches.items()}
        for reduction in reductions(text, tables, frozenset(large), fragment.params, columns):
            if reduction.table not in large:
                continue
            name, source, _ = large[reduction.table]
            statistics = source.statistics
            match = matches.get(reduction.keys_from)
            small = known[reduction.keys_from][0] if match is None else match
            if statistics is None or not _promising(reduction, small, source, statistics):
                continue
            found = key_predicate(_keys(reduction, small), reduction.column)
            if found is None:
                continue
            said = f"keys of {small.name}.{reduction.key_column.name}: {predicate_text(found)}"
            fired += _narrowed(SEMI_JOIN, name, source, statistics, Matching(found), said)
        return fired


def _known(inputs: Inputs) -> dict[str, tuple[MeteredScan, ScanStatistics]]:
    """The stored tables whose statistics may be told, by their folded names."""
    return {
        name.casefold(): (source, statistics)
        for name, source in inputs.sources.items()
        if isinstance(source, MeteredScan) and (statistics := source.statistics) is not None
    }


def _promising(
    reduction: Reduction,
    small: MeteredScan | IslandRelation,
    large: MeteredScan,
    statistics: ScanStatistics,
) -> bool:
    """Whether reading the keys first is likely to pay: they are few, and their rows lie together in the large table."""
    rows = small.table_rows if isinstance(small, MeteredScan) else small.rows()
    if not rows or rows * _FEWER > large.table_rows:
        return False
    overlap = statistics.overlap(reduction.column.name)
    if overlap > _CLUSTERED:
        return False
    if rows <= _PLAIN_KEY_ROWS or not isinstance(small, MeteredScan):
        return rows <= _PLAIN_KEY_ROWS
    # Reading many keys only pays where few of them are left: many hit every chunk.
    known = small.statistics
    share = None if known is None or not reduction.where else known.share(reduction.where)
    return share is not None and share * rows * overlap <= _HIT_SHARE


def _keys(reduction: Reduction, small: MeteredScan | IslandRelation) -> pa.Array:
    """The distinct keys of the rows that pass the conditions the small side applies exactly."""
    index = small.schema.get_field_index(reduction.key_column.name)
    if isinstance(small, MeteredScan):
        stream = small.stream([index], reduction.where, small.counters)
    else:
        where = [item for item in reduction.where if small.accepts(item)]
        stream = small.stream([index], where, ScanCounters())
    values = pa.chunked_array([batch.column(0) for batch in stream], stream.schema.field(0).type)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    distinct = pc.unique(values).drop_null()
    return distinct.combine_chunks() if isinstance(distinct, pa.ChunkedArray) else distinct


def _narrowed(
    rule: str,
    name: str,
    source: MeteredScan,
    statistics: ScanStatistics,
    skip: Skip,
    said: str,
) -> list[FiredRule]:
    skipped = statistics.skipping([skip], source.counters)
    if skipped is None:
        return []
    source.narrow(skipped.source)
    left_out = skipped.chunks - skipped.chunks_left
    return [FiredRule(rule, name, f"{said}; {left_out} of {skipped.chunks} chunks cannot matter")]
