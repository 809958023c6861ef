"""`series.str` and `series.dt`: pandas' accessors for text and for dates and times."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from luma_bench.errors import nearest
from luma_bench.frame.expr import MissingAttributeError, literal
from luma_bench.plan.expressions import Call, Cast, Expression, Literal

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

# What Python's str.strip() removes; SQL's trim() would remove spaces only.
_BLANKS = (
    string.whitespace
    + "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(chr(code) for code in range(0x2000, 0x200B))
)


class _Accessor:
    __slots__ = ("_series",)

    def __init__(self, series: Series) -> None:
        self._series = series

    def _new(self, expression: Expression) -> Series:
        return type(self._series)(self._series.frame, expression, self._series.name)

    def _call(self, function: str, *args: object) -> Series:
        return self._new(Call(function, (self._series.expression, *(literal(arg) for arg in args))))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        near = nearest(name, [item for item in dir(type(self)) if not item.startswith("_")])
        raise MissingAttributeError(
            f"This accessor has no {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas is behind .to_pandas().",
        )


class Strings(_Accessor):
    """Text methods. NULL gives NULL; positions and lengths count Unicode code points."""

    __slots__ = ()

    def lower(self) -> Series:
        """In lower case."""
        return self._call("lower")

    def upper(self) -> Series:
        """In upper case."""
        return self._call("upper")

    def len(self) -> Series:
        """The number of code points."""
        return self._call("length")

    def contains(self, pat: str, case: bool = True, regex: bool = True) -> Series:
        """Whether a pattern is found; a regular expression (RE2's syntax) unless `regex=False`."""
        if regex:
            return self._call("matches", pat) if case else self._call("matches", pat, "i")
        if case:
            return self._call("contains", pat)
        return self._new(Call("contains", (Call("lower", (self._series.expression,)), literal(pat.lower()))))

    def match(self, pat: str, case: bool = True) -> Series:
        """Whether a regular expression matches from the start."""
        anchored = f"^(?:{pat})"
        return self._call("matches", anchored) if case else self._call("matches", anchored, "i")

    def fullmatch(self, pat: str, case: bool = True) -> Series:
        """Whether a regular expression matches the whole text."""
        return self._call("full_match", pat) if case else self._call("full_match", pat, "i")

    def startswith(self, pat: str | tuple[str, ...]) -> Series:
        """Whether the text starts with `pat`, or with one of several."""
        return self._either("starts_with", pat)

    def endswith(self, pat: str | tuple[str, ...]) -> Series:
        """Whether the text ends with `pat`, or with one of several."""
        return self._either("ends_with", pat)

    def _either(self, function: str, pat: str | tuple[str, ...]) -> Series:
        if isinstance(pat, str):
            return self._call(function, pat)
        tests = tuple(Call(function, (self._series.expression, literal(one))) for one in pat)
        return self._new(Call("or", tests) if tests else Literal(value=False))

    def strip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at both ends."""
        return self._call("trim", _BLANKS if to_strip is None else to_strip)

    def lstrip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at the start."""
        return self._call("ltrim", _BLANKS if to_strip is None else to_strip)

    def rstrip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at the end."""
        return self._call("rtrim", _BLANKS if to_strip is None else to_strip)

    def replace(self, pat: str, repl: str, *, regex: bool = False) -> Series:
        r"""With every `pat` replaced; with `regex=True` a regular expression, and `\1` in `repl` is its first group."""
        return self._call("regexp_replace", pat, repl, "g") if regex else self._call("replace", pat, repl)


class Dates(_Accessor):
    """Parts of dates and times. A time with a zone is read in the session's time zone, as in SQL."""

    __slots__ = ()

    @property
    def year(self) -> Series:
        """The year."""
        return self._call("year")

    @property
    def quarter(self) -> Series:
        """1 to 4."""
        return self._call("quarter")

    @property
    def month(self) -> Series:
        """1 to 12."""
        return self._call("month")

    @property
    def day(self) -> Series:
        """1 to 31."""
        return self._call("day")

    @property
    def hour(self) -> Series:
        """0 to 23."""
        return self._call("hour")

    @property
    def minute(self) -> Series:
        """0 to 59."""
        return self._call("minute")

    @property
    def second(self) -> Series:
        """0 to 59."""
        return self._call("second")

    @property
    def microsecond(self) -> Series:
        """0 to 999999: the part below a second."""
        return self._call("microsecond")

    @property
    def dayofyear(self) -> Series:
        """1 to 366."""
        return self._call("dayofyear")

    @property
    def dayofweek(self) -> Series:
        """Monday is 0, Sunday is 6."""
        return self._new(Call("sub", (Call("isodow", (self._series.expression,)), Literal(1))))

    weekday = dayofweek
    day_of_week = dayofweek
    day_of_year = dayofyear

    @property
    def date(self) -> Series:
        """The calendar day, as a date."""
        return self._new(Cast(self._series.expression, "DATE"))

    def normalize(self) -> Series:
        """Midnight of the same day."""
        return self._new(Call("date_trunc", (Literal("day"), self._series.expression)))

    def day_name(self) -> Series:
        """Monday to Sunday."""
        return self._call("dayname")

    def month_name(self) -> Series:
        """January to December."""
        return self._call("monthname")

    def strftime(self, date_format: str) -> Series:
        """As text, by the codes of `strftime`."""
        return self._call("strftime", date_format)

    def total_seconds(self) -> Series:
        """The length of an interval in seconds."""
        return self._call("total_seconds")
