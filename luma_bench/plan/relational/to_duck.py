"""Relational nodes in DuckDB's SQL: one SELECT a node, merged where nothing but names stands between them.

Answers have columns `c0`, `c1`, …; a node without columns gives one that nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from luma_bench.plan.relational.expressions import conjuncts
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Node,
    Program,
    Project,
    Scan,
    Sort,
    Union,
    Values,
    Window,
)
from luma_bench.plan.relational.to_duck_expressions import (
    expression_sql,
    measure_sql,
    operand_sql,
    order_sql,
    window_sql,
)
from luma_bench.types.sql_text import quoted

__all__ = ["expression_sql", "measure_sql", "node_sql", "order_sql", "program_sql", "window_sql"]

_JOINS = {
    "inner": "JOIN",
    "left": "LEFT JOIN",
    "right": "RIGHT JOIN",
    "full": "FULL JOIN",
    "semi": "SEMI JOIN",
    "anti": "ANTI JOIN",
    "cross": "CROSS JOIN",
}


def node_sql(node: Node, shared_names: Mapping[str, str] | None = None) -> str:
    """A node as one SELECT that gives columns `c0`, `c1`, ….

    Parameters
    ----------
    shared_names
        Under which names shared parts (or stored relations) are read, where these are not their own.
    """
    return _Renderer(shared_names or {}).block(node).text()


def program_sql(program: Program) -> str:
    """A whole program as one statement: each shared part computed once, the answer's columns under their names."""
    names = {name: f"shared {place}" for place, (name, _) in enumerate(program.shared)}
    parts = [
        f"{quoted(names[name])} AS MATERIALIZED ({node_sql(node, names)})" for name, node in program.shared
    ]
    head = f"WITH {', '.join(parts)} " if parts else ""
    block = _Renderer(names).block(program.root)
    titles = [quoted(str(name)) for name in program.schema.names]
    return head + block.text(titles)


@dataclass(frozen=True, slots=True)
class _Block:
    """A SELECT that may still grow: what its columns are over `source`, and whether these are plain references."""

    source: str
    columns: tuple[str, ...]
    where: tuple[str, ...] = ()
    tail: str = ""
    plain: bool = True
    titled: bool = False
    """Whether the columns are called `c0`, `c1`, … already, in a text of its own (`source`)."""
    group: str = ""
    relation: str = field(default="", compare=False)
    """The name of the one relation that it reads, where it is that and nothing else."""

    def text(self, titles: Sequence[str] = ()) -> str:
        if self.titled and not titles:
            return self.source
        source = f" FROM ({self.source}) AS t" if self.titled else self.source
        columns = [f"c{place}" for place in range(len(self.columns))] if self.titled else self.columns
        names = titles or [f"c{place}" for place in range(len(columns))]
        listed = ", ".join(
            column if column == name else f"{column} AS {name}"
            for column, name in zip(columns, names, strict=True)
        )
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        return f"SELECT {listed or 'NULL AS nothing'}{source}{where}{self.group}{self.tail}"

    @property
    def open(self) -> bool:
        """Whether rows may still be filtered and joined in the same SELECT."""
        return self.plain and not self.titled and not self.tail and not self.group


class _Renderer:
    """Renders one statement; aliases are unique in it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._aliases = count(1)

    def block(self, node: Node) -> _Block:
        match node:
            case Scan():
                return self._scan(node)
            case Values():
                return _values(node)
            case Filter():
                block = self._open(self.block(node.child))
                added = [operand_sql(part, block.columns) for part in conjuncts(node.condition)]
                return replace(block, where=(*block.where, *added), relation="")
            case Project():
                return self._project(node)
            case Aggregate():
                return self._aggregate(node)
            case Join():
                return self._join(node)
            case Sort():
                block = self._open(self.block(node.child))
                if not node.keys:
                    return block
                return replace(block, tail=f" ORDER BY {order_sql(node.keys, block.columns)}", relation="")
            case Limit():
                return self._limit(node)
            case Window():
                block = self._open(self.block(node.child))
                calls = [window_sql(call, block.columns) for call in node.calls]
                return replace(block, columns=(*block.columns, *calls), plain=False, relation="")
            case Union():
                parts = [f"({self.block(part).text()})" for part in node.parts]
                text = " UNION ALL ".join(parts)
                return _Block(text, _titles(node.width), titled=True)

    def _scan(self, node: Scan) -> _Block:
        name = quoted(self._names.get(node.name, node.name))
        alias = f"t{next(self._aliases)}"
        columns = tuple(f"{alias}.{quoted(column)}" for column in node.columns)
        return _Block(f" FROM {name} AS {alias}", columns, relation=f"{name} AS {alias}")

    def _open(self, block: _Block) -> _Block:
        """The block with plain columns to filter, group or order by."""
        if block.open:
            return block
        alias = f"t{next(self._aliases)}"
        relation = f"({block.text()}) AS {alias}"
        columns = tuple(f"{alias}.{name}" for name in _titles(len(block.columns)))
        return _Block(f" FROM {relation}", columns, relation=relation)

    def _project(self, node: Project) -> _Block:
        block = self.block(node.child)
        if not block.plain or block.titled or block.group:
            block = self._open(block)
        texts = tuple(expression_sql(part, block.columns) for part in node.expressions)
        plain = all(text in block.columns for text in texts)
        relation = block.relation if plain else ""
        return replace(block, columns=texts, plain=plain, relation=relation)

    def _limit(self, node: Limit) -> _Block:
        block = self.block(node.child)
        if block.titled or " LIMIT " in block.tail or " OFFSET " in block.tail:
            block = self._open(block)
        tail = block.tail + (f" LIMIT {node.count}" if node.count is not None else "")
        tail += f" OFFSET {node.offset}" if node.offset else ""
        return replace(block, tail=tail, relation="")

    def _aggregate(self, node: Aggregate) -> _Block:
        block = self._open(self.block(node.child))
        columns = block.columns
        keys = [expression_sql(key, columns) for key in node.keys]
        texts = [*keys, *(measure_sql(measure, columns) for measure in node.measures)]
        if node.sets is not None:
            listed = ", ".join(f"({', '.join(str(at + 1) for at in part)})" for part in node.sets)
            group = f" GROUP BY GROUPING SETS ({listed})"
            texts.append(_set_number(keys, node.sets))
        elif keys:
            group = f" GROUP BY {', '.join(str(at + 1) for at in range(len(keys)))}"
        elif texts:
            group = ""
        else:
            return _Block("SELECT 0 AS nothing", (), titled=True)
        return replace(block, columns=tuple(texts), plain=False, group=group, titled=False, relation="")

    def _join(self, node: Join) -> _Block:
        left = self._side(self.block(node.left), chain=node.kind != "mark")
        right = self._side(self.block(node.right), chain=False)
        both = (*left.columns, *right.columns)
        equals = "IS NOT DISTINCT FROM" if node.null_safe else "="
        parts = [
            f"{operand_sql(mine, left.columns)} {equals} {operand_sql(theirs, right.columns)}"
            for mine, theirs in node.on
        ]
        parts += [operand_sql(part, both) for part in conjuncts(node.condition)]
        if node.kind == "mark":
            where = f" WHERE {' AND '.join(parts)}" if parts else ""
            found = f"EXISTS (SELECT 1 FROM {right.relation}{where})"
            return replace(left, columns=(*left.columns, found), plain=False, relation="")
        word = _JOINS[node.kind]
        if not parts and node.kind == "inner":
            word = "CROSS JOIN"
        on = "" if word == "CROSS JOIN" else f" ON {' AND '.join(parts) or 'true'}"
        source = f"{left.source} {word} {right.relation}{on}"
        columns = left.columns if node.kind in ("semi", "anti") else both
        return _Block(source, columns)

    def _side(self, block: _Block, *, chain: bool) -> _Block:
        """A side of a join: a relation with an alias, or on the left joins that go on."""
        if block.open and not block.where and (chain or block.relation):
            return block
        closed = replace(block, plain=False) if block.open else block
        return self._open(closed)


def _titles(width: int) -> tuple[str, ...]:
    return tuple(f"c{place}" for place in range(width))


def _values(node: Values) -> _Block:
    titles = _titles(node.width)
    if not node.rows:
        nothing = ", ".join(f"NULL AS {title}" for title in titles) or "NULL AS nothing"
        return _Block(f"SELECT {nothing} WHERE false", titles, titled=True)
    if len(node.rows) == 1:
        return _Block("", tuple(expression_sql(part, ()) for part in node.rows[0]), plain=False)
    rows = ", ".join(
        f"({', '.join(expression_sql(part, ()) for part in row) or 'NULL'})" for row in node.rows
    )
    return _Block(
        f"SELECT * FROM (VALUES {rows}) AS v({', '.join(titles) or 'nothing'})", titles, titled=True
    )


def _set_number(keys: Sequence[str], sets: Sequence[tuple[int, ...]]) -> str:
    """Which of the grouping sets, all different, a row belongs to: DuckDB tells by a bit for each key that is not in it."""
    if len(sets) == 1 or not keys:
        return "0"
    last = len(keys) - 1
    cases = [
        f"WHEN {sum(1 << (last - at) for at in range(len(keys)) if at not in part)} THEN {number}"
        for number, part in enumerate(sets)
    ]
    return f"CASE grouping({', '.join(keys)}) {' '.join(cases)} END"
