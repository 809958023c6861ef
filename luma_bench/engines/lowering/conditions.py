"""Conditions for DataFusion: AND, OR, comparisons and subqueries stay in sight, everything else goes behind a template.

A condition stands where only TRUE counts (WHERE, ON, HAVING, FILTER), so NOT is moved down to what it negates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.subqueries import exists_condition, in_condition
from luma_bench.engines.lowering.templates import comparison, operator

if TYPE_CHECKING:
    from luma_bench.engines.lowering.expressions import Expressions

_COMPARISONS: Final = {
    "COMPARE_EQUAL": ("=", "<>"),
    "COMPARE_NOTEQUAL": ("<>", "="),
    "COMPARE_LESSTHAN": ("<", ">="),
    "COMPARE_GREATERTHAN": (">", "<="),
    "COMPARE_LESSTHANOREQUALTO": ("<=", ">"),
    "COMPARE_GREATERTHANOREQUALTO": (">=", "<"),
    "COMPARE_DISTINCT_FROM": ("", ""),
    "COMPARE_NOT_DISTINCT_FROM": ("", ""),
}


def condition(expressions: Expressions, tree: Tree, *, negated: bool = False) -> str:
    """The SQL of a condition, or of its opposite.

    Raises
    ------
    NotLowered
        Something in it does not run on other engines.
    """
    kind: str = tree["type"]
    match tree["class"]:
        case "CONJUNCTION":
            both = (kind == "CONJUNCTION_AND") != negated
            parts = [condition(expressions, part, negated=negated) for part in tree["children"]]
            return f"({(' AND ' if both else ' OR ').join(parts)})"
        case "OPERATOR" if kind == "OPERATOR_NOT":
            return condition(expressions, tree["children"][0], negated=not negated)
        case "OPERATOR" if kind in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
            null = (kind == "OPERATOR_IS_NULL") != negated
            value = expressions.value(tree["children"][0])
            if _reads_nothing(value):
                return _opaque(expressions, tree, negated)
            return f"({value} IS {'' if null else 'NOT '}NULL)"
        case "COMPARISON" if kind in _COMPARISONS:
            left, right = expressions.value(tree["left"]), expressions.value(tree["right"])
            if _reads_nothing(left) and _reads_nothing(right):
                return _opaque(expressions, tree, negated)
            if "DISTINCT" in kind:
                return _null_safe(expressions, left, right, (kind == "COMPARE_DISTINCT_FROM") != negated)
            return f"({left} {_COMPARISONS[kind][negated]} {right})"
        case "BETWEEN":
            value = expressions.value(tree["input"])
            lower, upper = expressions.value(tree["lower"]), expressions.value(tree["upper"])
            if _reads_nothing(value):
                return _opaque(expressions, tree, negated)
            if negated:
                return f"({value} < {lower} OR {value} > {upper})"
            return f"({value} >= {lower} AND {value} <= {upper})"
        case "SUBQUERY" if tree["subquery_type"] in ("EXISTS", "NOT_EXISTS"):
            wanted = (tree["subquery_type"] == "EXISTS") != negated
            return exists_condition(expressions, tree, wanted=wanted)
        case "SUBQUERY" if tree["subquery_type"] == "ANY":
            return in_condition(expressions, tree, negated=negated)
        case "COLUMN_REF" if (aliased := expressions.aliased(tree)) is not None:
            name: str = tree["column_names"][0]
            return condition(expressions.without(name), aliased, negated=negated)
        case _:
            return _opaque(expressions, tree, negated)


def _null_safe(expressions: Expressions, left: str, right: str, distinct: bool) -> str:
    """IS [NOT] DISTINCT FROM behind a template: DataFusion may make a plain `=` of it when it reorders joins."""
    templates = expressions.templates
    kind = "COMPARE_DISTINCT_FROM" if distinct else "COMPARE_NOT_DISTINCT_FROM"
    return templates.truth(comparison(kind, templates.hole(0), templates.hole(1)), [left, right])


def _opaque(expressions: Expressions, tree: Tree, negated: bool) -> str:
    return expressions.truth(operator("OPERATOR_NOT", tree) if negated else tree)


def _reads_nothing(text: str) -> bool:
    return text.startswith("s0(")
