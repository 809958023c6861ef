"""The options of COPY, as the readers and writers of files take them; every one that is not served is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from luma_bench.errors import KadeQLUnsupportedError, choices
from luma_bench.language.copy import CopyFrom, CopyOption, CopyTo
from luma_bench.language.files import reader_of
from luma_bench.types.sql_text import string_literal

if TYPE_CHECKING:
    from luma_bench.engines.duck_export import ExportOptions

READERS: Final[Mapping[str, str]] = {
    "csv": "read_csv", "parquet": "read_parquet", "json": "read_json", "arrow": "read_arrow",
}  # fmt: skip
_CSV: Final[Mapping[str, str]] = {
    "header": "header", "delimiter": "delim", "delim": "delim", "sep": "delim", "quote": "quote", "escape": "escape",
    "null": "nullstr", "nullstr": "nullstr", "skip": "skip", "dateformat": "dateformat", "date_format": "dateformat",
    "timestampformat": "timestampformat", "timestamp_format": "timestampformat", "decimal_separator": "decimal_separator",
    "thousands": "thousands", "encoding": "encoding", "comment": "comment", "force_not_null": "force_not_null",
    "ignore_errors": "ignore_errors", "null_padding": "null_padding", "auto_detect": "auto_detect",
    "sample_size": "sample_size", "strict_mode": "strict_mode", "max_line_size": "max_line_size",
    "maximum_line_size": "max_line_size", "new_line": "new_line", "compression": "compression", "parallel": "parallel",
    "allow_quoted_nulls": "allow_quoted_nulls",
}  # fmt: skip
_JSON: Final[Mapping[str, str]] = {
    "array": "format", "auto_detect": "auto_detect", "ignore_errors": "ignore_errors", "dateformat": "dateformat",
    "timestampformat": "timestampformat", "compression": "compression", "sample_size": "sample_size",
    "maximum_object_size": "maximum_object_size",
}  # fmt: skip
_SERVED: Final[Mapping[str, Mapping[str, str]]] = {"csv": _CSV, "json": _JSON, "parquet": {}, "arrow": {}}
_WORDS: Final = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
_FLAGS: Final = frozenset(
    {
        "header",
        "ignore_errors",
        "null_padding",
        "auto_detect",
        "strict_mode",
        "parallel",
        "allow_quoted_nulls",
        "array",
    }
)
"""Options that may stand without a value, for true."""
_REJECTS: Final = frozenset({"store_rejects", "rejects_table", "rejects_scan", "rejects_limit"})
_SPLITS: Final = frozenset(
    {
        "partition_by",
        "per_thread_output",
        "file_size_bytes",
        "filename_pattern",
        "append",
        "write_partition_columns",
    }
)
_TO: Final = {
    "csv": frozenset(
        {"header", "delimiter", "null", "quote", "escape", "force_quote", "dateformat", "timestampformat", "compression"}
    ),
    "json": frozenset({"array", "compression", "dateformat", "timestampformat"}),
    "parquet": frozenset({"compression", "row_group_size"}),
    "arrow": frozenset({"compression"}),
}  # fmt: skip
_SYNONYMS: Final = {
    "delim": "delimiter", "sep": "delimiter", "nullstr": "null", "codec": "compression", "date_format": "dateformat",
    "timestamp_format": "timestampformat",
}  # fmt: skip
_SAME: Final = frozenset({"overwrite", "use_tmp_file"})
_NO_FORMAT: Final = "The formats are: csv, parquet, json, arrow."


def format_of(statement: CopyFrom | CopyTo, name: str, default: str) -> str:
    """csv, parquet, json or arrow: as FORMAT says, else as the ending says, else CSV as in DuckDB."""
    given = next((option for option in statement.options if option.name == "format"), None)
    if given is None:
        reader = reader_of(name) or ""
        return next((kind for kind, known in READERS.items() if known == reader), default)
    kind = given.values[0].casefold() if given.values else ""
    kind = {"ndjson": "json", "feather": "arrow", "ipc": "arrow", "arrows": "arrow", "tsv": "csv"}.get(
        kind, kind
    )
    if kind not in READERS:
        raise unsupported(statement, f"COPY has no format {kind!r}.", given.span, _NO_FORMAT)
    return kind


def read_options(statement: CopyFrom, kind: str) -> dict[str, str]:
    """The options as the reader takes them.

    Raises
    ------
    KadeQLUnsupportedError
        One is not served, or has no such value.
    """
    found: dict[str, str] = {}
    for option in statement.options:
        if option.name == "format":
            continue
        if option.name in _REJECTS:
            hint = "Keep broken lines in a table: bench.write(name, path, mode='append', rejects='bad_rows')."
            raise unsupported(statement, f"COPY has no option {option.name.upper()} here.", option.span, hint)
        served = _SERVED[kind]
        if option.name not in served:
            raise _unserved(statement, option, kind, served)
        name = served[option.name]
        if not option.values and option.name not in _FLAGS:
            _one(statement, option)
        value = _sql(statement, option)
        if kind == "json" and name == "format":
            value = "'array'" if _flag(statement, option) else "'newline_delimited'"
        found[name] = value
    return found


def export_options(statement: CopyTo, kind: str) -> tuple[str | None, ExportOptions]:
    """The form of the file where an option says it, and the options as the writer takes them."""
    from luma_bench.engines.duck_export import ExportOptions

    form: str | None = None
    given: dict[str, Any] = {}
    for option in statement.options:
        name = _SYNONYMS.get(option.name, option.name)
        if name == "format":
            continue
        if name in _SAME and _flag(statement, option):
            continue  # a file is always replaced whole
        if name in _SPLITS:
            hint = "Write a file for each part: COPY (SELECT … WHERE k = 1) TO 'k1.parquet'."
            raise unsupported(
                statement, f"COPY writes one file, without {option.name.upper()}.", option.span, hint
            )
        if name not in _TO[kind]:
            raise _unserved(statement, option, kind, dict.fromkeys(_TO[kind], ""))
        match name:
            case "array":
                form = "json" if _flag(statement, option) else "ndjson"
            case "header":
                given["header"] = _flag(statement, option)
            case "row_group_size":
                given["row_group_rows"] = _number(statement, option)
            case "force_quote":
                given["force_quote"] = option.values
            case _:
                value = _one(statement, option)
                given[name] = value.casefold() if name == "compression" else value
    if given.get("compression") == "uncompressed":
        given["compression"] = "none"
    return form, ExportOptions(**given)


def _sql(statement: CopyFrom, option: CopyOption) -> str:
    if option.listed:
        return f"[{', '.join(map(string_literal, option.values))}]"
    if not option.values:
        return "true"
    value = option.values[0]
    if value.casefold() in ("true", "false", "on", "off") and not option.sql.lstrip().startswith("'"):
        return "true" if _WORDS[value.casefold()] else "false"
    number = value.removeprefix("-").replace(".", "", 1).isdigit() and "'" not in option.sql
    return value if number else string_literal(value)


def _flag(statement: CopyFrom | CopyTo, option: CopyOption) -> bool:
    if not option.values:
        return True
    found = _WORDS.get(option.values[0].casefold())
    if found is None or option.listed:
        raise unsupported(
            statement, f"{option.name.upper()} is true or false.", option.span, "Write true or false."
        )
    return found


def _number(statement: CopyTo, option: CopyOption) -> int:
    value = _one(statement, option).replace("_", "")
    if not value.isdecimal():
        raise unsupported(
            statement, f"{option.name.upper()} is a whole number.", option.span, "Write it like 100000."
        )
    return int(value)


def _one(statement: CopyFrom | CopyTo, option: CopyOption) -> str:
    if option.listed or len(option.values) != 1:
        raise unsupported(
            statement, f"{option.name.upper()} takes one value.", option.span, "Write it like NULL 'NA'."
        )
    return option.values[0]


def _unserved(
    statement: CopyFrom | CopyTo, option: CopyOption, kind: str, served: Mapping[str, str]
) -> KadeQLUnsupportedError:
    way = "from" if isinstance(statement, CopyFrom) else "to"
    message = f"COPY {way} a {kind} file has no option {option.name.upper()}."
    return unsupported(statement, message, option.span, choices(option.name, sorted(served), "options"))


def unsupported(
    statement: CopyFrom | CopyTo, message: str, span: tuple[int, int], hint: str | None
) -> KadeQLUnsupportedError:
    """The error of what COPY does not serve, at its place."""
    return KadeQLUnsupportedError(message, text=statement.whole, span=span, hint=hint)
