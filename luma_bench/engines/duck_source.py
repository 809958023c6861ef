"""A pinned scan source as DuckDB reads it, through the private Arrow source hook of duckdb 2.0.

DuckDB itself says which columns and which filters each scan of a statement needs, for any SQL. A `DuckSource` stays
registered on a pooled cursor between statements and is pinned for the length of one; outside of that it raises.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import duckdb
import pyarrow as pa
from duckdb._sources import ArrowScanSource, nodes

from luma_bench.engines.duck_predicate import Untranslatable, translate
from luma_bench.engines.duck_scan import PinnedScan
from luma_bench.types.predicate import Predicate


class DuckSource(ArrowScanSource):
    """A `PinnedScan` behind DuckDB's source hook: it narrows columns and applies the predicates it accepts."""

    schema_is_stable = True

    def __init__(self, scan: PinnedScan) -> None:
        super().__init__(None)
        self.scan = scan

    def __arrow_c_schema__(self) -> object:
        """The schema, `_rowid` first."""
        return self.scan.schema.__arrow_c_schema__()

    def rows(self) -> int:
        """The number of rows of the pinned source."""
        return self.scan.pinned[0].rows()

    def accepts(self, predicate: nodes.Node) -> bool:
        """Whether the pinned source applies exactly what `predicate` means."""
        source, reading = self.scan.pinned
        try:
            return source.accepts(translate(predicate, self.scan.schema))
        except Untranslatable:
            return False
        except BaseException as error:
            reading.failed(error)
            raise

    def stream(self, columns: Sequence[int] | None, filters: Sequence[nodes.Node]) -> tuple[object, bool]:
        """A stream of the pinned source; it holds exactly `columns`."""
        predicates = [translate(node, self.scan.schema) for node in filters]
        wanted = None if columns is None else list(columns)
        return self.scan.reader(wanted, predicates).__arrow_c_stream__(), True


_PROBE = "SELECT * FROM (VALUES (1, 'x'), (2, NULL), (3, 'z')) AS probe (a, b)"


@functools.cache
def hook_problem() -> str | None:
    """None when the private hook does what this room relies on, else what it does instead. Asked once a process."""
    con = duckdb.connect()
    try:
        # Made by DuckDB: pyarrow loads pandas to look at Python lists.
        probe = _Probe(con._submit(_PROBE, None, "arrow").arrow_table())
        con._register_arrow_source("probe", probe)
        answers = [
            con.execute("SELECT count(*) FROM probe").fetchall(),
            con.execute("SELECT b FROM probe WHERE a >= 2 AND b IS NOT NULL").fetchall(),
        ]
    except (AttributeError, TypeError, duckdb.Error) as error:
        return f"duckdb {duckdb.__version__}: {error}"
    finally:
        con.close()
    if answers != [[(3,)], [("z",)]]:
        return f"duckdb {duckdb.__version__} answered {answers!r}"
    if probe.asked[0] != ([0], []) or [1] not in [columns for columns, _ in probe.asked[1:]]:
        return f"duckdb {duckdb.__version__} asked for {probe.asked!r}"
    return None


class _Probe(ArrowScanSource):
    """Three rows that apply the filters they are offered and note what was asked."""

    schema_is_stable = True

    def __init__(self, table: pa.Table) -> None:
        super().__init__(None)
        self.table = table
        self.asked: list[tuple[list[int] | None, list[Predicate]]] = []

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()

    def rows(self) -> int:
        return self.table.num_rows

    def accepts(self, predicate: nodes.Node) -> bool:
        try:
            translate(predicate, self.table.schema)
        except Untranslatable:
            return False
        return True

    def stream(self, columns: Sequence[int] | None, filters: Sequence[nodes.Node]) -> tuple[object, bool]:
        predicates = [translate(node, self.table.schema) for node in filters]
        wanted = None if columns is None else list(columns)
        self.asked.append((wanted, predicates))
        # Where every filter was accepted, a wrong row here shows as a wrong answer above.
        kept = self.table.slice(2) if len(predicates) else self.table
        return (kept if wanted is None else kept.select(wanted)).__arrow_c_stream__(), True
