"""What is in the columns of a whole frame: types, missing values, operators over all columns at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from luma_bench.errors import UnsupportedError
from luma_bench.frame.merge import as_names
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.windows_over import is_null
from luma_bench.plan.condition import condition
from luma_bench.plan.expressions import Call, Cast, ColumnRef, Expression, IsNull, SqlCondition, all_of
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.kinds import kind_of_value
from luma_bench.plan.nodes import Filter
from luma_bench.plan.walk import kinds_of


class Cleaning(Selecting):
    """Types and missing values."""

    __slots__ = ()

    def astype(self, dtype: Any) -> Self:
        """Columns as other types: a dictionary of column to type, or one type for all.

        Examples
        --------
        >>> flights[["month"]].astype({"month": "float64"}).dtypes["month"]
        DataType(double)
        """
        types = dtype if isinstance(dtype, Mapping) else dict.fromkeys(self._plan.names, dtype)
        return self._each({name: self[name].astype(type_) for name, type_ in types.items()})

    def fillna(self, value: object) -> Self:
        """NULLs replaced: a dictionary of column to value, or one value for every column of its kind, and for those without any value.

        Examples
        --------
        >>> flights.fillna({"dep_delay": 0}).dep_delay.isna().any()
        False
        """
        if isinstance(value, Mapping):
            return self._each({name: self[name].fillna(item) for name, item in value.items()})
        numbers = {"int", "real", "decimal"}
        kind = kind_of_value(value)
        fits = numbers if kind in numbers else {kind}
        kinds = kinds_of(self._plan)
        chosen = [
            name
            for name in self._plan.names
            if kinds[name] in fits or (kinds[name] == "other" and is_null(self._plan, ColumnRef(name)))
        ]
        return self._each({name: self[name].fillna(value) for name in chosen})

    def dropna(
        self,
        *,
        axis: str | int = 0,
        how: Literal["any", "all"] | None = None,
        thresh: int | None = None,
        subset: str | Sequence[str] | None = None,
    ) -> Self:
        """Without rows where any (or all) of the columns are NULL, or where fewer than `thresh` are not.

        Examples
        --------
        >>> flights.dropna(subset=["dep_delay"]).dep_delay.isna().any()
        False
        """
        names = self._plan.names if subset is None else as_names(subset)
        if axis not in (0, "index"):
            raise UnsupportedError(
                "dropna() leaves out rows.", hint="Columns: frame[names], after frame.count()."
            )
        if how not in (None, "any", "all") or (how is not None and thresh is not None):
            raise UnsupportedError(
                f"how={how!r} with thresh={thresh!r} is not known.", hint="Give 'any' or 'all', or thresh."
            )
        for name in names:
            self.check_column(name)
        tests: list[Expression] = [IsNull(ColumnRef(name), negated=True) for name in names]
        if thresh is not None:
            counted: list[Expression] = [Cast(test, "INTEGER") for test in tests]
            total = counted[0]
            for one in counted[1:]:
                total = Call("add", (total, one))
            return self.with_plan(Filter(self._plan, Call("ge", (total, Constant(thresh)))))
        return self.with_plan(Filter(self._plan, all_of(tests) if how != "all" else Call("or", tuple(tests))))

    def eval(self, expr: str, params: Mapping[str, object] | None = None) -> Any:
        """A Series of an expression that is written as KadeQL text; with `name = …` a frame with that column.

        Examples
        --------
        >>> flights.eval("gained = dep_delay - arr_delay").columns[-1]
        'gained'
        >>> flights.eval("distance * 2 > $far", {"far": 1000}).any()
        True
        """
        assigned = re.match(r"\s*([A-Za-z_]\w*)\s*=(?!=)(.*)", expr, re.DOTALL)
        name, text = (assigned[1], assigned[2]) if assigned else ("eval", expr)
        written = condition(text, self._plan.names, params)
        taken = {known.casefold() for known in self._plan.names}
        number = 1
        while not assigned and name in taken:
            name, number = f"eval_{number}", number + 1
        made = self._with_columns({name: SqlCondition(written.text, written.columns, "other")})
        return made if assigned else made[name]
