"""Functions of text. DuckDB counts code points here, and so does Polars; of a dictionary each text is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.kinds import STRING, Kind, Range, Refused, kind_of
from luma_bench.engines.polars.values import Value, as_text

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")


def by_category(value: Value, test: Callable[[pl.Expr], pl.Expr]) -> Value:
    """A test of text; of a dictionary each of its texts is tested once."""
    kind = kind_of("BOOLEAN")
    if not value.is_enum:
        return Value(test(value.expr), kind, kind.dtype, Range(0, 1), value.nullable)
    assert isinstance(value.dtype, pl.Enum)
    texts = value.dtype.categories
    passed = pl.select(test(pl.lit(texts)).alias("passed"))["passed"]
    chosen = texts.filter(passed)
    if len(chosen) in (0, len(texts)):
        answer = pl.lit(len(chosen) > 0)
        expr = (
            pl.when(value.expr.is_not_null()).then(answer)
            if value.nullable
            else value.expr.is_null() ^ answer
        )
    elif len(chosen) == 1:
        expr = value.expr == pl.lit(chosen[0], dtype=value.dtype)
    else:
        expr = value.expr.is_in(chosen.cast(value.dtype).implode())
    return Value(expr, kind, kind.dtype, Range(0, 1), value.nullable)


def equals_text(value: Value, operator: str, literal: str) -> Value:
    """A comparison of a dictionary's text with a constant that is not NULL."""
    tests: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
        "=": lambda text: text == literal,
        "<>": lambda text: text != literal,
        "<": lambda text: text < literal,
        "<=": lambda text: text <= literal,
        ">": lambda text: text > literal,
        ">=": lambda text: text >= literal,
        "IS DISTINCT FROM": lambda text: text != literal,
        "IS NOT DISTINCT FROM": lambda text: text == literal,
    }
    found = by_category(value, tests[operator])
    if not operator.startswith("IS"):
        return found
    return replace(found, expr=found.expr.fill_null(operator == "IS DISTINCT FROM"), nullable=False)


def _literal(value: Value, what: str) -> str:
    if not isinstance(value.literal, str):
        raise Refused(f"{what} that is no constant")
    return value.literal


def _text(value: Value) -> Value:
    if value.kind.family != "text":
        raise Refused(f"a function of text over {value.kind.text}")
    return value


def _whole(value: Value, what: str) -> int:
    if value.constant is None or not isinstance(value.literal, int) or value.kind.family != "integer":
        raise Refused(f"{what} that is no constant")
    return value.literal


def _pattern(pattern: str, escape: str) -> tuple[list[str | None], bool]:
    """What a LIKE pattern asks for: texts, and None for each `%`; and whether it has a `_`, which stays in a regex."""
    parts: list[str | None] = [""]
    at, single = 0, False
    regex: list[str] = []
    while at < len(pattern):
        mark = pattern[at]
        if escape and mark == escape:
            at += 1
            if at == len(pattern):
                raise Refused("a pattern that ends in its escape")
            mark, literal = pattern[at], True
        else:
            literal = False
        if mark == "%" and not literal:
            parts.append(None)
            parts.append("")
            regex.append(".*")
        elif mark == "_" and not literal:
            single = True
            regex.append(".")
        else:
            parts[-1] = (parts[-1] or "") + mark
            regex.append(mark if mark in _PLAIN else f"\\x{{{ord(mark):x}}}")
        at += 1
    if single:
        return [f"(?s)^{''.join(regex)}$"], True
    return parts, False


def like(pattern: str, escape: str = "") -> Callable[[pl.Expr], pl.Expr]:
    """The test of a LIKE pattern."""
    parts, is_regex = _pattern(pattern, escape)
    if is_regex:
        return lambda text: text.str.contains(str(parts[0]))
    if len(parts) == 1:
        return lambda text: text == str(parts[0])
    texts = [part for part in parts if part is not None]
    first, *middle, last = texts
    wanted = [part for part in middle if part]
    if not wanted:
        if not first and not last:
            return lambda text: text.str.len_bytes() >= 0
        if not last:
            return lambda text: text.str.starts_with(first)
        if not first:
            return lambda text: text.str.ends_with(last)
    if len(wanted) == 1 and not first and not last:
        return lambda text: text.str.contains(wanted[0], literal=True)
    quoted = ["".join(mark if mark in _PLAIN else f"\\x{{{ord(mark):x}}}" for mark in part) for part in texts]
    # Greedy or not, whether there is a match is the same; the anchors stand where no % does.
    regex = f"(?s){'^' if first else ''}{'.*?'.join(part for part in quoted if part)}{'$' if last else ''}"
    return lambda text: text.str.contains(regex)


def _like(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del kind, duck
    value = _text(values[0])
    escape = _literal(values[2], "an escape") if len(values) == 3 else ""
    found = by_category(value, like(_literal(values[1], "a pattern"), escape))
    return found.over(~found.expr) if name in ("!~~", "not_like_escape") else found


def _test(method: str) -> Callable[[Sequence[Value], Kind, str, Duck], Value]:
    def rule(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
        del kind, duck
        found = _literal(values[1], f"what {name} looks for")
        tests: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
            "starts": lambda text: text.str.starts_with(found),
            "ends": lambda text: text.str.ends_with(found),
            "contains": lambda text: text.str.contains(found, literal=True),
        }
        return by_category(_text(values[0]), tests[method])

    return rule


def _substring(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del duck
    if name == "left":
        start, count = 1, _whole(values[1], "a length")
    else:
        start = _whole(values[1], "a position")
        count = _whole(values[2], "a length") if len(values) == 3 else None
    if start < 1 or (count is not None and count < 0):
        raise Refused(f"{name} with positions below 1")
    value = as_text(_text(values[0]))
    return Value(value.expr.str.slice(start - 1, count), kind, STRING, kind.range, value.nullable)


def _length(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name, duck
    value = as_text(_text(values[0]))
    expr = value.expr.str.len_chars().cast(kind.dtype)
    return Value(expr, kind, kind.dtype, Range(0, (1 << 32) - 1), value.nullable)


def _joined(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del name, duck
    if kind.family != "text":
        raise Refused(f"|| of {values[0].kind.text}")
    texts = [as_text(_text(value)) for value in values]
    expr = pl.concat_str([value.expr for value in texts], ignore_nulls=False)
    return Value(expr, kind, STRING, kind.range, any(value.nullable for value in texts))


def _trimmed(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del duck
    if len(values) != 1:
        raise Refused(f"{name} of other characters than blanks")
    text = as_text(_text(values[0]))
    parts = text.expr.str
    made = {
        "trim": parts.strip_chars(" "),
        "ltrim": parts.strip_chars_start(" "),
        "rtrim": parts.strip_chars_end(" "),
    }[name]
    return Value(made, kind, STRING, kind.range, text.nullable)


def _replaced(values: Sequence[Value], kind: Kind, name: str, duck: Duck) -> Value:
    del duck
    old, new = _literal(values[1], f"what {name} looks for"), _literal(values[2], f"what {name} puts in")
    if not old:
        raise Refused(f"{name} of nothing")
    text = as_text(_text(values[0]))
    return Value(text.expr.str.replace_all(old, new, literal=True), kind, STRING, kind.range, text.nullable)


TEXTS: Mapping[str, Callable[[Sequence[Value], Kind, str, Duck], Value]] = {
    "~~": _like,
    "!~~": _like,
    "like_escape": _like,
    "not_like_escape": _like,
    "prefix": _test("starts"),
    "starts_with": _test("starts"),
    "suffix": _test("ends"),
    "ends_with": _test("ends"),
    "contains": _test("contains"),
    "substring": _substring,
    "substr": _substring,
    "left": _substring,
    "length": _length,
    "len": _length,
    "char_length": _length,
    "character_length": _length,
    "||": _joined,
    "trim": _trimmed,
    "ltrim": _trimmed,
    "rtrim": _trimmed,
    "replace": _replaced,
}
