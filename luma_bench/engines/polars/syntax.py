"""Scalar expressions as DuckDB's own parser reads them: small trees that can be written as SQL again, part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luma_bench.engines.polars.kinds import Refused
from luma_bench.types.sql_text import quoted

_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM",
    "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM",
}
_OPERATORS = {
    "OPERATOR_NOT": "not",
    "OPERATOR_IS_NULL": "is null",
    "OPERATOR_IS_NOT_NULL": "is not null",
    "COMPARE_IN": "in",
    "COMPARE_NOT_IN": "not in",
    "OPERATOR_COALESCE": "coalesce",
    "OPERATOR_NULLIF": "nullif",
}


@dataclass(frozen=True, slots=True)
class Syntax:
    """A part of an expression.

    Attributes
    ----------
    form
        `column`, `constant`, `call`, `compare`, `and`, `or`, `not`, `is null`, `is not null`, `in`, `not in`, `coalesce`,
        `nullif`, `cast`, `try cast`, `case` (condition, result, …, else), `between`, `struct` or `field`.
    name
        Of a struct the names of its fields, a line each; of a call the function, of a comparison the operator, of a cast the type, of a constant its kind, of a column its name.
    text
        Its SQL.
    """

    form: str
    name: str
    args: tuple[Syntax, ...]
    text: str

    @property
    def is_constant(self) -> bool:
        """Whether it reads no column, and has a value."""
        if self.form == "column" or (self.form == "call" and self.name == "error"):
            return False
        return all(part.is_constant for part in self.args)

    @property
    def is_literal_text(self) -> bool:
        """Whether it is a string as it stands in a text, whose type is open."""
        return self.form == "constant" and self.name == "STRING"

    def walk(self) -> Iterator[Syntax]:
        """The part and everything inside of it."""
        yield self
        for part in self.args:
            yield from part.walk()


def trees(answer: str) -> list[Syntax]:
    """The select list of what `json_serialize_sql` answered for one SELECT.

    Raises
    ------
    Refused
        A form of expressions that is not known here.
    """
    found: Mapping[str, Any] = json.loads(answer)
    if found.get("error"):
        raise Refused("an expression that cannot be read")
    return [_tree(item) for item in found["statements"][0]["node"]["select_list"]]


def _tree(item: Mapping[str, Any]) -> Syntax:
    match item["class"]:
        case "COLUMN_REF":
            name, *inside = item["column_names"]
            found = Syntax("column", name, (), quoted(name))
            for part in inside:
                found = _field(found, part)
            return found
        case "CONSTANT":
            return _constant(item["literal"])
        case "FUNCTION":
            return _call(item)
        case "COMPARISON":
            word = _COMPARISONS.get(item["type"])
            if word is None:
                raise Refused(f"{item['type'].lower()}")
            left, right = _tree(item["left"]), _tree(item["right"])
            return Syntax("compare", word, (left, right), f"({left.text} {word} {right.text})")
        case "CONJUNCTION":
            form = "and" if item["type"] == "CONJUNCTION_AND" else "or"
            args = _trees(item["children"])
            return Syntax(form, form, args, f"({f' {form.upper()} '.join(part.text for part in args)})")
        case "OPERATOR":
            return _operator(item)
        case "CAST":
            child, kind = _tree(item["child"]), _type(item["type_expr"])
            word = "try_cast" if item["try_cast"] else "cast"
            return Syntax(word.replace("_", " "), kind, (child,), f"{word}({child.text} AS {kind})")
        case "CASE":
            return _case(item)
        case "BETWEEN":
            args = tuple(_tree(item[part]) for part in ("input", "lower", "upper"))
            value, low, high = (part.text for part in args)
            return Syntax("between", "between", args, f"({value} BETWEEN {low} AND {high})")
        case other:
            raise Refused(f"an expression of the form {other.lower()}")


def _field(child: Syntax, name: str) -> Syntax:
    return Syntax("field", name, (child,), f"({child.text}).{quoted(name)}")


def _trees(items: Sequence[Mapping[str, Any]]) -> tuple[Syntax, ...]:
    return tuple(_tree(item) for item in items)


def _constant(literal: Mapping[str, Any]) -> Syntax:
    kind = literal["kind"]
    match kind:
        case "NULL_LITERAL":
            return Syntax("constant", kind, (), "NULL")
        case "STRING":
            escaped = literal["text"].replace("'", "''")
            return Syntax("constant", kind, (), f"'{escaped}'")
        case "INTEGER" | "NUMERIC" | "BOOLEAN":
            text = literal["text"]
            return Syntax("constant", kind, (), f"({text})" if text.startswith("-") else text)
        case _:
            raise Refused(f"a constant of the kind {kind.lower()}")


def _call(item: Mapping[str, Any]) -> Syntax:
    path = item["qualified_name"]["path"]
    name = str(path[-1])
    if len(path) != 1 or item.get("distinct") or item.get("filter") or item["order_bys"].get("orders"):
        raise Refused(f"the function {name} with more than arguments")
    args = tuple(_tree(part["expression"]) for part in item["arguments"])
    texts = [part.text for part in args]
    labels = [part.get("name") or "" for part in item["arguments"]]
    if name == "struct_pack" and all(labels):
        pairs = [f"{quoted(label)} := {text}" for label, text in zip(labels, texts, strict=True)]
        return Syntax("struct", "\n".join(labels), args, f"struct_pack({', '.join(pairs)})")
    if any(labels):
        raise Refused(f"named arguments of {name}")
    if name == "like_escape" or name == "not_like_escape":
        word = "LIKE" if name == "like_escape" else "NOT LIKE"
        text = f"({texts[0]} {word} {texts[1]} ESCAPE {texts[2]})"
    elif not item["is_operator"]:
        text = f"{quoted(name)}({', '.join(texts)})"
    elif len(args) == 2:
        text = f"({texts[0]} {name} {texts[1]})"
    elif len(args) == 1:
        text = f"({name} {texts[0]})"
    else:
        raise Refused(f"the operator {name}")
    return Syntax("call", name.lower(), args, text)


def _operator(item: Mapping[str, Any]) -> Syntax:
    if item["type"] == "STRUCT_EXTRACT":
        child, name = item["children"]
        return _field(_tree(child), name["literal"]["text"])
    form = _OPERATORS.get(item["type"])
    if form is None:
        raise Refused(f"the operator {item['type'].lower()}")
    args = _trees(item["children"])
    texts = [part.text for part in args]
    match form:
        case "not":
            text = f"(NOT {texts[0]})"
        case "is null" | "is not null":
            text = f"({texts[0]} {form.upper()})"
        case "in" | "not in":
            text = f"({texts[0]} {form.upper()} ({', '.join(texts[1:])}))"
        case _:
            text = f"{form}({', '.join(texts)})"
    return Syntax(form, form, args, text)


def _case(item: Mapping[str, Any]) -> Syntax:
    args: list[Syntax] = []
    words: list[str] = []
    for check in item["case_checks"]:
        condition, result = _tree(check["when_expr"]), _tree(check["then_expr"])
        args += (condition, result)
        words.append(f"WHEN {condition.text} THEN {result.text}")
    otherwise = _tree(item["else_expr"])
    text = f"(CASE {' '.join(words)} ELSE {otherwise.text} END)"
    return Syntax("case", "case", (*args, otherwise), text)


def _type(item: Mapping[str, Any]) -> str:
    """The type of a cast, with its modifiers."""
    name = item.get("type_name", "")
    path = item.get("qualified_name", {}).get("path", [name])
    children = item.get("children") or []
    if not name or len(path) != 1 or not str(name).replace("_", "").replace(" ", "").isalnum():
        raise Refused("a cast to a type of its own")
    if any(child["class"] != "CONSTANT" for child in children):
        raise Refused(f"a cast to {name}")
    inside = ", ".join(child["literal"]["text"] for child in children)
    return f"{name}({inside})" if inside else str(name)
