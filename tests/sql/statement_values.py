"""Types, values and expressions of generated statements: exact ones, so that no answer hangs on an order of addition."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WORDS = ("", "a", "b", "ab", "B", "ü", "x''y", "a%b", "long enough not to be inlined")
MOODS = ("low", "mid", "high")
TYPES = {
    "int": "INTEGER", "big": "BIGINT", "text": "VARCHAR", "dec": "DECIMAL(9, 2)", "real": "DOUBLE", "day": "DATE",
    "bool": "BOOLEAN", "ts": "TIMESTAMP", "mood": "ENUM('low', 'mid', 'high')", "uuid": "UUID", "list": "INTEGER[]",
}  # fmt: skip
"""The SQL type of each kind of column."""
ORDERED = ("int", "big", "text", "dec", "real", "day", "ts", "mood", "uuid")
SUMMED = ("int", "big", "dec", "real")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a generated table."""

    name: str
    kind: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A generated table; `key` is its primary key, if it has one."""

    name: str
    columns: tuple[Column, ...]
    key: str | None

    def of(self, *kinds: str) -> list[Column]:
        """The columns of these kinds."""
        return [column for column in self.columns if column.kind in kinds]

    @property
    def changeable(self) -> list[Column]:
        """The columns that are no key."""
        return [column for column in self.columns if column.name != self.key]


class Values:
    """Random literals, expressions and conditions over columns in scope."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def literal(self, kind: str, nulls: float = 0.15) -> str:
        """A constant of a kind, NULL now and then."""
        rng = self.rng
        if rng.random() < nulls:
            return "NULL"
        match kind:
            case "int" | "big":
                return str(rng.randint(-20, 40))
            case "text":
                return f"'{rng.choice(WORDS)}'"
            case "dec":
                return f"{rng.randint(-9999, 9999) / 100:.2f}"
            case "real":
                # Quarters add up exactly, in any order.
                return f"{rng.randint(-400, 400) / 4}"
            case "day":
                return f"'2024-{rng.randint(1, 3):02d}-{rng.randint(1, 28):02d}'"
            case "bool":
                return rng.choice(("true", "false"))
            case "ts":
                return f"'2024-01-{rng.randint(1, 28):02d} {rng.randint(0, 23):02d}:30:00'"
            case "mood":
                return f"'{rng.choice(MOODS)}'"
            case "uuid":
                return f"'{rng.choice('aAbB')}0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1{rng.randint(0, 9)}'"
            case _:
                return f"[{', '.join(str(rng.randint(0, 5)) for _ in range(rng.randint(0, 3)))}]"

    def typed(self, kind: str, nulls: float = 0.15) -> str:
        """A constant with its type said, for where nothing else says it."""
        return f"CAST({self.literal(kind, nulls)} AS {TYPES[kind]})"

    def expression(self, kind: str, scope: Sequence[tuple[str, Column]], depth: int = 2) -> str:
        """A value of a kind; `scope` are the columns there are, each with its table's name in the statement."""
        rng = self.rng
        same = [f"{alias}.{column.name}" for alias, column in scope if column.kind == kind]
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(same) if same and rng.random() < 0.7 else self.typed(kind)

        def inner(of: str = kind) -> str:
            return self.expression(of, scope, depth - 1)

        match kind:
            case "int":
                # Small numbers stay small: an overflow would hang on the order of evaluation.
                made = rng.choice(("(({0}) % 50 + ({1}) % 50)", "abs({0})", "length({t})", "(- ({0}) % 50)"))
            case "big":
                made = rng.choice(("(({0}) % 100 * 3)", "coalesce({0}, {1})", "({i})::BIGINT"))
            case "text":
                made = rng.choice(
                    ("left({0} || {1}, 12)", "upper({0})", "coalesce({0}, 'none')", "({i})::VARCHAR")
                )
            case "dec":
                made = rng.choice(("coalesce({0}, 0)", "(({0}) / 2)::DECIMAL(9, 2)", "abs({0})"))
            case "real":
                made = rng.choice(("(({0}) % 8 + 0.25)", "coalesce({0}, {1})", "(({i}) % 64)::DOUBLE / 4"))
            case "day":
                made = rng.choice(("(({0}) + 1)", "greatest({0}, {1})", "({s})::DATE"))
            case "bool":
                return f"({self.condition(scope, depth - 1)})"
            case "ts":
                made = rng.choice(("date_trunc('day', {0})", "({0}) + INTERVAL 1 HOUR", "least({0}, {1})"))
            case "mood":
                made = rng.choice(("coalesce({0}, {1})", "CASE WHEN {c} THEN {0} ELSE {1} END"))
            case _:
                made = "coalesce({0}, {1})"
        return made.format(
            inner(), inner(), t=inner("text") if "{t}" in made else "", i=inner("int") if "{i}" in made else "",
            s=inner("ts") if "{s}" in made else "", c=self.condition(scope, 0) if "{c}" in made else "",
        )  # fmt: skip

    def condition(self, scope: Sequence[tuple[str, Column]], depth: int = 2) -> str:
        """A condition over the columns in scope."""
        rng = self.rng
        if depth > 0 and rng.random() < 0.4:
            joint = rng.choice(("AND", "OR"))
            return f"({self.condition(scope, depth - 1)} {joint} {self.condition(scope, depth - 1)})"
        alias, column = rng.choice(list(scope))
        name, kind = f"{alias}.{column.name}", column.kind
        form = rng.random()
        if form < 0.15:
            return f"{name} IS {rng.choice(('', 'NOT '))}NULL"
        if kind == "bool":
            return f"{rng.choice(('', 'NOT '))}{name}"
        if kind == "list":
            return rng.choice((f"len({name}) > 1", f"list_contains({name}, {rng.randint(0, 5)})"))
        if form < 0.3:
            listed = ", ".join(self.literal(kind, 0) for _ in range(3))
            return f"{name} {rng.choice(('', 'NOT '))}IN ({listed})"
        if form < 0.4 and kind == "text":
            return f"{name} LIKE '%{rng.choice('abx')}%'"
        if form < 0.5 and kind != "uuid":
            return f"{name} BETWEEN {self.typed(kind, 0)} AND {self.typed(kind, 0)}"
        sign = rng.choice(("=", "<>", "<", ">=", "IS DISTINCT FROM"))
        return f"{name} {sign} {self.expression(kind, scope, min(depth, 1))}"
