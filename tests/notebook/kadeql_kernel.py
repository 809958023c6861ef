"""A running kernel of either language, as a front end sees it; tests import it."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

MODULES = {"kadeql": "luma_bench.notebook.kernel", "python": "ipykernel_launcher"}


class Kernel:
    """A kernel and its messages."""

    def __init__(self, language: str = "kadeql", **environment: str) -> None:
        import os

        self.manager = KernelManager()
        # This interpreter, whatever kernels are installed on the machine.
        argv = [sys.executable, "-m", MODULES[language], "-f", "{connection_file}"]
        self.manager._kernel_spec = KernelSpec(argv=argv, language=language)
        self.manager.start_kernel(env={**os.environ, **environment})
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, source: str, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The reply, and the contents of every output in order."""
        outputs: list[dict[str, Any]] = []

        def collect(message: dict[str, Any]) -> None:
            if message["header"]["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append(message["content"])

        reply = self.client.execute_interactive(source, output_hook=collect, timeout=60, **more)
        return reply["content"], outputs

    def shown(self, source: str) -> str:
        """What a cell that must succeed shows as text."""
        reply, outputs = self.run(source)
        assert reply["status"] == "ok", reply
        return "\n".join(
            output["text"] if "text" in output else output["data"]["text/plain"] for output in outputs
        )

    def error(self, source: str) -> str:
        """What a cell that must fail says, without colours."""
        import re

        reply, _ = self.run(source)
        assert reply["status"] == "error", source
        return re.sub("\x1b\\[[0-9;]*m", "", "\n".join(reply["traceback"]))

    def ask(self, name: str, *arguments: Any) -> dict[str, Any]:
        """The content of the reply to `complete`, `inspect` or `is_complete`."""
        asked = getattr(self.client, name)(*arguments)
        while True:
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"]

    def stop(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
