"""The generated parts of the language reference: statements, functions, operators, types, keywords, and errors by message."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path


def statements(_: Path) -> str:
    """Every kind of statement: its shape, what it does, examples set out by the formatter."""
    from luma_bench.language import format_text
    from luma_bench.language.shapes import SHAPES

    lines: list[str] = []
    for kind, shape in SHAPES.items():
        lines += [f"### {kind.value}", "", shape.meaning, "", "```text", shape.syntax, "```", ""]
        for example in shape.examples:
            lines += ["```sql", format_text(example), "```", ""]
    return "\n".join(lines)


def statement_list(_: Path) -> str:
    """The kinds of statements with a sentence each."""
    from luma_bench.language.shapes import SHAPES

    rows = [f"| `{kind.value}` | {shape.meaning} |" for kind, shape in SHAPES.items()]
    return "\n".join(["| Statement | What it does |", "|---|---|", *rows])


def functions(_: Path) -> str:
    """Every function that may be called, by what it is."""
    from luma_bench.language.functions import refused_function

    groups = (
        ("Of one row", ("scalar", "macro")),
        ("Aggregates", ("aggregate",)),
        ("Windows", ("window",)),
        ("Tables", ("table", "table_macro")),
    )
    lines: list[str] = []
    for title, kinds in groups:
        found = _asked(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE list_contains($kinds, function_type) "
            "AND regexp_full_match(function_name, '[a-zA-Z]\\w*') ORDER BY 1",
            kinds=list(kinds),
        )
        names = [name for name in found if refused_function(name) is None]
        lines += [f"### {title}: {len(names)}", "", _wrapped(names), ""]
    return "\n".join(lines)


def operators(_: Path) -> str:
    """Operators with what they give."""
    from luma_bench.language.shapes import OPERATORS

    # A bar would end the cell.
    rows = [f"| {_cell(written)} | {meaning} |" for written, meaning in OPERATORS.values()]
    return "\n".join(["| Written | Gives |", "|---|---|", *rows])


def types(_: Path) -> str:
    """Types with their other names."""
    found = _rows(
        "SELECT logical_type, coalesce(type_category, 'OTHER'), list_sort(list_distinct(list(upper(type_name)))) "
        "FROM duckdb_types() WHERE logical_type NOT IN ('NULL', 'TYPE', 'TUPLE') GROUP BY ALL ORDER BY 2, 1"
    )
    rows = [
        f"| `{kind}` | {category.lower()} | {', '.join(f'`{name}`' for name in names if name != kind)} |"
        for kind, category, names in found
    ]
    return "\n".join(["| Type | Kind | Also written |", "|---|---|---|", *rows])


def keywords(_: Path) -> str:
    """The words of the grammar, by what else they may be."""
    from luma_bench.language.keywords import ORDINARY, RESERVED, TYPE_FUNCTION

    groups = (
        ("Never a name unless quoted", RESERVED),
        ("A function or type, but no table or column unless quoted", TYPE_FUNCTION),
        ("Names too", ORDINARY),
    )
    return "\n\n".join(f"### {title}: {len(words)}\n\n{_wrapped(sorted(words))}" for title, words in groups)


def message_families(_: Path) -> str:
    """Every family of messages about a statement: an example with its error as it is shown, and what to do."""
    from luma_bench.engines.duck_advice import FAMILIES
    from luma_bench.errors import LumaError

    lines: list[str] = []
    with _bench() as bench:
        for family in sorted(FAMILIES, key=lambda family: family.title):
            try:
                bench.kadeql(family.example)
            except LumaError as error:
                shown = f"{type(error).__name__}: {error}"
            else:
                raise ValueError(f"docs: {family.example!r} is no error")
            lines += [f"### {family.title}", "", "```text", shown, "```", ""]
    return "\n".join(lines)


def refusals(_: Path) -> str:
    """Everything that is refused, wherever it stands: what, why, and what to write instead."""
    rows = dict.fromkeys(
        f"| {_bar(item.what)} | {_bar(item.why)} | {_bar(item.instead)} |" for item in every_refusal()
    )
    return "\n".join(["| What | Why | Write instead |", "|---|---|---|", *sorted(rows)])


def islands(_: Path) -> str:
    """Constructs inside queries that are recognised and not served yet, with what to write instead."""
    from luma_bench.language.islands import ISLANDS

    rows = [
        f"| {_bar(island.refusal.what)} | {_bar(island.refusal.instead)} |"
        for island in ISLANDS
        if island.refusal is not None
    ]
    return "\n".join(["| Construct | Write instead |", "|---|---|", *dict.fromkeys(rows)])


def refused_functions(_: Path) -> str:
    """Functions that are refused, why, and what to write instead."""
    from luma_bench.language.functions import CATALOG_FUNCTIONS, FUNCTIONS, INFORMATION, METADATA, PREFIXES

    shared: dict[object, list[str]] = {}
    for name, refusal in FUNCTIONS.items():
        shared.setdefault(refusal, []).append(f"`{name}`")
    for prefix, refusal in PREFIXES:
        shared.setdefault(refusal, []).append(f"others that begin with `{prefix}`")
    rows = [
        f"| {', '.join(names)} | {_bar(refusal.what)} {_bar(refusal.why)} | {_bar(refusal.instead)} |"
        for refusal, names in shared.items()
    ]
    spared = ", ".join(f"`{name}`" for name in sorted(METADATA))
    table = "\n".join(["| Functions | Why | Write instead |", "|---|---|---|", *rows])
    served = ", ".join(
        f"`{name}`" for name in (*sorted(INFORMATION), *(f"{name}()" for name in sorted(CATALOG_FUNCTIONS)))
    )
    return (
        f"{table}\n\nBut for {spared}, which tell only of the language; and these are served, from the bench's own catalog "
        f"and as whoever asks may see it: {served}."
    )


def every_refusal() -> list[object]:
    """Every `Refusal` of the language's modules, in tables too."""
    import importlib
    import pkgutil

    from luma_bench import language
    from luma_bench.language.refusals import Refusal

    found: list[object] = []

    def collect(item: object) -> None:
        if isinstance(item, Refusal):
            found.append(item)
        elif isinstance(item, dict):
            for value in item.values():
                collect(value)
        elif isinstance(item, tuple | list):
            for value in item:
                collect(value)

    for module in pkgutil.walk_packages(language.__path__, f"{language.__name__}."):
        for name, item in vars(importlib.import_module(module.name)).items():
            if not name.startswith("__"):
                collect(item)
    return found


TABLES = """
CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, n BIGINT, day DATE, tags VARCHAR[]);
INSERT INTO t VALUES (1, 'one', 10, DATE '2026-01-01', ['x']), (2, 'two', 20, DATE '2026-01-02', [])
"""


def _bench():
    import contextlib
    import tempfile

    import luma_bench as lb

    @contextlib.contextmanager
    def opened():
        with tempfile.TemporaryDirectory() as folder, lb.open(Path(folder) / "docs.luma", threads=1) as bench:
            bench.kadeql(TABLES)
            yield bench

    return opened()


def _rows(text: str, **params: object) -> list[tuple[object, ...]]:
    with _bench() as bench:
        table = bench.kadeql(text, params).to_arrow()
        return [tuple(row.values()) for row in table.to_pylist()]


def _asked(text: str, **params: object) -> list[str]:
    return [str(row[0]) for row in _rows(text, **params)]


def _wrapped(names: Iterable[str]) -> str:
    return textwrap.fill(
        ", ".join(f"`{name}`" for name in names), 120, break_long_words=False, break_on_hyphens=False
    )


def _cell(written: str) -> str:
    return (
        ", ".join(f"`{part.replace('|', chr(92) + '|')}`" for part in written.split(", ") if part)
        if "(" not in written
        else f"`{written.replace('|', chr(92) + '|')}`"
    )


def _bar(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
