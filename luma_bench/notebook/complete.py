"""Completion in `%%kadeql` cells and on `%kadeql` and `%luma` lines, for every front end that asks the kernel."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.getipython import get_ipython

from luma_bench.bench.assist.cell import places
from luma_bench.bench.assist.complete import complete
from luma_bench.errors import LumaError
from luma_bench.notebook.complete_luma import luma_items
from luma_bench.notebook.schemas import table_schemas

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_LUMA = re.compile(r"[ \t]*%luma[ \t]+(?P<rest>[^\n]*)")
_PLAIN = (bool, int, float, str, bytes, decimal.Decimal, dt.date, dt.time, dt.timedelta, list, tuple)


def make_matcher(find_bench: Callable[[], Bench | None]) -> Callable[[Any], Any]:
    """An IPython matcher (version 2) over the bench that `find_bench` gives at each call, and the notebook's variables."""

    def kadeql_matcher(context: Any) -> Any:
        text: str = context.full_text
        lines = text.split("\n")
        start = sum(len(line) + 1 for line in lines[: context.cursor_line])
        offset = start + context.cursor_position
        if line := _LUMA.fullmatch(text, start, offset):
            return _answer(*luma_items(line["rest"], find_bench()))
        if not any(place.holds(offset) for place in places(text, cell=True)):
            return {"completions": []}
        variables = namespace()
        found = complete(
            text,
            offset,
            find_bench(),
            cell=True,
            params=plain_names(variables),
            variables=table_schemas(variables, text),
        )
        if found.start < start:
            # A quoted name that began on a line above: IPython replaces within a line alone.
            return _answer("", ())
        return _answer(text[found.start : offset], [(item.text, item.kind) for item in found.items])

    return context_matcher(priority=200, identifier="luma_bench.kadeql")(kadeql_matcher)


def prepare(shell: Any, find_bench: Callable[[], Bench | None]) -> None:
    """Once a cell has left a bench open, do in a thread what the first completion would wait for: list functions, read columns."""

    def first() -> None:
        # Whatever is wrong with the bench is told where it is asked, not here.
        with contextlib.suppress(LumaError, OSError):
            bench = find_bench()
            for text in ("SELECT a", "SELECT * FROM a"):
                complete(text, len(text), bench)

    def after_cell(_: object) -> None:
        if find_bench() is not None:
            shell.events.unregister("post_run_cell", after_cell)
            # Not a daemon: one inside the engine while the interpreter ends would take the process down with it.
            threading.Thread(target=first, name="luma-completion").start()

    shell.events.register("post_run_cell", after_cell)


def namespace() -> Mapping[str, Any]:
    """The notebook's variables; none outside of a notebook."""
    shell = get_ipython()
    return {} if shell is None else shell.user_ns


def plain_names(variables: Mapping[str, Any]) -> list[str]:
    """The variables whose values may be those of `$name` parameters, sorted."""
    return sorted(
        name for name, value in variables.items() if not name.startswith("_") and isinstance(value, _PLAIN)
    )


class _Nothing(list[SimpleCompletion]):
    """No completions, of which IPython thinks that there are some: an empty answer would let Python's own in."""

    def __len__(self) -> int:
        return 1


def _answer(fragment: str, items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    completions = [SimpleCompletion(text=text, type=kind) for text, kind in items] or _Nothing()
    return {"completions": completions, "matched_fragment": fragment, "suppress": True, "ordered": True}
