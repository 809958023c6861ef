"""Files that ask for what KadeQL rules otherwise: of each, what may differ, and the rule."""

from __future__ import annotations

import re
from typing import Final

_CATALOG = "the catalog's relations tell of a bench: its database is `bench`, main is a schema of it, and texts stay as they were written"
_VIEWS_NOW = "a view has the columns that its query has now"
_SERVED = "what DuckDB says it does not support, KadeQL serves"
_TYPES = "rows of a file have the file's own types, whatever table takes them"
_PATHS = "a file is named by its whole path, and / alone divides it"
_THERE = "a file that a statement names is there, whether or not its rows are used"
_SESSION = "currval() tells of its own session"
_SHOWN = "SHOW names a table or view, never a setting"

RULES: Final[tuple[tuple[str, str, str], ...]] = (
    ("function/timestamp/test_now.test", "", "now() is the moment of its statement, in a transaction too"),
    ("constraints/foreignkey/test_fk_self_referencing.test", "", "a row may refer to itself"),
    ("constraints/foreignkey/foreign_key_matching_columns.test", "", "a row may refer to itself"),
    ("cast/signed_cast_repro.test", "", "an overflow in a condition is an error whether or not statistics let it be skipped"),
    ("catalog/comment_on_column.test", "'bench'", _CATALOG),
    ("catalog/view/test_view_sql.test", "CREATE VIEW", _CATALOG),
    ("catalog/view/test_view_sql_with_dependencies.test", "CREATE VIEW", _CATALOG),
    ("generated_columns/virtual/gcol_duckdb_columns.test", r"expected 'CAST\(1 AS INTEGER\)'", _CATALOG),
    ("types/test_quotes.test", "expected '(?:CAST|CREATE VIEW)", _CATALOG),
    ("show_select/test_describe_all.test", "'bench'", _CATALOG),
    ("table_function/duckdb_schemas.test", "duckdb_schemas", _CATALOG),
    ("table_function/duckdb_columns.test", "current_database|'renamed'|'not_k'", _VIEWS_NOW),
    ("show_select/show_select_constraints.test", "'NULL', expected 'UNI'", "DESCRIBE of a query tells no keys of the tables in it"),
    ("show_select/show_settings.test", "There is no table", _SHOWN),
    ("show_select/show_settings_extension.test", "There is no table", _SHOWN),
    ("subquery/lateral/pg_lateral.test", "x1", _SERVED),
    ("copy/csv/test_csv_error_message_type.test", "Could not convert", _TYPES),
    ("copy/csv/test_insert_into_types.test", "Could not convert", _TYPES),
    ("copy/csv/test_timestamptz_12926.test", "timestamp_tz.csv", _TYPES),
    ("copy/csv/glob/read_csv_glob.test", r"\\csv", _PATHS),
    ("copy/parquet/file_metadata.test", "expected 'data/", _PATHS),
    ("copy/parquet/metadata_full.test", "expected 'data/", _PATHS),
    ("table_function/read_text_and_blob.test", r"There is no file|expected '\[test", _PATHS),
    ("cte/lazy_cte_bind.test", "There is no file", _THERE),
    ("catalog/sequence/sequence_currval_before_nextval_supported.test", "currval", _SESSION),
    ("catalog/sequence/sequence_currval_before_nextval_wal_supported.test", "currval", _SESSION),
    ("catalog/view/recursive_view.test", "in a circle", "a view that would read itself is not made"),
    ("catalog/dependencies/test_prepare_dependencies_transactions.test", "DROP TABLE", "two writers of the same rows: the second to commit loses"),
    ("merge/merge_into_explain_analyze.test", "'0', expected '200000'", "EXPLAIN ANALYZE of a change undoes it again"),
    ("parser/invisible_spaces.test", "holds no statement", "a text without a statement is an error"),
    ("pivot/pivot_query_text.test", "current_query", "current_query() is the query inside of a statement"),
)  # fmt: skip
"""The file below `test/sql`, what every difference in it has to match, and the rule."""


def own_rule(name: str, wrong: list[str]) -> str:
    """The rule that explains all that is wrong with a file; empty where none does."""
    return next(
        (
            rule
            for path, pattern, rule in RULES
            if name == f"test/sql/{path}" and all(re.search(pattern, item) for item in wrong)
        ),
        "",
    )
