"""The values of a column in order, and some of them by their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Self, cast

from luma_bench.frame.operators import Operand
from luma_bench.frame.windows_over import Keep

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


class Places(Operand):
    """Sorting, and values by their place in the frame's order. What comes out has rows of its own."""

    __slots__ = ()

    def sort_values(
        self,
        *,
        ascending: bool = True,
        na_position: Literal["first", "last"] = "last",
        kind: str | None = None,
        key: Callable[[Series], Series] | None = None,
    ) -> Self:
        """The values in ascending order, NULL last; the parameters are those of `DataFrame.sort_values`.

        Examples
        --------
        >>> flights.distance.sort_values(ascending=False).head(1).to_list()
        [4983]
        """
        return self._rows(
            lambda frame: frame.sort_values(
                self.name, ascending=ascending, na_position=na_position, kind=kind, key=key
            )
        )

    def tail(self, n: int = 5) -> Self:
        """The last `n` values in the frame's order; with a negative `n`, all but the first ones.

        Examples
        --------
        >>> len(flights.distance.tail(3).to_list())
        3
        """
        return self._rows(lambda frame: frame.tail(n))

    def take(self, indices: Sequence[int]) -> Self:
        """The values at these places in the frame's order; see `DataFrame.take`.

        Examples
        --------
        >>> len(flights.distance.take([0, 2, 4]).to_list())
        3
        """
        return self._rows(lambda frame: frame.take(indices))

    def nlargest(self, n: int = 5, keep: Keep = "first") -> Self:
        """The `n` largest values, largest first; `keep` says which stay of those that tie, as in `DataFrame.nlargest`.

        Examples
        --------
        >>> flights.distance.nlargest(2).to_list()
        [4983, 4983]
        """
        return self._rows(lambda frame: frame.nlargest(n, self.name, keep))

    def nsmallest(self, n: int = 5, keep: Keep = "first") -> Self:
        """The `n` smallest values, smallest first; see `nlargest`.

        Examples
        --------
        >>> len(flights.distance.nsmallest(2).to_list())
        2
        """
        return self._rows(lambda frame: frame.nsmallest(n, self.name, keep))

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        weights: None = None,
        random_state: int | None = None,
    ) -> Self:
        """Some values by chance, in an order by chance; see `DataFrame.sample`.

        Examples
        --------
        >>> len(flights.distance.sample(10, random_state=1).to_list())
        10
        """
        return self._rows(lambda frame: frame.sample(n, frac, replace, weights, random_state))

    def _rows(self, change: Callable[[DataFrame], DataFrame]) -> Self:
        columns = cast("Series", self).to_frame()
        return cast("Self", change(columns)[self.name])
