"""The order of rows, and rows by their place in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, Self

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.merge import as_names
from luma_bench.frame.order import has_origin, order_for, row_order
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.windows_over import Keep, one_of, whole_number
from luma_bench.plan.expressions import Call, ColumnRef, Expression, IsIn
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Filter, Join, JoinColumn, Limit, Node, Project, Relation, Sort, SortKey
from luma_bench.plan.walk import order_of
from luma_bench.plan.window import Order, Origin, Window

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

_ALL = (1 << 63) - 1


class Ordering(Selecting):
    """Sorting, and rows by their place."""

    __slots__ = ()

    def sort_values(
        self,
        by: str | Sequence[str],
        *,
        ascending: bool | Sequence[bool] = True,
        na_position: Literal["first", "last"] = "last",
        kind: str | None = None,
        key: Callable[[Series], Series] | None = None,
    ) -> Self:
        """The rows in the order of columns; NaN is above every number.

        Parameters
        ----------
        by
            A column, or several, the first one counting most.
        ascending
            One for all columns, or one for each.
        na_position
            Where NULL stands, whatever the direction.
        kind
            'stable' (or 'mergesort') keeps rows that tie in the order they were in; else these are in no order.
        key
            A function of each column, such as `lambda s: s.str.lower()`: rows go by what it gives.

        Raises
        ------
        SchemaError
            A column does not exist.
        UnsupportedError
            `kind='stable'`, and the rows were in no order.

        Examples
        --------
        >>> flights.sort_values("distance", ascending=False).distance.head(2).to_list()
        [4983, 4983]
        >>> lb.from_arrow(pa.table({"x": ["b", "A"]})).sort_values("x", key=lambda s: s.str.lower()).x.to_list()
        ['A', 'b']
        """
        if not isinstance(by, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UnsupportedError(
                f"sort_values(by={by!r}) names no column.", hint="Give by=, a name or a list of names."
            )
        names = as_names(by)
        directions = [ascending] * len(names) if isinstance(ascending, bool) else list(ascending)
        if len(directions) != len(names):
            raise UnsupportedError(
                f"ascending has {len(directions)} values for {len(names)} columns.",
                hint="Give one, or one for each.",
            )
        one_of("na_position", na_position, ("first", "last"))
        one_of("kind", kind, (None, "quicksort", "mergesort", "heapsort", "stable"))
        for name in names:
            self.check_column(name)
        last = na_position == "last"
        stable = kind in ("stable", "mergesort")
        if key is None and not stable:
            return self.order_by(
                *(SortKey(name, not up, last) for name, up in zip(names, directions, strict=True))
            )
        made = [ColumnRef(name) if key is None else self._value(key(self[name])) for name in names]
        keys = tuple(Order(part, not up, last) for part, up in zip(made, directions, strict=True))
        more = order_for(self, what="sort_values(kind='stable')") if stable else ()
        return self._in_order((*keys, *more))

    def order_by(self, *keys: SortKey) -> Self:
        """The rows in the order of keys."""
        return self.with_plan(Sort(self._plan, keys))

    def head(self, n: int = 5) -> Self:
        """The first `n` rows in the frame's order; with a negative `n`, all but the last ones.

        Examples
        --------
        >>> len(flights.head(3))
        3
        """
        whole_number("n", n)
        return self.with_plan(Limit(self._plan, n)) if n >= 0 else self.rows_from(0, n)

    def tail(self, n: int = 5) -> Self:
        """The last `n` rows in the frame's order; with a negative `n`, all but the first ones.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> len(flights.sort_values("distance").tail(3))
        3
        """
        whole_number("n", n)
        if n < 0:
            return self.rows_from(-n, None)
        keys = order_of(self._plan)
        if keys:
            back = Limit(Sort(self._plan, tuple(key.reversed for key in keys)), n)
            return self.with_plan(Sort(back, keys))
        rows = self._known_rows()
        if rows is not None:
            return self.with_plan(Limit(self._plan, n, max(0, rows - n)))
        order = row_order(self._plan)
        if order is None:
            raise UnsupportedError(
                "This frame has no known order, so it has no last rows.",
                hint="Sort it first: sort_values(…).tail(n).",
            )
        return self._in_order(order, lambda node, keys: _last(node, keys, n))

    def rows_from(self, start: int, stop: int | None, step: int = 1) -> Self:
        """The rows from one place in the frame's order to before another, every `step`-th: what `iloc[start:stop:step]` gives.

        Negative places count from the end, as in Python.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> len(flights.rows_from(10, 20))
        10
        """
        rows = self._known_rows()
        if rows is not None:
            start, stop, _ = slice(start, stop).indices(rows)
        simple = step == 1 and start >= 0 and (stop is None or stop >= 0)
        if start or not simple:
            order_for(self, what="rows by place")
        if simple:
            return self.with_plan(Limit(self._plan, _ALL if stop is None else max(0, stop - start), start))
        if step < 1:
            raise UnsupportedError(
                f"Every {step}-th row is not known.", hint="Sort the other way round: sort_values(…)."
            )
        place, total = self._place(), Window("size")
        first = Constant(start) if start >= 0 else Call("add", (total, Constant(start)))
        tests: list[Expression] = [Call("ge", (place, first))]
        if stop is not None:
            end = Constant(stop) if stop >= 0 else Call("add", (total, Constant(stop)))
            tests.append(Call("lt", (place, end)))
        if step > 1:
            least = first if start >= 0 else Call("at_least", (first, Constant(0)))
            tests.append(
                Call("eq", (Call("mod", (Call("sub", (place, least)), Constant(step))), Constant(0)))
            )
        return self.with_plan(Filter(self._plan, Call("and", tuple(tests))))

    def take(self, indices: Sequence[int]) -> Self:
        """The rows at these places in the frame's order, as often and in the order that they are given in.

        Negative places count from the end. A place that no row has gives none.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.sort_values("flight_id").take([2, 0]).flight_id.to_list()[1] == flights.flight_id.min()
        True
        """
        places = [int(place) for place in indices]
        order_for(self, what="rows by place")
        rows = self._known_rows()
        if rows is not None:
            wrong = [place for place in places if not -rows <= place < rows]
            if wrong:
                raise SchemaError(
                    f"There is no row at {wrong[0]}; the frame has {rows}.", hint="Count from 0."
                )
            places = [place % rows for place in places]
        place: Expression = self._place()
        if places and max(places) < 0:
            place = Call("sub", (place, Window("size")))
        elif any(one < 0 for one in places):
            raise UnsupportedError(
                "Places from the start and from the end stand in one list, and the number of rows is not known yet.",
                hint="Take them apart, or count first: n = len(frame).",
            )
        if all(a < b for a, b in itertools.pairwise(places)):
            wanted = IsIn(place, tuple(Constant(one) for one in places))
            return self.with_plan(Filter(self._plan, wanted))
        return self._picked(place, places)

    def _picked(self, place: Expression, places: list[int]) -> Self:
        names = self._plan.names
        own, wanted, at = (self._fresh(stem) for stem in ("_place", "_wanted", "_at"))
        placed = Project(self._plan, (*((name, ColumnRef(name)) for name in names), (own, place)))
        chosen = Relation(
            pa.table({wanted: pa.array(places, pa.int64()), at: pa.array(range(len(places)), pa.int64())})
        )
        columns = (JoinColumn(at, at, None), *(JoinColumn(name, None, name) for name in names))
        joined = Join(chosen, placed, "inner", ((wanted, own),), columns)
        kept = tuple((name, ColumnRef(name)) for name in names)
        return self.with_plan(Project(Sort(joined, (SortKey(at),)), kept))

    def nlargest(self, n: int, columns: str | Sequence[str], keep: Keep = "first") -> Self:
        """The `n` rows with the largest values, largest first.

        Parameters
        ----------
        n
            How many.
        columns
            The column, or several, the first one counting most.
        keep
            Of rows that tie at the end, the 'first' or 'last' ones in the frame's order (any, where that is not known), or 'all'.

        Examples
        --------
        >>> flights.nlargest(2, "distance").distance.to_list()
        [4983, 4983]
        """
        return self._extreme(n, columns, keep, descending=True)

    def nsmallest(self, n: int, columns: str | Sequence[str], keep: Keep = "first") -> Self:
        """The `n` rows with the smallest values, smallest first; see `nlargest`.

        Examples
        --------
        >>> len(flights.nsmallest(2, "distance"))
        2
        """
        return self._extreme(n, columns, keep, descending=False)

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        weights: None = None,
        random_state: int | None = None,
    ) -> Self:
        """Some rows by chance, in an order by chance, each at most once.

        With `random_state` the same rows come of the same snapshot: which ones is decided by a hash of the seed and the row id.

        Parameters
        ----------
        n
            How many; 1 by default.
        frac
            Or which share of the rows.
        random_state
            The seed; without one, each call draws its own.

        Raises
        ------
        UnsupportedError
            With `replace` or `weights`: a row is drawn once, each as likely as any other.

        Examples
        --------
        >>> len(flights.sample(100, random_state=1))
        100
        """
        if replace or weights is not None:
            raise UnsupportedError(
                f"sample({'replace' if replace else 'weights'}=…) is not known: rows are drawn once, and all alike.",
                hint="Draw with .to_pandas().sample(…).",
            )
        if (n is None) == (frac is None) and n is not None:
            raise UnsupportedError("sample() got n and frac.", hint="Give one of them.")
        if (n or 0) < 0 or not 0 <= (frac or 0) <= 1:
            raise UnsupportedError(
                f"sample(n={n}, frac={frac}) is no part of the rows.",
                hint="Give n of at least 0, or frac from 0 to 1.",
            )
        chance = Order(self._chance(_seed() if random_state is None else random_state))
        order = (chance, Order(Origin())) if has_origin(self._plan) else (chance,)
        rows = self._known_rows()
        if frac is not None and rows is None:
            share = Call("round", (Call("mul", (Window("size"), Constant(float(frac)))), Constant(0)))
            place = Window("row_number", order=order)
            return self.with_plan(Filter(self._plan, Call("le", (place, share))))._in_order(order)
        count = (1 if n is None else n) if frac is None else round(frac * (rows or 0))
        return self._in_order(order, lambda node, keys: Limit(Sort(node, keys), count))

    def _chance(self, seed: int) -> Expression:
        whole = has_origin(self._plan)
        parts = (Origin(),) if whole else tuple(ColumnRef(name) for name in self._plan.names)
        # Hashed twice: of one hash, the seed would only flip the same bits in every row.
        return Call("hash", (Call("hash", (*parts, Constant(seed))),))

    def _extreme(self, n: int, columns: str | Sequence[str], keep: Keep, *, descending: bool) -> Self:
        one_of("keep", keep, ("first", "last", "all"))
        names = as_names(columns)
        for name in names:
            self.check_column(name)
        n = max(n, 0)
        keys = tuple(Order(ColumnRef(name), descending) for name in names)
        if keep == "all":
            near = Call("le", (Window("rank", order=keys), Constant(n)))
            return self.with_plan(Filter(self._plan, near))._in_order((*keys, *(row_order(self._plan) or ())))
        ties = row_order(self._plan) or ()
        if keep == "last":
            ties = tuple(key.reversed for key in order_for(self, what="keep='last'"))
        return self._in_order((*keys, *ties), lambda node, by: Limit(Sort(node, by), n))

    def _place(self) -> Expression:
        order = order_for(self, what="rows by place")
        return Call("sub", (Window("row_number", order=order), Constant(1)))

    def _in_order(
        self,
        order: tuple[Order, ...],
        then: Callable[[Node, tuple[SortKey, ...]], Node] = Sort,
    ) -> Self:
        """The rows in an order of expressions, or what `then` makes of them and the keys."""
        extra: dict[str, Expression] = {}
        keys: list[SortKey] = []
        for number, one in enumerate(order, 1):
            name = one.key.name if isinstance(one.key, ColumnRef) else self._fresh(f"_key{number}")
            if not isinstance(one.key, ColumnRef):
                extra[name] = one.key
            keys.append(SortKey(name, one.descending, one.nulls_last))
        own = tuple((name, ColumnRef(name)) for name in self._plan.names)
        below = Project(self._plan, (*own, *extra.items())) if extra else self._plan
        made = then(below, tuple(keys))
        return self.with_plan(Project(made, own) if extra else made)

    def _fresh(self, stem: str) -> str:
        taken = {name.casefold() for name in self._plan.names}
        return next(
            name for number in range(len(taken) + 1) if (name := f"{stem}{number or ''}") not in taken
        )


def _last(node: Node, keys: tuple[SortKey, ...], count: int) -> Node:
    return Sort(Limit(Sort(node, tuple(key.reversed for key in keys)), count), keys)


def _seed() -> int:
    import secrets

    return secrets.randbits(62)
