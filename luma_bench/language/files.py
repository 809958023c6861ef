"""Files in a query: which readers there are, where their files are named, and how the names reach whoever opens them.

A reader in the user's text becomes a call that no engine knows: `read_csv('a.csv')` turns into `__luma_read_csv('a.csv')`,
and a bare `'a.csv'` behind FROM into `__luma_file('a.csv') AS "a"`. Names that begin so cannot be written by a user, so
a text with files runs only after the binder has looked at each of them, and put back the reader with what it may open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.draft import Draft
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION, split
from luma_bench.language.placed import Parameter
from luma_bench.language.rewrite import Edit
from luma_bench.language.tokens import STRING, Tokens, tokenize
from luma_bench.types.sql_text import quoted

PREFIX: Final = "__luma_"
"""What stands before a reader's name between reading a text and binding it."""
BARE: Final = "file"
"""The reader of a file that stands as a table by its name alone."""
ARROW: Final = "read_arrow"
"""The reader of Arrow IPC files."""
GLOB: Final = "glob"
"""The function that lists files."""

READERS: Final = frozenset(
    split("""
    read_csv read_csv_auto read_parquet parquet_scan read_json read_json_auto read_ndjson read_ndjson_auto
    read_json_objects read_json_objects_auto read_ndjson_objects read_text read_blob sniff_csv parquet_metadata
    parquet_schema parquet_file_metadata parquet_kv_metadata parquet_full_metadata parquet_bloom_probe glob read_arrow
    """)
)
"""Table functions whose first argument names files."""

ENDINGS: Final[Mapping[str, str]] = {
    ".parquet": "read_parquet", ".pq": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv", ".txt": "read_csv",
    ".json": "read_json", ".jsonl": "read_json", ".ndjson": "read_json", ".arrow": ARROW, ".arrows": ARROW,
    ".feather": ARROW, ".ipc": ARROW,
}  # fmt: skip
"""The reader that a file's ending names, under a `.gz` or `.zst`."""

_REFUSED_OPTIONS: Final[Mapping[str, str]] = dict.fromkeys(
    ("store_rejects", "rejects_table", "rejects_scan", "rejects_limit"),
    "Keep broken lines in a table of the bench: bench.write(name, path, rejects='bad_rows').",
)
_SHAPE: Final = "Name the files as constants or parameters: read_csv('a.csv'), read_csv(['a.csv', 'b.csv']), read_csv($path)."
_STANDS: Final = "Write it as a table: SELECT … FROM {name}('file') AS f."
_ALONE: Final = frozenset({"DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_ASSIGNS: Final = frozenset({"=", ":=", "=>"})
_PLACED: Final = re.compile(rf"\b{PREFIX}\w")


@dataclass(frozen=True, slots=True)
class FileCall:
    """A reader in a rewritten text, before its files are looked up.

    Attributes
    ----------
    reader
        `file` for a bare name, else the function's name in lower case.
    names
        The files, globs and URLs as written, or the parameters that hold them.
    call
        From the placeholder's name to the closing bracket, in offsets of the rewritten text.
    argument
        Where the files are named, in the same offsets.
    options
        What stands behind them, as written, with its comma.
    aliased
        Whether a name for the rows follows.
    """

    reader: str
    names: tuple[str | Parameter, ...]
    call: tuple[int, int]
    argument: tuple[int, int]
    options: str
    aliased: bool


def reader_of(name: str) -> str | None:
    """The reader that a file's ending names; None for an ending that names none."""
    path = PurePosixPath(name)
    if path.suffix.lower() in (".gz", ".zst"):
        path = path.with_suffix("")
    return ENDINGS.get(path.suffix.lower())


def bare_file(draft: Draft, index: int) -> None:
    """A string that stands as a table: it becomes a call whose rows have the file's name without its ending.

    One that is an identifier is a table's name, as it is for DuckDB, and stays.

    Raises
    ------
    KadeQLUnsupportedError
        Its ending names no format.
    """
    tokens, last = draft.tokens, draft.scope.last
    name = tokens.names[index]
    if name.isidentifier():
        return  # DuckDB takes a string as a table's name too
    if reader_of(name) is None:
        raise KadeQLUnsupportedError(
            f"{name!r}: its ending names no format.",
            text=tokens.text,
            span=tokens.span(index),
            hint=f"Endings are {', '.join(ENDINGS)}; for another name the reader: FROM read_csv('{name}').",
        )
    before = tokens.words[index - 1] if index > draft.scope.first else ""
    opening = f"{PREFIX}{BARE}("
    start, end = tokens.span(index)
    draft.edits.append(Edit(start, start, f"FROM {opening}" if before in _ALONE else opening))
    if before == "TABLE":
        draft.replace(index - 1, index, "FROM")
    named = before in (*_ALONE, "TABLE", ":") or alias_follows(tokens, index + 1, last)
    stem = PurePosixPath(name).name.partition(".")[0]
    alias = stem if stem and not set(name) & set("*?[") else name
    draft.edits.append(Edit(end, end, ")" if named else f") AS {quoted(alias)}"))
    draft.volatile = True


def reader_call(draft: Draft, index: int) -> None:
    """A call of a reader at `index`: its shape is checked, and its name made one that only the binder resolves.

    Raises
    ------
    KadeQLUnsupportedError
        The files are computed, an option is not served, or it stands where no table does.
    """
    tokens = draft.tokens
    name = tokens.names[index].casefold()
    if index not in draft.scope.starts or tokens.words[index - 1] == ".":
        raise KadeQLUnsupportedError(
            f"{name} reads files into rows, so it stands as a table and without a schema.",
            text=tokens.text,
            span=tokens.span(index),
            hint=_STANDS.format(name=name),
        )
    close = tokens.closing(index + 1, draft.scope.last)
    _, after = _argument(tokens, index + 2, close)
    if name in (ARROW, GLOB) and after != close:
        raise KadeQLUnsupportedError(
            f"{name} takes files and no options.",
            text=tokens.text,
            span=tokens.span(after, close),
            hint="Leave them out.",
        )
    if name in (ARROW, GLOB) and tokens.follows(close + 1, draft.scope.last, "WITH", "ORDINALITY"):
        raise KadeQLUnsupportedError(
            f"WITH ORDINALITY of {name} is not served.",
            text=tokens.text,
            span=tokens.span(close + 1, close + 3),
            hint="Number the rows in the query: SELECT *, row_number() OVER () AS n FROM …",
        )
    for place in range(after, close):
        option = tokens.names[place].casefold()
        if option in _REFUSED_OPTIONS and tokens.words[place + 1] in _ASSIGNS:
            raise KadeQLUnsupportedError(
                f"The option {option} is not served: it would make tables of the engine's own.",
                text=tokens.text,
                span=tokens.span(place),
                hint=_REFUSED_OPTIONS[option],
            )
    start, end = tokens.span(index)
    draft.edits.append(Edit(start, end, PREFIX + name))
    draft.volatile = True


def file_calls(sql: str) -> tuple[FileCall, ...]:
    """The readers of a rewritten text, in order; empty where it reads no file."""
    if _PLACED.search(sql) is None:
        return ()
    tokens = tokenize(sql)
    found: list[FileCall] = []
    for index, word in enumerate(tokens.words):
        folded = tokens.names[index].casefold()
        if word == STRING or not folded.startswith(PREFIX) or not tokens.follows(index + 1, len(tokens), "("):
            continue
        reader = folded.removeprefix(PREFIX)
        if reader != BARE and reader not in READERS:
            continue
        close = tokens.closing(index + 1, len(tokens))
        names, after = _argument(tokens, index + 2, close)
        found.append(
            FileCall(
                reader,
                names,
                (tokens.starts[index], tokens.ends[close]),
                tokens.span(index + 2, after),
                sql[tokens.ends[after - 1] : tokens.starts[close]],
                alias_follows(tokens, close + 1, len(tokens))
                or (index > 0 and tokens.words[index - 1] == ":"),
            )
        )
    return tuple(found)


def alias_follows(tokens: Tokens, index: int, end: int) -> bool:
    """Whether a name for the table before `index` stands there."""
    if index >= end:
        return False
    word = tokens.words[index]
    return word == "AS" or (tokens.is_name(index) and word not in RESERVED and word not in TYPE_FUNCTION)


def _argument(tokens: Tokens, first: int, close: int) -> tuple[tuple[str | Parameter, ...], int]:
    """The files that tokens from `first` name, and the token behind them: a comma or the closing bracket."""
    index = first + 1 if tokens.follows(first, close, "ARRAY", "[") else first
    closing: Literal["]", ""] = ""
    names: list[str | Parameter] = []
    if tokens.follows(index, close, "["):
        index, closing = index + 1, "]"
    while True:
        if tokens.follows(index, close, STRING):
            names.append(tokens.names[index])
            index += 1
        elif tokens.follows(index, close, "$") and index + 1 < close and tokens.names[index + 1]:
            names.append(Parameter(tokens.names[index + 1]))
            index += 2
        else:
            raise _computed(tokens, first, close)
        if not closing or not tokens.follows(index, close, ","):
            break
        index += 1
    if closing:
        if not tokens.follows(index, close, closing):
            raise _computed(tokens, first, close)
        index += 1
    if index < close and tokens.words[index] != ",":
        raise _computed(tokens, first, close)
    return tuple(names), index


def _computed(tokens: Tokens, first: int, close: int) -> KadeQLUnsupportedError:
    return KadeQLUnsupportedError(
        "The files of a query are named by constants or parameters, not computed.",
        text=tokens.text,
        span=tokens.span(first, close) if close > first else tokens.span(close),
        hint=_SHAPE,
    )
