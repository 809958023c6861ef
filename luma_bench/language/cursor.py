"""A place in a token stream that reads forward: what the statements of KadeQL's own are parsed with."""

from __future__ import annotations

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.diagnostics import expected
from luma_bench.language.functions import INFORMATION, INTERNAL, SCHEMAS
from luma_bench.language.keywords import RESERVED
from luma_bench.language.tokens import Tokens


class Cursor:
    """Reads tokens from `index` up to, not with, `end`; `stop` is the end of the statement, for messages."""

    __slots__ = ("end", "first", "index", "stop", "tokens")

    def __init__(self, tokens: Tokens, first: int, end: int, stop: int | None = None) -> None:
        self.stop = end if stop is None else stop
        self.tokens = tokens
        self.first = first
        self.index = first
        self.end = end

    @property
    def word(self) -> str:
        """The present token's word, empty at the end."""
        return self.tokens.words[self.index] if self.index < self.end else ""

    @property
    def value(self) -> str:
        """The present token's name or string, empty at the end."""
        return self.tokens.names[self.index] if self.index < self.end else ""

    @property
    def done(self) -> bool:
        """Whether the statement is read to its end."""
        return self.index >= self.end

    @property
    def placed(self) -> tuple[str, int, int, str]:
        """The statement's source, start, end and whole text."""
        start, end = self.tokens.span(self.first, self.end)
        return self.tokens.text[start:end], start, end, self.tokens.text

    def expected(self, what: str, hint: str | None = None) -> KadeQLSyntaxError:
        """The error of finding something else than `what` here."""
        return expected(self.tokens, self.index, self.stop, what, hint)

    def accept(self, *words: str) -> bool:
        """Step over these words when they stand here."""
        if not self.tokens.follows(self.index, self.end, *words):
            return False
        self.index += len(words)
        return True

    def expect(self, what: str, *words: str, hint: str | None = None) -> None:
        """Step over these words.

        Raises
        ------
        KadeQLSyntaxError
            Something else stands here.
        """
        for word in words:
            if not self.accept(word):
                raise self.expected(what, hint)

    def name(self, what: str) -> str:
        """Step over a name and give it.

        Raises
        ------
        KadeQLSyntaxError
            No name stands here, or a word that must be quoted to be one.
        """
        if self.done or not self.tokens.is_name(self.index):
            raise self.expected(what)
        if self.word in RESERVED:
            raise self.expected(
                what,
                f'To use the word as a name, quote it: "{self.value}".',
            )
        name = self.value
        if not name:
            raise self.expected(what)
        self.index += 1
        return name

    def table(self) -> str:
        """Step over a table's name, which a schema's may precede, and give the catalog's name: `sales.orders`.

        Raises
        ------
        KadeQLSyntaxError
            No name stands here.
        KadeQLUnsupportedError
            The name is in a schema of the engine, or begins with `__luma`.
        """
        place = self.index
        name = self.name("a table's name")
        if self.accept("."):
            schema = name
            whole = f"{schema}.{self.value}".casefold()
            if schema.casefold() in SCHEMAS and whole not in INFORMATION:
                raise KadeQLUnsupportedError(
                    f"The schema {schema} is the engine's own.",
                    text=self.tokens.text,
                    span=self.tokens.span(place),
                    hint="Tables live in main, or in a schema that CREATE SCHEMA made.",
                )
            place = self.index
            name = self.name("a table's name")
            if schema.casefold() != "main":
                name = f"{schema}.{name}"
        if self.tokens.names[place].casefold().startswith("__luma"):
            raise INTERNAL.error(self.tokens.text, self.tokens.span(place))
        return name

    def placed_table(self) -> tuple[str, tuple[int, int]]:
        """What `table` gives, and where it stands."""
        place = self.index
        name = self.table()
        return name, self.tokens.span(place, self.index)

    def columns(
        self, hint: str, *, opening: str = "(", once: bool = True
    ) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Step over `(a, b)`, and give the names and where each stands.

        Parameters
        ----------
        opening
            What is expected, for the error, where no bracket stands.
        once
            Whether a name may stand only once.

        Raises
        ------
        KadeQLSyntaxError
            Something else stands here, or a name stands twice.
        """
        self.expect(opening, "(", hint=hint)
        names: list[str] = []
        spans: list[tuple[int, int]] = []
        while True:
            place = self.index
            name = self.name("a column's name")
            spans.append(self.tokens.span(place))
            if once and name.casefold() in map(str.casefold, names):
                raise KadeQLSyntaxError(
                    f"The column {name!r} stands twice.",
                    text=self.tokens.text,
                    span=spans[-1],
                    hint="Name each column once; names that differ only in case are one name.",
                )
            names.append(name)
            if not self.accept(","):
                break
        self.expect("a comma or ) after a column's name", ")", hint=hint)
        return tuple(names), tuple(spans)

    def if_not_exists(self, *, or_replace: bool) -> bool:
        """Step over IF NOT EXISTS; whether it stands here.

        Raises
        ------
        KadeQLSyntaxError
            It does, behind OR REPLACE.
        """
        place = self.index
        found = self.accept("IF", "NOT", "EXISTS")
        if found and or_replace:
            raise KadeQLSyntaxError(
                "OR REPLACE and IF NOT EXISTS contradict each other.",
                text=self.tokens.text,
                span=self.tokens.span(place, self.index),
                hint="Write one of them.",
            )
        return found

    def finish(self, after: str) -> None:
        """Nothing more may stand here.

        Raises
        ------
        KadeQLSyntaxError
            Something does.
        """
        if not self.done:
            raise self.expected(f"the end of the statement after {after}")
