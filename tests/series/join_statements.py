"""Random statements with an ASOF JOIN that DuckDB runs itself, over the tables of `TABLES`."""

from __future__ import annotations

import random

TABLES = (
    "CREATE TABLE t (k VARCHAR, ts TIMESTAMP, x DOUBLE)",
    "CREATE TABLE q (k VARCHAR, ts TIMESTAMP, bid DOUBLE)",
    "INSERT INTO t SELECT chr(97 + (i * 7 % 5)::INT), TIMESTAMP '2026-01-01' + INTERVAL ((i * 37) % 1000) MINUTE, i FROM range(300) r(i)",
    "INSERT INTO q SELECT chr(97 + (i * 3 % 5)::INT), TIMESTAMP '2026-01-01' + INTERVAL ((i * 61) % 1001) MINUTE, i * 10 FROM range(400) r(i)",
)
"""No two rows of q have equal keys and times, so that DuckDB's own answer is determined."""
_WITH = (
    "WITH c AS (FROM t), d AS (SELECT * FROM q WHERE bid < 3500),"
    " g AS (SELECT k AS gk, max(x) AS m FROM t GROUP BY k) "
)
_TURNED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}


def statement(chance: random.Random) -> str:
    """One statement."""
    one, two = chance.choice([("t", "q"), ("a", "b"), ("L", '"R r"')])
    left = _item(chance, one, ["t", "t", "(SELECT * FROM t)", "(FROM t WHERE x > 20)", "c"])
    right = _item(chance, two, ["q", "q", "(SELECT * FROM q WHERE bid > 100)", "d"])
    join = f"{left} ASOF {chance.choice(['', 'LEFT ', 'INNER '])}JOIN {right} {_condition(chance, one, two)}"
    more = ["", "", "", "", f" JOIN g ON g.gk = {one}.k", f" LEFT JOIN g ON g.gk = {two}.k AND g.m > {one}.x", ", g",
            f" RIGHT JOIN g ON g.gk = {one}.k"]  # fmt: skip
    wheres = [
        f"{one}.x > 50", f"{one}.k IN ('a', 'b')", f"{two}.bid > 300", f"{two}.k <> 'c'", "x < 250", "bid IS NOT NULL",
        f"{one}.ts > '2026-01-01 04:00'", f"{one}.x > {two}.bid / 20", f"({one}.k = 'a' OR {two}.k = 'b')",
        f"EXISTS (SELECT 1 FROM q z WHERE z.k = {two}.k AND z.bid > 3000)",
    ]  # fmt: skip
    said = chance.sample(wheres, chance.choice([0, 0, 1, 2]))
    where = f" WHERE {' AND '.join(said)}" if said else ""
    body = f"FROM {join}{chance.choice(more)}{where}"
    text = body if not said and chance.random() < 0.1 else f"SELECT {chance.choice(_items(one, two))} {body}"
    if chance.random() < 0.2:
        text = f"SELECT * FROM ({text})"
    return _WITH + (f"{text} UNION ALL {text}" if chance.random() < 0.15 else text)


def _item(chance: random.Random, alias: str, relations: list[str]) -> str:
    relation = chance.choice(relations)
    return relation if relation == alias else f"{relation} {chance.choice(['', 'AS '])}{alias}"


def _condition(chance: random.Random, one: str, two: str) -> str:
    keyed = chance.random() < 0.8
    if chance.random() < 0.5:
        return f"USING ({'k, ' * keyed}ts)"
    sign = chance.choice(list(_TURNED))
    parts = [chance.choice([f"{one}.ts {sign} {two}.ts", f"{two}.ts {_TURNED[sign]} {one}.ts"])]
    if keyed:
        parts.append(chance.choice([f"{one}.k = {two}.k", f"{two}.k = {one}.k", f"lower({one}.k) = {two}.k"]))
    chance.shuffle(parts)
    written = " AND ".join(parts)
    return f"ON ({written})" if chance.random() < 0.2 else f"ON {written}"


def _items(one: str, two: str) -> list[str]:
    return [
        "*", f"{one}.*", f"{two}.*", f"{one}.x, {two}.bid", f"{two}.k, {two}.ts, {one}.ts", f"*, {one}.x + {two}.bid AS s",
        f"{two}.ts - {one}.ts, {two}.bid", f"count({two}.k), max({two}.ts)", "* EXCLUDE (x)", "* REPLACE (x + 1 AS x)",
        f"DISTINCT {two}.k", f"{two}.*, {one}.k AS z", f"{one}.k, (SELECT count(*) FROM q z WHERE z.k = {two}.k)",
        f"row_number() OVER (ORDER BY {one}.x, {two}.bid), {two}.k",
    ]  # fmt: skip
