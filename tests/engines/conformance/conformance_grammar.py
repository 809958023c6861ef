"""Random SELECT statements for Hypothesis: what a cluster has to put together, over tables that NULLs, NaN and skew make hard.

Every statement has one answer: an order that a limit cuts is an order of whole rows.
"""

from __future__ import annotations

from hypothesis import strategies as st

COLUMNS = ("id", "k", "g", "x", "d", "t", "b")
VALUES = {
    "id": ["0", "40", "55.5"], "k": ["3", "-1", "NULL", "2.5"], "g": ["'a'", "''", "'é'"], "x": ["0", "2.5", "'nan'::DOUBLE"],
    "d": ["0", "1.25", "-3"], "t": ["DATE '1970-01-01'", "'1969-12-30'"], "b": ["true"],
}  # fmt: skip
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")
AGGREGATES = (
    "count(*)", "count({a}.x)", "sum({a}.k)", "sum({a}.d)", "sum({a}.x)", "avg({a}.k)", "avg({a}.d)", "min({a}.x)", "max({a}.g)", "max({a}.t)",
    "count(DISTINCT {a}.g)", "sum(DISTINCT {a}.k)", "bool_or({a}.b)", "var_pop({a}.k)", "median({a}.k)", "quantile_disc({a}.d, 0.5)", "min({a}.d)",
    "string_agg({a}.g, '|' ORDER BY {a}.id)", "list({a}.k ORDER BY {a}.id)", "arg_max({a}.g, {a}.id)", "count(*) FILTER (WHERE {a}.k > 1)",
    "sum({a}.k) FILTER (WHERE {a}.b)", "first({a}.t ORDER BY {a}.id DESC)", "count_if({a}.x > 0)", "bit_xor({a}.k)",
)  # fmt: skip
SCALARS = (
    "{a}.k + 1", "{a}.k * {a}.d", "{a}.x / 2", "coalesce({a}.g, 'none')", "CASE WHEN {a}.k > 2 THEN {a}.g ELSE 'low' END", "{a}.t + 1",
    "length({a}.g)", "{a}.d::DECIMAL(9, 1)", "abs({a}.x)", "{a}.k IS NULL", "upper({a}.g) || '!'", "month({a}.t)", "{a}.k % 3", "nullif({a}.k, 3)",
)  # fmt: skip
WINDOWS = (
    "row_number() OVER (PARTITION BY {a}.g ORDER BY {a}.id)", "rank() OVER (ORDER BY {a}.k)", "sum({a}.k) OVER (PARTITION BY {a}.g ORDER BY {a}.id)",
    "lag({a}.t) OVER (PARTITION BY {a}.k ORDER BY {a}.id)", "count(*) OVER (PARTITION BY {a}.k, {a}.b)", "max({a}.d) OVER (PARTITION BY {a}.g)",
    "sum({a}.k) OVER (ORDER BY {a}.id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)", "ntile(3) OVER (PARTITION BY {a}.b ORDER BY {a}.id)",
)  # fmt: skip


@st.composite
def predicates(draw: st.DrawFn, alias: str, other: str, depth: int = 2) -> str:
    """A condition over a table's columns; `other` is a table that subqueries read."""
    column = draw(st.sampled_from(COLUMNS))
    value = draw(st.sampled_from(VALUES[column]))
    choices = [
        f"{alias}.{column} {draw(st.sampled_from(['=', '<>', '<', '>=']))} {value}",
        f"{alias}.{column} IS NOT NULL",
        f"{alias}.{column} IS DISTINCT FROM {value}",
        f"{alias}.k IN (1, 3, NULL)",
        f"{alias}.k NOT IN (SELECT z.k FROM {other} z WHERE z.k IS NOT NULL AND z.k < 2)",
        f"EXISTS (SELECT 1 FROM {other} z WHERE z.k = {alias}.k AND z.id > 20)",
        f"{alias}.g IN (SELECT z.g FROM {other} z)",
        f"{alias}.k > (SELECT min(z.k) FROM {other} z)",
        f"{alias}.k BETWEEN 0 AND 4",
        f"{alias}.g LIKE '%a%'",
    ]
    made = draw(st.sampled_from(choices))
    if depth and draw(st.integers(0, 3)) == 0:
        joined = draw(st.sampled_from(["AND", "OR", "AND NOT"]))
        made = f"({made} {joined} {draw(predicates(alias, other, depth - 1))})"
    return made


@st.composite
def sources(draw: st.DrawFn, world: int) -> tuple[str, list[str]]:
    """FROM and the aliases whose columns can be read."""
    r, s = f"r{world}", f"s{world}"
    kind = draw(st.sampled_from(["table", "table", "join", "join", "subquery", "union"]))
    if kind == "join":
        word = draw(st.sampled_from(JOINS))
        key = draw(
            st.sampled_from(
                [
                    "a.k = c.k",
                    "a.g = c.g",
                    "a.t = c.t AND a.b = c.b",
                    "a.k = c.d",
                    "a.x = c.x",
                    "a.k IS NOT DISTINCT FROM c.k",
                ]
            )
        )
        if draw(st.booleans()):
            key = f"{key} AND a.id > c.id"
        left, right = (r, s) if draw(st.integers(0, 3)) else (s, r)
        return f"{left} a {word} {right} c ON {key}", ["a"] if word in ("SEMI JOIN", "ANTI JOIN") else [
            "a",
            "c",
        ]
    if kind == "subquery":
        return (
            f"(SELECT * FROM {r} z WHERE {draw(predicates('z', s))} ORDER BY z.id LIMIT {draw(st.integers(0, 30))}) a",
            ["a"],
        )
    if kind == "union":
        word = draw(st.sampled_from(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]))
        return f"(SELECT * FROM {r} {word} SELECT * FROM {s}) a", ["a"]
    return f"{draw(st.sampled_from([r, r, s]))} a", ["a"]  # fmt: skip


@st.composite
def statements(draw: st.DrawFn) -> str:
    """A whole statement over the tables of one world."""
    world = draw(st.sampled_from([0, 0, 1, 2]))
    source, aliases = draw(sources(world))
    other = f"s{world}"
    where = f" WHERE {draw(predicates('a', other))}" if draw(st.booleans()) else ""
    shape = draw(st.sampled_from(["plain", "grouped", "grouped", "distinct", "window", "common"]))
    if shape == "common":
        grouped = f"SELECT a.g, count(*) AS n, max(a.id) AS top FROM {source + where} GROUP BY a.g"
        return f"WITH c AS ({grouped}) SELECT p.g, p.n, q.top FROM c p JOIN c q ON p.n = q.n WHERE p.top >= (SELECT min(top) FROM c)"
    if shape == "grouped":
        keys = draw(
            st.lists(st.sampled_from(["a.k", "a.g", "a.b", "a.t", "a.k % 2"]), max_size=2, unique=True)
        )
        calls = draw(st.lists(st.sampled_from(AGGREGATES), min_size=1, max_size=3, unique=True))
        if "DISTINCT" in source or len(aliases) > 1:  # rows are not told apart by one side's id
            calls = [call for call in calls if "ORDER BY" not in call and "arg_max" not in call] or [
                "count(*)"
            ]
        listed = [f"{key} AS k{i}" for i, key in enumerate(keys)]
        listed += [f"{call.format(a=draw(st.sampled_from(aliases)))} AS v{i}" for i, call in enumerate(calls)]
        grouping = ""
        if keys:
            spelled = ", ".join(keys)
            grouping = f" GROUP BY {draw(st.sampled_from([spelled, spelled, f'ROLLUP ({spelled})']))}"
            grouping += draw(st.sampled_from(["", "", " HAVING count(*) > 1"]))
        return f"SELECT {', '.join(listed)} FROM {source}{where}{grouping}"
    if shape == "window" and aliases == ["a"] and "UNION" not in source:
        call = draw(st.sampled_from(WINDOWS)).format(a="a")
        return f"SELECT a.id, {call} AS v FROM {source}{where}"
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True))
    listed = [f"{draw(st.sampled_from(aliases))}.{name} AS c{i}" for i, name in enumerate(columns)]
    listed += [
        f"{call.format(a='a')} AS e{i}"
        for i, call in enumerate(draw(st.lists(st.sampled_from(SCALARS), max_size=2)))
    ]
    word = "DISTINCT " if shape == "distinct" else ""
    tail = draw(
        st.sampled_from(
            ["", "", " ORDER BY ALL NULLS LAST LIMIT 7", " ORDER BY ALL DESC NULLS FIRST LIMIT 5 OFFSET 3"]
        )
    )
    return f"SELECT {word}{', '.join(listed)} FROM {source}{where}{tail}"  # fmt: skip
