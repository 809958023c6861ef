"""Random queries over generated tables whose answers are defined: as sets of rows, or ordered by every column."""

from __future__ import annotations

from collections.abc import Sequence

from statement_values import ORDERED, SUMMED, Column, Table, Values

Scope = list[tuple[str, Column]]


class Queries:
    """Makes queries over the tables that it is given."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.rng = values.rng

    def query(self, tables: Sequence[Table]) -> str:
        """A query of any shape."""
        shapes = (
            self.plain,
            self.grouped,
            self.joined,
            self.windowed,
            self.united,
            self.nested,
            self.limited,
            self.named,
        )
        return self.rng.choice(shapes)(tables)

    def plain(self, tables: Sequence[Table]) -> str:
        """Expressions of one table's rows."""
        table = self.rng.choice(tables)
        scope = of(table, "t")
        kinds = [column.kind for column in table.columns if column.kind != "list"]
        items = [self.values.expression(self.rng.choice(kinds), scope) for _ in range(self.rng.randint(1, 3))]
        distinct = "DISTINCT " if self.rng.random() < 0.2 else ""
        return f"SELECT {distinct}{_named(items)} FROM {table.name} t{self.where(scope)}"

    def grouped(self, tables: Sequence[Table]) -> str:
        """Aggregates, by groups or of all rows."""
        table = self.rng.choice(tables)
        scope = of(table, "t")
        keys = [
            f"t.{c.name}" for c in self.rng.sample(table.columns, self.rng.randint(0, 2)) if c.kind != "list"
        ]
        items = [*keys, *(self.aggregate(table, "t") for _ in range(self.rng.randint(1, 3)))]
        by = ""
        if keys:
            form = self.rng.choice(("{}", "{}", "{}", "ROLLUP ({})", "CUBE ({})"))
            by = f" GROUP BY {form.format(', '.join(dict.fromkeys(keys)))}"
        having = " HAVING count(*) > 1" if keys and self.rng.random() < 0.25 else ""
        return f"SELECT {_named(items)} FROM {table.name} t{self.where(scope)}{by}{having}"

    def joined(self, tables: Sequence[Table]) -> str:
        """Two tables, joined in any way on columns of one kind."""
        left, right = self.rng.choice(tables), self.rng.choice(tables)
        pairs = [(a, b) for a in left.columns for b in right.columns if a.kind == b.kind and a.kind != "list"]
        a, b = self.rng.choice(pairs)
        way = self.rng.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"))
        scope = of(left, "a") if way in ("SEMI JOIN", "ANTI JOIN") else of(left, "a") + of(right, "b")
        more = (
            f" AND {self.values.condition(of(left, 'a') + of(right, 'b'), 0)}"
            if self.rng.random() < 0.3
            else ""
        )
        shown = self.rng.sample(scope, min(3, len(scope)))
        items = _named([f"{alias}.{column.name}" for alias, column in shown])
        source = f"{left.name} a {way} {right.name} b ON a.{a.name} = b.{b.name}{more}"
        if self.rng.random() < 0.3:
            return f"SELECT count(*) AS n, {self.aggregate(left, 'a')} AS m FROM {source}{self.where(scope)}"
        return f"SELECT {items} FROM {source}{self.where(scope)}"

    def windowed(self, tables: Sequence[Table]) -> str:
        """A window over rows in an order that every column decides."""
        table = self.rng.choice(tables)
        order = ", ".join(f"t.{column.name}" for column in table.columns)
        part = self.rng.choice([c for c in table.columns if c.kind != "list"])
        summed = table.of(*SUMMED)
        # A sum that rows leave again is kept to whole numbers.
        exact = [c for c in summed if c.kind in ("int", "big", "dec")]
        functions = [
            "count(*)",
            f"min(t.{part.name})",
            f"first_value(t.{part.name})",
            f"lag(t.{part.name}, 2)",
        ]
        functions += [f"sum(t.{c.name})" for c in exact]
        function = self.rng.choice(functions)
        frame = (
            ""
            if function.startswith("lag")
            else self.rng.choice(("", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"))
        )
        parted = f"PARTITION BY t.{part.name} " if self.rng.random() < 0.5 else ""
        # Equal rows are interchangeable, so that the set of answers is defined.
        items = [
            f"t.{part.name}",
            f"{function} OVER ({parted}ORDER BY {order}{frame})",
            f"rank() OVER (ORDER BY t.{part.name})",
        ]
        return f"SELECT {_named(items)} FROM {table.name} t{self.where(of(table, 't'))}"

    def united(self, tables: Sequence[Table]) -> str:
        """A set operation of two columns of one kind."""
        left, right = self.rng.choice(tables), self.rng.choice(tables)
        a, b = self.rng.choice([(a, b) for a in left.columns for b in right.columns if a.kind == b.kind])
        word = self.rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"))
        return (
            f"SELECT t.{a.name} AS c0 FROM {left.name} t{self.where(of(left, 't'))} {word} "
            f"SELECT t.{b.name} FROM {right.name} t{self.where(of(right, 't'))}"
        )

    def nested(self, tables: Sequence[Table]) -> str:
        """Subqueries in conditions and as values."""
        outer, inner = self.rng.choice(tables), self.rng.choice(tables)
        pairs = [
            (a, b) for a in outer.columns for b in inner.columns if a.kind == b.kind and a.kind != "list"
        ]
        a, b = self.rng.choice(pairs)
        shown = self.rng.choice(outer.columns)
        match self.rng.randint(0, 3):
            case 0:
                condition = (
                    f"t.{a.name} IN (SELECT u.{b.name} FROM {inner.name} u{self.where(of(inner, 'u'))})"
                )
            case 1:
                condition = f"{self.rng.choice(('', 'NOT '))}EXISTS (FROM {inner.name} u WHERE u.{b.name} = t.{a.name})"
            case 2:
                condition = f"t.{a.name} >= (SELECT max(u.{b.name}) FROM {inner.name} u)"
            case _:
                value = (
                    f"(SELECT {self.aggregate(inner, 'u')} FROM {inner.name} u WHERE u.{b.name} = t.{a.name})"
                )
                return f"SELECT t.{shown.name} AS c0, {value} AS c1 FROM {outer.name} t"
        return f"SELECT t.{shown.name} AS c0 FROM {outer.name} t WHERE {condition}"

    def limited(self, tables: Sequence[Table]) -> str:
        """The first rows in an order by every column."""
        table = self.rng.choice(tables)
        way = self.rng.choice(("", " DESC", " NULLS FIRST", " DESC NULLS LAST"))
        first = self.rng.choice(table.columns)
        rest = ", ".join(column.name for column in table.columns)
        offset = f" OFFSET {self.rng.randint(1, 5)}" if self.rng.random() < 0.4 else ""
        return f"SELECT * FROM {table.name} t{self.where(of(table, 't'))} ORDER BY {first.name}{way}, {rest} LIMIT {self.rng.randint(0, 9)}{offset}"

    def named(self, tables: Sequence[Table]) -> str:
        """A query behind WITH, read twice."""
        inside = self.rng.choice((self.plain, self.grouped))(tables)
        kept = self.rng.choice(("", "MATERIALIZED ", "NOT MATERIALIZED "))
        return f"WITH q AS {kept}({inside}) SELECT count(*) AS n, count(DISTINCT a.c0) AS d FROM q a, (SELECT max(c0) AS m FROM q) b"

    def where(self, scope: Scope) -> str:
        """A WHERE, mostly."""
        return f" WHERE {self.values.condition(scope)}" if self.rng.random() < 0.6 else ""

    def aggregate(self, table: Table, alias: str) -> str:
        """An aggregate of one of the table's columns."""
        choices = ["count(*)"]
        choices += [f"sum({alias}.{column.name})" for column in table.of(*SUMMED)]
        choices += [
            f"{self.rng.choice(('min', 'max'))}({alias}.{column.name})" for column in table.of(*ORDERED)
        ]
        choices += [f"count(DISTINCT {alias}.{column.name})" for column in table.columns]
        choices += [f"avg({alias}.{column.name})" for column in table.of("int", "big")]
        choices += [f"bool_or({alias}.{column.name})" for column in table.of("bool")]
        return self.rng.choice(choices)


def of(table: Table, alias: str) -> Scope:
    """The columns of a table in scope under an alias."""
    return [(alias, column) for column in table.columns]


def _named(items: Sequence[str]) -> str:
    return ", ".join(f"{item} AS c{index}" for index, item in enumerate(items))
