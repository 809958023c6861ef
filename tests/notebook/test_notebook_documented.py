"""docs/notebook.md and `%luma help` name every option and every command."""

import re
from pathlib import Path

from luma_bench.notebook.cell import OPTIONS
from luma_bench.notebook.commands import COMMANDS, HELP

PAGE = (Path(__file__).parents[2] / "docs" / "notebook.md").read_text("utf-8")


def test_every_option_is_in_the_page_and_in_the_help():
    for option, value in OPTIONS.items():
        spelled = f"{option} {value}" if value else option
        assert f"| `{spelled}` |" in PAGE
        assert re.search(rf"\[{spelled}\]", HELP)


def test_every_command_is_in_the_page_and_in_the_help():
    for command in COMMANDS:
        line = "%luma" if command == "status" else f"%luma {command}"
        assert re.search(rf"^\| `{line}\b", PAGE, re.MULTILINE)
        assert re.search(rf"^{line}\b", HELP, re.MULTILINE)


def test_no_option_is_only_in_the_page():
    assert set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)) == set(OPTIONS)
