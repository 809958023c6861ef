"""The order in which a connected part of a pattern is walked, by the frontiers that are expected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from luma_bench.plan.graph.atoms import Atom, Kind, Way
from luma_bench.plan.graph.bound import BoundNode, BoundPath
from luma_bench.plan.graph.cost import Estimator
from luma_bench.plan.graph.rules import CYCLES, FACTORISE, REACH, START, TEMPORAL
from luma_bench.plan.graph.rules.cycles import meeting
from luma_bench.plan.graph.rules.factorise import branch, ways_out
from luma_bench.plan.graph.rules.temporal import timed
from luma_bench.plan.graph.steps import AnyStep, Check, Close, Fold, Known, Search, Start, Tree, Walk


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A connected part of a clause.

    Attributes
    ----------
    wanted
        Variables that are asked for behind the clause.
    bound
        Variables that earlier clauses bound.
    rows
        The rows that come from there.
    """

    estimator: Estimator
    nodes: dict[str, BoundNode]
    atoms: tuple[Atom, ...]
    searched: tuple[BoundPath, ...]
    wanted: frozenset[str]
    bound: frozenset[str] = frozenset()
    rows: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Steps in order, what they cost (edges looked at, about), and what comes of them: rows, and matches counted."""

    steps: tuple[AnyStep, ...]
    cost: float
    rows: float
    matches: float


def arranged(part: Part, start: BoundNode | None) -> Arrangement:
    """A part in the order of least frontiers, from one node or (None) from what is bound already."""
    walk = _Walker(part)
    if start is None:
        walk.check_bound()
    else:
        walk.start(start)
    walk.run()
    return Arrangement(_grouped(tuple(walk.steps)), walk.cost, walk.rows, walk.matches)


def _grouped(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    """Walks behind which variables are dropped put equal rows together, where others walk on from them."""
    found: list[AnyStep] = []
    before: frozenset[str] = frozenset()
    for place, step in enumerate(steps):
        if isinstance(step, Walk) and any(
            isinstance(later, Walk | Fold | Search) for later in steps[place + 1 :]
        ):
            dropped = bool(before - step.live) or step.ways[0].target.variable not in step.live
            found.append(replace(step, distinct=dropped))
        else:
            found.append(step)
        before = step.live
    return tuple(found)


@dataclass(slots=True, eq=False)
class _Walker:
    """One walk over a part: what is bound, what is left to do, and how many rows there are by now."""

    part: Part
    have: set[str] = field(default_factory=set[str])
    met: set[str] = field(default_factory=set[str])
    pending: list[Atom] = field(default_factory=list[Atom])
    searched: list[BoundPath] = field(default_factory=list[BoundPath])
    steps: list[AnyStep] = field(default_factory=list[AnyStep])
    rows: float = 1.0
    matches: float = 1.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.have = set(self.part.bound)
        self.met = set(self.part.bound)
        self.pending = list(self.part.atoms)
        self.searched = list(self.part.searched)
        self.rows = self.matches = self.part.rows

    @property
    def estimator(self) -> Estimator:
        return self.part.estimator

    def live(self) -> frozenset[str]:
        """What is bound and still asked for."""
        used = set(self.part.wanted)
        for atom in self.pending:
            used.update((*atom.variables, atom.edge.variable))
        for path in self.searched:
            used.update(item.variable for item in path.elements)
        return frozenset(self.have & used)

    def settle(self, rows: float) -> float:
        """The rows behind a step: never more than there are combinations of what is live."""
        most = 1.0
        for name in self.live():
            node = self.part.nodes.get(name)
            if node is None:
                return rows
            most *= max(self.estimator.size(node), 1.0)
        self.rows = min(rows, most)
        return self.rows

    def check_bound(self) -> None:
        """Filters of this clause on what earlier ones bound."""
        names = sorted(self.part.bound & set(self.part.nodes))
        for place, name in enumerate(names):
            node = self.part.nodes[name]
            self.rows *= self.estimator.share(node)
            self.steps.append(Check(node, rows=self.rows, live=self.live().union(names[place + 1 :])))

    def start(self, node: BoundNode) -> None:
        """All vertices of a node."""
        size = self.estimator.size(node)
        self.have.add(node.variable)
        self.rows, self.matches = self.rows * size, self.matches * size
        self.cost += self.rows
        self.steps.append(Start(node, size=size, rows=self.rows, live=self.live(), rule=START))

    def run(self) -> None:
        """Steps until nothing is left: known edges, closings and branches as soon as they can be, else the least frontier."""
        while self.pending or self.searched:
            if not (self.known() or self.close() or self.fold() or self.advance()):
                raise AssertionError("a part hangs together")

    def known(self) -> bool:
        for atom in self.pending:
            if atom.edge.variable in self.have and atom.kind is Kind.EDGE:
                self.pending.remove(atom)
                self.have.update(atom.variables)
                self.cost += self.rows
                self.steps.append(Known(atom, rows=self.settle(self.rows), live=self.live()))
                return True
        return False

    def close(self) -> bool:
        for atom in self.pending:
            if atom.left.variable in self.have and atom.right.variable in self.have:
                way = Way(atom)
                expected = self.estimator.between(way)
                self.pending.remove(atom)
                self.have.add(atom.edge.variable)
                self.cost += self.rows * (
                    4.0 if atom.kind is Kind.EDGE else self.estimator.fanout(way, met=True)
                )
                self.matches *= expected
                rows = self.settle(self.rows * expected)
                self.steps.append(Close(way, rows=rows, live=self.live(), rule=CYCLES))
                return True
        return False

    def fold(self) -> bool:
        for name in sorted(self.have):
            for way in ways_out(self.pending, name):
                tree = branch(way, self.pending, self.searched, self.have, self.part.wanted)
                if tree is not None:
                    for folded in tree.ways:
                        self.pending.remove(folded.atom)
                    cost, expected = self.branch_cost(tree, self.rows, name in self.met)
                    self.cost += cost
                    self.matches *= expected
                    rows = self.settle(self.rows * min(1.0, expected))
                    self.steps.append(Fold(tree, rows=rows, live=self.live(), rule=FACTORISE))
                    return True
        return False

    def branch_cost(self, tree: Tree, frontier: float, met: bool) -> tuple[float, float]:
        """The edges that a branch looks at from a frontier, and the matches that it has for one vertex of it."""
        way = tree.way
        fanout = self.estimator.fanout(way, met=met)
        share = self.estimator.share(way.target)
        plain = not tree.branches and way.target.allowed is None and way.atom.kind is Kind.EDGE
        cost = frontier if plain else min(frontier * (1 + fanout), self.estimator.edges(way) + frontier)
        expected = fanout * share
        reached = min(frontier * expected, self.estimator.size(way.target))
        for below in tree.branches:
            more, factor = self.branch_cost(below, reached, True)
            cost += more
            expected *= factor
        return cost, expected

    def advance(self) -> bool:
        """The step, of those that bind something, behind which there are the fewest rows."""
        best: tuple[float, int] | None = None
        choices: list[list[Way] | BoundPath] = []
        names = {name for atom in self.pending for name in atom.variables if name not in self.have}
        choices += [ways for name in sorted(names) if (ways := meeting(self.pending, self.have, name))]
        choices += [
            path for path in self.searched if any(item.variable in self.have for item in path.elements)
        ]
        for place, choice in enumerate(choices):
            rows = self.searched_rows(choice) if isinstance(choice, BoundPath) else self.walked_rows(choice)
            if best is None or rows < best[0]:
                best = rows, place
        if best is None:
            return False
        choice = choices[best[1]]
        if isinstance(choice, BoundPath):
            self.search(choice, best[0])
        else:
            self.walk(choice, best[0])
        return True

    def ends(self, path: BoundPath) -> tuple[bool, bool]:
        return path.nodes[0].variable in self.have, path.nodes[-1].variable in self.have

    def walked_rows(self, ways: list[Way]) -> float:
        ways.sort(key=lambda way: self.estimator.fanout(way, met=way.origin.variable in self.met))
        first = ways[0]
        rows = self.rows * self.estimator.fanout(first, met=first.origin.variable in self.met)
        rows *= self.estimator.share(first.target)
        for way in ways[1:]:
            rows *= self.estimator.between(way)
        return rows

    def walk(self, ways: list[Way], rows: float) -> None:
        first = ways[0]
        fanout = self.estimator.fanout(first, met=first.origin.variable in self.met)
        looked = self.rows * (1 + fanout)
        for way in ways:
            self.pending.remove(way.atom)
            if way.atom.kind is Kind.EDGE:
                self.have.add(way.edge.variable)
        self.have.add(first.target.variable)
        self.met.add(first.target.variable)
        live = self.live()
        # Behind a walk that leaves one variable, vertices count once each: then no more edges than there are.
        if len(live) <= 1 and len(ways) == 1:
            looked = min(looked, self.estimator.edges(first) + self.rows)
        self.cost += looked * len(ways) + min(rows, looked)
        self.matches *= rows / max(self.rows, 1e-9)
        rule = CYCLES if len(ways) > 1 else REACH if first.atom.kind is Kind.REACH else START
        most = self.estimator.most(first)
        self.steps.append(Walk(tuple(ways), most=most, rows=self.settle(rows), live=live, rule=rule))

    def searched_rows(self, path: BoundPath) -> float:
        first, last = path.nodes[0], path.nodes[-1]
        if not any(self.ends(path)):
            # Nothing holds it at its ends: it is searched whole, and met at nodes between.
            return self.rows * self.estimator.size(first) * max(self.estimator.size(last), 1.0)
        target = last if self.ends(path)[0] else first
        size = max(self.estimator.size(target), 1.0)
        if all(self.ends(path)):
            return self.rows
        if path.selector is not None:
            return self.rows * size * max(path.selector.count, 1)
        fanout = 1.0
        for place, edge in enumerate(path.edges):
            fanout *= self.estimator.fanout(
                Way(Atom(edge, path.nodes[place], path.nodes[place + 1])), met=True
            )
        return self.rows * max(fanout, 1.0) * self.estimator.share(target)

    def search(self, path: BoundPath, rows: float) -> None:
        ends = self.ends(path)
        names = {item.variable for item in path.elements}
        joined = frozenset(names & self.have)
        self.searched.remove(path)
        self.have |= names
        if path.variable is not None:
            self.have.add(path.variable)
        self.met |= names
        edges = sum(
            self.estimator.edges(Way(Atom(edge, path.nodes[place], path.nodes[place + 1])))
            for place, edge in enumerate(path.edges)
        )
        self.cost += self.rows * edges + rows
        self.matches *= rows / max(self.rows, 1e-9)
        rule = TEMPORAL if timed(path) else REACH
        self.steps.append(
            Search(path, ends=ends, joined=joined, rows=self.settle(rows), live=self.live(), rule=rule)
        )
