"""Functions and table functions as things to offer and to tell of: DuckDB's, the graph algorithms, the series functions."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist.values import Item
from luma_bench.bench.assist.words import PATH_FUNCTIONS, TABLE_CONSTRUCTS, WORDS
from luma_bench.language.keywords import split

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_KINDS: Final = ("aggregate", "window", "scalar")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a function.

    Attributes
    ----------
    options
        Its arguments by name, with their meanings and the texts that one may be.
    columns
        What it gives as a table: names, types and meanings.
    """

    name: str
    kind: str
    signatures: tuple[str, ...]
    doc: str
    examples: tuple[str, ...] = ()
    options: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    columns: tuple[tuple[str, str, str], ...] = ()


@functools.cache
def scalars() -> Mapping[str, Told]:
    """Functions of expressions, by their names in lower case."""
    from luma_bench.engines.duck_functions import functions

    found = {
        name: Told(name, item.kind, item.signatures, item.doc, item.examples)
        for name, item in functions().items()
        if item.kind in _KINDS
    }
    for name in PATH_FUNCTIONS:
        word = WORDS[name]
        found[name.lower()] = Told(name.lower(), "path", (word.grammar,), word.meaning)
    return MappingProxyType(found)


@functools.cache
def tables() -> Mapping[str, Told]:
    """What stands in FROM with brackets, by its name in upper case."""
    from luma_bench.engines.duck_functions import functions
    from luma_bench.models.graph.algorithms import ALGORITHMS
    from luma_bench.models.series.functions import FUNCTIONS

    found: dict[str, Told] = {}
    for name in TABLE_CONSTRUCTS:
        word = WORDS[name]
        shown = name.lower() if name == "WITH_ROWID" else name
        found[name] = Told(shown, "construct", (word.grammar,), word.meaning, (word.example,))
    for name, spec in ALGORITHMS.items():
        arguments = "".join(f", {item.name} => …" for item in spec.arguments if item.required)
        optional = "".join(f" [, {item.name} => …]" for item in spec.arguments if not item.required)
        found[name] = Told(
            name,
            "algorithm",
            (f"{name}(GRAPH g{arguments}{optional})",),
            spec.help,
            (),
            tuple(
                (item.name, item.help, ("true", "false") if item.kind == "bool" else ())
                for item in spec.arguments
            ),
            (
                ("id", "", "the key of the vertex"),
                *((item.name, str(item.type), item.help) for item in spec.results),
            ),
        )
    for name, series in FUNCTIONS.items():
        found[name] = Told(
            name,
            "series",
            (f"{name}(TABLE t [PARTITION BY key], DESCRIPTOR(time), value [, option => …])",),
            series.help,
            (),
            tuple(
                (item.name, item.help, ("true", "false") if item.kind == "bool" else item.among)
                for item in series.options
            ),
            tuple((item.name, str(item.type or "as the time"), item.help) for item in series.columns),
        )
    for name, item in functions().items():
        if item.stands_in_from and item.common:
            found[name.upper()] = Told(name, "table", item.signatures, item.doc, item.examples)
    return MappingProxyType(found)


@functools.cache
def scalar_items() -> tuple[Item, ...]:
    """The functions of expressions that people call, aggregates first."""
    from luma_bench.engines.duck_functions import functions

    common = functions()
    shown = [item for item in scalars().values() if item.kind != "path" and common[item.name].common]
    shown.sort(key=lambda item: (_KINDS.index(item.kind), item.name))
    return tuple(Item(item.name, "function", _first(item), item.doc) for item in shown)


@functools.cache
def path_items() -> tuple[Item, ...]:
    """What may be asked of a path's variable."""
    return tuple(
        Item(name.lower(), "function", WORDS[name].grammar, WORDS[name].meaning) for name in PATH_FUNCTIONS
    )


@functools.cache
def table_items() -> tuple[Item, ...]:
    """What stands in FROM with brackets, KadeQL's own first."""
    return tuple(Item(item.name, "table-function", _first(item), item.doc) for item in tables().values())


def _first(item: Told) -> str:
    return item.signatures[0] if item.signatures else ""


TYPES: Final = split("""
    INTEGER BIGINT DOUBLE VARCHAR BOOLEAN DATE TIMESTAMP TIMESTAMPTZ TIME INTERVAL FLOAT SMALLINT TINYINT HUGEINT UBIGINT
    UINTEGER DECIMAL BLOB UUID JSON STRUCT MAP ENUM BIT TIMESTAMP_NS TIMESTAMP_S TIMESTAMP_MS
""")
"""What a value may be cast to, the usual ones first."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"polars": ("polars", "datafusion"), "dask": ("distributed", "datafusion")}
)


def engines(bench: Bench | None) -> tuple[Item, ...]:
    """The engines that can run a statement here, `auto` first."""
    found = [Item("auto", "value", "the router chooses"), Item("duckdb", "value", "embedded, the default")]
    installed = [
        name for name, needs in _NEEDED.items() if all(importlib.util.find_spec(need) for need in needs)
    ]
    detail = {"polars": "in this process", "dask": "on a Dask cluster"}
    found += [Item(name, "value", detail[name]) for name in installed]
    if bench is not None:
        known = bench._machinery.statements.runner.engines
        found += [
            Item(name, "value", "on this bench")
            for name, engine in known.items()
            if not engine.looks_up and name not in ("duckdb", *installed)
        ]
    return tuple(found)
