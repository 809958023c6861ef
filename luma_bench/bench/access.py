"""Reading tables as an identity may: the one way from a snapshot to a scan source, with policies applied inside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.catalog_text import schema_and_name
from luma_bench.bench.guarded import GuardedScan, Judge
from luma_bench.bench.policy import PolicyBook, TableRules
from luma_bench.errors import ForbiddenError, KadeQLError
from luma_bench.language import Query, parse
from luma_bench.language.tokens import tokenize
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.identity import OWNER, Identity
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder

_ROWS = "rows under policy"
_KEPT = 128


class Access:
    """What identities may read and change on one store.

    Attributes
    ----------
    book
        The policies in force.
    """

    def __init__(self, store: Store, book: PolicyBook, binder: Binder, inspector: SqlInspector) -> None:
        self.book = book
        self._store = store
        self._binder = binder
        self._inspector = inspector
        self._lock = Lock()
        self._scans: OrderedDict[tuple[Any, ...], GuardedScan] = OrderedDict()

    def scan(self, view: ResolvedSnapshot, table: str, identity: Identity) -> TableScan | GuardedScan:
        """The rows of a table as the identity sees them.

        Raises
        ------
        CatalogError
            There is no such table.
        """
        raw = self._store.scan(view, table)
        rules = self.book.rules(raw.table, identity)
        return raw if rules is None else self._guarded(raw, rules)

    def rows(self, view: ResolvedSnapshot, table: str, identity: Identity) -> int:
        """The number of rows of a table that the identity sees."""
        rules = self.book.rules(view.find(table), identity)
        if rules is None:
            return view.rows(table)
        return self._guarded(self._store.scan(view, table), rules).rows()

    def get(
        self, view: ResolvedSnapshot, table: str, key: object, identity: Identity
    ) -> dict[str, Any] | None:
        """The row with this primary key, when the identity sees it; see `Bench.get`."""
        scan = self.scan(view, table, identity)
        if isinstance(scan, TableScan):
            return scan.lookup().get(key)
        rows = self.get_many(view, table, [key], identity)
        return rows.to_pylist()[0] if rows.num_rows else None

    def get_many(self, view: ResolvedSnapshot, table: str, keys: Any, identity: Identity) -> pa.Table:
        """The rows with these primary keys that the identity sees; see `Bench.get_many`."""
        scan = self.scan(view, table, identity)
        lookup = self._store.scan(view, table).lookup()
        if isinstance(scan, TableScan):
            return lookup.get_many(keys)
        masked = [name for name in view.find(table).settings.primary_key if name in scan.hidden]
        if masked:
            raise ForbiddenError.masked(identity.user, scan.name, masked[0])
        return scan.apply(lookup.get_many(keys))

    def read(
        self,
        view: ResolvedSnapshot,
        table: str,
        columns: Sequence[str] | None,
        identity: Identity,
        counters: ScanCounters,
    ) -> pa.Table:
        """A whole table, or some of its columns, in exactly the types written, as the identity sees it."""
        scan = self.scan(view, table, identity)
        raw = self._store.scan(view, table)
        if isinstance(scan, TableScan):
            return scan.read(columns, counters)
        seen = scan.apply(raw.read(None, ScanCounters()))
        counters.add(rows=seen.num_rows)
        return seen if columns is None else seen.select(list(columns))

    def _guarded(self, raw: TableScan, rules: TableRules) -> GuardedScan:
        # The view's scan is cached by the store; what is seen of it depends on the rules, and on grants in other tables.
        key = (id(raw), rules, self._store.head())
        with self._lock:
            found = self._scans.get(key)
        if found is not None:
            return found
        judge, reads = self._judge(raw, rules)
        made = GuardedScan(raw, rules, judge, reads)
        if rules.volatile:
            return made
        with self._lock:
            self._scans[key] = made
            while len(self._scans) > _KEPT:
                self._scans.popitem(last=False)
        return made

    def _judge(self, raw: TableScan, rules: TableRules) -> tuple[Judge, frozenset[str]]:
        """What evaluates the rules over rows of the table, and the columns that it may read."""
        name, schema = raw.name, raw.table
        owner = Identity(rules.identity.user, (OWNER,))
        types = self._types(raw, [column for column, _ in rules.masks], owner)
        condition = rules.condition
        values = [
            f"coalesce(CAST(({condition}\n) AS BOOLEAN), FALSE) AS keep" if condition else "TRUE AS keep"
        ]
        for at, ((_, text), kind) in enumerate(zip(rules.masks, types, strict=True)):
            values.append(f"CAST(({'NULL' if text is None else text}\n) AS {kind}) AS mask_{at}")
        alias = quoted(schema_and_name(name, self._store.resolve())[1])
        text = f'SELECT {", ".join(values)} FROM "{_ROWS}" AS {alias}'
        (query,) = parse(text, self._inspector)
        assert isinstance(query, Query)
        self._check_reads(query, rules, name)
        reads = _read(schema, [condition or "", *(text or "" for _, text in rules.masks)])
        params: Mapping[str, object] = {"user": rules.identity.user, "roles": list(rules.identity.roles)}

        def judge(rows: pa.Table) -> pa.Table:
            ask = Ask(params=params, tables={_ROWS: rows}, cache=False, identity=owner)
            try:
                bound = self._binder.bind(query, ask, self._store.resolve())
                return bound.choice.run(bound.fragment, bound.inputs)
            except KadeQLError as error:
                # The text of a policy is not for everyone's eyes, nor are values that it met.
                raise ForbiddenError.broken(name, rules.names, type(error).__name__) from error

        return judge, reads

    def _check_reads(self, query: Query, rules: TableRules, name: str) -> None:
        """Make sure that the tables behind the names are still those that the policies were made about."""
        newest = self._store.resolve()
        for reference in query.reads:
            found = newest.named(reference.name)
            if reference.name != _ROWS and (found is None or found.id not in rules.reads):
                raise ForbiddenError.broken(name, rules.names, "a table that they read is another one now")

    def _types(self, raw: TableScan, names: list[str], owner: Identity) -> list[str]:
        """The SQL types of columns, as the engine names them."""
        if not names:
            return []
        columns = ", ".join(map(quoted, names))
        (query,) = parse(f'SELECT {columns} FROM "{_ROWS}"', self._inspector)
        assert isinstance(query, Query)
        empty = pa.schema([raw.schema.field(name) for name in names]).empty_table()
        bound = self._binder.bind(
            replace(query, sql=f"DESCRIBE {query.sql}"),
            Ask(tables={_ROWS: empty}, cache=False, identity=owner),
            self._store.resolve(),
        )
        return bound.choice.run(bound.fragment, bound.inputs).column("column_type").to_pylist()


def _read(schema: TableSchema, texts: list[str]) -> frozenset[str]:
    """The columns that expressions may read; all of them where one may mean whole rows."""
    read = [tokenize(text) for text in texts]
    words = {name.casefold() for tokens in read for name in (*tokens.names, *tokens.words)}
    every = "*" in words or any(part in words for part in schema.name.casefold().split("."))
    named = [column.name for column in schema.columns if every or column.name.casefold() in words]
    return frozenset(named or [schema.columns[0].name])
