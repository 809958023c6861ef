"""FROM: tables, CTEs, views, subqueries, rows of constants and joins, with the names that they make known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from luma_bench.engines.duck_tree import Tree
from luma_bench.engines.lowering.conditions import condition
from luma_bench.engines.lowering.expressions import Expressions
from luma_bench.engines.lowering.names import Relation, Scope, Visible
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.statement import Source, Stored
from luma_bench.engines.lowering.templates import direct, operator

if TYPE_CHECKING:
    from luma_bench.engines.lowering.queries import Lowered, Queries

_JOINS: Final = {
    "INNER": "JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "SEMI": "LEFT SEMI JOIN",
    "ANTI": "LEFT ANTI JOIN",
}
_REFUSED: Final = {
    "TABLE_FUNCTION": "a table function in FROM",
    "PIVOT": "PIVOT",
    "SHOW_REF": "DESCRIBE or SUMMARIZE",
    "DELIM_GET": "a relation of the optimizer",
}


@dataclass(slots=True)
class From:
    """A part of FROM: its SQL, whether that is a join, and the names that it makes known."""

    sql: str
    relations: list[Relation]
    visible: list[Visible]
    joined: bool = False
    lateral: bool = False


class Relations:
    """Lowers FROM of one query.

    Parameters
    ----------
    known
        What names of relations mean in the query, folded.
    parent
        The query around it.
    """

    def __init__(self, queries: Queries, known: Mapping[str, Source], parent: Scope | None) -> None:
        self._queries = queries
        self._statement = queries.statement
        self._known = known
        self._parent = parent
        self.reaches_out = False

    def of(self, tree: Tree, beside: From | None = None) -> From | None:
        """What FROM gives; None where there is none.

        Parameters
        ----------
        beside
            What stands before it in FROM, whose columns a subquery may read.

        Raises
        ------
        NotLowered
            A relation of a kind that other engines do not have.
        """
        kind: str = tree["type"]
        if tree.get("sample") is not None:
            raise NotLowered("a sample")
        match kind:
            case "EMPTY":
                return None
            case "BASE_TABLE":
                return self._table(tree)
            case "SUBQUERY":
                return self._subquery(tree, beside)
            case "EXPRESSION_LIST":
                return self._values(tree)
            case "JOIN":
                return self._join(tree, beside)
            case _:
                raise NotLowered(_REFUSED.get(kind, f"a relation of the kind {kind}"))

    def _table(self, tree: Tree) -> From:
        name: str = tree["table_name"]
        if tree["at_clause"] is not None:
            raise NotLowered("AT in FROM")
        if tree["catalog_name"] or tree["schema_name"].casefold() not in ("", "main"):
            raise NotLowered("a relation of another schema")
        source = self._known.get(name.casefold())
        if source is None:
            raise NotLowered(f"the relation {name} is not known here")
        title: str = tree["alias"] or name
        renamed: Sequence[str] = tree["column_name_alias"]
        alias = self._statement.fresh("q")
        if isinstance(source, Stored):
            names: list[str | None] = list(source.columns)
            texts = [f"c{place}" for place in range(len(names))]
            return self._relation(
                f"{self._statement.stored(source)} AS {alias}", alias, title, names, texts, renamed
            )
        if source.once:
            part = self._statement.part(source) or self._queries.part(source)
            texts = [f"c{place}" for place in range(len(part.columns))]
            return self._relation(f"{part.name} AS {alias}", alias, title, list(part.columns), texts, renamed)
        lowered = self._queries.query(source.node, source.scope, source.known)
        self.reaches_out |= lowered.correlated
        names = self._queries.titles(lowered.columns)
        texts = [column.text for column in lowered.columns]
        names[: len(source.columns)] = source.columns
        return self._relation(f"({lowered.sql}) AS {alias}", alias, title, names, texts, renamed)

    def _subquery(self, tree: Tree, beside: From | None) -> From:
        parent = self._parent
        if beside is not None:
            parent = Scope(parent, list(beside.relations), list(beside.visible), self._known)
        lowered = self._queries.query(tree["subquery"]["node"], parent, self._known)
        lateral = ""
        if beside is None or parent is None:
            self.reaches_out |= lowered.correlated
        else:
            self.reaches_out |= parent.reaches_out
            if parent.is_read:
                lateral = "LATERAL "
                _require_lateral(lowered)
        alias = self._statement.fresh("q")
        names = self._queries.titles(lowered.columns)
        texts = [column.text for column in lowered.columns]
        return self._relation(
            f"{lateral}({lowered.sql}) AS {alias}",
            alias,
            tree["alias"],
            names,
            texts,
            tree["column_name_alias"],
            lateral=bool(lateral),
        )

    def _values(self, tree: Tree) -> From:
        rows: list[list[Tree]] = tree["values"]
        expressions = Expressions(self._queries, Scope())
        numbers = [[expressions.constant_number(part, "what VALUES lists") for part in row] for row in rows]
        name, alias = self._statement.values(numbers), self._statement.fresh("q")
        names: list[str | None] = [f"col{place}" for place in range(len(rows[0]))]
        names[: len(tree["expected_names"])] = tree["expected_names"]
        texts = [f"c{place}" for place in range(len(names))]
        return self._relation(
            f"{name} AS {alias}", alias, tree["alias"], names, texts, tree.get("column_name_alias", [])
        )

    @staticmethod
    def _relation(
        sql: str, alias: str, title: str, names: Sequence[str | None], texts: Sequence[str], renamed: Sequence[str],
        *, lateral: bool = False,
    ) -> From:  # fmt: skip
        named = [*renamed, *names[len(renamed) :]]
        columns = tuple(Visible(name, f"{alias}.{text}") for name, text in zip(named, texts, strict=True))
        return From(sql, [Relation(title, columns)], list(columns), lateral=lateral)

    def _join(self, tree: Tree, beside: From | None) -> From:
        kind: str = tree["join_type"]
        style: str = tree["ref_type"]
        left = self.of(tree["left"], beside)
        right = self.of(tree["right"], left if beside is None else _after(beside, left))
        if left is None or right is None:
            raise NotLowered("a join without relations")
        if style == "POSITIONAL":
            raise NotLowered("rows that meet by their position, in a POSITIONAL JOIN or an ASOF join")
        if style not in ("REGULAR", "CROSS", "NATURAL") or kind not in _JOINS:
            raise NotLowered(f"{'an' if style == 'ASOF' else 'a'} {style} {kind} join".lower())
        if right.lateral and kind != "INNER":
            raise NotLowered(f"a lateral {kind.lower()} join")
        theirs = f"({right.sql})" if right.joined else right.sql
        relations = [*left.relations, *right.relations]
        if style == "CROSS":
            sql = f"{left.sql} CROSS JOIN {theirs}"
            return From(sql, relations, [*left.visible, *right.visible], joined=True)
        using: list[str] = tree["using_columns"]
        if style == "NATURAL":
            using = _shared_names(left, right)
            if not using:
                raise NotLowered("a natural join without columns of the same name")
        if using:
            on, visible = self._using(left, right, using, kind)
        else:
            both = Scope(self._parent, relations, [*left.visible, *right.visible], self._known)
            on = condition(Expressions(self._queries, both), tree["condition"])
            self.reaches_out |= both.reaches_out
            visible = both.visible
        if kind in ("SEMI", "ANTI"):
            relations, visible = left.relations, left.visible
        return From(f"{left.sql} {_JOINS[kind]} {theirs} ON {on}", relations, visible, joined=True)

    def _using(self, left: From, right: From, using: Sequence[str], kind: str) -> tuple[str, list[Visible]]:
        """The condition of USING, and the columns: those of USING once."""
        conditions: list[str] = []
        merged: dict[str, Visible] = {}
        for name in using:
            mine = _only(left.visible, name)
            theirs = _only(right.visible, name)
            conditions.append(f"{mine.text} = {theirs.text}")
            text = mine.text
            if kind == "RIGHT":
                text = theirs.text
            elif kind == "FULL":
                either = operator("OPERATOR_COALESCE", direct(mine.text), direct(theirs.text))
                text = Expressions(self._queries, Scope()).value(either)
            merged[name.casefold()] = Visible(mine.name, text)
        folded = set(merged)
        visible = [merged.get((column.name or "").casefold(), column) for column in left.visible]
        visible += [column for column in right.visible if (column.name or "").casefold() not in folded]
        return f"({' AND '.join(conditions)})", visible


def _only(columns: Sequence[Visible], name: str) -> Visible:
    found = [column for column in columns if column.called(name)]
    if len(found) != 1:
        raise NotLowered(f"USING ({name}) does not mean one column of each side")
    return found[0]


def _after(beside: From, left: From | None) -> From | None:
    """What stands before the right side of a join that is itself a right side."""
    if left is None:
        return beside
    return From("", [*beside.relations, *left.relations], [*beside.visible, *left.visible])


def _require_lateral(lowered: Lowered) -> None:
    """Refuse a lateral subquery that is no plain selection of rows: its rows hang on more than what joins tell."""
    if lowered.whole or lowered.limited or lowered.counting:
        raise NotLowered("a lateral subquery with an aggregate or a LIMIT")


def _shared_names(left: From, right: From) -> list[str]:
    theirs = {column.name.casefold() for column in right.visible if column.name is not None}
    return [column.name for column in left.visible if column.name and column.name.casefold() in theirs]


def table_names(tree: Any) -> dict[str, int]:
    """How often a statement names each relation in FROM, folded."""
    found: dict[str, int] = {}
    waiting: list[Any] = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            if part.get("type") == "BASE_TABLE":
                name = part["table_name"].casefold()
                found[name] = found.get(name, 0) + 1
            waiting.extend(part.values())
    return found
