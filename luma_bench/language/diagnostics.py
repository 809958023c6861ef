"""Errors that point into the user's own text and say what was expected or what was probably meant."""

from __future__ import annotations

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, nearest
from luma_bench.language.keywords import CLAUSES, KEYWORDS
from luma_bench.language.rewrite import OffsetMap
from luma_bench.language.syntax_hints import ends_early, misread, syntax_hint
from luma_bench.language.tokens import STRING, Tokens, tokenize
from luma_bench.types.inspector import SqlInspector, SqlStatement

_TRIES = 3


def relocate(error: KadeQLError, offsets: OffsetMap, whole_text: str) -> KadeQLError:
    """The same error, pointing into the user's whole text instead of the rewritten SQL it was raised for."""
    span = None if error.span is None else offsets.span(*error.span)
    return error.moved(whole_text, span)


def judged(
    sql: str, offsets: OffsetMap, whole_text: str, inspector: SqlInspector
) -> tuple[SqlStatement, ...]:
    """What DuckDB's own grammar says that a rewritten text is; its errors point into the user's whole text.

    Raises
    ------
    KadeQLSyntaxError
        It does not parse.
    """
    try:
        return tuple(inspector.classify(sql))
    except KadeQLError as error:
        shown = sharpened(error, sql, inspector) if isinstance(error, KadeQLSyntaxError) else error
        raise relocate(shown, offsets, whole_text) from error


def expected(tokens: Tokens, index: int, end: int, what: str, hint: str | None = None) -> KadeQLSyntaxError:
    """Something else than `what` stands at token `index`, or the statement ends there."""
    if index < end:
        found, span = tokens.slice(index, index + 1), tokens.span(index)
        found = found if len(found) <= 40 else f"{found[:40]}…"
    else:
        stop = tokens.ends[end - 1]
        found, span = "the end of the statement", (stop, stop)
    if hint is None:
        ends = what.startswith("the end of the statement")
        hint = "Take it out, or put ; before it." if ends else f"Put {what} there."
    return KadeQLSyntaxError(f"Expected {what}, found {found}.", text=tokens.text, span=span, hint=hint)


def unmatched(tokens: Tokens, index: int) -> KadeQLSyntaxError:
    """A bracket that nothing matches."""
    bracket = tokens.words[index]
    opening = bracket in "([{"
    return KadeQLSyntaxError(
        f"This {bracket} is never closed." if opening else f"This {bracket} closes nothing.",
        text=tokens.text,
        span=tokens.span(index),
        hint=f"Close it with {_PAIRS[bracket]}."
        if opening
        else f"Take it out, or open it with {_PAIRS[bracket]}.",
    )


def sharpened(error: KadeQLSyntaxError, sql: str, inspector: SqlInspector) -> KadeQLSyntaxError:
    """A syntax error of `sql` with the keyword that was probably meant, when writing it would have helped.

    A word before or at the place of the error that resembles a keyword is replaced by it, and the text is parsed once
    more: the hint stands only when the error goes away or moves on.
    """
    if error.span is None:
        return error
    tokens = tokenize(sql)
    if not len(tokens):
        return error
    place = next((index for index, end in enumerate(tokens.ends) if end > error.span[0]), len(tokens))
    meant = misread(tokens, place)
    if meant is not None:
        message, index, hint = meant
        return KadeQLSyntaxError(message, text=sql, span=tokens.span(index), hint=hint)
    best: tuple[int, int, str] | None = None
    for index in (place - 1, place):
        if not 0 <= index < len(tokens) or tokens.words[index] == STRING or not tokens.names[index]:
            continue
        word = tokens.words[index]
        if word in KEYWORDS:
            continue
        for keyword in nearest(word, CLAUSES, _TRIES):
            reach = _reach(sql, tokens.span(index), keyword, inspector)
            if reach > error.span[0] and (best is None or reach > best[0]):
                best = reach, index, keyword
    if best is None:
        return _hinted(error, tokens, place)
    _, index, keyword = best
    written = tokens.slice(index, index + 1)
    return KadeQLSyntaxError(
        f"{written} is not expected here.", text=sql, span=tokens.span(index), hint=f"Did you mean {keyword}?"
    )


def _hinted(error: KadeQLSyntaxError, tokens: Tokens, place: int) -> KadeQLSyntaxError:
    """The same error with what to write there; an end that comes too early is said to be one."""
    if error.hint is not None:
        return error
    stop = next((at for at in range(place, len(tokens)) if tokens.words[at] == ";"), len(tokens))
    missing = ends_early(tokens, place, stop)
    if missing is None:
        return KadeQLSyntaxError(
            error.plain, text=tokens.text, span=error.span, hint=syntax_hint(tokens, place)
        )
    return KadeQLSyntaxError(
        f"Expected {missing.partition(':')[0]} after {tokens.slice(place, place + 1)}, found the end of the statement.",
        text=tokens.text,
        span=(tokens.ends[stop - 1], tokens.ends[stop - 1]),
        hint=syntax_hint(tokens, stop),
    )


def _reach(sql: str, span: tuple[int, int], keyword: str, inspector: SqlInspector) -> int:
    """How far the text parses with the word at `span` replaced, as an offset in the present text."""
    start, end = span
    try:
        inspector.classify(f"{sql[:start]}{keyword}{sql[end:]}")
    except KadeQLError as error:
        return -1 if error.span is None else error.span[0] - len(keyword) + end - start
    return len(sql) + 1


_PAIRS = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}
