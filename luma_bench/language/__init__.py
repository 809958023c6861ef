"""KadeQL: from text to statements, with offsets back to the user's own text.

`parse` splits, recognises and rewrites; DuckDB's parser judges the grammar through a `SqlInspector`; `relocate` moves an
engine's error into the user's text.
"""

from luma_bench.language.diagnostics import relocate
from luma_bench.language.parse import parse
from luma_bench.language.rewrite import OffsetMap
from luma_bench.language.statement import (
    ColumnDef,
    CreateTable,
    CreateTableAs,
    Describe,
    DropTable,
    Explain,
    Insert,
    Kind,
    Parameter,
    Pin,
    Query,
    ShowTables,
    Statement,
    Summarize,
    TagSnapshot,
)

__all__ = [
    "ColumnDef",
    "CreateTable",
    "CreateTableAs",
    "Describe",
    "DropTable",
    "Explain",
    "Insert",
    "Kind",
    "OffsetMap",
    "Parameter",
    "Pin",
    "Query",
    "ShowTables",
    "Statement",
    "Summarize",
    "TagSnapshot",
    "parse",
    "relocate",
]
