"""The tokens of a text agree with DuckDB's own, and texts that cannot be read say why."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.lexical import masked, regions
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, tokenize


def test_words_names_and_places():
    text = "Select \"a\"\"b\", 'it''s' , 1.5, x::INT FROM `q``r` GROUP  BY $p"
    tokens = tokenize(text)
    assert tokens.words == [
        "SELECT", QUOTED, ",", STRING, ",", NUMBER, ",", "X", "::", "INT", "FROM", QUOTED, "GROUP", "BY", "$", "P",
    ]  # fmt: skip
    assert [name for name in tokens.names if name] == [
        "Select",
        'a"b',
        "it's",
        "x",
        "INT",
        "FROM",
        "q`r",
        "GROUP",
        "BY",
        "p",
    ]
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)][-4:] == [
        "GROUP",
        "BY",
        "$",
        "p",
    ]


@pytest.mark.parametrize("first", ["EXPLAIN", "CALL", "PREPARE", "EXECUTE", "VACUUM", "RESET"])
def test_no_word_swallows_what_follows_it(first):
    tokens = tokenize(f"{first} a ';' (b) ; {first} -- ;\n c")
    assert tokens.words == [first, "A", STRING, "(", "B", ")", ";", first, "C"]
    assert list(tokens.statements()) == [(0, 6), (7, 9)]


HAZARDS = [
    ("SELECT a$$ , b$$", ["SELECT", "A$$", ",", "B$$"]),
    ("SELECT a$x$1", ["SELECT", "A$X$1"]),
    ("SELECT `a'b`, 'c`d'", ["SELECT", QUOTED, ",", STRING]),
    ('SELECT `a"b` -- `', ["SELECT", QUOTED]),
    ("SELECT {# 1 #} x", ["SELECT", "{", "#", NUMBER, "#", "}", "X"]),
    ("\ufeffSELECT 1", ["SELECT", NUMBER]),
    ("SELECT '{#' , 1 -- {#\n, '#}'", ["SELECT", STRING, ",", NUMBER, ",", STRING]),
    ("SELECT /*+ hint */ 1", ["SELECT", NUMBER]),
    ("SELECT 'a\\', 1", ["SELECT", STRING, ",", NUMBER]),
    ("SELECT E'a\\'b', 1", ["SELECT", STRING, ",", NUMBER]),
    ("SELECT $é$ ' $é$, $$ \" $$", ["SELECT", STRING, ",", STRING]),
]


@pytest.mark.parametrize(("text", "words"), HAZARDS)
def test_what_the_two_tokenizers_read_differently(text, words):
    assert tokenize(text).words == words
    assert len(masked(text)) == len(text)


UNREADABLE = [
    ("SELECT «'»abc", "string is never closed", "single quote"),
    ("SELECT 'a' || «'»b''", "string is never closed", "single quote"),
    ("SELECT «E'»b\\'", "string is never closed", "single quote"),
    ('SELECT «"»abc', "quoted name is never closed", "double quote"),
    ("SELECT «`»abc", "quoted name is never closed", "backquote"),
    ("SELECT 1 «/*» a /* b */", "comment is never closed", "*/"),
    ("SELECT «$»$abc", "dollar-quoted string is never closed", "$$"),
    ("SELECT «$»q$abc$$", "dollar-quoted string is never closed", "$q$"),
    ("SELECT a, «$»", "no parameter's name", "$name"),
    ("SELECT «$» a", "no parameter's name", "$name"),
    ("EXPLAIN SELECT «'»abc", "string is never closed", "single quote"),
    ("SELECT 'ok';\n\tSELECT «'»abc", "string is never closed", "single quote"),
]


@pytest.mark.parametrize(("marked", "message", "hint"), UNREADABLE)
def test_what_was_never_closed(read, marked, message, hint):
    start, end = marked.index("«"), marked.index("»") - 1
    with pytest.raises(KadeQLSyntaxError) as caught:
        read(marked.replace("«", "").replace("»", ""))
    assert message in caught.value.plain
    assert hint in (caught.value.hint or "")
    assert caught.value.span == (start, end)


FRAGMENTS = st.lists(
    st.sampled_from(
        ["'", '"', "`", "$", "$$", "$q$", "--", "/*", "*/", "\n", "\r", "\\", "E'", "e", "a", "b1", "_", " ", "1", "x", ";", "{#", "#}", "{", "}", "{%", "''", '""', "(", ")", "/", "*", "-", "q", "<", ">", "->", "-|", "N'", "x'", "U&", "0b1", "0x", ".", "&", "@", ":", "::", "?", "|"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@settings(deadline=None, max_examples=300)
@given(text=FRAGMENTS)
def test_constants_begin_where_duckdb_says(connection, text):
    parses = True
    try:
        connection.extract_statements(text)
    except duckdb.Error as error:
        parses = False
        if "unterminated" in str(error):
            with pytest.raises(KadeQLSyntaxError):
                tokenize(text)
            return
    try:
        tokens = tokenize(text)
    except KadeQLSyntaxError:
        assert not parses
        return
    expected = {offset for offset, kind in duckdb.tokenize(text) if kind == duckdb.token_type.string_const}
    found = set()
    for index, word in enumerate(tokens.words):
        if word == STRING:
            start = tokens.starts[index]
            # DuckDB takes the letter of x'ff' and b'01' into the constant.
            prefixed = index and tokens.ends[index - 1] == start and tokens.words[index - 1] in ("X", "B")
            found.add(start - 1 if prefixed else start)
    assert found == expected


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab1_$`'\"-/*\n{#%}; \ufeffé", max_size=24))
def test_regions_cover_without_overlap_and_masking_keeps_the_length(text):
    position = 0
    for region in regions(text):
        assert position <= region.start < region.end <= len(text)
        position = region.end
    readable = all(region.closed for region in regions(text))
    try:
        same = len(masked(text)) == len(text)
    except KadeQLSyntaxError as error:
        same = not readable or "`$`" in error.plain
    assert same


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT $a,$b", ["SELECT", "$", "A", ",", "$", "B"]),
        ("($lo,$hi)", ["(", "$", "LO", ",", "$", "HI", ")"]),
        ("$a+$b,'$c,$d'", ["$", "A", "+", "$", "B", ",", STRING]),
        ("$a::INT,$b", ["$", "A", "::", "INT", ",", "$", "B"]),
    ],
)
def test_parameters_that_adjoin(text: str, words: list[str]):
    tokens = tokenize(text)
    assert tokens.words == words
    assert [text[a:b].upper() for a, b in zip(tokens.starts, tokens.ends, strict=True)][:2] == [
        word if word != STRING else text[tokens.starts[0] : tokens.ends[0]].upper() for word in words[:2]
    ]
