"""Write what the editor highlights by, from the word lists that the language itself reads and formats by.

`words.json` goes into the JupyterLab extension; `keywords.json` holds texts of the documentation with the words that the
formatter takes for keywords, which the extension's tests hold its highlighting against. `--check` writes nothing and ends
1 when a file is not what it would write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from luma_bench.bench.assist.options import OPTIONS
from luma_bench.errors import LumaError
from luma_bench.language import format_match, format_series, format_words, keywords
from luma_bench.language.format_words import Words
from luma_bench.language.graph.mentions import PATH_FUNCTIONS
from luma_bench.language.graph.read_algorithm import ALGORITHMS
from luma_bench.language.row_ids import ROWS_FUNCTION
from luma_bench.language.series import columns, windows
from luma_bench.language.series.applied import SERIES_FUNCTIONS
from luma_bench.language.tokens import tokenize

ROOT = Path(__file__).resolve().parents[1]
LAB = ROOT / "extensions" / "lab"
WORDS = LAB / "src" / "language" / "words.json"
KEYWORDS = LAB / "test" / "fixtures" / "keywords.json"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FENCE = re.compile(r"^```(?:sql|kadeql)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHORTHAND = re.compile(r"…|\.\.\.|[{}]")
MOST_TEXTS = 400


def main(arguments: list[str]) -> int:
    """Write both files, or say which of them is not up to date."""
    stale = False
    for path, content in ((WORDS, words()), (KEYWORDS, examples())):
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("],", "],\n") + "\n"
        if "--check" in arguments:
            if not path.exists() or path.read_text("utf-8") != text:
                print(f"{path.relative_to(ROOT)} is not up to date: run python scripts/highlighting.py")
                stale = True
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if stale else 0


def words() -> dict[str, Any]:
    """Every list, in the letters' case that the editor compares with: keywords upper, functions and types lower."""
    functions, types = of_the_engine()
    own = {
        name.lower() for name in (*ALGORITHMS, *windows.WINDOW_FUNCTIONS, *SERIES_FUNCTIONS, *PATH_FUNCTIONS)
    }
    return {
        "reserved": sorted(keywords.RESERVED),
        "starts": sorted(keywords.QUERY_STARTS - {"("}),
        "leaders": sorted(format_words._LEADERS),
        "joins": sorted(format_words._JOINS),
        "units": sorted(columns.UNITS),
        "operators": sorted(format_words._OPERATORS),
        "frames": sorted(format_words._FRAMES | {"ROWS", "RANGE", "GROUPS"}),
        "window": sorted(format_words._WINDOW),
        "path": sorted(format_match._PATH),
        "pairs": dict(sorted(format_match._PAIRS.items())),
        "times": sorted(format_match._BEHIND_TIMES),
        "directions": sorted(format_series._DIRECTIONS),
        "fills": sorted(format_series._FILLS),
        "bounds": sorted(format_series._BOUNDS),
        "stops": sorted(format_series._STOPS),
        "behind": {word: sorted(before) for word, before in sorted(format_words._BEHIND.items())},
        "before": {word: sorted(after) for word, after in sorted(format_words._BEFORE.items())},
        "algorithms": sorted(ALGORITHMS),
        "options": {option: value is not None for option, value in OPTIONS.items()},
        "functions": sorted(functions | own | {ROWS_FUNCTION.lower(), "graph_table", "descriptor"}),
        "types": sorted(types),
    }


def of_the_engine() -> tuple[set[str], set[str]]:
    """The engine's functions and types that are written as plain names, in lower case."""
    with duckdb.connect() as connection:
        functions = connection.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions()"
        ).fetchall()
        types = connection.execute("SELECT DISTINCT lower(type_name) FROM duckdb_types()").fetchall()
    names = {name for (name,) in functions if _NAME.fullmatch(name) and not name.startswith("__")}
    return names, {name for (name,) in types if _NAME.fullmatch(name) and name not in ("null", "unknown")}


def examples() -> list[dict[str, Any]]:
    """Texts of the documentation, each with the spans of its keywords, in UTF-16 code units."""
    found: list[dict[str, Any]] = []
    for text in dict.fromkeys(documented()):
        if _SHORTHAND.search(text):
            continue
        try:
            tokens = tokenize(text)
        except LumaError:
            continue
        marked = Words(tokens).keywords
        at = [len(text[:place].encode("utf-16-le")) // 2 for place in range(len(text) + 1)]
        spans = [
            [at[start], at[end]]
            for start, end, is_keyword in zip(tokens.starts, tokens.ends, marked, strict=True)
            if is_keyword
        ]
        found.append({"text": text, "keywords": spans})
    return found[:MOST_TEXTS]


def documented() -> Iterator[str]:
    """The KadeQL of every fenced block in docs/, in order."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for block in _FENCE.finditer(page.read_text("utf-8")):
            yield block[1].strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
