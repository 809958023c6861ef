"""DuckDB's functions as it tells of them itself: signatures, descriptions and examples, asked once a process."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_macros import MACROS
from luma_bench.language.files import READERS
from luma_bench.language.functions import refused_function

Kind = Literal["scalar", "aggregate", "window", "table"]

_NAME: Final = re.compile(r"[a-z]\w*")
_KINDS: Final[Mapping[str, Kind]] = {
    "scalar": "scalar",
    "macro": "scalar",
    "aggregate": "aggregate",
    "window": "window",
    "table": "table",
    "table_macro": "table",
}
_ORDER: Final[tuple[Kind, ...]] = ("aggregate", "window", "scalar", "table")
_UNSHOWN: Final = ("icu_collate_", "collate_", "test_", "pg_", "has_", "duckdb_", "pragma_")
_ASKED: Final = """
SELECT lower(function_name), function_type, description, return_type, parameters, parameter_types, varargs, examples
FROM duckdb_functions() WHERE function_type <> 'pragma' ORDER BY ALL
"""
_SHOWN_TYPES: Final = 3
_POSITIONAL: Final = 3


@dataclass(frozen=True, slots=True)
class Function:
    """One function, all of its overloads together.

    Attributes
    ----------
    signatures
        How it is called, with types where these are few: `date_trunc(part VARCHAR, timestamp DATE | TIMESTAMP) → TIMESTAMP`.
    common
        Whether people call it: collations and functions that tell of other systems' catalogs are none.
    stands_in_from
        Whether it is a table, or may be one too.
    """

    name: str
    kind: Kind
    signatures: tuple[str, ...]
    doc: str
    examples: tuple[str, ...] = ()
    common: bool = True
    stands_in_from: bool = False


@functools.cache
def functions() -> Mapping[str, Function]:
    """Every function that a query may call, by its name in lower case; DuckDB's, and the aggregates of series."""
    con = connect(Settings(threads=1))
    try:
        rows = con.execute(_ASKED).fetchall()
    finally:
        con.close()
    overloads: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        name = row[0]
        served = name in READERS or refused_function(name) is None
        if _NAME.fullmatch(name) and served and row[1] in _KINDS:
            overloads.setdefault(name, []).append(row)
    found = {name: _function(name, same) for name, same in overloads.items()}
    for name, macro in MACROS.items():
        doc = macro.help.replace("`", "")
        found[name] = Function(name, "aggregate", (macro.call,), doc[:1].upper() + doc[1:] + ".")
    return MappingProxyType(found)


def _function(name: str, rows: Sequence[tuple[object, ...]]) -> Function:
    kinds: set[Kind] = {_KINDS[str(row[1])] for row in rows}
    kind: Kind = next(item for item in _ORDER if item in kinds)
    doc = next((str(row[2]) for row in rows if row[2]), "")
    examples = dict.fromkeys(str(text) for row in rows for text in _list(row[7]))
    table = kind == "table"
    grouped: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    for row in rows:
        names = tuple(map(str, _list(row[4])))
        if table and len(names) > _POSITIONAL:
            names = (names[0], "option = …")
        grouped.setdefault(names, []).append(row)
    signatures = [_signature(name, names, same, table=table) for names, same in grouped.items()]
    return Function(
        name,
        kind,
        tuple(dict.fromkeys(signatures)),
        " ".join(doc.split()),
        tuple(examples)[:4],
        common=not name.startswith(_UNSHOWN),
        stands_in_from="table" in kinds,
    )


def _signature(name: str, names: tuple[str, ...], rows: Sequence[tuple[object, ...]], *, table: bool) -> str:
    parts: list[str] = []
    for place, parameter in enumerate(names):
        if parameter.startswith("option ="):
            parts.append(parameter)
            continue
        types = dict.fromkeys(
            str(_list(row[5])[place]) for row in rows if place < len(_list(row[5])) and _list(row[5])[place]
        )
        shown = "" if len(types) > _SHOWN_TYPES or "ANY" in types else " | ".join(types)
        parts.append(f"{parameter} {shown}".strip())
    if any(row[6] for row in rows):
        parts.append("…")
    returns = dict.fromkeys(str(row[3]) for row in rows if row[3])
    told = "" if table or not returns or len(returns) > _SHOWN_TYPES else f" → {' | '.join(returns)}"
    return f"{name}({', '.join(parts)}){told}"


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()  # pyright: ignore[reportUnknownVariableType]
