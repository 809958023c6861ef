"""A kernel as a front end sees it: cells, and comms on a subshell of their own, as JupyterLab opens them."""

from __future__ import annotations

import queue
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

Message = dict[str, Any]


class CommKernel:
    """A running kernel, its cells and its comms."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.subshell: str | None = None
        self.seen: list[Message] = []

    def begin(self, source: str) -> str:
        """Start a cell; its id."""
        return self.client.execute(source)

    def reply(self, number: str, timeout: float = 60) -> Message:
        """Wait for a cell's end; its reply's content."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                message = self.client.get_shell_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == number:
                self.drain()
                return message["content"]
        raise AssertionError("the cell did not end")

    def run(self, source: str) -> tuple[Message, list[Message]]:
        """Run a cell to its end: the reply, and its outputs."""
        number = self.begin(source)
        content = self.reply(number)
        self.until(
            lambda message: (
                message["msg_type"] == "status"
                and message["parent_header"].get("msg_id") == number
                and message["content"]["execution_state"] == "idle"
            )
        )
        kinds = ("stream", "display_data", "execute_result", "error", "update_display_data", "clear_output")
        outputs = [
            {"output_type": message["msg_type"], **message["content"]}
            for message in self.seen
            if message["parent_header"].get("msg_id") == number and message["msg_type"] in kinds
        ]
        return content, outputs

    def drain(self) -> None:
        """Take what is there from the kernel's broadcast."""
        while True:
            try:
                self.seen.append(self.client.get_iopub_msg(timeout=0))
            except queue.Empty:
                return

    def until(self, found: Callable[[Message], bool], timeout: float = 30, start: int = 0) -> Message:
        """Wait for a broadcast message; it may have come already."""
        deadline = time.monotonic() + timeout
        place = start
        while True:
            for message in self.seen[place:]:
                if found(message):
                    return message
            place = len(self.seen)
            if time.monotonic() > deadline:
                raise AssertionError("the message did not come")
            try:
                self.seen.append(self.client.get_iopub_msg(timeout=0.2))
            except queue.Empty:
                continue

    def open(self, target: str, data: Message) -> Comm:
        """Open a comm on the kernel's extra subshell."""
        if self.subshell is None:
            self.subshell = self._made_subshell()
        comm = Comm(self, uuid.uuid4().hex, len(self.seen))
        self.send("comm_open", {"comm_id": comm.id, "target_name": target, "data": data})
        return comm

    def send(self, kind: str, content: Message) -> None:
        """Send on the shell channel, to the subshell."""
        message = self.client.session.msg(kind, content)
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def _made_subshell(self) -> str:
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=20)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply["content"]["subshell_id"]


class Comm:
    """One comm as its front end holds it."""

    def __init__(self, kernel: CommKernel, number: str, start: int) -> None:
        self.kernel = kernel
        self.id = number
        self._place = start

    def send(self, **data: Any) -> None:
        """A message to the kernel."""
        self.kernel.send("comm_msg", {"comm_id": self.id, "data": data})

    def next(
        self, found: Callable[[Message], bool] = lambda _: True, timeout: float = 30
    ) -> tuple[Message, list[bytes]]:
        """The next message from the kernel that `found` wants: its data and buffers."""
        seen = self.kernel.seen

        def mine(message: Message) -> bool:
            return (
                message["msg_type"] in ("comm_msg", "comm_close")
                and message["content"]["comm_id"] == self.id
                and found(message["content"]["data"])
            )

        message = self.kernel.until(mine, timeout, self._place)
        self._place = seen.index(message) + 1
        return message["content"]["data"], [bytes(buffer) for buffer in message.get("buffers", [])]

    def ask(self, **data: Any) -> tuple[Message, list[bytes]]:
        """Send a request and wait for its reply."""
        data = {"id": uuid.uuid4().hex, **data}
        self.send(**data)
        return self.next(lambda message: message.get("id") == data["id"])


@contextmanager
def comm_kernel() -> Iterator[CommKernel]:
    """A kernel of this interpreter, whatever kernels are installed on the machine."""
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python"
    )
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    try:
        yield CommKernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
