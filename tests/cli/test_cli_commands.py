"""Every command, as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import luma_bench as lb

Program = Callable[..., Any]
TOP = "SELECT carrier, count(*) AS n FROM flights GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3"


def test_a_question_prints_a_plain_table(program: Program, bench_path: Path):
    run = program("query", "SELECT max(n) AS most, count(*) AS n FROM flights")
    assert run.returncode == 0
    assert run.stderr == ""
    assert [line.split(" │ ") for line in run.stdout.splitlines()[:4:3]] == [
        [" most", "    n"],
        ["58665", "    4"],
    ]


def test_a_question_from_a_file_and_from_standard_input(program: Program, bench_path: Path, tmp_path: Path):
    (tmp_path / "q.sql").write_text(TOP, "utf-8")
    assert program("query", "--file", "q.sql", "-f", "csv").stdout == '"carrier","n"\n"UA",2\n"B6",1\n,1\n'
    assert program("query", "-", "-f", "csv", stdin=TOP).stdout == '"carrier","n"\n"UA",2\n"B6",1\n,1\n'


def test_parameters(program: Program, bench_path: Path):
    run = program(
        "query",
        "SELECT count(*) AS c FROM flights WHERE n >= $lo AND carrier = $who",
        "-p",
        "lo=4",
        "-p",
        "who=UA",
        "-f",
        "ndjson",
    )
    assert json.loads(run.stdout) == {"c": 2}


def test_output_files_say_their_format(program: Program, bench_path: Path, tmp_path: Path):
    assert program("query", TOP, "-o", "x.parquet").returncode == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 3
    piped = subprocess.run(
        [sys.executable, "-c", "from luma_bench.cli.main import main; main()", "query", TOP, "-f", "arrow"],
        cwd=tmp_path, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert pa.ipc.open_stream(piped.stdout).read_all().num_rows == 3


def test_older_snapshots_by_tag_and_id(program: Program, bench_path: Path):
    with lb.open(bench_path) as bench:
        first = bench.snapshot
    assert "is tagged first" in program("tag", "first").stdout
    assert program("query", "INSERT INTO flights VALUES ('EV', 9)").returncode == 0
    for at in ("first", str(first)):
        assert (
            program("query", "SELECT count(*) AS n FROM flights", "--at", at, "-f", "csv").stdout
            == '"n"\n4\n'
        )
    assert program("query", "SELECT count(*) AS n FROM flights", "-f", "csv").stdout == '"n"\n5\n'
    listed = program("snapshots").stdout
    assert re.search(rf"^{first} .*\bfirst\b", listed, re.MULTILINE)


def test_explain_shows_a_plan_and_runs_nothing(program: Program, bench_path: Path):
    run = program("query", "--explain", "SELECT count(*) FROM flights")
    assert "duckdb" in run.stdout


def test_a_wrong_question_shows_a_caret_and_fails(program: Program, bench_path: Path):
    for extra in ([], ["--explain"]):
        run = program("query", *extra, "SELECT carier FROM flights")
        assert run.returncode == 1
        assert run.stdout == ""
        lines = run.stderr.splitlines()
        assert lines[0].startswith("error: ")
        assert lines[1] == "line 1: SELECT carier FROM flights"
        assert lines[2].rstrip() == " " * 15 + "^^^^^^"
        assert "carrier" in lines[3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["query"], "Ask something"),
        (["query", "SELECT 1", "--format", "xml"], "formats are"),
        (["query", "SELECT 1", "-p", "x"], "name=value"),
        (["query", "--nonsense"], "No such option"),
        (["qeury", "SELECT 1"], "'query'"),
        (["import", "t", "x.csv", "--mode", "merge"], "modes are"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], said: str, program: Program, bench_path: Path):
    run = program(*arguments, COLUMNS="200")
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_no_bench_is_wrong_usage_and_a_missing_one_is_refused(program: Program, tmp_path: Path):
    run = program("query", "SELECT 1")
    assert run.returncode == 2
    assert "--bench PATH" in run.stderr
    run = program("query", "SELECT 1", "--bench", "missing.luma")
    assert run.returncode == 1
    assert "no bench at" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_environment_names_the_bench(program: Program, bench_path: Path, tmp_path: Path):
    (tmp_path / "other.luma").mkdir()
    assert program("tables", LUMA_BENCH=str(bench_path)).returncode == 0


def test_reading_only_refuses_writes(program: Program, bench_path: Path):
    run = program("query", "--read-only", "INSERT INTO flights VALUES ('EV', 9)")
    assert run.returncode == 1
    assert "read-only" in run.stderr


def test_import_and_export_round_trip(program: Program, tmp_path: Path):
    pq.write_table(pa.table({"k": [2, 1], "v": ["b", "a"]}), tmp_path / "one.parquet")
    (tmp_path / "two.csv").write_text("k,v\n3,c\n", "utf-8")
    run = program(
        "import", "pairs", "one.parquet", "--bench", "new.luma", "--sort-by", "k", "--message", "pairs"
    )
    assert run.returncode == 0, run.stderr
    assert "table pairs has 2 rows" in run.stdout
    assert program("import", "pairs", "two.csv", "--mode", "append").returncode == 0
    assert program("import", "pairs", "one.parquet").returncode == 1
    assert program("export", "pairs", "all.csv").stdout == "all.csv: 3 rows.\n"
    assert program("export", "SELECT * FROM pairs ORDER BY k", "all.parquet").returncode == 0
    assert pq.read_table(tmp_path / "all.parquet").to_pydict() == {"k": [1, 2, 3], "v": ["a", "b", "c"]}
    assert "There is no table 'pair'" in program("export", "pair", "x.csv").stderr


def test_tables(program: Program, bench_path: Path):
    assert re.search(r"flights .*4", program("tables").stdout)


def test_check_finds_a_flipped_byte(program: Program, tmp_path: Path):
    path = tmp_path / "big.luma"
    with lb.open(path, inline_bytes=0) as bench:
        bench.write("t", {"a": list(range(10_000))}, mode="create")
    run = program("check")
    assert (run.returncode, run.stdout) == (0, "big.luma: no problems.\n")
    (segment,) = path.rglob("*.zarr.zip")
    with zipfile.ZipFile(segment) as archive:
        column = max(
            archive.infolist(),
            key=lambda entry: ("/c/" in entry.filename and "_index" not in entry.filename, entry.file_size),
        )
    body = bytearray(segment.read_bytes())
    body[column.header_offset + 30 + len(column.filename) + column.file_size // 2] ^= 1
    segment.write_bytes(body)
    run = program("check")
    assert run.returncode == 3
    assert segment.name.partition(".")[0] in run.stdout


def test_config_says_where_settings_come_from(program: Program, bench_path: Path):
    text = program("config", LUMA_THREADS="3").stdout
    assert re.search(r"^threads +3 +LUMA_THREADS$", text, re.MULTILINE)
    assert re.search(r"^chunk_rows +131072 +default$", text, re.MULTILINE)
    (bench_path / "luma.toml").write_text(
        (bench_path / "luma.toml").read_text("utf-8") + "\nauthor = 'ada'\n", "utf-8"
    )
    assert re.search(r"^author +ada +.*luma.toml$", program("config").stdout, re.MULTILINE)


def test_config_without_a_bench_and_with_a_wrong_setting(program: Program):
    assert program("config").returncode == 0
    run = program("config", LUMA_THREADS="many")
    assert run.returncode == 1
    assert "LUMA_" in run.stderr


def test_doctor_and_version(program: Program):
    assert re.search(r"^duckdb +yes$", program("doctor").stdout, re.MULTILINE)
    assert program("version").stdout.strip() == lb.__version__


def test_help_loads_no_engine():
    code = "import sys; from luma_bench.cli.main import app; app(['query', '--help'], standalone_mode=False); print(sorted({'pyarrow', 'duckdb', 'pandas', 'zarr', 'sqlalchemy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_pipe_that_closes_is_no_error(bench_path: Path, tmp_path: Path):
    program = f"{sys.executable} -c 'from luma_bench.cli.main import main; main()'"
    command = f"set -o pipefail; {program} query 'SELECT * FROM range(300000)' -f csv | head -1"
    run = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout == '"range"\n'
    assert run.stderr == ""
    assert run.returncode == 141


INTERRUPTED_SOON = """
import os, signal, threading, time
from luma_bench.cli.main import main
def interrupt():
    while not any(thread.name == "luma-interrupt" for thread in threading.enumerate()):
        time.sleep(0.01)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
main()
"""


def test_ctrl_c_stops_a_question(bench_path: Path, tmp_path: Path):
    endless = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_SOON, "query", endless],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 130
    assert "Cancelled after" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_terminal_gets_a_table_that_fits(bench_path: Path, tmp_path: Path):
    columns = ", ".join(f"{number} AS column_{number}" for number in range(30))
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from luma_bench.cli.main import main; main()", "query", f"SELECT {columns}, NULL AS nothing"],
        cwd=tmp_path, stdout=follower, stderr=follower, env=os.environ | {"COLUMNS": "80", "TERM": "xterm"},
    )  # fmt: skip
    process.wait(timeout=60)
    os.close(follower)
    text = os.read(leader, 100_000).decode()
    os.close(leader)
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line).rstrip("\r") for line in text.splitlines()]
    assert process.returncode == 0
    assert all(len(line) <= 80 for line in lines if "snapshot" not in line)
    assert any("31 columns" in line for line in lines)
    assert "duckdb" in lines[-1]


def test_older_snapshots_by_time(program: Program, bench_path: Path):
    question = "SELECT count(*) AS n FROM flights"
    assert program("query", question, "--at", "2999-01-01", "-f", "csv").stdout == '"n"\n4\n'
    run = program("query", question, "--at", "1999-12-31T23:59:59Z")
    assert run.returncode == 1
    assert "no snapshot" in run.stderr
