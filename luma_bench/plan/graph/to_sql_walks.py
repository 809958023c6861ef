"""Repeated edges of a pattern as a recursive query: walks with as much of their past as somebody asks about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from luma_bench.language.graph.pattern import Mode, Quantifier, Selector

Kind = Literal["edge", "node", "first", "last", "sum"]


class Carried(NamedTuple):
    """A column of walks: a list over edges or over the nodes they lead to, or a value of the first or last edge, or a sum.

    `of` is the column of the edges' relation.
    """

    name: str
    kind: Kind
    of: str


EDGES: Final = Carried("@edges", "edge", "@id")
NODES: Final = Carried("@nodes", "node", "@target")
"""The nodes but the one that a walk begins with."""
KEYS: Final = Carried("@keys", "node", "@tkey")
EDGE_KEYS: Final = Carried("@ekeys", "edge", "@key")
RANKS: Final = Carried("@ranks", "node", "@trank")
COST: Final = Carried("@cost", "sum", "@cost")
DEPART: Final = Carried("@depart", "first", "@depart")
ARRIVE: Final = Carried("@arrive", "last", "@arrive")


@dataclass(frozen=True, slots=True)
class Walk:
    """What a quantified edge asks of its walks.

    Attributes
    ----------
    edges
        The relation of single edges: `@source`, `@target`, `@id` and what is carried.
    begin
        The relation of the nodes where walks begin; where they end when `backward`.
    carried
        What is read of a walk besides its ends and its length.
    later, starting
        Of TIME RESPECTING: the comparison of a departure with the arrival before it (`>` or `>=`), and the earliest departure.
    distinct
        Whether equal rows may be one.
    """

    edges: str
    begin: str
    quantifier: Quantifier
    mode: Mode
    selector: Selector | None
    carried: tuple[Carried, ...]
    backward: bool = False
    later: str = ""
    starting: str = ""
    distinct: bool = False

    def sql(self) -> str:
        """The walks: `@from`, `@to`, `@level` and what is carried.

        Only walks that can be part of an answer are kept on the way, see `_pruned`.
        """
        least, most, _ = self.quantifier
        parts: list[str] = []
        if least == 0:
            parts.append(self._none())
        if most is None or most > 0:
            parts.append(self._some())
        return " UNION ALL ".join(parts)

    @property
    def needed(self) -> tuple[Carried, ...]:
        """What walks carry: what is read of them, and what decides how they go on."""
        found = list(self.carried)
        if self.mode is Mode.TRAIL or (self.later and self.selector is not None):
            found.append(EDGES)
        if self.mode in (Mode.ACYCLIC, Mode.SIMPLE) or self.selector is not None:
            found.append(NODES)
        if self.selector is not None:
            found += [EDGES, RANKS, *([COST] if self.selector.kind == "cheapest" else [])]
        if self.later:
            found += [DEPART, ARRIVE]
        return tuple(dict.fromkeys(found))

    def _none(self) -> str:
        held = [f'{self._empty(item)} AS "{item.name}"' for item in self.needed]
        listed = ", ".join(['"@id" AS "@from"', '"@id" AS "@to"', '0 AS "@level"', *held])
        return f"SELECT {listed} FROM {self.begin}"

    def _empty(self, item: Carried) -> str:
        """What a walk of no edges carries, in the type of the column that others carry it of."""
        if item.kind == "sum":
            return "0.0::DOUBLE"
        null = f'(SELECT "{item.of}" FROM {self.edges} LIMIT 0)'
        return f"list_filter([{null}], lambda each: FALSE)" if item.kind in ("edge", "node") else null

    def _some(self) -> str:
        least, most, _ = self.quantifier
        near, far = ("@target", "@source") if self.backward else ("@source", "@target")
        first = ['edge."@source" AS "@from"', 'edge."@target" AS "@to"', '1 AS "@level"']
        first += [
            f'[edge."{item.of}"] AS "{item.name}"'
            if item.kind in ("edge", "node")
            else f'edge."{item.of}" AS "{item.name}"'
            for item in self.needed
        ]
        begun = [f'edge."@depart" >= {self.starting}'] if self.starting else []
        if self.mode is Mode.ACYCLIC or (self.mode is Mode.WALK and self._without_cycles):
            begun.append('edge."@source" <> edge."@target"')
        base = (
            f"SELECT {', '.join(first)} FROM {self.edges} AS edge JOIN {self.begin} AS node"
            f' ON node."@id" = edge."{near}"{_where(begun)}'
        )
        here = '"@from"' if self.backward else '"@to"'
        ends = (
            ['edge."@source" AS "@from"', 'walk."@to" AS "@to"']
            if self.backward
            else ['walk."@from" AS "@from"', 'edge."@target" AS "@to"']
        )
        step = ", ".join([*ends, 'walk."@level" + 1 AS "@level"', *map(self._longer, self.needed)])
        going = [] if most is None else [f'walk."@level" < {most}']
        going += self._allowed(far)
        again = (
            f'SELECT {step} FROM walk JOIN {self.edges} AS edge ON edge."{near}" = walk.{here}{_where(going)}'
        )
        again = self._best(again)
        names = ", ".join(['"@from"', '"@to"', '"@level"', *(f'"{item.name}"' for item in self.needed)])
        union = "UNION" if self.distinct else "UNION ALL"
        return (
            f"SELECT * FROM (WITH RECURSIVE walk AS ({base} {union} {again}) SELECT {names} FROM walk"
            f"{_where([f'{chr(34)}@level{chr(34)} >= {least}'] if least > 1 else [])})"
        )

    @property
    def _without_cycles(self) -> bool:
        """Whether a walk that comes back to where it began cannot be an answer."""
        return (
            self.selector is not None
            and self.selector.kind != "shortest"
            and not self.later
            and self.quantifier.least == 0
        )

    def _allowed(self, far: str) -> list[str]:
        found: list[str] = []
        nodes = f'edge."{far}"'
        match self.mode:
            case Mode.TRAIL:
                found.append('NOT list_contains(walk."@edges", edge."@id")')
            case Mode.ACYCLIC:
                found.append(f'{nodes} <> walk."@from" AND NOT list_contains(walk."@nodes", {nodes})')
            case Mode.SIMPLE if self.backward:
                found.append(f'walk."@from" <> walk."@to" AND {nodes} <> walk."@from"')
                found.append(f'NOT list_contains(walk."@nodes"[:-2], {nodes})')
            case Mode.SIMPLE:
                found.append('walk."@from" <> walk."@to"')
                found.append(f'NOT list_contains(walk."@nodes", {nodes})')
            case Mode.WALK:
                found += self._pruned(nodes)
        if self.later:
            found.append(f'edge."@depart" {self.later} walk."@arrive"')
        return found

    def _pruned(self, node: str) -> list[str]:
        """Leaves out walks that a shorter, no dearer one replaces: the stretch between two visits of a node can be cut.

        The k best walks visit a node at most k times, counted from the least number of edges on; under TIME RESPECTING
        the last edge takes part as well, because what may follow depends on it.
        """
        if self.selector is None:
            return []
        since = max(self.quantifier.least, 1)
        most = self.selector.count if self.selector.kind == "shortest" else 1
        if self.later:
            visits = f'list_zip(walk."@edges", walk."@nodes")[{since}:]'
            again = f'each[1] = edge."@id" AND each[2] = {node}'
        else:
            visits, again = f'walk."@nodes"[{since}:]', f"each = {node}"
        found = [f"len(list_filter({visits}, lambda each: {again})) < {most}"]
        if self._without_cycles:
            found.append(f'{node} <> walk."@from"')
        return found

    def _best(self, again: str) -> str:
        """Of walks of one length between two nodes only the best are begun parts of the best ones.

        That holds as long as what may follow a walk does not depend on its past.
        """
        if self.selector is None or self.selector.kind == "all" or self.mode is not Mode.WALK or self.later:
            return again
        most = self.selector.count if self.selector.kind == "shortest" else 1
        order = order_of(self.selector)
        names = ", ".join(['"@from"', '"@to"', '"@level"', *(f'"{item.name}"' for item in self.needed)])
        return (
            f'SELECT {names} FROM (SELECT *, row_number() OVER (PARTITION BY "@from", "@to" ORDER BY {order})'
            f' AS "@nth" FROM ({again})) WHERE "@nth" <= {most}'
        )

    def _longer(self, item: Carried) -> str:
        new, old = f'edge."{item.of}"', f'walk."{item.name}"'
        match item.kind:
            case "edge" | "node":
                longer = f"list_prepend({new}, {old})" if self.backward else f"list_append({old}, {new})"
            case "first":
                longer = new if self.backward else old
            case "last":
                longer = old if self.backward else new
            case "sum":
                longer = f"{new} + {old}" if self.backward else f"{old} + {new}"
        return f'{longer} AS "{item.name}"'


def order_of(selector: Selector) -> str:
    """The order of paths between two nodes, of walks of one length or of whole ones that know their `@length`."""
    return '"@cost", "@ranks", "@edges"' if selector.kind == "cheapest" else '"@ranks", "@edges"'


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
