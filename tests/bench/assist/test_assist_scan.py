"""Tokens and outlines of texts that are being typed."""

from __future__ import annotations

import pytest
from assist_cases import VALID
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.assist.reading import outline
from luma_bench.bench.assist.scan import scan, statement_at
from luma_bench.errors import KadeQLError
from luma_bench.language.tokens import tokenize

PIECES = st.sampled_from(
    ["SELECT", "FROM", "WITH", "MATCH", "(", ")", "[", "]", "{", "}", ",", ".", ";", "'", '"', "a", "b:c", "1", "$x", "--", "/*", "*/", "\n", " ",
     "AS", "JOIN", "ON", "WHERE", "=", "->", "-[", "GROUP BY", "UNION", "é", "`", "$$", "e'\\'", "TUMBLE(TABLE t", "GRAPH_TABLE(g MATCH (a:", "UPDATE t SET"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=25).map(" ".join),
    st.lists(PIECES, max_size=25).map("".join),
)


@given(TEXTS)
@settings(deadline=None, max_examples=80)
def test_any_text_has_tokens_in_order_and_an_outline(text: str):
    scanned = scan(text)
    tokens = scanned.tokens
    place = 0
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        assert place <= start < end <= len(text)
        place = end
    for first, last in scanned.statements():
        root = outline(scanned, first, last)
        for query in root.every():
            assert first <= query.first <= query.last <= last
            assert all(
                first <= source.first <= source.last <= last
                for member in query.members
                for source in member.sources
            )
        for index in range(first, last + 1):
            assert root.within(index).member_at(index) is not None


def named(tokens):
    """The names, strings and numbers: operators are cut otherwise, and nobody asks for them."""
    return [
        (word, start, end)
        for word, start, end in zip(tokens.words, tokens.starts, tokens.ends, strict=True)
        if word in ("'", '"', "0", "(", ")", ",", ";") or word[0].isalpha()
    ]


@pytest.mark.parametrize("text", VALID)
def test_finished_texts_have_the_tokens_that_the_language_reads(text: str):
    assert named(scan(text).tokens) == named(tokenize(text))


@given(TEXTS)
@settings(deadline=None, max_examples=80)
def test_what_the_language_reads_is_read_alike(text: str):
    try:
        tokens = tokenize(text)
    except KadeQLError:
        return
    if any(mark in text for mark in "{}`$é") or not text.isascii():
        return  # sqlglot cuts these at other places
    found = scan(text).tokens
    assert [item for item in named(found) if item[0] in "'\""] == [
        item for item in named(tokens) if item[0] in "'\""
    ]


def test_unclosed_brackets_end_with_what_is_around_them():
    scanned = scan("SELECT (a, [b FROM t) + (c; d")
    words = scanned.tokens.words
    assert [
        (words[opening], words[end] if end < len(words) else "")
        for opening, end in sorted(scanned.match.items())
    ] == [
        ("(", ")"),
        ("[", ")"),
        ("(", ";"),
    ]


@pytest.mark.parametrize(("text", "expected"), [
    ("a; b|; c", " b"), ("a; 'x;|y'; c", " 'x;y'"), ("|", ""), ("a -- ;\n b|; c", "a -- ;\n b"), ("a;|", ""), ("$$;$$ |b", "$$;$$ b"),
])  # fmt: skip
def test_the_statement_around_an_offset(text: str, expected: str):
    offset = text.index("|")
    start, stop = statement_at(text.replace("|", ""), offset)
    assert text.replace("|", "")[start:stop] == expected


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("SELECT * FROM a, b AS c JOIN s.d e USING (x)", [("a", "a"), ("b", "c"), ("s.d", "e")]),
        ("SELECT f. FROM flights AS f", [("flights", "f")]),
        ("SELECT * FROM weather SAMPLE BY '1h'", [("weather", "weather")]),
        ("SELECT * FROM t LATEST ON ts PARTITION BY k", [("t", "t")]),
        ("SELECT * FROM t latest WHERE", [("t", "latest")]),
        ("UPDATE t SET a = 1 FROM s", [("t", "t"), ("s", "s")]),
        ("DELETE FROM t USING s WHERE", [("t", "t"), ("s", "s")]),
        ("MERGE INTO t USING s ON", [("t", "t"), ("s", "s")]),
        ("INSERT INTO t (a, b) SELECT x FROM z", [("z", "z")]),
        ("CREATE TABLE n AS SELECT a FROM b", [("b", "b")]),
        ("SELECT extract(hour FROM x) FROM y", [("y", "y")]),
        ("SELECT a IS DISTINCT FROM b FROM c", [("c", "c")]),
        ("FROM f: flights", [("flights", "f")]),
        ("SELECT * FROM (a JOIN b USING (x)) WHERE", [("a", "a"), ("b", "b")]),
        ("SELECT * FROM flights AT (VERSION => 3) f", [("flights", "f")]),
    ],
)
def test_what_a_statement_reads(text: str, sources: list[tuple[str, str]]):
    scanned = scan(text)
    root = outline(scanned, 0, len(scanned.tokens))
    assert [(source.name, source.alias) for member in root.members for source in member.sources] == sources
