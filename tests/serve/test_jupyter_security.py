"""Who may ask, and which benches are opened: on a real server, with requests as scripts and pages make them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jupyter_process import TOKEN, JupyterProcess, with_token

from luma_bench.serve.jupyter.extension import HANDLERS
from luma_bench.serve.jupyter.handlers import LumaHandler

POSTS = ("lint", "format", "hover", "complete")
GETS = ("catalog", "table", "preview", "snapshots", "benches")
BODY = b'{"text": "SELECT 1"}'


def test_every_address_is_among_those_that_are_tested() -> None:
    assert set(HANDLERS) == {*POSTS, *GETS}


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=list(HANDLERS))
def test_every_method_asks_who_it_is(handler: type[LumaHandler]) -> None:
    methods = [name for name in ("get", "post", "put", "patch", "delete", "head") if name in dir(handler)]
    own = [name for name in methods if getattr(handler, name).__module__.startswith(("luma", "tornado.web")) and
           getattr(handler, name).__qualname__ != "RequestHandler._unimplemented_method"]  # fmt: skip
    assert own
    for name in own:
        assert getattr(handler, name).__wrapped__, f"{name} of {handler.__name__} is open to everybody"


@pytest.mark.parametrize("headers", [{}, with_token("wrong"), {"Cookie": "username-localhost=forged"}])
@pytest.mark.parametrize("what", [*POSTS, *GETS])
def test_without_the_token_nothing_is_answered(
    server: JupyterProcess, what: str, headers: dict[str, str]
) -> None:
    method, body = ("POST", BODY) if what in POSTS else ("GET", None)
    reply = server.ask(method, f"luma-bench/{what}?bench=deep/shop.luma&name=orders", body, headers)
    assert reply.status == 403
    assert set(reply.json) == {"message", "hint", "line", "column"}
    assert b"orders" not in reply.body


@pytest.mark.parametrize("what", POSTS)
def test_a_page_elsewhere_cannot_post_with_the_readers_cookies(server: JupyterProcess, what: str) -> None:
    browser = server.browser()
    path = f"luma-bench/{what}"
    assert browser.ask("POST", path, BODY).status == 403
    assert browser.ask("POST", path, BODY, X_XSRFToken="2|wrong").status == 403
    assert browser.ask("POST", path, BODY, X_XSRFToken=browser.xsrf).status == 200
    elsewhere = browser.ask("POST", path, BODY, X_XSRFToken=browser.xsrf, Origin="https://elsewhere.example")
    assert elsewhere.status in (403, 404)


@pytest.mark.parametrize("what", GETS)
def test_a_page_elsewhere_cannot_read_with_the_readers_cookies(server: JupyterProcess, what: str) -> None:
    browser = server.browser()
    path = f"luma-bench/{what}?bench=deep/shop.luma&name=orders"
    assert browser.ask("GET", path).status == 403
    assert browser.ask("GET", path, Referer="https://elsewhere.example/page").status == 403
    assert browser.ask("GET", path, Referer=server.url + "lab").status == 200
    assert browser.ask("GET", path, X_XSRFToken=browser.xsrf).status == 200


@pytest.mark.parametrize("what", [*POSTS, *GETS])
def test_the_servers_authorizer_has_the_last_word(server: JupyterProcess, what: str) -> None:
    method, body = ("POST", BODY) if what in POSTS else ("GET", None)
    path = f"luma-bench/{what}?bench=deep/shop.luma&name=orders"
    assert server.ask(method, path, body, with_token()).status == 200
    assert server.ask(method, path, body, with_token() | {"X-Stay-Out": "1"}).status == 403


def test_replies_run_nothing_in_a_page(server: JupyterProcess) -> None:
    headers = server.get("catalog", bench="deep/shop.luma").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


OUTSIDE = [
    "{places}/secret/x.luma",
    "../secret/x.luma",
    "deep/../../secret/x.luma",
    "deep/shop.luma/../../../secret/x.luma",
    "{places}/root/../secret/x.luma",
    "{places}/root-twin/x.luma",
    "leads-out.luma",
    "folder-out/x.luma",
    "{places}/root/leads-out.luma",
    "{places}/allowed/../secret/x.luma",
    "{places}/secret/there-is-none.luma",
    "/etc",
    "/proc/self/root{places}/secret/x.luma",
    "https://elsewhere.example/x.luma",
    "file://{places}/secret/x.luma",
    "s3://bucket/x.luma",
]


@pytest.mark.parametrize("what", ["catalog", "table", "preview", "snapshots"])
@pytest.mark.parametrize("path", OUTSIDE)
def test_benches_outside_are_refused_whether_they_are_there_or_not(
    server: JupyterProcess, places: Path, path: str, what: str
) -> None:
    reply = server.get(what, bench=path.format(places=places), name="t")
    assert reply.status == 403
    assert "may not open" in reply.json["message"]
    assert "allowed_benches" in reply.json["hint"]


@pytest.mark.parametrize("path", ["", "a\0b", "deep", "deep/none.luma", "x" * 5000])
def test_what_is_no_bench_is_not_found(server: JupyterProcess, path: str) -> None:
    assert server.get("catalog", bench=path).status in (400, 404)


def test_a_bench_whose_files_lead_out_is_refused(server: JupyterProcess, places: Path) -> None:
    trap = places / "root" / "trap.luma"
    trap.mkdir()
    (trap / "luma.toml").write_text("format = 1\n")
    (trap / "catalog.sqlite").symlink_to(places / "secret" / "x.luma" / "catalog.sqlite")
    assert server.get("catalog", bench="trap.luma").status == 403


def test_editing_goes_on_without_a_bench_that_may_not_be_opened(server: JupyterProcess, places: Path) -> None:
    text = "SELECT a FROM t"
    reply = server.post("lint", text=text, bench=str(places / "secret" / "x.luma"))
    assert (reply.status, reply.json["bench"]) == (200, False)
    known = server.post("complete", text="SELECT * FROM ", offset=14, bench="../secret/x.luma").json
    assert known["bench"] is False
    assert "t" not in [item["text"] for item in known["items"]]


def test_links_and_other_spellings_of_an_allowed_bench_are_opened(
    server: JupyterProcess, places: Path
) -> None:
    spellings = [
        "deep/shop.luma", "leads-in.luma", "./deep//shop.luma/", "deep/../deep/shop.luma",
        str(places / "root" / "deep" / "shop.luma"), str(places / "root" / "leads-in.luma"),
    ]  # fmt: skip
    for spelling in spellings:
        reply = server.get("catalog", bench=spelling)
        assert reply.status == 200, spelling
        assert "orders" in [table["name"] for table in reply.json["tables"]]


def test_the_allow_list_opens_what_it_names(server: JupyterProcess, places: Path) -> None:
    reply = server.get("catalog", bench=places / "allowed" / "x.luma")
    assert [table["name"] for table in reply.json["tables"]] == ["t"]


def test_an_address_is_opened_only_when_it_is_on_the_allow_list(
    server: JupyterProcess, published: str
) -> None:
    reply = server.get("catalog", bench=published + "/")
    assert (reply.status, [table["name"] for table in reply.json["tables"]]) == (200, ["flights"])
    assert server.get("preview", bench=published, name="flights").json["rows"] == 2
    for other in (published[:-1], published + "/../source.luma", published.replace("127.0.0.1", "localhost")):
        assert server.get("catalog", bench=other).status == 403
    assert published in [item["path"] for item in server.get("benches").json["benches"]]


def test_nothing_is_written_into_a_bench(server: JupyterProcess, places: Path) -> None:
    bench = places / "root" / "deep" / "shop.luma"

    def state() -> dict[str, tuple[int, int]]:
        found = [Path(folder) / name for folder, _, names in os.walk(bench) for name in names]
        # SQLite's own shared memory beside the catalog comes and goes with its readers.
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in found
            if path.suffix not in (".sqlite-wal", ".sqlite-shm")
        }

    before = state()
    for what in ("catalog", "table", "preview", "snapshots"):
        assert server.get(what, bench=bench, name="orders").status == 200
    text = "DELETE FROM orders; DROP TABLE customers; COPY orders TO 'out.csv'"
    assert server.post("lint", text=text, bench=str(bench)).status == 200
    assert state() == before
    assert not (places / "out.csv").exists()


def test_a_text_never_runs(server: JupyterProcess) -> None:
    reply = server.post("lint", text="SELECT * FROM ages", bench="deep/shop.luma")
    assert reply.status == 200


def test_the_servers_log_has_no_token_and_no_traceback(server: JupyterProcess) -> None:
    server.ask("POST", "luma-bench/lint", b"{", with_token())
    server.ask("POST", "luma-bench/lint", json.dumps({"text": "x" * 2_000_001}).encode(), with_token())
    log = server.log()
    assert "luma_bench/serve" not in log  # a line of a traceback; kernels have theirs here too
    assert not [line for line in log.splitlines() if "luma-bench/" in line and TOKEN in line]
