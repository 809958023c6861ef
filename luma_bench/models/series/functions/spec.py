"""What a series function takes and gives, said once for all who offer it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError, choices
from luma_bench.models.control import Control
from luma_bench.models.series.length import Length
from luma_bench.models.series.runs import Array, Ints

Floats = np.ndarray[Any, np.dtype[np.float64]]
Kind = Literal["int", "float", "bool", "choice", "length"]
Values = Mapping[str, Any]
"""Options by their names, defaults filled in."""

_WORDS: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "choice": "a text",
    "length": "a length of time such as '1h'",
}
_NUMBERS = (int, float, Decimal, np.integer, np.floating)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a series function.

    Attributes
    ----------
    default
        A length is written as a text here. None: without it, as the help says.
    least, most
        Bounds of a number, both allowed themselves.
    above
        A bound of a number that is itself not allowed.
    among
        The texts that a choice may be.
    fixed
        Whether a length may have no months.
    """

    name: str
    kind: Kind
    help: str
    default: float | str | None = None
    required: bool = False
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    among: tuple[str, ...] = ()
    fixed: bool = True

    def problem(self, value: object) -> tuple[str, str] | None:
        """What is wrong with a value, as a sentence without its end, and a hint; None when nothing is."""
        hint = f"{self.name}: {self.help}."
        kinds: Mapping[str, Any] = {
            "int": (int, np.integer),
            "float": _NUMBERS,
            "bool": bool,
            "choice": str,
            "length": Length,
        }
        truth = isinstance(value, bool)
        if not isinstance(value, kinds[self.kind]) or truth != (self.kind == "bool"):
            return f"{self.name} is {_WORDS[self.kind]}, not {_shown(value)}", hint
        if self.kind == "choice" and str(value).casefold() not in self.among:
            return f"{self.name} is none of its choices: {value!r}", choices(
                str(value), self.among, "choices"
            )
        if isinstance(value, Length):
            if not value.positive:
                return f"{self.name} is a length above zero, not {value}", hint
            if self.fixed and value.fixed is None:
                return f"{self.name} is of fixed length, and {value} has months", "Give it in days or less."
        if self.kind in ("int", "float"):
            number: Any = value
            if not (self.least <= number <= self.most and number > self.above):
                return f"{self.name} is {self._range()}, not {value!r}", hint
        return None

    def _range(self) -> str:
        least, most, above = (f"{bound:,.12g}" for bound in (self.least, self.most, self.above))
        if math.isfinite(self.above):
            return f"above {above}" + (f" and up to {most}" if math.isfinite(self.most) else "")
        return f"{least} or more" if math.isinf(self.most) else f"from {least} to {most}"


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, Length) else repr(value)


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column that a function adds.

    Attributes
    ----------
    type
        None: as the time column.
    """

    name: str
    type: pa.DataType | None
    help: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole series, one behind another, the rows of each ascending in time; rows without a time are not among them.

    Attributes
    ----------
    offsets
        Where each series begins, and the end: one more than there are series.
    time
        int64, in units of the time column.
    values
        float64; NaN where there is no value: NULL and NaN are both missing.
    unit
        Nanoseconds of a unit of `time`.
    zone
        Whose calendar days follow; None for that of the plain times.
    """

    offsets: Ints
    time: Ints
    values: Floats
    unit: int
    zone: str | None = None

    @property
    def series(self) -> int:
        """How many there are."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        """The rows of each series."""
        return np.diff(self.offsets)

    def present(self) -> Ints:
        """The rows that have a value."""
        return np.flatnonzero(~np.isnan(self.values))

    def numbers(self) -> Ints:
        """The number of each row's series."""
        return np.repeat(np.arange(self.series), self.lengths)

    def each(self, control: Control) -> Iterator[tuple[int, slice]]:
        """The number and the rows of each series."""
        bounds = self.offsets.tolist()
        for number in range(self.series):
            control.check()
            yield number, slice(bounds[number], bounds[number + 1])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function gives for a batch.

    Attributes
    ----------
    offsets
        Where the rows of each series begin, and the end.
    columns
        By the names of the output columns: NaN of a float column is NULL; a masked array has NULL where it is masked;
        a list holds texts.
    rows
        The row of the batch that each row stands for; None where the rows are the batch's own, or new.
    time
        The time of each row, where the rows are new.
    """

    offsets: Ints
    columns: Mapping[str, Array | list[str]]
    rows: Ints | None = None
    time: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A series function.

    Attributes
    ----------
    name
        In upper case, as KadeQL has it.
    help
        What it computes.
    columns
        What it adds behind keys, time and value.
    rows
        `all` rows stay with the columns added, `some` do, or they are `new`: then the value columns are not there.
    timed
        Whether its rows have a time.
    further
        Whether it takes more columns behind the first value, which stay as they are.
    together
        Whether batches may run on several threads at once.
    check
        What is wrong with options together, as a sentence; None when nothing is.
    """

    name: str
    help: str
    options: tuple[Option, ...]
    columns: tuple[OutputColumn, ...]
    run: Callable[[Batch, Values, Control], Answer]
    rows: Literal["all", "some", "new"] = "all"
    timed: bool = True
    further: bool = False
    together: bool = True
    check: Callable[[Mapping[str, Any]], str | None] = field(default=lambda _: None)

    @property
    def keeps_rows(self) -> bool:
        """Whether its rows are rows of the input, with their values."""
        return self.rows != "new"

    def option(self, name: str) -> Option | None:
        """The option of this name."""
        return next((item for item in self.options if item.name == name), None)

    def defaults(self) -> dict[str, Any]:
        """The options of a call that gives none."""
        return {
            item.name: Length.parse(item.default)
            if item.kind == "length" and isinstance(item.default, str)
            else item.default
            for item in self.options
        }

    def problem(self, given: Mapping[str, Any]) -> tuple[str | None, str, str | None] | None:
        """What is wrong with the options of a call: which, a sentence about it, and a hint; None when nothing is."""
        known = [item.name for item in self.options]
        for name, value in given.items():
            item = self.option(name)
            if item is None:
                return name, f"{self.name} has no option {name!r}.", choices(name, known, "options")
            wrong = item.problem(value)
            if wrong is not None:
                return name, f"{self.name}: {wrong[0]}.", wrong[1]
        for item in self.options:
            if item.required and item.name not in given:
                return None, f"{self.name} needs the option {item.name}.", f"{item.name}: {item.help}."
        together = self.check(given)
        if together is not None:
            return next(iter(given), None), f"{self.name}: {together}.", self.written()
        return None

    def settled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every option, with the defaults of those that are not given.

        Raises
        ------
        UnsupportedError
            An option is unknown, missing or out of its range.
        """
        wrong = self.problem(given)
        if wrong is not None:
            raise UnsupportedError(wrong[1], hint=wrong[2])
        choice = {item.name for item in self.options if item.kind == "choice"}
        plain = {name: value.casefold() if name in choice else value for name, value in given.items()}
        numbers = {
            name: float(value) if isinstance(value, Decimal | np.number) else value
            for name, value in plain.items()
        }
        return self.defaults() | numbers

    def written(self) -> str:
        """How a call is written."""
        shown = ", ".join(f"{item.name} => …" for item in self.options)
        return f"{self.name}(TABLE t PARTITION BY key, DESCRIPTOR(time), value{', ' if shown else ''}{shown})"
