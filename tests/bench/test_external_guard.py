"""The allow-list of files in queries, which nothing gets around."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from external_cases import REFUSED, SAME, bench, rows, work

import luma_bench as lb
from luma_bench.bench.allowed import AllowList, FileRefused
from luma_bench.errors import (
    ClosedError,
    KadeQLBindError,
    KadeQLError,
    KadeQLSyntaxError,
    KadeQLUnsupportedError,
    LumaError,
    UnsupportedError,
)
from luma_bench.language import parse
from luma_bench.language.files import file_calls

__all__ = ["bench", "work"]


@pytest.mark.parametrize("marked", REFUSED)
def test_nothing_outside_of_the_list_is_read(bench: lb.Bench, work: Path, marked: str):
    (work / "link.csv").symlink_to(work.parent / "secret.csv")
    (work / "folder_link").symlink_to(work.parent)
    os.mkfifo(work / "pipe.csv")
    marked = marked.replace("{secret}", str(work.parent / "secret.csv"))
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLUnsupportedError) as caught:
        bench.kadeql(text)
    assert caught.value.span == (start, end)
    assert caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_the_refusal_names_the_setting(bench: lb.Bench):
    with pytest.raises(KadeQLUnsupportedError, match=r"setting files.*LUMA_FILES"):
        bench.kadeql("FROM '../secret.csv'")


@pytest.mark.parametrize(
    "text",
    [
        "FROM query('FROM read_text(''all.csv'')')",
        "FROM read_duckdb('x.db')",
        "FROM __luma_read_csv('all.csv')",
        "FROM __luma_file('all.csv')",
        "FROM \"__luma_read_csv\"('all.csv')",
        "FROM sqlite_scan('b.luma/catalog.sqlite', 't')",
        "FROM parquet_scan_glob('*')",
        "SELECT getenv('HOME')",
        "COPY t FROM '../secret.csv'",
        "ATTACH 'all.csv' AS x",
    ],
)
def test_other_ways_to_files_stay_closed(bench: lb.Bench, text: str):
    with pytest.raises(LumaError):
        bench.kadeql(text)


def test_a_python_frame_is_no_table(bench: lb.Bench):
    hidden = pa.table({"password": ["hunter2"]})
    assert hidden.num_rows == 1
    with pytest.raises(KadeQLBindError):
        bench.kadeql("FROM hidden")
    with pytest.raises(KadeQLBindError):
        bench.kadeql("FROM 'hidden'")


def test_a_placeholder_in_a_string_is_text(bench: lb.Bench):
    assert rows(bench.kadeql("SELECT '__luma_file(''all.csv'')' AS s")) == [("__luma_file('all.csv')",)]
    assert rows(bench.kadeql("SELECT '__luma_glob(''*'')' AS s, count(*) FROM 'all.csv'")) == [
        ("__luma_glob('*')", 100)
    ]


def test_a_second_name_of_a_file_of_the_bench_is_refused(bench: lb.Bench, work: Path):
    (work / "copy.sqlite").hardlink_to(work / "b.luma" / "catalog.sqlite")
    with pytest.raises(KadeQLUnsupportedError, match="belongs to a bench"):
        bench.kadeql("SELECT size FROM read_blob('copy.sqlite')")
    (work / "second.csv").hardlink_to(work / "all.csv")
    assert rows(bench.kadeql("SELECT count(*) FROM 'second.csv'")) == [(100,)]


def test_other_benches_are_refused_too(bench: lb.Bench, work: Path):
    with lb.open(work / "other.luma") as other:
        other.write("s", {"a": [1]})
    with pytest.raises(KadeQLUnsupportedError, match="belongs to a bench"):
        bench.kadeql("FROM read_blob('other.luma/catalog.sqlite')")
    names = [row[0] for row in rows(bench.kadeql("FROM glob('**')"))]
    assert names
    assert not [name for name in names if ".luma/" in name]


def test_a_link_inside_of_the_list_is_followed(bench: lb.Bench, work: Path):
    (work / "alias.csv").symlink_to(work / "all.csv")
    assert rows(bench.kadeql("SELECT count(*) FROM 'alias.csv'")) == [(100,)]


def test_a_link_that_turns_while_the_query_waits_opens_nothing(bench: lb.Bench, work: Path):
    """The engine may open the real path that was checked, and no other, whatever the name means by then."""
    link = work / "turning.csv"
    link.symlink_to(work / "all.csv")
    statements = bench._machinery.statements  # pyright: ignore[reportPrivateUsage]
    (query,) = statements.parse("SELECT count(*) FROM 'turning.csv'")
    ask = lb.bench.ask.Ask(identity=bench.identity)
    bound = statements.runner.bind(query, ask, statements.runner.resolve(ask))
    link.unlink()
    link.symlink_to(work.parent / "secret.csv")
    assert bound.choice.engine.run(bound.fragment, bound.inputs).to_pylist() == [{"count_star()": 100}]
    real = work / "all.csv"
    real.unlink()
    real.symlink_to(work.parent / "secret.csv")
    with pytest.raises(KadeQLError):
        bound.choice.engine.run(bound.fragment, bound.inputs)


def test_no_files_when_the_setting_is_empty(work: Path):
    with (
        lb.open(work / "b.luma", files=()) as bench,
        pytest.raises(KadeQLUnsupportedError, match="Allowed: nothing"),
    ):
        bench.kadeql("FROM 'all.csv'")


def test_the_list_takes_folders_files_and_globs(work: Path):
    listed = [work / "parts", "all.csv", "*.json", "~no_such_user_here/x"]
    with pytest.raises(LumaError):
        lb.open(work / "bad.luma", files=listed).kadeql("FROM 'all.csv'")
    with lb.open(work / "b.luma", files=listed[:3]) as bench:
        assert rows(bench.kadeql("SELECT count(*) FROM 'all.csv'")) == [(100,)]
        assert rows(bench.kadeql("SELECT count(*) FROM 'all.json'")) == [(100,)]
        assert rows(bench.kadeql("SELECT count(*) FROM 'parts/*/*'".replace("/*'", "/a.parquet'"))) == [
            (100,)
        ]
        for name in ("all.parquet", "lines.ndjson"):
            with pytest.raises(KadeQLUnsupportedError):
                bench.kadeql(f"FROM '{name}'")
        with pytest.raises(KadeQLUnsupportedError):
            bench.kadeql("FROM '*.csv*'".replace("csv*", "parquet"))


# --- the pieces by themselves ---


def test_the_language_leaves_no_reader_by_its_own_name():
    from luma_bench.engines.duck_inspect import DuckInspector

    own = DuckInspector()
    try:
        for text in (*SAME, *(item.replace("«", "").replace("»", "") for item in REFUSED)):
            try:
                (statement,) = parse(text, own)
            except KadeQLSyntaxError:
                raise
            except KadeQLError:
                continue
            query = getattr(statement, "query", statement)
            assert file_calls(query.sql), text
            bare = query.sql.replace("__luma_", "\0")
            assert not [name for name in ("read_", "parquet_", "sniff_", "glob(") if f" {name}" in bare], (
                query.sql
            )
    finally:
        own.close()


def test_glob_entries_match_by_folder(tmp_path: Path):
    inner = tmp_path / "data" / "x"
    inner.mkdir(parents=True)
    for name in ("data/a.csv", "data/x/a.csv", "data/x/b.txt"):
        (tmp_path / name).write_text("a\n")
    flat = AllowList(["data/*.csv"], tmp_path, None, "files")
    deep = AllowList(["data/**/*.csv"], tmp_path, None, "files")
    assert flat.expanded("data/a.csv") == [tmp_path / "data/a.csv"]
    with pytest.raises(FileRefused):
        flat.expanded("data/x/a.csv")
    assert deep.expanded("data/**/*.csv") == [tmp_path / "data/a.csv", tmp_path / "data/x/a.csv"]
    with pytest.raises(FileRefused):
        deep.expanded("data/x/b.txt")
    with pytest.raises(FileRefused):
        deep.expanded("data/**/**")


def test_a_circle_of_links_ends(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").symlink_to(tmp_path)
    (tmp_path / "a" / "two").symlink_to(tmp_path)
    (tmp_path / "a" / "x.csv").write_text("a\n")
    listed = AllowList(["."], tmp_path, None, "files")
    assert listed.expanded("**/*.csv") == [tmp_path / "a" / "x.csv"]


def test_json_of_a_json_reader_is_a_value(bench: lb.Bench):
    (value,) = rows(bench.kadeql("SELECT json FROM read_json_objects('lines.ndjson') LIMIT 1"))
    assert json.loads(value[0])["id"] == 0


def test_a_closed_bench_reads_nothing(bench: lb.Bench):
    bench.kadeql("SELECT count(*) FROM 'all.csv'")
    bench.close()
    with pytest.raises(ClosedError):
        bench.kadeql("FROM 'all.csv'")


def test_urls_outside_of_the_list(work: Path):
    with lb.open(work / "b.luma", files=["https://host/data"]) as bench:
        for url in (
            "https://host/other/x.csv",
            "https://host/data/../x.csv",
            "https://host/data/%2e%2e/x.csv",
            "https://host.evil/data/x.csv",
            "https://host/database/x.csv",
            "http://host/data/x.csv",
            "https://user@host/data/x.csv",
        ):
            with pytest.raises(UnsupportedError):
                bench.kadeql(f"FROM '{url}'")


# --- globs, and files that are named wrongly ---


def test_a_glob_leaves_out_what_may_not_be_read_and_says_so(bench: lb.Bench, work: Path):
    (work / "more").mkdir()
    (work / "more" / "a.csv").write_text("n\n1\n")
    (work / "more" / "out.csv").symlink_to(work.parent / "secret.csv")
    (work / "more" / "dead.csv").symlink_to(work / "nowhere.csv")
    (work / "more" / "catalog.csv").hardlink_to(work / "b.luma" / "catalog.sqlite")
    os.mkfifo(work / "more" / "pipe.csv")
    for text in ("FROM 'more/*.csv'", "CREATE TABLE made AS FROM 'm*/*.csv'", "EXPLAIN FROM 'more/*.csv'"):
        (warning,) = bench.kadeql(text).run.warnings
        assert "leaves out 'more/catalog.csv', 'more/dead.csv', 'more/out.csv', …" in warning
    assert rows(bench.kadeql("FROM made")) == [(1,)]
    listed = bench.kadeql("FROM glob('more/*')")
    assert rows(listed) == [(str(work / "more" / "a.csv"),)]
    assert listed.run.warnings
    assert not bench.kadeql("FROM 'more/a*.csv'").run.warnings
    for name, told in (("out", "outside"), ("dead", "no file"), ("pipe", "regular"), ("catalog", "belongs")):
        for text in (f"FROM 'more/{name}.csv'", f"FROM 'more/{name[:3]}*.csv'"):
            with pytest.raises(KadeQLError, match=told) as caught:
                bench.kadeql(text)
            assert caught.value.span == (5, len(text))


@pytest.mark.parametrize(
    "statement",
    [
        "FROM «",
        "EXPLAIN FROM «",
        "INSERT INTO t SELECT 1, 'x' FROM «",
        "UPDATE t SET w = 'x' WHERE id IN (SELECT 1 FROM «)",
        "DELETE FROM t USING « AS f WHERE id = 1",
        "MERGE INTO t USING « AS f ON id = 1 WHEN MATCHED THEN DELETE",
    ],
)
def test_what_may_not_be_read_cannot_be_prepared(bench: lb.Bench, work: Path, statement: str):
    for file, told in (
        ("../secret.csv", "outside"),
        ("missing.csv", "no file"),
        ("https://x.org/a.csv", "outside"),
    ):
        text = f"PREPARE p AS {statement.replace('«', f"read_csv('{file}')")}"
        with pytest.raises(KadeQLError, match=told) as caught:
            bench.kadeql(text)
        start = text.index(f"'{file}'")
        assert caught.value.span == (start, start + len(file) + 2)
        with pytest.raises(KadeQLError, match=told):
            bench.prepare(text.removeprefix("PREPARE p AS "))
    bench.kadeql(f"PREPARE p AS {statement.replace('«', 'read_csv($file)')}")
    with pytest.raises(KadeQLUnsupportedError, match="outside"):
        bench.kadeql("EXECUTE p(file := '../secret.csv')")


def test_a_file_in_double_quotes_and_a_wrong_option_say_what_to_write(bench: lb.Bench):
    with pytest.raises(KadeQLUnsupportedError, match="single quotes: FROM"):
        bench.kadeql('FROM "all.csv"')
    text = "FROM read_csv('all.csv', nonsense = 1)"
    with pytest.raises(KadeQLBindError, match="read_csv has no option 'nonsense'") as caught:
        bench.kadeql(text)
    assert text[slice(*(caught.value.span or (0, 0)))] == "nonsense"


@pytest.mark.parametrize(
    "text",
    ["FROM '{long}.csv'", "FROM '{long}/a.csv'", "FROM '{long}*.csv'", "COPY t FROM '{long}.csv'"],
)
def test_a_name_that_no_file_can_have_is_no_file(bench: lb.Bench, text: str):
    with pytest.raises(KadeQLError, match=r"cannot be read|no file|No file"):
        bench.kadeql(text.replace("{long}", "n" * 300))
