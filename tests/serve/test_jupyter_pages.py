"""The pages about JupyterLab say what the extension's own files say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from luma_bench.serve.jupyter import LumaBenchExtension
from luma_bench.serve.jupyter.extension import HANDLERS


@pytest.fixture(scope="module")
def schema(repository: Path) -> Any:
    return json.loads((repository / "extensions" / "lab" / "schema" / "plugin.json").read_text("utf-8"))


def rows_of(path: Path) -> list[list[str]]:
    """The cells of every table row of a page."""
    lines = path.read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def test_the_settings_of_the_server(repository: Path) -> None:
    rows = [row for row in rows_of(repository / "docs" / "notebook" / "server.md") if len(row) == 3]
    told = {row[0].strip("`"): row[1].strip("`") for row in rows if row[0].startswith("`")}
    own = LumaBenchExtension.class_own_traits(config=True)
    assert told == {name: str(trait.default()) for name, trait in own.items()}


def test_the_addresses_of_the_server(repository: Path) -> None:
    rows = rows_of(repository / "docs" / "notebook" / "server.md")
    told = {match[1] for row in rows if (match := re.match(r"`(?:GET|POST) (\w+)", row[0]))}
    assert told == set(HANDLERS)


def test_the_settings_of_jupyterlab(repository: Path, schema: Any) -> None:
    rows = [row for row in rows_of(repository / "docs" / "notebook" / "jupyterlab.md") if len(row) == 3]
    told = {row[0].strip("`"): row[1] for row in rows if row[0].startswith("`")}
    shown = {True: "on", False: "off"}
    assert told == {
        name: shown[value["default"]] if isinstance(value["default"], bool) else str(value["default"])
        for name, value in schema["properties"].items()
    }


def test_the_shortcuts_of_jupyterlab(repository: Path, schema: Any) -> None:
    text = (repository / "docs" / "notebook" / "jupyterlab.md").read_text("utf-8")
    keys = {" ".join(item["keys"]) for item in schema["jupyter.lab.shortcuts"]}
    table = text[text.index("## Commands and shortcuts") : text.index("## Settings")]
    told = {row.split("|")[1].split(",")[0].strip() for row in table.splitlines() if row.startswith("| ")}
    assert keys <= told, keys - told


def test_every_command_that_the_page_names_is_there(repository: Path) -> None:
    page = (repository / "docs" / "notebook" / "jupyterlab.md").read_text("utf-8")
    sources = (repository / "extensions" / "lab" / "src").rglob("*.ts")
    labels = set(re.findall(r"'([^'\n]+)'", "\n".join(path.read_text("utf-8") for path in sources)))
    named = [name.replace("\n", " ") for name in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", page)]
    commands = [name for name in named if name[:1].isupper() and "→" not in name and name != "Luma Bench"]
    assert len(commands) > 8
    assert [name for name in commands if name not in labels] == []
