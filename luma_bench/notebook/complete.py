"""Completion in `%%kadeql` cells and `%kadeql` and `%luma` lines: options, tables, columns, keywords, commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from luma_bench.errors import LumaError
from luma_bench.language.row_ids import ROWS_FUNCTION
from luma_bench.notebook.cell import OPTIONS
from luma_bench.notebook.commands import COMMANDS
from luma_bench.notebook.names import mentions
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

KEYWORDS = (
    "SELECT DISTINCT FROM WHERE GROUP BY HAVING QUALIFY ORDER LIMIT OFFSET JOIN LEFT RIGHT FULL INNER CROSS ASOF "
    "SEMI ANTI ON USING AS AND OR NOT IN IS NULL LIKE ILIKE BETWEEN EXISTS CASE WHEN THEN ELSE END CAST UNION ALL "
    "INTERSECT EXCEPT WITH RECURSIVE VALUES OVER PARTITION WINDOW FILTER PIVOT UNPIVOT INTERVAL ASC DESC NULLS "
    "FIRST LAST CREATE REPLACE TABLE INSERT INTO UPDATE SET DELETE TRUNCATE DROP ALTER "
    "COMMENT BEGIN COMMIT ROLLBACK DESCRIBE SUMMARIZE SHOW TABLES EXPLAIN ANALYZE TAG SNAPSHOT"
)
"""Offered after columns and tables, in the letters' case of what is typed."""

MOST_TABLES = 50
"""Tables whose columns are offered before a text names any."""

_CELL = re.compile(r"\s*%%kadeql\b")
_LINE = re.compile(r"\s*%kadeql\b")
_COMMAND = re.compile(r"\s*%luma\s+(\w*)$")
_WORD = re.compile(r"--[\w-]*$|\w*$")
_AFTER_TABLE_WORD = re.compile(
    r'(?:\b(FROM|JOIN|TABLE|INTO|UPDATE|DESCRIBE|SUMMARIZE)\s+|\bwith_rowid\s*\(\s*)(?:"[^"\n]*|\w*)$',
    re.IGNORECASE,
)
_READING = frozenset({"FROM", "JOIN", "DESCRIBE", "SUMMARIZE"})
_AFTER_POINT = re.compile(r'(?:"([^"\n]+)"|([^\W\d]\w*))\.$')


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands around the cursor: the statements, and what of them stands before it; options when it is not in them."""

    body: str
    before: str
    options: bool = False


def make_matcher(find_bench: Callable[[], Bench | None]) -> Callable[[Any], Any]:
    """An IPython matcher (version 2) over the bench that `find_bench` gives at each call."""

    def kadeql_matcher(context: Any) -> Any:
        lines: list[str] = context.full_text.split("\n")
        line = lines[context.cursor_line][: context.cursor_position]
        if command := _COMMAND.match(line):
            return _answer(command[1], [(name, "command") for name in COMMANDS if name != "status"])
        place = _place(lines, context.cursor_line, line)
        if place is None:
            return {"completions": []}
        if place.options:
            found = _WORD.search(line)
            return _answer(found[0] if found else "", [(option, "option") for option in OPTIONS])
        fragment = _fragment(place.before)
        return _answer(fragment, _names(find_bench(), place, fragment))

    return context_matcher(priority=200, identifier="luma_bench.kadeql")(kadeql_matcher)


def _place(lines: Sequence[str], number: int, line: str) -> _Place | None:
    """Where the cursor stands, None when no KadeQL does; `line` is its line up to it."""
    if _CELL.match(lines[0]):
        if number == 0:
            return _Place("", "", options=True)
        return _Place("\n".join(lines[1:]), "\n".join([*lines[1:number], line]))
    if head := _LINE.match(line):
        before = line[head.end() :]
        options = re.search(r"(?:^|\s)--[\w-]*$", before) is not None
        return _Place(lines[number][head.end() :], before, options)
    return None


def _fragment(before: str) -> str:
    """The beginning of the name at the cursor, with its quote when it is a quoted one."""
    line = before.rpartition("\n")[2]
    if line.count('"') % 2:
        return line[line.rindex('"') :]
    found = _WORD.search(line)
    return found[0] if found else ""


def _answer(fragment: str, names: Iterable[tuple[str, str]]) -> dict[str, Any]:
    start = fragment.removeprefix('"').casefold()
    completions = [
        SimpleCompletion(text=name, type=kind)
        for name, kind in names
        if name.removeprefix('"').casefold().startswith(start)
    ]
    # An empty answer would let Python's own completions in.
    completions = completions or [SimpleCompletion(text=fragment, type="text")]
    return {"completions": completions, "matched_fragment": fragment, "suppress": True, "ordered": True}


def _names(bench: Bench | None, place: _Place, fragment: str) -> list[tuple[str, str]]:
    """The names that may stand at the cursor, the likely ones first."""
    lower = fragment.islower()
    keywords = [
        (word.lower() if lower else word, "keyword") for word in KEYWORDS.split() if fragment.isalpha()
    ]
    if bench is None:
        return keywords
    try:
        stored = bench.tables()
        tables = [(_spelled(name, fragment), "table") for name in stored]
        if named := _AFTER_TABLE_WORD.search(place.before):
            function = [(ROWS_FUNCTION, "function")] if (named[1] or "").upper() in _READING else []
            return [*tables, *function]
        used = {name.casefold() for name in mentions(place.body).names}
        chosen = [name for name in stored if name.casefold() in used]
        owner = _AFTER_POINT.search(place.before[: len(place.before) - len(fragment)])
        if owner is not None:
            chosen = _owned(owner[1] or owner[2], chosen, place.body)
        names = {
            name: None for table in chosen or stored[:MOST_TABLES] for name in bench.table(table).columns
        }
        if ROWS_FUNCTION in used:
            names[ROW_ID] = None
    except LumaError:
        # Completion never interrupts typing: a closed bench, or a table dropped meanwhile, has no names to offer.
        return keywords
    columns = [(_spelled(name, fragment), "column") for name in names]
    return columns if owner is not None else [*columns, *tables, *keywords]


def _owned(alias: str, tables: Sequence[str], body: str) -> list[str]:
    """The tables that an alias stands for in a text; all of them when it is none that can be seen."""
    named = [
        table
        for table in tables
        if table.casefold() == alias.casefold()
        or re.search(
            rf'\b{re.escape(table)}\b"?(?:\s*\))?(?:\s+AT\s*\([^)]*\))?\s+(?:AS\s+)?"?{re.escape(alias)}\b',
            body,
            re.IGNORECASE,
        )
    ]
    return named or list(tables)


def _spelled(name: str, fragment: str) -> str:
    """A name as it is written in KadeQL: quoted where it must be, or where the reader began so."""
    if re.fullmatch(r"[^\W\d]\w*", name) and not fragment.startswith('"'):
        return name
    return quoted(name)
