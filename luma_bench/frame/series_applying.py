"""Functions of a whole Series, and values by their places: `apply`, `transform`, `combine`, `factorize`, `argsort`, `repeat`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import pyarrow as pa

from luma_bench.errors import LumaError, SchemaError, UnsupportedError
from luma_bench.frame.operators import Operand
from luma_bench.frame.order import order_for
from luma_bench.plan.expressions import Call, Case, ColumnRef, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Explode, Limit, Project
from luma_bench.plan.window import Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

_REPEATED = 1_000
_TYPES = (int, float, str, bool, bytes)


class SeriesApplying(Operand):
    """Functions of the whole Series, and places."""

    __slots__ = ()

    def apply(self, func: Any, args: tuple[Any, ...] = (), **kwargs: Any) -> Any:
        """What a function makes of the values: it is called once, with the whole Series.

        Parameters
        ----------
        func
            A function of operators and methods, such as `lambda x: x * 2 + 1`; a NumPy function; a type; a method's
            name; or what `agg` takes.

        Raises
        ------
        UnsupportedError
            The function needs Python values, as in `if value > 3`, or gives no column.

        Examples
        --------
        >>> flights.month.apply(lambda x: x * 2).max()
        24
        >>> flights.distance.apply(np.sqrt).min() > 0
        True
        """
        if isinstance(func, list | Mapping):
            return cast("Series", self).agg(func)
        return applied(self, func, args, kwargs, scalar=isinstance(func, str))

    def transform(self, func: Any, axis: int | str = 0, *args: Any, **kwargs: Any) -> Any:
        """What a function makes of the values, as many as they are; it is called once, with the whole Series.

        Examples
        --------
        >>> flights.month.transform(lambda s: s - s.min()).min()
        0
        """
        if axis not in (0, "index"):
            raise UnsupportedError("A Series has no other axis.", hint="Leave axis= out.")
        return applied(self, func, args, kwargs, what="transform")

    def combine(self, other: object, func: Callable[[Any, Any], Any], fill_value: object = None) -> Self:
        """A function of both sides: a Series of the same rows, or a constant; called once, with whole Series.

        Examples
        --------
        >>> flights.month.combine(flights.day, lambda a, b: a + b).max() <= 43
        True
        """
        left: Any = self
        right: Any = other
        if fill_value is not None:
            left = left.fillna(fill_value)
            right = right.fillna(fill_value) if isinstance(other, Operand) else right
        return applied(left, func, (right,), {}, what="combine")

    def divmod(self, other: object, fill_value: object = None) -> tuple[Self, Self]:
        """`series // other` and `series % other`.

        Examples
        --------
        >>> hours, minutes = flights.air_time.divmod(60)
        >>> minutes.max() < 60
        True
        """
        series: Any = self
        return series.floordiv(other, fill_value=fill_value), series.mod(other, fill_value=fill_value)

    def rdivmod(self, other: object, fill_value: object = None) -> tuple[Self, Self]:
        """`other // series` and `other % series`.

        Examples
        --------
        >>> times, rest = flights.month.rdivmod(100)
        >>> rest.max() < 12
        True
        """
        series: Any = self
        return series.rfloordiv(other, fill_value=fill_value), series.rmod(other, fill_value=fill_value)

    def factorize(self, sort: bool = False, use_na_sentinel: bool = True) -> tuple[Self, pa.Array]:
        """A number for each value, from 0 in the order in which they appear, and the values that the numbers stand for.

        Parameters
        ----------
        sort
            Number the values in ascending order.
        use_na_sentinel
            NULL is -1; else it has a number as any value.

        Returns
        -------
        tuple
            A lazy Series of numbers, and the values as an Arrow array, which runs a query.

        Examples
        --------
        >>> codes, values = flights.origin.factorize(sort=True)
        >>> values.to_pylist()
        ['EWR', 'JFK', 'LGA']
        """
        series = cast("Series", self)
        value = series.expression
        place = Window("row_number", (), (), order_for(series.frame, None, what="factorize"))
        first = value if sort else Window("min", (place,), (value,))
        # NULL is to have no number among those of the values: it comes after all of them.
        missing = Order(IsNull(value)) if use_na_sentinel else None
        keys = (*(() if missing is None else (missing,)), Order(first))
        number = Call("sub", (Window("dense_rank", (), (), keys), Constant(1)))
        code = Case(((IsNull(value), Constant(-1)),), number) if use_na_sentinel else number
        columns = (("value", value), ("code", code))
        found = (
            series.frame.with_plan(Project(series.frame.plan, columns)).drop_duplicates().sort_values("code")
        )
        kept = found[found.code >= 0] if use_na_sentinel else found
        column = kept.to_arrow().column("value")
        uniques = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        return self._new(code), uniques

    def argsort(self, *, ascending: bool = True) -> Series:
        """The places of the values, from 0, in the order of the values; those that tie in their own, NULL last.

        Examples
        --------
        >>> lb.DataFrame({"x": [30, 10, 20]}).x.argsort().to_list()
        [1, 2, 0]
        """
        series = cast("Series", self)
        place = Window("row_number", (), (), order_for(series.frame, None, what="argsort"))
        number = Call("sub", (place, Constant(1)))
        columns = (("value", series.expression), ("place", number))
        frame = series.frame.with_plan(Project(series.frame.plan, columns))
        return frame.sort_values(["value", "place"], ascending=[ascending, True])["place"].rename(series.name)

    def repeat(self, repeats: Any) -> Series:
        """Each value `repeats` times, one behind the other.

        Examples
        --------
        >>> lb.DataFrame({"x": [1, 2]}).x.repeat(2).to_list()
        [1, 1, 2, 2]
        """
        series = cast("Series", self)
        if not isinstance(repeats, int) or not 0 <= repeats <= _REPEATED:
            raise UnsupportedError(
                f"repeat({repeats!r}) is not served.", hint=f"Give one number from 0 to {_REPEATED:,}."
            )
        name = series.name
        frame = series.to_frame()
        if repeats == 0:
            return frame.with_plan(Limit(frame.plan, 0))[name]
        listed = Project(frame.plan, ((name, Call("list", (ColumnRef(name),) * repeats)),))
        return frame.with_plan(Explode(listed, (name,), (series.dtype,)))[name]

    def reset_index(self, *, drop: bool = False, name: str | None = None) -> Any:
        """The Series itself with `drop=True`, else a frame of it: it has no index.

        Examples
        --------
        >>> flights.month.reset_index(drop=True).name
        'month'
        """
        return self if drop else cast("Series", self).to_frame(name)

    def convert_dtypes(self) -> Self:
        """The Series itself: its type holds missing values as it is.

        Examples
        --------
        >>> flights.month.convert_dtypes().name
        'month'
        """
        return self

    infer_objects = convert_dtypes

    @property
    def dtypes(self) -> pa.DataType:
        """The exact Arrow type, as `dtype`.

        Examples
        --------
        >>> flights.origin.dtypes == flights.origin.dtype
        True
        """
        return cast("Series", self).dtype

    @property
    def axes(self) -> list[range]:
        """The row numbers; counts the rows.

        Examples
        --------
        >>> lb.DataFrame({"x": [1, 2]}).x.axes
        [range(0, 2)]
        """
        return [range(len(cast("Series", self)))]

    @property
    def T(self) -> Self:  # noqa: N802 (pandas' name)
        """The Series itself.

        Examples
        --------
        >>> flights.month.T.name
        'month'
        """
        return self

    def transpose(self) -> Self:
        """The Series itself.

        Examples
        --------
        >>> flights.month.transpose().name
        'month'
        """
        return self

    @property
    def iat(self) -> Any:
        """One value by its place: `iat[0]`.

        Examples
        --------
        >>> flights.month.iat[0] == flights.month.iloc[0]
        True
        """
        return cast("Series", self).iloc


def applied(
    series: Any,
    func: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    what: Literal["apply", "map", "transform", "combine"] = "apply",
    scalar: bool = False,
) -> Any:
    """What a function makes of a whole Series: a Series, or with `scalar` a value.

    Raises
    ------
    UnsupportedError
        The function needs Python values, or gives no Series.
    """
    if isinstance(func, str):
        made = getattr(series, func)(*args, **kwargs)
    elif func in _TYPES:
        made = series.astype(func)
    elif isinstance(func, np.ufunc):
        made = func(series, *args, **kwargs)
    elif getattr(func, "__module__", None) in ("numpy", "builtins") and scalar and not args:
        made = series.agg(func)
    elif callable(func):
        made = _called(series, func, args, kwargs, what)
    else:
        raise UnsupportedError(f"{what}() takes a function, not {func!r}.", hint="Or a method's name.")
    if isinstance(made, Operand):
        return made.rename(series.name) if made.name != series.name else made  # pyright: ignore[reportAttributeAccessIssue]
    if not scalar:
        raise UnsupportedError(
            f"{what}() calls the function once, with the whole Series, and it gave a {type(made).__name__}.",
            hint="Give an expression of the Series; for values one by one use frame.map_batches(…), "
            "or .to_pandas().",
        )
    return made


def _called(series: Any, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], what: str) -> Any:
    way = (
        "Write it with operators, .where(…) and methods (text: .str), or use frame.map_batches(…) for Python."
    )
    try:
        made = func(series, *args, **kwargs)
    except SchemaError:
        raise
    except LumaError as error:
        raise UnsupportedError(
            f"{what}() calls the function once, with the whole Series: {error.message}", hint=way
        ) from error
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"{what}() calls the function once, with the whole Series, and it failed: {error}", hint=way
        ) from error
    if made is series:
        raise UnsupportedError(
            f"{what}() calls the function once, with the whole Series, and it gave the Series as it is.",
            hint="A test of one value, such as `x is None`, does not see the values: use isna() and where(…).",
        )
    return made
