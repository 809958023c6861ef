"""What is made of a column value by value: membership, missing values, conditions, types, bounds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.expr import constants, literal, sql_type
from luma_bench.frame.operators import Operand
from luma_bench.frame.replacing import replaced
from luma_bench.frame.series_applying import applied
from luma_bench.frame.series_arithmetic import Arithmetic
from luma_bench.plan.expressions import Between, Call, Case, Cast, Expression, IsIn, IsNull
from luma_bench.plan.expressions import Literal as Constant

_UNGIVEN: Any = ...


class Values(Arithmetic):
    """Values to values, row by row."""

    __slots__ = ()

    def isin(self, values: Iterable[object]) -> Self:
        """Whether the value is one of a list; None in the list matches NULL.

        Without None in the list a NULL gives NULL, as in SQL: `~s.isin(…)` leaves NULLs out, where pandas keeps them.

        Examples
        --------
        >>> flights.origin.isin(["JFK", "LGA"]).any()
        True
        """
        if isinstance(values, Operand):
            raise UnsupportedError(
                "isin() takes a list of values, not a Series.",
                hint="Use merge(other, on=…, how='semi') or how='anti'.",
            )
        known, null = constants(values)
        return self._new(IsIn(self.expression, known, null))

    def between(
        self, left: object, right: object, inclusive: Literal["both", "neither", "left", "right"] = "both"
    ) -> Self:
        """Whether `left <= value <= right`; `inclusive` says which ends count.

        Examples
        --------
        >>> flights.month.between(1, 12).all()
        True
        """
        if inclusive not in ("both", "neither", "left", "right"):
            raise UnsupportedError(
                f"inclusive={inclusive!r} is not known.", hint="It is 'both', 'neither', 'left' or 'right'."
            )
        if inclusive == "both" and not isinstance(left, Operand) and not isinstance(right, Operand):
            return self._new(Between(self.expression, literal(left), literal(right)))
        low = self >= left if inclusive in ("both", "left") else self > left
        high = self <= right if inclusive in ("both", "right") else self < right
        return low & high

    def isna(self) -> Self:
        """Whether the value is NULL. NaN is not NULL: see `isnan`.

        Examples
        --------
        >>> flights.origin.isna().any()
        False
        """
        return self._new(IsNull(self.expression))

    def notna(self) -> Self:
        """Whether the value is not NULL.

        Examples
        --------
        >>> flights.origin.notna().all()
        True
        """
        return self._new(IsNull(self.expression, negated=True))

    isnull = isna
    notnull = notna

    def isnan(self) -> Self:
        """Whether the value is the float NaN; NULL gives NULL.

        Examples
        --------
        >>> flights.distance.isnan().any()
        False
        """
        return self._call("isnan")

    def fillna(self, value: object) -> Self:
        """The value, or where it is NULL, `value`: a constant or another Series. NaN stays.

        Examples
        --------
        >>> flights.dep_delay.fillna(0).isna().any()
        False
        """
        frame, own, other = self._pair(value)
        return self._new(Call("coalesce", (own, other)), frame)

    def where(self, cond: Any, other: object = None) -> Self:
        """The value where `cond` is TRUE, else `other` (NULL by default): a constant or another Series.

        Examples
        --------
        >>> late = flights.dep_delay.where(flights.dep_delay > 0, 0)
        >>> late.min()
        0
        """
        return self._chosen(cond, other)

    def mask(self, cond: Any, other: object = None) -> Self:
        """`other` (NULL by default) where `cond` is TRUE, else the value.

        Examples
        --------
        >>> flights.dep_delay.mask(flights.dep_delay < 0, 0).min()
        0
        """
        frame, own, test = self._pair(_condition(cond, self))
        instead = other.over(frame) if isinstance(other, Operand) else literal(other)
        return self._new(Case(((test, instead),), own), frame)

    def _chosen(self, cond: Any, other: object) -> Self:
        frame, own, test = self._pair(_condition(cond, self))
        otherwise = other.over(frame) if isinstance(other, Operand) else literal(other)
        return self._new(Case(((test, own),), otherwise), frame)

    def case_when(self, caselist: Sequence[tuple[Any, object]]) -> Self:
        """The replacement of the first pair `(condition, replacement)` whose condition is TRUE, else the value.

        Examples
        --------
        >>> size = flights.distance.case_when([(flights.distance < 500, 1), (flights.distance < 1500, 2)])
        >>> size.min()
        1
        """
        if not caselist:
            raise UnsupportedError("case_when() got no pairs.", hint="Give [(condition, value), …].")
        chosen = self
        for pair in reversed(list(caselist)):
            condition, value = pair
            chosen = chosen.mask(condition, value)
        return chosen

    def combine_first(self, other: object) -> Self:
        """The value, or where it is NULL, that of `other`.

        Examples
        --------
        >>> flights.dep_delay.combine_first(flights.arr_delay).name
        'dep_delay'
        """
        return self.fillna(other)

    def map(self, func: Any, na_action: str | None = None, **kwargs: Any) -> Self:
        """What a dictionary gives for each value, or a function, which is called once, with the whole Series.

        Parameters
        ----------
        func
            A dictionary: a value that it does not hold gives NULL, or what its class says (`defaultdict`, `Counter`);
            None or NaN among its keys stands for NULL. Or a function of operators and methods.
        na_action
            'ignore' leaves NULL as it is, whatever the dictionary says.

        Raises
        ------
        UnsupportedError
            The function needs Python values: values stay in the engine.

        Examples
        --------
        >>> flights.month.map({1: "January", 2: "February"}).nunique()
        2
        >>> flights.month.map(lambda x: x * 2).max()
        24
        """
        if not isinstance(func, Mapping):
            made = applied(self, func, (), kwargs, what="map")
            return made if na_action != "ignore" else made.mask(self.isna())
        pairs = cast("Mapping[Any, object]", func)
        default = _default(pairs)
        if not pairs and default is None:
            raise UnsupportedError("map() got an empty dictionary.", hint="Give at least one pair.")
        found = replaced(self.expression, self.kind, pairs, Constant(default), nulls=na_action != "ignore")
        if default is not None and na_action == "ignore":
            found = Case(((IsNull(self.expression), Constant(None)),), found)
        return self._new(found)

    def replace(self, to_replace: Any, value: Any = _UNGIVEN, *, regex: bool = False) -> Self:
        """Values replaced by others, all at once: one by one, a list by a list or by one value, or a dictionary.

        Parameters
        ----------
        to_replace, value
            None stands for NULL, and so does NaN as the new value in a column that is no float. With `regex=True` patterns (RE2's syntax) that are replaced inside texts, in turn.

        Examples
        --------
        >>> flights.origin.replace("JFK", "New York").isin(["JFK"]).any()
        False
        >>> flights.origin.replace({"JFK": "Kennedy", "LGA": "LaGuardia"}).nunique()
        3
        """
        pairs = _pairs(to_replace, value)
        if self.kind not in ("real", "other"):
            pairs = {old: None if _is_nan(new) else new for old, new in pairs.items()}
        if not regex:
            if not pairs:
                return self
            return self._new(replaced(self.expression, self.kind, pairs, self.expression))
        changed = self.expression
        for pattern, instead in pairs.items():
            if not isinstance(pattern, str) or not isinstance(instead, str):
                raise UnsupportedError(
                    f"A pattern is replaced by text, not {pattern!r} by {instead!r}.",
                    hint="Leave regex=True out.",
                )
            changed = Call("regexp_replace", (changed, literal(pattern), literal(instead), literal("g")))
        return self._new(changed)

    def astype(self, dtype: Any) -> Self:
        """The value as another type: a pandas, NumPy, Arrow or Python type, or its name.

        A float to an integer type drops the fraction, as in pandas; text of a fraction is refused. A value that does
        not convert is an error when it runs. Text of a truth value is 'true' or 'false'. `category` keeps the values: the store has dictionaries of its own.

        Examples
        --------
        >>> flights.distance.astype("int64").dtype
        DataType(int64)
        """
        if str(dtype) == "category":
            return self
        type_ = sql_type(dtype)
        whole = type_.endswith("INT") or type_ == "INTEGER"
        own = self.expression
        if whole and self.kind in ("real", "decimal"):
            own = Call("trunc", (own,))
        if whole and self.kind == "text":
            own = _digits(own)
        return self._new(Cast(own, type_))

    def abs(self) -> Self:
        """The magnitude.

        Examples
        --------
        >>> flights.dep_delay.abs().min()
        0
        """
        return self._call("abs")

    def round(self, decimals: int = 0) -> Self:
        """The value rounded to `decimals` places, halves to the even neighbour, as in pandas.

        Examples
        --------
        >>> (flights.distance / 7).round(1).name
        'distance'
        """
        if self.kind in ("int", "bool") and decimals >= 0:
            return self
        return self._call("round", decimals)

    def clip(self, lower: object = None, upper: object = None) -> Self:
        """The value, or the bound it is beyond. NULL and NaN stay.

        Examples
        --------
        >>> flights.dep_delay.clip(0, 60).max()
        60
        """
        result = self
        if lower is not None:
            frame, own, bound = result._pair(lower)
            result = self._new(Call("at_least", (own, bound)), frame)
        if upper is not None:
            frame, own, bound = result._pair(upper)
            function = "at_most_real" if result.kind == "real" else "at_most"
            result = self._new(Call(function, (own, bound)), frame)
        return result


def _digits(text: Expression) -> Expression:
    """The text when it is one whole number; the engine's cast would round '2.5', and takes '1e3' and '0x1F' too."""
    whole = Call("full_match", (text, Constant(r"\s*[+-]?[0-9]+(_[0-9]+)*\s*")))
    refused = Call("concat", (Constant("not a whole number: "), text))
    return Case(((whole, text),), refused)


def _default(pairs: Mapping[Any, object]) -> object:
    """What a dictionary has for a value that is no key of it."""
    if isinstance(pairs, Counter):
        return 0
    if isinstance(pairs, defaultdict):
        return None if pairs.default_factory is None else pairs.default_factory()
    if hasattr(type(pairs), "__missing__"):
        raise UnsupportedError(
            f"What a {type(pairs).__name__} gives for other values is known to Python alone.",
            hint="Give a dict, a defaultdict or a Counter.",
        )
    return None


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value


def _condition(cond: Any, series: Operand) -> Any:
    """A condition as a Series: itself, what a function makes of the values, or a constant."""
    if callable(cond) and not isinstance(cond, Operand):
        cond = cond(series)
    if isinstance(cond, bool):
        return series._new(Constant(cond))
    if not isinstance(cond, Operand):
        raise UnsupportedError(
            f"A condition is a Series of truth values, not a {type(cond).__name__}.",
            hint="Write one with operators: frame.x > 0.",
        )
    return cond


def _pairs(to_replace: Any, value: Any) -> Mapping[Any, object]:
    """What is replaced by what."""
    if isinstance(to_replace, Mapping):
        if value is not _UNGIVEN:
            raise UnsupportedError("replace() got a dictionary and a value.", hint="Give one of them.")
        return to_replace
    if value is _UNGIVEN:
        raise UnsupportedError(
            "replace() got no value.", hint="Write replace(old, new), or replace({old: new})."
        )
    if isinstance(to_replace, list | tuple):
        if isinstance(value, list | tuple):
            if len(value) != len(to_replace):
                raise UnsupportedError(
                    f"replace() got {len(to_replace)} old and {len(value)} new values.",
                    hint="Give as many of both.",
                )
            return dict(zip(to_replace, value, strict=True))
        return dict.fromkeys(to_replace, value)
    return {to_replace: value}
