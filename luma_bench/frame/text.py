"""`series.str`: pandas' methods on text, in the engine."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Literal

from luma_bench.errors import UnsupportedError
from luma_bench.frame.expr import literal
from luma_bench.frame.text_matching import Matching
from luma_bench.frame.text_parts import END, Parts
from luma_bench.plan.expressions import Call, Case, Expression
from luma_bench.plan.expressions import Literal as Constant

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

# What Python's str.strip() removes; SQL's trim() would remove spaces only.
_BLANKS = (
    string.whitespace
    + "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(chr(code) for code in range(0x2000, 0x200B))
)


class Strings(Matching, Parts):
    """Text methods. NULL gives NULL; positions and lengths count Unicode code points; patterns are RE2's."""

    __slots__ = ()
    _word = "str"
    _kinds = frozenset(("text",))
    _holds = "text"
    _as = "string"

    def lower(self) -> Series:
        """In lower case.

        Examples
        --------
        >>> flights.origin.str.lower().unique().to_pylist()
        ['ewr', 'jfk', 'lga']
        """
        return self._call("lower")

    def upper(self) -> Series:
        """In upper case.

        Examples
        --------
        >>> flights.origin.str.upper().unique().to_pylist()
        ['EWR', 'JFK', 'LGA']
        """
        return self._call("upper")

    def casefold(self) -> Series:
        """In lower case, for comparing.

        Examples
        --------
        >>> flights.origin.str.casefold().isin(["jfk"]).any()
        True
        """
        return self._call("lower")

    def capitalize(self) -> Series:
        """The first letter in upper case, the others in lower case.

        Examples
        --------
        >>> flights.origin.str.capitalize().unique().to_pylist()
        ['Ewr', 'Jfk', 'Lga']
        """
        first = Call("upper", (Call("left", (self._own, Constant(1))),))
        rest = Call("lower", (Call("slice", (self._own, Constant(2), END)),))
        return self._new(Call("concat", (first, rest)))

    def title(self) -> Series:
        """Every word with a capital.

        Examples
        --------
        >>> flights.origin.str.title().unique().to_pylist()
        ['Ewr', 'Jfk', 'Lga']
        """
        return self._call("words_upper")

    def swapcase(self) -> Series:
        """Upper case for lower case, and the other way round.

        Examples
        --------
        >>> flights.origin.str.swapcase().unique().to_pylist()
        ['ewr', 'jfk', 'lga']
        """
        return self._call("swap_case")

    def strip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at both ends.

        Examples
        --------
        >>> flights.origin.str.strip("JK").nunique()
        3
        """
        return self._call("trim", _BLANKS if to_strip is None else to_strip)

    def lstrip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at the start.

        Examples
        --------
        >>> flights.origin.str.lstrip("JK").nunique()
        3
        """
        return self._call("ltrim", _BLANKS if to_strip is None else to_strip)

    def rstrip(self, to_strip: str | None = None) -> Series:
        """Without blanks (or the characters of `to_strip`) at the end.

        Examples
        --------
        >>> flights.origin.str.rstrip("JK").nunique()
        3
        """
        return self._call("rtrim", _BLANKS if to_strip is None else to_strip)

    def replace(
        self,
        pat: str | dict[str, str],
        repl: str | None = None,
        n: int = -1,
        case: bool = True,
        *,
        regex: bool = False,
    ) -> Series:
        r"""With every `pat` replaced (the first only with n=1); a dictionary replaces each of its keys in turn.

        With `regex=True` it is a regular expression, and `\1` in `repl` its first group.

        Examples
        --------
        >>> flights.origin.str.replace("JFK", "New York").isin(["JFK"]).any()
        False
        """
        if isinstance(pat, dict):
            changed = self._series
            for old, new in pat.items():
                changed = changed.str.replace(old, new, n, case, regex=regex)
            return changed
        if not isinstance(repl, str):
            raise UnsupportedError(
                "str.replace() takes text.", hint="Functions do not run in an engine: use map_batches()."
            )
        if n not in (-1, 0, 1):
            raise UnsupportedError(
                f"str.replace() replaces all or the first, not {n}.", hint="Give n=1 or leave it out."
            )
        if n != 1 and case and not regex:
            return self._call("replace", pat, repl)
        pattern = pat if regex else _escaped(pat)
        instead = repl if regex else repl.replace("\\", "\\\\")
        flags = ("" if n == 1 else "g") + ("" if case else "i")
        return self._call("regexp_replace", pattern, instead, flags or "c")

    def removeprefix(self, prefix: str) -> Series:
        """Without `prefix`, where the text starts with it.

        Examples
        --------
        >>> flights.origin.str.removeprefix("J").nunique()
        3
        """
        rest = Call("slice", (self._own, Constant(len(prefix) + 1), END))
        return self._new(Case(((Call("starts_with", (self._own, literal(prefix))), rest),), self._own))

    def removesuffix(self, suffix: str) -> Series:
        """Without `suffix`, where the text ends with it.

        Examples
        --------
        >>> flights.origin.str.removesuffix("K").nunique()
        3
        """
        rest = Call("slice", (self._own, Constant(1), Constant(-len(suffix) - 1)))
        ends = Call("ends_with", (self._own, literal(suffix)))
        return self._new(Case(((ends, rest),), self._own)) if suffix else self._series

    def pad(self, width: int, side: Literal["left", "right", "both"] = "left", fillchar: str = " ") -> Series:
        """At least `width` characters, filled up on one side or both.

        Examples
        --------
        >>> flights.origin.str.pad(5, fillchar=".").min()
        '..EWR'
        """
        if len(fillchar) != 1:
            raise UnsupportedError(f"fillchar={fillchar!r} is not one character.", hint="Give one.")
        size = Call("length", (self._own,))
        missing = Call("sub", (Constant(width), size))
        left: Expression
        if side == "both":
            # Of an odd number of characters Python's str.center puts the spare one to the left where the width is odd.
            spare = Call("mul", (Call("mod", (missing, Constant(2))), Constant(width % 2)))
            left = Call("floordiv_int", (Call("add", (missing, spare)), Constant(2)))
        elif side in ("left", "right"):
            left = missing if side == "left" else Constant(0)
        else:
            raise UnsupportedError(f"side={side!r} is not known.", hint="It is 'left', 'right' or 'both'.")
        fill = literal(fillchar)
        right = Call("sub", (missing, left))
        padded = Call("concat", (Call("repeat", (fill, left)), self._own, Call("repeat", (fill, right))))
        return self._new(Case(((Call("ge", (size, Constant(width))), self._own),), padded))

    def ljust(self, width: int, fillchar: str = " ") -> Series:
        """At least `width` characters, filled up at the end.

        Examples
        --------
        >>> flights.origin.str.ljust(5).str.len().max()
        5
        """
        return self.pad(width, "right", fillchar)

    def rjust(self, width: int, fillchar: str = " ") -> Series:
        """At least `width` characters, filled up at the start.

        Examples
        --------
        >>> flights.origin.str.rjust(5).str.len().max()
        5
        """
        return self.pad(width, "left", fillchar)

    def center(self, width: int, fillchar: str = " ") -> Series:
        """At least `width` characters, filled up on both sides.

        Examples
        --------
        >>> flights.origin.str.center(5).str.len().max()
        5
        """
        return self.pad(width, "both", fillchar)

    def zfill(self, width: int) -> Series:
        """At least `width` characters, filled up with zeros behind a sign.

        Examples
        --------
        >>> flights.month.astype(str).str.zfill(2).min()
        '01'
        """
        signed = Call("matches", (self._own, literal("^[+-]")))
        rest = Call("slice", (self._own, Constant(2), END))
        sign = Call("left", (self._own, Constant(1)))
        after = self._new(rest).str.pad(width - 1, "left", "0").expression
        return self._new(
            Case(((signed, Call("concat", (sign, after))),), self.pad(width, "left", "0").expression)
        )

    def repeat(self, repeats: int) -> Series:
        """The text so many times.

        Examples
        --------
        >>> flights.origin.str.repeat(2).min()
        'EWREWR'
        """
        return self._call("repeat", repeats)

    def encode(self, encoding: str = "utf-8") -> Series:
        """As bytes, in UTF-8.

        Examples
        --------
        >>> flights.origin.str.encode("utf-8").min()
        b'EWR'
        """
        if encoding.lower().replace("-", "") != "utf8":
            raise UnsupportedError(f"Text is encoded as utf-8, not {encoding}.", hint="Use .to_pandas().")
        return self._call("encode")

    def normalize(self, form: str = "NFC") -> Series:
        """Unicode's normal form C.

        Examples
        --------
        >>> flights.origin.str.normalize("NFC").nunique()
        3
        """
        if form != "NFC":
            raise UnsupportedError(f"The normal form is NFC, not {form}.", hint="Use .to_pandas().")
        return self._call("normalize")


def _escaped(pat: str) -> str:
    return re.escape(pat)
