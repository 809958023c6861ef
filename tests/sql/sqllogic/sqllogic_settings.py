"""What a file says to DuckDB's configuration: skipped where no answer depends on it, given to the engine where one does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_SETTING = re.compile(
    r"^\s*(?P<verb>PRAGMA|SET|RESET)\s+(?:(?:SESSION|GLOBAL|LOCAL)\s+)?(?P<name>\w+)\s*(?:(?:=|TO\b)\s*(?P<value>.*?)|\((?P<called>[^()]*)\))?\s*;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_NO_EFFECT = re.compile(
    r"^\s*(?:(?:FORCE\s+)?CHECKPOINT|VACUUM|ANALYZE)\s*(?:ANALYZE)?\s*;?\s*$", re.IGNORECASE
)
_HARMLESS = re.compile(
    r"^(?:enable_verification|disable_verification|(?:verify|debug|profiling|force|allocator|arrow|log|partitioned_write|write_buffer|"
    r"experimental|autoinstall|autoload|index_scan|dynamic_or)_\w+|\w*(?:optimizer|optimizers|profiling|profile_output|progress_bar|"
    r"checkpoint_on_shutdown|join_threshold|shredding_size|memory_limit|temp_directory_size)|threads|worker_threads|external_threads|"
    r"max_memory|explain_output|custom_profiling_settings|perfect_ht_threshold|prefer_range_joins|wal_autocheckpoint|"
    r"checkpoint_threshold|immediate_transaction_mode|enable_caching_operators|temp_directory|delim_join_as_cte|"
    r"preserve_insertion_order|pivot_filter_threshold|late_materialization_max_rows|storage_compatibility_version|"
    r"streaming_buffer_size|read_ahead_depth|async_threads|parquet_prefetch_\w+|profiling_\w+|ordered_aggregate_threshold|secret_directory|home_directory|scheduler_process_partial|"
    r"enable_object_cache|enable_http_metadata_cache|parquet_metadata_cache|errors_as_json|allow_persistent_secrets|"
    r"enable_view_dependencies|produce_arrow_string_view|default_block_size)$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"^[\w .:+/-]*$")
_ENGINE = frozenset({
    "default_null_order", "default_order", "null_order", "ieee_floating_point_ops", "integer_division",
    "scalar_subquery_error_on_multiple_rows", "lambda_syntax", "order_by_non_integer_literal",
    "regex_match_operator_semantics", "old_implicit_casting", "max_expression_depth", "pivot_limit",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """What the runner does with a statement instead of running it.

    Attributes
    ----------
    effect
        `none` changes no answer; `engine` is given to DuckDB when it starts; `zone` is the bench's own `timezone`.
    value
        None where the default is back.
    """

    effect: Literal["none", "engine", "zone"]
    name: str = ""
    value: str | None = None


def setting(sql: str) -> Setting | None:
    """The setting that a statement is about, when the runner takes it from the file; None when it runs as KadeQL."""
    if _NO_EFFECT.match(sql):
        return Setting("none")
    found = _SETTING.match(sql)
    if found is None:
        return None
    name = found["name"].casefold()
    given = found["value"] if found["called"] is None else found["called"]
    value = None if found["verb"].upper() == "RESET" or given is None else given.strip().strip("'\"")
    if _HARMLESS.match(name) or (name == "calendar" and value == "gregorian"):
        return Setting("none")
    if value is not None and not _PLAIN.match(value):
        return None
    if name == "timezone":
        return Setting("zone", name, value)
    if name in _ENGINE:
        return Setting("engine", "default_null_order" if name == "null_order" else name, value)
    return None
