"""What stands after `%%kadeql` or `%kadeql`: `name <<`, options, and on one line the statement itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, choices

OPTIONS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "--at": "S",
        "--engine": "E",
        "--strict": None,
        "--limit": "N",
        "--params": "DICT",
        "--explain": None,
        "--profile": None,
        "--no-cache": None,
    }
)
"""Every option and the name of its value, None for a switch."""

OPTION_HELP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--at": 'Reads an older snapshot: its id, its tag, or a time such as "2013-02-08 06:00".',
        "--engine": "The engine that runs it: auto, or an engine's name.",
        "--strict": "Makes a fallback to another engine an error.",
        "--limit": "Rows to show; the result keeps them all.",
        "--params": "Values of $name parameters: a dict, or an expression or variable that is one.",
        "--explain": "Shows the plan instead of running.",
        "--profile": "Runs, then shows the plan that ran and what each scan read.",
        "--no-cache": "Does not take the answer from the result cache.",
    }
)
"""What each option does."""

_BIND = re.compile(r"\s*([^\W\d]\w*)\s*<<")
_OPTION = re.compile(r"\s*(--[A-Za-z][\w-]*)(=)?")


@dataclass(frozen=True, slots=True)
class CellOptions:
    """One magic line, read.

    `params` is a Python expression as typed; `rest` is what follows the options, and `rest_start` where it begins.
    """

    name: str | None = None
    at: str | None = None
    engine: str = "auto"
    strict: bool = False
    limit: int | None = None
    params: str | None = None
    explain: bool = False
    profile: bool = False
    cache: bool = True
    rest: str = ""
    rest_start: int = 0


def parse_options(line: str) -> CellOptions:
    """Read a magic's line.

    Raises
    ------
    KadeQLSyntaxError
        An option is unknown, given twice, lacks its value, or has a wrong one; it points into `line`.
    """
    name: str | None = None
    position = 0
    if bound := _BIND.match(line):
        name, position = bound[1], bound.end()
    given: dict[str, str] = {}
    while found := _OPTION.match(line, position):
        option, span = found[1], found.span(1)
        if option not in OPTIONS:
            raise KadeQLSyntaxError(
                f"There is no option {option}.",
                text=line,
                span=span,
                hint=choices(option, list(OPTIONS), "options"),
            )
        if option in given:
            raise KadeQLSyntaxError(f"{option} is given twice.", text=line, span=span, hint="Give it once.")
        position = found.end()
        given[option] = ""
        if (value := OPTIONS[option]) is not None:
            start, position = _value_span(line, position)
            if start == position:
                raise KadeQLSyntaxError(
                    f"{option} needs a value.", text=line, span=span, hint=f"Write {option} {value}."
                )
            given[option] = line[start:position] if option == "--params" else _unquoted(line, start, position)
            if option == "--limit" and not re.fullmatch(r"\d+", given[option]):
                hint = "--limit is the number of rows to show, such as --limit 50."
                raise KadeQLSyntaxError(
                    "--limit needs a whole number.", text=line, span=(start, position), hint=hint
                )
    start = position + len(line[position:]) - len(line[position:].lstrip())
    return CellOptions(
        name=name,
        at=given.get("--at"),
        engine=given.get("--engine", "auto"),
        strict="--strict" in given,
        limit=int(given["--limit"]) if "--limit" in given else None,
        params=given.get("--params"),
        explain="--explain" in given,
        profile="--profile" in given,
        cache="--no-cache" not in given,
        rest=line[start:].rstrip(),
        rest_start=start,
    )


def _value_span(line: str, position: int) -> tuple[int, int]:
    """Where an option's value stands: up to a space outside of quotes and brackets."""
    while position < len(line) and line[position].isspace():
        position += 1
    start, depth, quote = position, 0, ""
    while position < len(line):
        char = line[position]
        if quote:
            position += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char.isspace() and not depth:
            break
        depth += 0 if quote else (char in "([{") - (char in ")]}")
        position += 1
    position = min(position, len(line))
    if quote or depth > 0:
        what = "a quote" if quote else "a bracket"
        raise KadeQLSyntaxError(
            f"This value opens {what} that nothing closes.",
            text=line,
            span=(start, position),
            hint="Close it on the same line.",
        )
    return start, position


def _unquoted(line: str, start: int, stop: int) -> str:
    value = line[start:stop]
    if value[:1] not in "\"'":
        return value
    try:
        return str(ast.literal_eval(value))
    except (SyntaxError, ValueError) as error:
        raise KadeQLSyntaxError(
            "This quoted value cannot be read.", text=line, span=(start, stop), hint="Quote the whole value."
        ) from error
