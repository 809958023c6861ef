"""One Jupyter server for the tests of this folder, with a bench in its root and others outside of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jupyter_process import SLOW, JupyterProcess

import luma_bench as lb

AUTHORIZER = """
from jupyter_server.auth import Authorizer

class Doorkeeper(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        if resource != "luma_bench":
            return True
        return action == "read" and "X-Stay-Out" not in handler.request.headers

c.ServerApp.authorizer_class = Doorkeeper
"""
"""Settings of a server that asks somebody else who may do what."""

CONNECTION = """
import socket
from pathlib import Path
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

class Noting(ZMQChannelsWebsocketConnection):
    def connect(self):
        stream = self.websocket_handler.ws_connection.stream
        delay = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        Path("connected").write_text(f"{type(self).__name__} {delay}")
        return super().connect()

c.ServerApp.kernel_websocket_connection_class = Noting
"""
"""Settings of a server whose kernels are reached in a way of its own; it writes down how its socket is set."""


def make_shop(path: Path) -> None:
    """A small bench with a view, a graph, a tag, names and data that would be markup, and a view that takes ages."""
    with lb.open(path) as bench:
        bench.write("customers", {"id": [1, 2], "name": ["Ann", "Bo <b>"]}, mode="create", primary_key="id")
        bench.tag("opened")
        bench.write(
            "orders", {"id": [1, 2, 3], "customer": [1, 2, 1], "amount": [9.5, 20.0, 7.25]}, mode="create"
        )
        bench.write(
            "<script>alert(1)</script>", {"<img src=x>": ["</td><script>alert(2)</script>"]}, mode="create"
        )
        bench.kadeql("CREATE VIEW big AS SELECT * FROM orders WHERE amount > 9")
        bench.kadeql(
            "CREATE VIEW ages AS SELECT count(*) AS n FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
        )
        bench.kadeql(
            "CREATE PROPERTY GRAPH trade VERTEX TABLES (customers KEY (id)) EDGE TABLES "
            "(orders SOURCE KEY (customer) REFERENCES customers (id) DESTINATION KEY (id) REFERENCES customers (id))"
        )


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server's root and, beside it, benches outside: one allowed, one not."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "root" / "deep").mkdir(parents=True)
    make_shop(folder / "root" / "deep" / "shop.luma")
    for name in ("allowed", "secret", "root-twin"):
        with lb.open(folder / name / "x.luma") as bench:
            bench.write("t", {"a": [1]}, mode="create")
    (folder / "root" / "leads-out.luma").symlink_to(folder / "secret" / "x.luma")
    (folder / "root" / "leads-in.luma").symlink_to(folder / "root" / "deep" / "shop.luma")
    (folder / "root" / "folder-out").symlink_to(folder / "secret")
    return folder


@pytest.fixture(scope="session")
def published(places: Path) -> Iterator[str]:
    """The address of a published bench, on a web server of this machine."""
    with lb.open(places / "web" / "source.luma") as bench:
        bench.write("flights", {"carrier": ["UA", "B6"]}, mode="create")
        bench.publish(places / "web" / "flights")
    handler = functools.partial(QuietHandler, directory=str(places / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}/flights"
        made.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Files of a folder; what it serves is not printed."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def server(places: Path, published: str) -> Iterator[JupyterProcess]:
    """The server; what the extension needs is loaded already."""
    made = JupyterProcess(
        places,
        f"--LumaBenchExtension.allowed_benches={places / 'allowed'}",
        f"--LumaBenchExtension.allowed_benches={published}",
        f"--LumaBenchExtension.timeout={SLOW}",
        "--ServerApp.base_url=/user/ann/",  # as behind a hub
        settings=AUTHORIZER + CONNECTION,
    )
    try:
        # The first requests import the engine, which takes long on a busy machine.
        for _ in range(10):
            warm = [
                made.get("preview", bench="deep/shop.luma", name="orders"),
                made.get("table", bench="deep/shop.luma", name="orders"),
                made.post("lint", text="SELECT 1", bench="deep/shop.luma"),
                made.post("complete", text="SELECT ", offset=7),
            ]
            if all(reply.status == 200 for reply in warm):
                break
        yield made
    finally:
        made.stop()
