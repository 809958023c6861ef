"""CREATE SEQUENCE and DROP SEQUENCE."""

from __future__ import annotations

import uuid

from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLConstraintError, choices
from luma_bench.language import CreateSequence, DropSequence
from luma_bench.storage.catalog.sequences import KIND, sequences
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.sequence import LARGEST, Sequence


def change_sequence(statement: CreateSequence | DropSequence, inside: StoreTransaction) -> str | None:
    """Stage what the statement does; in a word, None when there is nothing to do."""
    if isinstance(statement, CreateSequence):
        return make_sequence(statement, inside)
    return drop_sequence(statement, inside)


def make_sequence(statement: CreateSequence, inside: StoreTransaction) -> str | None:
    """Stage a sequence; what was done in a word, None when IF NOT EXISTS met one.

    Raises
    ------
    KadeQLBindError
        There is one already, its values do not fit together, or defaults use the one that it shall replace.
    """
    span = statement.name_span
    present = inside.view().object(KIND, statement.name)
    if present is not None and statement.if_not_exists:
        return None
    if present is not None:
        if not statement.or_replace:
            raise KadeQLBindError(
                f"There is a sequence {present.name!r} already.",
                text=statement.whole,
                span=span,
                hint="Write CREATE OR REPLACE SEQUENCE, or CREATE SEQUENCE IF NOT EXISTS.",
            )
        _check_unused(present.name, statement.whole, span, inside)
    made = _sequence(statement)
    try:
        inside.create_object(KIND, statement.name, made.definition, replace=statement.or_replace)
    except CatalogError as error:
        raise KadeQLBindError(error.message, text=statement.whole, span=span, hint=error.hint) from error
    return "create sequence" if present is None else "alter sequence"


def drop_sequence(statement: DropSequence, inside: StoreTransaction) -> str | None:
    """Stage the end of a sequence; what was done in a word, None when IF EXISTS met none."""
    view = inside.view()
    present = view.object(KIND, statement.name)
    if present is None:
        if statement.if_exists:
            return None
        known = [item.name for item in sequences(view)]
        raise KadeQLBindError(
            f"There is no sequence {statement.name!r}.",
            text=statement.whole,
            span=statement.name_span,
            hint=choices(statement.name, known, "sequences"),
        )
    _check_unused(present.name, statement.whole, statement.name_span, inside)
    inside.drop_object(KIND, present.name)
    return "drop sequence"


def _check_unused(name: str, whole: str, span: tuple[int, int], inside: StoreTransaction) -> None:
    view = inside.view()
    found = next(item for item in sequences(view) if item.name == name)
    for table in view.tables.values():
        for default in table.rules.defaults:
            if found.token in default.expression.sequences:
                column = table.by_id[default.column]
                raise KadeQLConstraintError(
                    f"The default of column {column!r} of table {table.name!r} takes values of the sequence {name!r}.",
                    text=whole,
                    span=span,
                    hint=f"Change it first: ALTER TABLE {table.name} ALTER COLUMN {column} DROP DEFAULT.",
                )


def _sequence(statement: CreateSequence) -> Sequence:
    """What follows for what is not given: a falling sequence ends at the smallest number and begins at -1."""
    rises = statement.increment > 0
    smallest = statement.smallest if statement.smallest is not None else (1 if rises else -LARGEST - 1)
    largest = statement.largest if statement.largest is not None else (LARGEST if rises else -1)
    start = statement.start_with if statement.start_with is not None else (smallest if rises else largest)
    problem = None
    if smallest >= largest:
        problem = f"MINVALUE ({smallest}) must be less than MAXVALUE ({largest})."
    elif start < smallest:
        problem = f"START ({start}) cannot be less than MINVALUE ({smallest})."
    elif start > largest:
        problem = f"START ({start}) cannot be greater than MAXVALUE ({largest})."
    if problem is not None:
        raise KadeQLBindError(
            problem,
            text=statement.whole,
            span=(statement.start, statement.end),
            hint="Give START, MINVALUE and MAXVALUE that fit together.",
        )
    return Sequence(
        statement.name, uuid.uuid4().hex, start, statement.increment, smallest, largest, statement.cycle
    )
