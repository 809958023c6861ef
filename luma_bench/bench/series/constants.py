"""Constants of constructs: lengths of time, moments and plain values; SQL says what may not be read off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from luma_bench.bench.locating import located
from luma_bench.bench.series.asked import Asked
from luma_bench.errors import KadeQLBindError, KadeQLError
from luma_bench.language.series.pattern import Constant
from luma_bench.models.series.length import Length
from luma_bench.types.sql_types import engine_type

_BYTES = 500
_WRITE = "Write it as INTERVAL '1' HOUR, INTERVAL 1 HOUR or '1h'."
_COARSER = {"s": 1_000_000, "ms": 1_000, "us": 1}


def length(constant: Constant, asked: Asked, needs: str = "A length of time is needed") -> Length:
    """A length of time: of an INTERVAL, or of a text such as `'1h'` or `'1 hour'`.

    Parameters
    ----------
    needs
        What is said of a value that is none: who takes it.

    Raises
    ------
    KadeQLBindError
        It is NULL, of another type, or a text that is no length; it points at the constant.
    """
    found = constant.literal if isinstance(constant.literal, str) else _held(constant, asked).as_py()
    if isinstance(found, str):
        try:
            return Length.parse(found)
        except KadeQLError as error:
            raise error.moved(constant.query.whole, constant.span) from error
    if isinstance(found, pa.MonthDayNano):
        return Length(found.months, found.days, found.nanoseconds)
    shown = "NULL" if found is None else f"{found!r}"
    told = shown if shown.casefold() == constant.text.casefold() else f"{constant.text}, which is {shown}"
    raise KadeQLBindError(
        f"{needs}, not {told}.",
        text=constant.query.whole,
        span=constant.span,
        hint=_WRITE,
    )


def moment(constant: Constant, kind: pa.DataType, asked: Asked) -> int:
    """A moment in units of a time column of type `kind`; rounded down where that column is coarser.

    Raises
    ------
    KadeQLBindError
        It is NULL, or does not cast to the column's type.
    """
    if pa.types.is_date32(kind) or not pa.types.is_timestamp(kind):
        found = value(constant, asked, kind=kind)
        number = found.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()).as_py()
    elif kind.unit == "ns" and kind.tz is None:
        number = value(constant, asked, kind=kind).cast(pa.int64()).as_py()
    else:
        fine = value(constant, asked, kind=pa.timestamp("us", kind.tz)).cast(pa.int64()).as_py()
        step = _COARSER.get(kind.unit)
        number = None if fine is None else fine * 1_000 if step is None else fine // step
    if number is None:
        raise KadeQLBindError(
            f"{constant.text} is NULL, and a moment is needed.",
            text=constant.query.whole,
            span=constant.span,
            hint="Give a timestamp, as TIMESTAMP '2024-01-01 00:00:00'.",
        )
    return int(number)


def value(constant: Constant, asked: Asked, *, kind: pa.DataType | None = None) -> pa.Scalar[Any]:
    """The value of a constant, of type `kind` where that is given.

    Raises
    ------
    KadeQLError
        It does not run or cast; it points at the constant.
    """
    if kind is None:
        return pa.scalar(constant.literal) if constant.literal is not None else _held(constant, asked)
    named = engine_type(kind)
    if named is None:
        found = _held(constant, asked)
        try:
            return found.cast(kind)
        except pa.ArrowInvalid as error:
            raise KadeQLBindError(
                f"{constant.text} does not convert to {kind}: {error}",
                text=constant.query.whole,
                span=constant.span,
                hint="Give a value of the column's type.",
            ) from error
    found = _held(constant, asked, named)
    return found if found.type == kind else found.cast(kind)


def _held(constant: Constant, asked: Asked, kind: str | None = None) -> pa.Scalar[Any]:
    """What SQL says that it is, as a value of an SQL type where one is named."""
    query = constant.query
    if query.volatile or (query.names and not asked.lasting):
        return _run(constant, asked, kind)
    params = tuple((name, repr(asked.ask.params.get(name))) for name in sorted(query.params))
    read = (asked.view.id, asked.ask.identity) if query.names else None
    key = ("constant", query.sql, kind, params, read)
    return asked.kept.answers.get(key, lambda: _run(constant, asked, kind), lambda _: _BYTES)


def _run(constant: Constant, asked: Asked, kind: str | None) -> pa.Scalar[Any]:
    query = constant.query
    if kind is not None:
        before = f"SELECT CAST(value AS {kind}) AS value FROM (\n"
        query = replace(
            query,
            sql=f"{before}{query.sql}\n)",
            offsets=query.offsets.shifted(len(before), query.start),
        )
    limits = asked.ask.limits
    ask = replace(
        asked.ask,
        cache=False,
        engine="auto",
        strict=False,
        limits=None if limits is None else limits.uncapped(),
    )
    bound = asked.binder.bind(query, ask, asked.view)
    try:
        rows = bound.choice.run(bound.fragment, bound.inputs)
    except KadeQLError as error:
        raise located(error, query, 0, constant.span) from error
    return rows.column(0)[0]
