"""docs/command-line.md names every command, every option and every exit code, and nothing that is not there."""

import re
from pathlib import Path

import typer

from luma_bench.cli import main as program
from luma_bench.cli import options

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
COMMANDS = typer.main.get_command(program.app).commands


def section(command: str) -> str:
    found = re.search(rf"^### `luma-bench {command}\b.*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/command-line.md has no section `luma-bench {command}`"
    return found[0]


def test_every_command_and_option_is_documented():
    missing = [
        f"{name} {option}"
        for name, command in COMMANDS.items()
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.name != "help"
        for option in [max(parameter.opts, key=len)]
        if f"`{option}" not in section(name)
    ]
    assert missing == []


def test_nothing_else_is_documented():
    assert set(re.findall(r"^### `luma-bench (\w+)", PAGE, re.MULTILINE)) == set(COMMANDS)
    unknown = [
        f"{name} {option}"
        for name, command in COMMANDS.items()
        for option in set(re.findall(r"`(--[a-z-]+)", section(name)))
        if option not in {spelling for parameter in command.params for spelling in parameter.opts}
    ]
    assert unknown == []


def test_every_command_teaches_by_example():
    assert [
        name
        for name, command in COMMANDS.items()
        if not command.help or "luma-bench" not in (command.epilog or "")
    ] == []


def test_exit_codes_are_documented():
    for code in (
        0,
        options.REFUSED,
        options.WRONG_USAGE,
        options.PROBLEMS,
        options.INCOMPLETE,
        options.INTERRUPTED,
        141,
    ):
        assert re.search(rf"^\| {code} \|", PAGE, re.MULTILINE), code
