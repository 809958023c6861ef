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

from luma_bench.errors import (
    CancelledError,
    EngineError,
    KadeQLBindError,
    KadeQLError,
    KadeQLSyntaxError,
    KadeQLUnsupportedError,
    LumaError,
    choices,
    nearest,
)
from luma_bench.plan.engine import ROWS_PREFIX

_PREFIX = re.compile(r"^[A-Z][A-Za-z ]*? Error: ")
_INTERNAL = re.compile(rf'"?{ROWS_PREFIX}([^"\s]*)"?')
_SCHEMAS = re.compile(r'"?(?:temp|memory)"?\.(?:main\.)?')
_MISSING_TABLE = re.compile(r"Table with name \"?(?P<name>.+?)\"? does not exist")
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
    if isinstance(error, duckdb.InterruptException):
        return CancelledError.query(elapsed)
    if isinstance(error, duckdb.OutOfMemoryException):
        return EngineError(
            f"DuckDB ran out of memory: {_sentence(report.message)}",
            hint="Raise memory_limit (lb.open(path, memory_limit=…)), free disk space for spilling, or read less: "
            "fewer columns, a WHERE, an aggregate instead of all rows.",
        )
    if isinstance(error, duckdb.ParserException | duckdb.SyntaxException):
        return KadeQLSyntaxError(
            _sentence(report.message), text=text, span=report.span, hint=_syntax_hint(report)
        )
    if isinstance(error, _WRONG_NAME):
        return _name_error(report, error, text, list(tables))
    if isinstance(error, duckdb.PermissionException) and "file system" in report.message:
        return KadeQLUnsupportedError(
            "A query reads tables of the bench, no files and no network.",
            text=text,
            span=report.span,
            hint="Bring the file in first: bench.write('name', 'path/to/file').",
        )
    if isinstance(error, _UNSUPPORTED):
        return KadeQLUnsupportedError(_sentence(report.message), text=text, span=report.span)
    if isinstance(error, _WRONG_VALUE):
        return _value_error(report, text)
    return EngineError(f"DuckDB: {_sentence(report.message)}")


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
        near = nearest(report.subject, [name for name in report.candidates.split(",") if name])
        return KadeQLBindError(
            f"There is no {_KINDS.get(report.kind, report.kind.lower())} {report.subject!r}.",
            text=text,
            span=report.span,
            hint=f"Did you mean {' or '.join(repr(name) for name in near)}?" if near else None,
        )
    if report.subtype == "COLUMN_NOT_FOUND" and report.candidates:
        known = [_clean(name).strip('"') for name in report.candidates.split(",")]
        return KadeQLBindError(
            f"There is no column {report.subject!r} here.",
            text=text,
            span=report.span,
            hint=choices(report.subject, known, "nearest columns"),
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
    return KadeQLBindError(_sentence(report.message), text=text, span=report.span, hint=_rest(report.message))


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
    first = _clean(message.strip().partition("\n")[0]).rstrip("!. ")
    return f"{first}."


def _rest(message: str) -> str | None:
    """What DuckDB says after its first line, as a hint; None when it advises a setting that is locked here."""
    rest = " ".join(line.strip() for line in message.strip().splitlines()[1:] if line.strip())
    if not rest or "SET " in rest or "INSTALL" in rest or "LOAD " in rest:
        return None
    return _clean(rest)


def _clean(message: str) -> str:
    return _SCHEMAS.sub("", _INTERNAL.sub(r"\1", message))
