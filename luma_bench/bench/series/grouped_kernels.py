"""Aggregate calls as kernels over sorted runs: which there are, and their answers in the types that SQL gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.constants import value
from luma_bench.bench.series.values import operand, takes
from luma_bench.language.series.pattern import END, START, Aggregate, Constant, Name
from luma_bench.models.series.aggregates import Finished, Spec, accepts, form, known
from luma_bench.models.series.runs import Bools, Ints, Values
from luma_bench.types.schema import SQL_TYPE

_NAMES = {
    "mean": "avg", "min_by": "arg_min", "max_by": "arg_max", "argmin": "arg_min", "argmax": "arg_max",
    "stddev_samp": "stddev", "var_samp": "variance", "arbitrary": "first",
}  # fmt: skip
_BY_TIME = frozenset(
    {"first", "last", "increase", "delta", "rate", "derivative", "integral", "time_weight", "twap", "ohlc"}
)
"""Functions whose second argument is the time, by which rows of a run stand anyway."""
_WINDOWED = frozenset({"prom_rate", "prom_increase"})
"""Functions of value, time, and start and end of the window."""
_PLACED = frozenset({"first", "last", "any_value", "arg_min", "arg_max"})
_SCALED = frozenset({"sum", "min", "max", "count", *_PLACED})
"""What whole counts of a decimal's last place answer."""

type Moments = Callable[[Ints, pa.DataType], pa.Array]


@dataclass(frozen=True, slots=True)
class Kernel:
    """One aggregate as the kernel computes it.

    Attributes
    ----------
    column
        Its column in the relation.
    source
        The type of its first argument; None without one.
    """

    column: str
    spec: Spec
    field: pa.Field
    source: pa.DataType | None

    @property
    def ordered(self) -> bool:
        """Whether it needs the rows of a group in the order of time."""
        return self.spec.function in _BY_TIME or self.spec.function in _WINDOWED

    def array(self, finished: Finished, taken: Callable[[str, Values], pa.Array]) -> pa.Array:
        """The answer of each group; `taken` gives stored values of a column by the numbers of rows."""
        if finished.form == "place":
            made = taken(self.spec.columns[0], finished.values[0])
        elif finished.form == "ohlc":
            made = self._struct(finished.values)
        else:
            (found,) = finished.values
            made = arrow(found, _type(finished.form, self.field.type, self.source))
        return made if made.type == self.field.type else made.cast(self.field.type)

    def _struct(self, parts: Sequence[Values]) -> pa.Array:
        assert self.source is not None
        kind = self.field.type
        arrays = [arrow(part, self.source) for part in parts]
        fields = [kind.field(at) for at in range(kind.num_fields)]
        cast = [
            one if one.type == item.type else one.cast(item.type)
            for one, item in zip(arrays, fields, strict=True)
        ]
        valid = parts[0].valid
        mask = None if valid is None else _bits_array(~valid)
        return pa.StructArray.from_arrays(cast, fields=fields, mask=mask)


def kernels(
    aggregates: Sequence[Aggregate], fields: Sequence[pa.Field], rows: pa.Schema, time: str, asked: Asked
) -> list[Kernel] | str:
    """The kernels of aggregate calls; or what there is no kernel for.

    Parameters
    ----------
    fields
        What SQL gives each.
    rows
        The columns of the input.
    """
    names = {name.casefold(): name for name in rows.names}
    found: list[Kernel] = []
    for aggregate, field in zip(aggregates, fields, strict=True):
        made = _kernel(aggregate, field, rows, names, time, asked)
        if made is None:
            return f"{_short(aggregate.sql)} has no kernel"
        found.append(made)
    return found


def _kernel(
    call: Aggregate, field: pa.Field, rows: pa.Schema, names: Mapping[str, str], time: str, asked: Asked
) -> Kernel | None:
    function = _NAMES.get(call.function, call.function)
    if call.arguments is None:
        return None
    if function == "count_star":
        return Kernel(call.column, Spec("count_star"), field, None)
    arguments = list(call.arguments)
    carried = False
    if function in _BY_TIME and len(arguments) > 1:
        if not _is(arguments[1], time):
            return None
        del arguments[1]
        if function in ("time_weight", "twap") and len(arguments) == 2 and _is(arguments[1], END):
            del arguments[1]
            carried = True
    elif function in ("arg_min", "arg_max") and len(arguments) == 2 and _is(arguments[1], time):
        del arguments[1]
    elif function in _WINDOWED:
        if len(arguments) != 4 or not (
            _is(arguments[1], time) and _is(arguments[2], START) and _is(arguments[3], END)
        ):
            return None
        del arguments[1:]
    columns = [item for item in arguments if isinstance(item, Name)]
    options = [item for item in arguments if not isinstance(item, Name)]
    if arguments[: len(columns)] != columns or not known(function, len(columns)):
        return None
    exact = [names.get(item.name.casefold()) for item in columns]
    if not exact or any(name is None for name in exact):
        return None
    given = tuple(name for name in exact if name is not None)
    constants = _options(function, options, asked)
    return None if constants is None else _typed(call, field, rows, function, given, constants, carried)


def _options(function: str, options: Sequence[Constant | Name], asked: Asked) -> tuple[float, ...] | None:
    """The constants of a call; None where its function has none."""
    if not options:
        return None if function == "dd_quantile" else ()
    if function != "dd_quantile":
        return None
    found: list[float] = []
    for item in options:
        assert isinstance(item, Constant)
        given = item.literal if item.literal is not None else value(item, asked).as_py()
        if given is None or isinstance(given, str):
            return None
        found.append(float(given))
    # SQL says at the call what is wrong with other numbers.
    fits = len(found) <= 2 and 0 <= found[0] <= 1 and all(1e-6 <= error < 1 for error in found[1:])
    return tuple(found) if fits else None


def _typed(
    call: Aggregate,
    field: pa.Field,
    rows: pa.Schema,
    function: str,
    columns: tuple[str, ...],
    options: tuple[float, ...],
    carried: bool,
) -> Kernel | None:
    """The kernel where it takes these columns and gives what SQL gives."""
    fields = [rows.field(name) for name in columns]
    kinds = [item.type for item in fields]
    marked = [(item.metadata or {}).get(SQL_TYPE) for item in fields]
    placed = function in _PLACED and (not takes(kinds[0]) or marked[0] is not None)
    if function == "count":
        return Kernel(call.column, Spec("count", columns), field, kinds[0])
    counted = 1 if placed else 0
    if any(marked[counted:]) or not all(takes(kind) for kind in kinds[counted:]):
        return None
    if any(pa.types.is_decimal(kind) for kind in kinds) and function not in _SCALED:
        return None
    spec = Spec(function, columns, options, placed, carried)
    dtypes = tuple(
        np.dtype(np.int64) if placed and not at else operand(pa.nulls(0, kind))[0].dtype
        for at, kind in enumerate(kinds)
    )
    if not accepts(spec, dtypes):
        return None
    if placed:
        same = _same(field.type, kinds[0]) and (field.metadata or {}).get(SQL_TYPE) == marked[0]
        return Kernel(call.column, spec, field, kinds[0]) if same else None
    gives = form(spec, dtypes)
    if not _gives(gives, field, kinds[0]):
        return None
    return Kernel(call.column, spec, field, kinds[0])


def _gives(gives: str, field: pa.Field, source: pa.DataType) -> bool:
    """Whether a kernel's answer is of the type that SQL gives."""
    kind = field.type
    match gives:
        case "int64":
            return kind == pa.int64()
        case "float64":
            return kind == pa.float64()
        case "int128":
            scale = source.scale if pa.types.is_decimal(source) else 0
            return pa.types.is_decimal128(kind) and kind.precision == 38 and kind.scale == scale
        case "same":
            return _same(kind, source)
        case "ohlc":
            return pa.types.is_struct(kind) and all(
                _gives("same", kind.field(at), source) for at in range(kind.num_fields)
            )
        case _:
            return False


def _same(kind: pa.DataType, source: pa.DataType) -> bool:
    """Whether SQL gives values of a stored type in this one, be it in another form."""
    if pa.types.is_timestamp(kind) and pa.types.is_timestamp(source):
        return (kind.tz is None) == (source.tz is None)
    if pa.types.is_decimal(kind) and pa.types.is_decimal(source):
        return (kind.precision, kind.scale) == (source.precision, source.scale)
    if pa.types.is_string(kind):
        return pa.types.is_string(source) or pa.types.is_large_string(source)
    return kind == source


def _type(gives: str, kind: pa.DataType, source: pa.DataType | None) -> pa.DataType:
    """The Arrow type whose buffer a kernel's answer is."""
    return source if gives == "same" and source is not None else kind


def arrow(found: Values, kind: pa.DataType) -> pa.Array:
    """Numbers as an Arrow array of a type that they are the buffer of."""
    data, valid = found.data, found.valid
    bits = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    if pa.types.is_boolean(kind):
        held = np.packbits(data.astype(np.bool_), bitorder="little")
        return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(held)])
    if pa.types.is_decimal(kind):
        if data.ndim == 1 and kind.bit_width == 128:
            limbs = np.empty((len(data), 2), np.int64)
            limbs[:, 0] = data
            limbs[:, 1] = data >> 63
            data = limbs
        width = data.dtype
    elif pa.types.is_floating(kind) or pa.types.is_integer(kind):
        width = np.dtype(str(kind) if pa.types.is_integer(kind) else f"f{kind.bit_width // 8}")
    else:
        width = np.dtype(f"i{kind.bit_width // 8}")
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        width = np.dtype(f"i{kind.bit_width // 8}")
    held = np.ascontiguousarray(data, width)
    return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(held)])


def _bits_array(values: Bools) -> pa.Array:
    held = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, held])


def _is(argument: Name | Constant, name: str) -> bool:
    return isinstance(argument, Name) and argument.name.casefold() == name.casefold()


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
