"""`lb.read_csv` and `lb.read_table`: pandas' arguments over the engine's reader of CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.expr import sql_type
from luma_bench.frame.loose import HasExecutor
from luma_bench.frame.sources import Paths, compressed, files, refuse
from luma_bench.plan.nodes import Limit

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What pandas reads as missing."""

_ENCODINGS = {"utf8": "utf-8", "latin1": "latin-1", "iso88591": "latin-1", "utf16": "utf-16"}


def read_csv(
    filepath_or_buffer: Paths,
    *,
    sep: str | None = ",",
    delimiter: str | None = None,
    header: int | str | None = "infer",
    names: Sequence[str] | None = None,
    usecols: Sequence[str] | Sequence[int] | Callable[[str], bool] | None = None,
    dtype: Any = None,
    skiprows: int | None = None,
    nrows: int | None = None,
    na_values: Any = None,
    keep_default_na: bool = True,
    parse_dates: bool | Sequence[str] | None = None,
    date_format: str | None = None,
    compression: str = "infer",
    thousands: str | None = None,
    decimal: str = ".",
    quotechar: str = '"',
    escapechar: str | None = None,
    comment: str | None = None,
    encoding: str | None = None,
    bench: HasExecutor | None = None,
    **refused: object,
) -> DataFrame:
    """A lazy frame of CSV files: types are found from the first rows, and the rest is read when it is asked for.

    Parameters
    ----------
    filepath_or_buffer
        A path, a glob such as `data/*.csv`, a URL, or a list of them; counted from the working directory.
    sep, delimiter
        What stands between values; None to find it out.
    header
        The line of names, counted after `skiprows`; 'infer' is the first one, or none when `names` are given; None for
        none: columns are `column0`, `column1`, ….
    names
        Names of all columns.
    usecols
        Which columns: names, positions, or a function of the name. They keep the order of the file.
    dtype
        A type for all columns, or a dict of types by column. Dates and times are found by themselves; `str` keeps text.
    skiprows
        How many lines to pass over first.
    nrows
        Only the first so many rows.
    na_values, keep_default_na
        What is read as NULL besides pandas' `NA`, `NaN`, `null`, … or, with False, instead of these. An empty value is
        NULL in any case.
    parse_dates
        Columns to read as timestamps where they were not found to be.
    date_format
        How dates and timestamps are written, by the codes of `strftime`.
    compression
        'infer' (by the ending), 'gzip', 'zstd', or None.
    thousands, decimal, quotechar, escapechar, comment, encoding
        The characters that the file uses.
    bench
        The bench that the frame runs on, whose setting `files` says what may be read; by default none.

    Raises
    ------
    LumaError
        There is no such file, or it cannot be read.
    UnsupportedError
        An argument of pandas' that has no meaning here.

    Examples
    --------
    >>> lb.from_dict({"x": [1, None, 3]}).to_csv("x.csv")
    >>> lb.read_csv("x.csv").x.to_list()
    [1, None, 3]
    """
    refuse("read_csv", refused)
    options: dict[str, object] = _marks(
        delimiter if delimiter is not None else sep, thousands, decimal, quotechar, escapechar, comment
    )
    options |= _lines(header, names, skiprows)
    options["nullstr"] = _missing(na_values, keep_default_na)
    options |= compressed(compression)
    if encoding is not None:
        plain = encoding.lower().replace("-", "").replace("_", "")
        options["encoding"] = _ENCODINGS.get(plain, encoding)
    if date_format is not None:
        options |= {"timestampformat": date_format, "dateformat": date_format}
    types = _types(dtype)
    if types:
        options["types"] = types
    elif dtype is not None:
        options["all_varchar"] = True
    frame = files("read_csv", filepath_or_buffer, options, bench)
    wanted = _dates(frame, parse_dates)
    if wanted:
        options["types"] = {**types, **wanted}
        frame = files("read_csv", filepath_or_buffer, options, bench)
    frame = _typed(_used(frame, usecols), dtype)
    return frame if nrows is None else frame.with_plan(Limit(frame.plan, nrows))


def read_table(filepath_or_buffer: Paths, *, sep: str | None = "\t", **options: Any) -> DataFrame:
    r"""A lazy frame of files with tabs between values; else as `read_csv`.

    Examples
    --------
    >>> lb.from_dict({"x": [1, 2], "t": ["a", "b"]}).to_csv("x.tsv", sep="\t")
    >>> lb.read_table("x.tsv").shape
    (2, 2)
    """
    return read_csv(filepath_or_buffer, sep=sep, **options)


def _marks(
    separator: str | None,
    thousands: str | None,
    decimal: str,
    quotechar: str,
    escapechar: str | None,
    comment: str | None,
) -> dict[str, object]:
    options: dict[str, object] = {}
    if separator is not None:
        if not 1 <= len(separator) <= 4 or "\\" in separator:
            raise UnsupportedError(
                f"sep={separator!r} is no separator of one to four characters.",
                hint="Regular expressions are not read; sep=None finds the separator out.",
            )
        options["delim"] = separator
    if thousands is not None:
        options["thousands"] = thousands
    if decimal != ".":
        options["decimal_separator"] = decimal
    if quotechar != '"':
        options["quote"] = quotechar
    if escapechar is not None:
        options["escape"] = escapechar
    if comment is not None:
        options["comment"] = comment
    return options


def _lines(header: int | str | None, names: Sequence[str] | None, skiprows: int | None) -> dict[str, object]:
    options: dict[str, object] = {}
    if header == "infer":
        header = 0 if names is None else None
    if header is not None and (not isinstance(header, int) or isinstance(header, bool) or header < 0):
        raise UnsupportedError(
            f"header={header!r} is no line.", hint="Give the number of the line with the names, or None."
        )
    if skiprows is not None and (not isinstance(skiprows, int) or skiprows < 0):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnsupportedError("skiprows is a number of lines.", hint="Leave other rows out by a condition.")
    options["header"] = header is not None
    # Said even when it is 0: else an engine takes lines that do not fit the last ones for notes, and leaves them out.
    options["skip"] = (skiprows or 0) + (header or 0)
    if names is not None:
        options["names"] = list(names)
    return options


def _missing(na_values: Any, keep: bool) -> list[str]:
    if isinstance(na_values, Mapping):
        raise UnsupportedError(
            "na_values by column is not read.", hint="Give a list for all, or replace them in the frame."
        )
    more = [] if na_values is None else [na_values] if isinstance(na_values, str | int | float) else na_values
    if not isinstance(more, Iterable):
        raise UnsupportedError(f"na_values={na_values!r} is no list.", hint="Give texts: ['-', 'missing'].")
    return list(dict.fromkeys([*(MISSING if keep else ("",)), *(str(item) for item in more)]))


def _types(dtype: Any) -> dict[str, str]:
    return {name: sql_type(kind) for name, kind in dtype.items()} if isinstance(dtype, Mapping) else {}


def _typed(frame: DataFrame, dtype: Any) -> DataFrame:
    if dtype is None or isinstance(dtype, Mapping) or sql_type(dtype) == "VARCHAR":
        return frame
    return frame.astype(dict.fromkeys(frame.columns, dtype))


def _dates(frame: DataFrame, parse_dates: bool | Sequence[str] | None) -> dict[str, str]:
    if parse_dates is None or isinstance(parse_dates, bool):
        return {}  # True is about the index in pandas; dates are found by themselves
    if isinstance(parse_dates, str):
        raise UnsupportedError("parse_dates is a list of columns.", hint=f"Write [{parse_dates!r}].")
    wanted: dict[str, str] = {}
    for name in parse_dates:
        frame.check_column(name)
        if not pa.types.is_timestamp(frame.schema.field(name).type):
            wanted[name] = "TIMESTAMP"
    return wanted


def _used(frame: DataFrame, usecols: Any) -> DataFrame:
    if usecols is None:
        return frame
    if callable(usecols):
        return frame[[name for name in frame.columns if usecols(name)]]
    listed = list(usecols)
    if all(isinstance(item, int) for item in listed):
        if any(not 0 <= item < len(frame.columns) for item in listed):
            raise SchemaError(
                f"usecols={listed}: the files have {len(frame.columns)} columns.", hint="Count from 0."
            )
        return frame[[name for place, name in enumerate(frame.columns) if place in listed]]
    for name in listed:
        frame.check_column(name)
    return frame[[name for name in frame.columns if name in listed]]
