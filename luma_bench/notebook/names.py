"""What a KadeQL text takes from the notebook: `$name` parameters and variables that are tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

# Strings, quoted names, dollar-quoted texts and comments come first: nothing inside of them is a name.
_TOKEN = re.compile(
    r"""
      (?P<string> [eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' )
    | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<dollar> \$(?P<tag>[^\W\d]\w*)\$ .*? (?:\$(?P=tag)\$|\Z) | \$\$ .*? (?:\$\$|\Z) )
    | \$(?P<param>[^\W\d]\w*)
    | "(?P<quoted>(?:""|[^"])+)"
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_BEFORE_TABLE = {"FROM", "JOIN", "TABLE", "USING", "DESCRIBE", "SUMMARIZE"}


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names in a text, outside of strings and comments.

    `params` are the `$names` that need a value, with the place where each stands first; `names` are identifiers that may be tables, `tables` those that stand where a table
    does; `statements` counts statements that are not empty.
    """

    params: Mapping[str, tuple[int, int]]
    names: frozenset[str]
    tables: frozenset[str]
    statements: int


def mentions(text: str) -> Mentions:
    """Read the names of a text; the text need not be complete or right."""
    params: dict[str, tuple[int, int]] = {}
    names: set[str] = set()
    tables: set[str] = set()
    statements, fresh, before, verb = 0, True, "", ""
    for found in _TOKEN.finditer(text):
        if found["comment"] is not None:
            continue
        if found[0] == ";":
            fresh, before = True, ";"
            continue
        statements += fresh
        verb = found[0].upper() if fresh else verb
        fresh = False
        name = found["word"] if found["quoted"] is None else found["quoted"].replace('""', '"')
        if found["param"] is not None:
            # What PREPARE keeps gets its values from EXECUTE.
            if verb != "PREPARE":
                params.setdefault(found["param"], found.span())
        elif name is not None and before != ".":
            names.add(name)
            if before in _BEFORE_TABLE:
                tables.add(name)
        before = found[0].upper()
    return Mentions(params, frozenset(names), frozenset(tables), statements)


def is_table(value: object) -> bool:
    """Whether a variable is a table: pandas, Polars, Arrow, or a result or DataFrame of Luma Bench.

    Libraries that are not loaded cannot have made the value, so none is imported here. A record batch reader is no
    table: it can be read only once.
    """
    for module, names in (
        ("pandas", ("DataFrame",)),
        ("polars", ("DataFrame", "LazyFrame")),
        ("pyarrow", ("Table", "RecordBatch")),
    ):
        library = sys.modules.get(module)
        if library is not None and isinstance(value, tuple(getattr(library, name) for name in names)):
            return True
    kind = type(value)
    if kind.__module__.startswith("luma_bench."):
        return hasattr(kind, "to_arrow")
    return hasattr(kind, "__arrow_c_stream__") and hasattr(value, "columns")


def tables_of(
    found: Mentions, variables: Mapping[str, Any], stored: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """The variables that a text reads as tables, and those that the bench's tables of the same name hide.

    Parameters
    ----------
    found
        The text's names.
    variables
        The notebook's namespace.
    stored
        The names of the bench's tables.
    """
    folded = {name.casefold() for name in stored}
    used: dict[str, Any] = {}
    hidden: list[str] = []
    for name in sorted(found.names):
        value = variables.get(name)
        if value is None or not is_table(value):
            continue
        if name.casefold() not in folded:
            # A lazy frame goes as it is: the bench makes its text a part of the statement.
            used[name] = value.to_arrow() if type(value).__module__.startswith("luma_bench.bench") else value
        elif name in found.tables:
            hidden.append(name)
    return used, hidden


def plain_value(value: object) -> object:
    """A parameter as plain Python: NumPy scalars as numbers, arrays and Series as lists, all else as it is."""
    kind = type(value)
    if kind.__module__.split(".")[0] in ("numpy", "pandas", "polars", "pyarrow"):
        for name in ("tolist", "to_list", "as_py"):
            if hasattr(kind, name):
                return getattr(value, name)()
    return value
