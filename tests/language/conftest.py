"""A small inspector over DuckDB's own parser, so that the language is tested without the engines' room."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest

from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError
from luma_bench.language import Statement, parse
from luma_bench.types.inspector import SqlStatement

_SHOWN = re.compile(r"\n\nLINE (\d+): ([^\n]*)\n(\s*)\^")


class ParserInspector:
    """`SqlInspector` over `duckdb.extract_statements`."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(
            config={"enable_external_access": False, "python_enable_replacements": False}
        )

    def classify(self, text: str) -> list[SqlStatement]:
        try:
            found = self.connection.extract_statements(text)
        except duckdb.Error as error:
            raise KadeQLSyntaxError(_first_line(error), text=text, span=_place(str(error), text)) from error
        statements = []
        position = 0
        for statement in found:
            start = text.find(statement.query.strip(), position)
            end = start + len(statement.query.strip().rstrip(";").rstrip())
            position = end
            statements.append(
                SqlStatement(statement.type.name, start, end, frozenset(statement.named_parameters))
            )
        return statements

    def describe(self, text: str, tables: dict[str, pa.Schema]) -> pa.Schema:
        try:
            for name, schema in tables.items():
                self.connection.register(name, schema.empty_table())
            return self.connection.sql(text).to_arrow_table().schema
        except duckdb.Error as error:
            raise KadeQLBindError(_first_line(error), text=text, span=_place(str(error), text)) from error

    def printed(self, expression: str) -> str:
        try:
            found = self.connection.execute(
                "SELECT json_deserialize_sql(json_serialize_sql(?::VARCHAR))", [f"SELECT {expression}"]
            ).fetchone()
        except duckdb.Error:
            return expression
        return found[0].removeprefix("SELECT ")


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].removeprefix("Parser Error: ")


def _place(message: str, text: str) -> tuple[int, int] | None:
    near = re.search(r'at or near "([^"]*)"', message)
    shown = _SHOWN.search(message)
    if shown is None:
        return (len(text), len(text)) if "end of input" in message else None
    line, column = int(shown[1]), len(shown[3]) - len(f"LINE {shown[1]}: ")
    lines = text.split("\n")
    start = sum(len(one) + 1 for one in lines[: line - 1]) + column
    return start, start + max(1, len(near[1]) if near else 1)


@pytest.fixture(scope="session")
def inspector() -> ParserInspector:
    return ParserInspector()


@pytest.fixture(scope="session")
def read(inspector: ParserInspector) -> Callable[[str], list[Statement]]:
    return lambda text: parse(text, inspector)


@pytest.fixture(scope="session")
def one(inspector: ParserInspector) -> Callable[[str], Statement]:
    def only(text: str) -> Statement:
        (statement,) = parse(text, inspector)
        return statement

    return only
