"""Substrait's expressions as those of the relational plan: templates get their holes back, DataFusion's casts are dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from luma_bench.engines.lowering.fusion import CORRELATED, SYMBOL
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.templates import Templates
from luma_bench.engines.lowering.tidy import TRUE
from luma_bench.plan.relational.expressions import And, Compare, Expression, Not, Operator, Or, Sql

if TYPE_CHECKING:
    from substrait import algebra_pb2 as sub

_COMPARISONS: Final[Mapping[str, Operator]] = {
    "equal": "=",
    "not_equal": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
}
_NULL_SAFE: Final[Mapping[str, Operator]] = {
    "COMPARE_DISTINCT_FROM": "is distinct from",
    "COMPARE_NOT_DISTINCT_FROM": "is not distinct from",
}
_OPAQUE: Final = re.compile(r"[sbn]\d+")

NEVER: Final = (Sql(("FALSE",)), Sql(("NULL::BOOLEAN",)))
"""Conditions that the planner found to be never TRUE; those of a text are spelled otherwise."""


class Printed:
    """The templates of a statement in DuckDB's words, cut at their holes."""

    def __init__(self, templates: Templates, printed: Callable[[Sequence[Any]], list[str]]) -> None:
        self._templates = templates
        self._printed = printed
        self._hole = re.compile(f'"{re.escape(templates.marker)}(\\d+)"')
        self._cut: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}

    def prepare(self) -> None:
        """Have all templates that there are by now printed at once."""
        numbers = [number for number in range(len(self._templates.trees)) if number not in self._cut]
        texts = self._printed([self._templates.trees[number] for number in numbers])
        for number, text in zip(numbers, texts, strict=True):
            parts = self._hole.split(text)
            self._cut[number] = (tuple(parts[::2]), tuple(int(place) for place in parts[1::2]))

    def filled(self, number: int, args: Sequence[Expression]) -> Expression:
        """A template over what its holes are."""
        compared = self._compared(number, args)
        if compared is not None:
            return compared
        parts, places = self._cut[number]
        if parts == ("", "") and len(places) == 1:
            return args[places[0]]
        return Sql(parts, tuple(args[place] for place in places))

    def _compared(self, number: int, args: Sequence[Expression]) -> Expression | None:
        """What a template of two holes compares, where it is IS [NOT] DISTINCT FROM."""
        tree = self._templates.trees[number]
        operator = _NULL_SAFE.get(tree["type"]) if tree["class"] == "COMPARISON" else None
        holes = [self._templates.hole(0), self._templates.hole(1)]
        if operator is None or [tree["left"], tree["right"]] != holes:
            return None
        return Compare(operator, args[0], args[1])

    def text(self, number: int) -> str:
        """A template without holes."""
        return self._cut[number][0][0]


class ExpressionDecoder:
    """Decodes the expressions over one relation.

    Parameters
    ----------
    functions
        Names of functions by their anchors in the plan.
    columns
        What stands at each position of the relation.
    scalar
        What becomes of a subquery that gives one value.
    """

    def __init__(
        self,
        functions: Mapping[int, str],
        printed: Printed,
        columns: Sequence[Expression],
        scalar: Callable[[sub.Rel], Expression],
    ) -> None:
        self._functions = functions
        self._printed = printed
        self._columns = columns
        self._scalar = scalar

    def expression(self, tree: sub.Expression) -> Expression:
        """One expression.

        Raises
        ------
        NotLowered
            DataFusion put something into it that is not known here.
        """
        kind = tree.WhichOneof("rex_type")
        match kind:
            case "selection":
                return self._columns[tree.selection.direct_reference.struct_field.field]
            case "literal":
                return self._literal(tree.literal)
            case "cast":
                return self.expression(tree.cast.input)
            case "scalar_function":
                return self._call(tree.scalar_function)
            case "if_then":
                return self._case(tree.if_then)
            case "singular_or_list":
                found = tree.singular_or_list
                value = self.expression(found.value)
                return Or(tuple(Compare("=", value, self.expression(item)) for item in found.options))
            case "subquery" if tree.subquery.WhichOneof("subquery_type") == "scalar":
                return self._scalar(tree.subquery.scalar.input)
            case "subquery":
                raise NotLowered(CORRELATED)
            case _:
                raise NotLowered(f"an expression of the kind {kind}")

    def name(self, anchor: int) -> str:
        """The name of a function."""
        return self._functions[anchor].partition(":")[0]

    def _call(self, call: sub.Expression.ScalarFunction) -> Expression:
        name = self.name(call.function_reference)
        args = [self.expression(arg.value) for arg in call.arguments]
        if _OPAQUE.fullmatch(name):
            return self._printed.filled(number_of(call.arguments[0].value), args[1:])
        operator = _COMPARISONS.get(name)
        if operator is not None:
            return Compare(operator, args[0], args[1])
        match name:
            case "and":
                return And(_flat(And, args))
            case "or":
                return Or(_flat(Or, args))
            case "not":
                return Not(args[0])
            case "is_null":
                return Sql(("", " IS NULL"), (args[0],))
            case "is_not_null":
                return Sql(("", " IS NOT NULL"), (args[0],))
            case "is_true":
                return Sql(("coalesce(", ", false)"), (args[0],))
            case "is_not_true":
                return Sql(("NOT coalesce(", ", false)"), (args[0],))
            case "coalesce":
                return Sql(("coalesce(", *([", "] * (len(args) - 1)), ")"), tuple(args))
            case _:
                raise NotLowered(f"{name}() of the planner's own")

    def _case(self, found: sub.Expression.IfThen) -> Expression:
        parts, args = ["CASE WHEN "], list[Expression]()
        for clause in found.ifs:
            args += (self.expression(getattr(clause, "if")), self.expression(clause.then))
            parts += (" THEN ", " WHEN ")
        parts[-1] = " END"
        other = getattr(found, "else")
        if other.WhichOneof("rex_type") is not None:
            parts[-1] = " ELSE "
            args.append(self.expression(other))
            parts.append(" END")
        return Sql(tuple(parts), tuple(args))

    def _literal(self, literal: sub.Expression.Literal) -> Expression:
        kind = literal.WhichOneof("literal_type")
        match kind:
            case "null":
                return NEVER[1] if literal.null.WhichOneof("kind") == "bool" else Sql(("NULL",))
            case "boolean":
                return TRUE if literal.boolean else NEVER[0]
            case "string":
                return self._symbol(literal.string)
            case "i64" | "i32":
                return Sql((str(getattr(literal, kind)),))
            case _:
                raise NotLowered(f"a literal of the kind {kind}")

    def _symbol(self, text: str | None) -> Expression:
        """What a text stands for that DataFusion computed: a template over constants, or a count."""
        if text is None:
            return Sql(("NULL",))
        if text.isdigit():
            return Sql((f"CAST({text} AS BIGINT)",))
        if not text.startswith(SYMBOL):
            raise NotLowered("a text of the planner's own")
        number, *args = json.loads(text.removeprefix(SYMBOL))
        return self._printed.filled(int(number), [self._symbol(arg) for arg in args])


def number_of(tree: sub.Expression) -> int:
    """The number of a template or call, which stands first among the arguments."""
    return int(tree.literal.string)


def _flat(kind: type[And] | type[Or], args: Sequence[Expression]) -> tuple[Expression, ...]:
    found: list[Expression] = []
    for arg in args:
        found += arg.args if isinstance(arg, kind) else (arg,)
    return tuple(found)
