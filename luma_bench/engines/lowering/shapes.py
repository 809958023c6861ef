"""Which subqueries are plain selections of rows, so that an aggregate can stand in the place of their list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.templates import function


def is_plain(
    node: Tree, is_aggregate: Callable[[str], bool], *, wide: bool = False, bare: bool = False
) -> bool:
    """Whether a query gives one row for each row of its FROM that its WHERE keeps: one column, or any of them if `wide`.

    A constant may be that column if `bare`, and there need be no FROM.
    """
    if node["type"] != "SELECT_NODE" or any(kind != "ORDER_MODIFIER" for kind in _modifiers(node)):
        return False
    if node["group_expressions"] or node["aggregate_handling"] != "STANDARD_HANDLING":
        return False
    if node["having"] is not None or node["qualify"] is not None or node["sample"] is not None:
        return False
    listed: list[Tree] = node["select_list"]
    if not wide and (len(listed) != 1 or listed[0]["class"] == "STAR"):
        return False
    if not wide and not bare and (listed[0]["class"] == "CONSTANT" or node["from_table"]["type"] == "EMPTY"):
        return False
    return not _calls(listed, is_aggregate)


def reads_nothing(node: Tree) -> bool:
    """Whether a query has neither FROM nor WHERE."""
    return (
        node["type"] == "SELECT_NODE"
        and node["from_table"]["type"] == "EMPTY"
        and node["where_clause"] is None
        and not node["modifiers"]
    )


def first_row(node: Tree, is_aggregate: Callable[[str], bool]) -> Tree | None:
    """The query with an aggregate for `ORDER BY … LIMIT 1`; None for one of another form."""
    if node["type"] != "SELECT_NODE" or _modifiers(node) != ["ORDER_MODIFIER", "LIMIT_MODIFIER"]:
        return None
    order, limit = node["modifiers"]
    count = limit["limit"]
    if limit["offset"] is not None or limit["limit_type"] != "ROW_COUNT" or count["class"] != "CONSTANT":
        return None
    keys = [key["expression"] for key in order["orders"]]
    if count["literal"]["text"] != "1" or any(key["class"] in ("CONSTANT", "STAR") for key in keys):
        return None
    rest = {**node, "modifiers": []}
    if not is_plain(rest, is_aggregate) or _calls(keys, is_aggregate):
        return None
    item: Tree = node["select_list"][0]
    folded = item["alias"].casefold()
    if folded and any(names[-1].casefold() == folded for key in keys if (names := key.get("column_names"))):
        return None
    first = function("first", {**item, "alias": ""})
    first["order_bys"] = {"type": "ORDER_MODIFIER", "orders": order["orders"]}
    return {**rest, "select_list": [first]}


def _modifiers(node: Tree) -> list[str]:
    return [modifier["type"] for modifier in node["modifiers"]]


def _calls(tree: Any, is_aggregate: Callable[[str], bool]) -> bool:
    """Whether there is an aggregate, a window function or a subquery."""
    if isinstance(tree, list):
        return any(_calls(part, is_aggregate) for part in tree)
    if not isinstance(tree, dict):
        return False
    kind = tree.get("class")
    if kind in ("WINDOW", "SUBQUERY"):
        return True
    if kind == "FUNCTION" and is_aggregate(tree["function_name"].casefold()):
        return True
    return any(_calls(part, is_aggregate) for part in tree.values())
