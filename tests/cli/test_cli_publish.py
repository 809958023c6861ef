"""`luma-bench publish` and `withdraw`, and asking a bench by its URL."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luma_bench as lb

Program = Callable[..., Any]


class Silent(http.server.SimpleHTTPRequestHandler):
    """A web server without byte ranges: enough for a catalog file with inline rows."""

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def web(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=folder))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_published_bench_is_asked_by_its_url(program: Program, tmp_path: Path):
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"a": [1, 2]})
        bench.tag("first")
        bench.write("t", {"a": [3]}, mode="append")
    where = ("--bench", str(tmp_path / "b.luma"))
    done = program("publish", str(tmp_path / "pub"), "--at", "first", *where)
    assert done.returncode == 0, done.stderr
    assert "snapshot 2 is published; 0 of 0 segments were new" in done.stdout
    assert program("publish", str(tmp_path / "pub"), *where).returncode == 0
    with web(tmp_path) as url:
        cache = {"LUMA_CACHE_DIR": str(tmp_path / "cache"), "LUMA_BENCH": f"{url}/pub"}
        done = program("query", "SELECT sum(a) AS s FROM t", "--format", "csv", **cache)
        assert (done.returncode, done.stdout.split()) == (0, ['"s"', "6"]), done.stderr
        done = program("query", "SELECT sum(a) AS s FROM t", "--format", "csv", "--at", "first", **cache)
        assert done.stdout.split() == ['"s"', "3"], done.stderr
        assert "first" in program("snapshots", **cache).stdout
        assert program("check", **cache).returncode == 0
        done = program("tag", "late", **cache)
        assert done.returncode == 1
        assert "can only be read" in done.stderr
    done = program("withdraw", "first", str(tmp_path / "pub"), *where)
    assert done.returncode == 0, done.stderr
    with lb.open(tmp_path / "pub", mode="r") as published:
        assert [one.id for one in published.snapshots()] == [3]
