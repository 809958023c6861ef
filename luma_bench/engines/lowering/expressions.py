"""Scalar expressions for DataFusion: what is computed goes behind a template, what stays are its holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.calls import aggregate, window
from luma_bench.engines.lowering.functions import is_aggregate, moment, require_known
from luma_bench.engines.lowering.names import Scope
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.subqueries import subquery_value
from luma_bench.engines.lowering.templates import constant, function, is_arithmetic

if TYPE_CHECKING:
    from luma_bench.engines.lowering.queries import Queries

_NONE: frozenset[str] = frozenset()


class Expressions:
    """Expressions where they stand: in one clause of one query.

    Parameters
    ----------
    aliases
        What the select list calls expressions and may stand here, folded.
    aliases_first
        Whether an alias hides a column of its name.
    keys
        In a query with groups: the SQL of each key as it is computed from rows, and what is read instead of it.
    lift
        What becomes of the SQL of each hole: a column of the query inside, where the expression stands outside of it.
    below
        What becomes of the SQL of each hole but window functions before that: groups that are a query of their own.
    grouping
        The SQL of which grouping set a row belongs to; None where there is one only.
    """

    def __init__(
        self,
        queries: Queries,
        scope: Scope,
        *,
        aliases: Mapping[str, Tree] | None = None,
        aliases_first: bool = False,
        keys: Mapping[str, str] | None = None,
        lift: Callable[[str], str] | None = None,
        below: Callable[[str], str] | None = None,
        grouping: Callable[[Tree], str] | None = None,
    ) -> None:
        self.queries = queries
        self.statement = queries.statement
        self.templates = queries.statement.templates
        self.scope = scope
        self.aliases = aliases or {}
        self.aliases_first = aliases_first
        self.keys = keys
        self.lift = lift
        self.below = below
        self.grouping = grouping

    def value(self, tree: Tree) -> str:
        """The SQL of an expression's value.

        Raises
        ------
        NotLowered
            Something in it does not run on other engines.
        """
        hole = self._hole(tree, _NONE)
        if hole is not None:
            return hole
        holes: list[str] = []
        shape = self._shape(tree, holes, _NONE)
        if shape == self.templates.hole(0) and len(holes) == 1:
            return holes[0]
        return self.templates.value(shape, holes, null_is_null=bool(holes) and is_arithmetic(shape))

    def truth(self, tree: Tree) -> str:
        """The SQL of an expression as an opaque condition.

        One that reads nothing gets a hole that it does not use: DataFusion moves a condition without columns below an
        aggregate over all rows, which gives a row where it must give none.
        """
        holes: list[str] = []
        shape = self._shape(tree, holes, _NONE)
        if not holes and self.keys is not None:
            holes.append(self._lifted("CAST(count(*) AS VARCHAR)"))
        elif not holes and self.scope.visible:
            holes.append(self._lifted(self.scope.visible[0].text))
        return self.templates.truth(shape, holes)

    def of_rows(self) -> Expressions:
        """The same names for what is computed of single rows: arguments of aggregates."""
        return Expressions(self.queries, self.scope, aliases=self.aliases, aliases_first=self.aliases_first)

    def inside(self) -> Expressions:
        """The same where the query's own rows are: what a window function is over, before anything is lifted."""
        return Expressions(
            self.queries,
            self.scope,
            aliases=self.aliases,
            keys=self.keys,
            grouping=self.grouping,
            below=self.below,
        )

    def aliased(self, tree: Tree) -> Tree | None:
        """The expression that a name alone stands for as an alias; None when it does not."""
        names: list[str] = tree["column_names"]
        if tree["class"] != "COLUMN_REF" or len(names) != 1:
            return None
        found = self.aliases.get(names[0].casefold())
        if found is None or self.aliases_first:
            return found
        column = self.scope.column(names, own=True)
        # A column that is no key of the groups cannot be meant above them.
        hidden = column is None or (self.keys is not None and column[0] not in self.keys)
        return found if hidden else None

    def without(self, name: str) -> Expressions:
        """The same without one alias, which does not stand for itself."""
        aliases = {key: tree for key, tree in self.aliases.items() if key != name.casefold()}
        return Expressions(
            self.queries,
            self.scope,
            aliases=aliases,
            keys=self.keys,
            lift=self.lift,
            grouping=self.grouping,
            below=self.below,
        )

    def constant_number(self, tree: Tree, what: str) -> int:
        """The number of the template of an expression without holes.

        Raises
        ------
        NotLowered
            It reads something.
        """
        holes: list[str] = []
        shape = self._shape(tree, holes, _NONE)
        if holes:
            raise NotLowered(f"{what} is no constant")
        return self.templates.number(shape)

    def _lifted(self, text: str) -> str:
        return self._outside(text if self.below is None else self.below(text))

    def _outside(self, text: str) -> str:
        return text if self.lift is None else self.lift(text)

    def _hole(self, tree: Tree, bound: frozenset[str]) -> str | None:
        """The SQL of what is a hole as a whole; None for what is computed."""
        kind = tree["class"]
        if self.keys is not None and (key := self._key(tree, bound)) is not None:
            return self._lifted(key)
        match kind:
            case "DIRECT":
                return self._lifted(tree["text"])
            case "COLUMN_REF":
                return self._column(tree, bound)
            case "WINDOW":
                return self._outside(window(self, tree))
            case "FUNCTION" if is_aggregate(self.statement, tree["function_name"].casefold()):
                return self._lifted(aggregate(self, tree))
            case "OPERATOR" if tree["type"] == "GROUPING_FUNCTION":
                if self.grouping is None:
                    raise NotLowered("grouping() without several grouping sets")
                return self._lifted(self.grouping(tree))
            case "SUBQUERY":
                return subquery_value(self, tree)
            case _:
                return None

    def _column(self, tree: Tree, bound: frozenset[str]) -> str | None:
        names: list[str] = tree["column_names"]
        if names[0].casefold() in bound or self.aliased(tree) is not None:
            return None
        found = self.scope.column(names)
        if found is None or found[1]:
            return None
        return self._lifted(found[0])

    def _key(self, tree: Tree, bound: frozenset[str]) -> str | None:
        """What is read instead of an expression that is a key of the groups."""
        if not self.keys or bound or tree["class"] in ("CONSTANT", "SUBQUERY", "WINDOW", "LAMBDA", "TYPE"):
            return None
        if has_calls(self.statement_is_aggregate, tree):
            return None
        try:
            text = self.of_rows().value(tree)
        except NotLowered:
            return None
        return self.keys.get(text)

    def statement_is_aggregate(self, name: str) -> bool:
        """Whether a function of this name takes the rows of a group."""
        return is_aggregate(self.statement, name)

    def _shape(self, tree: Tree, holes: list[str], bound: frozenset[str]) -> Tree:
        """A copy of an expression with holes; `holes` gets their SQL."""
        hole = self._hole(tree, bound)
        if hole is not None:
            if hole not in holes:
                holes.append(hole)
            return self.templates.hole(holes.index(hole))
        match tree["class"]:
            case "COLUMN_REF":
                return self._named(tree, holes, bound)
            case "PARAMETER":
                return self.statement.parameter(tree["identifier"])
            case "TYPE":
                return tree
            case "STAR":
                raise NotLowered("COLUMNS(…) in an expression")
            case "COLLATE":
                raise NotLowered("a collation")
            case "POSITIONAL_REFERENCE":
                raise NotLowered("a column by its position")
            case "LAMBDA":
                inner = bound | _parameters(tree["lhs"])
                return {**tree, "alias": "", "expr": self._shape(tree["expr"], holes, inner)}
            case "FUNCTION":
                name: str = tree["function_name"].casefold()
                now = moment(self.statement, name) if not tree["arguments"] else None
                if now is not None:
                    return now
                require_known(self.statement, name)
                if tree["filter"] is not None or tree["distinct"] or tree["order_bys"]["orders"]:
                    raise NotLowered(f"{name}() is no aggregate that is known here")
            case _:
                pass
        return {key: self._copied(key, part, holes, bound) for key, part in tree.items()}

    def _copied(self, key: str, part: Any, holes: list[str], bound: frozenset[str]) -> Any:
        if key == "alias":
            return ""
        if isinstance(part, list):
            return [self._copied("", item, holes, bound) for item in part]
        if isinstance(part, dict):
            if "class" in part:
                return self._shape(part, holes, bound)
            return {name: self._copied("", item, holes, bound) for name, item in part.items()}
        return part

    def _named(self, tree: Tree, holes: list[str], bound: frozenset[str]) -> Tree:
        """A name that is no column as a whole: an alias, a lambda's parameter, a field of a column, a word of SQL."""
        names: list[str] = tree["column_names"]
        if names[0].casefold() in bound:
            return {**tree, "alias": ""}
        aliased = self.aliased(tree)
        if aliased is not None:
            return self.without(names[0])._shape(aliased, holes, bound)
        found = self.scope.column(names)
        if found is None:
            now = moment(self.statement, names[0].casefold()) if len(names) == 1 else None
            if now is not None:
                return now
            raise NotLowered(f"the name {'.'.join(names)} is not understood here")
        text, fields = self._lifted(found[0]), found[1]
        if text not in holes:
            holes.append(text)
        whole = self.templates.hole(holes.index(text))
        for name in fields:
            whole = function("struct_extract", whole, constant(name, "STRING"))
        return whole


def has_calls(is_aggregate: Callable[[str], bool], tree: Any, *, windows: bool = True) -> bool:
    """Whether an expression holds an aggregate (or a window function, or a subquery) of its own query."""
    if isinstance(tree, list):
        return any(has_calls(is_aggregate, part, windows=windows) for part in tree)
    if not isinstance(tree, dict):
        return False
    kind = tree.get("class")
    if kind == "SUBQUERY":
        return windows
    if kind == "WINDOW" and windows:
        return True
    if kind == "FUNCTION" and is_aggregate(tree["function_name"].casefold()):
        return True
    return any(has_calls(is_aggregate, part, windows=windows) for part in tree.values())


def _parameters(tree: Tree) -> frozenset[str]:
    """The names that a lambda gives its arguments, folded."""
    if tree["class"] == "COLUMN_REF":
        return frozenset((tree["column_names"][0].casefold(),))
    names: set[str] = set()
    for arg in tree.get("arguments", []):
        names |= _parameters(arg["expression"])
    return frozenset(names)
