"""The messages that a front end sends about a result, checked: see docs/design/grid-protocol.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from luma_bench.errors import UnsupportedError

Count = Annotated[int, msgspec.Meta(ge=0)]
Span = tuple[Count, Count]
Scalar = str | int | float | bool
Key = str | int


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """Ask for what the result is and its first page."""

    id: Key | None = None


class Page(msgspec.Struct, frozen=True, tag_field="type", tag="page"):
    """Ask for rows `offset` to `offset + count` of a view, of the columns from `columns[0]` up to, but without, `columns[1]`."""

    id: Key
    offset: Count
    count: Count
    columns: Span | None = None
    view: Count = 0


class Cell(msgspec.Struct, frozen=True, tag_field="type", tag="cell"):
    """Ask for one value, whole."""

    id: Key
    row: Count
    column: Count
    view: Count = 0


class Sort(msgspec.Struct, frozen=True):
    """A column to sort by."""

    column: Count
    descending: bool = False
    nulls: Literal["first", "last"] = "last"


class Filter(msgspec.Struct, frozen=True):
    """A condition on a column."""

    column: Count
    op: Literal["=", "!=", "<", "<=", ">", ">=", "contains", "starts", "in", "null", "not null", "between"]
    value: Scalar | list[Scalar | None] | None = None


class View(msgspec.Struct, frozen=True, tag_field="type", tag="view"):
    """Ask for the rows that meet every filter and hold the text that is searched, in an order.

    `decimals` says how many the front end shows of floating-point columns, since rounded values are searched too.
    """

    id: Key
    sort: tuple[Sort, ...] = ()
    filter: tuple[Filter, ...] = ()
    search: str = ""
    decimals: dict[str, Annotated[int, msgspec.Meta(ge=0, le=20)]] | None = None


class Summary(msgspec.Struct, frozen=True, tag_field="type", tag="summary"):
    """Ask for the statistics of a column."""

    id: Key
    column: Count
    view: Count = 0


class Export(msgspec.Struct, frozen=True, tag_field="type", tag="export"):
    """Write a view's rows somewhere."""

    id: Key
    to: Literal["csv", "parquet", "arrow", "variable", "kadeql", "clipboard"]
    view: Count = 0
    name: str | None = None
    path: str | None = None
    columns: tuple[Count, ...] | None = None
    rows: Span | None = None
    header: bool = False
    replace: bool = False


class Charts(msgspec.Struct, frozen=True, tag_field="type", tag="charts"):
    """Ask which charts fit a view."""

    id: Key
    view: Count = 0


class Chart(msgspec.Struct, frozen=True, tag_field="type", tag="chart"):
    """Ask for one chart."""

    id: Key
    kind: str
    x: str
    view: Count = 0
    y: str | None = None
    color: str | None = None


class Plotly(msgspec.Struct, frozen=True, tag_field="type", tag="plotly"):
    """Ask for the script that draws charts."""

    id: Key


class Plan(msgspec.Struct, frozen=True, tag_field="type", tag="plan"):
    """Ask for the plan that gave the result."""

    id: Key


class Cancel(msgspec.Struct, frozen=True, tag_field="type", tag="cancel"):
    """Stop the request of this id."""

    id: Key


class Close(msgspec.Struct, frozen=True, tag_field="type", tag="close"):
    """Nobody looks any more."""


Request = Hello | Page | Cell | View | Summary | Export | Charts | Chart | Plotly | Plan | Cancel | Close


def read_request(message: Mapping[str, Any]) -> Request:
    """A message as a request.

    Raises
    ------
    UnsupportedError
        It is none.
    """
    try:
        return msgspec.convert(dict(message), Request)
    except msgspec.ValidationError as error:
        raise UnsupportedError(
            f"The grid got a message that it does not know: {error}.",
            hint="Reload the page: its extension and the kernel's luma-bench may be of different versions.",
        ) from error
