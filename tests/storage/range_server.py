"""A web server on 127.0.0.1 that shows a folder, answers byte ranges, counts requests, and fails when it is told to."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote


@dataclass
class RangeServer:
    """What the server was asked, and what it shall do wrong."""

    folder: Path
    port: int = 0
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    nbytes: int = 0
    refuse: int = 0  # so many answers are 503
    ranges: bool = True
    spoil: dict[str, int] = field(
        default_factory=dict
    )  # path: so many answers have a wrong byte in every kilobyte
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.requests.clear()
        self.nbytes = 0

    def asked(self, ending: str) -> int:
        return sum(path.endswith(ending) for path, _ in self.requests)


@contextmanager
def serving(folder: Path) -> Iterator[RangeServer]:
    """Serve a folder until the block ends."""
    state = RangeServer(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path, wanted = unquote(self.path), self.headers.get("Range")
            with state.lock:
                state.requests.append((path, wanted))
                refused = state.refuse > 0
                state.refuse -= refused
                spoilt = state.spoil.get(path, 0) > 0
                if spoilt:
                    state.spoil[path] -= 1
            file = folder / path.lstrip("/")
            if refused:
                return self._send(503, b"busy", {})
            if not file.is_file():
                return self._send(404, b"there is no such file", {})
            data = bytearray(file.read_bytes())
            size, status, headers = len(data), 200, {"Accept-Ranges": "bytes"}
            if spoilt:
                for at in range(0, size, 1024):
                    data[at] ^= 0x55
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
            if found and state.ranges:
                start, stop = int(found[1]), min(int(found[2]) + 1, size)
                if start >= size:
                    return self._send(416, b"", {"Content-Range": f"bytes */{size}"})
                data, status = data[start:stop], 206
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
            return self._send(status, bytes(data), headers, body=body)

        def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool = True) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                with state.lock:
                    state.nbytes += len(data)
                self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
