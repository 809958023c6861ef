"""What requests hold, read strictly: every wrong field is said by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import msgspec

from luma_bench.serve.jupyter.failures import RequestError, TooLargeError
from luma_bench.serve.jupyter.units import whole

LONGEST = 2_000_000
"""Characters of a text that the server looks at."""
_LARGEST_BODY = 6 * LONGEST + 65_536
"""Bytes of a body: every character of the text may be escaped as six."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class EditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A text, or a whole notebook cell, and the place in it.

    Attributes
    ----------
    text
        The text.
    offset
        The place that hover and completion are about, in UTF-16 code units.
    cell
        Whether the text is a whole cell, whose first line may be `%%kadeql …`.
    bench
        The bench that names are looked up in; None for none.
    at
        The snapshot to look at; None for the newest.
    """

    text: str
    offset: _Count = 0
    cell: bool = False
    bench: str | None = None
    at: str | int | None = None


class BenchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A bench at a snapshot."""

    bench: str
    at: str | None = None


class TableQuery(BenchQuery, frozen=True, kw_only=True):
    """A table or view of a bench at a snapshot."""

    name: str


class ColumnsQuery(TableQuery, frozen=True, kw_only=True):
    """Its columns; with bounds and counts of NULL unless `statistics` is false, with distinct values when they are asked for."""

    statistics: bool = True
    distinct: bool = False


class PreviewQuery(TableQuery, frozen=True, kw_only=True):
    """The first rows of a table or view."""

    rows: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20


class SnapshotsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a bench's snapshots: those older than `before`."""

    bench: str
    before: _Count | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


def edit_request(body: bytes) -> EditRequest:
    """The request in a body of JSON.

    Raises
    ------
    RequestError, TooLargeError
        The body is none, or its text is longer than two million characters.
    """
    if len(body) > _LARGEST_BODY:
        raise _too_large()
    try:
        # Not msgspec's own parser: it takes no half of a surrogate pair, which an editor may hold for a moment.
        held = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The request is no JSON: {error}.", hint=_FORM) from error
    try:
        found = msgspec.convert(held, EditRequest)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request is wrong: {error}.", hint=_FORM) from error
    if len(found.text) > LONGEST:
        raise _too_large()
    return msgspec.structs.replace(found, text=whole(found.text))


def query[T: msgspec.Struct](kind: type[T], arguments: Mapping[str, str]) -> T:
    """The request in an address's arguments; those that are empty are as if they were left out.

    Raises
    ------
    RequestError
        One is missing, or not of its kind.
    """
    given = {name: value for name, value in arguments.items() if value}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        names = ", ".join(field.name for field in msgspec.structs.fields(kind))
        raise RequestError(f"The request is wrong: {error}.", hint=f"The arguments are: {names}.") from error


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"The text is longer than {LONGEST:,} characters.", hint="Divide it into several cells."
    )


_FORM = 'Send an object such as {"text": "SELECT 1", "cell": false, "bench": null}.'
