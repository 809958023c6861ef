"""The columns of the relations that tell of the catalog: DuckDB's own, in its order, and the standard's for graphs.

A column is a name, and behind `:` its type where that is not VARCHAR: `i` INTEGER, `l` BIGINT, `b` BOOLEAN, `n` BIGINT[],
`t` VARCHAR[], `m` MAP(VARCHAR, VARCHAR).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from luma_bench.language.keywords import split

_AT: Final = "database_name database_oid:l schema_name schema_oid:l"
_RULE: Final = "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name"
_COLUMNS: Final[Mapping[str, str]] = {
    "information_schema.schemata": """
    catalog_name schema_name schema_owner default_character_set_catalog
    default_character_set_schema default_character_set_name sql_path
    """,
    "information_schema.tables": """
    table_catalog table_schema table_name table_type self_referencing_column_name
    reference_generation user_defined_type_catalog user_defined_type_schema
    user_defined_type_name is_insertable_into is_typed commit_action TABLE_COMMENT
    """,
    "information_schema.columns": """
    table_catalog table_schema table_name column_name ordinal_position:i column_default
    is_nullable data_type character_maximum_length:i character_octet_length:i
    numeric_precision:i numeric_precision_radix:i numeric_scale:i datetime_precision:i
    interval_type interval_precision:i character_set_catalog character_set_schema
    character_set_name collation_catalog collation_schema collation_name domain_catalog
    domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema
    scope_name maximum_cardinality:l dtd_identifier is_self_referencing:b is_identity:b
    identity_generation identity_start identity_increment identity_maximum identity_minimum
    identity_cycle:b is_generated generation_expression is_updatable:b COLUMN_COMMENT
    """,
    "information_schema.views": """
    table_catalog table_schema table_name view_definition check_option is_updatable
    is_insertable_into is_trigger_updatable is_trigger_deletable is_trigger_insertable_into
    """,
    "information_schema.table_constraints": f"""
    {_RULE} constraint_type is_deferrable initially_deferred enforced nulls_distinct
    """,
    "information_schema.key_column_usage": f"""
    {_RULE} column_name ordinal_position:l position_in_unique_constraint:l
    """,
    "information_schema.referential_constraints": """
    constraint_catalog constraint_schema constraint_name unique_constraint_catalog
    unique_constraint_schema unique_constraint_name match_option update_rule delete_rule
    """,
    "information_schema.sequences": """
    sequence_catalog sequence_schema sequence_name data_type numeric_precision:i
    numeric_precision_radix:i numeric_scale:i start_value:l minimum_value:l maximum_value:l
    increment:l cycle_option
    """,
    "information_schema.property_graphs": """
    property_graph_catalog property_graph_schema property_graph_name PROPERTY_GRAPH_COMMENT
    """,
    "information_schema.pg_element_tables": """
    property_graph_catalog property_graph_schema property_graph_name element_table_alias
    element_table_kind table_catalog table_schema table_name element_table_definition
    key_columns:t labels:t properties:t source_columns:t source_element source_keys:t
    destination_columns:t destination_element destination_keys:t valid_from valid_to
    """,
    "duckdb_schemas()": """
    oid:l database_name database_oid:l schema_name comment tags:m internal:b sql parent_schema
    parent_schema_oid:l
    """,
    "duckdb_tables()": f"""
    {_AT} table_name table_oid:l comment tags:m internal:b temporary:b has_primary_key:b
    estimated_size:l column_count:l index_count:l check_constraint_count:l sql
    """,
    "duckdb_views()": f"""
    {_AT} view_name view_oid:l comment tags:m internal:b temporary:b column_count:l sql
    is_bound:b
    """,
    "duckdb_columns()": f"""
    {_AT} table_name table_oid:l column_name column_index:i comment internal:b column_default
    is_nullable:b data_type data_type_id:l character_maximum_length:i numeric_precision:i
    numeric_precision_radix:i numeric_scale:i tags:m is_generated:b generation_expression
    """,
    "duckdb_constraints()": f"""
    {_AT} table_name table_oid:l constraint_index:l constraint_type constraint_text expression
    constraint_column_indexes:n constraint_column_names:t constraint_name referenced_table
    referenced_column_names:t
    """,
    "duckdb_sequences()": f"""
    {_AT} sequence_name sequence_oid:l comment tags:m temporary:b start_value:l min_value:l
    max_value:l increment_by:l cycle:b last_value:l sql
    """,
}
_KINDS: Final[Mapping[str, pa.DataType]] = {
    "": pa.string(),
    "i": pa.int32(),
    "l": pa.int64(),
    "b": pa.bool_(),
    "n": pa.list_(pa.int64()),
    "t": pa.list_(pa.string()),
    "m": pa.map_(pa.string(), pa.string()),
}


def columns_of(relation: str) -> pa.Schema:
    """The columns of a relation that tells of the catalog."""
    return pa.schema([_field(column) for column in split(_COLUMNS[relation])])


def _field(column: str) -> pa.Field:
    name, _, kind = column.partition(":")
    return pa.field(name, _KINDS[kind])
