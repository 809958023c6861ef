"""What a rule may know of a text: its parse tree, only where every relation in it is a plain table by its name."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from luma_bench.types.schema import Column, TableSchema

LONGEST = 20_000
"""A longer text is left alone."""
_ENTRIES = 512


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A query's tree and how often each name stands in FROM, folded; shared, so it is never changed.

    Attributes
    ----------
    tables
        Names of relations in FROM and JOIN.
    common
        Names of common table expressions; one of a stored table hides it in some places, and not in others.
    """

    tree: exp.Expr
    tables: Mapping[str, int]
    common: frozenset[str]


class ParsedTexts:
    """Trees of texts, newest kept. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, ParsedText | None] = OrderedDict()

    def get(self, text: str) -> ParsedText | None:
        """The tree of a text; None for one that the rules leave alone."""
        with self._lock:
            if text in self._held:
                self._held.move_to_end(text)
                return self._held[text]
        made = parsed(text)
        with self._lock:
            self._held[text] = made
            while len(self._held) > _ENTRIES:
                self._held.popitem(last=False)
        return made


def parsed(text: str) -> ParsedText | None:
    """The tree of one query in which every relation is a table by its name, a common table expression or a sub-query."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(text) > LONGEST:
        return None
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return None
    tree = trees[0]
    common: set[str] = set()
    counts: Counter[str] = Counter()
    for node in tree.walk():
        match node:
            case exp.With() if node.args.get("recursive"):
                return None
            case exp.CTE():
                common.add(node.alias.casefold())
            case exp.Table():
                if not plain_table(node):
                    return None
                counts[node.name.casefold()] += 1
            case exp.Pivot() | exp.TableSample() | exp.Lateral() | exp.Unnest() | exp.Command():
                return None
            case _:
                pass
    return ParsedText(tree, dict(counts), frozenset(common))


def plain_table(node: exp.Table) -> bool:
    """Whether a relation is one name, perhaps with an alias, and nothing else."""
    if not isinstance(node.this, exp.Identifier) or not node.name:
        return False
    if any(value for key, value in node.args.items() if key not in ("this", "alias")):
        return False
    alias = node.args.get("alias")
    return alias is None or not alias.args.get("columns")


def alias_of(node: exp.Table) -> str:
    """The name by which the query refers to a table, folded."""
    return (node.alias or node.name).casefold()


def columns_of(table: TableSchema) -> dict[str, Column]:
    """The columns of a table by their folded names."""
    return {column.name.casefold(): column for column in table.columns}
