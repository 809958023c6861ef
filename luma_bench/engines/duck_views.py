"""Views on a cursor: temporary views of DuckDB's own, made once a text, and told apart in its errors.

DuckDB binds a view by itself, so that no CTE of the statement that reads it can take the place of a table of the view.
It reports the place of an error in a view as an offset in the text that made the view, as if that were the
statement's. So every view is made by a text whose query begins at an offset of its own, behind blanks: an offset says
which view it is in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from luma_bench.plan.engine import View
from luma_bench.types.sql_text import quoted

_FIRST = 1 << 16
"""Where the first view's query begins: in a longer statement an error's offset may be its own or a view's."""
_LAST = 1 << 19
"""Where the last one may end: blanks cost time. A cursor with more text begins anew."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A view as the cursor has it; `begin` and `end` are the bytes of its query in the text that made it."""

    view: View
    begin: int
    end: int


class CursorViews:
    """The views of one connection. Used by one statement at a time.

    A view that may have changed, or whose tables may have, is not current: it is made anew before the next statement
    that reads it, because DuckDB compares a view's columns with those that it had when it was made.
    """

    __slots__ = ("_con", "_current", "_made", "_next")

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._made: dict[str, _Made] = {}
        self._current: set[str] = set()
        self._next = _FIRST

    def make(
        self, views: Sequence[View], is_named: Callable[[str], bool], make_room: Callable[[str], None]
    ) -> None:
        """Have exactly these views, as far as the statement can name one; each reads only those before it.

        Parameters
        ----------
        is_named
            Whether the statement may name a casefolded name.
        make_room
            Takes away the table of a casefolded name, if there is one.

        Raises
        ------
        duckdb.Error
            A view does not bind.
        """
        wanted = {view.name.casefold() for view in views}
        for key in [key for key in self._made if key not in wanted and is_named(key)]:
            self._drop(key)
        if self._next + sum(map(_room, views)) > _LAST:
            for key in list(self._made):
                self._drop(key)
            self._next = _FIRST
        settled: set[str] = set()
        for view in views:
            key = view.name.casefold()
            known = self._made.get(key)
            if known is None:
                make_room(key)
            elif known.view != view:
                # What reads it stands behind it, or belongs to other statements.
                self._current &= settled
            if key not in self._current:
                self._create(key, view)
            settled.add(key)

    def gone(self, key: str) -> None:
        """The table, relation or view of this casefolded name becomes another, or none: what read it is not current."""
        self._current.clear()
        self._made.pop(key, None)

    def taken(self, key: str) -> None:
        """A table or relation gets this casefolded name, and the place of a view that had it."""
        if key in self._made:
            self._drop(key)

    def located(self, error: duckdb.Error, text: str) -> tuple[str, int] | None:
        """The SQL of the view that an error is in, and the bytes before it; None for one in the statement's own text."""
        try:
            place = int(json.loads(str(error).partition(": ")[2])["position"])
        except (KeyError, TypeError, ValueError):
            return None
        if place < len(text.encode()):
            return None
        for made in self._made.values():
            if made.begin <= place <= made.end:
                return made.view.sql, made.begin
        return None

    def _create(self, key: str, view: View) -> None:
        listed = f" ({', '.join(map(quoted, view.columns))})" if view.columns else ""
        head = f"CREATE OR REPLACE TEMP VIEW {quoted(view.name)}{listed} AS "
        begin = max(self._next, len(head.encode()))
        self._next = begin + _room(view)
        self._made.pop(key, None)
        self._made[key] = _Made(view, begin, begin + len(view.sql.encode()))
        self._con.execute(f"{' ' * (begin - len(head.encode()))}{head}{view.sql}")
        self._current.add(key)

    def _drop(self, key: str) -> None:
        made = self._made.pop(key)
        self._current.clear()
        self._con.execute(f"DROP VIEW IF EXISTS {quoted(made.view.name)}")


def _room(view: View) -> int:
    """The bytes of a view's query, and one that stays free behind it."""
    return len(view.sql.encode()) + 1
