"""CREATE and DROP of row policies and masking policies, in ClickHouse's spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.placed import Kind, Placed, Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import Edit
from luma_bench.types.inspector import SqlInspector

ROW_SHAPE: Final = (
    "Write CREATE ROW POLICY p ON t [AS RESTRICTIVE] USING condition [TO role, … | TO ALL [EXCEPT role, …]]."
)
MASK_SHAPE: Final = (
    "Write CREATE MASKING POLICY p ON t UPDATE column = value, … [TO role, … | TO ALL [EXCEPT role, …]]."
)
DROP_SHAPE: Final = "Write DROP ROW POLICY [IF EXISTS] p ON t, or DROP MASKING POLICY [IF EXISTS] p ON t."
PARAMETERS: Final = frozenset({"user", "roles"})
"""The parameters that a policy may read: who asks, and the list of their roles."""

_COMMANDS: Final = Refusal(
    "A policy for changes",
    "is not in this version: who is under a policy of a table reads it and does not change it",
    "Write FOR SELECT, or leave FOR out.",
)


@dataclass(frozen=True, slots=True)
class PolicyExpression:
    """A condition, or the value of a masked column, in the user's own text."""

    text: str
    query: Query
    column: str = ""
    column_span: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePolicy(Placed):
    """CREATE ROW POLICY (one expression without a column) or CREATE MASKING POLICY (one for each column).

    `roles` are those it is for; with `excepted` it is for everyone but them.
    """

    kind: ClassVar[Kind] = Kind.CREATE_POLICY
    name: str
    table: str
    table_span: tuple[int, int]
    masking: bool
    expressions: tuple[PolicyExpression, ...]
    roles: tuple[str, ...] = ()
    excepted: bool = True
    restrictive: bool = False
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPolicy(Placed):
    """DROP ROW POLICY or DROP MASKING POLICY."""

    kind: ClassVar[Kind] = Kind.DROP_POLICY
    name: str
    table: str
    table_span: tuple[int, int]
    masking: bool
    if_exists: bool = False


def create_policy(
    cursor: Cursor, inspector: SqlInspector, *, masking: bool, or_replace: bool
) -> CreatePolicy:
    """CREATE [OR REPLACE] ROW|MASKING POLICY …; the cursor stands behind POLICY."""
    shape = MASK_SHAPE if masking else ROW_SHAPE
    if_not_exists = cursor.if_not_exists(or_replace=or_replace)
    name, table, span = _named(cursor, shape)
    restrictive = False
    if not masking and cursor.accept("AS"):
        restrictive = cursor.accept("RESTRICTIVE")
        if not restrictive and not cursor.accept("PERMISSIVE"):
            raise cursor.expected("PERMISSIVE or RESTRICTIVE after AS", shape)
    if not masking and cursor.accept("FOR") and not cursor.accept("SELECT"):
        raise _COMMANDS.error(cursor.tokens.text, cursor.tokens.span(cursor.index))
    cursor.expect("UPDATE" if masking else "USING", "UPDATE" if masking else "USING", hint=shape)
    expressions: list[PolicyExpression] = []
    while True:
        expressions.append(_masked(cursor, inspector) if masking else _value(cursor, inspector, shape))
        if not masking or not cursor.accept(","):
            break
    columns = [item.column.casefold() for item in expressions]
    for at, column in enumerate(columns):
        if column in columns[:at]:
            raise KadeQLSyntaxError(
                f"The column {expressions[at].column!r} is masked twice.",
                text=cursor.tokens.text, span=expressions[at].column_span, hint="Mask each column once.",
            )  # fmt: skip
    roles, excepted = _roles(cursor, shape)
    cursor.finish("the policy")
    source, start, end, whole = cursor.placed
    return CreatePolicy(
        source=source, start=start, end=end, whole=whole, name=name, table=table, table_span=span, masking=masking,
        expressions=tuple(expressions), roles=roles, excepted=excepted, restrictive=restrictive,
        if_not_exists=if_not_exists, or_replace=or_replace,
    )  # fmt: skip


def drop_policy(cursor: Cursor, *, masking: bool) -> DropPolicy:
    """DROP ROW|MASKING POLICY [IF EXISTS] p ON t; the cursor stands behind POLICY."""
    if_exists = cursor.accept("IF", "EXISTS")
    name, table, span = _named(cursor, DROP_SHAPE)
    cursor.finish("the table's name")
    source, start, end, whole = cursor.placed
    return DropPolicy(
        source=source, start=start, end=end, whole=whole, name=name, table=table, table_span=span, masking=masking,
        if_exists=if_exists,
    )  # fmt: skip


def _named(cursor: Cursor, shape: str) -> tuple[str, str, tuple[int, int]]:
    """`p ON t`: the policy's name, the table's, and where the latter stands."""
    name = cursor.name("the policy's name")
    cursor.expect("ON and the table's name", "ON", hint=shape)
    return name, *cursor.placed_table()


def _masked(cursor: Cursor, inspector: SqlInspector) -> PolicyExpression:
    place = cursor.index
    column = cursor.name("a column's name")
    cursor.expect("= after the column's name", "=", hint=MASK_SHAPE)
    found = _value(cursor, inspector, MASK_SHAPE)
    return PolicyExpression(found.text, found.query, column, cursor.tokens.span(place))


def _value(cursor: Cursor, inspector: SqlInspector, shape: str) -> PolicyExpression:
    """An expression up to a comma (of a masking policy), TO or the end, outside of brackets."""
    tokens, first = cursor.tokens, cursor.index
    ends = ("TO", ",") if shape is MASK_SHAPE else ("TO",)
    while not cursor.done and cursor.word not in ends:
        if cursor.word in ("(", "[", "{"):
            cursor.index = tokens.closing(cursor.index, cursor.end)
        cursor.index += 1
    if cursor.index == first:
        raise cursor.expected("an expression over the table's columns", shape)
    start, end = tokens.span(first, cursor.index)
    edits = (Edit(start, start, "SELECT ("), Edit(end, end, "\n) AS value"))
    query = read_query(tokens, first, cursor.index, inspector, edits)
    for name in sorted(query.params - PARAMETERS):
        at = tokens.text.find(f"${name}", start)
        raise KadeQLUnsupportedError(
            f"A policy has no parameter ${name}.",
            text=tokens.text, span=(at, at + len(name) + 1),
            hint="It may read $user, the name of who asks, and $roles, the list of their roles.",
        )  # fmt: skip
    return PolicyExpression(tokens.text[start:end], query)


def _roles(cursor: Cursor, shape: str) -> tuple[tuple[str, ...], bool]:
    """TO role, … or TO ALL [EXCEPT role, …]; everyone where it is left out."""
    if not cursor.accept("TO"):
        return (), True
    everyone = cursor.accept("ALL")
    if everyone and not cursor.accept("EXCEPT"):
        return (), True
    names = [_role(cursor, shape)]
    while cursor.accept(","):
        names.append(_role(cursor, shape))
    if not cursor.done:
        raise cursor.expected("a comma or the end of the statement after a role", shape)
    return tuple(dict.fromkeys(names)), everyone


def _role(cursor: Cursor, shape: str) -> str:
    if cursor.done:
        raise cursor.expected("a role's name", shape)
    return cursor.name("a role's name")
