"""One SELECT block: the relational steps that fit into it, and its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from luma_bench.plan.expressions import (
    AggregateCall,
    ColumnRef,
    Expression,
    SqlCondition,
    columns_of,
    conjuncts,
    has,
    substitute,
)
from luma_bench.plan.literals import identifier
from luma_bench.plan.nodes import SortKey
from luma_bench.plan.window import Window
from luma_bench.plan.write_expression import write, write_aggregate, write_conditions

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class OrderKey:
    """A key of ORDER BY: a column of the source, or else the name of an output column."""

    key: SortKey
    source: str | None
    output: str | None


@dataclass(slots=True)
class Block:
    """A SELECT under construction. `origin` is what follows FROM, line by line; expressions read the source's columns; `items` says what comes out of them.

    `columns` maps the source's columns to their texts, `qualified` to texts that no output name can hide.
    """

    origin: tuple[str, ...]
    alias: str
    columns: Mapping[str, str]
    qualified: Mapping[str, str]
    joined: bool
    items: dict[str, Expression | AggregateCall]
    where: list[Expression] = field(default_factory=list[Expression])
    group: tuple[str, ...] | None = None
    distinct: tuple[str, ...] | None = None
    order: tuple[OrderKey, ...] = ()
    limit: int | None = None
    offset: int = 0

    @classmethod
    def over(cls, source: str, names: tuple[str, ...]) -> Block:
        """All columns of a table or of an earlier step."""
        taken = {name.casefold() for name in names}
        alias = next(alias for number in range(len(taken) + 1) if (alias := f"t{number or ''}") not in taken)
        return cls(
            (source,),
            alias,
            {name: identifier(name) for name in names},
            {name: f"{alias}.{identifier(name)}" for name in names},
            joined=False,
            items={name: ColumnRef(name) for name in names},
        )

    @property
    def bare(self) -> bool:
        """Nothing but columns of the source, perhaps under other names."""
        return (
            self.group is None
            and self.distinct is None
            and self.limit is None
            and not self.where
            and self.plain
        )

    @property
    def plain(self) -> bool:
        """Every output is a column of the source."""
        return all(isinstance(item, ColumnRef) for item in self.items.values())

    @property
    def windowed(self) -> bool:
        """A window is among the outputs: whatever takes rows away has to come after it."""
        return any(
            not isinstance(item, AggregateCall) and not isinstance(item, ColumnRef) and has(item, Window)
            for item in self.items.values()
        )

    def reads_plainly(self, expression: Expression) -> bool:
        """Whether the expression over outputs can be written over the source."""
        names = columns_of(expression)
        if any(isinstance(part, SqlCondition) for part in conjuncts(expression)):
            # A text of the user's names outputs as they are; they must be the source's own names here.
            return not self.joined and all(self.items[name] == ColumnRef(name) for name in names)
        return all(isinstance(self.items[name], ColumnRef) for name in names)

    def at_source(self, expression: Expression) -> Expression:
        """The expression over outputs, over the source; `reads_plainly` holds."""
        renames = {
            name: item
            for name in columns_of(expression)
            if isinstance(item := self.items[name], ColumnRef) and item.name != name
        }
        return substitute(expression, renames) if renames else expression

    def source_of(self, name: str) -> str | None:
        """The source's column that an output is, if it is one."""
        item = self.items[name]
        return item.name if isinstance(item, ColumnRef) else None

    @property
    def opaque(self) -> bool:
        """A condition is the user's text, whose names cannot be qualified."""
        return any(
            isinstance(part, SqlCondition) for condition in self.where for part in conjuncts(condition)
        )

    def hides(self, items: Mapping[str, Expression | AggregateCall]) -> bool:
        """Whether an output name is also the name of a source column that it is not."""
        own = {name.casefold(): name for name in self.columns}
        return any(
            (source := own.get(name.casefold())) is not None and item != ColumnRef(source)
            for name, item in items.items()
        )

    def lines(self) -> list[str]:
        """The SELECT, a clause or an item an element. Names and strings may hold line breaks of their own."""
        hidden = not self.joined and self.hides(self.items)
        texts = self.qualified if hidden else self.columns

        def column(name: str) -> str:
            return texts[name]

        lines = self._select(column)
        lines += [f"FROM {self.origin[0]}{f' AS {self.alias}' if hidden else ''}", *self.origin[1:]]
        conditions = [text for condition in self.where for text in write_conditions(condition, column)]
        lines += [f"{'  AND' if place else 'WHERE'} {text}" for place, text in enumerate(conditions)]
        if self.group:
            lines.append("GROUP BY " + ", ".join(column(name) for name in self.group))
        if self.order:
            lines.append("ORDER BY " + ", ".join(_order(key, column) for key in self.order))
        if self.limit is not None:
            lines.append(f"LIMIT {self.limit}" + (f" OFFSET {self.offset}" if self.offset else ""))
        return lines

    def _select(self, column: _Column) -> list[str]:
        head = "SELECT"
        if self.distinct is not None:
            on = ", ".join(identifier(name) for name in self.distinct)
            head += f" DISTINCT ON ({on})" if on else " DISTINCT"
        same = list(self.items.values()) == [ColumnRef(name) for name in self.columns]
        if same and list(self.items) == list(self.columns) and not self.joined:
            return [f"{head} *"]
        shown = [_item(name, item, column) for name, item in self.items.items()]
        flat = f"{head} {', '.join(shown)}"
        if len(flat) <= _WIDTH:
            return [flat]
        return [head, *(f"  {item}," for item in shown[:-1]), f"  {shown[-1]}"]


type _Column = Callable[[str], str]


def _item(name: str, item: Expression | AggregateCall, column: _Column) -> str:
    text = write_aggregate(item, column) if isinstance(item, AggregateCall) else write(item, column)
    shown = identifier(name)
    return (
        text
        if text == shown or (text.endswith(f".{shown}") and isinstance(item, ColumnRef))
        else f"{text} AS {shown}"
    )


def _order(key: OrderKey, column: _Column) -> str:
    text = column(key.source) if key.source is not None else identifier(key.output or "")
    return f"{text}{' DESC' if key.key.descending else ''} NULLS {'LAST' if key.key.nulls_last else 'FIRST'}"
