"""Reading sqllogictest files: a text becomes a tree of records, each with its line.

The format is SQLite's with DuckDB's additions: loops, connections, restarts and requirements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SORTS = {"nosort": "none", "none": "none", "rowsort": "rows", "sort": "rows", "valuesort": "values"}
_COMPARISON = re.compile(r"^(.+?)(<>|>=|<=|=|>|<)(.+)$")
_UNSIGNED = ("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint")
_SIGNED = ("tinyint", "smallint", "integer", "bigint", "hugeint")
TOKENS: dict[str, tuple[str, ...]] = {
    "<signed>": _SIGNED,
    "<unsigned>": _UNSIGNED,
    "<integral>": (*_SIGNED, *_UNSIGNED),
    "<numeric>": (*_SIGNED, *_UNSIGNED, "float", "double"),
    "<alltypes>": (*_SIGNED, *_UNSIGNED, "float", "double", "bool", "interval", "varchar"),
}
"""What stands for several values in a `foreach`."""


class UnreadableError(Exception):
    """The file uses something that this reader does not know; the message says what."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`onlyif` or `skipif` of a loop's variable."""

    variable: str
    comparison: str
    value: str
    skips: bool

    def runs(self, variables: dict[str, str]) -> bool:
        """Whether the record runs under these values of the loops' variables."""
        found = variables.get(self.variable)
        if found is None:
            raise UnreadableError(f"condition on {self.variable}")
        match self.comparison:
            case "=":
                holds = found == self.value
            case "<>":
                holds = found != self.value
            case ">":
                holds = int(found) > int(self.value)
            case "<":
                holds = int(found) < int(self.value)
            case ">=":
                holds = int(found) >= int(self.value)
            case _:
                holds = int(found) <= int(self.value)
        return holds is not self.skips


@dataclass(frozen=True, slots=True)
class Record:
    """One command at a line; `when` are its conditions."""

    line: int
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class StatementRecord(Record):
    """A text that succeeds (`ok`), fails (`error`), or either (`maybe`)."""

    sql: str
    expect: str
    connection: str


@dataclass(frozen=True, slots=True)
class QueryRecord(Record):
    """A query and its answer: `columns` of them, sorted as `sort` says, equal to those of the same `label`."""

    sql: str
    columns: int
    sort: str
    label: str
    connection: str
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoopRecord(Record):
    """Records that run once for each value of a variable, or of several with commas between."""

    variable: str
    values: tuple[str, ...]
    body: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Command(Record):
    """Anything else, by its first word: require, load, restart, reconnect, set, reset, sleep, continue, …."""

    word: str
    arguments: tuple[str, ...]


def read(text: str) -> tuple[Record, ...]:
    """The records of a file, in order.

    Raises
    ------
    UnreadableError
        A command is unknown or misses its arguments.
    """
    return tuple(_records(_Lines(text), nested=False))


class _Lines:
    """The lines of a file with a place in them."""

    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r", "").split("\n")
        self.at = 0
        self.skipping = 0

    def next_words(self) -> list[str] | None:
        """The words of the next command; None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and not line.startswith("#"):
                return line.split()
            self.at += 1
        return None

    def statement(self) -> str:
        """The lines up to an empty one, a comment or the answer's bar."""
        found: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line or line.startswith("#") or line == "----":
                break
            found.append(line)
            self.at += 1
        return "\n".join(found)

    def answer(self) -> tuple[str, ...]:
        """The lines behind the bar, up to an empty one."""
        found: list[str] = []
        if self.at < len(self.lines) and self.lines[self.at] == "----":
            self.at += 1
            while self.at < len(self.lines) and self.lines[self.at]:
                found.append(self.lines[self.at])
                self.at += 1
        return tuple(found)


def _records(lines: _Lines, nested: bool) -> Iterator[Record]:
    while (words := lines.next_words()) is not None:
        when: list[Condition] = []
        runs = True
        while words[0] in ("skipif", "onlyif"):
            condition = _conditions(words)
            if isinstance(condition, bool):
                runs = runs and condition
            else:
                when += condition
            lines.at += 1
            words = lines.lines[lines.at].split()
        word, arguments = words[0], words[1:]
        line = lines.at + 1
        lines.at += 1
        if word == "mode":
            lines.skipping += {"skip": 1, "unskip": -1}.get(arguments[0], 0)
            continue
        record = _record(lines, line, tuple(when), word, arguments)
        if word == "endloop":
            if lines.skipping and not nested:
                continue
            return
        if record is not None and runs and not lines.skipping:
            yield record
        if word == "halt" and not lines.skipping:
            return


def _record(
    lines: _Lines, line: int, when: tuple[Condition, ...], word: str, arguments: list[str]
) -> Record | None:
    match word:
        case "statement":
            sql = lines.statement()
            lines.answer()
            expect = {"ok": "ok", "error": "error"}.get(arguments[0], "maybe")
            connection = arguments[1] if len(arguments) > 1 and arguments[1] not in SORTS else ""
            return StatementRecord(line, when, sql, expect, connection)
        case "query":
            sort = SORTS.get(arguments[1]) if len(arguments) > 1 else "none"
            connection = arguments[1] if sort is None else ""
            label = arguments[2] if len(arguments) > 2 else ""
            sql = lines.statement()
            columns = len(arguments[0]) if arguments else 0
            return QueryRecord(line, when, sql, columns, sort or "none", label, connection, lines.answer())
        case "loop" | "concurrentloop":
            values = tuple(str(value) for value in range(int(arguments[1]), int(arguments[2])))
            # DuckDB's loops run their body at least once.
            values = values or (arguments[1],)
            return LoopRecord(line, when, arguments[0], values, tuple(_records(lines, nested=True)))
        case "foreach" | "concurrentforeach":
            body = tuple(_records(lines, nested=True))
            return LoopRecord(line, when, arguments[0], _values(arguments[1:]), body)
        case "endloop":
            return None
        case _:
            return Command(line, when, word, tuple(arguments))


def _values(tokens: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for token in tokens:
        if token.casefold() in TOKENS:
            found += TOKENS[token.casefold()]
        elif token.startswith("!") and token[1:] in found:
            found.remove(token[1:])
        else:
            found.append(token)
    return tuple(found)


def _conditions(words: list[str]) -> list[Condition] | bool:
    """Conditions on variables; or whether the record runs at all, where a system is named."""
    skips = words[0] == "skipif"
    if not any(sign in words[1] for sign in "=<>"):
        return (words[1].casefold() == "duckdb") is not skips
    found: list[Condition] = []
    for part in " ".join(words[1:]).split("&&"):
        match = _COMPARISON.match(part.strip())
        if match is None:
            raise UnreadableError(f"condition {part!r}")
        found.append(Condition(match[1].strip(), match[2], match[3].strip(), skips))
    return found
