"""KadeQL: from text to statements, with offsets back to the user's own text.

`parse` splits, recognises and rewrites; DuckDB's parser judges the grammar through a `SqlInspector`; `relocate` moves an
engine's error into the user's text.
"""

from luma_bench.language.changes import (
    AddColumn,
    Alteration,
    AlterTable,
    Assignment,
    Begin,
    ColumnDef,
    CommentOn,
    Commit,
    CreateTable,
    CreateTableAs,
    Delete,
    DropColumn,
    DropTable,
    Insert,
    RenameColumn,
    RenameTable,
    Rollback,
    SetDefault,
    SetNullable,
    SetOptions,
    SetType,
    Truncate,
    Update,
    new_value,
)
from luma_bench.language.diagnostics import relocate
from luma_bench.language.parse import parse
from luma_bench.language.placed import Kind, Parameter, Pin, Query
from luma_bench.language.rewrite import Edit, OffsetMap, rewritten
from luma_bench.language.statement import (
    Describe,
    Explain,
    ShowTables,
    Statement,
    Summarize,
    TagSnapshot,
)

__all__ = [
    "AddColumn",
    "AlterTable",
    "Alteration",
    "Assignment",
    "Begin",
    "ColumnDef",
    "CommentOn",
    "Commit",
    "CreateTable",
    "CreateTableAs",
    "Delete",
    "Describe",
    "DropColumn",
    "DropTable",
    "Edit",
    "Explain",
    "Insert",
    "Kind",
    "OffsetMap",
    "Parameter",
    "Pin",
    "Query",
    "RenameColumn",
    "RenameTable",
    "Rollback",
    "SetDefault",
    "SetNullable",
    "SetOptions",
    "SetType",
    "ShowTables",
    "Statement",
    "Summarize",
    "TagSnapshot",
    "Truncate",
    "Update",
    "new_value",
    "parse",
    "relocate",
    "rewritten",
]
