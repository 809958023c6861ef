"""BEGIN, COMMIT and ROLLBACK in their spellings."""

from __future__ import annotations

from typing import Final

from luma_bench.language.changes import Begin, Commit, Rollback
from luma_bench.language.cursor import Cursor
from luma_bench.language.refusals import CHAIN, ISOLATION, LOCKING, SAVEPOINT

TRANSACTION_STARTS: Final = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"})
_SHAPE: Final = "Write BEGIN, BEGIN READ ONLY, COMMIT or ROLLBACK."


def transaction(cursor: Cursor) -> Begin | Commit | Rollback:
    """BEGIN [TRANSACTION | WORK] [READ ONLY | READ WRITE], START TRANSACTION, COMMIT or END, ROLLBACK or ABORT."""
    source, start, end, whole = cursor.placed
    word = cursor.word
    cursor.index += 1
    if word == "START":
        cursor.expect("TRANSACTION after START", "TRANSACTION", hint=_SHAPE)
    elif not cursor.accept("TRANSACTION"):
        cursor.accept("WORK")
    if word in ("BEGIN", "START"):
        read_only = _mode(cursor)
        cursor.finish(word)
        return Begin(source=source, start=start, end=end, whole=whole, read_only=read_only)
    if cursor.word == "TO":
        raise SAVEPOINT.error(whole, cursor.tokens.span(cursor.index))
    if cursor.word == "AND":
        raise CHAIN.error(whole, cursor.tokens.span(cursor.index))
    cursor.finish(word)
    if word in ("COMMIT", "END"):
        return Commit(source=source, start=start, end=end, whole=whole)
    return Rollback(source=source, start=start, end=end, whole=whole)


def _mode(cursor: Cursor) -> bool:
    """READ ONLY or READ WRITE; whether it is the former."""
    if cursor.word == "ISOLATION":
        raise ISOLATION.error(cursor.tokens.text, cursor.tokens.span(cursor.index))
    if cursor.word in ("IMMEDIATE", "EXCLUSIVE", "DEFERRED", "CONCURRENT"):
        raise LOCKING.error(cursor.tokens.text, cursor.tokens.span(cursor.index))
    if not cursor.accept("READ"):
        return False
    if cursor.accept("ONLY"):
        return True
    if cursor.accept("WRITE"):
        return False
    raise cursor.expected("ONLY or WRITE after READ", _SHAPE)
