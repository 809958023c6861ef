"""Questions about text: what it holds, starts with, is made of, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.frame.accessor import Accessor
from luma_bench.frame.expr import literal
from luma_bench.plan.expressions import Call
from luma_bench.plan.expressions import Literal as Constant

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


class Matching(Accessor):
    """What a text holds, and where."""

    __slots__ = ()

    def len(self) -> Series:
        """The number of code points; of a list, that of its elements.

        Examples
        --------
        >>> flights.origin.str.len().max()
        3
        """
        return self._call("length" if self._series.kind == "text" else "list_length")

    def contains(self, pat: str, case: bool = True, *, na: bool | None = None, regex: bool = True) -> Series:
        """Whether a pattern is found: a regular expression unless `regex=False`; NULL gives `na`.

        Examples
        --------
        >>> flights.origin.str.contains("^J").any()
        True
        """
        if regex:
            found = self._call("matches", pat) if case else self._call("matches", pat, "i")
        elif case:
            found = self._call("contains", pat)
        else:
            found = self._new(Call("contains", (Call("lower", (self._own,)), literal(pat.lower()))))
        return _filled(found, na)

    def match(self, pat: str, case: bool = True, *, na: bool | None = None) -> Series:
        """Whether a regular expression matches from the start; NULL gives `na`.

        Examples
        --------
        >>> flights.origin.str.match("J").any()
        True
        """
        anchored = f"^(?:{pat})"
        return _filled(self._call("matches", anchored) if case else self._call("matches", anchored, "i"), na)

    def fullmatch(self, pat: str, case: bool = True, *, na: bool | None = None) -> Series:
        """Whether a regular expression matches the whole text; NULL gives `na`.

        Examples
        --------
        >>> flights.origin.str.fullmatch("[A-Z]{3}").all()
        True
        """
        return _filled(self._call("full_match", pat) if case else self._call("full_match", pat, "i"), na)

    def startswith(self, pat: str | tuple[str, ...], na: bool | None = None) -> Series:
        """Whether the text starts with `pat`, or with one of several; NULL gives `na`.

        Examples
        --------
        >>> flights.origin.str.startswith(("J", "L")).any()
        True
        """
        return _filled(self._either("starts_with", pat), na)

    def endswith(self, pat: str | tuple[str, ...], na: bool | None = None) -> Series:
        """Whether the text ends with `pat`, or with one of several; NULL gives `na`.

        Examples
        --------
        >>> flights.origin.str.endswith("K").any()
        True
        """
        return _filled(self._either("ends_with", pat), na)

    def _either(self, function: str, pat: str | tuple[str, ...]) -> Series:
        if isinstance(pat, str):
            return self._call(function, pat)
        tests = tuple(Call(function, (self._own, literal(one))) for one in pat)
        return self._new(Call("or", tests) if tests else Constant(value=False))

    def findall(self, pat: str) -> Series:
        """A list of everything that a regular expression matches.

        Examples
        --------
        >>> flights.origin.str.findall("[JK]").name
        'origin'
        """
        return self._call("extract_all", pat)

    def count(self, pat: str) -> Series:
        """How often a regular expression matches.

        Examples
        --------
        >>> flights.origin.str.count("[A-Z]").max()
        3
        """
        return self._new(Call("list_length", (Call("extract_all", (self._own, literal(pat))),)))

    def find(self, sub: str) -> Series:
        """Where a text begins for the first time, counted from 0; -1 where it does not occur.

        Examples
        --------
        >>> flights.origin.str.find("F").max()
        1
        """
        return self._new(Call("sub", (Call("position", (self._own, literal(sub))), Constant(1))))

    def isalpha(self) -> Series:
        """Whether there are letters only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isalpha().any()
        True
        """
        return self._call("full_match", r"\p{L}+")

    def isdigit(self) -> Series:
        """Whether there are digits only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isdigit().any()
        False
        """
        return self._call("full_match", r"\p{Nd}+")

    def isdecimal(self) -> Series:
        """Whether there are decimal digits only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isdecimal().any()
        False
        """
        return self._call("full_match", r"\p{Nd}+")

    def isnumeric(self) -> Series:
        """Whether there are numeric characters only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isnumeric().any()
        False
        """
        return self._call("full_match", r"\p{N}+")

    def isalnum(self) -> Series:
        """Whether there are letters and digits only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isalnum().any()
        True
        """
        return self._call("full_match", r"[\p{L}\p{N}]+")

    def isspace(self) -> Series:
        """Whether there are blanks only, and at least one.

        Examples
        --------
        >>> flights.origin.str.isspace().any()
        False
        """
        return self._call("full_match", r"[\s\p{Z}]+")

    def isupper(self) -> Series:
        """Whether all letters are upper case, and there is one.

        Examples
        --------
        >>> flights.origin.str.isupper().any()
        True
        """
        same = Call("eq", (self._own, Call("upper", (self._own,))))
        other = Call("ne", (self._own, Call("lower", (self._own,))))
        return self._new(Call("and", (same, other)))

    def islower(self) -> Series:
        """Whether all letters are lower case, and there is one.

        Examples
        --------
        >>> flights.origin.str.islower().any()
        False
        """
        same = Call("eq", (self._own, Call("lower", (self._own,))))
        other = Call("ne", (self._own, Call("upper", (self._own,))))
        return self._new(Call("and", (same, other)))


def _filled(found: Series, na: bool | None) -> Series:
    return found if na is None else found.fillna(na)
