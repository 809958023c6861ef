"""Parts of text, and texts put together."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from luma_bench.errors import UnsupportedError
from luma_bench.frame.accessor import Accessor
from luma_bench.frame.expr import literal
from luma_bench.frame.patterns import groups, never_empty
from luma_bench.plan.expressions import Call, Case
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


# What Python's str.strip() removes; SQL's trim() would remove spaces only.
_BLANKS = (
    string.whitespace
    + "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(chr(code) for code in range(0x2000, 0x200B))
)
NULL = Constant(None)
_LAST = (1 << 31) - 1
END = Constant(_LAST)
"""The last place that a slice may name."""


class Parts(Accessor):
    """Parts of texts, and texts of parts."""

    __slots__ = ()

    def slice(self, start: int | None = None, stop: int | None = None, step: int | None = None) -> Series:
        """The characters from `start` up to `stop`; negative ones count from the end. Also `str[start:stop]`.

        Examples
        --------
        >>> flights.origin.str.slice(0, 1).unique().to_pylist()
        ['E', 'J', 'L']
        """
        if step == -1 and start is None and stop is None:
            return self._call("reverse")
        if step not in (None, 1):
            raise UnsupportedError(
                f"str.slice() takes every character, not every {step}.", hint="Leave step out."
            )
        return self._call("slice", *ends(start, stop))

    def get(self, i: int) -> Series:
        """The character at a place, or the element of a list; NULL beyond its end. Also `str[i]`.

        Examples
        --------
        >>> flights.origin.str.get(0).unique().to_pylist()
        ['E', 'J', 'L']
        """
        place = i + 1 if i >= 0 else i
        return self._call("character" if self._series.kind == "text" else "list_element", place)

    def __getitem__(self, key: Any) -> Series:
        return self.slice(key.start, key.stop, key.step) if isinstance(key, slice) else self.get(key)

    def slice_replace(self, start: int | None = None, stop: int | None = None, repl: str = "") -> Series:
        """With the characters from `start` up to `stop` replaced.

        Examples
        --------
        >>> flights.origin.str.slice_replace(0, 1, "*").nunique()
        3
        """
        before = self.slice(None, start or 0).expression
        after = self.slice(stop, None).expression if stop is not None else Constant("")
        return self._new(Call("concat", (before, literal(repl), after)))

    def split(self, pat: str | None = None, *, n: int = -1, expand: bool = False, regex: bool = False) -> Any:
        """A list of the parts between separators (blanks by default); with `expand=True` a frame of `n + 1` columns.

        Examples
        --------
        >>> flights.dest.str.split("A").name
        'dest'
        """
        if expand:
            return self._expanded(pat, n)
        if n > 0:
            raise UnsupportedError(
                "str.split(n=…) without expand= is not served.",
                hint="Give expand=True, or str.split(…).list.",
            )
        if pat is None:
            return self._call("extract_all", r"[^\s\p{Z}]+")
        return self._call("split_regex" if regex else "split", pat)

    def _expanded(self, pat: str | None, n: int) -> DataFrame:
        if n < 1:
            raise UnsupportedError(
                "str.split(expand=True) needs n=: how many columns there are has to be known.",
                hint="Give n=1 for two columns.",
            )
        if n > 1 or pat is None:
            parts = [(f"{part}", self.split(pat).list[part].expression) for part in range(n + 1)]
            return self._series.frame.with_plan(Project(self._series.frame.plan, tuple(parts)))
        found = Call("position", (self._own, literal(pat)))
        inside = Call("gt", (found, Constant(0)))
        first = Case(((inside, Call("left", (self._own, Call("sub", (found, Constant(1)))))),), self._own)
        rest = Call("slice", (self._own, Call("add", (found, Constant(len(pat)))), END))
        second = Case(((inside, rest),), NULL)
        return self._series.frame.with_plan(Project(self._series.frame.plan, (("0", first), ("1", second))))

    def partition(self, sep: str = " ") -> DataFrame:
        """A frame of three columns: before the first separator, the separator, and what is behind it.

        Examples
        --------
        >>> flights.origin.str.partition("F").columns
        ['0', '1', '2']
        """
        found = Call("position", (self._own, literal(sep)))
        inside = Call("gt", (found, Constant(0)))
        empty = Case(((inside, literal(sep)),), Constant(""))
        first = Case(((inside, Call("left", (self._own, Call("sub", (found, Constant(1)))))),), self._own)
        rest = Call("slice", (self._own, Call("add", (found, Constant(len(sep)))), END))
        third = Case(((inside, rest),), Constant(""))
        columns = tuple(
            (name, Case(((self._series.isna().expression, NULL),), part))
            for name, part in (("0", first), ("1", empty), ("2", third))
        )
        return self._series.frame.with_plan(Project(self._series.frame.plan, columns))

    def extract(self, pat: str, *, expand: bool = True) -> Any:
        """The groups of a regular expression's first match: a column for each, named as the groups are, or else by number.

        With `expand=False` and one group, a Series. A text without a match gives NULL, and so does
        a group that takes no part in it; an empty text where that group could hold one.

        Examples
        --------
        >>> flights.origin.str.extract("(?P<first>.)(?P<rest>.*)").columns
        ['first', 'rest']
        """
        names, absent = groups(pat), never_empty(pat)
        pattern = re.sub(r"\(\?P<\w+>", "(", pat)
        columns = [
            (name, Call("extract", (self._own, literal(pattern), Constant(place))))
            for place, name in enumerate(names, 1)
        ]
        columns = [
            (name, Case(((Call("eq", (found, Constant(""))), NULL),), found) if place in absent else found)
            for place, (name, found) in enumerate(columns, 1)
        ]
        if len(columns) == 1 and not expand:
            return self._new(columns[0][1])
        return self._series.frame.with_plan(Project(self._series.frame.plan, tuple(columns)))

    def cat(self, others: Any = None, sep: str = "", na_rep: str | None = None) -> Series:
        """Joined with another Series (or several), `sep` between them; NULL gives NULL, unless `na_rep` stands for it.

        Examples
        --------
        >>> flights.origin.str.cat(flights.dest, sep="-").name
        'origin'
        """
        if others is None:
            raise UnsupportedError(
                "str.cat() without others joins all rows.",
                hint="Use frame.groupby(…).agg(list), or to_list().",
            )
        joined = self._series if na_rep is None else self._series.fillna(na_rep)
        for other in others if isinstance(others, list | tuple) else [others]:
            given = other if na_rep is None else other.fillna(na_rep)
            joined = joined + sep + given if sep else joined + given
        return joined

    def join(self, sep: str) -> Series:
        """The elements of lists of text, with a separator between them.

        Examples
        --------
        >>> flights.origin.str.split("F").str.join("-").max()
        'LGA'
        """
        return self._call("join_list", sep)


def ends(start: int | None, stop: int | None) -> tuple[int, int]:
    """Python's ends of a slice as SQL's: counted from 1, the last one included."""
    first = 1 if start is None else start + 1 if start >= 0 else start
    last = _LAST if stop is None else stop if stop >= 0 else stop - 1
    return first, last
