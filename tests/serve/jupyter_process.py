"""A real Jupyter server with the extension, and requests to it as scripts and browsers make them."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "a-token-for-tests"
SLOW = 4.0
"""Seconds after which the server of these tests gives a request up."""
SETTINGS = Path(__file__).resolve().parents[2] / "extensions" / "lab" / "jupyter-config" / "luma_bench.json"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class JupyterProcess:
    """A Jupyter server without JupyterLab, over `folder/root`."""

    def __init__(self, folder: Path, *options: str, settings: str = "") -> None:
        self.root = folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        config = folder / "config"
        (config / "jupyter_server_config.d").mkdir(parents=True)
        shutil.copy(SETTINGS, config / "jupyter_server_config.d")
        (config / "jupyter_server_config.py").write_text(settings)
        self._runtime = folder / "runtime"
        self._log = (folder / "server.log").open("w+")
        environment = dict(os.environ) | {
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / "ipython"),
            "LUMA_CACHE_DIR": str(folder / "cache"),
        }
        command = [
            sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}", *options,
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self.url = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"The server ended at its start:\n{self.log()}")
            for record in self._runtime.glob("jpserver-*.json"):
                with suppress(ValueError, OSError):
                    url = str(json.loads(record.read_text("utf-8"))["url"])
                    urllib.request.urlopen(f"{url}api/status?token={TOKEN}", timeout=5).close()
                    return url
            time.sleep(0.05)
        raise RuntimeError(f"The server did not answer:\n{self.log()}")

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text("utf-8")

    def stop(self) -> int:
        """End the server; its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        return self._process.returncode

    # --- requests ---

    def get(self, what: str, **arguments: object) -> Reply:
        """A GET with the token."""
        query = urllib.parse.urlencode(arguments)
        return self.ask("GET", f"luma-bench/{what}?{query}", headers=with_token())

    def post(self, what: str, **body: object) -> Reply:
        """A POST of JSON with the token."""
        return self.ask("POST", f"luma-bench/{what}", json.dumps(body).encode(), with_token())

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Any request; what is no success comes back too."""
        request = urllib.request.Request(self.url + path, body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return Reply(reply.status, reply.read(), reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(), error.headers)

    def browser(self) -> Browser:
        """A browser that has logged in with the token and goes on with cookies."""
        return Browser(self)


def with_token(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"token {token}", "Content-Type": "application/json"}


class Browser:
    """Requests with cookies, as pages make them."""

    def __init__(self, server: JupyterProcess) -> None:
        self._server = server
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(f"{server.url}login?token={TOKEN}", timeout=30).close()
        opener.open(f"{server.url}login", timeout=30).close()
        self.cookies = {cookie.name: cookie.value or "" for cookie in jar}
        self.xsrf = self.cookies["_xsrf"]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """A request with the cookies; underscores in the names of headers are hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self._server.ask(method, path, body, sent)
