"""Batches of rows, with less in them: some columns, and the rows that fulfil conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.series.predicates import tests_of
from luma_bench.models.control import Control
from luma_bench.storage.filter import mask_of
from luma_bench.types.predicate import Predicate, columns_of


def along(columns: Sequence[str], predicates: Sequence[Predicate]) -> list[str]:
    """Columns, and those that predicates are about."""
    return list(dict.fromkeys((*columns, *(name for one in predicates for name in sorted(columns_of(one))))))


def checked(
    batches: Iterator[pa.RecordBatch] | pa.RecordBatchReader, control: Control
) -> Iterator[pa.RecordBatch]:
    """The batches, until the work is to end."""
    for batch in batches:
        control.check()
        yield batch


def selected(
    batches: Iterator[pa.RecordBatch],
    columns: Sequence[str],
    predicates: Sequence[Predicate],
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    """Only some columns, of the rows where every predicate is TRUE."""
    tests = tests_of(predicates, schema)
    for batch in batches:
        held = batch
        if tests:
            named = dict(zip(held.schema.names, held.columns, strict=True))
            mask = mask_of(tests[0], named)
            for test in tests[1:]:
                mask = pc.and_kleene(mask, mask_of(test, named))
            held = held.filter(mask)
        if held.num_rows:
            yield held.select(list(columns))
