"""What a transaction compared with other rows, and how it is compared again when these have changed at its commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from luma_bench.config import Settings
from luma_bench.errors import ConstraintError
from luma_bench.storage.catalog.change import Reliance, ReliedError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.ruled import rules_of
from luma_bench.storage.rules_between import Between, Touched, scan_of
from luma_bench.storage.scan import TableScan
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import TableSchema

if TYPE_CHECKING:
    from luma_bench.storage.draft import TableDraft


class Compared:
    """The values of a transaction that rules between rows have been checked for.

    Attributes
    ----------
    relies
        What must not have happened when it commits; else the values are compared again.
    """

    def __init__(self, rules: RowRules | None, pool: BufferPool, settings: Settings) -> None:
        self.relies: dict[Reliance, None] = {}
        self._rules = rules
        self._pool = pool
        self._settings = settings
        self._values: dict[TableDraft, Touched] = {}

    def check(self, view: ResolvedSnapshot, touched: Mapping[TableDraft, Touched]) -> None:
        """Check what one statement touched.

        Raises
        ------
        ConstraintError
            A rule is broken.
        """
        relies = dict(self.relies)
        self._between(view, relies).check(touched)
        self.relies = relies
        for draft, found in touched.items():
            held = self._values.setdefault(draft, Touched())
            held.written += found.written
            held.removed += found.removed

    def again(self, view: ResolvedSnapshot, lost: ReliedError) -> None:
        """Check everything anew over a newer snapshot, after a commit that came too late.

        Raises
        ------
        ReliedError
            A rule is broken by what came in between.
        """
        relies: dict[Reliance, None] = {}
        try:
            self._between(view, relies).check(self._values)
        except ConstraintError as error:
            assert lost.reliance is not None
            raise ReliedError.lost(lost.reliance.table, view.id, error.message.rstrip(".")) from error
        self.relies = relies

    def _between(self, view: ResolvedSnapshot, relies: dict[Reliance, None]) -> Between:
        def rely(table: TableSchema, operations: frozenset[str]) -> None:
            if table.id > 0:
                relies[Reliance(table.id, table.name, view.id, operations)] = None

        def scan(table: TableSchema) -> TableScan:
            return scan_of(view, table, self._pool, self._settings)

        return Between(rules_of(next(iter(view.tables.values())), self._rules), view, scan, rely)
