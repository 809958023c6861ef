"""What the editor asks is answered while the kernel of the same server runs a cell."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from jupyter_process import TOKEN, JupyterProcess, with_token

SHOP = "deep/shop.luma"


@pytest.fixture
def busy_kernel(server: JupyterProcess) -> Iterator[str]:
    """A kernel that has begun a cell without an end."""
    made = server.ask("POST", "api/kernels", b'{"name": "python3"}', with_token())
    assert made.status == 201, made.body
    kernel = str(made.json["id"])
    url = f"{server.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels?token={TOKEN}"
    channels = websocket.create_connection(url, timeout=60)
    try:
        channels.send(json.dumps(execute("print('begun', flush=True)\nwhile True: pass")))
        while True:
            message = json.loads(channels.recv())
            if message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
                break
        yield kernel
    finally:
        channels.close()
        assert server.ask("DELETE", f"api/kernels/{kernel}", headers=with_token()).status == 204


def execute(code: str) -> dict[str, object]:
    header = {
        "msg_id": uuid.uuid4().hex, "session": uuid.uuid4().hex, "username": "", "date": "2026-01-01T00:00:00Z",
        "msg_type": "execute_request", "version": "5.3",
    }  # fmt: skip
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
    }
    return {
        "header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": [],
    }  # fmt: skip


def test_everything_is_answered_while_the_kernel_is_busy(server: JupyterProcess, busy_kernel: str) -> None:
    def state() -> str:
        return server.ask("GET", f"api/kernels/{busy_kernel}", headers=with_token()).json["execution_state"]

    assert state() == "busy"
    text = "SELECT amont FROM orders"
    problems = server.post("lint", text=text, bench=SHOP).json["problems"]
    assert [text[item["from"] : item["to"]] for item in problems] == ["amont"]
    assert [fix["text"] for fix in problems[0]["fixes"]][:1] == ["amount"]
    items = server.post("complete", text="SELECT  FROM orders", offset=7, bench=SHOP).json["items"]
    assert "amount" in [item["text"] for item in items]
    assert server.post("format", text="select 1").json == {"text": "SELECT 1"}
    assert server.get("catalog", bench=SHOP).status == 200
    assert server.get("preview", bench=SHOP, name="orders").json["rows"] == 3
    assert state() == "busy"


def test_messages_of_a_kernel_are_sent_at_once(places: Path, busy_kernel: str) -> None:
    assert busy_kernel
    name, undelayed = (places / "connected").read_text().split()
    assert name == "UndelayedNoting"
    assert undelayed != "0"
