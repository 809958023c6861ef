"""What the language and the plan ask of the SQL engine's own parser and binder, without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a text as the engine's classifier sees it.

    `kind` is the classifier's word in upper case (SELECT, EXPLAIN, INSERT, CREATE, MULTI, …); `start` and `end` are
    offsets into the whole text (half-open, without the `;`); `parameters` are the `$names` it uses, without `$`.
    """

    kind: str
    start: int
    end: int
    parameters: frozenset[str]


class SqlInspector(Protocol):
    """Parses and binds without running; a syntax or binding failure is a `KadeQLError` that points into `text`."""

    def classify(self, text: str) -> list[SqlStatement]:
        """The statements of a text, in order.

        Raises
        ------
        KadeQLSyntaxError
            The text does not parse; line, column, caret and hint are in `text`.
        """
        ...

    def describe(self, text: str, tables: Mapping[str, pa.Schema]) -> pa.Schema:
        """The Arrow schema a SELECT yields over tables of these schemas, without running it.

        Raises
        ------
        KadeQLBindError
            A name, function or type does not resolve.
        """
        ...

    def printed(self, expression: str) -> str:
        """An expression as the engine writes it, which is what it calls a column without an alias; itself if it does not parse."""
        ...
