"""Errors that point into the text a front end showed, when it sent the bench a longer or a shorter one."""

from __future__ import annotations

from luma_bench.errors import KadeQLError, LumaError

EXPLAIN = "EXPLAIN "


def explaining(text: str) -> str:
    """The text that asks for a statement's plan; one that asks already stays as it is."""
    return text if text.lstrip().upper().startswith(EXPLAIN) else EXPLAIN + text


def moved_error(error: LumaError, of: str, whole: str, shift: int) -> LumaError:
    """An error that points into `of`, pointing at the same place in `whole`, where `of` begins at `shift`.

    `shift` is negative when `of` has a prefix that `whole` lacks; an error in that prefix stays as it is, and so
    does one that points into another text or nowhere.
    """
    if isinstance(error, KadeQLError) and error.span is not None and error.text == of:
        start, stop = error.span
        if start + shift >= 0:
            return error.moved(whole, (start + shift, stop + shift))
    return error
