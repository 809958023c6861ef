"""Frames of data: `lb.DataFrame({…})`, `from_dict`, `from_records`, `from_arrow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.data import arrow_of
from luma_bench.frame.loose import Loose
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Node, Project, Relation

_NO_INDEX = "Keep its values in a column; name columns with columns=[…]."


class Constructing(Frame):
    """How a frame is made of data in memory; one of a stored table comes from `bench.table(name)`."""

    __slots__ = ()

    @checking_keywords
    def __init__(
        self,
        data: Any = None,
        plan: Node | None = None,
        columns: Sequence[str] | None = None,
        dtype: Any = None,
    ) -> None:
        if plan is not None:
            if not isinstance(plan, Node):  # pyright: ignore[reportUnnecessaryIsInstance]  # pandas' second is the index
                raise UnsupportedError("A frame has no index.", hint=_NO_INDEX)
            super().__init__(data, plan)
            return
        if isinstance(data, Frame):
            super().__init__(data.executor, _picked(data, columns))
        else:
            super().__init__(Loose.executor(), Relation(arrow_of(data, columns=columns, index=True)))
        if dtype is not None:
            self._plan = _cast(self, dtype)

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        orient: str = "columns",
        dtype: Any = None,
        columns: Sequence[str] | None = None,
    ) -> Self:
        """A frame of a dict of columns, which belongs to no bench and meets frames of any.

        Parameters
        ----------
        orient
            'columns', or 'index': the dict's values are rows, under the names in `columns`; its keys are left out.
        dtype
            A type for all columns, or a dict of types by column.

        Raises
        ------
        SchemaError
            The columns differ in length, or one mixes types.

        Examples
        --------
        >>> lb.DataFrame.from_dict({"x": [1, 2]}).x.sum()
        3
        """
        if orient == "columns":
            return cls(data, columns=columns, dtype=dtype)
        if orient != "index":
            raise UnsupportedError(
                f"from_dict(orient={orient!r}) is not known.", hint="It is 'columns' or 'index'."
            )
        return cls(list(data.values()), columns=columns, dtype=dtype)

    @classmethod
    def from_records(
        cls, data: Any, *, exclude: Sequence[str] | None = None, columns: Sequence[str] | None = None
    ) -> Self:
        """A frame of rows: dicts, tuples under the names in `columns`, or a NumPy array with named fields.

        Raises
        ------
        SchemaError
            The rows differ in length, or a column mixes types.

        Examples
        --------
        >>> lb.DataFrame.from_records([(1, "a"), (2, "b")], columns=["n", "t"]).t.to_list()
        ['a', 'b']
        """
        frame = cls(data, columns=columns)
        return (
            frame
            if not exclude
            else cls(frame, columns=[name for name in frame.columns if name not in exclude])
        )

    @classmethod
    def from_arrow(cls, data: Any) -> Self:
        """A frame of Arrow data, or of anything with `__arrow_c_stream__`; nothing is copied.

        Examples
        --------
        >>> lb.DataFrame.from_arrow(pa.table({"x": [1, 2]})).shape
        (2, 1)
        """
        return cls(data)


def _picked(frame: Frame, columns: Sequence[str] | None) -> Node:
    if columns is None:
        return frame.plan
    for name in columns:
        frame.check_column(name)
    return Project(frame.plan, tuple((name, ColumnRef(name)) for name in columns))


def _cast(frame: Any, dtype: Any) -> Node:
    types = dtype if isinstance(dtype, Mapping) else dict.fromkeys(frame.columns, dtype)
    return frame.astype(types).plan
