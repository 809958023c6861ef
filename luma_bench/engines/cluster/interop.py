"""Rows for Dask's own collections: a `dask.dataframe` whose partitions are read where they are computed.

Dtypes are known from the schema alone, and the same in every partition: integers and booleans that may be NULL come as
pandas' nullable dtypes, text as pandas' text, times as NumPy has them, and what NumPy has no dtype for (dates, decimals,
bytes, nested values) as pandas' Arrow dtypes.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import os
import pickle
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import UnsupportedError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plan.relational.nodes import Filter, Program, Project, Scan, walk_nodes
from luma_bench.plan.relational.to_duck import node_sql
from luma_bench.types.executor import Divided
from luma_bench.types.scan import ScanPart, ScanSource, SupportsRead, SupportsSplit

if TYPE_CHECKING:
    from luma_bench.engines.duck import DuckEngine

PARTITION_BYTES = 64 << 20
"""About what a partition's columns take, unless a number of partitions is asked for."""

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class StoredPartition:
    """Some rows of a table and what is asked of them; it survives pickling.

    Attributes
    ----------
    held
        What keeps the snapshot from being collected, as long as the partition is in the process that made it.
    """

    part: ScanPart
    schema: pa.Schema
    relation: str
    sql: str | None
    timezone: str
    held: object = field(default=None, repr=False, compare=False)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return "luma-bench part", hashlib.sha256(pickle.dumps(self)).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredPartition, (self.part, self.schema, self.relation, self.sql, self.timezone)

    def rows(self, columns: Sequence[str]) -> pa.Table:
        """Some of its columns, read and computed here.

        Raises
        ------
        LumaError
            A segment cannot be read, or a value makes the computation fail.
        """
        source = self.part.open()
        if self.sql is None:
            if not isinstance(source, SupportsRead):
                raise TypeError(f"{source.name!r} cannot be read in the types that were written")
            return source.read(columns)
        places = [self.schema.get_field_index(name) for name in columns]
        sql = f"SELECT {', '.join(f'c{place}' for place in places)} FROM ({self.sql})"
        found = _engine(self.timezone).run(SqlFragment(sql), Inputs({self.relation: source}))
        wanted = pa.schema([self.schema.field(place) for place in places])
        made = found.rename_columns(list(columns))
        return made if made.schema.types == wanted.types else made.cast(wanted)


@dataclass(frozen=True, slots=True)
class HeldPartition:
    """Rows that are in memory; `token` names them, so that Dask need not look at them to tell them apart."""

    table: pa.Table = field(compare=False)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return "luma-bench rows", self.token

    def __reduce__(self) -> tuple[Any, ...]:
        sink = pa.BufferOutputStream()  # a slice by itself, not with all that it was cut from
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return _unpacked, (sink.getvalue().to_pybytes(), self.token)

    def rows(self, columns: Sequence[str]) -> pa.Table:
        """Some of its columns."""
        return self.table.select(list(columns))


def divided(
    program: Program, inputs: Inputs, count: int | None, *, timezone: str = "", held: object = None
) -> Divided | None:
    """A program as the same query over each part of one table; None where a row's answer needs other rows, or other tables.

    Parameters
    ----------
    count
        How many parts at most; None for parts of about 64 MB.
    """
    nodes = list(walk_nodes(program.root))
    scan = nodes[-1]
    if not isinstance(scan, Scan) or scan.shared or program.shared:
        return None
    if not all(isinstance(node, Filter | Project) for node in nodes[:-1]):
        return None
    name = scan.name.casefold()
    sources = [source for known, source in inputs.sources.items() if known.casefold() == name]
    if len(sources) != 1 or any(known.casefold() == name for known in inputs.relations):
        return None
    places = {known.casefold(): at for at, known in enumerate(sources[0].schema.names)}
    parts = parts_of(sources[0], count, [places[column.casefold()] for column in scan.columns])
    if parts is None:
        return None
    relation = "part"
    return Divided(
        parts, program.schema, relation, node_sql(program.root, {scan.name: relation}), timezone, held
    )


def parts_of(source: ScanSource, count: int | None, columns: Sequence[int]) -> Sequence[ScanPart] | None:
    """A table's parts; None where others cannot read it."""
    if not isinstance(source, SupportsSplit) or source.undivided is not None:
        return None
    if count is None:
        whole = source.split(1, columns)
        nbytes = sum(part.nbytes for part in whole or ())
        count = min(_MOST, max(1, math.ceil(nbytes / PARTITION_BYTES)))
    return source.split(count, columns)


def from_parts(found: Divided) -> Any:
    """A dask.dataframe that reads each part when it is computed, on the worker that computes it.

    Raises
    ------
    UnsupportedError
        dask.dataframe is not installed.
    """
    partitions: list[StoredPartition | HeldPartition] = [
        StoredPartition(part, found.schema, found.relation, found.sql, found.timezone, found.held)
        for part in found.parts
    ]
    return _mapped(partitions or [HeldPartition(found.schema.empty_table())], found.schema)


def from_arrow(table: pa.Table, npartitions: int | None) -> Any:
    """A dask.dataframe over rows in memory, cut in partitions of about equal size.

    Raises
    ------
    UnsupportedError
        dask.dataframe is not installed.
    """
    count = npartitions or max(1, math.ceil(table.nbytes / PARTITION_BYTES))
    count = max(1, min(count, table.num_rows))
    edges = [table.num_rows * at // count for at in range(count + 1)]
    cut = [HeldPartition(table.slice(low, high - low)) for low, high in itertools.pairwise(edges)]
    return _mapped(cut, table.schema)


def check_partitions(npartitions: int | None) -> None:
    """Refuse a number that is none.

    Raises
    ------
    UnsupportedError
        It is less than 1.
    """
    if npartitions is not None and npartitions < 1:
        raise UnsupportedError(
            f"npartitions={npartitions} holds no rows.",
            hint="Give at least 1, or None for partitions of about 64 MB.",
        )


def require_dask() -> None:
    """Refuse before anything runs.

    Raises
    ------
    UnsupportedError
        dask.dataframe is not installed.
    """
    _dask_dataframe()


def pandas_of(
    partition: StoredPartition | HeldPartition, schema: pa.Schema, columns: Sequence[str] | None = None
) -> Any:
    """A partition's rows as pandas, in the dtypes that the schema says.

    Parameters
    ----------
    columns
        What is wanted of them, in the order wanted: Dask asks for no more than a computation needs.
    """
    if columns is None:
        names = schema.names
    else:
        names = list(dict.fromkeys([columns] if isinstance(columns, str) else columns))
    read = names or schema.names[:1]
    wanted = pa.schema([schema.field(name) for name in read])
    return _pandas(partition.rows(read), wanted)[names]


def _mapped(partitions: Sequence[StoredPartition | HeldPartition], schema: pa.Schema) -> Any:
    dd = _dask_dataframe()
    meta = _pandas(schema.empty_table(), schema)
    return dd.from_map(pandas_of, list(partitions), schema=schema, meta=meta, label="luma-bench")


def _pandas(table: pa.Table, schema: pa.Schema) -> Any:
    """Rows as pandas; dtypes follow from the schema and never from the values."""
    import pandas as pd

    nullable = _nullable()
    columns: dict[str, Any] = {}
    for at, declared in enumerate(schema):
        column = table.column(at)
        kind: Any = declared.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
            column = column.cast(kind)
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind)
        wanted: Any = nullable.get(kind) if declared.nullable else None
        if wanted is None and _is_foreign(kind):
            wanted = pd.ArrowDtype(kind)
        columns[str(at)] = column.to_pandas(types_mapper=None if wanted is None else _always(wanted))
    made = pd.DataFrame(columns)
    made.columns = list(schema.names)
    return made


def _always(dtype: Any) -> Any:
    return lambda _: dtype


def _nullable() -> Mapping[pa.DataType, Any]:
    import pandas as pd

    return {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
    }  # fmt: skip


def _is_foreign(kind: pa.DataType) -> bool:
    """Whether pandas would keep values of a type as Python objects."""
    types = pa.types
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    moment = types.is_timestamp(kind) or types.is_duration(kind)
    return not (numeric or text or moment)


def _engine(timezone: str) -> DuckEngine:
    """The engine of this worker, or of this process where it is no worker's."""
    from distributed import get_worker

    from luma_bench.engines.cluster.room import room_of

    try:
        worker = get_worker()
    except ValueError:
        return _own_engine(os.getpid(), timezone)
    return room_of(worker).engine(timezone)


@functools.lru_cache(maxsize=4)
def _own_engine(process: int, timezone: str) -> DuckEngine:
    from luma_bench.engines.duck import DuckEngine

    return DuckEngine(Settings(threads=1, timezone=timezone, files=()))


def _unpacked(data: bytes, token: str) -> HeldPartition:
    return HeldPartition(pa.ipc.open_stream(data).read_all(), token)


def _dask_dataframe() -> Any:
    try:
        import dask.dataframe as dd
    except ImportError as error:
        raise UnsupportedError(
            f"to_dask() needs dask.dataframe, which cannot be loaded: {error}.",
            hint="Install it: pip install 'luma-bench[scale]'.",
        ) from error
    return dd
