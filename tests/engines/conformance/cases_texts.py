"""Texts and bytes: lengths in code points, cases, patterns, regular expressions, Unicode beyond the first plane."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from typing import Any

import pyarrow as pa
from conformance_cases import Expression, Expressions, Failure, of, strict

TEXT, BOOL, I32, I64, BYTES = pa.string(), pa.bool_(), pa.int32(), pa.int64(), pa.binary()
TEXTS = pa.list_(TEXT)


def like(text: str, pattern: str, escape: str = "", *, fold: bool = False) -> bool:
    """LIKE by a regular expression: `%` is any text, `_` one code point."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if escape and character == escape:
            at += 1
            parts.append(re.escape(pattern[at]))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
        at += 1
    return re.fullmatch("".join(parts), text, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None


def substring(text: str, first: int, length: int | None = None) -> str:
    """SQL's substring: positions from 1, from the end when negative; what stands before the text counts and is empty."""
    start = first - 1 if first > 0 else len(text) + first if first < 0 else -1
    end = len(text) if length is None else start + length
    return text[max(0, start) : max(0, end)]


def padded(text: str, length: int, filling: str, *, left: bool) -> str:
    """lpad, rpad: also cuts what is longer."""
    if len(text) >= length:
        return text[:length]
    fill = (filling * length)[: length - len(text)]
    return fill + text if left else text + fill


def levenshtein(a: bytes, b: bytes) -> int:
    """The least number of bytes to insert, delete and replace."""
    before = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        now = [i]
        for j, right in enumerate(b, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (left != right)))
        before = now
    return before[-1]


def accents_off(text: str) -> str:
    """Without combining marks that are part of a letter."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def position(text: str, part: str) -> int:
    """From 1; 0 when it is not there."""
    return text.find(part) + 1


def parted(text: str, separator: str, index: int) -> str:
    """split_part: from 1, from the end when negative; empty when there is none."""
    parts = text.split(separator) if separator else [text]
    at = index - 1 if index > 0 else len(parts) + index
    return parts[at] if 0 <= at < len(parts) else ""


PLAIN = Expressions(
    "texts",
    "texts",
    [
        Expression("length(s)", I64, strict(len, "s")),
        Expression("strlen(s)", I64, strict(lambda a: len(a.encode()), "s")),
        Expression("bit_length(s)", I64, strict(lambda a: 8 * len(a.encode()), "s")),
        Expression("upper(t)", TEXT, strict(str.upper, "t")),
        Expression("lower(s)", TEXT, strict(str.lower, "s")),
        Expression("s || t", TEXT, strict(lambda a, b: a + b, "s", "t")),
        Expression("concat(s, '-', t)", TEXT, of(lambda a, b: f"{a or ''}-{b or ''}", "s", "t")),
        Expression("concat_ws('/', s, NULL, t)", TEXT, of(lambda a, b: "/".join(v for v in (a, b) if v is not None), "s", "t")),
        Expression("concat(n, t)", TEXT, of(lambda a, b: f"{'' if a is None else a}{b or ''}", "n", "t")),
        Expression("substr(s, 2, 3)", TEXT, strict(lambda a: substring(a, 2, 3), "s")),
        Expression("substring(s, n)", TEXT, strict(substring, "s", "n")),
        Expression("substring(s, n, 2)", TEXT, strict(lambda a, b: substring(a, b, 2), "s", "n")),
        Expression("left(s, 2)", TEXT, strict(lambda a: a[:2], "s")),
        Expression("left(s, -1)", TEXT, strict(lambda a: a[:-1], "s")),
        Expression("right(s, 3)", TEXT, strict(lambda a: a[-3:], "s")),
        Expression("right(s, -1)", TEXT, strict(lambda a: a[1:], "s")),
        Expression("s[1]", TEXT, strict(lambda a: a[:1], "s")),
        Expression("s[-1]", TEXT, strict(lambda a: a[-1:], "s")),
        Expression("s[2:4]", TEXT, strict(lambda a: a[1:4], "s")),
        Expression("reverse(t)", TEXT, strict(lambda a: a[::-1], "t")),
        Expression("repeat(t, 3)", TEXT, strict(lambda a: a * 3, "t")),
        Expression("repeat(t, n)", TEXT, strict(lambda a, b: a * max(0, b), "t", "n")),
        Expression("replace(s, 'a', 'é')", TEXT, strict(lambda a: a.replace("a", "é"), "s")),
        Expression("replace(s, t, '')", TEXT, strict(lambda a, b: a.replace(b, "") if b else a, "s", "t")),
        Expression("translate(s, 'abc', 'xy')", TEXT, strict(lambda a: a.translate({97: "x", 98: "y", 99: None}), "s")),
        Expression("lpad(t, 4, 'é')", TEXT, strict(lambda a: padded(a, 4, "é", left=True), "t")),
        Expression("rpad(s, 6, '.')", TEXT, strict(lambda a: padded(a, 6, ".", left=False), "s")),
        Expression("trim(s)", TEXT, strict(lambda a: a.strip(" "), "s")),
        Expression("ltrim(s)", TEXT, strict(lambda a: a.lstrip(" "), "s")),
        Expression("rtrim(s, 'eh ')", TEXT, strict(lambda a: a.rstrip("eh "), "s")),
        Expression("position(t IN s)", I64, strict(lambda a, b: position(b, a), "t", "s")),
        Expression("instr(s, 'b')", I64, strict(lambda a: position(a, "b"), "s")),
        Expression("contains(s, t)", BOOL, strict(lambda a, b: b in a, "s", "t")),
        Expression("starts_with(s, t)", BOOL, strict(str.startswith, "s", "t")),
        Expression("suffix(s, 'bc')", BOOL, strict(lambda a: a.endswith("bc"), "s")),
        Expression("split_part(s, 'b', 1)", TEXT, strict(lambda a: parted(a, "b", 1), "s")),
        Expression("split_part(s, ' ', -1)", TEXT, strict(lambda a: parted(a, " ", -1), "s")),
        Expression("string_split(s, 'b')", TEXTS, strict(lambda a: a.split("b"), "s")),
        Expression("ascii(s)", I32, strict(lambda a: ord(a[0]) if a else 0, "s")),
        Expression("unicode(t)", I32, strict(lambda a: ord(a[0]) if a else -1, "t")),
        Expression("chr(100 + coalesce(n, 1)::INTEGER)", TEXT, of(lambda a: chr(100 + (1 if a is None else a)), "n")),
        Expression("levenshtein(coalesce(s, ''), 'abc')", I64, of(lambda a: levenshtein((a or "").encode(), b"abc"), "s")),
        Expression("strip_accents(s)", TEXT, strict(accents_off, "s")),
        Expression("nfc_normalize(s)", TEXT, strict(lambda a: unicodedata.normalize("NFC", a), "s")),
        Expression("s = t", BOOL, strict(lambda a, b: a == b, "s", "t")),
        Expression("s < t", BOOL, strict(lambda a, b: a.encode() < b.encode(), "s", "t")),
        Expression("s >= 'z'", BOOL, strict(lambda a: a.encode() >= b"z", "s")),
        Expression("greatest(s, t)", TEXT, of(lambda a, b: max((v for v in (a, b) if v is not None), default=None), "s", "t")),
        Expression("md5(s)", TEXT, strict(lambda a: hashlib.md5(a.encode()).hexdigest(), "s")),
        Expression("sha256(s)", TEXT, strict(lambda a: hashlib.sha256(a.encode()).hexdigest(), "s")),
        Expression("hex(s)", TEXT, strict(lambda a: a.encode().hex().upper(), "s")),
        Expression("format('{}:{:03d}', t, n)", TEXT, strict(lambda a, b: f"{a}:{b:03d}", "t", "n")),
        Expression("printf('%s|%d', t, n)", TEXT, strict(lambda a, b: f"{a}|{b}", "t", "n")),
        Expression("s IS NULL", BOOL, of(lambda a: a is None, "s")),
        Expression("nullif(s, '')", TEXT, of(lambda a: a or None, "s")),
        Expression("coalesce(s, t, 'x')", TEXT, of(lambda a, b: a if a is not None else b if b is not None else "x", "s", "t")),
    ],
    [Failure("s::INTEGER", 2, "cast"), Failure("s::DATE", 9, "date"), Failure("repeat(s, 2)::DOUBLE", 3, "cast")],
)  # fmt: skip


def extract(text: str, pattern: str, group: int = 0) -> str:
    """The first match, or an empty text."""
    found = re.search(pattern, text)
    return (found[group] or "") if found else ""


PATTERNS = Expressions(
    "patterns and regular expressions",
    "texts",
    [
        Expression("s LIKE 'a%'", BOOL, strict(lambda a: like(a, "a%"), "s")),
        Expression("s NOT LIKE '%e%'", BOOL, strict(lambda a: not like(a, "%e%"), "s")),
        Expression("s LIKE '_'", BOOL, strict(lambda a: like(a, "_"), "s")),
        Expression("s LIKE '_bc'", BOOL, strict(lambda a: like(a, "_bc"), "s")),
        Expression("t LIKE '_'", BOOL, strict(lambda a: like(a, "_"), "t")),
        Expression("s LIKE t", BOOL, strict(like, "s", "t")),
        Expression("s LIKE '%\\%%' ESCAPE '\\'", BOOL, strict(lambda a: like(a, "%\\%%", "\\"), "s")),
        Expression("s LIKE 'a!%b!_c' ESCAPE '!'", BOOL, strict(lambda a: like(a, "a!%b!_c", "!"), "s")),
        Expression("s ILIKE 'ABC'", BOOL, strict(lambda a: like(a, "abc", fold=True), "s")),
        Expression("s ILIKE 'ZÜR%'", BOOL, strict(lambda a: like(a, "zür%", fold=True), "s")),
        Expression("s LIKE ''", BOOL, strict(lambda a: a == "", "s")),
        Expression("s SIMILAR TO '[aA]b.'", BOOL, strict(lambda a: re.fullmatch("[aA]b.", a) is not None, "s")),
        Expression("s GLOB 'a*'", BOOL, strict(lambda a: a.startswith("a"), "s")),
        Expression("regexp_matches(s, '[0-9]|ü')", BOOL, strict(lambda a: re.search("[0-9]|ü", a) is not None, "s")),
        Expression("regexp_matches(s, 'ABC', 'i')", BOOL, strict(lambda a: re.search("ABC", a, re.IGNORECASE) is not None, "s")),
        Expression("regexp_full_match(s, '.b.')", BOOL, strict(lambda a: re.fullmatch(".b.", a) is not None, "s")),
        Expression("s ~ 'a.*'", BOOL, strict(lambda a: "a" in a, "s")),
        Expression("regexp_replace(s, '[aeiou]', '*')", TEXT, strict(lambda a: re.sub("[aeiou]", "*", a, count=1), "s")),
        Expression("regexp_replace(s, '[aeiou]', '*', 'g')", TEXT, strict(lambda a: re.sub("[aeiou]", "*", a), "s")),
        Expression("regexp_replace(s, '(b)(c)', '\\2\\1')", TEXT, strict(lambda a: re.sub("(b)(c)", r"\2\1", a, count=1), "s")),
        Expression("regexp_extract(s, '[a-z]+')", TEXT, strict(lambda a: extract(a, "[a-z]+"), "s")),
        Expression("regexp_extract(s, '(.)(b)', 2)", TEXT, strict(lambda a: extract(a, "(.)(b)", 2), "s")),
        Expression("regexp_extract_all(s, '[a-z]+')", TEXTS, strict(lambda a: re.findall("[a-z]+", a), "s")),
        Expression("regexp_split_to_array(s, '[, ]')", TEXTS, strict(lambda a: re.split("[, ]", a), "s")),
        Expression("s IN ('a', 'abc', '😀 smile')", BOOL, strict(lambda a: a in ("a", "abc", "😀 smile"), "s")),
        Expression("s NOT IN ('a', NULL)", BOOL, of(lambda a: False if a == "a" else None, "s")),
        Expression("s BETWEEN 'a' AND 'b'", BOOL, strict(lambda a: b"a" <= a.encode() <= b"b", "s")),
    ],
    [Failure("regexp_matches(s, '(')", 2, "missing")],
)  # fmt: skip

BLOBS = Expressions(
    "bytes",
    "texts",
    [
        Expression("octet_length(v)", I64, strict(len, "v")),
        Expression("v || v", BYTES, strict(lambda a: a + a, "v")),
        Expression("hex(v)", TEXT, strict(lambda a: a.hex().upper(), "v")),
        Expression("base64(v)", TEXT, strict(lambda a: base64.b64encode(a).decode(), "v")),
        Expression("from_base64(base64(v))", BYTES, strict(lambda a: a, "v")),
        Expression("encode(s)", BYTES, strict(str.encode, "s")),
        Expression("decode(encode(s))", TEXT, strict(lambda a: a, "s")),
        Expression("unhex(hex(s))", BYTES, strict(str.encode, "s")),
        Expression("md5(v)", TEXT, strict(lambda a: hashlib.md5(a).hexdigest(), "v")),
        Expression("v = '\\x00'::BLOB", BOOL, strict(lambda a: a == b"\0", "v")),
        Expression("v < '\\x02'::BLOB", BOOL, strict(lambda a: a < b"\x02", "v")),
        Expression("v IS NULL", BOOL, of(lambda a: a is None, "v")),
    ],
    [Failure("decode(v)", 3, "UTF8")],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (PLAIN, PATTERNS, BLOBS)
