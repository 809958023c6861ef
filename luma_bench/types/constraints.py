"""What the rows of a table must keep to, as values: checks, unique columns, foreign keys, computed columns.

Columns, tables and sequences are named by their permanent ids, so that a rule survives every renaming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from luma_bench.types.sql_text import quoted

ITSELF = 0
"""What a foreign key has for its table when that is the table it belongs to."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An SQL expression in pieces: text as it stands, and numbers in the place of names.

    Attributes
    ----------
    parts
        A text is SQL; a number above 0 is the id of a column of the table; -n is a value of the n-th sequence, in the
        place of `nextval('name')`.
    sequences
        The permanent tokens of the sequences: see `types.sequence.Sequence`.
    """

    parts: tuple[str | int, ...]
    sequences: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[int]:
        """The ids of the columns that it reads."""
        return frozenset(part for part in self.parts if isinstance(part, int) and part > 0)

    def sql(self, columns: Mapping[int, str], sequences: Mapping[str, str] | None = None) -> str:
        """The expression as SQL.

        Parameters
        ----------
        columns
            The name of each column, by id; they come out quoted.
        sequences
            What stands for a value of each sequence, by token, as SQL.
        """
        return self._joined({number: quoted(name) for number, name in columns.items()}, sequences or {})

    def shown(self, columns: Mapping[int, str], sequences: Mapping[str, str] | None = None) -> str:
        """The expression for people; the names of columns come out as they are given."""
        return self._joined(columns, sequences or {})

    def _joined(self, columns: Mapping[int, str], sequences: Mapping[str, str]) -> str:
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
            elif part > 0:
                pieces.append(columns[part])
            else:
                token = self.sequences[-part - 1]
                pieces.append(sequences.get(token, f"nextval('{token}')"))
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that no row may make FALSE; NULL passes."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Unique:
    """Columns that no two rows have the same values in; a row with a NULL in one of them equals no other."""

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns whose values some row of another table (`ITSELF`: of this one) has in its own; NULL in one passes."""

    name: str
    columns: tuple[int, ...]
    table: int
    referenced: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """A column that is computed from others of its row whenever the row is written.

    `type` is the SQL type that its values are cast to; empty where the column has the expression's own.
    """

    column: int
    expression: Expression
    type: str


@dataclass(frozen=True, slots=True)
class DefaultExpression:
    """What a column gets that a write leaves out, when that is no constant.

    Attributes
    ----------
    type
        The SQL type that values are cast to.
    per_row
        Whether every row gets a value of its own: `uuid()`, `nextval('s')`. Else one write has one: `now()`.
    """

    column: int
    expression: Expression
    type: str
    per_row: bool


Constraint = Check | Unique | ForeignKey


@dataclass(frozen=True, slots=True)
class TableRules:
    """Every rule of one table but NOT NULL and the primary key. Generated columns stand in the order of computing."""

    checks: tuple[Check, ...] = ()
    unique: tuple[Unique, ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    generated: tuple[Generated, ...] = ()
    defaults: tuple[DefaultExpression, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.checks or self.unique or self.foreign or self.generated or self.defaults)

    @property
    def on_rows(self) -> bool:
        """Whether a single row can be computed or refused by them."""
        return bool(self.checks or self.generated or self.defaults)

    @property
    def reads(self) -> frozenset[int]:
        """The ids of every column of the table that a rule names."""
        found = {item.column for item in (*self.generated, *self.defaults)}
        for item in (*self.checks, *self.generated):
            found |= item.expression.columns
        for item in (*self.unique, *self.foreign):
            found |= {*item.columns}
        for item in self.foreign:
            found |= {*(item.referenced if item.table == ITSELF else ())}
        return frozenset(found)

    @property
    def computed(self) -> frozenset[int]:
        """The ids of the generated columns."""
        return frozenset(item.column for item in self.generated)

    @property
    def named(self) -> Iterator[Constraint]:
        """The constraints that have a name."""
        yield from self.checks
        yield from self.unique
        yield from self.foreign

    def default(self, column: int) -> DefaultExpression | None:
        """The default expression of a column."""
        return next((item for item in self.defaults if item.column == column), None)

    def without(self, column: int) -> TableRules:
        """The rules when a column that no rule shares is gone: a CHECK of it only goes too."""
        return replace(
            self,
            checks=tuple(item for item in self.checks if column not in item.expression.columns),
            generated=tuple(item for item in self.generated if item.column != column),
            defaults=tuple(item for item in self.defaults if item.column != column),
        )

    @property
    def sequences(self) -> frozenset[str]:
        """The tokens of the sequences that defaults take values of."""
        return frozenset(item for default in self.defaults for item in default.expression.sequences)

    def users_of(self, column: int, *, alone: bool = True) -> list[str]:
        """What hangs on a column, in words; its own default and expression do not, nor, but for `alone`, a CHECK of it only."""
        checks = (item for item in self.checks if column in item.expression.columns)
        found = [
            f"the constraint {item.name!r}" for item in checks if alone or len(item.expression.columns) > 1
        ]
        found += [f"the constraint {item.name!r}" for item in self.unique if column in item.columns]
        found += [f"the constraint {item.name!r}" for item in self.foreign if column in item.columns]
        found += ["a generated column" for item in self.generated if column in item.expression.columns]
        return found
