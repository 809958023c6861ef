"""Reading TUMBLE, HOP, CUMULATE and SESSION, which stand as tables: `TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.part_queries import Range
from luma_bench.language.references import is_named
from luma_bench.language.series.conditions import flat
from luma_bench.language.series.fused import fuse
from luma_bench.language.series.inputs import column_name, column_names, constant_of, input_of
from luma_bench.language.series.naming import keep_series
from luma_bench.language.series.pattern import Constant, Name, Windows
from luma_bench.language.series.recognise import Item, item_at
from luma_bench.language.series.times import SHAPES
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted

Kind = Literal["tumble", "hop", "cumulate", "session"]


class _Form(NamedTuple):
    """How a function is written: its intervals in order, and an example."""

    kind: Kind
    sizes: tuple[str, ...]
    shape: str


_FORMS: Final[dict[str, _Form]] = {
    "TUMBLE": _Form("tumble", ("size",), "Write TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)."),
    "HOP": _Form(
        "hop",
        ("slide", "size"),
        "Write HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '1' HOUR): the slide, then the size.",
    ),
    "CUMULATE": _Form(
        "cumulate",
        ("step", "size"),
        "Write CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY): the step, then the size.",
    ),
    "SESSION": _Form(
        "session",
        ("gap",),
        "Write SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '30' MINUTE).",
    ),
}
WINDOW_FUNCTIONS: Final = frozenset(_FORMS)
"""The functions, in upper case."""
_OPTIONS: Final = ("OFFSET", "ZONE")
COUNTS: Final = {1: "one interval", 2: "two intervals"}


class Rows(NamedTuple):
    """What stands before the first comma of a construct's brackets: its rows and PARTITION BY."""

    place: Range
    item: Item
    keys: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class _Call:
    """A window function as it is read; `last` stands behind its bracket."""

    form: _Form
    first: int
    last: int
    rows: Rows
    time: Name
    sizes: tuple[Constant, ...]
    offset: Constant | None
    zone: Constant | None

    def windows(self, draft: Draft, where: Sequence[Range] = (), alias: str | None = None) -> Windows:
        """What it stands for, over those of its rows that fulfil some conditions, which may know them by an alias."""
        tokens = draft.tokens
        return Windows(
            text=tokens.slice(self.first, self.last),
            span=tokens.span(self.first, self.last),
            kind=self.form.kind,
            input=input_of(draft, *self.rows.place, where, alias=alias),
            keys=self.rows.keys,
            time=self.time,
            sizes=self.sizes,
            offset=self.offset,
            zone=self.zone,
        )


def read_windows(draft: Draft, index: int) -> None:
    """The window function at a token; the draft gets its island and edits.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape.
    """
    tokens, scope = draft.tokens, draft.scope
    call = _call(draft, index)
    behind = item_at(tokens, index, scope.last)
    written = behind is not None and behind.aliased
    alias = behind.name if behind is not None and behind.aliased else call.rows.item.name
    # An alias may name the columns anew, which only the rows themselves can have.
    last = call.last if behind is None else behind.last
    renamed = written and tokens.words[last - 1] == ")"
    if not renamed and fuse(draft, index, last, lambda where: call.windows(draft, where, alias)):
        return
    island = keep_series(draft, call.windows(draft))
    put_relation(draft, index, call.last, island.alias, alias, written=written)
    qualify(draft, call.rows.item, written=written)


def put_relation(draft: Draft, first: int, last: int, relation: str, name: str, *, written: bool) -> None:
    """Put a relation in the place of tokens, under a name unless an alias is written behind them."""
    named = written or is_named(draft, first, last)
    draft.replace(first, last, quoted(relation) + ("" if named else f" AS {quoted(name)}"))
    draft.taken.update(range(first, last))


def qualify(draft: Draft, item: Item, *, written: bool) -> None:
    """Let `sales.orders.x` name a column of the relation that stands for `sales.orders`, unless it has an alias."""
    if len(item.path) == 2 and not item.aliased and not written and item.path[0].casefold() != "main":
        key = item.path[0].casefold(), item.path[1].casefold()
        draft.qualified.setdefault(key, set()).add(quoted(item.path[1]))


def _call(draft: Draft, index: int) -> _Call:
    tokens, scope = draft.tokens, draft.scope
    name = tokens.words[index]
    form = _FORMS[name]
    close = tokens.closing(index + 1, scope.last)
    cursor = Cursor(tokens, index + 2, close, scope.last)
    rows = rows_of(cursor, form.shape)
    time = descriptor(cursor, form.shape)
    sizes: list[Constant] = []
    options: dict[str, Constant] = {}
    if not cursor.done:
        cursor.expect("a comma or )", ",", hint=form.shape)
    for first, last in listed(tokens, cursor.index, close):
        given = Cursor(tokens, first, last, scope.last)
        if tokens.follows(first + 1, last, "=>") or tokens.follows(first + 1, last, ":="):
            option = _option(given, name, options)
            options[option] = constant_of(draft, given.index, last)
        elif options:
            raise given.expected("a name and => behind another one", form.shape)
        elif len(sizes) == len(form.sizes):
            raise KadeQLSyntaxError(
                f"{name} takes {COUNTS[len(form.sizes)]}.",
                text=tokens.text,
                span=tokens.span(first, last),
                hint=f"{form.shape} What shifts its windows is written OFFSET => {tokens.slice(first, last)}.",
            )
        else:
            sizes.append(constant_of(draft, first, last))
    if len(sizes) < len(form.sizes):
        missing = form.sizes[len(sizes)]
        cursor.index = close
        raise cursor.expected(f"a comma and the {missing}, such as {SHAPES}", form.shape)
    return _Call(form, index, close + 1, rows, time, tuple(sizes), options.get("OFFSET"), options.get("ZONE"))


def _option(given: Cursor, function: str, known: dict[str, Constant]) -> str:
    """Step over `NAME =>`."""
    tokens, place = given.tokens, given.index
    word = given.word
    shown = tokens.span(place)
    if word not in _OPTIONS:
        near = nearest(word, _OPTIONS, 1)
        hint = f"Did you mean {near[0]}?" if near else "Its options are OFFSET => interval and ZONE => 'tz'."
        raise KadeQLSyntaxError(
            f"{function} has no option {tokens.slice(place, place + 1)}.",
            text=tokens.text,
            span=shown,
            hint=hint,
        )
    if function == "SESSION":
        raise KadeQLSyntaxError(
            f"SESSION has no option {word}: its windows begin with their first row.",
            text=tokens.text,
            span=shown,
            hint="Take it out; TUMBLE, HOP and CUMULATE have it.",
        )
    if word in known:
        raise KadeQLSyntaxError(
            f"The option {word} stands twice.", text=tokens.text, span=shown, hint="Give each option once."
        )
    given.index += 2
    if given.done:
        raise given.expected(f"a value for {word}")
    return word


def rows_of(cursor: Cursor, shape: str) -> Rows:
    """Step over `TABLE t`, `TABLE (query)` or `(query)`, and PARTITION BY behind it.

    Raises
    ------
    KadeQLSyntaxError
        Something else stands there.
    """
    tokens, first = cursor.tokens, cursor.index
    if cursor.word not in ("TABLE", "("):
        bare = "" if cursor.done or not cursor.value else f" {cursor.value}"
        raise cursor.expected(f"TABLE before{bare or ' its name'}, or a query in brackets", shape)
    last = next(
        (
            place
            for place in flat(tokens, first, cursor.end)
            if tokens.words[place] == "," or tokens.follows(place, cursor.end, "PARTITION", "BY")
        ),
        cursor.end,
    )
    cursor.index = last
    item = item_at(tokens, first, last)
    if item is not None and item.aliased and "DESCRIPTOR" in tokens.words[item.stop : item.stop + 1]:
        cursor.index = item.stop
        raise cursor.expected("a comma before DESCRIPTOR", shape)
    if item is None or item.last < last:
        cursor.index = last if item is None else item.last
        what = "a table's name or a query behind TABLE" if item is None else "a comma and DESCRIPTOR(…)"
        raise cursor.expected(what, shape)
    keys: tuple[Name, ...] = ()
    if cursor.accept("PARTITION", "BY"):
        keys = column_names(cursor, "a column behind PARTITION BY", shape)
    return Rows((first, last), item, keys)


def descriptor(cursor: Cursor, shape: str) -> Name:
    """Step over `, DESCRIPTOR(ts)`.

    Raises
    ------
    KadeQLSyntaxError
        Something else stands there, or several columns do.
    """
    tokens = cursor.tokens
    cursor.expect("a comma and DESCRIPTOR(…) with the time column", ",", hint=shape)
    if cursor.word != "DESCRIPTOR":
        near = nearest(cursor.word, ("DESCRIPTOR",), 1) if cursor.value else []
        raise cursor.expected(
            "DESCRIPTOR(…) with the time column", f"Did you mean {near[0]}? {shape}" if near else shape
        )
    cursor.index += 1
    opening = cursor.index
    cursor.expect("( and the time column behind DESCRIPTOR", "(", hint=shape)
    close = tokens.closing(opening, cursor.end)
    inner = Cursor(tokens, cursor.index, close, cursor.stop)
    time = column_name(inner, "the time column", shape)
    if not inner.done:
        raise inner.expected(") behind the time column", shape)
    cursor.index = close + 1
    return time
