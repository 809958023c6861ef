"""Every kind of statement with its shape, what it does, and examples: what the reference is made of.

Square brackets may be left out, `|` separates choices, `…` repeats what stands before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from luma_bench.language.placed import Kind


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of statement: its `syntax`, its `meaning` in a sentence, and `examples` that parse as this kind."""

    syntax: str
    meaning: str
    examples: tuple[str, ...]


SHAPES: Final[Mapping[Kind, Shape]] = {
    Kind.SELECT: Shape(
        "[WITH [RECURSIVE] name AS [NOT MATERIALIZED] (query), …]\n"
        "SELECT [DISTINCT [ON (…)]] expression [AS name], …\n"
        "[FROM table | with_rowid(table) | view | file | function | (query), … [join …]] [WHERE condition] [GROUP BY … | ALL] [HAVING condition]\n"
        "[WINDOW name AS (…)] [QUALIFY condition] [UNION | INTERSECT | EXCEPT [ALL] [BY NAME] query]\n"
        "[ORDER BY … [DESC] [NULLS LAST]] [LIMIT n [OFFSET m]]\n"
        "FROM … [SELECT …] | VALUES (…), … | TABLE name | PIVOT … | UNPIVOT …\n"
        "{[OPTIONAL] MATCH path, … [ON GRAPH g] [VALID AT moment] [WHERE condition]\n"
        "[TIME RESPECTING (departs, arrives) [STRICT] [WITHIN interval] [STARTING AT moment]]} …\n"
        "RETURN [DISTINCT] expression [AS name], … | * [ORDER BY …] [SKIP m] [LIMIT n]\n"
        "path: [p =] [ANY | ANY SHORTEST | ALL SHORTEST | SHORTEST k | ANY CHEAPEST] [WALK | TRAIL | ACYCLIC | SIMPLE] node edge node …\n"
        "node: ([v] [:label | other] [WHERE condition | {property: value, …}])\n"
        "edge: -[[v] [:label | other] [WHERE condition] [COST expression]]-> | <-[…]- | -[…]- | --> | <-- | --, and {m,n} | + | * | ? to repeat it",
        "Answers with rows; a table may be read at another snapshot: `t AT (VERSION => 3 | TAG => 'name' | TIMESTAMP => '…')`. `with_rowid(t)` gives the rows of a stored table with their stable ids, `_rowid`, as the first column. MATCH finds paths in a graph, alone or in brackets as a table; `GRAPH_TABLE (g MATCH … COLUMNS (…))` and algorithms such as `PAGERANK(GRAPH g, damping => 0.85)` stand as tables.",
        ("SELECT origin, count(*) AS n FROM flights GROUP BY ALL ORDER BY n DESC LIMIT 3", "FROM flights AT (VERSION => 3)", "SELECT dep_delay, lag(dep_delay) OVER (ORDER BY _rowid) AS before FROM with_rowid(flights)", "VALUES (1, 'a'), (2, 'b')", "MATCH (a {faa: 'JFK'})-[r:route]->{1,2}(b) RETURN DISTINCT b.faa", "SELECT * FROM PAGERANK(GRAPH air) ORDER BY score DESC LIMIT 3"),
    ),
    Kind.EXPLAIN: Shape(
        "EXPLAIN [ANALYZE] [(FORMAT text | json)] query | INSERT … | UPDATE … | DELETE … | MERGE …",
        "Shows the plan; with ANALYZE the query runs and the plan shows what it read.",
        ("EXPLAIN SELECT count(*) FROM flights", "EXPLAIN ANALYZE (FORMAT json) SELECT 1"),
    ),
    Kind.DESCRIBE: Shape(
        "DESCRIBE table | query | [PROPERTY] GRAPH graph",
        "Lists the columns with types, keys, defaults and comments, or the vertex and edge tables of a graph; `DESC t` and `SHOW t` are the same.",
        ("DESCRIBE flights", "DESCRIBE SELECT 1 AS a"),
    ),
    Kind.SUMMARIZE: Shape("SUMMARIZE table | query", "Counts, bounds, means and distinct values of every column.", ("SUMMARIZE flights",)),
    Kind.SHOW: Shape(
        "SHOW TABLES [FROM schema] | ALL TABLES | VIEWS | SCHEMAS | SEQUENCES | SNAPSHOTS | TAGS | POLICIES | COLUMNS FROM t | CONSTRAINTS [FROM t]\n"
        "| [PROPERTY] GRAPHS [FROM schema] | FUNCTIONS | SETTINGS [[NOT] LIKE | ILIKE 'pattern']\n"
        "SHOW CREATE TABLE t | CREATE VIEW v | CREATE PROPERTY GRAPH g",
        "Lists what the bench holds.",
        ("SHOW TABLES", "SHOW SNAPSHOTS"),
    ),
    Kind.CREATE_VIEW: Shape("CREATE [OR REPLACE] [RECURSIVE] VIEW [IF NOT EXISTS] name [(columns)] AS query", "Names a query, which is run where the view is read.", ("CREATE OR REPLACE VIEW late AS SELECT * FROM flights WHERE dep_delay > 60",)),
    Kind.ALTER_VIEW: Shape("ALTER VIEW [IF EXISTS] name RENAME TO name", "Renames a view.", ("ALTER VIEW late RENAME TO delayed",)),
    Kind.DROP_VIEW: Shape("DROP VIEW [IF EXISTS] name [CASCADE | RESTRICT]", "Takes a view away; its tables stay.", ("DROP VIEW IF EXISTS late",)),
    Kind.CREATE_SCHEMA: Shape("CREATE SCHEMA [IF NOT EXISTS] name", "Makes a namespace for tables, views and sequences.", ("CREATE SCHEMA sales",)),
    Kind.DROP_SCHEMA: Shape("DROP SCHEMA [IF EXISTS] name [CASCADE | RESTRICT]", "Takes a namespace away; with CASCADE all that is in it too.", ("DROP SCHEMA sales",)),
    Kind.CREATE_TABLE: Shape(
        "CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (column type [NOT NULL] [DEFAULT expression | [GENERATED ALWAYS] AS (expression)] [constraint] …, … [, constraint …]) [WITH (options)]\n"
        "options: sort_by = (columns), time_column = column, series_key = (columns), codec = 'exchange', retention = '30 days' [ON column]\n"
        "constraint: [CONSTRAINT name] PRIMARY KEY [(columns)] | UNIQUE [(columns)] | CHECK (condition) | [FOREIGN KEY (columns)] REFERENCES table [(columns)]",
        "Makes an empty table.",
        (
            "CREATE TABLE airlines (carrier VARCHAR PRIMARY KEY, name VARCHAR NOT NULL)",
            "CREATE TABLE seats (flight INTEGER, row INTEGER CHECK (row > 0), carrier VARCHAR REFERENCES airlines, UNIQUE (flight, row))",
            "CREATE TABLE readings (sensor VARCHAR, ts TIMESTAMP, value DOUBLE) WITH (time_column = ts, series_key = (sensor), retention = '30 days')",
        ),
    ),
    Kind.CREATE_TABLE_AS: Shape("CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [(columns)] [WITH (options)] AS query", "Keeps the rows of a query as a table.", ("CREATE OR REPLACE TABLE busy AS SELECT origin FROM flights",)),
    Kind.INSERT: Shape(
        "[WITH …] INSERT [OR REPLACE | OR IGNORE] INTO table [(columns)] [BY NAME] query | VALUES … | DEFAULT VALUES\n"
        "[ON CONFLICT [(key)] DO NOTHING | DO UPDATE SET column = value, … [WHERE condition]] [RETURNING …]",
        "Adds rows; ON CONFLICT says what becomes of keys that are there.",
        ("INSERT INTO airlines VALUES ('UA', 'United')", "INSERT INTO airlines BY NAME SELECT carrier, name FROM staging"),
    ),
    Kind.DELETE: Shape("[WITH …] DELETE FROM table [USING other] [WHERE condition] [RETURNING …]", "Takes rows away.", ("DELETE FROM seats WHERE flight = 12",)),
    Kind.UPDATE: Shape("[WITH …] UPDATE table SET column = value, … [FROM other] [WHERE condition] [RETURNING …]", "Gives columns of rows new values.", ("UPDATE seats SET booked = booked + 1 WHERE flight = 12",)),
    Kind.MERGE: Shape(
        "[WITH …] MERGE INTO table USING source ON condition | USING (columns)\n"
        "WHEN [NOT] MATCHED [BY SOURCE] [AND condition] THEN UPDATE SET … | DELETE | INSERT … | DO NOTHING | ERROR … [RETURNING …]",
        "Changes, adds and takes away rows in one statement, by what a source holds.",
        ("MERGE INTO seats USING news ON seats.id = news.id WHEN MATCHED THEN UPDATE SET booked = news.booked WHEN NOT MATCHED THEN INSERT BY NAME",),
    ),
    Kind.TRUNCATE: Shape("TRUNCATE [TABLE] table", "Takes all rows away.", ("TRUNCATE seats",)),
    Kind.DROP_TABLE: Shape("DROP TABLE [IF EXISTS] table [CASCADE | RESTRICT]", "Takes a table away; older snapshots keep it.", ("DROP TABLE IF EXISTS busy",)),
    Kind.ALTER_TABLE: Shape(
        "ALTER TABLE [IF EXISTS] table ADD COLUMN [IF NOT EXISTS] column type … | DROP COLUMN [IF EXISTS] column | RENAME COLUMN a TO b | RENAME TO name | SET SCHEMA schema\n"
        "| ALTER COLUMN column SET DATA TYPE type | SET DEFAULT value | DROP DEFAULT | SET NOT NULL | DROP NOT NULL\n"
        "| ADD [CONSTRAINT name] PRIMARY KEY … | UNIQUE … | CHECK … | FOREIGN KEY … | DROP CONSTRAINT [IF EXISTS] name\n"
        "| SET (sort_by = (columns), time_column = column, series_key = (columns), codec = 'exchange', retention = '30 days' [ON column]) | RESET (option, …)",
        "Changes a table's definition; no row is rewritten.",
        ("ALTER TABLE seats ADD COLUMN IF NOT EXISTS row INTEGER", "ALTER TABLE seats SET (sort_by = (flight))", "ALTER TABLE readings RESET (retention)", "ALTER TABLE seats ADD CONSTRAINT few CHECK (booked < 400)"),
    ),
    Kind.COMMENT_ON: Shape("COMMENT ON TABLE table | COLUMN table.column | VIEW view | SCHEMA schema | SEQUENCE sequence | PROPERTY GRAPH graph IS 'text' | NULL", "Describes something; DESCRIBE and SHOW tell it.", ("COMMENT ON TABLE seats IS 'one row a seat'",)),
    Kind.CREATE_POLICY: Shape(
        "CREATE [OR REPLACE] ROW POLICY name ON table [AS RESTRICTIVE] USING condition [TO role, … | TO ALL [EXCEPT role, …]]\n"
        "CREATE [OR REPLACE] MASKING POLICY name ON table UPDATE column = value, … [TO role, … | TO ALL [EXCEPT role, …]]",
        "Says which rows roles see, or what they see instead of a column.",
        ("CREATE ROW POLICY own ON seats USING flight < 100 TO guest",),
    ),
    Kind.DROP_POLICY: Shape("DROP ROW | MASKING POLICY [IF EXISTS] name ON table", "Takes a policy away.", ("DROP ROW POLICY own ON seats",)),
    Kind.CREATE_SEQUENCE: Shape("CREATE [OR REPLACE] SEQUENCE [IF NOT EXISTS] name [START n] [INCREMENT BY n] [MINVALUE n] [MAXVALUE n] [CYCLE]", "Makes a source of numbers that are given once: nextval('name').", ("CREATE SEQUENCE ids START 1",)),
    Kind.DROP_SEQUENCE: Shape("DROP SEQUENCE [IF EXISTS] name", "Takes a sequence away.", ("DROP SEQUENCE ids",)),
    Kind.CREATE_GRAPH: Shape(
        "CREATE [OR REPLACE] PROPERTY GRAPH [IF NOT EXISTS] name\n"
        "VERTEX TABLES (table [AS name] [KEY (columns)] [LABEL label | DEFAULT LABEL] … [properties], …)\n"
        "[EDGE TABLES (table [AS name] [KEY (columns)] SOURCE [KEY (columns) REFERENCES] vertex [(columns)] DESTINATION [KEY (columns) REFERENCES] vertex [(columns)]\n"
        "[LABEL label] … [properties] [VALID FROM column TO column], …)]\n"
        "properties: PROPERTIES (column [AS name], …) | PROPERTIES ALL COLUMNS [EXCEPT (columns)] | NO PROPERTIES",
        "Makes a graph of tables: rows of vertex tables are its vertices, rows of edge tables its edges.",
        ("CREATE PROPERTY GRAPH air VERTEX TABLES (airports KEY (faa)) EDGE TABLES (routes SOURCE KEY (origin) REFERENCES airports (faa) DESTINATION KEY (dest) REFERENCES airports (faa) LABEL route)",),
    ),
    Kind.DROP_GRAPH: Shape("DROP PROPERTY GRAPH [IF EXISTS] name [CASCADE | RESTRICT]", "Takes a graph away; its tables stay.", ("DROP PROPERTY GRAPH IF EXISTS air",)),
    Kind.COPY_FROM: Shape("COPY table [(columns)] FROM 'file' [(FORMAT csv | json | parquet | arrow, HEADER true, …)]", "Adds the rows of a file.", ("COPY seats FROM 'seats.csv' (HEADER true)",)),
    Kind.COPY_TO: Shape("COPY table [AT (…)] | (query) TO 'file' [(FORMAT csv | json | parquet | arrow, …)]", "Writes rows into a file, whole or not at all.", ("COPY seats TO 'seats.parquet'",)),
    Kind.TAG_SNAPSHOT: Shape("TAG SNAPSHOT 'name'", "Names the newest snapshot.", ("TAG SNAPSHOT 'paper-v1'",)),
    Kind.PREPARE: Shape(
        "PREPARE name [(parameter type, …)] AS query | INSERT … | UPDATE … | DELETE … | MERGE …",
        "Checks a statement with `$name` parameters and keeps it, for this bench handle; one of the same name goes.",
        ("PREPARE late (minutes INTEGER) AS SELECT count(*) FROM flights WHERE dep_delay > $minutes",),
    ),
    Kind.EXECUTE: Shape("EXECUTE name [(parameter := constant expression, …)]", "Runs a prepared statement with values for its parameters.", ("EXECUTE late(minutes := 60)",)),
    Kind.DEALLOCATE: Shape("DEALLOCATE [PREPARE] name | ALL", "Forgets prepared statements.", ("DEALLOCATE late",)),
    Kind.BEGIN: Shape("BEGIN [TRANSACTION | WORK] [READ ONLY | READ WRITE] | START TRANSACTION", "Begins a transaction, for this bench handle and thread.", ("BEGIN",)),
    Kind.COMMIT: Shape("COMMIT [TRANSACTION | WORK] | END", "Makes the transaction's changes one snapshot.", ("COMMIT",)),
    Kind.ROLLBACK: Shape("ROLLBACK [TRANSACTION | WORK] | ABORT", "Drops the transaction's changes.", ("ROLLBACK",)),
}  # fmt: skip
"""The shape of every kind of statement."""

OPERATORS: Final[Mapping[str, tuple[str, str]]] = {
    ".": ("t.a, s.field", "a column of a table, a field of a struct"),
    "::": ("a::DATE", "a cast, as CAST(a AS DATE)"),
    "[ ]": ("l[1], l[2:3], m['k']", "an element, a slice, the value of a key"),
    "!__postfix": ("5!", "the factorial"),
    "**": ("a ** b", "the power; ^ is the same"),
    "^": ("a ^ b", "the power"),
    "*": ("a * b", "the product"),
    "/": ("a / b", "the quotient, with its fraction"),
    "//": ("a // b", "the quotient of whole numbers, rounded towards zero"),
    "%": ("a % b", "the remainder"),
    "+": ("a + b, +a", "the sum; of a date and an interval the later date"),
    "-": ("a - b, -a", "the difference; of dates the days between"),
    "||": ("a || b", "texts or lists joined"),
    "->": ("j->'a'", "a part of JSON, as JSON"),
    "->>": ("j->>'a'", "a part of JSON, as text"),
    "<->": ("v <-> w", "the Euclidean distance of two vectors"),
    "<=>": ("v <=> w", "the cosine distance of two vectors"),
    "&": ("a & b", "the bits that both have"),
    "|": ("a | b", "the bits that either has"),
    "~": ("~a, s ~ 'regex'", "all bits turned; whether the whole text matches"),
    "<<": ("a << n", "bits moved left"),
    ">>": ("a >> n", "bits moved right"),
    "@": ("@a", "the absolute value"),
    "@>": ("l @> m", "whether a list holds all of another"),
    "<@": ("l <@ m", "whether all of a list is in another"),
    "&&": ("l && m", "whether two lists share a value"),
    "^@": ("s ^@ t", "whether a text begins with another"),
    "~~": ("s LIKE 'a%', s ~~ 'a%'", "whether a text is of a pattern"),
    "!~~": ("s NOT LIKE 'a%'", "whether it is not"),
    "~~*": ("s ILIKE 'a%'", "the same, whatever the case"),
    "!~~*": ("s NOT ILIKE 'a%'", "whether it is not, whatever the case"),
    "~~~": ("s GLOB 'a*'", "whether a text is of a file pattern"),
    "=": ("a = b, a == b", "whether they are equal; NULL where one is NULL"),
    "!=": ("a <> b, a != b", "whether they are not"),
    "<": ("a < b", "less"),
    "<=": ("a <= b", "less or equal"),
    ">": ("a > b", "greater"),
    ">=": ("a >= b", "greater or equal"),
    "IS DISTINCT FROM": ("a IS DISTINCT FROM b", "not equal, where NULL equals NULL"),
    "IS NOT DISTINCT FROM": ("a IS NOT DISTINCT FROM b", "equal, where NULL equals NULL"),
    "IS NULL": ("a IS NULL, a IS NOT NULL", "whether a value is missing"),
    "IN": ("a IN (1, 2), a IN (SELECT …)", "whether a value is among others"),
    "BETWEEN": ("a BETWEEN low AND high", "low <= a AND a <= high"),
    "NOT": ("NOT a", "the contrary"),
    "AND": ("a AND b", "both"),
    "OR": ("a OR b", "either"),
}
"""Operators, tightest first within each group, by DuckDB's name: how each is written, and what it gives."""
