"""Rows chosen group by group: the first ones, the n-th, a sample, whole groups; and groups one at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Self, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.expr import is_missing, literal
from luma_bench.frame.groupby_core import Groups
from luma_bench.frame.groupby_measures import present
from luma_bench.frame.groupby_plan import check_of_group, one_row_each
from luma_bench.frame.order import has_origin
from luma_bench.plan.expressions import Call, Case, ColumnRef, Expression, IsNull, Literal, all_of
from luma_bench.plan.nodes import Filter, Project
from luma_bench.plan.window import Order, Origin, Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

By = str | Sequence[str] | None


class Choosing[R](Groups):
    """Rows of the frame, as they are and in its order, chosen inside each group."""

    __slots__ = ()

    def _taken(self, frame: DataFrame) -> R:
        """What of a frame's rows these are groups of: the frame, or a column."""
        raise NotImplementedError

    def _place(self, by: By, what: str, *, back: bool = False) -> Window:
        """The number of a row in its group, from 1; from its end with `back`."""
        order = self._scope.order(what, by)
        keys = tuple(key.reversed for key in order) if back else order
        return Window("row_number", (), self._keys.expressions, keys)

    def _where(self, condition: Expression) -> R:
        tests = present(self._keys.expressions) if self._keys.dropna else []
        kept = all_of([*tests, condition]) if tests else condition
        return self._taken(self._frame.with_plan(Filter(self._frame.plan, kept)))

    def head(self, n: int = 5, *, by: By = None) -> R:
        """The first `n` rows of each group; with a negative `n`, all but the last ones.

        Parameters
        ----------
        by
            Columns to go by; by default the order of the frame.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> len(flights.sort_values("dep_delay", ascending=False).groupby("origin").head(2))
        6
        """
        if n < 0:
            return self._where(Call("gt", (self._place(by, "head", back=True), Literal(-n))))
        return self._where(Call("le", (self._place(by, "head"), Literal(n))))

    def tail(self, n: int = 5, *, by: By = None) -> R:
        """The last `n` rows of each group; with a negative `n`, all but the first ones.

        Examples
        --------
        >>> len(flights.groupby("origin").tail(2))
        6
        """
        if n < 0:
            return self._where(Call("gt", (self._place(by, "tail"), Literal(-n))))
        return self._where(Call("le", (self._place(by, "tail", back=True), Literal(n))))

    def nth(self, n: int | slice | Sequence[int | slice], dropna: str | None = None, *, by: By = None) -> R:
        """The rows at a place of each group, from 0; from the end when negative.

        Parameters
        ----------
        n
            A place, a slice of places, or a list of both.
        dropna
            'any' or 'all': count no rows where any (all) of the columns are NULL.
        by
            Columns to go by; by default the order of the frame.

        Examples
        --------
        >>> len(flights.groupby("origin").nth([0, -1]))
        6
        >>> len(flights.groupby("origin").nth(slice(1, 3)))
        6
        """
        if dropna not in (None, "any", "all"):
            raise UnsupportedError(f"dropna={dropna!r} is not known.", hint="It is 'any' or 'all'.")
        if dropna is not None:
            # As in pandas, a frame's keys are columns like others here.
            columns = self._chosen or tuple((name, ColumnRef(name)) for name in self._frame.plan.names)
            tests = [IsNull(value, negated=True) for _, value in columns]
            kept = all_of(tests) if dropna == "any" else _any_of(tests)
            fewer = self._frame.with_plan(Filter(self._frame.plan, kept))
            return type(self)(fewer, self._keys, self._chosen).nth(n, by=by)
        places = cast("Sequence[int | slice]", [n] if isinstance(n, int | slice) else list(n))
        front, back = self._place(by, "nth"), self._place(by, "nth", back=True)
        tests = [
            _at_slice(place, front, back) if isinstance(place, slice) else _at(place, front, back)
            for place in places
        ]
        return self._where(_any_of(tests) if tests else Literal(False))

    def take(self, indices: Sequence[int], *, by: By = None) -> R:
        """The rows at these places of each group, in the frame's order.

        Examples
        --------
        >>> len(flights.groupby("origin").take([0, 2]))
        6
        """
        return self.nth(list(indices), by=by)

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        weights: None = None,
        random_state: int | None = None,
    ) -> R:
        """Some rows of each group, by chance: `n` of them or the share `frac`.

        Parameters
        ----------
        random_state
            A seed: the same rows each time, from the same stored rows.

        Raises
        ------
        UnsupportedError
            The rows come from no stored rows, or `replace` or `weights` is given.

        Examples
        --------
        >>> len(flights.groupby("origin").sample(2, random_state=1))
        6
        """
        if replace or weights is not None:
            raise UnsupportedError(
                "sample() of groups draws each row at most once, all with the same chance.",
                hint="Leave out replace= and weights=.",
            )
        if n is not None and frac is not None:
            raise UnsupportedError("sample() got n= beside frac=.", hint="Give one of them.")
        if not has_origin(self._frame.plan):
            raise UnsupportedError(
                "These rows have no ids to draw by: they come from a join, a grouping or a view.",
                hint="Sample before that, or keep the rows first: frame.persist(…).",
            )
        seed = random.getrandbits(62) if random_state is None else random_state
        drawn = Call("hash", (Origin(), Literal(seed)))
        place = Window("row_number", (), self._keys.expressions, (Order(drawn), Order(Origin())))
        count: Expression = Literal(1 if n is None else n)
        if frac is not None:
            count = Call(
                "round", (Call("mul", (self._scope.window("size"), Literal(float(frac)))), Literal(0))
            )
        return self._where(Call("le", (place, count)))

    def filter(self, func: Callable[..., Any], dropna: bool = True) -> R:
        """The rows of the groups for which a function of the group is TRUE.

        It is called once, with a frame (for groups of a column, a column) that stands for every group: its reductions
        and `len()` are of the group, and what it does with them becomes part of the query.

        Parameters
        ----------
        func
            Such as `lambda g: g.delay.mean() > 10` or `lambda g: len(g) >= 100`; conditions are joined by `&` and `|`.
        dropna
            With False, all rows stay, and those of other groups hold NULL in every column.

        Raises
        ------
        UnsupportedError
            The function gives no condition, or one for each row.

        Examples
        --------
        >>> len(flights.groupby("dest").filter(lambda g: len(g) >= 100)) < len(flights)
        True
        >>> len(flights.groupby("carrier").filter(lambda g: g.dep_delay.mean() > 10)) < len(flights)
        True
        """
        from luma_bench.frame.groupby_stand_in import asked_of_group

        condition = asked_of_group(func, self._scope, self._subject)
        check_of_group(condition, self._scope.partition, "filter")
        # A condition of one value a group can be written as a measure of it; another is refused here.
        one_row_each(self._frame.plan, self._keys, [("filter", condition)])
        if dropna:
            return self._where(condition)
        whole = tuple(
            (name, Case(((condition, ColumnRef(name)),), Literal(None))) for name in self._frame.plan.names
        )
        return self._taken(self._frame.with_plan(Project(self._frame.plan, whole)))

    @property
    def _subject(self) -> tuple[str, Expression] | None:
        """The column that a function of the group gets; None for the frame."""
        return None

    # One group at a time

    def get_group(self, name: Any) -> R:
        """The rows of one group: a value of the key, or a tuple of them for a list of keys.

        Examples
        --------
        >>> flights.groupby("origin").get_group("JFK").columns == flights.columns
        True
        """
        values = cast("tuple[object, ...]", name) if isinstance(name, tuple) else (name,)
        keys = self._keys.expressions
        if len(values) != len(keys):
            raise UnsupportedError(
                f"A group has {len(keys)} keys, and {name!r} has {len(values)}.",
                hint=f"Give a tuple of {', '.join(self._keys.names)}.",
            )
        tests = [
            IsNull(key) if is_missing(value) else Call("eq", (key, literal(value)))
            for key, value in zip(keys, values, strict=True)
        ]
        return self._taken(self._frame.with_plan(Filter(self._frame.plan, all_of(tests))))

    def _key_rows(self) -> DataFrame:
        return self._frame.with_plan(one_row_each(self._frame.plan, self._keys, ()))

    def __iter__(self) -> Iterator[tuple[Any, R]]:
        """Each group's key and lazy rows; one query gives the keys."""
        for row in zip(*(column.to_pylist() for column in self._key_rows().to_arrow().columns), strict=True):
            yield (row[0] if self._keys.single else row), self.get_group(row)

    def __len__(self) -> int:
        return len(self._key_rows())

    @property
    def ngroups(self) -> int:
        """The number of groups; runs a query.

        Examples
        --------
        >>> flights.groupby("origin").ngroups
        3
        """
        return len(self)

    def pipe[**P, T](self, func: Callable[Concatenate[Self, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`func(groups, …)`, for chains.

        Examples
        --------
        >>> flights.groupby("origin").pipe(lambda g: g.dep_delay.max()).columns
        ['origin', 'dep_delay']
        """
        return func(self, *args, **kwargs)


def _at(place: int, front: Window, back: Window) -> Expression:
    if place >= 0:
        return Call("eq", (front, Literal(place + 1)))
    return Call("eq", (back, Literal(-place)))


def _at_slice(places: slice, front: Window, back: Window) -> Expression:
    if places.step is not None and places.step <= 0:
        raise UnsupportedError("nth() takes no slice backwards.", hint="Give a positive step.")
    tests: list[Expression] = []
    start, stop, step = places.start, places.stop, places.step
    if start is not None and start != 0:
        tests.append(
            Call("gt", (front, Literal(start))) if start > 0 else Call("le", (back, Literal(-start)))
        )
    if stop is not None:
        tests.append(Call("le", (front, Literal(stop))) if stop >= 0 else Call("gt", (back, Literal(-stop))))
    if step is not None and step > 1:
        if start is not None and start < 0:
            raise UnsupportedError(
                "nth() takes no step from a place counted from the end.", hint="Give a list of places."
            )
        offset = Call("sub", (front, Literal(1 + (start or 0))))
        tests.append(Call("eq", (Call("mod", (offset, Literal(step))), Literal(0))))
    return all_of(tests) if tests else Literal(True)


def _any_of(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Call("or", tuple(parts))
