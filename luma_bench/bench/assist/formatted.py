"""Formatting of a KadeQL text or cell, as `lb.format_kadeql` sets it out."""

from __future__ import annotations

import functools

from luma_bench.bench.assist.cell import places
from luma_bench.bench.formatting import Formatter
from luma_bench.errors import KadeQLError


def formatted(text: str, *, cell: bool = False) -> str:
    """A text set out anew; of a cell the KadeQL below `%%kadeql`, while its own line and every Python line stay.

    Raises
    ------
    KadeQLSyntaxError
        It does not parse; the place is in `text`.
    """
    if not cell:
        return _formatter()(text)
    found = next((place for place in places(text, cell=True) if not place.line), None)
    if found is None or not found.body.strip():
        return text
    try:
        done = _formatter()(found.body)
    except KadeQLError as error:
        if error.span is None:
            raise
        start, stop = error.span
        raise error.moved(text, (start + found.body_start, stop + found.body_start)) from error
    return text[: found.body_start] + done


@functools.cache
def _formatter() -> Formatter:
    """The formatter with its parser; one a process."""
    return Formatter()
