"""The notebook's tables by name with their schemas, for editors: nothing is read, computed or converted for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from luma_bench.notebook.names import is_table

_NAME: Final = re.compile(r"[^\W\d]\w*")


def table_schemas(variables: Mapping[str, Any], text: str | None = None) -> dict[str, pa.Schema | None]:
    """The variables that are tables.

    Parameters
    ----------
    text
        Schemas are found only for names that stand in it; None for all.

    Returns
    -------
    dict
        None for a schema that is not wanted, or that only running something would tell, as of a lazy frame.
    """
    wanted = None if text is None else set(_NAME.findall(text))
    return {
        name: _schema(value) if wanted is None or name in wanted else None
        for name, value in variables.items()
        if not name.startswith("_") and is_table(value)
    }


def _schema(value: Any) -> pa.Schema | None:
    """The Arrow schema of a table; None where it takes work to know."""
    module, kind = type(value).__module__.partition(".")[0], type(value).__name__
    try:
        if module == "pandas":
            return pa.Schema.from_pandas(value.head(0), preserve_index=False)
        if module == "polars":
            return value.head(0).to_arrow().schema if kind == "DataFrame" else None
    except (pa.ArrowException, TypeError, ValueError):
        # A column of objects that Arrow has no type for: the table is offered, its columns are not.
        return None
    known = getattr(value, "schema", None)
    return known if isinstance(known, pa.Schema) else None
