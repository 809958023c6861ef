"""What the handlers answer: shapes, places in UTF-16 code units, errors, and benches that change meanwhile."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mistune
import pytest
from jupyter_process import SLOW, JupyterProcess, with_token

import luma_bench as lb

SHOP = "deep/shop.luma"


def units(text: str) -> int:
    """How browsers count."""
    return len(text.encode("utf-16-le")) // 2


# --- editing ---


def test_lint_points_at_the_place_in_utf16_units(server: JupyterProcess) -> None:
    text = "SELECT '🙂🙂' AS face, nothing_there FROM orders"
    reply = server.post("lint", text=text, bench=SHOP).json
    problem = next(item for item in reply["problems"] if item["severity"] == "error")
    assert (
        text.encode("utf-16-le")[2 * problem["from"] : 2 * problem["to"]].decode("utf-16-le")
        == "nothing_there"
    )
    assert problem["message"]
    assert all(set(fix) == {"label", "from", "to", "text"} for fix in problem["fixes"])


def test_lint_counts_the_lines_of_the_whole_cell(server: JupyterProcess) -> None:
    text = "%%kadeql --limit 3\nSELECT * FROM order\n"
    problems = server.post("lint", text=text, cell=True, bench=SHOP).json["problems"]
    assert problems
    assert all(item["from"] >= units("%%kadeql --limit 3\n") for item in problems)


def test_a_right_text_has_no_problems(server: JupyterProcess) -> None:
    assert server.post("lint", text="SELECT amount FROM orders", bench=SHOP).json == {
        "problems": [],
        "bench": True,
    }
    assert server.post("lint", text="SELECT 1 AS one").json == {"problems": []}


def test_lint_reads_the_snapshot_it_is_told(server: JupyterProcess) -> None:
    text = "SELECT amount FROM orders"
    assert server.post("lint", text=text, bench=SHOP, at="opened").json["problems"]


def test_half_of_a_character_is_no_failure(server: JupyterProcess) -> None:
    body = b'{"text": "SELECT \'\\ud83d\' AS a, b FROM orders", "bench": "deep/shop.luma"}'
    reply = server.ask("POST", "luma-bench/lint", body, with_token())
    assert reply.status == 200
    assert [item["from"] for item in reply.json["problems"]] == [units("SELECT '?' AS a, ")]


def test_format_keeps_the_magics_line(server: JupyterProcess) -> None:
    assert server.post("format", text="select 1").json == {"text": "SELECT 1"}
    cell = server.post("format", text="%%kadeql --limit 3\nselect a from t", cell=True).json
    assert cell == {"text": "%%kadeql --limit 3\nSELECT a FROM t"}


def test_format_says_where_a_text_is_wrong(server: JupyterProcess) -> None:
    reply = server.post("format", text="SELECT 1,\n  '🙂' (2")
    assert reply.status == 400
    assert (reply.json["line"], reply.json["column"]) == (2, units("  '🙂' ("))
    assert "^" not in reply.json["message"]


def test_hover_tells_of_the_word_at_the_place(server: JupyterProcess) -> None:
    text = "SELECT '🙂', amount FROM orders"
    at = units("SELECT '🙂', am")
    reply = server.post("hover", text=text, offset=at, bench=SHOP).json
    assert (reply["from"], reply["to"]) == (units("SELECT '🙂', "), units("SELECT '🙂', amount"))
    assert "amount" in reply["markdown"]
    assert server.post("hover", text="   ", offset=1).json == {}


def test_completion_offers_tables_and_replaces_what_is_typed(server: JupyterProcess) -> None:
    text = "SELECT '🙂' FROM ord"
    reply = server.post("complete", text=text, offset=units(text), bench=SHOP).json
    assert (reply["from"], reply["to"]) == (units("SELECT '🙂' FROM "), units(text))
    first = reply["items"][0]
    assert (first["text"], first["kind"]) == ("orders", "table")
    assert {"detail", "doc"} <= set(first)


def test_an_offset_past_the_text_is_its_end(server: JupyterProcess) -> None:
    assert server.post("complete", text="SEL", offset=10_000).status == 200
    assert server.post("hover", text="SEL", offset=10_000).status == 200


def test_a_file_that_a_text_names_is_not_looked_for(server: JupyterProcess, places: Path) -> None:
    (places / "root" / "here.csv").write_text("first,second\n1,2\n")
    for name in (
        places / "root" / "here.csv",
        "here.csv",
        "nowhere.csv",
        "https://elsewhere.example/x.parquet",
    ):
        text = f"SELECT nothing FROM '{name}' JOIN orders ON true"
        reply = server.post("lint", text=text, bench=SHOP)
        assert [item for item in reply.json["problems"] if item["severity"] == "error"] == [], name


# --- catalogs ---


def test_the_catalog_lists_what_the_bench_has(server: JupyterProcess) -> None:
    reply = server.get("catalog", bench=SHOP).json
    assert reply["bench"] == str(server.root / SHOP)
    tables = {table["name"]: table for table in reply["tables"]}
    assert (tables["orders"]["kind"], tables["orders"]["rows"], tables["orders"]["columns"]) == (
        "table",
        3,
        3,
    )
    assert tables["big"]["kind"] == "view"
    assert tables["customers"]["key"] == ["id"]
    assert [graph["name"] for graph in reply["graphs"]] == ["trade"]
    assert "opened" in json.dumps(reply["tags"])


def test_the_catalog_of_a_tag_is_that_of_its_snapshot(server: JupyterProcess) -> None:
    reply = server.get("catalog", bench=SHOP, at="opened").json
    assert [table["name"] for table in reply["tables"]] == ["customers"]


def test_a_table_tells_its_columns(server: JupyterProcess) -> None:
    reply = server.get("table", bench=SHOP, name="orders").json
    columns = {column["name"]: column for column in reply["columns"]}
    assert columns["amount"]["type"] == "DOUBLE"
    assert (float(columns["amount"]["min"]), float(columns["amount"]["max"])) == (7.25, 20.0)
    counted = server.get("table", bench=SHOP, name="orders", distinct="true").json
    assert {column["name"]: column["distinct"] for column in counted["columns"]}["customer"] == 2
    bare = server.get("table", bench=SHOP, name="orders", statistics="false").json
    assert [column["name"] for column in bare["columns"]] == ["id", "customer", "amount"]


def test_a_preview_shows_the_first_rows(server: JupyterProcess) -> None:
    reply = server.get("preview", bench=SHOP, name="orders", rows=2).json
    assert (reply["rows"], reply["columns"]) == (2, 3)
    assert reply["html"].count("<tr") >= 3
    assert server.get("preview", bench=SHOP, name="big").json["rows"] == 2


def test_names_and_data_are_text_in_a_preview(server: JupyterProcess) -> None:
    html = server.get("preview", bench=SHOP, name="<script>alert(1)</script>").json["html"]
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_snapshots_come_page_by_page_newest_first(server: JupyterProcess) -> None:
    first = server.get("snapshots", bench=SHOP, limit=2).json
    ids = [item["id"] for item in first["snapshots"]]
    assert first["more"] is True
    assert ids == sorted(ids, reverse=True)
    rest = server.get("snapshots", bench=SHOP, before=ids[-1], limit=500).json
    assert rest["more"] is False
    assert all(item["id"] < ids[-1] for item in rest["snapshots"])
    assert ["opened"] in [item["tags"] for item in rest["snapshots"]]


def test_benches_are_found_by_name(server: JupyterProcess, places: Path) -> None:
    reply = server.get("benches").json
    found = {item["name"]: item["path"] for item in reply["benches"]}
    assert found["deep/shop.luma"] == str(places / "root" / "deep" / "shop.luma")
    assert str(places / "allowed" / "x.luma") in found.values()
    assert not any("secret" in path or "leads" in path for path in found.values())


# --- failures ---


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "no JSON"),
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        (b"[]", 400, "object"),
        (b"{}", 400, "text"),
        (b'{"text": 1}', 400, "text"),
        (b'{"text": "", "offset": -1}', 400, "offset"),
        (b'{"text": "", "cell": "yes"}', 400, "cell"),
        (json.dumps({"text": "x" * 2_000_001}).encode(), 413, "2,000,000"),
        (b" " * 13_000_000, 413, "2,000,000"),
    ],
)
def test_wrong_bodies_are_told_what_is_wrong(
    server: JupyterProcess, body: bytes, status: int, says: str
) -> None:
    reply = server.ask("POST", "luma-bench/complete", body, with_token())
    assert reply.status == status
    assert says in reply.json["message"]
    assert reply.json["hint"]


@pytest.mark.parametrize(
    ("what", "arguments", "status", "says"),
    [
        ("catalog", {}, 400, "bench"),
        ("catalog", {"bench": SHOP, "at": "no-such-tag"}, 404, "no-such-tag"),
        ("table", {"bench": SHOP}, 400, "name"),
        ("table", {"bench": SHOP, "name": "order"}, 404, "order"),
        ("preview", {"bench": SHOP, "name": "order"}, 404, "order"),
        ("preview", {"bench": SHOP, "name": "orders", "rows": 0}, 400, "rows"),
        ("preview", {"bench": SHOP, "name": "orders", "rows": 1001}, 400, "rows"),
        ("snapshots", {"bench": SHOP, "limit": "many"}, 400, "limit"),
        ("snapshots", {"bench": SHOP, "before": "-1"}, 400, "before"),
    ],
)
def test_wrong_arguments_are_told_what_is_wrong(
    server: JupyterProcess, what: str, arguments: dict[str, object], status: int, says: str
) -> None:
    reply = server.get(what, **arguments)
    assert reply.status == status
    assert says in reply.json["message"]
    assert reply.json["hint"]


def test_a_slow_preview_is_given_up_and_keeps_nobody_waiting(server: JupyterProcess) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(server.get, "preview", bench=SHOP, name="ages") for _ in range(2)]
        leave_at_once(server)
        time.sleep(0.3)
        assert server.post("lint", text="SELECT amount FROM orders", bench=SHOP).status == 200
        assert server.ask("GET", "api/status", headers=with_token()).status == 200
        assert not any(future.done() for future in slow)
        assert [future.result().status for future in slow] == [504, 504]
    assert time.monotonic() - started >= SLOW * 0.9
    # The threads are free again: what was given up was stopped.
    assert server.get("preview", bench=SHOP, name="orders").status == 200


def leave_at_once(server: JupyterProcess) -> None:
    """Ask for a slow preview, and go away before it comes: the server takes no harm, see its log."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=0.5)
    path = f"{address.path}luma-bench/preview?bench={SHOP}&name=ages"
    connection.request("GET", path, headers=with_token())
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


# --- benches that change ---


def test_a_removed_bench_is_gone_and_a_new_one_is_another(server: JupyterProcess, places: Path) -> None:
    path = places / "root" / "passing.luma"

    def tables() -> list[str]:
        return [table["name"] for table in server.get("catalog", bench="passing.luma").json["tables"]]

    for name in ("one", "two"):
        with lb.open(path) as bench:
            bench.write(name, {"a": [1]}, mode="create")
        assert tables() == [name]
        shutil.rmtree(path)
        assert server.get("catalog", bench="passing.luma").status == 404
        assert server.post("lint", text="SELECT 1", bench="passing.luma").json["bench"] is False


_WRITER = """
import sys
import luma_bench as lb
with lb.open(sys.argv[1]) as bench:
    for number in range(4):
        bench.write("t", {"a": [number]}, mode="append")
        bench.write(f"{sys.argv[2]}{number}", {"a": [number]}, mode="create")
"""


def test_readers_see_whole_snapshots_while_two_processes_write(server: JupyterProcess, places: Path) -> None:
    path = places / "root" / "written.luma"
    with lb.open(path) as bench:
        bench.write("t", {"a": [0]}, mode="create")
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in ("left", "right")
    ]
    seen: list[tuple[int, int, int]] = []
    try:
        while any(writer.poll() is None for writer in writers):
            reply = server.get("catalog", bench="written.luma")
            assert reply.status == 200, reply.body
            tables = {table["name"]: table["rows"] for table in reply.json["tables"]}
            seen.append((reply.json["snapshot"], tables["t"], len(tables)))
            assert server.get("preview", bench="written.luma", name="t").status == 200
    finally:
        for writer in writers:
            writer.wait(60)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == sorted(seen)
    # Each step of a writer first adds a row to t, then makes a table.
    assert all(0 <= rows - made <= 2 for _, rows, made in seen)
    last = server.get("catalog", bench="written.luma").json
    assert len(last["tables"]) == 9
    assert {table["name"]: table["rows"] for table in last["tables"]}["t"] == 9


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_catalog_of_many_tables_comes_whole(server: JupyterProcess, places: Path, count: int) -> None:
    with lb.open(places / "root" / f"many{count}.luma") as bench, bench.transaction() as inside:
        for number in range(count):
            inside.write(f"t{number:04}", {"a": [number], "b": ["x"]}, mode="create")
    tables = server.get("catalog", bench=f"many{count}.luma").json["tables"]
    assert [table["name"] for table in tables] == [f"t{number:04}" for number in range(count)]


def test_a_table_of_a_thousand_columns_has_a_small_preview(server: JupyterProcess, places: Path) -> None:
    with lb.open(places / "root" / "wide.luma") as bench:
        bench.write("wide", {f"c{number}": [number] for number in range(1000)}, mode="create")
    reply = server.get("preview", bench="wide.luma", name="wide")
    assert reply.json.get("columns") == 1000, reply.json
    assert len(reply.body) < 100_000


def test_a_view_over_a_file_is_not_read_here(server: JupyterProcess, places: Path) -> None:
    data = places / "root" / "rows.csv"
    data.write_text("a,b\n1,hidden-in-the-file\n")
    with lb.open(places / "root" / "filed.luma", files=[str(places / "root")]) as bench:
        bench.kadeql(f"CREATE VIEW rows AS SELECT * FROM '{data}'")
    reply = server.get("preview", bench="filed.luma", name="rows")
    assert reply.status == 400
    assert "hidden-in-the-file" not in reply.body.decode()


def test_published_snapshots_are_served_and_new_ones_seen(server: JupyterProcess, places: Path) -> None:
    with lb.open(places / "own.luma") as bench:
        for rows, name in ((1, "one"), (2, "two")):
            bench.write(name, {"a": [0] * rows}, mode="create")
            bench.publish(places / "root" / "shared-copy")
            reply = server.get("catalog", bench="shared-copy")
            assert name in [table["name"] for table in reply.json["tables"]]
            assert server.get("preview", bench="shared-copy", name=name).json["rows"] == rows
    found = {item["name"]: item["published"] for item in server.get("benches").json["benches"]}
    assert found["shared-copy"] is True


def test_names_and_comments_are_text_in_hover(server: JupyterProcess, places: Path) -> None:
    evil = "<img src=https://elsewhere.example/x> ![y](https://elsewhere.example/y) [z](javascript:alert(1)) `a` **b**"
    with lb.open(places / "root" / "evil.luma") as bench:
        bench.write("t", {"a": [evil], "<img src=https://elsewhere.example/c>": [1]}, mode="create")
        literal = evil.replace("'", "''")
        bench.kadeql(f"COMMENT ON TABLE t IS '{literal}'; COMMENT ON COLUMN t.a IS '{literal}'")
    text = "SELECT a FROM t"
    for offset in (7, 14):
        markdown = server.post("hover", text=text, offset=offset, bench="evil.luma").json["markdown"]
        assert "elsewhere" in markdown  # it is shown
        rendered = mistune.html(markdown)
        assert "<img" not in rendered
        assert "href" not in rendered
