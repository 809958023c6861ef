"""Errors as a browser gets them: a status, and the message, hint and place as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from luma_bench.errors import (
    CancelledError,
    CatalogError,
    CorruptionError,
    EngineError,
    ForbiddenError,
    KadeQLError,
    LumaError,
    RemoteError,
    ResourceError,
    UnsupportedError,
)
from luma_bench.serve.jupyter.units import Units


class RequestError(UnsupportedError):
    """A request that is not as the server takes it."""


class TooLargeError(RequestError):
    """A text that is longer than the server looks at."""


_STATUS: tuple[tuple[type[LumaError], HTTPStatus], ...] = (
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (CatalogError, HTTPStatus.NOT_FOUND),
    (CancelledError, HTTPStatus.GATEWAY_TIMEOUT),
    (RemoteError, HTTPStatus.BAD_GATEWAY),
    (ResourceError, HTTPStatus.SERVICE_UNAVAILABLE),
    (EngineError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (CorruptionError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


def status_of(error: LumaError) -> HTTPStatus:
    """The HTTP status that says what kind of failure it is; 400 where the request itself is wrong."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def failure(error: LumaError) -> dict[str, Any]:
    """What the reply says; the column is counted in UTF-16 code units, from 1, as editors do."""
    if not isinstance(error, KadeQLError):
        return {"message": error.message, "hint": error.hint, "line": None, "column": None}
    column = error.column
    if error.span is not None and column is not None:
        begins = error.span[0] - (column - 1)
        column = Units(error.text[begins : error.span[0]]).units(column - 1) + 1
    return {"message": error.plain, "hint": error.hint, "line": error.line, "column": column}


def told(message: str, hint: str | None = None) -> dict[str, Any]:
    """The same form for what is no error of Luma Bench."""
    return {"message": message, "hint": hint, "line": None, "column": None}
