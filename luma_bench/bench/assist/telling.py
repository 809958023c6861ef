"""Hover texts as Markdown: what is known of a table, a column, a function, a word. Everything from data and names is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from luma_bench.bench.assist.columns import Col
from luma_bench.bench.assist.facts import ColumnFacts, TableFacts
from luma_bench.bench.assist.vocabulary import Told
from luma_bench.bench.assist.words import Word
from luma_bench.types.record import bytes_text

if TYPE_CHECKING:
    from luma_bench.types.graph import PropertyGraph
    from luma_bench.types.record import Snapshot

MOST_COLUMNS: Final = 30
"""Columns of a table that its hover text lists."""
# What begins Markdown, HTML or mathematics, and what would make a link of an address.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>|~&$:@]|(?<=www)\.)", re.IGNORECASE)
_LEADING: Final = re.compile(r"(?:[#+\-=]|\d+(?=[.)]))")
_SIGNATURES: Final = 4


def plain(text: str) -> str:
    """A text as Markdown that shows it as it is, on one line."""
    shown = _MARKS.sub(r"\\\1", " ".join(text.split()))
    leads = _LEADING.match(shown)
    if leads is None:
        return shown
    place = leads.end() if shown[0].isdigit() else 0
    return f"{shown[:place]}\\{shown[place:]}"


def prose(text: str) -> str:
    """A text of the documentation as Markdown: what stands in backquotes is code, and all else as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    shown = [
        code(part) if place % 2 else _MARKS.sub(r"\\\1", part) for place, part in enumerate(parts) if part
    ]
    return " ".join("".join(shown).split())


def code(text: str) -> str:
    """A name or type as inline code, whatever backquotes it holds."""
    shown = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str, language: str = "kadeql") -> str:
    """A text as a code block."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _cell(text: str) -> str:
    """Inline code inside of a table, where a bar would end the cell."""
    return code(text).replace("|", "\\|")


def table_text(facts: TableFacts) -> str:
    """A table or view: size, key, comment and columns."""
    sized = ""
    if facts.rows is not None:
        held = "" if facts.bytes is None else f", {bytes_text(facts.bytes)}"
        sized = f" · {facts.rows:,} row{'' if facts.rows == 1 else 's'}{held}"
    lines = [f"**{facts.kind}** {code(facts.name)}{sized} · snapshot {facts.snapshot}"]
    if facts.comment:
        lines.append(plain(facts.comment))
    notes = [
        f"{title} {', '.join(map(code, names))}"
        for title, names in (
            ("primary key", facts.key),
            ("sorted by", facts.sort_by),
            ("time", (facts.time,) if facts.time else ()),
            ("series by", facts.by),
        )
        if names
    ]
    if notes:
        lines.append(" · ".join(notes))
    lines.append(_columns([(item.name, item.type, item.comment) for item in facts.columns]))
    return "\n\n".join(lines)


def _columns(columns: Sequence[tuple[str, str, str | None]]) -> str:
    if not columns:
        return "It has no columns that are known here."
    rows = [
        f"| {_cell(name)} | {_cell(kind) if kind else ''} | {plain(comment or '')} |"
        for name, kind, comment in columns[:MOST_COLUMNS]
    ]
    more = len(columns) - MOST_COLUMNS
    rows += [f"| and {more:,} more | | |"] if more > 0 else []
    return "\n".join(["| column | type | |", "|---|---|---|", *rows])


def relation_text(kind: str, name: str, columns: Sequence[Col]) -> str:
    """A relation that no catalog has: a query of WITH, a subquery, a notebook's table."""
    return (
        f"**{kind}** {code(name)}\n\n{_columns([(item.name, item.type, item.comment) for item in columns])}"
    )


def column_text(column: Col, facts: ColumnFacts | None) -> str:
    """A column: its type and table, and what its values are."""
    title = f"**column** {code(column.name)}{f' {code(column.type)}' if column.type else ''}"
    lines = [f"{title} · table {code(column.table)}" if column.table else title]
    if column.comment:
        lines.append(plain(column.comment))
    if facts is not None:
        told = [] if facts.nullable else ["never NULL"]
        if facts.key is not None:
            told.insert(
                0,
                {"PRI": "primary key", "UNI": "unique", "TIME": "the table's time"}.get(
                    facts.key, "names series"
                ),
            )
        if facts.nulls:
            told.append(f"{facts.nulls:,} NULL")
        if facts.min is not None and facts.max is not None:
            told.append(f"from {code(facts.min)} to {code(facts.max)}")
        if facts.generated:
            told.append(f"generated as {code(facts.generated)}")
        elif facts.default:
            told.append(f"default {code(facts.default)}")
        lines += [" · ".join(told)] if told else []
    return "\n\n".join(lines)


def function_text(told: Told) -> str:
    """A function: signatures, what it does, its options, what it gives, examples."""
    shown = list(told.signatures[:_SIGNATURES]) or [f"{told.name}(…)"]
    if len(told.signatures) > _SIGNATURES:
        shown.append(f"… {len(told.signatures) - _SIGNATURES} more")
    lines = [block("\n".join(shown))]
    if told.doc:
        lines.append(prose(told.doc))
    if told.options:
        lines.append("\n".join(f"- {code(name)}: {prose(meaning)}" for name, meaning, _ in told.options))
    if told.columns:
        rows = [
            f"| {_cell(name)} | {_cell(kind) if kind else ''} | {prose(meaning)} |"
            for name, kind, meaning in told.columns
        ]
        lines.append("\n".join(["| column | type | |", "|---|---|---|", *rows]))
    lines += _examples(told.examples)
    return "\n\n".join(lines)


def word_text(name: str, word: Word) -> str:
    """A construct: its grammar, what it means, an example."""
    return "\n\n".join(
        [f"**{plain(name)}**", block(word.grammar), prose(word.meaning), *_examples((word.example,))]
    )


def statement_text(name: str, syntax: str, meaning: str, examples: Iterable[str]) -> str:
    """A kind of statement."""
    return "\n\n".join(
        [
            f"**{plain(name)}**",
            block(syntax),
            prose(meaning),
            *_examples(tuple(examples)[:1]),
        ]
    )


def _examples(examples: Sequence[str]) -> list[str]:
    kept = [text for text in examples if text]
    return [block("\n".join(kept))] if kept else []


def graph_text(graph: PropertyGraph) -> str:
    """A property graph: its vertex and edge tables with their labels."""
    lines = [f"**property graph** {code(graph.name)}"]
    parts = [
        f"- vertices {code(item.name)}: {', '.join(code(f':{label}') for label in item.labels)}"
        for item in graph.vertices
    ]
    parts += [
        f"- edges {code(item.name)}: {', '.join(code(f':{label}') for label in item.labels)}, from {code(item.source.vertex)} to {code(item.destination.vertex)}"
        for item in graph.edges
    ]
    return "\n\n".join([*lines, "\n".join(parts)])


def element_text(part: str, name: str, labels: Sequence[str], properties: Sequence[Col]) -> str:
    """A variable or label of a pattern: what it may be, and its properties."""
    title = f"**{part}** {code(name)}{''.join(f' {code(f":{label}")}' for label in labels)}"
    return f"{title}\n\n{_columns([(item.name, item.type, item.comment) for item in properties])}"


def snapshot_text(snapshot: Snapshot) -> str:
    """A snapshot: when, who, what."""
    tags = f" · {', '.join(map(code, snapshot.tags))}" if snapshot.tags else ""
    lines = [f"**snapshot** {snapshot.id} · {snapshot.time.astimezone():%Y-%m-%d %H:%M:%S}{tags}"]
    who = f" by {plain(snapshot.author)}" if snapshot.author else ""
    lines.append(
        f"{plain(snapshot.operation)}{who}{f': {plain(snapshot.message)}' if snapshot.message else ''}"
    )
    return "\n\n".join(lines)
