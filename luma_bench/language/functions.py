"""Functions and relations that reach around the catalog, as data: names, why they are refused, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from luma_bench.language.keywords import split
from luma_bench.language.refusals import Refusal

FILES: Final = Refusal(
    "Reading a file with this function",
    "is not served",
    "Use read_csv, read_parquet, read_json, read_arrow, read_text, read_blob or glob; or bench.write(name, path).",
)
DYNAMIC: Final = Refusal(
    "SQL made from a string at run time",
    "is refused: a statement says in its text what it reads",
    "Build the text in Python and give it to bench.kadeql(text, params={…}).",
)
CATALOG: Final = Refusal(
    "A relation that shows the engine's own state",
    "is refused: it lists internal relations, not the bench's tables",
    "Use SHOW TABLES, DESCRIBE t, bench.tables() or bench.snapshots().",
)
STATISTICS: Final = Refusal(
    "stats()",
    "is refused: it tells what the engine guessed of an expression before it ran, not what is in it",
    "Ask for the values' own: SUMMARIZE t, or min(x), max(x), count(x).",
)
SETTINGS: Final = Refusal(
    "Reading the engine's settings",
    "is refused: they belong to the bench",
    "`luma-bench config` lists the settings.",
)
MEMORY: Final = Refusal(
    "A scan of a memory address",
    "is refused: it reads outside the catalog",
    "Write the data first: bench.write(name, data).",
)
CONTROL: Final = Refusal(
    "A function that changes the engine",
    "is refused: queries share their sessions",
    "Leave it out; settings go to lb.open(path, …).",
)
SEQUENCE: Final = Refusal(
    "Setting a sequence's value",
    "is refused: a value is given once",
    "Make it anew: CREATE OR REPLACE SEQUENCE s START n.",
)
ENDLESS: Final = Refusal(
    "summary(…)",
    "is refused: it never ends",
    "Describe a table's values with SUMMARIZE t or SUMMARIZE SELECT …",
)
INTERNAL: Final = Refusal(
    "A name that begins with __luma",
    "is refused: such names are the bench's own",
    "Choose a name without the leading __luma.",
)
ROW_IDS: Final = Refusal(
    "_rowid",
    "is refused: row ids are the bench's own",
    "Name the rows by their columns: WHERE id = 42; a query reads row ids from with_rowid(t).",
)

_BY_REFUSAL: Final = (
    (
        FILES,
        """
        read_duckdb read_single_csv_file read_single_json_file read_single_parquet_file
        """,
    ),
    (DYNAMIC, "query query_table json_execute_serialized_sql"),
    (SETTINGS, "current_setting duckdb_settings duckdb_profiling_settings duckdb_available_metrics"),
    (MEMORY, "arrow_scan arrow_scan_dumb pandas_scan python_arrow_scan python_map_function seq_scan"),
    (
        CONTROL,
        """
        checkpoint force_checkpoint enable_logging disable_logging enable_profiling disable_profiling
        truncate_duckdb_logs write_log setseed create_external_resource deregister_external_resource
        destroy_external_resource register_external_resource register_external_resource_type getenv
        """,
    ),
    (SEQUENCE, "setval"),
    (ENDLESS, "summary"),
    (STATISTICS, "stats"),
    (CATALOG, "which_secret pg_get_viewdef pg_get_constraintdef json_serialize_plan"),
)
FUNCTIONS: Final[Mapping[str, Refusal]] = {
    name: refusal for refusal, names in _BY_REFUSAL for name in split(names)
}
"""Refused functions by casefolded name."""

METADATA: Final = frozenset(
    {"duckdb_functions", "duckdb_types", "duckdb_keywords", "duckdb_coordinate_systems"}
)
"""Functions named like the engine's state that only tell of the language itself; they may run."""

PREFIXES: Final = (
    ("read_", FILES),
    ("parquet_", FILES),
    ("st_read", FILES),
    ("pragma_", CATALOG),
    ("duckdb_", CATALOG),
)
"""What a refused function's name may begin with: a later version of the engine brings more of a kind."""

RELATIONS: Final = frozenset(
    split("""
    sqlite_master sqlite_schema sqlite_temp_master sqlite_temp_schema pragma_database_list
    duckdb_columns duckdb_constraints duckdb_databases duckdb_indexes duckdb_logs duckdb_schemas
    duckdb_tables duckdb_types duckdb_views pg_am pg_attrdef pg_attribute pg_class pg_collation
    pg_constraint pg_database pg_depend pg_description pg_enum pg_index pg_indexes pg_namespace
    pg_prepared_statements pg_proc pg_sequence pg_sequences pg_settings pg_tables pg_tablespace pg_type
    pg_views
    """)
)
"""The engine's views that resolve without a schema."""

SCHEMAS: Final = frozenset({"information_schema", "pg_catalog", "system", "temp"})
"""Schemas and databases of the engine itself."""

INFORMATION: Final = frozenset(
    f"information_schema.{name}"
    for name in split("""
    schemata tables columns views table_constraints key_column_usage referential_constraints sequences
    property_graphs pg_element_tables
    """)
)
"""The relations of the standard that are answered from the catalog."""

CATALOG_FUNCTIONS: Final = frozenset(
    split("duckdb_tables duckdb_columns duckdb_views duckdb_constraints duckdb_schemas duckdb_sequences")
)
"""DuckDB's relations of the same kind: functions without arguments, or names alone."""

VOLATILE_FUNCTIONS: Final = frozenset(
    split("""
    now today random uuid gen_random_uuid uuidv4 uuidv7 getvariable get_current_time
    get_current_timestamp transaction_timestamp current_localtime current_localtimestamp current_date
    current_time current_timestamp age ago txid_current current_transaction_id current_query
    current_query_id current_connection_id current_database current_schema current_schemas
    in_search_path vector_type sleep_ms pg_sleep error pg_conf_load_time pg_postmaster_start_time
    """)
)
"""Functions whose answer depends on the moment, the session or chance."""

VOLATILE_WORDS: Final = frozenset(
    split("""
    CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP TABLESAMPLE CURRENT_SCHEMA
    CURRENT_CATALOG
    """)
)
"""The same, of words that need no parentheses."""


PER_ROW: Final = frozenset({"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval"})
"""Functions that give every row a value of its own."""


def refused_function(name: str) -> Refusal | None:
    """Why a function of this casefolded name is refused; None when it may run."""
    found = FUNCTIONS.get(name)
    if found is not None:
        return found
    if name in METADATA:
        return None
    for prefix, refusal in PREFIXES:
        if name.startswith(prefix):
            return refusal
    return FILES if name.endswith("_scan") else None
