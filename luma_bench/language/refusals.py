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
NOT_SERVED: Final = "is not in this version"
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
_MATERIALIZED = Refusal(
    "A materialized view",
    NOT_YET,
    "Keep the rows of the query: CREATE OR REPLACE TABLE v AS SELECT …, and run it again to refresh them.",
)
_GRAPH = Refusal(
    "Changing a property graph",
    NOT_SERVED,
    "Make it anew: CREATE OR REPLACE PROPERTY GRAPH g …; SHOW CREATE PROPERTY GRAPH g shows how it was made.",
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
_SEQUENCE = Refusal(
    "Changing a sequence",
    "is not in this version",
    "Make it anew, under another START: CREATE OR REPLACE SEQUENCE s START n.",
)
_INDEX = Refusal(
    "An index",
    "is refused: zone maps and primary keys prune reads by themselves",
    "Give the table a PRIMARY KEY, or write it sorted: bench.write(name, data, mode='replace', sort_by=…).",
)
_SCHEMA = Refusal(
    "Changing a schema",
    "is not in this version",
    "Make the other one and move its tables: ALTER TABLE a.t SET SCHEMA b.",
)
_SECRET = Refusal(
    "A secret",
    "is refused: queries reach outside storage with the machine's own credentials",
    "Name the file by its URL, FROM 's3://bucket/a.parquet', under a prefix that the setting files lists.",
)
_TEMPORARY = Refusal(
    "A temporary table",
    "is refused: a bench's tables live in its snapshots",
    "Name the query inside the statement: WITH t AS (SELECT …) …; or CREATE TABLE t AS … and DROP TABLE t later.",
)
_SECURE = Refusal(
    "A secure view",
    "is not served: who may open the bench may read what its views read",
    "Write CREATE VIEW v AS …; which rows a reader gets, a policy says: CREATE ROW POLICY.",
)
SCHEMA_REPLACED: Final = Refusal(
    "CREATE OR REPLACE SCHEMA",
    "is not in this version: it would drop every table in it",
    "Write CREATE SCHEMA IF NOT EXISTS s, or DROP SCHEMA s CASCADE; CREATE SCHEMA s.",
)
VIEW_OPTIONS: Final = Refusal(
    "WITH (…) of a view",
    "is not served: a view's query is checked when it is made and when it is read",
    "Leave it out: CREATE VIEW v AS SELECT …",
)
WITH_DATA: Final = Refusal(
    "WITH DATA or WITH NO DATA",
    "is not served: the query says which rows there are",
    "Leave WITH DATA out; for none write CREATE TABLE t AS FROM (SELECT …) LIMIT 0.",
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
    "Say what others see of a table: CREATE ROW POLICY and CREATE MASKING POLICY; who may open the bench, the file system says.",
)
_MAINTENANCE = Refusal(
    "Maintenance by statement",
    "is not needed: segments are immutable and statistics are written with them",
    "Leave it out.",
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
_BY_NAME = "Write ALTER TABLE t DROP CONSTRAINT name; DESCRIBE and SHOW CREATE tell the names."
CONSTRAINT_CHANGES: Final = {
    "PRIMARY": Refusal("Changing a primary key", NOT_SERVED, _KEYS_OF),
    "UNIQUE": Refusal("DROP UNIQUE", NOT_SERVED, _BY_NAME),
    "CHECK": Refusal("DROP CHECK", NOT_SERVED, _BY_NAME),
    "FOREIGN": Refusal("DROP FOREIGN KEY", NOT_SERVED, _BY_NAME),
}
"""Words behind ALTER TABLE t DROP (and PRIMARY KEY behind ADD COLUMN) that name a constraint by its kind."""
_LAYOUT = "Write SET (sort_by = (a, b)); rows that are there are sorted anew by bench.compact()."
TABLE_CHANGES: Final = {
    "PARTITIONED": Refusal("SET PARTITIONED BY", "is not used here", _LAYOUT),
    "SORTED": Refusal("SET SORTED BY", "is not used here", _LAYOUT),
}
"""Words behind ALTER TABLE t SET that are refused."""
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
CASCADE: Final = Refusal(
    "DROP COLUMN … CASCADE of a column that others use",
    NOT_SERVED,
    "Drop what uses it first: ALTER TABLE t DROP COLUMN generated_one, or DROP CONSTRAINT …",
)
USING: Final = Refusal(
    "USING of a column's new type",
    NOT_SERVED,
    "Add a column, fill it, and drop the old one: ALTER TABLE t ADD COLUMN d …; UPDATE t SET d = …; ALTER TABLE t DROP COLUMN c.",
)
COMMENTED: Final = Refusal(
    "A comment on this",
    "is refused: a bench holds tables, columns, views, schemas, sequences and property graphs",
    "Write COMMENT ON TABLE t, VIEW v, SCHEMA s, SEQUENCE s, PROPERTY GRAPH g or COLUMN t.c.",
)

STATEMENTS: Final[Mapping[tuple[str, ...], Refusal]] = {
    ("ALTER", "SEQUENCE"): _SEQUENCE,
    ("ALTER", "TYPE"): _TYPE,
    ("ALTER", "INDEX"): _INDEX,
    ("ALTER", "SCHEMA"): _SCHEMA,
    ("ALTER", "DATABASE"): _DATABASES,
    ("EXPORT",): _EXPORT,
    ("IMPORT",): _IMPORT,
    ("SAVEPOINT",): SAVEPOINT,
    ("RELEASE",): SAVEPOINT,
    ("ATTACH",): _DATABASES,
    ("DETACH",): _DATABASES,
    ("USE",): Refusal(
        "USE",
        "is refused: statements share their sessions, and names mean the same in each of them",
        "Write the schema before the name: FROM sales.orders; open another bench with lb.open(path).",
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
    ("CALL",): Refusal(
        "CALL", NOT_YET, "Write the procedure's statements one after another with ; between them."
    ),
    ("REFRESH",): _MATERIALIZED,
    ("GRANT",): _ACCESS,
    ("REVOKE",): _ACCESS,
    ("ALTER", "PROPERTY", "GRAPH"): _GRAPH,
    ("CREATE", "VECTOR", "INDEX"): _VECTOR_INDEX,
    ("CREATE", "TEXT", "INDEX"): _TEXT_INDEX,
    ("DROP", "VECTOR", "INDEX"): _VECTOR_INDEX,
    ("DROP", "TEXT", "INDEX"): _TEXT_INDEX,
    ("CREATE", "MATERIALIZED", "VIEW"): _MATERIALIZED,
    ("DROP", "MATERIALIZED", "VIEW"): _MATERIALIZED,
    ("CREATE", "PROCEDURE"): _PROCEDURE,
    ("DROP", "PROCEDURE"): _PROCEDURE,
    ("CREATE", "TEMP"): _TEMPORARY,
    ("CREATE", "TEMPORARY"): _TEMPORARY,
    ("CREATE", "LOCAL"): _TEMPORARY,
    ("CREATE", "GLOBAL"): _TEMPORARY,
    ("CREATE", "UNLOGGED"): _TEMPORARY,
    ("CREATE", "SECURE"): _SECURE,
    ("ALTER", "SECURE"): _SECURE,
    ("DROP", "SECURE"): _SECURE,
    ("CREATE", "PERSISTENT"): _SECRET,
    ("CREATE", "SECRET"): _SECRET,
    ("DROP", "SECRET"): _SECRET,
    ("CREATE", "MACRO"): _ROUTINE,
    ("CREATE", "FUNCTION"): _ROUTINE,
    ("DROP", "MACRO"): _ROUTINE,
    ("DROP", "FUNCTION"): _ROUTINE,
    ("CREATE", "TYPE"): _TYPE,
    ("DROP", "TYPE"): _TYPE,
    ("CREATE", "INDEX"): _INDEX,
    ("CREATE", "UNIQUE"): _INDEX,
    ("DROP", "INDEX"): _INDEX,
    ("CREATE", "DATABASE"): _DATABASES,
    ("DROP", "DATABASE"): _DATABASES,
    ("CREATE", "TRIGGER"): _TRIGGER,
    ("DROP", "TRIGGER"): _TRIGGER,
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
