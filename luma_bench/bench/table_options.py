"""The options of a table in a statement (SET, RESET, WITH) as the store's settings, with errors that point at them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from luma_bench.errors import KadeQLBindError, SchemaError
from luma_bench.language import SetOptions
from luma_bench.storage.catalog.schema import check_series, checked_settings, is_time
from luma_bench.storage.evolve import SetSettings
from luma_bench.types.retention import Retention
from luma_bench.types.schema import TableSettings


def settings_action(given: SetOptions, table: pa.Schema, present: TableSettings, whole: str) -> SetSettings:
    """The change of settings that options ask for.

    Parameters
    ----------
    table, present
        The table's columns, and what it is told now.

    Raises
    ------
    KadeQLBindError
        A length of time is none, or nothing says on which column rows are kept.
    """
    values: dict[str, Any] = {}
    for name, words, span in given.options:
        match name:
            case "time_column" | "codec":
                values[name] = _one(name, words, span, whole)
            case "retention":
                values[name] = None
                for length in words[:1]:
                    column = words[1] if len(words) > 1 else _time(given, present, span, whole)
                    values[name] = _retention(length, column, table, span, whole)
            case _:
                values[name] = words
    return SetSettings(**values)


def new_settings(given: SetOptions, table: pa.Schema, name: str, whole: str) -> TableSettings:
    """The settings of a new table, checked.

    Raises
    ------
    KadeQLBindError
        They do not fit the columns; it points at the options.
    """
    asked = settings_action(given, table, TableSettings(), whole)
    told = {item: getattr(asked, item) for item, _, _ in given.options}
    told["codec"] = told.get("codec") or "auto"
    try:
        settings = checked_settings(name, table, TableSettings(**told))
        check_series(name, table, settings)
    except SchemaError as error:
        raise KadeQLBindError(error.message, text=whole, span=place_of(given), hint=error.hint) from error
    return settings


def place_of(given: SetOptions) -> tuple[int, int]:
    """Where the options stand in the whole text."""
    return given.options[0][2][0], given.options[-1][2][1]


def _one(name: str, words: tuple[str, ...], span: tuple[int, int], whole: str) -> str | None:
    if len(words) > 1:
        raise KadeQLBindError(
            f"{name} takes one value, and there are {len(words)}.",
            text=whole,
            span=span,
            hint=f"Write {name} = {words[0]}.",
        )
    return words[0] if words else None


def _time(given: SetOptions, present: TableSettings, span: tuple[int, int], whole: str) -> str | None:
    """The time column that the same options name, else the table's."""
    for name, words, _ in given.options:
        if name == "time_column":
            return _one(name, words, span, whole)
    return present.time_column


def _retention(
    length: str, column: str | None, table: pa.Schema, span: tuple[int, int], whole: str
) -> Retention:
    if column is None:
        times = [field.name for field in table if is_time(field.type) and not pa.types.is_integer(field.type)]
        known = f" The columns of times are: {', '.join(times)}." if times else ""
        raise KadeQLBindError(
            "The table has no time column, so retention must say on which one.",
            text=whole,
            span=span,
            hint=f"Write retention = '{length}' ON column.{known}",
        )
    try:
        return Retention.parse(length, column)
    except SchemaError as error:
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint) from error
