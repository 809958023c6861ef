"""Random SELECT statements over the tables of `select_data`, whose answers are defined: no tie decides a row.

A statement's rows are a multiset; LIMIT stands only where ORDER BY covers every output column, a window's order ends
in a unique column, and float sums are rounded (adding up in another order moves the last digits).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LITERALS = {
    "id": ["0", "7", "300", "900", "1197", "-1", "99999999999"],
    "k": ["''", "'a'", "'B'", "'zürich'", "'x''y'", "'a%b'", "'longer than twelve bytes, so not inlined'", "'nope'"],
    "n": ["0", "3", "-5", "1000", "2147483647", "-2147483648", "2.5", "3000000000"],
    "x": ["0", "-0.0", "12.5", "'nan'::DOUBLE", "'inf'::DOUBLE", "'-inf'::DOUBLE", "1e-300", "49.999"],
    "d": ["0", "12.34", "-999.99", "100", "0.005", "1e3"],
    "day": ["DATE '2024-01-01'", "DATE '2024-01-20'", "'2024-01-15'", "DATE '1999-12-31'"],
    "ts": ["TIMESTAMP '2024-11-03 01:30:00'", "TIMESTAMP '2024-11-02 12:00:00'", "DATE '2024-11-03'"],
    "tz": ["TIMESTAMPTZ '2024-11-03 01:30:00-04'", "TIMESTAMPTZ '2024-11-03 06:30:00+00'", "'2024-11-03 12:00:00 UTC'::TIMESTAMPTZ"],
    "b": ["true", "false"],
    "uid": ["0", "10", "249", "100"],
    "t_id": ["0", "300", "600", "1197"],
    "y": ["0", "1.5", "-20", "'nan'::DOUBLE"],
    "w": ["0", "100", "255"],
    "at": ["TIMESTAMP '2024-11-03 12:00:00'", "TIMESTAMP '2024-11-02 12:13:00'"],
}  # fmt: skip
COLUMNS = {"t": ["id", "k", "n", "x", "d", "day", "ts", "tz", "b"], "u": ["uid", "t_id", "k", "y", "w", "at"]}
COLUMNS["e"] = COLUMNS["t"]
UNIQUE = {"t": "id", "u": "uid", "e": "id"}
NUMBERS = {"t": ["id", "n", "d"], "u": ["uid", "t_id", "w"], "e": ["id", "n", "d"]}
FLOATS = {"t": "x", "u": "y", "e": "x"}
ORDERS = ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]


class Select:
    """Makes statements from one source of randomness; the same seed makes the same statements."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.kinds: Sequence[Callable[[], str]] = (
            self.plain, self.plain, self.joined, self.joined, self.grouped, self.windowed, self.with_ctes, self.correlated,
            self.set_operation, self.nested_values, self.shaped,
        )  # fmt: skip

    def statement(self) -> str:
        """One statement of a random kind."""
        return self.rng.choice(self.kinds)()

    # --- parts ---

    def table(self) -> str:
        return self.rng.choices(["t", "u", "e"], [6, 4, 1])[0]

    def predicate(self, table: str, alias: str, depth: int = 2) -> str:
        """A condition over the columns of one table."""
        rng = self.rng
        if depth and rng.random() < 0.45:
            left, right = self.predicate(table, alias, depth - 1), self.predicate(table, alias, depth - 1)
            return rng.choice([f"({left} AND {right})", f"({left} OR {right})", f"NOT ({left})"])
        column = rng.choice(COLUMNS[table])
        name, literals = f"{alias}.{column}", LITERALS[column]
        some = ", ".join(rng.sample(literals, min(3, len(literals))))
        low, high = rng.choice(literals), rng.choice(literals)
        choices = [
            f"{name} {rng.choice(ORDERS)} {low}",
            f"{low} {rng.choice(['<', '>=', '='])} {name}",
            f"{name} {rng.choice(['IN', 'NOT IN'])} ({some})",
            f"{name} {rng.choice(['IS NULL', 'IS NOT NULL'])}",
            f"{name} BETWEEN {low} AND {high}",
            f"coalesce({name}, {low}) = {high}",
        ]
        if column == "k":
            choices += [
                f"{name} {rng.choice(['LIKE', 'NOT LIKE', 'ILIKE'])} {rng.choice(["'a%'", "'%b'", "'_'", "'%ü%'"])}"
            ]
            choices += [
                f"starts_with({name}, 'a')",
                f"length({name}) > 2",
                f"{name} IN ('a', NULL)",
                f"contains({name}, '%')",
            ]
        if column == "b":
            choices += [name, f"NOT {name}", f"{name} IS TRUE", f"{name} IS NOT TRUE"]
        if column in {"x", "y"}:
            choices += [f"isnan({name})", f"abs({name}) < 10", f"{name} IN ('nan'::DOUBLE, 0)"]
        return rng.choice(choices)

    def where(self, table: str, alias: str, word: str = "WHERE") -> str:
        return f" {word} {self.predicate(table, alias)}" if self.rng.random() < 0.75 else ""

    def columns(self, table: str, alias: str) -> list[str]:
        return [f"{alias}.{name}" for name in self.rng.sample(COLUMNS[table], self.rng.randint(1, 4))]

    def expression(self, table: str, alias: str) -> str:
        number, text = f"{alias}.{self.rng.choice(NUMBERS[table])}", f"{alias}.k"
        float_ = f"{alias}.{FLOATS[table]}"
        return self.rng.choice([
            f"{number}::BIGINT * 2 - 1", f"{number}::DOUBLE / 3", f"CASE WHEN {self.predicate(table, alias, 0)} THEN 1 ELSE 0 END",
            f"upper({text}) || '!'", f"coalesce({float_}, -1)", f"nullif({number}::BIGINT, 0)", f"round({float_}, 1)",
            f"try_cast({text} AS INTEGER)", f"greatest({float_}, 0)", f"left({text}, 1)", f"{number}::VARCHAR", f"hash({text}) % 7",
        ])  # fmt: skip

    def ending(self) -> str:
        """A total order with LIMIT, an order that shows nothing, or none."""
        roll = self.rng.random()
        if roll < 0.35:
            offset = f" OFFSET {self.rng.randint(0, 5)}" if self.rng.random() < 0.4 else ""
            return f" ORDER BY ALL {self.rng.choice(['', 'DESC', 'DESC NULLS LAST'])} LIMIT {self.rng.randint(0, 20)}{offset}"
        return " ORDER BY 1" if roll < 0.5 else ""

    # --- kinds of statement ---

    def plain(self) -> str:
        table = self.table()
        word = self.rng.choice(["", "", "DISTINCT "])
        outputs = self.columns(table, "a") + (
            [f"{self.expression(table, 'a')} AS e"] if self.rng.random() < 0.5 else []
        )
        if self.rng.random() < 0.15:
            outputs = [
                self.rng.choice(["*", f"* EXCLUDE ({UNIQUE[table]})", "COLUMNS('^[a-k]')", "a.*, 1 AS one"])
            ]
        return f"SELECT {word}{', '.join(outputs)} FROM {table} a{self.where(table, 'a')}{self.ending()}"

    def joined(self) -> str:
        rng = self.rng
        left, right = rng.choice([("t", "u"), ("u", "t"), ("t", "e"), ("t", "t")])
        kind = rng.choice(
            ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN"]
        )
        keys = {("t", "u"): "a.id = b.t_id", ("u", "t"): "a.t_id = b.id"}.get(
            (left, right), "a.id = b.id + 3"
        )
        condition = rng.choice(
            [keys, keys, f"{keys} AND {self.predicate(right, 'b', 1)}", "a.k = b.k", f"{keys} OR a.k = b.k"]
        )
        if rng.random() < 0.12:
            time = "SELECT a.id, b.uid FROM t a ASOF {} u b ON a.ts {} b.at{}"
            return time.format(
                rng.choice(["JOIN", "LEFT JOIN"]), rng.choice([">=", ">"]), self.where("t", "a")
            )
        if kind == "CROSS JOIN":
            both = f"(SELECT * FROM {left} ORDER BY {UNIQUE[left]} LIMIT 9) a CROSS JOIN (SELECT * FROM {right} ORDER BY {UNIQUE[right]} LIMIT 8) b"
        else:
            both = f"{left} a {kind} {right} b ON {condition}"
        outputs = self.columns(left, "a") + (
            self.columns(right, "b") if "SEMI" not in kind and "ANTI" not in kind else []
        )
        named = ", ".join(f"{column} AS c{number}" for number, column in enumerate(outputs))
        if rng.random() < 0.3:
            return f"SELECT count(*) AS n, count(a.{rng.choice(COLUMNS[left])}) AS m FROM {both}{self.where(left, 'a')}"
        return f"SELECT {named} FROM {both}{self.where(left, 'a')}{self.ending()}"

    def grouped(self) -> str:
        rng, table = self.rng, self.table()
        number, float_ = f"a.{rng.choice(NUMBERS[table])}", f"a.{FLOATS[table]}"
        keys = rng.sample(
            ["a.k", "length(a.k)", f"{number}::BIGINT % 3", f"a.{UNIQUE[table]} > 100"], rng.randint(0, 2)
        )
        aggregates = rng.sample([
            "count(*)", f"count({float_})", f"sum({number})", f"min({float_})", f"max({float_})", f"round(avg({number}), 4)",
            "count(DISTINCT a.k)", "min(a.k)", f"max({number})", f"sum({number}) FILTER (WHERE {self.predicate(table, 'a', 1)})",
            f"string_agg(a.k, ',' ORDER BY a.{UNIQUE[table]})", f"list({number} ORDER BY a.{UNIQUE[table]})", f"bool_or({number} > 0)",
            f"median({number})", f"arg_max(a.k, a.{UNIQUE[table]})", "mode(a.k IS NULL)", f"quantile_cont({number}, 0.25)",
        ], rng.randint(1, 3))  # fmt: skip
        outputs = [f"{key} AS g{i}" for i, key in enumerate(keys)] + [
            f"{item} AS v{i}" for i, item in enumerate(aggregates)
        ]
        having = " HAVING count(*) > 2" if rng.random() < 0.3 else ""
        spelled = ", ".join(keys)
        grouping = (
            f" GROUP BY {rng.choice([spelled, f'ROLLUP ({spelled})', f'CUBE ({spelled})', 'ALL'])}"
            if keys
            else ""
        )
        return f"SELECT {', '.join(outputs)} FROM {table} a{self.where(table, 'a')}{grouping}{having}{self.ending() if keys else ''}"

    def windowed(self) -> str:
        rng, table = self.rng, self.table()
        unique, number = UNIQUE[table], rng.choice(NUMBERS[table])
        partition = rng.choice(["", "PARTITION BY k ", "PARTITION BY length(k) "])
        order = f"ORDER BY {rng.choice([unique, f'{number}, {unique}', f'k DESC NULLS LAST, {unique}'])}"
        frame = rng.choice(
            [
                "",
                " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
            ]
        )
        call = rng.choice([
            f"row_number() OVER ({partition}{order})", f"rank() OVER ({partition}ORDER BY {number})", f"lag({number}) OVER ({partition}{order})",
            f"sum({number}) OVER ({partition}{order}{frame})", f"count(*) OVER ({partition}{order}{frame})", f"ntile(4) OVER ({partition}{order})",
            f"last_value({number} IGNORE NULLS) OVER ({partition}{order}{frame})", f"lead({unique}, 2, -1) OVER ({partition}{order})",
        ])  # fmt: skip
        qualify = f" QUALIFY row_number() OVER ({partition}{order}) <= 3" if rng.random() < 0.3 else ""
        return f"SELECT {unique}, {call} AS v FROM {table} a{self.where(table, 'a')}{qualify}{self.ending()}"

    def with_ctes(self) -> str:
        rng, table = self.rng, self.table()
        how = rng.choice(["", "MATERIALIZED ", "NOT MATERIALIZED "])
        name = rng.choice(
            ["c", "t", "u", '"Odd name"']
        )  # a CTE hides a table of its name, but not from itself
        body = f"SELECT k, {UNIQUE[table]} AS i FROM {table} a{self.where(table, 'a')}"
        tail = rng.choice([
            f"SELECT k, count(*) AS n FROM {name} GROUP BY k", f"SELECT p.i, q.k FROM {name} p JOIN {name} q ON p.i = q.i + 3",
            f"SELECT max(i) AS m, (SELECT count(*) FROM {name}) AS n FROM {name}", f"SELECT * FROM {name} WHERE i > 50{self.ending()}",
        ])  # fmt: skip
        return f"WITH {name} AS {how}({body}) {tail}"

    def correlated(self) -> str:
        inner = self.predicate("u", "b", 1)
        return self.rng.choice([
            f"SELECT a.id FROM t a WHERE {self.rng.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM u b WHERE b.t_id = a.id AND {inner}){self.ending()}",
            f"SELECT a.id, (SELECT count(*) FROM u b WHERE b.k = a.k AND {inner}) AS n FROM t a{self.where('t', 'a')}{self.ending()}",
            f"SELECT a.id FROM t a WHERE a.id {self.rng.choice(['', 'NOT '])}IN (SELECT b.t_id FROM u b WHERE b.t_id IS NOT NULL AND {inner}){self.ending()}",
            f"SELECT a.id FROM t a WHERE a.n > (SELECT avg(b.w) FROM u b WHERE {inner}){self.ending()}",
            f"SELECT a.id, m.uid FROM t a, LATERAL (SELECT b.uid FROM u b WHERE b.t_id = a.id ORDER BY b.uid LIMIT 1) m{self.where('t', 'a')}",
            f"SELECT a.id FROM t a WHERE a.d >= ALL (SELECT b.d FROM t b WHERE b.k = a.k AND b.d IS NOT NULL){self.ending()}",
            f"SELECT a.uid FROM u a WHERE a.w = ANY (SELECT b.n FROM t b WHERE {self.predicate('t', 'b', 1)}){self.ending()}",
        ])  # fmt: skip

    def set_operation(self) -> str:
        rng = self.rng
        word = rng.choice(
            ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "UNION ALL BY NAME"]
        )
        return f"SELECT a.k, a.id AS i FROM t a{self.where('t', 'a')} {word} SELECT b.k, b.t_id AS i FROM u b{self.where('u', 'b')}{self.ending()}"

    def nested_values(self) -> str:
        return self.rng.choice([
            f"SELECT a.id, unnest(a.l) AS v FROM t a{self.where('t', 'a')}", f"SELECT a.id, a.s.a, a.s.w FROM t a{self.where('t', 'a')}{self.ending()}",
            f"SELECT a.l, len(a.l) AS n, a.l[1] AS f FROM t a{self.where('t', 'a')}", f"SELECT a.id FROM t a WHERE list_contains(a.l, {self.rng.randint(0, 9)})",
            f"SELECT list_transform(a.l, lambda v: v * 2) AS m FROM t a{self.where('t', 'a')}", "SELECT s.a AS g, count(*) AS n FROM t GROUP BY s.a",
            f"SELECT a.s FROM t a WHERE a.s.a = {self.rng.randint(0, 6)} OR a.s IS NULL", "SELECT v, count(*) AS n FROM (SELECT unnest(l) AS v FROM t) GROUP BY v",
        ])  # fmt: skip

    def shaped(self) -> str:
        first, second = self.rng.sample(["'a'", "'b'", "'ab'", "'zürich'"], 2)
        return self.rng.choice([
            f"FROM (SELECT k, b, id FROM t) PIVOT (count(id) FOR k IN ({first}, {second}) GROUP BY b)",
            "FROM (SELECT id, n::BIGINT AS n, d::BIGINT AS d FROM t) UNPIVOT (v FOR name IN (n, d))",
            f"SELECT time_bucket(INTERVAL '6 hours', tz) AS g, count(*) AS n FROM t a{self.where('t', 'a')} GROUP BY 1",
            f"SELECT date_trunc('day', tz) AS g, extract(hour FROM tz) AS h, count(*) AS n FROM t a{self.where('t', 'a')} GROUP BY ALL",
            f"SELECT DISTINCT ON (k) k, id FROM t a{self.where('t', 'a')} ORDER BY k, id",
            f"WITH RECURSIVE r(i, depth) AS (SELECT min(id), 0 FROM t UNION ALL SELECT t.id, depth + 1 FROM r JOIN t ON t.id = r.i + 3 WHERE depth < {self.rng.randint(1, 9)}) SELECT * FROM r",
            f"SELECT v.i, a.k FROM (VALUES (3), (6), (NULL), (7)) v(i) JOIN t a ON a.id = v.i{self.where('t', 'a')}",
            "SELECT /* from u; */ 'select t; from u' AS text, \"T\".\"K\" FROM T -- from nothing\n WHERE ID < 30",
            "SELECT count(*) AS n, min(tz) AS lo, max(tz AT TIME ZONE 'UTC') AS hi FROM t",
        ])  # fmt: skip
