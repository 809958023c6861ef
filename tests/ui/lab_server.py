"""A real JupyterLab (or Notebook 7) on 127.0.0.1 for one test run, and notebooks in its root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

TOKEN = "a-token-for-tests"


class LabServer:
    """A Jupyter server with JupyterLab and Notebook 7 over a folder of its own; with `bare` without this extension."""

    def __init__(self, root: Path, options: Sequence[str] = (), *, bare: bool = False) -> None:
        self.root = root / "root"
        self.root.mkdir(parents=True)
        settings = root / "settings"
        runtime = root / "runtime"
        for folder in (settings, runtime):
            folder.mkdir()
        quiet = root / "user-settings" / "@jupyterlab" / "apputils-extension"
        quiet.mkdir(parents=True)
        (quiet / "notification.jupyterlab-settings").write_text(
            '{"fetchNews": "false", "checkForUpdates": false}\n', "utf-8"
        )
        if bare:
            (settings / "labconfig").mkdir()
            disabled = {"disabledExtensions": {"luma-bench-lab": True}}
            (settings / "labconfig" / "page_config.json").write_text(json.dumps(disabled), "utf-8")
        self._record = runtime
        self._log = (root / "server.log").open("w+")
        environment = dict(os.environ) | {
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_CONFIG_DIR": str(settings),
            "JUPYTER_DATA_DIR": str(root / "data"),
            "JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces"),
            "JUPYTERLAB_SETTINGS_DIR": str(root / "user-settings"),
            "IPYTHONDIR": str(root / "ipython"),
            "LUMA_AUTHOR": "tester",
        }
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}",
            "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True", *options,
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self.url = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> str:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended at its start:\n{self.log()}")
            for record in self._record.glob("jpserver-*.json"):
                with suppress(ValueError, OSError):
                    url = str(json.loads(record.read_text("utf-8"))["url"])
                    urllib.request.urlopen(f"{url}api/status?token={TOKEN}", timeout=5).close()
                    return url
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not answer:\n{self.log()}")

    def log(self) -> str:
        """What the server wrote."""
        self._log.flush()
        return Path(self._log.name).read_text("utf-8")

    def stop(self) -> None:
        """End the server and its kernels."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def end_kernels(self) -> None:
        """End every kernel, so that none weighs on the tests that follow."""

        def ask(method: str, path: str) -> bytes:
            request = urllib.request.Request(
                f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
            )
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.read()

        for _ in range(5):
            left = json.loads(ask("GET", "sessions"))
            for session in left:
                with suppress(urllib.error.HTTPError):  # it ends at this moment, by itself or with its page
                    ask("DELETE", f"sessions/{session['id']}")
            if not left:
                return

    def address(self, name: str, *, app: str = "lab") -> str:
        """Where a notebook of the root opens; `app` is `lab`, or `notebooks` for Notebook 7."""
        if app == "lab":
            return f"{self.url}lab/tree/{name}?reset&token={TOKEN}"
        return f"{self.url}{app}/{name}?token={TOKEN}"

    def write(self, name: str, cells: Sequence[str], kernel: str = "python3") -> Path:
        """Put a notebook of code cells into the root; a cell that starts with `#md ` is Markdown."""
        made = [
            new_markdown_cell(text.removeprefix("#md ")) if text.startswith("#md ") else new_code_cell(text)
            for text in cells
        ]
        for number, cell in enumerate(made):
            cell["id"] = f"cell-{number}"
        shown = {"python3": "Python 3", "kadeql": "KadeQL"}[kernel]
        notebook = new_notebook(
            cells=made,
            metadata={
                "kernelspec": {
                    "name": kernel,
                    "display_name": shown,
                    "language": "kadeql" if kernel == "kadeql" else "python",
                }
            },
        )
        path = self.root / name
        nbformat.write(notebook, path)
        return path
