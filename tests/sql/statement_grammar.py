"""Random scripts of statements that change tables and read them: the next one hangs on the seed and on what failed."""

from __future__ import annotations

import random
from collections.abc import Callable

from statement_queries import Queries, of
from statement_values import TYPES, Column, Table, Values

MOST_TABLES = 3


class Script:
    """One script. `statement()` gives the next text, and the table whose rows it may have changed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.values = Values(self.rng)
        self.queries = Queries(self.values)
        self.tables: dict[str, Table] = {}
        self._before: dict[str, Table] = {}
        self._inside = False
        self._made = 0
        self._next_key = 100

    def statement(self) -> tuple[str, str | None]:
        """The next statement; the table that it changes, None when it only reads."""
        if not self.tables:
            return self.create()
        weighted: list[tuple[Callable[[], tuple[str, str | None]], int]] = [
            (self.read, 26), (self.insert, 16), (self.insert_query, 6), (self.upsert, 8), (self.update, 12),
            (self.update_from, 6), (self.delete, 7), (self.delete_using, 5), (self.merge, 7), (self.turn, 8),
            (self.create, 3), (self.empty, 1), (self.drop, 1), (self.widen, 1),
        ]  # fmt: skip
        ways, weights = zip(*weighted, strict=True)
        return self.rng.choices(ways, weights)[0]()

    def failed(self) -> str | None:
        """What to run after a statement failed: a transaction is given up, as DuckDB gives it up by itself."""
        if not self._inside:
            return None
        self._inside, self.tables = False, self._before
        return "ROLLBACK"

    def read(self) -> tuple[str, None]:
        """A query."""
        return self.queries.query(list(self.tables.values())), None

    def create(self) -> tuple[str, str | None]:
        """A table with a few columns, a key and NOT NULL now and then; or one made of a query."""
        if len(self.tables) >= MOST_TABLES:
            return self.read()
        name = f"t{self._made}"
        self._made += 1
        if self.tables and self.rng.random() < 0.2:
            source = self.any_table()
            self.tables[name] = Table(name, tuple(Column(c.name, c.kind) for c in source.columns), None)
            return (
                f"CREATE TABLE {name} AS SELECT * FROM {source.name} t{self.queries.where(of(source, 't'))}",
                name,
            )
        kinds = ["int", *self.rng.choices(list(TYPES), k=self.rng.randint(2, 5))]
        key = "k" if self.rng.random() < 0.6 else None
        columns = [Column("k", "int", required=key is not None)]
        columns += [Column(f"c{i}", kind, self.rng.random() < 0.1) for i, kind in enumerate(kinds)]
        parts = [
            f"{c.name} {TYPES[c.kind]}{' NOT NULL' if c.required and c.name != key else ''}" for c in columns
        ]
        if key:
            parts.append("PRIMARY KEY (k)")
        checked = next((c for c in columns[1:] if c.kind == "int"), None)
        if checked is not None and self.rng.random() < 0.3:
            parts.append(f"CHECK ({checked.name} <> 13)")
        self.tables[name] = Table(name, tuple(columns), key)
        return f"CREATE TABLE {name} ({', '.join(parts)})", name

    def insert(self) -> tuple[str, str]:
        """Rows by VALUES, of all columns or some."""
        table = self.any_table()
        columns = list(table.columns)
        if self.rng.random() < 0.3:
            columns = [c for c in columns if c.required or self.rng.random() < 0.6] or columns[:1]
        listed = "" if len(columns) == len(table.columns) else f" ({', '.join(c.name for c in columns)})"
        rows = ", ".join(self.row(table, columns) for _ in range(self.rng.choice((1, 1, 2, 5, 20))))
        return f"INSERT INTO {table.name}{listed} VALUES {rows}{self.returning(table)}", table.name

    def insert_query(self) -> tuple[str, str]:
        """Rows of a query over another table, under new keys where there is one."""
        table, source = self.any_table(), self.any_table()
        self._next_key += 1000
        items = [
            f"{self._next_key} + row_number() OVER (ORDER BY {', '.join(f's.{c.name}' for c in source.columns)})"
            if column.name == table.key
            else self.values.expression(column.kind, of(source, "s"), 1)
            for column in table.columns
        ]
        # NOT NULL may be broken, on both sides alike.
        return (
            f"INSERT INTO {table.name} SELECT {', '.join(items)} FROM {source.name} s ORDER BY ALL LIMIT 20",
            table.name,
        )

    def upsert(self) -> tuple[str, str]:
        """INSERT … ON CONFLICT, into a table with a key; a key stands once among the rows."""
        table = self.keyed()
        if table is None:
            return self.insert()
        keys = self.rng.sample(range(1, 60), self.rng.randint(1, 8))
        rows = ", ".join(self.row(table, list(table.columns), key) for key in keys)
        way = self.rng.random()
        if way < 0.3:
            tail = self.rng.choice(("ON CONFLICT DO NOTHING", "ON CONFLICT (k) DO NOTHING"))
        else:
            changed = self.rng.choice(table.changeable)
            value = self.rng.choice((f"excluded.{changed.name}", self.values.literal(changed.kind, 0.05)))
            where = (
                f" WHERE {self.values.condition(of(table, table.name), 0)}" if self.rng.random() < 0.3 else ""
            )
            tail = f"ON CONFLICT (k) DO UPDATE SET {changed.name} = {value}{where}"
        return f"INSERT INTO {table.name} VALUES {rows} {tail}{self.returning(table)}", table.name

    def update(self) -> tuple[str, str]:
        """UPDATE of some columns by expressions of the row."""
        table = self.any_table()
        columns = self.rng.sample(table.changeable, min(len(table.changeable), self.rng.randint(1, 2)))
        scope = of(table, table.name)
        changes = ", ".join(f"{c.name} = {self.values.expression(c.kind, scope, 1)}" for c in columns)
        return (
            f"UPDATE {table.name} SET {changes}{self.queries.where(scope)}{self.returning(table)}",
            table.name,
        )

    def update_from(self) -> tuple[str, str]:
        """UPDATE … FROM a query with one row for each key."""
        table, source, pair = self.pair()
        changed = self.rng.choice(table.changeable)
        given = [c for c in source.of(changed.kind) if c.kind != "list"] or None
        if given is None or changed.kind == "bool":
            return self.update()
        value = self.rng.choice(given)
        inner = f"SELECT {pair[1]} AS j, max({value.name}) AS v FROM {source.name} GROUP BY {pair[1]}"
        return (
            f"UPDATE {table.name} SET {changed.name} = s.v FROM ({inner}) s WHERE s.j = {table.name}.{pair[0]}",
            table.name,
        )

    def delete(self) -> tuple[str, str]:
        """DELETE by a condition."""
        table = self.any_table()
        scope = of(table, table.name)
        return (
            f"DELETE FROM {table.name} WHERE {self.values.condition(scope)}{self.returning(table)}",
            table.name,
        )

    def delete_using(self) -> tuple[str, str]:
        """DELETE … USING another table."""
        table, source, pair = self.pair()
        if self._inside and table.key:
            # DuckDB cannot take a row that matches twice out of the index of its own transaction.
            return self.delete()
        more = self.values.condition(of(source, "s"), 0)
        return (
            f"DELETE FROM {table.name} USING {source.name} s WHERE s.{pair[1]} = {table.name}.{pair[0]} AND {more}",
            table.name,
        )

    def merge(self) -> tuple[str, str]:
        """MERGE of a query with one row for each key."""
        table = self.keyed()
        source = self.any_table()
        if table is None:
            return self.delete()
        inner = f"SELECT k, {', '.join(f'max({c.name}) AS {c.name}' for c in source.columns if c.name != 'k' and c.kind not in ('list', 'bool'))} FROM {source.name} WHERE k IS NOT NULL GROUP BY k"
        inner = inner.replace("SELECT k,  FROM", "SELECT k FROM")
        known = [("s", c) for c in source.columns if c.name == "k" or c.kind not in ("list", "bool")]
        changed = self.rng.choice(table.changeable)
        matched = self.rng.choice((
            f"WHEN MATCHED THEN UPDATE SET {changed.name} = {self.values.expression(changed.kind, known, 0)}",
            f"WHEN MATCHED AND {self.values.condition(known, 0)} THEN DELETE",
            f"WHEN MATCHED AND {self.values.condition(known, 0)} THEN UPDATE SET {changed.name} = {self.values.typed(changed.kind)}",
        ))  # fmt: skip
        items = ", ".join(
            "s.k" if c.name == "k" else self.values.expression(c.kind, known, 0) for c in table.columns
        )
        missing = self.rng.choice((f" WHEN NOT MATCHED THEN INSERT VALUES ({items})", ""))
        return (
            f"MERGE INTO {table.name} USING ({inner}) s ON s.k = {table.name}.k {matched}{missing}",
            table.name,
        )

    def turn(self) -> tuple[str, str | None]:
        """BEGIN, COMMIT or ROLLBACK; where a transaction ends, every table is looked at by what follows."""
        if not self._inside:
            self._inside, self._before = True, dict(self.tables)
            return "BEGIN", None
        self._inside = False
        if self.rng.random() < 0.5:
            return "COMMIT", next(iter(self.tables), None)
        self.tables = self._before
        return "ROLLBACK", next(iter(self.tables), None)

    def empty(self) -> tuple[str, str]:
        """Every row away."""
        table = self.any_table()
        return self.rng.choice((f"TRUNCATE {table.name}", f"DELETE FROM {table.name}")), table.name

    def drop(self) -> tuple[str, None]:
        """A table away."""
        table = self.any_table()
        self.tables = {name: known for name, known in self.tables.items() if name != table.name}
        return f"DROP TABLE {table.name}", None

    def widen(self) -> tuple[str, str | None]:
        """A new column, outside of transactions: DuckDB alters no table that its own transaction changed."""
        if self._inside:
            return self.read()
        table = self.any_table()
        kind = self.rng.choice(list(TYPES))
        column = Column(f"c{len(table.columns) + 7}", kind)
        if any(known.name == column.name for known in table.columns):
            return self.read()
        self.tables[table.name] = Table(table.name, (*table.columns, column), table.key)
        default = f" DEFAULT {self.values.typed(kind)}" if self.rng.random() < 0.5 else ""
        return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {TYPES[kind]}{default}", table.name

    def any_table(self) -> Table:
        """One of the tables."""
        return self.rng.choice(list(self.tables.values()))

    def keyed(self) -> Table | None:
        """One of those with a key."""
        known = [table for table in self.tables.values() if table.key]
        return self.rng.choice(known) if known else None

    def pair(self) -> tuple[Table, Table, tuple[str, str]]:
        """Two tables and a column of each, of one kind."""
        table, source = self.any_table(), self.any_table()
        pairs = [
            (a.name, b.name)
            for a in table.columns
            for b in source.columns
            if a.kind == b.kind and a.kind != "list"
        ]
        return table, source, self.rng.choice(pairs)

    def row(self, table: Table, columns: list[Column], key: int | None = None) -> str:
        """One row of VALUES; keys are new, but for one in ten."""
        cells: list[str] = []
        for column in columns:
            if column.name == table.key:
                self._next_key += 1
                old = self.rng.random() < 0.03
                cells.append(
                    str(key if key is not None else self.rng.randint(1, 60) if old else self._next_key)
                )
            else:
                cells.append(self.values.literal(column.kind, 0.02 if column.required else 0.15))
        return f"({', '.join(cells)})"

    def returning(self, table: Table) -> str:
        """RETURNING, now and then."""
        if self.rng.random() > 0.25:
            return ""
        return (
            " RETURNING *"
            if self.rng.random() < 0.5
            else f" RETURNING {self.rng.choice(table.columns).name} AS r"
        )
