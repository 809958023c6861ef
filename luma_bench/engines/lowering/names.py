"""What a name means where it stands: relations, their columns, aliases, and the queries around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luma_bench.engines.lowering.refused import NotLowered

if TYPE_CHECKING:
    from luma_bench.engines.duck_tree import Tree
    from luma_bench.engines.lowering.statement import Source


@dataclass(frozen=True, slots=True)
class Visible:
    """A column: the name that a user gives it (None for one without a name of its own), and its SQL for DataFusion.

    Without a name it is called like its expression (`tree`) is printed.
    """

    name: str | None
    text: str
    tree: Tree | None = None

    def called(self, name: str) -> bool:
        """Whether a name means it."""
        return self.name is not None and self.name.casefold() == name.casefold()


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation in FROM by the name that columns are qualified with."""

    alias: str
    columns: tuple[Visible, ...]


@dataclass(slots=True)
class Scope:
    """The names of one query.

    Attributes
    ----------
    visible
        The columns that a name alone may mean, in the order of `*`: columns of USING once.
    known
        What names of relations mean in it, folded.
    reaches_out
        Whether a name in it, or in a query inside of it, meant something of a query around it.
    is_read
        Whether a query inside of it read one of its columns.
    """

    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list[Relation])
    visible: list[Visible] = field(default_factory=list[Visible])
    known: Mapping[str, Source] = field(default_factory=dict[str, "Source"])
    reaches_out: bool = False
    is_read: bool = False

    def column(self, names: Sequence[str], *, own: bool = False) -> tuple[str, tuple[str, ...]] | None:
        """A column's SQL, and the fields of it that the rest of the name goes down to; None for an unknown name.

        Parameters
        ----------
        own
            Look into this query only.

        Raises
        ------
        NotLowered
            The name is ambiguous as it is read here.
        """
        crossed: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            found = scope._own(names)
            if found is not None:
                for inner in crossed:
                    inner.reaches_out = True
                scope.is_read |= bool(crossed)
                return found
            if own:
                return None
            crossed.append(scope)
            scope = scope.parent
        return None

    def relation(self, alias: str) -> Relation | None:
        """A relation of this query, or of one around it, by its alias."""
        for relation in self.relations:
            if relation.alias.casefold() == alias.casefold():
                return relation
        return None

    def _own(self, names: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
        if len(names) > 1 and (relation := self.relation(names[0])) is not None:
            found = _one(relation.columns, names[1])
            if found is not None:
                return found.text, tuple(names[2:])
        found = _one(self.visible, names[0])
        return None if found is None else (found.text, tuple(names[1:]))


def _one(columns: Sequence[Visible], name: str) -> Visible | None:
    found = [column for column in columns if column.called(name)]
    if len(found) > 1:
        raise NotLowered(f"the name {name} could mean two columns")
    return found[0] if found else None
