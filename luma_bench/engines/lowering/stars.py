"""The list of a SELECT with its stars spread: `*`, `t.*`, EXCLUDE, REPLACE and RENAME."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.names import Scope, Visible
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.templates import direct


@dataclass(frozen=True, slots=True)
class Item:
    """A column of the list: what it is called, what it is, and whether the text gives it that name."""

    name: str | None
    tree: Tree
    aliased: bool = False


def listed_items(trees: Sequence[Tree], scope: Scope) -> list[Item]:
    """The columns that a list gives.

    Raises
    ------
    NotLowered
        A star of a kind that is not known.
    """
    items: list[Item] = []
    for tree in trees:
        if tree["class"] == "STAR":
            items += _spread(tree, scope)
        elif tree["alias"]:
            items.append(Item(tree["alias"], tree, aliased=True))
        elif tree["class"] == "COLUMN_REF":
            items.append(Item(tree["column_names"][-1], tree))
        else:
            items.append(Item(None, tree))
    return items


def typed_constant(tree: Tree, fragment: Callable[[str], Tree]) -> Tree:
    """A constant of a list with the type of its column: a bare one takes the type of what it is compared with."""
    if tree["class"] != "CONSTANT" or tree["literal"]["kind"] not in ("INTEGER", "STRING"):
        return tree
    kind = "VARCHAR"
    if tree["literal"]["kind"] == "INTEGER":
        value = abs(int(tree["literal"]["text"]))
        kind = "INTEGER" if value < 1 << 31 else "BIGINT" if value < 1 << 63 else "HUGEINT"
    return {**fragment(f"CAST(0 AS {kind})"), "child": {**tree, "alias": ""}}


def _spread(tree: Tree, scope: Scope) -> list[Item]:
    if tree["columns"] or tree["expr"] is not None:
        raise NotLowered("COLUMNS(…)")
    columns: Sequence[Visible] = scope.visible
    if tree["relation_name"]:
        relation = scope.relation(tree["relation_name"])
        if relation is None:
            raise NotLowered(f"{tree['relation_name']}.* of something that is no relation")
        columns = relation.columns
    if tree["qualified_exclude_list"] or any(item["key"]["table"] for item in tree["rename_list"]):
        raise NotLowered("EXCLUDE or RENAME of a qualified name")
    left_out = {name.casefold() for name in tree["exclude_list"]}
    replaced = {item["key"].casefold(): item["value"] for item in tree["replace_list"]}
    renamed = {item["key"]["column"].casefold(): item["value"] for item in tree["rename_list"]}
    items: list[Item] = []
    for column in columns:
        folded = (column.name or "").casefold()
        if folded in left_out:
            continue
        if folded in replaced:
            items.append(Item(column.name, replaced[folded]))
        else:
            items.append(Item(renamed.get(folded, column.name), direct(column.text)))
    return items
