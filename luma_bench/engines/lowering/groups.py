"""GROUP BY: its keys, and several grouping sets behind a mark that DataFusion cannot look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.expressions import Expressions, has_calls
from luma_bench.engines.lowering.functions import is_aggregate
from luma_bench.engines.lowering.names import Scope
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.stars import Item
from luma_bench.engines.lowering.templates import SetsShape

if TYPE_CHECKING:
    from luma_bench.engines.lowering.queries import Queries


class Groups:
    """The groups of one SELECT.

    Attributes
    ----------
    keys
        By the SQL of each key over rows: what reads it above the groups.
    sets
        The grouping sets by places among the keys; None for the one set of all keys.
    mark
        The SQL that gives the number of a row's set; empty without sets.
    text
        GROUP BY as SQL; empty where all rows are one group.
    """

    def __init__(
        self, queries: Queries, node: Tree, scope: Scope, items: Sequence[Item], aliases: Mapping[str, Tree]
    ) -> None:
        self._queries = queries
        self._templates = queries.statement.templates
        self._expressions = Expressions(queries, scope, aliases=aliases)
        trees = [_listed(tree, items) for tree in node["group_expressions"]]
        if node["aggregate_handling"] == "FORCE_AGGREGATES":
            trees = [item.tree for item in items if not self._has_calls(item.tree)]
            trees = [tree for tree in trees if tree["class"] != "CONSTANT"]
        elif node["aggregate_handling"] != "STANDARD_HANDLING":
            raise NotLowered("a kind of GROUP BY that is not known")
        texts = [self._expressions.value(tree) for tree in trees]
        self._places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self.sets: tuple[tuple[int, ...], ...] | None = None
        self.mark = ""
        sets = [tuple(sorted({self._places[texts[at]] for at in part})) for part in node["group_sets"]]
        every = tuple(range(len(self._places)))
        if trees and sets and sets != [every]:
            if len(set(sets)) != len(sets):
                raise NotLowered("a grouping set that is given twice")
            self.sets = tuple(sets)
            self.mark = self._templates.call(SetsShape(self.sets, len(self._places)), [])
        elif not trees and node["group_sets"] and node["group_sets"] != [[]]:
            raise NotLowered("grouping sets without keys")
        self.keys = {text: text for text in self._places}
        self.text = f" GROUP BY {', '.join(self._places)}" if self._places else ""

    def grouping(self, tree: Tree) -> str:
        """The SQL of GROUPING(…): a bit for each of its keys that is left out of the row's set.

        Raises
        ------
        NotLowered
            It names what is no key.
        """
        places = [self._places.get(self._expressions.of_rows().value(part)) for part in tree["children"]]
        if None in places:
            raise NotLowered("grouping() of what is no key")
        sets = self.sets or (tuple(range(len(self._places))),)
        last = len(places) - 1
        bits = [
            sum(1 << (last - at) for at, place in enumerate(places) if place not in part) for part in sets
        ]
        if not self.mark:
            return self._templates.value(self._queries.fragment("CAST(0 AS BIGINT)"), [])
        cases = " ".join(f"WHEN {number} THEN {value}" for number, value in enumerate(bits))
        hole = f'"{self._templates.marker}0"'
        tree = self._queries.fragment(f"CAST(CASE {hole} {cases} END AS BIGINT)")
        return self._templates.value(tree, [self.mark])

    def _has_calls(self, tree: Tree) -> bool:
        statement = self._queries.statement
        return has_calls(lambda name: is_aggregate(statement, name), tree)


def _listed(tree: Tree, items: Sequence[Item]) -> Tree:
    """What a position in GROUP BY stands for."""
    if tree["class"] != "CONSTANT" or tree["literal"]["kind"] != "INTEGER":
        return tree
    place = int(tree["literal"]["text"])
    if not 1 <= place <= len(items):
        raise NotLowered("a position that GROUP BY does not have")
    return items[place - 1].tree
