"""DuckDB's exceptions as the bench's errors: one sentence, the place in the fragment, and real choices as a hint.

The connections run with `errors_as_json`, so that a message comes with its byte position, its subject and its
candidates. Names that only this room knows never reach a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from luma_bench.engines.duck_advice import (
    BIND_FIX,
    RUN_TIME_FIX,
    advice,
    other_function,
    plain_types,
    without_settings,
)
from luma_bench.engines.duck_kinds import SCAN_PREFIX
from luma_bench.engines.duck_place import place_of
from luma_bench.errors import (
    CancelledError,
    EngineError,
    KadeQLBindError,
    KadeQLError,
    KadeQLSyntaxError,
    KadeQLUnsupportedError,
    LumaError,
    ResourceError,
    choices,
    nearest,
)
from luma_bench.plan.engine import ROWS_PREFIX
from luma_bench.types.schema import ROW_ID

_PREFIX = re.compile(r"^[A-Z][A-Za-z ]*? Error: ")
_INTERNAL = re.compile(rf'"?(?:{ROWS_PREFIX}|{SCAN_PREFIX})([^"\s]*)"?')
_SCHEMAS = re.compile(r'"?(?:temp|memory)"?\.(?:main\.)?')
_MISSING_TABLE = re.compile(r"Table with name \"?(?P<name>.+?)\"? does not exist")
_ROWID = re.compile(r"(?:[\w\"]+\.)?\"?rowid\b", re.IGNORECASE)
_OPTION = re.compile(r'Invalid named parameter "(?P<name>\w+)" for function (?P<of>\w+)')
_OWN_COLUMNS = frozenset({ROW_ID, "excluded"})
"""Columns of rows that are found, and the row that ON CONFLICT has: no column of a table."""
_UNSUPPORTED = (duckdb.NotImplementedException, duckdb.PermissionException)
_WRONG_NAME = (duckdb.BinderException, duckdb.CatalogException)
_WRONG_VALUE = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.TypeMismatchException,
    duckdb.ConstraintException,
    duckdb.SequenceException,
)


_SPILL = ("max_temp_directory_size", "temp_directory_size", "offload data block")
_DISK_FULL = ("No space left on device", "Disk quota exceeded", "duckdb_temp_storage")
_KINDS = {"Scalar Function": "function", "Aggregate Function": "function", "Macro Function": "function"}
_BY_PREFIX: dict[str, type[duckdb.Error]] = {
    "Binder": duckdb.BinderException,
    "Catalog": duckdb.CatalogException,
    "Constraint": duckdb.ConstraintException,
    "Conversion": duckdb.ConversionException,
    "FATAL": duckdb.FatalException,
    "INTERNAL": duckdb.InternalException,
    "INTERRUPT": duckdb.InterruptException,
    "IO": duckdb.IOException,
    "Invalid Input": duckdb.InvalidInputException,
    "Invalid type": duckdb.InvalidTypeException,
    "Mismatch Type": duckdb.TypeMismatchException,
    "Not implemented": duckdb.NotImplementedException,
    "Out of Memory": duckdb.OutOfMemoryException,
    "Out of Range": duckdb.OutOfRangeException,
    "Permission": duckdb.PermissionException,
}


_TYPES = (
    "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "VARCHAR", "BOOLEAN", "DATE", "TIME",
    "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "BLOB", "UUID", "JSON",
)  # fmt: skip
_LAST_FIX: dict[type[KadeQLError], str] = {KadeQLError: RUN_TIME_FIX, KadeQLBindError: BIND_FIX}


@dataclass(frozen=True, slots=True)
class Report:
    """What DuckDB says about one failure; `span` is in characters of the statement's text."""

    message: str
    span: tuple[int, int] | None = None
    subject: str = ""
    kind: str = ""
    subtype: str = ""
    candidates: str = ""


def read_report(error: BaseException, text: str, shift: int = 0) -> Report:
    """The report inside a DuckDB exception.

    Parameters
    ----------
    text
        The user's statement.
    shift
        How many characters (ASCII) stood before `text` in what DuckDB ran.
    """
    body = _PREFIX.sub("", str(error), count=1)
    try:
        found: dict[str, Any] = json.loads(body)
    except ValueError:
        return Report(body)
    return Report(
        str(found.get("exception_message", body)),
        _span(found, text, shift),
        str(found.get("name", "")),
        str(found.get("type", "")),
        str(found.get("error_subtype", "")),
        str(found.get("candidates", "")),
    )


def duckdb_error(error: BaseException) -> duckdb.Error | None:
    """The DuckDB exception that this one is, or that an Arrow stream of DuckDB's carries as its text."""
    if isinstance(error, duckdb.Error):
        return error
    prefix, found, _ = str(error).partition(" Error: ")
    kind = _BY_PREFIX.get(prefix) if found else None
    return None if kind is None else kind(str(error))


def missing_table(error: BaseException) -> str | None:
    """The name of the table whose absence this exception reports, else None."""
    if not isinstance(error, duckdb.CatalogException):
        return None
    report = read_report(error, "")
    match = _MISSING_TABLE.match(report.message)
    return None if match is None else report.subject or match["name"]


def as_luma_error(
    error: duckdb.Error, text: str, tables: Iterable[str], elapsed: float, shift: int = 0
) -> LumaError:
    """The bench's error for a DuckDB exception that ended `text`; `tables` are the names it could have meant."""
    report = read_report(error, text, shift)
    told = _as_luma_error(error, report, text, tables, elapsed)
    if not isinstance(told, KadeQLError) or not text or (told.span is not None and told.hint is not None):
        return told
    shown = type(told)(
        told.plain,
        text=text,
        span=told.span or place_of(report.message, text),
        hint=told.hint or _LAST_FIX.get(type(told)),
    )
    shown.__cause__ = told.__cause__
    return shown


def _as_luma_error(
    error: duckdb.Error, report: Report, text: str, tables: Iterable[str], elapsed: float
) -> LumaError:
    if isinstance(error, duckdb.InterruptException):
        return CancelledError.query(elapsed)
    if isinstance(error, duckdb.OutOfMemoryException):
        full = any(word in report.message for word in (*_SPILL, *_DISK_FULL))
        return (ResourceError.spill if full else ResourceError.memory)(_sentence(report.message))
    if isinstance(error, duckdb.IOException) and any(word in report.message for word in _DISK_FULL):
        return ResourceError.spill(_sentence(report.message))
    refusal = _refusal(report, text) if isinstance(error, _WRONG_NAME) else None
    if refusal is not None:
        return refusal
    family = _family_error(report, error, text)
    if family is not None:
        return family
    if isinstance(error, duckdb.ParserException | duckdb.SyntaxException):
        return KadeQLSyntaxError(
            _sentence(report.message), text=text, span=report.span, hint=_syntax_hint(report)
        )
    if isinstance(error, _WRONG_NAME):
        return _name_error(report, error, text, list(tables))
    if isinstance(error, duckdb.PermissionException) and "file system" in report.message:
        hint = "Bring the file in first: bench.write('name', 'path/to/file')."
        if re.search(r'(?:FROM|JOIN|,)\s*"[^"]+\.\w+"', text, re.IGNORECASE):
            hint = "A file stands in single quotes: FROM 'data.csv'. What stands in double quotes is the name of a table."
        what = "A query reads tables of the bench, no files and no network."
        return KadeQLUnsupportedError(what, text=text, span=report.span, hint=hint)
    if "CSV Error on Line" in report.message or 'in file "' in report.message:
        return _file_error(error, report, text)
    if isinstance(error, _UNSUPPORTED):
        return KadeQLUnsupportedError(_sentence(report.message), text=text, span=report.span)
    if isinstance(error, _WRONG_VALUE):
        return _value_error(report, text)
    return EngineError(f"DuckDB: {_sentence(report.message)}")


def _family_error(report: Report, error: duckdb.Error, text: str) -> LumaError | None:
    """The error of a message whose family is known; None for another."""
    if report.subtype == "COLUMN_NOT_FOUND" and report.candidates:
        return None
    if 'in file "' in report.message or "CSV Error on Line" in report.message:
        return None
    found = advice(_clean(report.message))
    if found is None:
        return None
    family, said, fix = found
    kinds: dict[str, type[KadeQLError]] = {
        "bind": KadeQLBindError, "value": KadeQLError, "syntax": KadeQLSyntaxError
    }  # fmt: skip
    kind = kinds.get(family.kind) or _class_of(error)
    span = report.span or place_of(report.message, text)
    return kind(_sentence(said), text=text, span=span, hint=_clean(fix))


def _class_of(error: duckdb.Error) -> type[KadeQLError]:
    if isinstance(error, duckdb.ParserException | duckdb.SyntaxException):
        return KadeQLSyntaxError
    if isinstance(error, _WRONG_NAME):
        return KadeQLBindError
    return KadeQLUnsupportedError if isinstance(error, _UNSUPPORTED) else KadeQLError


def _file_error(error: duckdb.Error, report: Report, text: str) -> LumaError:
    """What is wrong with a file that a query reads: its name, line and column."""
    from luma_bench.engines.duck_text import text_error

    told = text_error(error, (), "json" if report.message.startswith("Malformed") else "csv")
    hint = (
        "Correct the file, or read around it: types, nullstr, skip, all_varchar = true, ignore_errors = true."
    )
    return KadeQLError(told.message, text=text, span=report.span, hint=hint)


def _refusal(report: Report, text: str) -> KadeQLUnsupportedError | None:
    """The refusal of what DuckDB's own tables have and a bench's have not; None for any other error."""
    # A name behind a dot stands behind the place of what it belongs to.
    if report.span is not None and _ROWID.match(text, report.span[0]):
        what = "rowid is refused: a row has no place of its own in a table, and changes move it."
        hint = "Name rows by their columns; number them with row_number() OVER (ORDER BY …)."
        return KadeQLUnsupportedError(what, text=text, span=report.span, hint=hint)
    if "required statistics" in report.message:
        what = "bitstring_agg() without bounds is refused: it takes them from statistics that a bench does not hand out."
        hint = "Give the bounds: bitstring_agg(x, min, max)."
        return KadeQLUnsupportedError(what, text=text, span=report.span, hint=hint)
    return None


def _name_error(report: Report, error: duckdb.Error, text: str, tables: list[str]) -> LumaError:
    missing = missing_table(error)
    if missing is not None:
        return KadeQLBindError(
            f"There is no table {missing!r}.",
            text=text,
            span=report.span,
            hint=choices(missing, tables, "tables"),
        )
    if report.subtype == "MISSING_ENTRY" and report.kind:
        candidates = [name for name in report.candidates.split(",") if name]
        return KadeQLBindError(
            f"There is no {_KINDS.get(report.kind, report.kind.lower())} {report.subject!r}.",
            text=text,
            span=report.span,
            hint=_instead_of(report.kind, report.subject, candidates),
        )
    if report.subtype == "COLUMN_NOT_FOUND" and report.subject.casefold() == ROW_ID:
        return KadeQLBindError(
            f"There is no column {ROW_ID!r} here.",
            text=text,
            span=report.span,
            hint=f"A stored table gives its row ids by name: SELECT {ROW_ID}, * FROM with_rowid(t).",
        )
    if report.subtype == "COLUMN_NOT_FOUND" and report.candidates:
        known = [_clean(name).strip('"') for name in report.candidates.split(",")]
        # Names with @ are those of a relation that stands for a construct.
        known = [name for name in known if name not in _OWN_COLUMNS and not name.startswith("@")]
        return KadeQLBindError(
            f"There is no column {report.subject!r} here.",
            text=text,
            span=report.span,
            hint=_quoted(report, text)
            or (choices(report.subject, known, "nearest columns") if known else BIND_FIX),
        )
    if report.subtype == "NO_MATCHING_FUNCTION":
        first, _, rest = report.message.partition("\n")
        if not report.subject.isidentifier():
            hint = "Cast a side, so that both are of one kind: x::DOUBLE, x::VARCHAR, x::DATE."
            return KadeQLBindError(
                _sentence(first.partition(" You might")[0]), text=text, span=report.span, hint=hint
            )
        offered = [_clean(line.strip()) for line in rest.splitlines() if " -> " in line]
        shown = "; ".join(offered[:4]) + (f"; and {len(offered) - 4} more" if len(offered) > 4 else "")
        return KadeQLBindError(
            _sentence(first), text=text, span=report.span, hint=f"It takes: {shown}" if offered else None
        )
    if (option := _OPTION.match(report.message)) is not None:
        written = re.search(rf"\b{option['name']}\b(?=\s*:?=)", text, re.IGNORECASE)
        return KadeQLBindError(
            f"{option['of']} has no option {option['name']!r}.",
            text=text,
            span=report.span if written is None else written.span(),
            hint=f"Correct its name, or leave it out: the options are those of DuckDB's {option['of']}.",
        )
    return KadeQLBindError(_sentence(report.message), text=text, span=report.span, hint=_rest(report.message))


def _quoted(report: Report, text: str) -> str | None:
    """What to do about a column that is written like a text."""
    if report.span is None or text[report.span[0] : report.span[0] + 1] != '"':
        return None
    return f"A text stands in single quotes: '{report.subject}'. Double quotes hold names."


def _value_error(report: Report, text: str) -> LumaError:
    message = report.message
    if message.startswith("Values were not provided for the following parameters:"):
        names = message.partition(":")[2].strip()
        return KadeQLBindError(
            f"The parameter ${names.replace(', ', ', $')} has no value.",
            text=text,
            span=_parameter_span(names.split(",")[0].strip(), text),
            hint="Give it: bench.kadeql(text, params={'name': value}).",
        )
    if "identifiers of the excess parameters:" in message:
        names = message.rpartition(":")[2].strip()
        return KadeQLBindError(
            f"The text has no parameter ${names}.", hint="Leave it out of params, or write $name in the text."
        )
    return KadeQLError(_sentence(message), text=text, span=report.span, hint=_rest(message))


def _instead_of(kind: str, name: str, candidates: list[str]) -> str:
    if "Function" in kind:
        return other_function(name, candidates, table="Table" in kind)
    known = candidates if kind != "Type" else [*candidates, *_TYPES]
    near = nearest(name, known)
    if near:
        return f"Did you mean {' or '.join(repr(one) for one in near)}?"
    return (
        f"The types are: {', '.join(_TYPES)}, STRUCT(…), MAP(…), and lists of them: INTEGER[]."
        if kind == "Type"
        else BIND_FIX
    )


def _parameter_span(name: str, text: str) -> tuple[int, int] | None:
    match = re.search(rf"\${re.escape(name)}(?!\w)", text)
    return None if match is None else match.span()


def _syntax_hint(report: Report) -> str | None:
    return _rest(report.message)


def _span(found: dict[str, Any], text: str, shift: int) -> tuple[int, int] | None:
    """Byte offsets of DuckDB's UTF-8 text as character offsets of ours."""
    try:
        start, length = json.loads(found["location"])
    except (KeyError, ValueError, TypeError):
        return None
    data = text.encode()
    first, last = start - shift, start - shift + max(1, length)
    if first < 0 or first > len(data):
        return None
    return len(data[:first].decode(errors="replace")), len(data[:last].decode(errors="replace"))


def _sentence(message: str) -> str:
    """The first line, with a full stop and without this room's own names."""
    first = _clean(without_settings(message.strip().partition("\n")[0])).rstrip("!. ")
    return f"{plain_types(first)}."


def _rest(message: str) -> str | None:
    """What DuckDB says after its first line, as a hint; None when it advises a setting that is locked here."""
    if "Candidate functions:" in message:
        offered = [_clean(line.strip()) for line in message.splitlines() if " -> " in line]
        return f"It takes: {'; '.join(offered[:4])}{'; and more' if len(offered) > 4 else ''}"
    rest = " ".join(line.strip() for line in message.strip().splitlines()[1:] if line.strip())
    if not rest or "SET " in rest or "INSTALL" in rest or "LOAD " in rest:
        return None
    return _clean(rest)


def _clean(message: str) -> str:
    return _SCHEMAS.sub("", _INTERNAL.sub(r"\1", message))
