"""Errors of the catalog, of data and of transactions, pointing into the statement that met them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from luma_bench.errors import (
    NOTHING_CHANGED,
    CancelledError,
    CatalogError,
    ConstraintError,
    ForbiddenError,
    KadeQLCatalogError,
    KadeQLConstraintError,
    KadeQLError,
    KadeQLForbiddenError,
    KadeQLReadOnlyError,
    KadeQLSchemaError,
    KadeQLTransactionError,
    LumaError,
    ReadOnlyError,
    SchemaError,
    SnapshotExpired,
    TransactionError,
)
from luma_bench.language.placed import Placed
from luma_bench.language.tokens import tokenize

_KINDS: Final[tuple[tuple[type[LumaError], type[KadeQLError]], ...]] = (
    (ConstraintError, KadeQLConstraintError),
    (CatalogError, KadeQLCatalogError),
    (SchemaError, KadeQLSchemaError),
    (TransactionError, KadeQLTransactionError),
    (ReadOnlyError, KadeQLReadOnlyError),
    (ForbiddenError, KadeQLForbiddenError),
)
_NAMED: Final = re.compile(r"'([^']+)'")


def pointed(error: LumaError, statement: Placed) -> LumaError:
    """The same error with its place in the text; one that has a place, or that no text has caused, as it is."""
    if isinstance(error, SnapshotExpired):
        return error
    if isinstance(error, KadeQLError):
        return error if error.span is not None else error.moved(statement.whole, place(error, statement))
    kind = next((made for known, made in _KINDS if isinstance(error, known)), None)
    if kind is None:
        return error
    return kind(error.message, text=statement.whole, span=place(error, statement), hint=error.hint)


def among(error: CancelledError, statements: Sequence[Placed], done: int, *, held: bool) -> CancelledError:
    """The error of a statement that was stopped, with what became of those before it.

    Parameters
    ----------
    done
        How many of the text's statements had ended.
    held
        Whether a transaction is open, so that what they changed is not committed yet.
    """
    stopped = statements[done]
    line = stopped.whole.count("\n", 0, stopped.start) + 1
    message = error.message.removesuffix(NOTHING_CHANGED).removesuffix(".")
    message += f" in statement {done + 1} of {len(statements)} (line {line}), which changed nothing"
    before = f"; the {done} before it {'is' if done == 1 else 'are'} done" if done else ""
    kept = ", in the transaction that is still open" if held else ""
    return CancelledError(f"{message}{before}{kept}.", hint=error.hint)


def place(error: LumaError, statement: Placed) -> tuple[int, int]:
    """Where a statement names what an error is about; its first words where it does not."""
    tokens = tokenize(statement.source)
    start = statement.start
    for name in _NAMED.findall(error.message):
        folded = name.casefold()
        for index in range(1, len(tokens)):
            if tokens.is_name(index) and tokens.names[index].casefold() == folded:
                begin, end = tokens.span(index)
                return start + begin, start + end
    begin, end = tokens.span(0)
    return start + begin, start + end
