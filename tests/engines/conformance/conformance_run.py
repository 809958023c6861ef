"""Asks an engine the cases of the suite and holds its answers against the expected ones.

Expressions and aggregates of one table are asked together: what a cluster takes to answer is mostly the asking. A batch that
is refused or fails is halved until the cases that are to blame stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
from conformance_cases import (
    Aggregate,
    Aggregates,
    Expressions,
    Failure,
    Family,
    Question,
    Questions,
)
from conformance_engines import LOOKING_UP, SAMPLED
from conformance_same import Item, canonical, differences, table_differences, table_of
from conformance_worlds import rows_of

import luma_bench as lb
from luma_bench.errors import KadeQLError, LumaError, UnsupportedError

_REFUSED = re.compile(
    r"engine='\w+' (?:cannot run this|gave this up while it ran): (?P<reason>.*?)\.?(?:\n|$)"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine says that it cannot run this."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The statement ended with an error."""

    error: LumaError


@dataclass(slots=True)
class Outcome:
    """What an engine did with the cases of a family, by their names.

    Attributes
    ----------
    passed
        Right answers.
    refused
        Reasons.
    wrong
        What differs.
    known
        Cases that were left out: their answers are known to be wrong, and why.
    skipped
        Statements that are asked in a thorough run alone.
    """

    passed: list[str] = field(default_factory=list[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    known: dict[str, str] = field(default_factory=dict[str, str])
    skipped: list[str] = field(default_factory=list[str])


class Asker:
    """One engine over one bench, and DuckDB over the same data.

    Parameters
    ----------
    analyst
        The bench as somebody sees it whom policies concern.
    thorough
        Whether every case is asked, and those that are expected to be refused one by one, not all of a reason at once.
    """

    def __init__(
        self,
        engine: str,
        bench: lb.Bench,
        analyst: lb.Bench,
        peer: duckdb.DuckDBPyConnection,
        *,
        thorough: bool = False,
    ) -> None:
        self.engine = engine
        self.thorough = thorough
        self.statements = 0
        self._benches = {"": bench, "analyst": analyst}
        self._peer = peer

    def ask(
        self, text: str, params: Mapping[str, object] | None = None, identity: str = ""
    ) -> pa.Table | Refused | Failed:
        """The answer of a statement, by this engine alone."""
        self.statements += 1
        try:
            result = self._benches[identity].kadeql(
                text, params, engine=self.engine, strict=True, cache=False
            )
        except UnsupportedError as error:
            found = _REFUSED.search(str(error))
            return Refused(found["reason"]) if found else Failed(error)
        except LumaError as error:
            return Failed(error)
        assert result.run.engine == self.engine, f"{result.run.engine} ran it: {result.run.reason}"
        assert result.run.fallbacks == (), result.run.fallbacks
        return result.to_arrow()

    def peer(self, question: Question) -> pa.Table:
        """What DuckDB answers, in the types that a bench delivers."""
        found = self._peer.sql(question.peer or question.text, params=dict(question.params) or None)
        return canonical(found.to_arrow_table())

    def family(self, family: Family, expected: Mapping[str, str] | None = None, only: str = "") -> Outcome:
        """Ask every case of a family whose answer is not known to be wrong; or just the one that is named.

        Parameters
        ----------
        expected
            Cases that are expected to be refused, and why: they are asked apart, and would have their batch refused too.
        """
        outcome = Outcome()
        match family:
            case Expressions():
                self._expressions(family, expected or {}, only, outcome)
            case Aggregates():
                self._aggregates(family, expected or {}, only, outcome)
            case Questions():
                step = 1 if self.thorough or only or expected is None else SAMPLED.get(self.engine, 1)
                for number, question in enumerate(self._chosen(family.cases, only, outcome)):
                    if number % step and expected is not None and question.name not in expected:
                        outcome.skipped.append(question.name)
                    else:
                        self._question(question, outcome)
        return outcome

    def _chosen[T: (Item, Failure, Question)](
        self, cases: Sequence[T], only: str, outcome: Outcome, suffix: str = ""
    ) -> list[T]:
        """The cases to ask; those that are known to be wrong are noted."""
        chosen: list[T] = []
        for case in cases:
            name = f"{name_of(case)} {suffix}".rstrip()
            reason = case.wrong.get(self.engine)
            if only:
                if name == only:
                    chosen.append(case)
            elif reason is None:
                chosen.append(case)
            else:
                outcome.known[name] = reason
        return chosen

    def _expressions(
        self, family: Expressions, refused: Mapping[str, str], only: str, outcome: Outcome
    ) -> None:
        cases = self._chosen(family.cases, only, outcome)
        rows = rows_of(family.table)
        keys = [row["id"] for row in rows]

        def text(batch: Sequence[Item]) -> str:
            listed = ", ".join(f"({item.sql}) AS c{i}" for i, item in enumerate(batch))
            return f"SELECT id AS key, {listed} FROM {family.table}"

        def expected(item: Item) -> dict[Any, Any]:
            return {key: item.expect(row) for key, row in zip(keys, rows, strict=True)}

        self._batches(cases, text, expected, outcome, refused)
        for failure in self._chosen(family.failures, only, outcome):
            self._failure(family.table, failure, outcome)

    def _failure(self, table: str, failure: Failure, outcome: Outcome) -> None:
        found = self.ask(f"SELECT {failure.sql} AS v FROM {table} WHERE id = {failure.where}")
        self._note(failure.sql, found, outcome, lambda found: "an answer where there is none", failure.says)

    def _aggregates(
        self, family: Aggregates, refused: Mapping[str, str], only: str, outcome: Outcome
    ) -> None:
        rows = rows_of(family.table)
        for name, shape in _SHAPES.items():
            members = {None: [row for row in rows if shape.keeps(row)]}
            if shape.key:
                members = {}
                for row in rows:
                    if shape.keeps(row):
                        members.setdefault(row["g"], []).append(row)
            cases = self._chosen(_asked(family, name), only, outcome, name)
            key = "g" if shape.key else "NULL::VARCHAR"

            def text(batch: Sequence[Item], shape: _Shape = shape, key: str = key) -> str:
                calls = ", ".join(f"{shape.call.format(item.sql)} AS c{i}" for i, item in enumerate(batch))
                return (
                    f"SELECT {key + ' AS key, ' if shape.key else ''}{calls} FROM {family.table}{shape.tail}"
                )

            def expected(
                item: Item, members: Mapping[Any, Sequence[Any]] = members, shape: _Shape = shape
            ) -> dict[Any, Any]:
                return {
                    key: item.expect([row for row in group if shape.counts(row)])
                    for key, group in members.items()
                }

            self._batches(cases, text, expected, outcome, refused, f" {name}".rstrip(), shape.key)

    def _batches(
        self,
        cases: Sequence[Item],
        text: Callable[[Sequence[Item]], str],
        expected: Callable[[Item], dict[Any, Any]],
        outcome: Outcome,
        refused: Mapping[str, str],
        suffix: str = "",
        keyed: bool = True,
    ) -> None:
        groups: dict[str, list[Item]] = {}
        for case in cases:
            groups.setdefault(refused.get(case.sql + suffix, ""), []).append(case)
        for reason, batch in groups.items():
            # Where they are refused together, each has the reason that was recorded.
            if reason and not self.thorough and len(batch) > 1 and isinstance(self.ask(text(batch)), Refused):
                outcome.refused |= {item.sql + suffix: reason for item in batch}
            elif reason and self.engine not in LOOKING_UP:
                self._halves([[item] for item in batch], text, expected, outcome, suffix, keyed=keyed)
            else:
                self._halves([batch], text, expected, outcome, suffix, keyed=keyed)

    def _halves(
        self,
        waiting: list[list[Item]],
        text: Callable[[Sequence[Item]], str],
        expected: Callable[[Item], dict[Any, Any]],
        outcome: Outcome,
        suffix: str,
        *,
        keyed: bool,
    ) -> None:
        while waiting:
            batch = waiting.pop()
            found = self.ask(text(batch))
            if not isinstance(found, pa.Table):
                if isinstance(found, Refused) and keyed and self.engine in LOOKING_UP:
                    outcome.refused |= {item.sql + suffix: found.reason for item in batch}
                elif len(batch) > 1:
                    middle = len(batch) // 2
                    waiting += [batch[middle:], batch[:middle]]
                else:
                    self._note(batch[0].sql + suffix, found, outcome, lambda _: "")
                continue
            keys = found["key"].to_pylist() if keyed else [None] * found.num_rows
            for i, item in enumerate(batch):
                column = found[f"c{i}"]
                problem = differences(
                    dict(zip(keys, column.to_pylist(), strict=True)),
                    len(keys),
                    column.type,
                    expected(item),
                    item,
                )
                self._judge(item.sql + suffix, problem, outcome)

    def _question(self, question: Question, outcome: Outcome) -> None:
        found = self.ask(question.text, question.params, question.identity)

        def compared(found: pa.Table) -> str:
            if question.fails:
                return f"an answer where there is none: {found.to_pylist()[:3]}"
            wanted = self.peer(question) if question.expect is None else table_of(question.expect)
            return table_differences(found, wanted, question.ordered, question.tolerance)

        self._note(question.name, found, outcome, compared, question.fails)

    def _note(
        self,
        name: str,
        found: pa.Table | Refused | Failed,
        outcome: Outcome,
        compared: Callable[[pa.Table], str],
        says: str = "",
    ) -> None:
        if isinstance(found, Refused):
            outcome.refused[name] = found.reason
        elif isinstance(found, Failed):
            fits = says and isinstance(found.error, KadeQLError) and says in str(found.error)
            self._judge(name, "" if fits else f"{type(found.error).__name__}: {found.error}", outcome)
        else:
            self._judge(name, compared(found), outcome)

    def _judge(self, name: str, problem: str, outcome: Outcome) -> None:
        if problem:
            outcome.wrong[name] = problem
        else:
            outcome.passed.append(name)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an aggregate is asked: over which rows, of which it counts which, in groups or not."""

    call: str
    tail: str
    key: bool
    keeps: Callable[[Mapping[str, Any]], bool] = lambda row: True
    counts: Callable[[Mapping[str, Any]], bool] = lambda row: True


_SHAPES: Mapping[str, _Shape] = {
    "": _Shape("{}", "", key=False),
    "in groups": _Shape("{}", " GROUP BY g", key=True),
    "of no rows": _Shape("{}", " WHERE id < 0", key=False, keeps=lambda row: False),
    "of NULLs": _Shape("{}", " WHERE g = 'nulls'", key=False, keeps=lambda row: row["g"] == "nulls"),
    "with FILTER": _Shape(
        "{} FILTER (WHERE k > 1)", " GROUP BY g", key=True, counts=lambda row: (row["k"] or 0) > 1
    ),
    "distinct": _Shape("{}", " GROUP BY g", key=True),
}


def name_of(case: Item | Failure | Question) -> str:
    """What a case is called within its family."""
    return case.name if isinstance(case, Question) else case.sql


def _asked(family: Aggregates, shape: str) -> list[Aggregate]:
    """The aggregates that are asked in a shape."""
    if shape == "distinct":
        return list(family.distinct)
    return [case for case in family.cases if case.filtered or "FILTER" not in _SHAPES[shape].call]


def names(family: Family) -> Iterator[str]:
    """The names of a family's cases, in order."""
    match family:
        case Expressions():
            yield from (case.sql for case in family.cases)
            yield from (case.sql for case in family.failures)
        case Aggregates():
            for shape in _SHAPES:
                yield from (f"{case.sql} {shape}".strip() for case in _asked(family, shape))
        case Questions():
            yield from (case.name for case in family.cases)
