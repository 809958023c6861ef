"""Completion inside `%%kadeql` cells: options, tables after FROM and JOIN, columns elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from luma_bench.errors import LumaError
from luma_bench.notebook.cell import OPTIONS
from luma_bench.notebook.names import mentions

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_CELL = re.compile(r"\s*%%kadeql\b")
_WORD = re.compile(r"--[\w-]*$|[\w]*$")
_AFTER_TABLE_WORD = re.compile(r"\b(FROM|JOIN|TABLE|INTO|UPDATE|DESCRIBE|SUMMARIZE)\s+\w*$", re.IGNORECASE)


def make_matcher(find_bench: Callable[[], Bench | None]) -> Callable[[Any], Any]:
    """An IPython matcher (version 2) over the bench that `find_bench` gives at each call."""

    def kadeql_matcher(context: Any) -> Any:
        text: str = context.full_text
        header = _CELL.match(text)
        if header is None:
            return {"completions": []}
        lines = text.split("\n")
        position = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        before = text[:position]
        found = _WORD.search(before)
        fragment = found[0] if found else ""
        inside = "\n" in before[header.end() :]
        names = _names(find_bench(), text, before) if inside else [(option, "option") for option in OPTIONS]
        completions = [
            SimpleCompletion(text=name, type=kind)
            for name, kind in names
            if name.casefold().startswith(fragment.casefold())
        ]
        # An empty answer would let Python's own completions in.
        completions = completions or [SimpleCompletion(text=fragment, type="text")]
        return {"completions": completions, "matched_fragment": fragment, "suppress": True, "ordered": True}

    return context_matcher(priority=200, identifier="luma_bench.kadeql")(kadeql_matcher)


def _names(bench: Bench | None, text: str, before: str) -> list[tuple[str, str]]:
    if bench is None:
        return []
    try:
        stored = bench.tables()
        tables = [(_quoted(name), "table") for name in stored]
        if _AFTER_TABLE_WORD.search(before):
            return tables
        body = text.partition("\n")[2]
        used = {name.casefold() for name in mentions(body).names}
        chosen = [name for name in stored if name.casefold() in used]
        columns = {column: None for name in chosen for column in bench.table(name).columns}
    except LumaError:
        # Completion never interrupts typing: a closed bench, or a table dropped meanwhile, has no names to offer.
        return []
    return [*((_quoted(column), "column") for column in columns), *tables]


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else '"' + name.replace('"', '""') + '"'
