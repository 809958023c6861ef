"""What is refused as a whole statement, as data: the leading words, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLUnsupportedError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that does not run: `what` it is, `why` not, and what to write `instead`."""

    what: str
    why: str
    instead: str

    def error(self, text: str, span: tuple[int, int]) -> KadeQLUnsupportedError:
        """The error, pointing at `span` of the user's whole text."""
        return KadeQLUnsupportedError(f"{self.what} {self.why}.", text=text, span=span, hint=self.instead)


NOT_YET: Final = "is part of KadeQL and not in this version"
_OURS = "is not used here: the bench opens, writes and keeps its own tables"
_SETTINGS = "is refused: statements share their sessions, so a setting would leak into other queries"
_SETTINGS_INSTEAD = "Give settings to lb.open(path, timezone=…, threads=…) or write them in luma.toml; `luma-bench config` lists them."
_PARTLY = "is not served: a statement that fails inside a transaction is undone by itself, and the transaction goes on"
SAVEPOINT = Refusal(
    "A savepoint", _PARTLY, "Leave it out; ROLLBACK drops the whole transaction, COMMIT keeps what succeeded."
)
CHAIN = Refusal(
    "AND CHAIN",
    "is not served: a transaction begins with BEGIN alone",
    "Write COMMIT; BEGIN as two statements.",
)
ISOLATION = Refusal(
    "An isolation level",
    "is not needed: every transaction reads the one snapshot that it began on",
    "Write BEGIN, or BEGIN READ ONLY.",
)
LOCKING = Refusal(
    "A way of locking",
    "is not needed: a transaction holds no lock before COMMIT",
    "Write BEGIN. Of two that change the same rows, the second COMMIT gets a ConflictError.",
)
_PREPARED = Refusal(
    "A prepared statement",
    "is not needed: plans are cached",
    "Run the query itself with $name parameters: bench.kadeql(text, params={…}).",
)
_EXTENSIONS = Refusal(
    "Loading extensions",
    "is refused: a bench answers the same on every machine",
    "Use what DuckDB and KadeQL have built in.",
)
_DATABASES = Refusal(
    "Attaching a database",
    f"{_OURS}, and another database would be read outside its snapshots",
    "Copy what you need into the bench: bench.write(name, data) takes Arrow, pandas, Polars and files.",
)
_VIEW = Refusal(
    "A view",
    NOT_YET,
    "Name the query inside the statement: WITH v AS (SELECT …) …; or keep its rows: CREATE TABLE v AS SELECT …",
)
_MATERIALIZED = Refusal(
    "A materialized view",
    NOT_YET,
    "Keep the rows of the query: CREATE OR REPLACE TABLE v AS SELECT …, and run it again to refresh them.",
)
_GRAPH = Refusal(
    "A property graph",
    NOT_YET,
    "Keep vertices and edges as tables and join them: FROM edges e JOIN vertices v ON v.id = e.dst",
)
_PROCEDURE = Refusal("A procedure", NOT_YET, "Write the statements one after another with ; between them.")
_VECTOR_INDEX = Refusal(
    "A vector index", NOT_YET, "Order by the distance itself, which is exact: ORDER BY emb <-> $v LIMIT 10"
)
_TEXT_INDEX = Refusal(
    "A text index", NOT_YET, "Search without one: WHERE body ILIKE '%word%', or regexp_matches(body, …)."
)
_NO_OBJECT = "is refused: a bench holds tables"
_ROUTINE = Refusal(
    "A macro or function", _NO_OBJECT, "Write the expression where it is used, or compute it in a WITH query."
)
_TYPE = Refusal(
    "A named type",
    _NO_OBJECT,
    "Write the type itself: STRUCT(a INTEGER, b VARCHAR), DECIMAL(10, 2), VARCHAR.",
)
_SEQUENCE = Refusal("A sequence", _NO_OBJECT, "Number the rows: SELECT row_number() OVER () AS id, … FROM …")
_INDEX = Refusal(
    "An index",
    "is refused: zone maps and primary keys prune reads by themselves",
    "Give the table a PRIMARY KEY, or write it sorted: bench.write(name, data, mode='replace', sort_by=…).",
)
_SCHEMA = Refusal(
    "A schema",
    "is refused: a bench has one, main",
    "Put the schema into the name: CREATE TABLE sales_orders (…).",
)
_SECRET = Refusal(
    "A secret",
    "is refused: queries read no outside storage",
    "Read the data in Python and bench.write(name, data).",
)
_TEMPORARY = Refusal(
    "A temporary table",
    "is refused: a bench's tables live in its snapshots",
    "Name the query inside the statement: WITH t AS (SELECT …) …; or CREATE TABLE t AS … and DROP TABLE t later.",
)
_TRIGGER = Refusal("A trigger", _NO_OBJECT, "Run the second statement after the first, with ; between them.")
_EXPORT = Refusal(
    "Exporting a database",
    _OURS,
    "Export a table: luma-bench export; a bench's own folder may be copied as it is.",
)
_IMPORT = Refusal(
    "Importing a database", _OURS, "Import its tables: luma-bench import, or bench.write(name, path)."
)
_ACCESS = Refusal(
    "Granting access",
    "is not SQL's here: whoever can read the folder can read the bench",
    "Use the file system's permissions.",
)
_MAINTENANCE = Refusal(
    "Maintenance by statement",
    "is not needed: segments are immutable and statistics are written with them",
    "Leave it out.",
)
NOT_SERVED: Final = "is not in this version"
UPSERT: Final = "Write the rows by their primary key: bench.write(name, data, mode='upsert')."
RETURNING: Final = Refusal(
    "RETURNING",
    NOT_SERVED,
    "Read the rows in a statement of its own: SELECT … FROM t, inside BEGIN … COMMIT.",
)
DELETE_USING: Final = Refusal(
    "DELETE … USING",
    NOT_SERVED,
    "Name the other table in the condition: DELETE FROM t WHERE EXISTS (FROM u WHERE u.id = t.id).",
)
UPDATE_FROM: Final = Refusal(
    "UPDATE … FROM",
    NOT_SERVED,
    "Take the value from a subquery: UPDATE t SET c = (SELECT c FROM u WHERE u.id = t.id) WHERE id IN (SELECT id FROM u).",
)
SET_LIST: Final = Refusal(
    "A list of columns in SET", NOT_SERVED, "Set each by itself: UPDATE t SET a = 1, b = 2."
)
SET_QUALIFIED: Final = Refusal(
    "A qualified name or a field in SET",
    "is refused: SET names whole columns of the table",
    "Write the column alone: UPDATE t SET c = …; a field: SET c = struct_update(c, field := …).",
)
PAST: Final = Refusal(
    "Changing a table AT a snapshot",
    "is refused: snapshots never change",
    "Change the table as it is now, and read the past in a subquery: WHERE id IN (SELECT id FROM t AT (VERSION => 3)).",
)
_KEYS_OF = "Write the table anew with its key: bench.write(name, rows, mode='replace', primary_key=…)."
_CHECK_OF = "Check it in a query: SELECT … FROM t WHERE NOT (…). What is kept is NOT NULL and PRIMARY KEY."
CONSTRAINT_CHANGES: Final = {
    "PRIMARY": Refusal("Changing a primary key", NOT_SERVED, _KEYS_OF),
    "CONSTRAINT": Refusal("Changing a constraint", NOT_SERVED, _KEYS_OF),
    "UNIQUE": Refusal("UNIQUE", NOT_SERVED, _KEYS_OF),
    "CHECK": Refusal("CHECK", NOT_SERVED, _CHECK_OF),
    "FOREIGN": Refusal("A foreign key", NOT_SERVED, _CHECK_OF),
}
"""Words behind ALTER TABLE t ADD or DROP that name a constraint."""
_LAYOUT = "Write SET (sort_by = (a, b)); rows that are there are sorted anew by bench.compact()."
TABLE_CHANGES: Final = {
    "SCHEMA": Refusal(
        "Another schema", "is refused: a bench has one, main", "Rename the table: RENAME TO sales_t."
    ),
    "PARTITIONED": Refusal("SET PARTITIONED BY", "is not used here", _LAYOUT),
    "SORTED": Refusal("SET SORTED BY", "is not used here", _LAYOUT),
}
"""Words behind ALTER TABLE t SET that are refused."""
RESET: Final = Refusal(
    "RESET of a table's options", NOT_SERVED, "Set the option to none: SET (sort_by = ())."
)
RETENTION: Final = Refusal(
    "Retention by rows", NOT_YET, "Delete what is old: DELETE FROM t WHERE ts < now() - INTERVAL '30 days'."
)
NESTED_COLUMN: Final = Refusal(
    "Changing a field inside a column",
    NOT_SERVED,
    "Change the values: UPDATE t SET c = struct_update(c, field := …).",
)
SEVERAL: Final = Refusal(
    "Several changes in one ALTER TABLE",
    NOT_SERVED,
    "Write a statement for each, between BEGIN and COMMIT to make them one snapshot.",
)
USING: Final = Refusal(
    "USING of a column's new type",
    NOT_SERVED,
    "Add a column, fill it, and drop the old one: ALTER TABLE t ADD COLUMN d …; UPDATE t SET d = …; ALTER TABLE t DROP COLUMN c.",
)
COMMENTED: Final = Refusal(
    "A comment on this",
    "is refused: a bench holds tables and columns",
    "Write COMMENT ON TABLE t or COLUMN t.c.",
)

STATEMENTS: Final[Mapping[tuple[str, ...], Refusal]] = {
    ("MERGE",): Refusal(
        "MERGE", NOT_YET, "Write the rows by their primary key: bench.write(name, data, mode='upsert')."
    ),
    ("ALTER", "VIEW"): _VIEW,
    ("ALTER", "SEQUENCE"): _SEQUENCE,
    ("ALTER", "TYPE"): _TYPE,
    ("ALTER", "INDEX"): _INDEX,
    ("ALTER", "SCHEMA"): _SCHEMA,
    ("ALTER", "DATABASE"): _DATABASES,
    ("COPY",): Refusal(
        "COPY",
        "is not in this version",
        "Write files with `luma-bench export`, read them with `luma-bench import` or bench.write(name, path).",
    ),
    ("EXPORT",): _EXPORT,
    ("IMPORT",): _IMPORT,
    ("SAVEPOINT",): SAVEPOINT,
    ("RELEASE",): SAVEPOINT,
    ("ATTACH",): _DATABASES,
    ("DETACH",): _DATABASES,
    ("USE",): Refusal(
        "USE", "is refused: a bench has one schema, main", "Open the other bench: lb.open(path)."
    ),
    ("SET",): Refusal("SET", _SETTINGS, _SETTINGS_INSTEAD),
    ("RESET",): Refusal("RESET", _SETTINGS, _SETTINGS_INSTEAD),
    ("PRAGMA",): Refusal("PRAGMA", _SETTINGS, _SETTINGS_INSTEAD),
    ("LOAD",): _EXTENSIONS,
    ("INSTALL",): _EXTENSIONS,
    ("UPDATE", "EXTENSIONS"): _EXTENSIONS,
    ("FORCE", "INSTALL"): _EXTENSIONS,
    ("VACUUM",): _MAINTENANCE,
    ("ANALYZE",): _MAINTENANCE,
    ("ANALYSE",): _MAINTENANCE,
    ("CHECKPOINT",): _MAINTENANCE,
    ("REINDEX",): _MAINTENANCE,
    ("PREPARE",): _PREPARED,
    ("EXECUTE",): _PREPARED,
    ("DEALLOCATE",): _PREPARED,
    ("CALL",): Refusal(
        "CALL", NOT_YET, "Write the procedure's statements one after another with ; between them."
    ),
    ("REFRESH",): _MATERIALIZED,
    ("GRANT",): _ACCESS,
    ("REVOKE",): _ACCESS,
    ("CREATE", "PROPERTY", "GRAPH"): _GRAPH,
    ("DROP", "PROPERTY", "GRAPH"): _GRAPH,
    ("CREATE", "VECTOR", "INDEX"): _VECTOR_INDEX,
    ("CREATE", "TEXT", "INDEX"): _TEXT_INDEX,
    ("DROP", "VECTOR", "INDEX"): _VECTOR_INDEX,
    ("DROP", "TEXT", "INDEX"): _TEXT_INDEX,
    ("CREATE", "MATERIALIZED", "VIEW"): _MATERIALIZED,
    ("DROP", "MATERIALIZED", "VIEW"): _MATERIALIZED,
    ("CREATE", "PROCEDURE"): _PROCEDURE,
    ("DROP", "PROCEDURE"): _PROCEDURE,
    ("CREATE", "VIEW"): _VIEW,
    ("CREATE", "RECURSIVE", "VIEW"): _VIEW,
    ("DROP", "VIEW"): _VIEW,
    ("CREATE", "TEMP"): _TEMPORARY,
    ("CREATE", "TEMPORARY"): _TEMPORARY,
    ("CREATE", "LOCAL"): _TEMPORARY,
    ("CREATE", "GLOBAL"): _TEMPORARY,
    ("CREATE", "UNLOGGED"): _TEMPORARY,
    ("CREATE", "PERSISTENT"): _SECRET,
    ("CREATE", "SECRET"): _SECRET,
    ("DROP", "SECRET"): _SECRET,
    ("CREATE", "MACRO"): _ROUTINE,
    ("CREATE", "FUNCTION"): _ROUTINE,
    ("DROP", "MACRO"): _ROUTINE,
    ("DROP", "FUNCTION"): _ROUTINE,
    ("CREATE", "TYPE"): _TYPE,
    ("DROP", "TYPE"): _TYPE,
    ("CREATE", "SEQUENCE"): _SEQUENCE,
    ("DROP", "SEQUENCE"): _SEQUENCE,
    ("CREATE", "INDEX"): _INDEX,
    ("CREATE", "UNIQUE"): _INDEX,
    ("DROP", "INDEX"): _INDEX,
    ("CREATE", "SCHEMA"): _SCHEMA,
    ("DROP", "SCHEMA"): _SCHEMA,
    ("CREATE", "DATABASE"): _DATABASES,
    ("DROP", "DATABASE"): _DATABASES,
    ("CREATE", "TRIGGER"): _TRIGGER,
    ("DROP", "TRIGGER"): _TRIGGER,
    ("INSERT", "OR"): Refusal(
        "INSERT OR REPLACE or IGNORE",
        "is not in this version",
        "Write the rows by their primary key: bench.write(name, data, mode='upsert').",
    ),
}
"""Leading words (without OR REPLACE) of every statement that is refused; the longest match counts."""

SHOWN: Final = frozenset({"ALL", "DATABASES", "SCHEMAS", "VARIABLES", "FUNCTIONS", "SECRETS", "SETTINGS"})
"""Words after SHOW that would show the engine's own state."""


def refused(words: list[str]) -> tuple[Refusal, int] | None:
    """The refusal of a statement that begins with these words, and how many of them name it; None when it may run."""
    for count in range(min(3, len(words)), 0, -1):
        found = STATEMENTS.get(tuple(words[:count]))
        if found is not None:
            return found, count
    return None
