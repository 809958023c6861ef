"""Python's operators on Series, and how two Series come to stand over one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from luma_bench.errors import UnsupportedError
from luma_bench.frame.expr import binary, common, is_missing, literal, rebased
from luma_bench.frame.unchanging import Unchanging, checking_keywords
from luma_bench.plan.expressions import Call, Expression
from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of, kind_of_value
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Operand(Unchanging):
    """Arithmetic, comparison and logic; each gives a new lazy Series, with SQL's NULL rules."""

    __slots__ = ("_frame", "_kind", "expression", "name")
    expression: Expression
    name: str
    __hash__ = None  # pyright: ignore[reportAssignmentType]  # == builds an expression

    @checking_keywords
    def __init__(
        self, frame: DataFrame, expression: Expression | None = None, name: str = "", kind: Kind | None = None
    ) -> None:
        if expression is None:
            raise UnsupportedError(
                "A Series is a column of a frame, and is not made of values by itself.",
                hint='Write lb.DataFrame({"x": […]}).x.',
            )
        self._frame = frame
        self._kind: Kind | None = kind
        # Set once: a Series does not change.
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "name", name)

    @property
    def frame(self) -> DataFrame:
        """The frame whose rows it has.

        Examples
        --------
        >>> flights.origin.frame is flights
        True
        """
        return self._frame

    @property
    def kind(self) -> Kind:
        """What operators know of its type, without asking an engine."""
        if self._kind is None:
            self._kind = kind_of(self.expression, kinds_of(self._frame.plan))
        return self._kind

    def over(self, frame: DataFrame) -> Expression:
        """Its expression over the columns of `frame`.

        Raises
        ------
        UnsupportedError
            `frame` has other rows: it was not made from this Series' frame by filters, sorts and assignments.
        """
        frame.check_same_bench(self._frame)
        moved = rebased(self.expression, self._frame.plan, frame.plan)
        if moved is None:
            raise UnsupportedError(
                f"The Series {self.name!r} belongs to other rows than those of the frame it is used with.",
                hint="Take both from one frame; a shift, rank or running value is assigned before rows are filtered; "
                "frames of different rows come together with merge().",
            )
        return moved

    def _new(self, expression: Expression, frame: DataFrame | None = None) -> Self:
        """Another expression under the same name, over the same frame or one made from it."""
        return type(self)(self._frame if frame is None else frame, expression, self.name)

    def _pair(self, other: object) -> tuple[DataFrame, Expression, Expression]:
        """The frame of both sides (the one made from the other), and both expressions over it."""
        if not isinstance(other, Operand):
            return self._frame, self.expression, literal(other)
        moved = rebased(self.expression, self._frame.plan, other._frame.plan)
        if moved is not None and other._frame.same_bench(self._frame):
            return other._frame, moved, other.expression
        if rebased(other.expression, other._frame.plan, self._frame.plan) is None and other._frame.same_bench(
            self._frame
        ):
            both = common((self.expression, self._frame.plan), (other.expression, other._frame.plan))
            if both is not None:
                return self._frame.with_plan(both[2]), both[0], both[1]
        return self._frame, self.expression, other.over(self._frame)

    def _binary(self, function: str, other: object, *, swap: bool = False) -> Self:
        frame, own, given = self._pair(other)
        left: tuple[Expression, Kind] = own, self.kind
        right: tuple[Expression, Kind] = (
            given,
            other.kind if isinstance(other, Operand) else kind_of_value(other),
        )
        made, kind = binary(function, right, left) if swap else binary(function, left, right)
        return type(self)(frame, made, self.name, kind)

    def _compare(self, function: str, other: object) -> Self:
        if not isinstance(other, Operand) and is_missing(other):
            raise UnsupportedError(
                "A comparison with a missing value is never TRUE.",
                hint="Use isna() or notna() to look for NULL.",
            )
        return self._binary(function, other)

    def _call(self, function: str, *args: object) -> Self:
        return self._new(Call(function, (self.expression, *(literal(arg) for arg in args))))

    def __add__(self, other: object) -> Self:
        return self._binary("add", other)

    def __radd__(self, other: object) -> Self:
        return self._binary("add", other, swap=True)

    def __sub__(self, other: object) -> Self:
        return self._binary("sub", other)

    def __rsub__(self, other: object) -> Self:
        return self._binary("sub", other, swap=True)

    def __mul__(self, other: object) -> Self:
        return self._binary("mul", other)

    def __rmul__(self, other: object) -> Self:
        return self._binary("mul", other, swap=True)

    def __truediv__(self, other: object) -> Self:
        return self._binary("div", other)

    def __rtruediv__(self, other: object) -> Self:
        return self._binary("div", other, swap=True)

    def __floordiv__(self, other: object) -> Self:
        return self._binary("floordiv", other)

    def __rfloordiv__(self, other: object) -> Self:
        return self._binary("floordiv", other, swap=True)

    def __mod__(self, other: object) -> Self:
        return self._binary("mod", other)

    def __rmod__(self, other: object) -> Self:
        return self._binary("mod", other, swap=True)

    def __pow__(self, other: object) -> Self:
        return self._binary("pow", other)

    def __rpow__(self, other: object) -> Self:
        return self._binary("pow", other, swap=True)

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return self._compare("eq", other)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return self._compare("ne", other)

    def __lt__(self, other: object) -> Self:
        return self._compare("lt", other)

    def __le__(self, other: object) -> Self:
        return self._compare("le", other)

    def __gt__(self, other: object) -> Self:
        return self._compare("gt", other)

    def __ge__(self, other: object) -> Self:
        return self._compare("ge", other)

    def __and__(self, other: object) -> Self:
        return self._binary("and", other)

    def __rand__(self, other: object) -> Self:
        return self._binary("and", other, swap=True)

    def __or__(self, other: object) -> Self:
        return self._binary("or", other)

    def __ror__(self, other: object) -> Self:
        return self._binary("or", other, swap=True)

    def __invert__(self) -> Self:
        return self._call("not")

    def __neg__(self) -> Self:
        return self._call("neg")

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._call("abs")

    def __bool__(self) -> bool:
        raise UnsupportedError(
            "A Series has no single truth value.",
            hint="Combine conditions with & | ~ and parentheses, not with and, or, not; write (a < x) & (x < b), "
            "not a < x < b; reduce with .any() or .all().",
        )
