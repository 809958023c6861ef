"""Random relational plans over two small tables, of which every answer is one set of rows whatever order it is computed in."""

from __future__ import annotations

from collections.abc import Sequence

import hypothesis.strategies as st
import pyarrow as pa

from luma_bench.plan.relational.expressions import And, Column, Compare, Expression, Not, Or, Sql
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Measure,
    Node,
    Project,
    Scan,
    Sort,
    SortKey,
    Union,
    Values,
    Window,
    WindowCall,
)

Typed = tuple[Node, tuple[str, ...]]
"""A node and by column `i` (whole number), `f` (double) or `s` (text)."""

COLUMNS = ("k", "g", "x", "s")
KINDS = ("i", "i", "f", "s")
_LITERALS = {
    "i": ("0", "1", "3", "CAST(NULL AS BIGINT)"),
    "f": ("0.0::DOUBLE", "1.5::DOUBLE", "'nan'::DOUBLE"),
    "s": ("'a'", "'b'", "''"),
}
_SQL_TYPES = {"i": "BIGINT", "f": "DOUBLE", "s": "VARCHAR"}

_KEYS = st.one_of(st.none(), st.integers(0, 6), st.just(3))
_FLOATS = st.one_of(
    st.none(),
    st.sampled_from((0.0, -0.0, 1.5, 2.5, -4.0, float("nan"))),
    st.integers(-8, 8).map(lambda v: v / 2),
)
_TEXTS = st.sampled_from((None, "", "a", "b", "ab", "ä"))


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table of up to 60 rows with the columns `k`, `g`, `x`, `s`."""
    rows = draw(st.lists(st.tuples(_KEYS, st.integers(0, 3), _FLOATS, _TEXTS), max_size=60))
    if draw(st.booleans()):
        rows += [(3, 1, 1.5, "a")] * 40
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    types = (pa.int64(), pa.int32(), pa.float64(), pa.string())
    return pa.table(
        {name: pa.array(values, kind) for name, values, kind in zip(COLUMNS, columns, types, strict=True)}
    )


@st.composite
def cuts(draw: st.DrawFn, rows: int) -> tuple[int, ...]:
    """Where a table is cut in parts, some of them empty."""
    return tuple(sorted(draw(st.lists(st.integers(0, rows), max_size=5))))


@st.composite
def nodes(draw: st.DrawFn, depth: int) -> Typed:
    """A plan with up to so many nodes on a way down."""
    if depth <= 0:
        return draw(_leaves())
    made = draw(
        st.sampled_from(
            (
                _leaves,
                _filters,
                _projects,
                _joins,
                _joins,
                _joins,
                _aggregates,
                _aggregates,
                _distinct,
                _unions,
                _windows,
                _tops,
            )
        )
    )
    return draw(made()) if made is _leaves else draw(made(depth))


@st.composite
def _leaves(draw: st.DrawFn) -> Typed:
    if draw(st.integers(0, 9)) == 0:
        row: tuple[Expression, ...] = (Sql(("CAST(1 AS BIGINT)",)), Sql(("'a'",)))
        other: tuple[Expression, ...] = (Sql(("CAST(NULL AS BIGINT)",)), Sql(("'b'",)))
        return Values((row, other)[: draw(st.integers(1, 2))], 2), ("i", "s")
    chosen = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
    node = Scan(draw(st.sampled_from(("t", "u", "mem"))), tuple(COLUMNS[at] for at in chosen))
    return node, tuple(KINDS[at] for at in chosen)


@st.composite
def conditions(draw: st.DrawFn, kinds: Sequence[str], depth: int = 1) -> Expression:
    """A condition over columns of these kinds."""
    choice = draw(st.integers(0, 5)) if depth else 0
    if choice <= 2:
        at = draw(st.integers(0, len(kinds) - 1))
        same = [Column(other) for other, kind in enumerate(kinds) if kind == kinds[at]]
        right = draw(
            st.one_of(
                st.sampled_from(_LITERALS[kinds[at]]).map(lambda text: Sql((text,))), st.sampled_from(same)
            )
        )
        operator = draw(st.sampled_from(("=", "<>", "<", ">=", "is not distinct from")))
        return Compare(operator, Column(at), right)
    inner = (draw(conditions(kinds, depth - 1)), draw(conditions(kinds, depth - 1)))
    return And(inner) if choice == 3 else Or(inner) if choice == 4 else Not(inner[0])


@st.composite
def _filters(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    return Filter(child, draw(conditions(kinds))), kinds


@st.composite
def _projects(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    chosen = draw(st.lists(st.integers(0, len(kinds) - 1), min_size=1, max_size=4))
    made: list[Expression] = []
    for at in chosen:
        change = {"i": ("(", " + 1)"), "f": ("(", " * 2)"), "s": ("upper(", ")")}[kinds[at]]
        made.append(draw(st.sampled_from((Column(at), Sql(change, (Column(at),))))))
    return Project(child, tuple(made)), tuple(kinds[at] for at in chosen)


@st.composite
def _joins(draw: st.DrawFn, depth: int) -> Typed:
    left, mine = draw(nodes(depth - 1))
    right, theirs = draw(nodes(depth - 2))
    pairs = [(a, b) for a, one in enumerate(mine) for b, other in enumerate(theirs) if one == other]
    count = draw(st.integers(1 if pairs else 0, min(2, len(pairs)))) if draw(st.integers(0, 9)) else 0
    on = tuple(
        (Column(a), Column(b))
        for a, b in (draw(st.lists(st.sampled_from(pairs), min_size=count, max_size=count)) if count else [])
    )
    kind = (
        draw(st.sampled_from(("inner", "left", "right", "full", "semi", "anti", "mark")))
        if on
        else draw(st.sampled_from(("cross", "left", "semi")))
    )
    if not on:
        left, right = _few(left, mine), _few(right, theirs)
    condition = None
    if kind not in ("cross", "full") and draw(st.integers(0, 2)) == 0:
        condition = draw(conditions((*mine, *theirs)))
    null_safe = bool(on) and kind != "mark" and draw(st.integers(0, 4)) == 0
    made = Join(_bounded(left, mine), _bounded(right, theirs), kind, on, condition, null_safe)
    if kind in ("semi", "anti"):
        return made, mine
    if kind == "mark":
        shown = (
            *(Column(at) for at in range(len(mine))),
            Sql(("CAST(", " AS BIGINT)"), (Column(len(mine)),)),
        )
        return Project(made, shown), (*mine, "i")
    return made, (*mine, *theirs)


@st.composite
def _aggregates(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    keys = draw(st.lists(st.integers(0, len(kinds) - 1), max_size=2, unique=True))
    measures: list[Measure] = [Measure("count")]
    given = ["i"]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(kinds) - 1))
        by_kind = {
            "i": (
                ("sum", "f"),
                ("avg", "f"),
                ("min", "i"),
                ("max", "i"),
                ("count", "i"),
                ("stddev", "f"),
                ("median", "f"),
                ("quantile_disc", "i"),
                ("var_pop", "f"),
                ("bit_xor", "i"),
                ("mode", ""),
            ),
            "f": (("sum", "f"), ("avg", "f"), ("min", "f"), ("max", "f"), ("count", "i")),
            "s": (("min", "s"), ("max", "s"), ("count", "i"), ("list", "")),
        }
        name, kind = draw(st.sampled_from(by_kind[kinds[at]]))
        args: tuple[Expression, ...] = (Column(at),)
        order: tuple[SortKey, ...] = ()
        if name in ("mode", "list"):
            name, kind = "list", ""
            order = (SortKey(Column(at)),)
        if name == "quantile_disc":
            args = (*args, Sql(("0.25",)))
        distinct = name in ("count", "sum", "avg", "min") and draw(st.integers(0, 3)) == 0
        where = draw(conditions(kinds)) if draw(st.integers(0, 5)) == 0 else None
        measures.append(Measure(name, args, distinct, where, order))
        given.append(kind)
    sets = None
    if keys and draw(st.integers(0, 4)) == 0:
        every = [(), (0,)] if len(keys) == 1 else [(), (0,), (1,), (0, 1)]
        sets = tuple(draw(st.lists(st.sampled_from(every), min_size=1, max_size=3, unique=True)))
        if {at for part in sets for at in part} != set(range(len(keys))):
            sets = (*(part for part in sets if part != every[-1]), every[-1])  # each key stands in a set
    node: Node = Aggregate(child, tuple(Column(at) for at in keys), tuple(measures), sets)
    shown: list[Expression] = [Column(at) for at in range(len(keys))]
    # A sum of whole numbers is a HUGEINT; the plan goes on with the types that it knows.
    for place, (measure, kind) in enumerate(zip(measures, given, strict=True), len(keys)):
        wide = measure.function == "sum" and kind == "f"
        shown.append(Sql(("CAST(", " AS DOUBLE)"), (Column(place),)) if wide else Column(place))
    out = [*(kinds[at] for at in keys), *given]
    if sets is not None:
        shown.append(Sql(("CAST(", " AS BIGINT)"), (Column(len(keys) + len(measures)),)))
        out.append("i")
    texts = [
        Sql(("CAST(", " AS VARCHAR)"), (part,)) if kind == "" else part
        for part, kind in zip(shown, out, strict=True)
    ]
    return Project(node, tuple(texts)), tuple(kind or "s" for kind in out)


@st.composite
def _distinct(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    return Aggregate(child, tuple(Column(at) for at in range(len(kinds))), ()), kinds


@st.composite
def _unions(draw: st.DrawFn, depth: int) -> Typed:
    parts: list[Node] = []
    for _ in range(draw(st.integers(2, 3))):
        child, kinds = draw(nodes(depth - 2))
        whole = [Column(at) for at, kind in enumerate(kinds) if kind == "i"]
        text = [Column(at) for at, kind in enumerate(kinds) if kind == "s"]
        first: Expression = (
            Sql(("CAST(", " AS BIGINT)"), (whole[0],)) if whole else Sql(("CAST(7 AS BIGINT)",))
        )
        parts.append(Project(child, (first, text[0] if text else Sql(("'z'",)))))
    return Union(tuple(parts)), ("i", "s")


@st.composite
def _windows(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    every = tuple(SortKey(Column(at)) for at in range(len(kinds)))
    calls: list[WindowCall] = []
    for _ in range(draw(st.integers(1, 2))):
        partition = tuple(
            Column(at) for at in draw(st.lists(st.integers(0, len(kinds) - 1), max_size=2, unique=True))
        )
        calls.append(
            draw(
                st.sampled_from(
                    (
                        WindowCall("row_number", partition=partition, order=every),
                        WindowCall("count", partition=partition),
                        WindowCall("rank", partition=partition, order=every[:1]),
                    )
                )
            )
        )
    return Window(child, tuple(calls)), (*kinds, *("i" for _ in calls))


@st.composite
def _tops(draw: st.DrawFn, depth: int) -> Typed:
    child, kinds = draw(nodes(depth - 1))
    keys = [
        SortKey(Column(at), draw(st.booleans()), draw(st.booleans()))
        for at in draw(st.permutations(range(len(kinds))))
    ]
    return Limit(Sort(child, tuple(keys)), draw(st.integers(0, 30)), draw(st.sampled_from((0, 0, 5)))), kinds


def total_order(node: Node, width: int, keys: Sequence[SortKey]) -> Node:
    """The node in an order that leaves no ties but between equal rows."""
    rest = tuple(SortKey(Column(at)) for at in range(width))
    return Sort(node, (*keys, *rest))


def _few(node: Node, kinds: Sequence[str]) -> Node:
    return Limit(Sort(node, tuple(SortKey(Column(at)) for at in range(len(kinds)))), 12)


def _bounded(node: Node, kinds: Sequence[str]) -> Node:
    """Against answers of millions of rows."""
    if sum(isinstance(part, Join) for part in _all(node)) < 1:
        return node
    return Limit(Sort(node, tuple(SortKey(Column(at)) for at in range(len(kinds)))), 80)


def _all(node: Node) -> list[Node]:
    return [node, *(below for child in node.children for below in _all(child))]
