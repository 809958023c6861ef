"""Comparisons of a column with a value that somebody typed: exact, whatever the column can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from luma_bench.errors import UnsupportedError
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.requests import Filter, Scalar
from luma_bench.notebook.grid.rows import name_of, text_of
from luma_bench.notebook.grid.typed import Value, read_value
from luma_bench.types.sql_text import quoted

_Sign = Literal["=", "!=", "<", "<=", ">", ">="]
_BETWEEN: dict[str, dict[str, str]] = {
    "at": {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="},
    # The column holds nothing between the value and its neighbour, so the neighbour answers for it.
    "after": {"<": "<=", "<=": "<=", ">": ">", ">=": ">"},
    "before": {"<": "<", "<=": "<", ">": ">=", ">=": ">="},
}


@dataclass(slots=True)
class Comparison:
    """Writes the conditions of one column; the values go into `params`."""

    column: GridColumn
    params: dict[str, object]

    @property
    def name(self) -> str:
        """What is compared."""
        return quoted(name_of(self.column)) if self.column.sql is not None else text_of(self.column)

    def text(self, item: Filter) -> str:
        """A filter by values as a condition in SQL.

        Raises
        ------
        UnsupportedError
            It has too few values, or one that is nothing to compare the column with.
        """
        match item.op:
            case "in":
                return self._one_of(item.value if isinstance(item.value, list) else [item.value])
            case "between":
                low, high = two_values(item)
                return f"({self._compared('>=', low)} AND {self._compared('<=', high)})"
            case "=" | "!=" | "<" | "<=" | ">" | ">=":
                return self._compared(item.op, one_value(item))
            case _:
                raise UnsupportedError(f"The filter {item.op} compares nothing.")

    def _compared(self, sign: _Sign, given: Scalar) -> str:
        value = read_value(self.column, given, exact_text=sign in ("=", "!="))
        written = _BETWEEN[value.place].get(sign)
        if written is None:
            return "false" if sign == "=" else f"{self.name} IS NOT NULL"
        return f"{self.name} {written} {self._param(value)}"

    def _one_of(self, values: list[Scalar | None] | list[Scalar]) -> str:
        read = [read_value(self.column, value, exact_text=True) for value in values if value is not None]
        listed = [self._param(value) for value in read if value.place == "at"]
        tests = [f"{self.name} IN ({', '.join(listed)})"] if listed else []
        tests += [f"{quoted(name_of(self.column))} IS NULL"] if None in values else []
        return f"({' OR '.join(tests) or 'false'})"

    def _param(self, value: Value) -> str:
        """A parameter for a value, in the column's type; a time without an offset is one of the column's zone."""
        name = f"p{len(self.params)}"
        self.params[name] = value.text
        if value.zone is not None:
            zone = f"z{len(self.params)}"
            self.params[zone] = value.zone
            return f"timezone(${zone}, CAST(${name} AS {value.type}))"
        if value.type == "HEX":
            return f"unhex(${name})"
        return f"CAST(${name} AS {value.type})" if value.type is not None else f"${name}"


def one_value(item: Filter) -> Scalar:
    """The value of a filter that takes one."""
    if item.value is None or isinstance(item.value, list):
        raise _wrong(item, "one value")
    return item.value


def two_values(item: Filter) -> tuple[Scalar, Scalar]:
    """The values of a filter that takes two."""
    match item.value:
        case [low, high] if low is not None and high is not None:
            return low, high
        case _:
            raise _wrong(item, "two values")


def _wrong(item: Filter, needs: str) -> UnsupportedError:
    return UnsupportedError(f"The filter {item.op} needs {needs}.", hint="Type it into the filter's field.")
