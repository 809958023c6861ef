"""Semi-join reduction: an equi-join with a small side says which keys of a large table can matter, before that is read.

Only from shapes where a row of the large table without a partner gives nothing, whatever else the query does: inner
and semi joins, `IN (SELECT …)` and `EXISTS` that every row must pass. The keys of the small side are those of all
rows that its simple conditions leave; more of them than the join will see is never wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from luma_bench.plan.scanrules.conditions import column_type, conjuncts, predicate
from luma_bench.plan.scanrules.derived import Derived
from luma_bench.plan.scanrules.texts import ParsedText, alias_of, columns_of
from luma_bench.types.predicate import Predicate
from luma_bench.types.schema import Column, TableSchema


@dataclass(frozen=True, slots=True)
class Reduction:
    """Rows of `table` matter only where `column` is one of the values of `key_column` in the rows of `keys_from`.

    Attributes
    ----------
    table, keys_from
        Folded names of stored tables.
    where
        Conditions that the rows of `keys_from` must pass: some of the query's, all of them exact.
    """

    table: str
    column: Column
    keys_from: str
    key_column: Column
    where: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class _Relation:
    name: str
    alias: str
    columns: Mapping[str, Column] | None
    reduced: bool


def reductions(
    text: ParsedText,
    tables: Mapping[str, TableSchema],
    large: frozenset[str],
    params: Mapping[str, object],
    graphs: Mapping[str, Mapping[str, Column]] | None = None,
) -> tuple[Reduction, ...]:
    """Every reduction of a large table that the text allows, in the order of the text.

    Parameters
    ----------
    tables
        The stored tables by their folded names.
    large
        Those of them that are worth it; one that stands in the text twice is left alone, since scans of a table are
        not told apart.
    graphs
        Relations that graphs answer, by their folded names, with the columns that they can start from: reduced where a
        sub-query or a common table expression hands such a column on as it is.
    """
    derived = Derived(text, graphs or {})
    large |= frozenset(derived.graphs)
    once = frozenset(name for name in large if text.tables.get(name) == 1)
    if not once:
        return ()
    found: list[Reduction] = []
    for select in text.tree.find_all(exp.Select):
        relations = _relations(select, tables, derived)
        if relations is not None:
            found += _in_scope(select, relations, once, tables, params)
    return tuple(dict.fromkeys(found))


def _relations(
    select: exp.Select, tables: Mapping[str, TableSchema], derived: Derived
) -> list[_Relation] | None:
    """What a SELECT reads; None where a join is of a kind that keeps rows without a partner on both sides, or orders them."""
    source = select.args.get("from_")
    if source is None:
        return None
    items: list[tuple[exp.Expr, bool]] = [(source.this, True)]
    for join in select.args.get("joins") or ():
        kind, side = str(join.kind or "").upper(), str(join.side or "").upper()
        if join.method or side in ("RIGHT", "FULL") or kind not in ("", "INNER", "CROSS", "SEMI"):
            return None
        items.append((join.this, side == "" and kind != "SEMI"))
    found: list[_Relation] = []
    for node, reduced in items:
        handed = derived.of(node)
        if handed is not None:
            found.append(_Relation(handed[0], node.alias_or_name.casefold(), handed[1], reduced))
        elif isinstance(node, exp.Table):
            name = node.name.casefold()
            table = tables.get(name)
            found.append(
                _Relation(name, alias_of(node), None if table is None else columns_of(table), reduced)
            )
        elif isinstance(node, exp.Subquery) and not node.args.get("joins"):
            found.append(_Relation("", node.alias.casefold(), None, False))
        else:
            return None
    return found if len({item.alias for item in found}) == len(found) else None


def _in_scope(
    select: exp.Select,
    relations: list[_Relation],
    large: frozenset[str],
    tables: Mapping[str, TableSchema],
    params: Mapping[str, object],
) -> Iterator[Reduction]:
    inner = list(_inner_conditions(select))
    for left, right in _equalities(select, inner, relations):
        for target, keys in ((left, right), (right, left)):
            relation, column = target
            other, key = keys
            if (
                relation.name in large
                and relation.reduced
                and other.name != relation.name
                and _alike(column, key)
            ):
                yield Reduction(
                    relation.name, column, other.name, key, _conditions(inner, other, relations, params)
                )
    for part in inner:
        yield from _membership(part, relations, large, tables, params)


def _inner_conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """Conditions that every row of the result passes, whichever relation they are about."""
    yield from conjuncts(select.args.get("where"))
    for join in select.args.get("joins") or ():
        if not join.side:
            yield from conjuncts(join.args.get("on"))


def _equalities(
    select: exp.Select, inner: list[exp.Expr], relations: list[_Relation]
) -> Iterator[tuple[tuple[_Relation, Column], tuple[_Relation, Column]]]:
    joins: list[exp.Join] = select.args.get("joins") or []
    outer = {str(join.this.alias_or_name).casefold() for join in joins if join.side}
    for part in inner:
        if type(part) is exp.EQ:
            left, right = _owner(part.this, relations), _owner(part.expression, relations)
            if left is not None and right is not None and not {left[0].alias, right[0].alias} & outer:
                yield left, right
    for place, join in enumerate(joins, start=1):
        if join.side or relations[place].columns is None:
            continue
        using: list[exp.Expr] = join.args.get("using") or []
        for name in using:
            folded = name.name.casefold()
            before = [item for item in relations[:place] if item.alias not in outer]
            # A merged column may come from any relation before: it must be plain which.
            if len(before) != place or any(item.columns is None for item in before):
                continue
            owners = [item for item in before if folded in (item.columns or {})]
            joined = relations[place].columns or {}
            if len(owners) == 1 and folded in joined:
                yield (owners[0], (owners[0].columns or {})[folded]), (relations[place], joined[folded])


def _owner(node: exp.Expr, relations: list[_Relation]) -> tuple[_Relation, Column] | None:
    """The relation of this SELECT that a column belongs to, and the stored column; None where that is not plain."""
    if not isinstance(node, exp.Column) or len(node.parts) > 2:
        return None
    folded = node.name.casefold()
    if node.table:
        prefix = node.table.casefold()
        if any(prefix in (item.columns or {}) for item in relations):
            return None  # it may be a field of a struct
        owners = [item for item in relations if item.alias == prefix]
    else:
        # A relation whose columns are not known here may have the name as well.
        if any(item.columns is None for item in relations) or any(item.alias == folded for item in relations):
            return None
        owners = [item for item in relations if folded in (item.columns or {})]
    if len(owners) != 1 or owners[0].columns is None or folded not in owners[0].columns:
        return None
    return owners[0], owners[0].columns[folded]


def _conditions(
    inner: list[exp.Expr], relation: _Relation, relations: list[_Relation], params: Mapping[str, object]
) -> tuple[Predicate, ...]:
    """The conditions about one relation alone, as far as they are exact."""

    def stored(node: exp.Column) -> Column | None:
        owner = _owner(node, relations)
        return owner[1] if owner is not None and owner[0] is relation else None

    found = (predicate(part, stored, params) for part in inner)
    return tuple(item for item in found if item is not None)


def _membership(
    part: exp.Expr,
    relations: list[_Relation],
    large: frozenset[str],
    tables: Mapping[str, TableSchema],
    params: Mapping[str, object],
) -> Iterator[Reduction]:
    """`column IN (SELECT key FROM t …)` and `EXISTS (SELECT … FROM t WHERE t.key = column …)`."""
    if type(part) is exp.In:
        query = part.args.get("query")
        select = query.this if isinstance(query, exp.Subquery) else query
        keys = _one_table(select, tables)
        owner = _owner(part.this, relations)
        if keys is None or owner is None or len(keys[0].expressions) != 1:
            return
        inside, relation = keys
        chosen = inside.expressions[0]
        key = _owner(chosen.this if isinstance(chosen, exp.Alias) else chosen, [relation])
        pairs = [] if key is None else [(owner, key)]
    elif type(part) is exp.Exists:
        keys = _one_table(part.this, tables)
        if keys is None or {"group", "having"} & {name for name, value in keys[0].args.items() if value}:
            return
        # An aggregate gives a row even where nothing matches.
        if not all(isinstance(item, exp.Star | exp.Column | exp.Literal) for item in keys[0].expressions):
            return
        inside, relation = keys
        pairs = _correlations(inside, relation, relations)
    else:
        return
    conditions = _conditions(list(conjuncts(inside.args.get("where"))), relation, [relation], params)
    for owner, key in pairs:
        usable = owner[0].name in large and owner[0].reduced and owner[0].name != relation.name
        if usable and _alike(owner[1], key[1]):
            yield Reduction(owner[0].name, owner[1], relation.name, key[1], conditions)


def _one_table(select: object, tables: Mapping[str, TableSchema]) -> tuple[exp.Select, _Relation] | None:
    """A sub-query whose rows are rows of one stored table, or fewer."""
    parts = {"expressions", "from_", "where", "distinct", "group", "having"}
    if type(select) is not exp.Select or {key for key, value in select.args.items() if value} - parts:
        return None
    source = select.args["from_"].this if select.args.get("from_") else None
    table = tables.get(source.name.casefold()) if isinstance(source, exp.Table) else None
    if table is None or not isinstance(source, exp.Table):
        return None
    return select, _Relation(source.name.casefold(), alias_of(source), columns_of(table), True)


def _correlations(
    inside: exp.Select, relation: _Relation, relations: list[_Relation]
) -> list[tuple[tuple[_Relation, Column], tuple[_Relation, Column]]]:
    """Equalities between a column of the sub-query's table and one of the relations around it."""
    found: list[tuple[tuple[_Relation, Column], tuple[_Relation, Column]]] = []
    for part in conjuncts(inside.args.get("where")):
        if type(part) is not exp.EQ:
            continue
        for here, there in ((part.this, part.expression), (part.expression, part.this)):
            key = _owner(here, [relation])
            outside = isinstance(there, exp.Column) and _owner(there, [relation]) is None
            # What the sub-query's own table could mean is not taken for a column around it.
            if key is None or not outside or there.table.casefold() == relation.alias:
                continue
            owner = _owner(there, relations)
            if owner is not None:
                found.append((owner, key))
    return found


def _alike(left: Column, right: Column) -> bool:
    """Whether two columns are compared as they are stored, and their values can be told in order."""
    first, second = column_type(left), column_type(right)
    if first in _WHOLE and second in _WHOLE:
        return True
    return first == second and first in ("VARCHAR", "DATE", "TIMESTAMP")


_WHOLE = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
