"""Prepared statements: PREPARE, EXECUTE and DEALLOCATE as text, and `Bench.prepare` with its `Prepared`."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.frames import handed
from luma_bench.bench.locating import located, missing_value
from luma_bench.bench.result import Result
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLError,
    KadeQLUnsupportedError,
    choices,
)
from luma_bench.language import Deallocate, Execute, Prepare, Query, Statement
from luma_bench.language.placed import Placed, queries_of
from luma_bench.language.prepare import PREPARED_KINDS, REFUSED, parameters
from luma_bench.language.tokens import tokenize
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.record import RunRecord

if TYPE_CHECKING:
    from luma_bench.bench.asking import Asking
    from luma_bench.bench.runner import Runner
    from luma_bench.bench.shelf import Shelf

_KEPT = "the session keeps its prepared statements"


class Prepared:
    """A statement that is parsed and checked once, and run any number of times with other values.

    Made by `Bench.prepare`. It runs where its bench stands: in the thread's open transaction if there is one, else at
    the newest snapshot. Safe to use from several threads.

    Attributes
    ----------
    text
        The statement as it was given.
    params
        The names of its `$name` parameters, without `$`, in the order in which they stand in the text first.
    """

    __slots__ = ("_ask", "_handle", "_known", "_statement", "params", "text")

    def __init__(self, handle: Asking, statement: Statement, ask: Ask) -> None:
        tokens = tokenize(statement.source)
        self.text = statement.source
        self.params = parameters(tokens, 0, len(tokens))
        self._known = frozenset(self.params)
        self._handle = handle
        self._statement = statement
        self._ask = ask

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of a query's rows, without running it.

        Raises
        ------
        KadeQLError
            A name does not resolve at the snapshot, or the type of a column hangs on the value of a parameter.
        UnsupportedError
            The statement is no query.
        """
        asked = replace(self._ask, params=dict.fromkeys(self.params))
        return self._handle._prepared_schema(self.text, asked)

    def run(
        self,
        params: Mapping[str, object] | None = None,
        *,
        cache: bool = True,
        tables: Mapping[str, Any] | None = None,
        **values: object,
    ) -> Result:
        """Run the statement with these values for its parameters.

        Parameters
        ----------
        params
            Values by name; those given by keyword join them.
        cache, tables
            As for `Bench.kadeql`.

        Raises
        ------
        KadeQLBindError
            A parameter has no value, or a value has no parameter.
        KadeQLError
            The statement fails with these values; the message shows line, column and caret.

        Examples
        --------
        >>> late = bench.prepare("SELECT count(*) AS n FROM flights WHERE dep_delay > $minutes")
        >>> late.run(minutes=60)
        >>> late.run({"minutes": 120})
        """
        given = values if params is None else {**params, **values}
        if given.keys() != self._known:
            self._refuse(given)
        ask = self._ask
        asked = Ask(given, ask.engine, ask.strict, ask.at, cache, tables or ask.tables, identity=ask.identity)
        return self._handle._run_prepared(self._statement, asked)

    def __call__(self, **values: object) -> Result:
        """`run` with values by keyword."""
        return self.run(values)

    def _refuse(self, given: Mapping[str, object]) -> None:
        missing = [name for name in self.params if name not in given]
        if missing:
            raise missing_value(self._statement, missing[0], f"Give it: run({missing[0]}=…).")
        unknown = next(name for name in given if name not in self._known)
        raise KadeQLBindError(
            f"The statement has no parameter ${unknown}.", hint=choices(unknown, self.params, "parameters")
        )

    def __repr__(self) -> str:
        shown = " ".join(self.text.split())
        return f"Prepared({shown if len(shown) <= 60 else f'{shown[:59]}…'!r}, params={list(self.params)})"


def prepared(handle: Asking, text: str, ask: Ask) -> Prepared:
    """`Bench.prepare`.

    Raises
    ------
    UnsupportedError
        The text holds several statements, or one that cannot be prepared.
    """
    statements = handle._machinery.statements.parse(text)
    if len(statements) != 1:
        raise KadeQLUnsupportedError(
            "One statement can be prepared, not several.",
            text=text,
            span=(statements[1].start, statements[1].end),
            hint="Prepare each by itself; bench.kadeql(text) runs several.",
        )
    (statement,) = statements
    if statement.kind not in PREPARED_KINDS:
        raise REFUSED.error(text, (statement.start, statement.end))
    check_files(statement, handle._machinery.statements.runner)
    return Prepared(handle, statement, ask)


def check_files(statement: Statement, runner: Runner) -> None:
    """Refuse to prepare what reads a file that may not be read, where the text names it; parameters name it later.

    Raises
    ------
    KadeQLError
        It points at the file.
    """
    for query in queries_of(statement):
        runner.files.check(query)


def kept(statement: Prepare | Deallocate, ask: Ask, runner: Runner) -> Result:
    """Run PREPARE or DEALLOCATE.

    Raises
    ------
    KadeQLBindError
        DEALLOCATE names a statement that is not there.
    """
    started = time.perf_counter()
    shelf = _shelf(ask, statement)
    if isinstance(statement, Prepare):
        check_files(statement.statement, runner)
        shelf.put(statement, handed(ask.tables))
        shown, params = statement.name, [f"${name}" for name in statement.params]
    else:
        shown, params = statement.name or "ALL", []
        if statement.name is None:
            shelf.clear()
        elif not shelf.drop(statement.name):
            raise _unknown(statement, shelf)
    answer = pa.table(
        {
            "operation": pa.array([statement.kind.value.lower()]),
            "name": pa.array([shown]),
            "parameters": pa.array([params], pa.list_(pa.string())),
        }
    )
    record = RunRecord("catalog", _KEPT, runner.resolve(ask).id, time.perf_counter() - started, rows_out=1)
    return Result(answer, record, statement.source)


def executed(statement: Execute, ask: Ask, runner: Runner) -> tuple[Statement, Ask]:
    """The statement that EXECUTE names, and how to run it: with the values that EXECUTE gives.

    Raises
    ------
    KadeQLBindError
        There is no such statement, a parameter has no value, or a value has no parameter.
    KadeQLError
        A value does not convert; it points at the value.
    """
    shelf = _shelf(ask, statement)
    held = shelf.get(statement.name)
    if held is None:
        raise _unknown(statement, shelf)
    found = held.statement
    given = {argument.name: argument for argument in statement.arguments}
    for argument in statement.arguments:
        if argument.name not in found.params:
            raise KadeQLBindError(
                f"The statement {found.name!r} has no parameter ${argument.name}.",
                text=statement.whole,
                span=argument.span,
                hint=choices(argument.name, found.params, "parameters"),
            )
    missing = next((name for name in found.params if name not in given), None)
    if missing is not None:
        raise KadeQLBindError(
            f"The parameter ${missing} of {found.name!r} has no value.",
            text=statement.whole,
            span=statement.name_span,
            hint=f"Give it: EXECUTE {found.name}({', '.join(f'{name} := …' for name in found.params)}).",
        )
    types = dict(found.types)
    values: dict[str, object] = {}
    for name, argument in given.items():
        kind = types.get(name)
        if argument.query is None and (kind is None or argument.value is None):
            values[name] = argument.value
            continue
        values[name] = _value(runner, argument.query, argument.value, kind, argument.span, statement, ask)
    return found.statement, replace(ask, params=values, tables={**held.tables, **ask.tables})


def _value(
    runner: Runner,
    query: Query | None,
    value: object,
    kind: str | None,
    span: tuple[int, int],
    statement: Execute,
    ask: Ask,
) -> object:
    """A constant expression as the Python value that a parameter is bound to."""
    prefix = "SELECT " if kind is None else "SELECT CAST(("
    suffix = "" if kind is None else f") AS {kind})"
    body = "$value" if query is None else f"({query.sql})"
    params: Mapping[str, object] = {"value": value} if query is None else ask.params
    if query is not None:
        missing = next((name for name in sorted(query.params) if name not in params), None)
        if missing is not None:
            raise missing_value(query, missing)
        params = {name: params[name] for name in query.params}
    fragment = SqlFragment(f"{prefix}{body}{suffix} AS value", params)
    try:
        found = runner.binder.evaluate(fragment, Inputs({}), Ask(identity=ask.identity)).column(0)[0].as_py()
    except KadeQLError as error:
        if query is None:
            raise error.moved(statement.whole, span) from error
        raise located(error, query, len(prefix) + 1, (query.start, query.end)) from error
    if not isinstance(found, pa.MonthDayNano):
        return found
    if found.months:
        raise KadeQLUnsupportedError(
            "An interval of months cannot be a parameter's value: Python has none.",
            text=statement.whole,
            span=span,
            hint="Give the number, and write the interval in the statement: to_months($n).",
        )
    return dt.timedelta(days=found.days, microseconds=found.nanoseconds // 1000)


def _shelf(ask: Ask, statement: Placed) -> Shelf:
    if ask.shelf is None:
        raise KadeQLUnsupportedError(
            "No prepared statement can stand here.",
            text=statement.whole,
            span=(statement.start, statement.end),
            hint="Run it with bench.kadeql(…): the session of a bench keeps its prepared statements.",
        )
    return ask.shelf


def _unknown(statement: Execute | Deallocate, shelf: Shelf) -> KadeQLBindError:
    assert statement.name is not None
    return KadeQLBindError(
        f"There is no prepared statement {statement.name!r}.",
        text=statement.whole,
        span=statement.name_span,
        hint=choices(statement.name, shelf.names, "prepared statements"),
    )
