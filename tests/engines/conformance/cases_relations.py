"""Whole statements over tables: joins, set operations, order, windows, subqueries, grouping sets. DuckDB answers over the same data."""

from __future__ import annotations

from typing import Any

from conformance_cases import SUMS, Question, Questions

_KINDS = {
    "inner": "JOIN",
    "left": "LEFT JOIN",
    "right": "RIGHT JOIN",
    "full": "FULL JOIN",
    "semi": "SEMI JOIN",
    "anti": "ANTI JOIN",
}


def _columns(kind: str) -> str:
    return "a.id" if kind in ("semi", "anti") else "a.id, b.id AS other, b.w"


JOINS = Questions(
    "joins",
    [
        *(
            Question(
                f"{kind} on text with NULL keys",
                f"SELECT {_columns(kind)} FROM facts a {words} dims b ON a.g = b.g",
            )
            for kind, words in _KINDS.items()
        ),
        *(
            Question(
                f"{kind} on floats with NaN and -0.0",
                f"SELECT {_columns(kind)} FROM facts a {words} dims b ON a.f = b.x",
            )
            for kind, words in _KINDS.items()
        ),
        *(
            Question(
                f"{kind} on two keys and a condition",
                f"SELECT {_columns(kind)} FROM facts a {words} dims b ON a.g = b.g AND a.k = b.k AND a.x < b.w",
            )
            for kind, words in _KINDS.items()
        ),
        *(
            Question(
                f"{kind} without rows on one side",
                f"SELECT {_columns(kind).replace('b.w', 'b.k')} FROM facts a {words} empty b ON a.g = b.g",
            )
            for kind, words in _KINDS.items()
        ),
        *(
            Question(
                f"{kind} by a condition alone",
                f"SELECT {_columns(kind)} FROM dims a {words} dims b ON a.k < b.k AND a.w <> b.w",
            )
            for kind, words in list(_KINDS.items())[:4]
        ),
        Question("int with bigint keys", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.k = b.big"),
        Question("bigint keys beyond 2^53", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.j = b.big"),
        Question("int with decimal keys", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.k = b.dec"),
        Question("int with float keys", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.k = b.x"),
        Question(
            "bigint with float keys", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.j = b.x + 1"
        ),
        Question("date keys", "SELECT a.id, b.id AS o FROM facts a LEFT JOIN dims b ON a.day = b.day"),
        Question(
            "date with timestamp keys",
            "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.day = b.day::TIMESTAMP",
        ),
        Question(
            "text that reads as a number",
            "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.k::VARCHAR = b.k::VARCHAR",
        ),
        Question(
            "expressions as keys", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.k + 1 = b.k * 2"
        ),
        Question(
            "NULL-safe keys",
            "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.g IS NOT DISTINCT FROM b.g",
        ),
        Question(
            "NULL-safe keys, left",
            "SELECT a.id, b.id AS o FROM facts a LEFT JOIN dims b ON a.k IS NOT DISTINCT FROM b.k AND b.w > 20",
        ),
        Question("keys of lists", "SELECT a.id, b.id AS o FROM facts a JOIN facts b ON a.l = b.l AND a.id + 50 < b.id"),
        Question("keys of structs", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON {'g': a.g, 'k': a.k} = {'g': b.g, 'k': b.k}"),
        Question("USING", "SELECT g, a.k, b.w FROM facts a JOIN dims b USING (g)"),
        Question("USING of a full join", "SELECT g, a.id, b.id AS o FROM facts a FULL JOIN dims b USING (g)"),
        Question("NATURAL", "SELECT count(*) AS n FROM (SELECT g, k FROM facts) NATURAL JOIN (SELECT g, k, w FROM dims)"),
        Question("cross", "SELECT a.id, b.id AS o FROM dims a CROSS JOIN dims b WHERE a.w > 20"),
        Question("comma and WHERE", "SELECT a.id, b.w FROM facts a, dims b WHERE a.g = b.g AND b.w > 15 AND a.k IS NOT NULL"),
        Question("with OR", "SELECT a.id, b.id AS o FROM facts a JOIN dims b ON a.g = b.g OR a.k = b.k"),
        Question("with itself", "SELECT a.id, b.id AS o FROM facts a JOIN facts b ON a.id + 1 = b.id AND a.g = b.g"),
        Question(
            "of three tables",
            "SELECT a.id, b.w, c.w AS v FROM facts a LEFT JOIN dims b ON a.g = b.g JOIN dims c ON c.k = a.k WHERE c.w IS NOT NULL",
        ),
        Question(
            "left join, then a condition that drops NULLs",
            "SELECT a.id, b.w FROM facts a LEFT JOIN dims b ON a.g = b.g WHERE b.w > 10",
        ),
        Question("left join, rows without partner", "SELECT a.id FROM facts a LEFT JOIN dims b ON a.g = b.g WHERE b.id IS NULL"),
        Question("condition of one side only", "SELECT a.id, b.id AS o FROM facts a LEFT JOIN dims b ON a.g = b.g AND a.k > 2"),
        Question("condition that never holds", "SELECT a.id, b.id AS o FROM facts a FULL JOIN dims b ON a.g = b.g AND false"),
        Question("aggregated after joining", "SELECT b.w, count(*) AS n, sum(a.k) AS s FROM facts a JOIN dims b USING (g) GROUP BY b.w"),
        Question("against an aggregate", "SELECT a.id, m.n FROM facts a JOIN (SELECT g, count(*) AS n FROM facts GROUP BY g) m ON a.g = m.g"),
        Question("LATERAL", "SELECT a.id, m.top FROM dims a, LATERAL (SELECT max(b.x) AS top FROM facts b WHERE b.g = a.g) m"),
        Question("POSITIONAL", "SELECT a.id, b.id AS o FROM dims a POSITIONAL JOIN dims b"),
        Question("both sides without rows", "SELECT a.id, b.id AS o FROM empty a FULL JOIN empty b ON a.k = b.k"),
    ],
)  # fmt: skip

SETS = Questions(
    "set operations",
    [
        *(
            Question(f"{word} of rows with NULLs", f"SELECT g, k FROM facts {word} SELECT g, k FROM dims")
            for word in ("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")
        ),
        *(
            Question(f"{word} of floats", f"SELECT f FROM facts {word} SELECT x FROM dims")
            for word in ("UNION ALL", "INTERSECT", "EXCEPT")
        ),
        Question("of different types", "SELECT k FROM facts UNION SELECT dec FROM dims"),
        Question("of number and text", "SELECT k FROM facts WHERE k < 2 UNION ALL SELECT s FROM facts WHERE s = 'a'"),
        Question("BY NAME", "SELECT id, k FROM dims UNION ALL BY NAME SELECT w, id FROM dims"),
        Question("with order and limit", "SELECT k FROM facts UNION SELECT k FROM dims ORDER BY k NULLS FIRST LIMIT 4", ordered=True),
        Question("of three", "SELECT k FROM facts EXCEPT SELECT k FROM dims UNION ALL SELECT 99"),
        Question("nested", "(SELECT k FROM facts UNION SELECT w FROM dims) INTERSECT (SELECT k FROM dims UNION SELECT 20)"),
        Question("with no rows", "SELECT k FROM empty UNION ALL SELECT k FROM empty"),
        Question("counted", "SELECT count(*) AS n, sum(k) AS s FROM (SELECT k FROM facts UNION ALL SELECT w FROM dims)"),
        Question("DISTINCT", "SELECT DISTINCT g, b FROM facts"),
        Question("DISTINCT of floats", "SELECT count(*) AS n FROM (SELECT DISTINCT f FROM facts)"),
        Question("DISTINCT of nested values", "SELECT DISTINCT l, {'k': k} AS st FROM facts"),
        Question("DISTINCT ON", "SELECT DISTINCT ON (g) g, id FROM facts ORDER BY g, id", ordered=True),
    ],
)  # fmt: skip

ORDER = Questions(
    "order, limits, offsets",
    [
        *(
            Question(
                f"{column} {way} NULLS {nulls}",
                f"SELECT id, {column} FROM facts ORDER BY {column} {way} NULLS {nulls}, id",
                ordered=True,
            )
            for column, way, nulls in [
                ("k", "ASC", "FIRST"),
                ("k", "DESC", "LAST"),
                ("f", "ASC", "LAST"),
                ("f", "DESC", "FIRST"),
                ("s", "ASC", "FIRST"),
                ("s", "DESC", "LAST"),
                ("d", "DESC", "LAST"),
                ("day", "ASC", "LAST"),
                ("tz", "DESC", "FIRST"),
                ("b", "ASC", "FIRST"),
                ("j", "DESC", "LAST"),
                ("l", "ASC", "LAST"),
            ]
        ),
        Question("defaults of NULLs", "SELECT id FROM facts ORDER BY k, s DESC, id", ordered=True),
        Question("several keys", "SELECT id FROM facts ORDER BY b DESC NULLS LAST, g NULLS FIRST, x DESC NULLS LAST, id", ordered=True),
        Question("by an expression", "SELECT id FROM facts ORDER BY abs(x) DESC NULLS LAST, -id", ordered=True),
        Question("by a column that is not selected", "SELECT g FROM facts ORDER BY id DESC LIMIT 7", ordered=True),
        Question("by a number", "SELECT k, id FROM facts ORDER BY 1 NULLS FIRST, 2 DESC LIMIT 9", ordered=True),
        Question("by all", "SELECT k, b, id FROM facts ORDER BY ALL DESC NULLS LAST LIMIT 9", ordered=True),
        Question("limit", "SELECT id FROM facts ORDER BY x DESC NULLS LAST, id LIMIT 5", ordered=True),
        Question("limit of ties by a unique key", "SELECT id, k FROM facts ORDER BY k NULLS LAST, id LIMIT 30", ordered=True),
        Question("offset", "SELECT id FROM facts ORDER BY id OFFSET 110", ordered=True),
        Question("limit and offset", "SELECT id FROM facts ORDER BY s NULLS FIRST, id LIMIT 10 OFFSET 25", ordered=True),
        Question("offset past the end", "SELECT id FROM facts ORDER BY id LIMIT 5 OFFSET 500", ordered=True),
        Question("limit 0", "SELECT id, x FROM facts ORDER BY x LIMIT 0", ordered=True),
        Question("limit beyond the end", "SELECT id FROM dims ORDER BY id LIMIT 100", ordered=True),
        Question("limit without order", "SELECT count(*) AS n FROM (SELECT id FROM facts LIMIT 17)"),
        Question("limit in percent", "SELECT id FROM facts ORDER BY id LIMIT 5%", ordered=True),
        Question("limit in a subquery", "SELECT sum(id) AS s FROM (SELECT id FROM facts ORDER BY id DESC LIMIT 10)"),
        Question("limit by a subquery", "SELECT id FROM facts ORDER BY id LIMIT (SELECT max(k) FROM facts)", ordered=True),
        Question("limit after grouping", "SELECT g, count(*) AS n FROM facts GROUP BY g ORDER BY n DESC, g LIMIT 3", ordered=True),
        Question("no rows", "SELECT * FROM empty ORDER BY id LIMIT 3", ordered=True),
        Question("with a collation", "SELECT s, id FROM facts ORDER BY s COLLATE NOCASE NULLS LAST, id", ordered=True),
    ],
)  # fmt: skip

_FRAMES = {
    "rows before": "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "rows around": "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "rows behind": "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
    "all rows": "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "rows to the end": "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "a range of values": "RANGE BETWEEN 20 PRECEDING AND 20 FOLLOWING",
    "groups": "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
    "all but the row": "ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW",
}
_CALLS = [
    "row_number() OVER (PARTITION BY g ORDER BY id)", "rank() OVER (PARTITION BY g ORDER BY k)", "dense_rank() OVER (ORDER BY k NULLS FIRST)",
    "percent_rank() OVER (PARTITION BY b ORDER BY k)", "cume_dist() OVER (ORDER BY k)", "ntile(4) OVER (PARTITION BY g ORDER BY id)",
    "lag(x) OVER (PARTITION BY g ORDER BY id)", "lead(s, 2, 'none') OVER (ORDER BY id)", "first_value(k) OVER (PARTITION BY g ORDER BY id)",
    "last_value(k) OVER (PARTITION BY g ORDER BY id)", "nth_value(s, 2) OVER (PARTITION BY g ORDER BY id)",
    "last_value(k IGNORE NULLS) OVER (ORDER BY id)", "count(*) OVER (PARTITION BY g)", "sum(k) OVER (PARTITION BY g ORDER BY id)",
    "max(x) OVER (PARTITION BY k, b)", "count(DISTINCT k) OVER (PARTITION BY g)", "sum(k) FILTER (WHERE b) OVER (PARTITION BY g ORDER BY id)",
    "list(k) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "median(k) OVER (PARTITION BY g)", "min(f) OVER (PARTITION BY b) + 1",
    "sum(k) OVER (PARTITION BY f ORDER BY id)", "first_value(s ORDER BY s DESC NULLS LAST) OVER (PARTITION BY g)",
]  # fmt: skip
WINDOWS = Questions(
    "window functions",
    [
        *(Question(call, f"SELECT id, {call} AS v FROM facts") for call in _CALLS),
        *(
            Question(f"frame of {name}", f"SELECT id, count(k) OVER (PARTITION BY b ORDER BY id {frame}) AS n, sum(k) OVER (PARTITION BY b ORDER BY id {frame}) AS s FROM facts")
            for name, frame in _FRAMES.items()
        ),
        Question("frame of floats", "SELECT id, sum(x) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS v FROM facts", tolerance=SUMS),
        Question("frame of times", "SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS n FROM facts WHERE ts IS NOT NULL"),
        Question("without rows", "SELECT id, row_number() OVER (ORDER BY id) AS n FROM empty"),
        Question("of an aggregate", "SELECT g, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) AS r, sum(count(*)) OVER () AS t FROM facts GROUP BY g"),
        Question("QUALIFY", "SELECT id, g FROM facts QUALIFY row_number() OVER (PARTITION BY g ORDER BY x DESC NULLS LAST, id) <= 2"),
        Question("QUALIFY by name", "SELECT id, g, rank() OVER (PARTITION BY g ORDER BY k) AS r FROM facts WHERE k IS NOT NULL QUALIFY r = 1"),
        Question("WINDOW clause", "SELECT id, sum(k) OVER w AS s, count(*) OVER w AS n FROM facts WINDOW w AS (PARTITION BY g ORDER BY id)"),
        Question("in a condition of a subquery", "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM facts) WHERE r % 10 = 0"),
        Question("of a window", "SELECT id, sum(r) OVER (ORDER BY id) AS s FROM (SELECT id, rank() OVER (ORDER BY k NULLS LAST) AS r FROM facts)"),
        Question("three of different partitions", "SELECT id, row_number() OVER (PARTITION BY g ORDER BY id) AS a, row_number() OVER (PARTITION BY k ORDER BY id) AS b, row_number() OVER (ORDER BY id) AS c FROM facts"),
    ],
)  # fmt: skip

SUBQUERIES = Questions(
    "subqueries",
    [
        Question("scalar", "SELECT id, (SELECT max(w) FROM dims) AS m FROM dims"),
        Question("scalar of no rows", "SELECT id, (SELECT w FROM dims WHERE id = 99) AS m FROM dims"),
        Question("scalar in a condition", "SELECT id FROM facts WHERE x > (SELECT avg(x) FROM facts)"),
        Question("scalar of two rows", "SELECT id, (SELECT w FROM dims) AS m FROM dims", fails="one row"),
        Question("scalar, correlated", "SELECT a.id, (SELECT count(*) FROM dims b WHERE b.g = a.g) AS n FROM facts a"),
        Question("scalar, correlated, sum", "SELECT a.id, (SELECT sum(b.w) FROM dims b WHERE b.k = a.k) AS n FROM facts a"),
        Question("scalar, correlated, count in arithmetic", "SELECT a.id, 1 + (SELECT count(b.w) FROM dims b WHERE b.k > a.k) AS n FROM dims a"),
        Question("correlated by an inequality", "SELECT a.id, (SELECT max(b.id) FROM facts b WHERE b.id < a.id AND b.g = a.g) AS before FROM facts a"),
        Question("correlated two rows", "SELECT a.id, (SELECT b.w FROM dims b WHERE b.g = a.g) AS n FROM facts a", fails="one row"),
        Question("EXISTS", "SELECT a.id FROM facts a WHERE EXISTS (SELECT 1 FROM dims b WHERE b.g = a.g AND b.w > 15)"),
        Question("NOT EXISTS", "SELECT a.id FROM facts a WHERE NOT EXISTS (SELECT 1 FROM dims b WHERE b.g = a.g)"),
        Question("EXISTS as a value", "SELECT a.id, EXISTS (SELECT 1 FROM dims b WHERE b.k = a.k) AS e FROM facts a"),
        Question("EXISTS or a condition", "SELECT a.id FROM facts a WHERE a.k = 3 OR EXISTS (SELECT 1 FROM dims b WHERE b.g = a.g AND b.w < 20)"),
        Question("EXISTS, uncorrelated", "SELECT id FROM dims WHERE EXISTS (SELECT 1 FROM empty)"),
        Question("IN", "SELECT id FROM facts WHERE g IN (SELECT g FROM dims)"),
        Question("IN as a value", "SELECT id, k IN (SELECT k FROM dims) AS e FROM facts"),
        Question("IN as a value, no NULLs", "SELECT id, k IN (SELECT k FROM dims WHERE k IS NOT NULL) AS e FROM facts"),
        Question("NOT IN with NULLs", "SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims)"),
        Question("NOT IN without NULLs", "SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims WHERE k IS NOT NULL)"),
        Question("NOT IN of no rows", "SELECT id FROM facts WHERE k NOT IN (SELECT k FROM empty)"),
        Question("NOT IN, correlated", "SELECT a.id FROM facts a WHERE a.k NOT IN (SELECT b.k FROM dims b WHERE b.g = a.g)"),
        Question("IN of two columns", "SELECT id FROM facts WHERE (g, k) IN (SELECT g, k FROM dims)"),
        Question("IN of different types", "SELECT id FROM facts WHERE k IN (SELECT dec FROM dims)"),
        Question("IN of floats", "SELECT id FROM facts WHERE f IN (SELECT x FROM dims)"),
        Question("= ANY", "SELECT id FROM facts WHERE k = ANY (SELECT k FROM dims)"),
        Question("> ALL", "SELECT id FROM facts WHERE k > ALL (SELECT k FROM dims WHERE k < 2)"),
        Question("> ALL of NULLs", "SELECT id FROM facts WHERE k > ALL (SELECT k FROM dims)"),
        Question("in HAVING", "SELECT g, count(*) AS n FROM facts GROUP BY g HAVING count(*) > (SELECT count(*) FROM dims)"),
        Question("in ORDER BY", "SELECT a.id FROM dims a ORDER BY (SELECT count(*) FROM facts b WHERE b.g = a.g) DESC, a.id", ordered=True),
        Question("in CASE", "SELECT id, CASE WHEN k IN (SELECT k FROM dims) THEN 'yes' ELSE 'no' END AS v FROM facts"),
        Question("nested correlation", "SELECT a.id FROM dims a WHERE EXISTS (SELECT 1 FROM facts b WHERE b.g = a.g AND b.x > (SELECT avg(c.x) FROM facts c WHERE c.g = b.g))"),
        Question("correlated limit", "SELECT a.id, (SELECT b.id FROM facts b WHERE b.g = a.g ORDER BY b.x DESC NULLS LAST, b.id LIMIT 1) AS top FROM dims a"),
        Question("array of a subquery", "SELECT id, ARRAY(SELECT b.id FROM dims b WHERE b.k = a.k ORDER BY b.id) AS l FROM dims a"),
    ],
)  # fmt: skip

GROUPING = Questions(
    "grouping, HAVING and common tables",
    [
        Question("by NULL, NaN and -0.0", "SELECT f + 1 AS f1, count(*) AS n FROM facts GROUP BY f"),
        Question("by an expression", "SELECT k % 2 AS odd, count(*) AS n FROM facts GROUP BY k % 2"),
        Question("by an alias", "SELECT upper(s) AS up, count(*) AS n FROM facts GROUP BY up"),
        Question("by lists", "SELECT l, count(*) AS n FROM facts GROUP BY l"),
        Question("by a struct", "SELECT {'g': g, 'b': b} AS st, count(*) AS n FROM facts GROUP BY st"),
        Question("by ALL", "SELECT g, b, count(*) AS n, sum(k) AS s FROM facts GROUP BY ALL"),
        Question("by a decimal", "SELECT d, count(*) AS n FROM facts GROUP BY d"),
        Question("by a day in a zone", "SELECT date_trunc('day', tz) AS day, count(*) AS n FROM facts GROUP BY ALL"),
        Question("of no rows", "SELECT g, sum(k) AS s FROM empty GROUP BY g"),
        Question("of no rows, no keys", "SELECT count(*) AS n, sum(k) AS s, max(x) AS m, list(k) AS l FROM empty"),
        Question("keys without aggregates", "SELECT g, k FROM facts GROUP BY g, k"),
        Question("HAVING", "SELECT g, sum(k) AS s FROM facts GROUP BY g HAVING sum(k) > 20 AND count(*) > 3"),
        Question("HAVING without groups", "SELECT sum(k) AS s FROM facts HAVING count(*) > 1000"),
        Question("GROUPING SETS", "SELECT g, b, count(*) AS n, GROUPING(g, b) AS which FROM facts GROUP BY GROUPING SETS ((g, b), (g), ())"),
        Question("ROLLUP", "SELECT g, k, sum(u) AS s FROM facts GROUP BY ROLLUP (g, k)"),
        Question("CUBE", "SELECT b, k, count(*) AS n, count(DISTINCT g) AS m FROM facts GROUP BY CUBE (b, k)"),
        Question("ROLLUP of no rows", "SELECT g, count(*) AS n FROM empty GROUP BY ROLLUP (g)"),
        Question("an aggregate of an aggregate", "SELECT max(n) AS m, count(*) AS c FROM (SELECT g, count(*) AS n FROM facts GROUP BY g)"),
        Question("distinct in two columns", "SELECT count(DISTINCT g) AS a, count(DISTINCT k) AS b, count(*) AS n FROM facts"),
        Question("a common table", "WITH c AS (SELECT g, sum(k) AS s FROM facts GROUP BY g) SELECT * FROM c WHERE s > 5"),
        Question("a common table twice", "WITH c AS (SELECT g, sum(k) AS s FROM facts GROUP BY g) SELECT a.g, b.s FROM c a JOIN c b ON a.s = b.s AND a.g = b.g"),
        Question("a common table and its maximum", "WITH c AS (SELECT g, count(*) AS n FROM facts GROUP BY g) SELECT g, n FROM c WHERE n = (SELECT max(n) FROM c)"),
        Question("common tables of each other", "WITH a AS (SELECT id, k FROM facts WHERE b), c AS (SELECT k, count(*) AS n FROM a GROUP BY k) SELECT a.id, c.n FROM a JOIN c USING (k)"),
        Question("materialized", "WITH c AS MATERIALIZED (SELECT id, x FROM facts WHERE x > 0) SELECT (SELECT count(*) FROM c) AS n, max(x) AS m FROM c"),
        Question("a name that hides a table", "WITH dims AS (SELECT id FROM facts WHERE id < 3) SELECT * FROM dims"),
        Question("recursive", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r"),
        Question("VALUES", "SELECT v.n, f.id FROM (VALUES (0), (2), (NULL)) v(n) JOIN dims f ON f.id = v.n"),
        Question("UNNEST", "SELECT id, unnest(l) AS v FROM facts"),
        Question("UNNEST grouped", "SELECT v, count(*) AS n FROM (SELECT unnest(l) AS v FROM facts) GROUP BY v"),
        Question("PIVOT", "PIVOT (SELECT g, b, k FROM facts WHERE b IS NOT NULL) ON b USING sum(k) GROUP BY g"),
        Question("UNPIVOT", "UNPIVOT (SELECT id, k::BIGINT AS k, j FROM facts) ON k, j INTO NAME name VALUE v"),
        Question("SELECT of constants", "SELECT 1 AS a, 'x' AS b, NULL AS c, DATE '1969-12-31' AS d, 1.50 AS e"),
        Question("stars", "SELECT * EXCLUDE (l) FROM dims JOIN (SELECT id, l FROM facts) USING (id)"),
        Question("REPLACE and COLUMNS", "SELECT * REPLACE (k + 1 AS k), COLUMNS('^w') AS w2 FROM dims"),
        Question("lateral aliases", "SELECT k + 1 AS a, a * 2 AS b FROM dims WHERE b > 2"),
        Question("FROM first", "FROM dims WHERE w > 20"),
        Question("odd names", 'SELECT id AS "Sélect ""it""", k AS "a b" FROM dims ORDER BY "a b" NULLS LAST, 1', ordered=True),
        Question("a filter that holds for none", "SELECT id FROM facts WHERE k = 1 AND k = 2"),
        Question("a filter over every type", "SELECT id FROM facts WHERE s > 'a' AND d BETWEEN -100 AND 500.5 AND day >= '1970-01-01' AND (b OR x > 0) AND tz < '2024-11-04'"),
        Question("an error in a filter", "SELECT id FROM facts WHERE (i * 4) % 3 = 0", fails="verflow"),
        Question("an error of a sum", "SELECT sum(j::DECIMAL(38, 0) * 10000000000000000000) AS s FROM facts", fails="verflow"),
    ],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (JOINS, SETS, ORDER, WINDOWS, SUBQUERIES, GROUPING)
