"""Frames of data in memory, and of Parquet, JSON and Arrow files, with or without a bench."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from luma_bench.errors import KadeQLError, LumaError, UnsupportedError
from luma_bench.frame.data import arrow_of
from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.loose import HasExecutor, Loose, executor_of
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.literals import constant
from luma_bench.plan.nodes import Files, Limit, Relation

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@checking_keywords
def from_pandas(data: Any, *, bench: HasExecutor | None = None) -> DataFrame:
    """A lazy frame of a pandas DataFrame or Series, in its order of rows.

    Levels of its index that have a name come in front, as columns; an index without a name is left out. NaN in a column of
    NumPy's floats is what pandas calls missing, and comes as NULL; in an Arrow column it stays NaN.

    Parameters
    ----------
    bench
        The bench that the frame runs on; by default none, and it meets frames of any.

    Raises
    ------
    SchemaError
        A column mixes types, or its name is no text.

    Examples
    --------
    >>> lb.from_pandas(pd.DataFrame({"x": [1, 2, 3]})).x.sum()
    6
    """
    return _of_data(data, bench, index=True)


@checking_keywords
def from_arrow(data: Any, *, bench: HasExecutor | None = None) -> DataFrame:
    """A lazy frame of Arrow data, or of anything with `__arrow_c_stream__`: nothing is copied; a stream is read whole.

    Examples
    --------
    >>> lb.from_arrow(pa.table({"x": [1, 2, 3]})).x.max()
    3
    """
    return _of_data(data, bench)


@checking_keywords
def from_polars(data: Any, *, bench: HasExecutor | None = None) -> DataFrame:
    """A lazy frame of a Polars DataFrame, Series or LazyFrame, which is collected.

    Examples
    --------
    >>> import polars as pl
    >>> lb.from_polars(pl.DataFrame({"x": [1, 2, 3]})).shape
    (3, 1)
    """
    return _of_data(data, bench)


@checking_keywords
def from_dict(
    data: Mapping[str, Any], *, columns: Sequence[str] | None = None, bench: HasExecutor | None = None
) -> DataFrame:
    """A lazy frame of a dict of columns; a single value stands in every row.

    Examples
    --------
    >>> lb.from_dict({"x": [1, 2, 3], "y": "a"}).y.to_list()
    ['a', 'a', 'a']
    """
    return DataFrame(executor_of(bench), Relation(arrow_of(data, columns=columns)))


def _of_data(data: Any, bench: HasExecutor | None, *, index: bool = False) -> DataFrame:
    return DataFrame(executor_of(bench), Relation(arrow_of(data, index=index)))


def read_parquet(
    path: Paths,
    columns: Sequence[str] | None = None,
    *,
    bench: HasExecutor | None = None,
    union_by_name: bool = False,
    filename: bool | str = False,
    hive_partitioning: bool | None = None,
    **refused: object,
) -> DataFrame:
    """A lazy frame of Parquet files: only the columns and row groups that a question needs are read.

    Parameters
    ----------
    path
        A path, a glob such as `data/*.parquet`, a URL, or a list of them; counted from the working directory.
    columns
        Which columns, in this order.
    bench
        The bench that the frame runs on, whose setting `files` says what may be read; by default none.
    union_by_name
        Whether files may have other columns than the first: what one lacks is NULL.
    filename
        Whether a column `filename` (or of the name that is given) says which file a row is from.
    hive_partitioning
        Whether folders named `key=value` are columns; by default when the path names them.

    Raises
    ------
    LumaError
        There is no such file, or it is none of Parquet.
    UnsupportedError
        An argument of pandas' that has no meaning here.

    Examples
    --------
    >>> lb.from_dict({"x": [1, 2, 3]}).to_parquet("x.parquet")
    >>> lb.read_parquet("x.parquet").x.sum()
    6
    """
    refuse("read_parquet", refused)
    options: dict[str, object] = {}
    if union_by_name:
        options["union_by_name"] = True
    if filename:
        options["filename"] = filename
    if hive_partitioning is not None:
        options["hive_partitioning"] = hive_partitioning
    return _picked(files("read_parquet", path, options, bench), columns)


def read_feather(
    path: Paths,
    columns: Sequence[str] | None = None,
    *,
    bench: HasExecutor | None = None,
    **refused: object,
) -> DataFrame:
    """A lazy frame of Arrow IPC files, which Feather files are.

    Parameters
    ----------
    path, columns, bench
        As for `read_parquet`.

    Examples
    --------
    >>> lb.from_dict({"x": [1, 2, 3]}).to_feather("x.feather")
    >>> lb.read_feather("x.feather").x.sum()
    6
    """
    refuse("read_feather", refused)
    return _picked(files("read_arrow", path, {}, bench), columns)


def read_json(
    path_or_buf: Paths,
    *,
    orient: str | None = None,
    dtype: Mapping[str, Any] | None = None,
    lines: bool | None = None,
    nrows: int | None = None,
    compression: str = "infer",
    bench: HasExecutor | None = None,
    **refused: object,
) -> DataFrame:
    """A lazy frame of JSON files: an array of objects, or an object a line.

    Parameters
    ----------
    path_or_buf
        As `path` of `read_parquet`.
    orient
        'records', which it is by default.
    dtype
        Types to convert columns to, by name.
    lines
        Whether a line is an object; by default by the ending: `.ndjson` and `.jsonl`.
    nrows
        Only the first so many rows.
    compression
        'infer' (by the ending), 'gzip', 'zstd', or None.

    Raises
    ------
    LumaError
        There is no such file, or it is no array of objects.
    UnsupportedError
        An argument of pandas' that has no meaning here.

    Examples
    --------
    >>> lb.from_dict({"x": [1, 2], "t": ["a", None]}).to_json("x.json")
    >>> lb.read_json("x.json").t.to_list()
    ['a', None]
    """
    refuse("read_json", refused)
    if orient not in (None, "records"):
        raise UnsupportedError(
            f"read_json(orient={orient!r}) is not read lazily.",
            hint="Files of records are; else lb.from_pandas(pandas.read_json(path)).",
        )
    names = [str(item) for item in named(path_or_buf)]
    if lines is None:
        lines = all(Path(name).name.removesuffix(".gz").removesuffix(".zst").endswith((".ndjson", ".jsonl")) for name in names)  # fmt: skip
    options: dict[str, object] = {"format": "newline_delimited" if lines else "array"}
    options |= compressed(compression)
    frame = files("read_json", names, options, bench)
    if dtype:
        frame = frame.astype(dtype)
    return frame if nrows is None else frame.with_plan(Limit(frame.plan, nrows))


def files(reader: str, path: Any, options: Mapping[str, object], bench: HasExecutor | None) -> DataFrame:
    """A frame of what a reader of KadeQL makes of files; their columns are looked up now, their rows when asked for.

    Raises
    ------
    LumaError
        There is no such file, or the reader cannot read it.
    """
    paths = named(path)
    if bench is None:
        executor = Loose.executor()
        executor.allow(paths)
    else:
        executor = bench.executor()
    listed = ", ".join(map(constant, paths))
    shown = f"[{listed}]" if len(paths) > 1 else listed
    text = "".join(f", {name} = {constant(value)}" for name, value in options.items())
    try:
        schema = executor.describe(f"FROM {reader}({shown}{text})")
    except KadeQLError as error:
        kind = UnsupportedError if isinstance(error, UnsupportedError) else LumaError
        raise kind(error.plain, hint=error.hint) from error
    return DataFrame(executor, Files(reader, paths, tuple(options.items()), schema))


def named(path: Any) -> tuple[str, ...]:
    """The paths, globs and URLs that were given, in full.

    Raises
    ------
    UnsupportedError
        It is an open file, or something else than paths.
    """
    listed: list[Any] = [path] if isinstance(path, str | os.PathLike) else _items(path)
    if not listed:
        raise LumaError("No file was given.", hint="Give a path, a glob or a list of paths.")
    return tuple(_full(item) for item in listed)


def _items(path: Any) -> list[Any]:
    if isinstance(path, Iterable) and not isinstance(path, bytes) and not hasattr(path, "read"):
        listed = list(path)
        if all(isinstance(item, str | os.PathLike) for item in listed):
            return listed
    raise UnsupportedError(
        f"A {type(path).__name__} is no path.",
        hint="Files are read where they are: give a path. For an open file, lb.from_pandas(pandas.read_…(file)).",
    )


def _full(path: Any) -> str:
    name = os.fspath(path)
    return name if "://" in name else str(Path.cwd() / Path(name).expanduser())


def _picked(frame: DataFrame, columns: Sequence[str] | None) -> DataFrame:
    return frame if columns is None else frame[list(columns)]


def compressed(compression: str | None) -> dict[str, object]:
    """The option of a reader for how files are compressed."""
    if compression == "infer":
        return {}
    known = {None: "none", "gzip": "gzip", "gz": "gzip", "zstd": "zstd"}
    if compression not in known:
        raise UnsupportedError(
            f"Files compressed with {compression!r} are not read.",
            hint="Use 'gzip', 'zstd', None or 'infer'.",
        )
    return {"compression": known[compression]}


_INSTEAD = {
    "index_col": "There is no index: the column stays one.",
    "chunksize": "A frame is lazy: read it with frame.iter_batches(rows).",
    "iterator": "A frame is lazy: read it with frame.iter_batches(rows).",
    "storage_options": "Open a bench with its settings, and give bench=.",
    "filesystem": "Give a path or a URL.",
    "filters": "Filter the frame: only the row groups that are needed are read.",
    "converters": "Convert the columns of the frame: frame.assign(…).",
    "on_bad_lines": "bench.write(name, path, rejects='bad_rows') keeps broken lines in a table.",
    "skipfooter": "Leave the last rows out by a condition.",
    "engine": "There is one reader.",
    "dtype_backend": "Columns have Arrow types.",
    "typ": "A Series is a column of the frame.",
}


def refuse(function: str, given: Mapping[str, object]) -> None:
    """Refuse arguments of pandas' that a reader does not take.

    Raises
    ------
    UnsupportedError
        Naming the first.
    """
    for name in given:
        raise UnsupportedError(
            f"{function}() does not take {name}=.",
            hint=_INSTEAD.get(name, f"Leave it out, or lb.from_pandas(pandas.{function}(…))."),
        )
