"""Exports: exact round trips, options, types that a format cannot hold, and nothing left after a failure."""

from __future__ import annotations

import gzip
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.engines.duck_export import ExportOptions
from luma_bench.engines.duck_files import FileReader, FileWriter
from luma_bench.errors import LumaError, UnsupportedError


def write(table: pa.Table, path: Path, format: str | None = None, **options: Any) -> int:  # noqa: A002
    return FileWriter().write(table.to_reader(), path, format, options=ExportOptions(**options))


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)


@given(st.lists(st.tuples(st.none() | st.integers(-(2**40), 2**40), TEXTS, TEXTS), min_size=1, max_size=12))
@example([(None, "", None), (None, "0", None)])  # a text that looks like a number in a file without one
@example([(None, None, "'"), (None, None, "'")])  # a text that looks like quotes
@example([(None, None, "'"), (None, None, "'")])  # a text that looks like quotes
@settings(deadline=None, max_examples=drawn(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_csv_tells_null_from_empty_text(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    table = pa.table(
        {
            "i": pa.array([row[0] for row in rows], pa.int64()),
            "s": pa.array([row[1] for row in rows], pa.string()),
            "t": pa.array([row[2] for row in rows], pa.string()),
        }
    )
    path = tmp_path / "r.csv"
    write(table, path)
    assert FileReader().open(path, target=table.schema, header=True).read_all().equals(table)


def test_a_file_that_quotes_its_nulls_has_nulls(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text('a,b\n"1","x"\n"",""\n"3",\n')
    assert FileReader().open(path).read_all().to_pydict() == {"a": [1, None, 3], "b": ["x", None, None]}
    path.write_text('a,b\n1,"x"\n2,""\n3,\n')
    assert FileReader().open(path).read_all().to_pydict() == {"a": [1, 2, 3], "b": ["x", "", None]}


def test_csv_options(tmp_path: Path) -> None:
    table = pa.table({"a": [1, None], "s": ["x;y", None]})
    write(table, tmp_path / "o.csv", delimiter=";", null="NA", header=False)
    assert (tmp_path / "o.csv").read_text() == '1;"x;y"\nNA;NA\n'
    write(table, tmp_path / "o.csv.gz")
    assert gzip.decompress((tmp_path / "o.csv.gz").read_bytes()) == b"a,s\n1,x;y\n,\n"
    write(table, tmp_path / "o.csv.zst")
    assert FileReader().open(tmp_path / "o.csv.zst").read_all().equals(table)
    write(table, tmp_path / "o.json", compression="gzip")
    assert json.loads(gzip.decompress((tmp_path / "o.json").read_bytes())) == table.to_pylist()
    nested = pa.table({"l": [[1, None]], "d": [{"a": "x"}], "p": pa.array([90_000_000], pa.duration("us"))})
    write(nested, tmp_path / "n.csv")
    assert (tmp_path / "n.csv").read_text() == 'l,d,p\n"[1,null]","{""a"":""x""}",00:01:30\n'


def test_parquet_has_row_groups_statistics_and_a_page_index(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(10_000)), "s": [f"t{n}" for n in range(10_000)]})
    batches = pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=700)))
    FileWriter().write(batches, tmp_path / "p.parquet", options=ExportOptions(row_group_rows=3_000))
    found = pq.ParquetFile(tmp_path / "p.parquet")
    assert [found.metadata.row_group(i).num_rows for i in range(4)] == [3_000, 3_000, 3_000, 1_000]
    column = found.metadata.row_group(1).column(0)
    assert (column.statistics.min, column.statistics.max, column.compression) == (3_000, 5_999, "ZSTD")
    assert column.has_offset_index
    assert column.has_column_index
    assert found.read().equals(table)
    write(table, tmp_path / "p.parquet", compression="snappy")
    assert pq.ParquetFile(tmp_path / "p.parquet").metadata.row_group(0).column(0).compression == "SNAPPY"


def test_parquet_keeps_dictionaries_that_differ_from_batch_to_batch(tmp_path: Path) -> None:
    parts = [pa.table({"d": pa.array([f"{n}", "x", None]).dictionary_encode()}) for n in range(3)]
    reader = pa.RecordBatchReader.from_batches(
        parts[0].schema, (batch for part in parts for batch in part.to_batches())
    )
    FileWriter().write(reader, tmp_path / "d.parquet")
    assert pq.read_table(tmp_path / "d.parquet").column("d").cast(pa.string()).to_pylist() == [
        value for n in range(3) for value in (f"{n}", "x", None)
    ]


@pytest.mark.parametrize("name", ["d.arrow", "d.arrows"])
def test_arrow_keeps_dictionaries_that_differ_from_batch_to_batch(tmp_path: Path, name: str) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    parts = [
        pa.table({"d": pa.array([f"{n % 3}", "x", None, f"y{n}"]).dictionary_encode().cast(kind)})
        for n in range(6)
    ]
    batches = [batch for part in parts for batch in part.to_batches()]
    FileWriter().write(pa.RecordBatchReader.from_batches(parts[0].schema, iter(batches)), tmp_path / name)
    found = FileReader().open(tmp_path / name).read_all()
    assert found.schema.field("d").type == kind
    expected = [value for n in range(6) for value in (f"{n % 3}", "x", None, f"y{n}")]
    assert found.column("d").to_pylist() == expected


def test_arrow_files_and_streams(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "s": ["x", None]})
    for name, compression in (("t.arrow", None), ("t.feather", "lz4"), ("t.arrows", "none")):
        write(table, tmp_path / name, compression=compression)
        assert FileReader().open(tmp_path / name).read_all().equals(table)
    assert pa.ipc.open_stream(str(tmp_path / "t.arrows")).read_all().equals(table)


@pytest.mark.parametrize(
    ("array", "name", "told"),
    [
        (
            pa.array([pa.MonthDayNano([1, 2, 3])]),
            "x.parquet",
            "Parquet has no type for month_day_nano_interval",
        ),
        (pa.array([{}], pa.struct([])), "x.parquet", "Parquet has no type for struct"),
        (pa.array([None], pa.decimal256(50, 2)), "x.csv", "there is no text for decimal256"),
    ],
)
def test_types_that_a_format_cannot_hold(tmp_path: Path, array: pa.Array, name: str, told: str) -> None:
    with pytest.raises(UnsupportedError, match="Column 'c': ") as caught:
        write(pa.table({"c": array}), tmp_path / name)
    assert told in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_half_floats_are_written_as_text(tmp_path: Path) -> None:
    vector = pa.array([[0.5, 1.5]], pa.list_(pa.float16(), 2))
    write(pa.table({"v": vector, "h": pa.array([0.25], pa.float16())}), tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_text() == 'v,h\n"[0.5,1.5]",0.25\n'


def test_options_that_are_none_are_refused(tmp_path: Path) -> None:
    table = pa.table({"a": [1]})
    for name, options, told in [
        ("x.parquet", {"delimiter": ";"}, "no option 'delimiter'"),
        ("x.json", {"null": "NA"}, "no option 'null'"),
        ("x.csv", {"row_group_rows": 3}, "no option 'row_group_rows'"),
        ("x.csv", {"delimiter": ";;"}, "is no delimiter"),
        ("x.csv", {"compression": "snappy"}, "compressions are: none, gzip, zstd"),
        ("x.parquet", {"row_group_rows": 0}, "is no number of rows"),
    ]:
        with pytest.raises(UnsupportedError, match=told):
            write(table, tmp_path / name, **options)
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "A"])
    for name in ("x.csv", "x.parquet", "x.arrow", "x.json"):
        with pytest.raises(UnsupportedError, match="2 columns are named 'a'"):
            write(twice, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Files of this process may have 64 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.arrows", "t.csv", "t.ndjson"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: None, name: str) -> None:
    table = pa.table({"s": [f"{n * 7919 % 1_000_003:x}{n * 104_729 % 999_983:x}" for n in range(60_000)]})
    with pytest.raises(LumaError, match="cannot be written"):
        write(table, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.arrow"])
def test_progress_that_raises_ends_the_export(tmp_path: Path, name: str) -> None:
    table = pa.table({"a": list(range(1_000))})

    def stop(done: int, total: int | None) -> None:
        assert total == 1_000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FileWriter().write(table.to_reader(), tmp_path / name, total=1_000, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    table = pa.table({"a": [1]})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "file/below"):
        (tmp_path / "file").touch()
        with pytest.raises(LumaError, match=r"no file that could be replaced|cannot be written"):
            write(table, tmp_path / name, "csv")
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(table, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "a\n1\n"


def test_lines_that_do_not_fit_the_last_ones_are_no_notes(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6,7\n")
    assert FileReader().open(path).read_all().num_rows == 3
    path.write_text("\n\na,b\n1,2\n")
    assert FileReader().open(path).read_all().to_pydict() == {"a": [1], "b": [2]}
