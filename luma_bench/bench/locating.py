"""Errors of engines and relations, pointing into the text that the user wrote."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from luma_bench.bench.views import in_view
from luma_bench.errors import KadeQLBindError, KadeQLError
from luma_bench.language import Query, relocate
from luma_bench.language.placed import Placed


def located(
    error: KadeQLError, query: Query, prefix: int = 0, span: tuple[int, int] | None = None
) -> KadeQLError:
    """An engine's error, pointing into the user's text; `prefix` characters stood before the query's own SQL.

    One without a place points at `span`.
    """
    shown = _relocated(error, query, prefix)
    return shown.moved(query.whole, span) if shown.span is None and span is not None else shown


def _relocated(error: KadeQLError, query: Query, prefix: int) -> KadeQLError:
    if error.text is query.whole and error.span is not None and query.islands:
        return error  # a graph's relation points into the user's text itself
    below = graphed(error, query)
    if below is not error:
        return below
    for use in query.views:
        if error.text == use.sql and error.text:
            inside = relocate(error, use.query.offsets, use.query.whole)
            return in_view(inside, use.path, query.whole, use.span)
    offsets = query.offsets.shifted(prefix, query.start) if prefix else query.offsets
    return relocate(error, offsets, query.whole)


def graphed(error: KadeQLError, query: Query) -> KadeQLError:
    """An error of a graph's relation, pointing at the view of the user's text that the relation stands in."""
    for use in query.views:
        if use.query.islands and error.text is use.query.whole:
            return in_view(error, use.path, query.whole, use.span)
    return error


def told(stream: pa.RecordBatchReader, query: Query) -> Iterator[pa.RecordBatch]:
    """The batches of a stream, whose errors point into the user's text."""
    try:
        yield from stream
    except KadeQLError as error:
        raise located(error, query) from error


def missing_value(placed: Placed, name: str, hint: str | None = None) -> KadeQLBindError:
    """The error of a parameter without a value, at its place in the text."""
    at = placed.whole.find(f"${name}", placed.start)
    return KadeQLBindError(
        f"Parameter ${name} has no value.",
        text=placed.whole,
        span=(at, at + len(name) + 1) if at >= 0 else None,
        hint=hint or f"Give it: bench.kadeql(text, params={{{name!r}: …}}).",
    )
