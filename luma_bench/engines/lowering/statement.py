"""What one statement is lowered with: relations by name, templates, numbers that are given out once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from luma_bench.engines.duck_tree import DuckTrees, FunctionNames, Tree
from luma_bench.engines.lowering.names import Scope
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.templates import Templates


@dataclass(frozen=True, slots=True)
class Stored:
    """A table or a relation in memory: its name, and its columns as statements see them."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A CTE or a view: its query, the names of its first columns, what names mean in it, and whether it is computed once.

    `scope` is the query around the one that a CTE belongs to.
    """

    name: str
    node: Tree
    columns: tuple[str, ...]
    known: Mapping[str, Source]
    once: bool
    scope: Scope | None = None


Source = Stored | Named


@dataclass(slots=True, eq=False)
class Part:
    """A query that the statement reads more than once: what DataFusion is asked, and its columns' names."""

    name: str
    sql: str
    columns: tuple[str | None, ...]


@dataclass(slots=True, eq=False)
class Inline:
    """A query that is planned by itself and read in one place: what DataFusion must not look through."""

    sql: str


@dataclass(slots=True)
class Statement:
    """The statement as far as it is lowered.

    Attributes
    ----------
    tables
        By the name that DataFusion knows a relation under: what it is.
    now
        The moment of the statement; None until something asked for it.
    """

    trees: DuckTrees
    templates: Templates
    params: Mapping[str, Tree]
    functions: FunctionNames
    tables: dict[str, Stored | Part | Inline | list[list[int]]] = field(
        default_factory=dict[str, "Stored | Part | Inline | list[list[int]]"]
    )
    parts: list[Part] = field(default_factory=list[Part])
    now: dt.datetime | None = None
    _numbers: count[int] = field(default_factory=count)
    _known: dict[str, str] = field(default_factory=dict[str, str])
    _parts: dict[Named, Part] = field(default_factory=dict[Named, Part])

    def fresh(self, prefix: str) -> str:
        """A name that nothing else has."""
        return f"{prefix}{next(self._numbers)}"

    def stored(self, source: Stored) -> str:
        """The name of a stored relation for DataFusion."""
        found = self._known.get(source.name)
        if found is None:
            found = self._known[source.name] = f"r{len(self._known)}_{len(source.columns)}"
            self.tables[found] = source
        return found

    def values(self, rows: list[list[int]]) -> str:
        """The name of rows of constants, given by the numbers of their templates."""
        name = f"v{len(self.tables)}_{len(rows[0])}"
        self.tables[name] = rows
        return name

    def inline(self, sql: str, width: int) -> str:
        """The name of a query that is planned by itself."""
        name = f"g{len(self.tables)}_{width}"
        self.tables[name] = Inline(sql)
        return name

    def part(self, source: Named) -> Part | None:
        """The part that a CTE or view was made, if it was."""
        return self._parts.get(source)

    def add_part(self, source: Named, sql: str, columns: tuple[str | None, ...]) -> Part:
        """Keep a query that is computed once."""
        part = Part(f"w{len(self.parts)}_{len(columns)}", sql, columns)
        self._parts[source] = part
        self.parts.append(part)
        self.tables[part.name] = part
        return part

    def parameter(self, name: str) -> Tree:
        """The literal that a parameter stands for.

        Raises
        ------
        NotLowered
            It has no value.
        """
        folded = {key.casefold(): value for key, value in self.params.items()}
        found = folded.get(name.casefold())
        if found is None:
            raise NotLowered(f"${name} has no value")
        return found
