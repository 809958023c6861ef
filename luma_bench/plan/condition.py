"""A condition written as text: one KadeQL expression over a frame's columns, checked and closed before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError, choices
from luma_bench.plan.expressions import SqlCondition
from luma_bench.plan.literals import constant


def condition(text: str, names: Sequence[str], params: Mapping[str, object] | None = None) -> SqlCondition:
    """The condition as an expression, with `$name` parameters put in as constants.

    Names match columns as in SQL: ignoring case. Sub-queries and lambdas may use other names; such a text is taken to
    read every column.

    Raises
    ------
    KadeQLSyntaxError
        The text is no single expression: it is empty, does not tokenize, holds `;`, a comment or a `@`, or its
        parentheses do not match. What is wrong inside the expression, the engine says when it binds.
    KadeQLBindError
        A parameter or a column does not exist.
    """
    tokens = _tokens(text)
    filled = _filled(text, tokens, params or {})
    return SqlCondition(filled, _columns(text, tokens, names))


def _tokens(text: str) -> list[Any]:
    import sqlglot
    from sqlglot.errors import TokenError

    try:
        tokens = list(sqlglot.tokenize(text, dialect="duckdb"))
    except TokenError as error:
        raise KadeQLSyntaxError(
            "The condition does not tokenize.",
            text=text,
            span=(0, len(text)),
            hint="Close its quotes and comments.",
        ) from error
    if not tokens:
        raise KadeQLSyntaxError(
            "The condition is empty.", hint="Write one, such as 'dep_delay > 60 AND origin = $o'."
        )
    depth = 0
    for token in tokens:
        kind = token.token_type.name
        depth += (kind == "L_PAREN") - (kind == "R_PAREN")
        if depth < 0:
            raise _wrong("This parenthesis closes nothing.", text, token, "Remove it.")
        if kind == "SEMICOLON":
            raise _wrong("A condition is one expression.", text, token, "Remove the ';'.")
        if kind == "PARAMETER" and token.text == "@":
            raise _wrong(
                "Python variables are not read.", text, token, "Write $name and give params={'name': value}."
            )
        if token.text == "`":
            raise _wrong(
                "Names are not quoted by backticks.", text, token, 'Write "name" with double quotes.'
            )
        if token.comments:
            raise _wrong("A condition holds no comments.", text, token, "Remove the comment after it.")
    if depth:
        raise _wrong("A parenthesis is not closed.", text, tokens[-1], "Add ')'.")
    return tokens


def _wrong(message: str, text: str, token: Any, hint: str) -> KadeQLSyntaxError:
    return KadeQLSyntaxError(message, text=text, span=(token.start, token.end + 1), hint=hint)


def _filled(text: str, tokens: list[Any], params: Mapping[str, object]) -> str:
    parts: list[str] = []
    done = 0
    used: set[str] = set()
    for sign, name in pairwise(tokens):
        if sign.token_type.name != "PARAMETER" or name.start != sign.end + 1:
            continue
        if name.text not in params:
            raise KadeQLBindError(
                f"There is no parameter ${name.text}.",
                text=text,
                span=(sign.start, name.end + 1),
                hint=choices(name.text, list(params), "parameters") + f" Give params={{{name.text!r}: …}}.",
            )
        used.add(name.text)
        parts += [text[done : sign.start], f"({constant(params[name.text])})"]
        done = name.end + 1
    unused = params.keys() - used
    if unused:
        raise KadeQLBindError(
            f"The condition does not use the parameter {min(unused)!r}.",
            hint="Write it as $name, or leave it out.",
        )
    return "".join([*parts, text[done:]])


def _columns(text: str, tokens: list[Any], names: Sequence[str]) -> frozenset[str]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError

    every = frozenset(names)
    if any(token.token_type.name == "SELECT" for token in tokens):
        return every
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except ParseError:
        # Not all that DuckDB parses, sqlglot does; DuckDB will judge it. Until then it may read anything.
        return every
    if tree.find(exp.Lambda) is not None:
        return every
    by_fold = {name.casefold(): name for name in names}
    found: set[str] = set()
    for column in tree.find_all(exp.Column):
        first = column.parts[0]
        name = by_fold.get(first.name.casefold())
        if name is None:
            raise _unknown(text, tokens, first.name, names)
        found.add(name)
    return frozenset(found)


def _unknown(text: str, tokens: list[Any], name: str, names: Sequence[str]) -> KadeQLBindError:
    hint = choices(name, names, "columns")
    token = next((token for token in tokens if token.text == name), tokens[0])
    if token.token_type.name == "IDENTIFIER":
        hint += f" For the text itself write '{name}' in single quotes."
    return KadeQLBindError(
        f"There is no column {name!r} in the frame.", text=text, span=(token.start, token.end + 1), hint=hint
    )
