"""Lint: what is wrong with a KadeQL text or cell, or worth a look, with changes that mend it; nothing runs."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist.binding import bind, check_names
from luma_bench.bench.assist.cell import places
from luma_bench.bench.assist.fixes import fixes_of
from luma_bench.bench.assist.known import Known, Variables
from luma_bench.bench.assist.lint_options import given_names, head_problems, pinned_at
from luma_bench.bench.assist.reading import outline
from luma_bench.bench.assist.rules import advice
from luma_bench.bench.assist.scan import Scanned, scan
from luma_bench.bench.assist.scope import Scope
from luma_bench.bench.assist.values import Fix, Problem, Severity
from luma_bench.errors import ClosedError, KadeQLError, KadeQLSyntaxError, LumaError, choices, nearest
from luma_bench.language import parse
from luma_bench.language.diagnostics import unmatched
from luma_bench.language.keywords import split
from luma_bench.language.tokens import tokenize
from luma_bench.types.inspector import SqlInspector

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

LONGEST: Final = 200_000
"""Code points of a text beyond which it is not looked at."""
MOST: Final = 200
"""Problems that are told of one text at most."""
MOST_STATEMENTS: Final = 200
"""Statements of a text that are looked at, the first ones."""

_DEFINING: Final = frozenset(split("CREATE ALTER DROP PREPARE"))
_ABSENT: Final = re.compile(r"There is no table '(.+)'\.")
_REFERENCED: Final = re.compile(r'Referenced column "([^"]+)"')
_SHOWN: Final = 300


def lint(
    text: str,
    bench: Bench | None,
    *,
    cell: bool = False,
    params: Collection[str] | None = None,
    variables: Variables | None = None,
) -> tuple[Problem, ...]:
    """The problems of a text, in its order: one error a statement at most, and what is worth a look.

    Nothing runs and no row is read. With a bench, names and types are checked at the snapshot that it reads, or that
    `--at` names; a statement that reads what an earlier one of the text defines is checked for its grammar alone.

    Parameters
    ----------
    text
        KadeQL, or with `cell` a whole notebook cell, of which only what follows `%%kadeql` or `%kadeql` is looked at.
    params
        The names that have values for `$name` parameters; None where they are not known.
    variables
        The notebook's tables with their schemas; None where they are not known: then an unknown table is no error, since
        a variable may be meant.
    """
    if len(text) > LONGEST:
        return ()
    found: list[Problem] = []
    for place in places(text, cell=cell):
        at, given = bench, params
        if place.magic:
            problems, options = head_problems(place, bench)
            found += problems
            if options is not None:
                at, given = pinned_at(bench, options), given_names(options, params)
        found += (problem.shifted(place.body_start) for problem in _body(place.body, at, given, variables))
    return tuple(sorted(found, key=lambda item: (item.start, item.stop))[:MOST])


def _body(
    text: str, bench: Bench | None, params: Collection[str] | None, variables: Variables | None
) -> Iterator[Problem]:
    scanned = scan(text)
    if not len(scanned.tokens) and not scanned.quiet:
        return
    try:
        tokens = tokenize(text)
    except KadeQLSyntaxError as error:
        yield _of(error, scanned, None, "error")
        return
    known = Known(bench, variables)
    defined: set[str] = set()
    for first, last in islice(tokens.statements(), MOST_STATEMENTS):
        wrong = tokens.unmatched(first, last)
        if wrong is not None:
            yield _of(unmatched(tokens, wrong), scanned, None, "error")
            continue
        start, end = tokens.span(first, last)
        # The two readings of a text have tokens of their own.
        low = scanned.before(start)
        high = max(scanned.before(end), low + 1)
        scope = Scope(outline(scanned, low, high), known)
        yield from _statement(scanned, scope, known, (start, end), defined, variables)
        yield from _parameters(scanned, low, high, params)
        yield from advice(scanned, low, high, scope)
        if tokens.words[first] in _DEFINING:
            defined |= {name.casefold() for name in tokens.names[first:last] if name}


def _statement(
    scanned: Scanned,
    scope: Scope,
    known: Known,
    span: tuple[int, int],
    defined: set[str],
    variables: Variables | None,
) -> Iterator[Problem]:
    """The error of one statement, if it has one."""
    bench, whole = known.bench, scanned.tokens.text
    alone = whole[slice(*span)]
    try:
        inspector = _inspector() if bench is None else bench._machinery.statements.runner.binder.inspector
        statements = parse(alone, inspector)
        # What the text itself defines, and tables of which only the name is known, have no columns to bind to.
        untold = {name.casefold() for name, schema in (variables or {}).items() if schema is None}
        if bench is None or known.pinned is None or _names_any(alone, defined | untold):
            return
        tables = {name: schema for name, schema in (variables or {}).items() if schema is not None}
        for statement in statements:
            check_names(bench, known.pinned, statement)
            bind(bench, known.pinned, statement, tables)
    except ClosedError:
        return  # the bench was closed meanwhile: there is nothing to check names with
    except KadeQLError as error:
        message, hint = error.plain, error.hint
        severity: Severity = "error"
        first, last = error.span if error.span is not None and error.text == alone else (0, 0)
        if absent := _ABSENT.match(message):
            hint, severity = _absent(absent[1], known, variables)
            # An alias behind the name is none of the problem.
            last = first + len(absent[1]) if alone[first:last].startswith(absent[1]) else last
        elif unknown := _REFERENCED.match(message):
            message = f"There is no column {unknown[1]!r} here."
            hint = choices(unknown[1], _visible(scope), "columns")
        told = KadeQLError(message, text=whole, span=(span[0] + first, span[0] + last), hint=hint)
        yield _of(told, scanned, scope, severity)
    except LumaError as error:
        yield Problem(span[0], min(span[1], span[0] + 1), "error", error.message, error.hint or "")


def _visible(scope: Scope) -> list[str]:
    """The columns of everything that a statement reads."""
    found = (
        column.name
        for query in scope.root.every()
        for member in query.members
        for source in member.sources
        for column in scope.columns(source, query)
    )
    return list(dict.fromkeys(found))


def _absent(name: str, known: Known, variables: Variables | None) -> tuple[str, Severity]:
    """What to say of a table that is not there, and how much it matters: a variable may be meant where these are not known."""
    names = [item for item, _ in known.relations()]
    near = bool(nearest(name, names))
    if variables is None and not near:
        return "If it is a variable of the notebook, it is read when the cell runs.", "info"
    return choices(name, names, "tables"), "error" if variables is not None else "warning"


def _names_any(text: str, names: Collection[str]) -> bool:
    """Whether a text names something of these."""
    return bool(names) and any(name.casefold() in names for name in scan(text).tokens.names if name)


def _parameters(scanned: Scanned, first: int, last: int, params: Collection[str] | None) -> Iterator[Problem]:
    """Parameters without a value."""
    tokens = scanned.tokens
    if params is None or tokens.words[first] in ("PREPARE", "CREATE"):
        return
    for index in range(first, last - 1):
        name = tokens.names[index + 1]
        if tokens.words[index] == "$" and name and name not in params:
            start, stop = tokens.starts[index], tokens.ends[index + 1]
            near = nearest(name, list(params))
            fixes = tuple(Fix(f"Change to ${item}", start, stop, f"${item}") for item in near)
            hint = (
                choices(name, list(params), "parameters")
                if near
                else f"Set the variable {name}, or give --params."
            )
            yield Problem(start, stop, "warning", f"The parameter ${name} has no value here.", hint, fixes)


def _of(error: KadeQLError, scanned: Scanned, scope: Scope | None, severity: Severity) -> Problem:
    """An error as a problem; one without a width stands at the token before it."""
    text = scanned.tokens.text
    start, stop = error.span or (0, 1)
    start = min(start, len(text))
    stop = min(max(stop, start), len(text))
    if start == stop:
        index = scanned.before(start) - 1
        if index >= 0 and scanned.tokens.ends[index] == start:
            start = scanned.tokens.starts[index]
        elif start > 0:
            start -= 1
        else:
            stop = min(1, len(text))
    message = error.plain if len(error.plain) <= _SHOWN else f"{error.plain[:_SHOWN]}…"
    return Problem(start, stop, severity, message, error.hint or "", fixes_of(error, scanned, scope))


@functools.cache
def _inspector() -> SqlInspector:
    """A parser for texts without a bench; one a process."""
    from luma_bench.config import Settings
    from luma_bench.engines.duck_inspect import DuckInspector

    return DuckInspector(Settings(threads=1))
