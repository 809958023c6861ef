"""Scalar expressions of the plan as Polars expressions: DuckDB parses them and types every part, tables here convert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import polars as pl

from luma_bench.engines.polars.calendar import CALENDAR
from luma_bench.engines.polars.casts import cast, common, compared
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.kinds import Kind, Range, Refused, combined, kind_of, united
from luma_bench.engines.polars.numbers import NUMBERS
from luma_bench.engines.polars.syntax import Syntax
from luma_bench.engines.polars.texts import TEXTS, by_category, equals_text
from luma_bench.engines.polars.values import Value, constant_of
from luma_bench.plan.relational.expressions import Expression
from luma_bench.plan.relational.to_duck import expression_sql

_MANY = 16
"""Values of an IN list from which on a set is built."""
_COMPARE: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "IS DISTINCT FROM": lambda a, b: a.ne_missing(b),
    "IS NOT DISTINCT FROM": lambda a, b: a.eq_missing(b),
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_FUNCTIONS: Mapping[str, Callable[[Sequence[Value], Kind, str, Duck], Value]] = {
    **NUMBERS,
    **TEXTS,
    **CALENDAR,
}


class Scalars:
    """Translates expressions over the columns of one frame.

    Parameters
    ----------
    columns
        The frame's columns `c0`, `c1`, ….
    """

    def __init__(self, duck: Duck, columns: Sequence[Value]) -> None:
        self.duck = duck
        self._columns = columns
        self.names = [f"c{at}" for at in range(len(columns))]
        self._typed = [(name, value.kind.text) for name, value in zip(self.names, columns, strict=True)]
        self._types: dict[str, str] = {}
        self._made: dict[str, Value] = {}

    def values(self, expressions: Sequence[Expression]) -> list[Value]:
        """Each expression as a column.

        Raises
        ------
        Refused
            One is not proven to come out as DuckDB has it.
        """
        texts = [expression_sql(expression, self.names) for expression in expressions]
        return self.of_texts(texts)

    def trees(self, expressions: Sequence[Expression]) -> list[Syntax]:
        """Each expression as DuckDB parses it."""
        return self.duck.parsed([expression_sql(expression, self.names) for expression in expressions])

    def types(self, texts: Sequence[str]) -> list[str]:
        """The SQL type of each text over the columns, aggregates too."""
        found = self.duck.types(texts, self._typed)
        return [found[text] for text in texts]

    def of_texts(self, texts: Sequence[str]) -> list[Value]:
        """Each text as a column."""
        trees = self.duck.parsed(texts)
        self._learn(texts, trees)
        return [self._value(tree) for tree in trees]

    def _learn(self, texts: Sequence[str], trees: Sequence[Syntax]) -> None:
        """Every part's type, in one question; and the constants, in another."""
        wanted = list(texts)
        constants: list[str] = []
        pending = list(trees)
        while pending:
            tree = pending.pop()
            if tree.form == "column":
                continue
            wanted.append(tree.text)
            if tree.is_constant:
                constants.append(tree.text)
            else:
                pending += tree.args
        wanted = [text for text in wanted if text not in self._types]
        if wanted:
            self._types |= self.duck.types(wanted, self._typed)
        for text, tree in zip(texts, trees, strict=bool(texts)):
            if tree.form != "column" and self._types[text] != self._types[tree.text]:
                raise Refused("an expression that is read in two ways")
        if constants:
            self.duck.constants(constants)

    def _value(self, tree: Syntax) -> Value:
        found = self._made.get(tree.text)
        if found is None:
            found = self._made[tree.text] = self._convert(tree)
        return found

    def _convert(self, tree: Syntax) -> Value:
        if tree.form == "column":
            return self._columns[int(tree.name[1:])]
        kind = kind_of(self._types[tree.text])
        if tree.is_constant:
            return constant_of(self.duck.constants([tree.text])[0], kind, tree.text)
        args = tree.args
        match tree.form:
            case "and" | "or":
                return self._connective(tree)
            case "not":
                value = self._boolean(args[0])
                return value.over(~value.expr)
            case "is null" | "is not null":
                return self._is_null(self._value(args[0]), negated=tree.form == "is not null")
            case "compare":
                return self._compare(tree.name, self._value(args[0]), self._value(args[1]))
            case "between":
                value, low, high = (self._value(part) for part in args)
                above, below = self._compare(">=", value, low), self._compare("<=", value, high)
                return _boolean(above.expr & below.expr, above, below)
            case "in" | "not in":
                found = self._in([self._value(part) for part in args])
                return found if tree.form == "in" else found.over(~found.expr)
            case "cast":
                return cast(self._value(args[0]), kind, self.duck)
            case "case":
                return self._case(args, kind)
            case "coalesce":
                values = common([self._value(part) for part in args], kind, self.duck)
                made = pl.coalesce([value.expr for value in values])
                return _chosen(made, kind, values, nullable=all(value.nullable for value in values))
            case "call":
                return self._call(tree, kind)
            case "struct":
                return self._struct(tree, kind)
            case "field":
                return self._field(self._value(args[0]), tree.name)
            case other:
                raise Refused(f"{other}")

    def _call(self, tree: Syntax, kind: Kind) -> Value:
        rule = _FUNCTIONS.get(tree.name)
        if rule is None:
            raise Refused(f"the function {tree.name}")
        return rule([self._value(part) for part in tree.args], kind, tree.name, self.duck)

    def _struct(self, tree: Syntax, kind: Kind) -> Value:
        parts = [self._value(part) for part in tree.args]
        fields = tuple(zip(tree.name.split("\n"), parts, strict=True))
        dtype = pl.Struct([pl.Field(name, part.dtype) for name, part in fields])
        expr = pl.struct([part.expr.alias(name) for name, part in fields])
        return Value(expr, kind, dtype, Range(0, 0), False, fields=fields)

    def _field(self, value: Value, name: str) -> Value:
        for held, field in value.fields:
            if held.casefold() == name.casefold():
                found = field.over(value.expr.struct.field(held))
                return replace(found, nullable=value.nullable or field.nullable)
        raise Refused(f"the field {name} of a stored struct")

    def _boolean(self, tree: Syntax) -> Value:
        return cast(self._value(tree), kind_of("BOOLEAN"), self.duck)

    def _connective(self, tree: Syntax) -> Value:
        values = [self._boolean(part) for part in tree.args]
        if tree.form == "and":
            made = reduce(lambda a, b: a & b, [value.expr for value in values])
        else:
            made = reduce(lambda a, b: a | b, [value.expr for value in values])
        return _boolean(made, *values)

    def _is_null(self, value: Value, *, negated: bool) -> Value:
        expr = value.expr.is_not_null() if negated else value.expr.is_null()
        return replace(_boolean(expr), nullable=False)

    def _compare(self, operator: str, left: Value, right: Value) -> Value:
        for one, other in ((left, right), (right, left)):
            if one.is_enum and isinstance(other.literal, str):
                word = operator if one is left else _TURNED.get(operator, operator)
                return equals_text(one, word, other.literal)
        left, right = compared(left, right, self.duck)
        if left.constant is not None:
            # A literal on the left of a comparison loses rows in polars 2.1.
            left, right, operator = right, left, _TURNED.get(operator, operator)
        made = _COMPARE[operator](left.expr, right.expr)
        if operator.startswith("IS"):
            return replace(_boolean(made), nullable=False)
        return _boolean(made, left, right)

    def _in(self, values: Sequence[Value]) -> Value:
        value, *items = values
        if value.is_enum and all(isinstance(item.literal, str) for item in items):
            wanted = {str(item.literal) for item in items}
            return by_category(value, lambda text: text.is_in(sorted(wanted)))
        literals = [item.literal for item in items]
        alike = all(item.constant is not None and item.kind.family == value.kind.family for item in items)
        if (
            len(items) >= _MANY
            and alike
            and None not in literals
            and value.kind.family in ("integer", "text", "date")
            and value.dtype != pl.Int128()
            and value.constant is None
        ):
            pairs = [compared(value, item, self.duck) for item in items]
            first = pairs[0][0]
            if all(pair[0].dtype == first.dtype for pair in pairs):
                found = pl.Series("set", [pair[1].literal for pair in pairs], dtype=first.dtype)
                return _boolean(first.expr.is_in(found.implode()), value)
        parts = [self._compare("=", value, item) for item in items]
        return _boolean(reduce(lambda a, b: a | b, [part.expr for part in parts]), *parts)

    def _case(self, args: Sequence[Syntax], kind: Kind) -> Value:
        if len(args) == 3 and args[1].form == "call" and args[1].name == "error":
            return self._unless(self._boolean(args[0]), cast(self._value(args[2]), kind, self.duck))
        conditions = [self._boolean(part) for part in args[:-1:2]]
        results = common([self._value(part) for part in (*args[1::2], args[-1])], kind, self.duck)
        made = pl.when(conditions[0].expr).then(results[0].expr)
        for condition, result in zip(conditions[1:], results[1:-1], strict=True):
            made = made.when(condition.expr).then(result.expr)
        nullable = any(value.nullable for value in results)
        return _chosen(made.otherwise(results[-1].expr), kind, results, nullable=nullable)

    @staticmethod
    def _unless(condition: Value, value: Value) -> Value:
        """The value, unless the condition is TRUE in a row: then DuckDB shall say what is wrong."""

        def checked(found: pl.Series) -> pl.Series:
            if found.any():
                raise Refused("an error that the data make")
            return found

        tested = condition.expr.map_batches(checked, return_dtype=pl.Boolean(), is_elementwise=True)
        expr = pl.when(tested.fill_null(value=False)).then(None).otherwise(value.expr)
        return replace(value.over(expr), nullable=True)


def _chosen(expr: pl.Expr, kind: Kind, values: Sequence[Value], *, nullable: bool) -> Value:
    """One of values that are held alike."""
    dtype = next((value.dtype for value in values if value.constant is None), values[0].dtype)
    span = combined(united, *(value.range for value in values)) if kind.is_whole else kind.range
    return Value(expr, kind, dtype, span, nullable)


def _boolean(expr: pl.Expr, *operands: Value) -> Value:
    kind = kind_of("BOOLEAN")
    return Value(expr, kind, kind.dtype, Range(0, 1), any(value.nullable for value in operands))
