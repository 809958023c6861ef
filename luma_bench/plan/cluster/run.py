"""Runs a program's plan on whatever runs stages: from the root downwards, each node as the fragment that makes its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from luma_bench.plan.cluster.aggregates import aggregated
from luma_bench.plan.cluster.estimates import share
from luma_bench.plan.cluster.join_order import joined_set
from luma_bench.plan.cluster.join_set import flattened
from luma_bench.plan.cluster.joins import On, joined
from luma_bench.plan.cluster.leaves import constants, scanned
from luma_bench.plan.cluster.narrow import narrowed
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.reduce import grouped, pushed, with_partners
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.cluster.sorts import limited, ordered, top
from luma_bench.plan.cluster.stages import StageRunner
from luma_bench.plan.cluster.unions import united
from luma_bench.plan.cluster.windows import windowed
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import Column, Expression, columns_of, conjuncts, moved
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
from luma_bench.plan.relational.typing import Typer
from luma_bench.types.scan import ScanSource


def run_program(
    program: Program,
    tables: Mapping[str, ScanSource | pa.Table],
    runner: StageRunner,
    typer: Typer,
    settings: ClusterSettings,
) -> Iterator[pa.Table]:
    """The answer of a program, table by table in its order, with columns `c0`, `c1`, ….

    Parameters
    ----------
    tables
        By the names that scans use: rows in memory, or a source that can be split.
    runner
        Runs the stages; every handle is released when the answer was read, given up or failed.

    Raises
    ------
    EngineError
        A table cannot be read in parts, or the runner reports a failure.
    """
    work = Work(tables, runner, typer, settings)
    try:
        for name, node in program.shared:
            work.shared[name] = work.submit(_planned(work, narrowed(node)).doing(f"shared part {name}"))
        answer = work.submit(_planned(work, narrowed(program.root)).doing("answer"))
        yield from runner.fetch(answer.handle)
    finally:
        work.release_all()


def _planned(work: Work, node: Node) -> Pending:
    """The fragment that makes a node's rows, as far as it goes without moving them."""
    match node:
        case Scan():
            return scanned(work, node)
        case Values():
            return constants(node)
        case Filter(child=Scan() as child):
            return scanned(work, child, conjuncts(node.condition))
        case Filter() | Project() if len((joins := flattened(node)).relations) > 1:
            return joined_set(work, joins, lambda one: _planned(work, one))
        case Filter():
            return _planned(work, node.child).filtered(node.condition, share(node.condition))
        case Project():
            return _planned(work, node.child).projected(node.expressions)
        case Aggregate():
            return aggregated(work, _planned(work, node.child), node)
        case Join():
            return _joined(work, node)
        case Sort():
            return ordered(work, _planned(work, node.child), node.keys)
        case Limit():
            return _limited(work, node)
        case Window():
            return windowed(work, _planned(work, node.child), node.calls)
        case Union():
            return united(work, [_planned(work, part) for part in node.parts])


def _joined(work: Work, node: Join) -> Pending:
    if node.kind in ("inner", "cross"):
        return joined_set(work, flattened(node), lambda one: _planned(work, one))
    if node.kind == "right":
        return _mirrored(work, node)
    how = On(node.kind, node.on, node.condition, node.null_safe)
    if pushed(node) is None:
        return _sided(work, _planned(work, node.left), node.right, how)
    right = _planned(work, node.right)
    reduced = pushed(replace(node, right=work.stand_in(right)))
    if reduced is not None and work.expected_bytes(right) <= work.settings.broadcast_bytes:
        return joined_set(work, reduced, lambda one: _planned(work, one))
    return joined(work, _planned(work, node.left), right, how)


def _sided(work: Work, left: Pending, right: Node, how: On) -> Pending:
    """A join that keeps the left side: its keys reduce what the groups of the right side are made of."""
    settings = work.settings
    reduces = how.kind != "full" and how.on and left.kept < 0.5 and grouped(right)
    if reduces and work.expected_bytes(left) <= settings.broadcast_bytes:
        made = work.submit(left)
        left = replace(work.rest(made), purpose=left.purpose)
        if made.nbytes <= settings.broadcast_bytes:
            right = _with_partners(work, made, right, how)
    return joined(work, left, _planned(work, right), how)


def _with_partners(work: Work, made: Made, right: Node, how: On) -> Node:
    """The right side with only the groups that rows of a finished stage have as partners."""
    read = sorted(frozenset[int]().union(*(columns_of(key) for key in how.left)))
    places = {at: place for place, at in enumerate(read)}
    scan = Scan(work.share_out(made, "stage"), tuple(f"c{at}" for at in read), shared=True)
    partners = Project(scan, tuple(moved(key, places) for key in how.left))
    return with_partners(right, how.right, partners, null_safe=how.null_safe) or right


def _mirrored(work: Work, node: Join) -> Pending:
    """A right join as a left join of the other side."""
    mine, theirs = node.left.width, node.right.width
    places = {at: theirs + at if at < mine else at - mine for at in range(mine + theirs)}
    condition = None if node.condition is None else moved(node.condition, places)
    on = tuple((other, one) for one, other in node.on)
    how = On("left", on, condition, node.null_safe)
    found = _sided(work, _planned(work, node.right), node.left, how)
    order = (*range(theirs, theirs + mine), *range(theirs))
    return found.projected(Column(at) for at in order)


def _limited(work: Work, node: Limit) -> Pending:
    """A limit; above an order it takes the first rows of each task, whatever is computed of a row in between."""
    between: list[tuple[Expression, ...]] = []
    below = node.child
    while isinstance(below, Project):
        between.append(below.expressions)
        below = below.child
    if not isinstance(below, Sort) or node.count is None:
        return limited(work, _planned(work, node.child), node.count, node.offset)
    found = top(work, _planned(work, below.child), below.keys, node.count, node.offset)
    for expressions in reversed(between):
        found = found.projected(expressions)
    return found
