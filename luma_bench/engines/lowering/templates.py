"""Scalar expressions and calls by number: DataFusion sees opaque functions of holes, never what DuckDB computes of them.

`s2('17', a, b)` stands for the value of template 17 over two holes (`n2(…)` for one that is NULL where one of them is),
`b2(…)` for its truth where a condition stands,
`a2('3', x, y)` for call 3, an aggregate or a window function of two arguments.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from luma_bench.engines.duck_tree import Tree

Order = tuple[bool, bool]
"""Whether a key descends, and whether NULLs come first."""

Unit = Literal["rows", "range", "groups"]
BoundKind = Literal["unbounded preceding", "preceding", "current row", "following", "unbounded following"]


@dataclass(frozen=True, slots=True)
class AggregateShape:
    """An aggregate but for its arguments: these come first, then the keys of its order, then its filter."""

    function: str
    args: int
    distinct: bool = False
    order: tuple[Order, ...] = ()
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class FrameShape:
    """A frame; the offsets are numbers of templates without holes."""

    unit: Unit
    start: BoundKind
    end: BoundKind
    start_offset: int | None = None
    end_offset: int | None = None


@dataclass(frozen=True, slots=True)
class WindowShape:
    """A window function but for its arguments (and its filter behind them), its partition and its order."""

    function: str
    args: int
    distinct: bool = False
    ignore_nulls: bool = False
    filtered: bool = False
    frame: FrameShape | None = None


@dataclass(frozen=True, slots=True)
class SetsShape:
    """The mark of an aggregation over several grouping sets: it gives the number of the set that a row belongs to."""

    sets: tuple[tuple[int, ...], ...]
    keys: int


Shape = AggregateShape | WindowShape | SetsShape


class Templates:
    """The templates and calls of one statement.

    Parameters
    ----------
    marker
        What holes are called before their number; the text of the statement does not hold it.
    """

    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.trees: list[Tree] = []
        self.shapes: list[Shape] = []
        self._numbers: dict[str, int] = {}
        self._shape_numbers: dict[Shape, int] = {}

    def hole(self, place: int) -> Tree:
        """What stands in a template for its hole at a place."""
        return {
            "class": "COLUMN_REF",
            "type": "COLUMN_REF",
            "alias": "",
            "column_names": [f"{self.marker}{place}"],
        }

    def number(self, tree: Tree) -> int:
        """The number of a template; equal ones share it."""
        key = json.dumps(tree)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.trees)
            self.trees.append(tree)
        return found

    def value(self, tree: Tree, holes: list[str], *, null_is_null: bool = False) -> str:
        """The SQL of a template's value; `null_is_null` tells that it is NULL where one of its holes is."""
        return self._called("n" if null_is_null else "s", self.number(tree), holes)

    def truth(self, tree: Tree, holes: list[str]) -> str:
        """The SQL of a template as a condition."""
        return self._called("b", self.number(tree), holes)

    def call(self, shape: Shape, args: list[str]) -> str:
        """The SQL of an aggregate or window function."""
        found = self._shape_numbers.setdefault(shape, len(self.shapes))
        if found == len(self.shapes):
            self.shapes.append(shape)
        return self._called("a", found, args)

    @staticmethod
    def _called(kind: str, number: int, holes: list[str]) -> str:
        listed = "".join(f", {hole}" for hole in holes)
        return f"{kind}{len(holes)}('{number}'{listed})"


def is_arithmetic(tree: Tree) -> bool:
    """Whether a template is of sums, products and casts alone, and so NULL where anything in it is."""
    match tree["class"]:
        case "COLUMN_REF" | "CONSTANT":
            return True
        case "CAST":
            return not tree["try_cast"] and is_arithmetic(tree["child"])
        case "FUNCTION":
            arithmetic = tree["is_operator"] and tree["function_name"] in ("+", "-", "*", "/")
            return arithmetic and all(is_arithmetic(arg["expression"]) for arg in tree["arguments"])
        case _:
            return False


def constant(text: str, kind: str = "INTEGER") -> Tree:
    """The tree of a literal."""
    literal: dict[str, Any] = {"kind": kind, "text": text}
    return {"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "literal": literal}


def function(name: str, *args: Tree) -> Tree:
    """The tree of a call of a scalar function."""
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "function_name": name,
        "schema": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "catalog": "",
        "arguments": [{"name": "", "expression": arg} for arg in args],
        "qualified_name": {"path": [name]},
    }


def operator(kind: str, *children: Tree) -> Tree:
    """The tree of an operator: OPERATOR_NOT, OPERATOR_COALESCE, ARRAY_EXTRACT and others."""
    return {"class": "OPERATOR", "type": kind, "alias": "", "children": list(children)}


def comparison(kind: str, left: Tree, right: Tree) -> Tree:
    """The tree of a comparison: COMPARE_EQUAL and others."""
    return {"class": "COMPARISON", "type": kind, "alias": "", "left": left, "right": right}


def conjunction(*children: Tree) -> Tree:
    """The tree of AND."""
    return {"class": "CONJUNCTION", "type": "CONJUNCTION_AND", "alias": "", "children": list(children)}


def direct(text: str) -> Tree:
    """A tree that stands for SQL which DataFusion is given as it is."""
    return {"class": "DIRECT", "type": "DIRECT", "alias": "", "text": text}
