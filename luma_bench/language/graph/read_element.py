"""Reading `(v:label WHERE … {k: value})` and `-[e:label WHERE … COST …]->{m,n}`."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.graph.pattern import Direction, Label, Quantifier
from luma_bench.language.graph.raw import Range, RawEdge, RawElement
from luma_bench.language.graph.variables import Variables
from luma_bench.language.tokens import NUMBER, STRING, listed

NODE: Final = "A node is (v), (v:label), (v:label WHERE v.x = 1) or (v {x: 1})."
EDGE: Final = "An edge is -[e:label]->, <-[e:label]- or -[e:label]-, with {1,3}, + or * behind it to repeat."
_QUANTIFIER: Final = "Write {2}, {1,3}, {1,}, {,3}, +, * or ? behind the edge."
_LABELS: Final = "Write :label or IS label; a choice is :one|other."
_NO_VARIABLE: Final = frozenset({"WHERE", "IS"})


def read_node(cursor: Cursor, variables: Variables, clause: int, *, optional: bool) -> RawElement:
    """The node at the cursor, which goes behind it.

    Raises
    ------
    KadeQLSyntaxError
        Something else stands there, or in its bracket.
    """
    tokens, first = cursor.tokens, cursor.index
    if cursor.word != "(":
        raise cursor.expected("a node in round brackets", NODE)
    inner = Cursor(tokens, first + 1, tokens.closing(first, cursor.end), cursor.stop)
    place = inner.index if _names(inner, edge=False) else None
    name = ""
    if place is not None:
        inner.name("a variable")
        name = variables.declare(place, "node", clause, optional=optional)
    element = _inside(inner, name or variables.anonymous(), NODE, edge=False)
    cursor.index = inner.end + 1
    element.tokens = (first, cursor.index)
    return element


def at_edge(cursor: Cursor) -> bool:
    """Whether an edge begins at the cursor."""
    return cursor.word in ("-", "->", "<", "<->", "-->", "<--", "--", "~")


def read_edge(cursor: Cursor, variables: Variables, clause: int, *, optional: bool) -> RawElement:
    """The edge at the cursor with its quantifier; the cursor goes behind them.

    Raises
    ------
    KadeQLSyntaxError
        Something else stands there, or in its bracket.
    """
    tokens, first = cursor.tokens, cursor.index
    if cursor.word == "~":
        raise cursor.expected("an edge", "Write -[e]- for an edge of either direction.")
    short = {
        "->": Direction.RIGHT,
        "-->": Direction.RIGHT,
        "<--": Direction.LEFT,
        "--": Direction.ANY,
        "<->": Direction.ANY,
    }.get(cursor.word)
    if short is not None:
        cursor.index += 1
        if tokens.follows(cursor.index - 1, cursor.end, "<--", ">"):
            cursor.index, short = cursor.index + 1, Direction.ANY
        element = RawElement(variables.anonymous(), (), [], [], (first, cursor.index), RawEdge(short))
        _quantified(cursor, element)
        return element
    left = cursor.accept("<")
    cursor.expect("- of an edge", "-", hint=EDGE)
    place: int | None = None
    if cursor.word == "[":
        inner = Cursor(tokens, cursor.index + 1, tokens.closing(cursor.index, cursor.end), cursor.stop)
        place = inner.index if _names(inner, edge=True) else None
        if place is not None:
            inner.name("a variable")
        element = _inside(inner, "", EDGE, edge=True)
        cursor.index = inner.end + 1
        right = _right_end(cursor)
    else:
        element = RawElement("", (), [], [], (first, cursor.index), RawEdge(Direction.ANY))
        right = not left and cursor.accept(">")
    assert element.edge is not None
    if left != right:
        element.edge.direction = Direction.LEFT if left else Direction.RIGHT
    _quantified(cursor, element)
    element.tokens = (first, cursor.index)
    grouped = element.edge.quantifier is not None
    element.variable = (
        variables.anonymous()
        if place is None
        else variables.declare(place, "edge", clause, optional=optional, grouped=grouped)
    )
    return element


def _right_end(cursor: Cursor) -> bool:
    """Step over `->` or `-` behind an edge's bracket; whether it is an arrow."""
    if cursor.accept("->"):
        return True
    cursor.expect("-> or - behind the edge's bracket", "-", hint=EDGE)
    return cursor.accept(">")


def _names(inner: Cursor, *, edge: bool) -> bool:
    """Whether a variable stands first in the bracket."""
    if inner.done or not inner.tokens.is_name(inner.index) or inner.word in _NO_VARIABLE:
        return False
    if not edge or inner.word != "COST":
        return True
    following = inner.index + 1
    return following >= inner.end or inner.tokens.words[following] in (":", "IS", "WHERE", "{", "COST")


def _inside(inner: Cursor, variable: str, hint: str, *, edge: bool) -> RawElement:
    """What stands in the bracket behind the variable."""
    labels = _labels(inner) if inner.accept(":") or inner.accept("IS") else ()
    element = RawElement(
        variable, labels, [], [], (inner.first, inner.end), RawEdge(Direction.ANY) if edge else None
    )
    if inner.word == "{":
        element.entries = _entries(inner)
    if inner.accept("WHERE"):
        element.wheres.append(_expression(inner, "a condition after WHERE", stops=edge))
    if element.edge is not None and inner.word == "COST":
        element.edge.cost_at = inner.index
        inner.index += 1
        element.edge.cost = _expression(inner, "an expression after COST", stops=False)
    if not inner.done:
        raise _misplaced(inner, hint, edge=edge)
    return element


def _misplaced(inner: Cursor, hint: str, *, edge: bool) -> KadeQLSyntaxError:
    """The error of what nothing in the bracket begins with."""
    close = ("a label, WHERE, COST, { or ]" if edge else "a label, WHERE, { or )") + " here"
    if inner.word == "*" and edge:
        return inner.expected(close, "Repeat an edge behind its bracket: -[e:label]->{1,3}.")
    if inner.word in (":", "&", "!", "%"):
        return inner.expected(close, _LABELS)
    if inner.word == "COST" and not edge:
        return inner.expected(close, "COST stands in an edge: -[r COST r.km]->.")
    return inner.expected(close, hint)


def _labels(inner: Cursor) -> tuple[Label, ...]:
    found: list[Label] = []
    while True:
        place = inner.index
        if inner.word in ("!", "%", "&"):
            raise inner.expected("a label", _LABELS)
        name = inner.name("a label")
        found.append(Label(name, inner.tokens.span(place)))
        if not inner.accept("|"):
            return tuple(found)
        inner.accept(":")


def _entries(inner: Cursor) -> list[tuple[int, Range]]:
    """`{k: value, …}`; the cursor goes behind it."""
    tokens, opening = inner.tokens, inner.index
    close = tokens.closing(opening, inner.end)
    found: list[tuple[int, Range]] = []
    for first, last in listed(tokens, opening + 1, close):
        entry = Cursor(tokens, first, last, inner.stop)
        if entry.word != STRING:
            entry.name("a property's name")
        else:
            entry.index += 1
        entry.expect(": behind the property's name", ":", hint="Write {name: value, other: value}.")
        if entry.done:
            raise entry.expected("the property's value", "Write {name: value, other: value}.")
        found.append((first, (entry.index, last)))
    inner.index = close + 1
    return found


def _expression(inner: Cursor, what: str, *, stops: bool) -> Range:
    """The tokens of an expression up to the bracket's end, or to COST."""
    first = inner.index
    while not inner.done and not (stops and inner.word == "COST" and inner.tokens.words[inner.index - 1] not in (".", "AS")):  # fmt: skip
        opens = inner.word in ("(", "[", "{")
        inner.index = inner.tokens.closing(inner.index, inner.end) + 1 if opens else inner.index + 1
    if inner.index == first:
        raise inner.expected(what)
    return first, inner.index


def _quantified(cursor: Cursor, element: RawElement) -> None:
    """Read the quantifier behind an edge, if there is one."""
    assert element.edge is not None
    tokens, first = cursor.tokens, cursor.index
    bounds: tuple[int, int | None] | None = {"+": (1, None), "*": (0, None), "?": (0, 1)}.get(cursor.word)
    if bounds is not None:
        cursor.index += 1
    elif cursor.word == "{":
        bounds = _bounds(cursor)
    else:
        return
    span = tokens.span(first, cursor.index)
    least, most = bounds
    if most is not None and least > most:
        raise KadeQLSyntaxError(
            f"The quantifier asks for at least {least} and at most {most}.",
            text=tokens.text,
            span=span,
            hint="Write the smaller number first.",
        )
    element.edge.quantifier = Quantifier(least, most, span)


def _bounds(cursor: Cursor) -> tuple[int, int | None]:
    """`{n}`, `{m,n}`, `{m,}` or `{,n}`; the cursor goes behind it."""
    tokens = cursor.tokens
    close = tokens.closing(cursor.index, cursor.end)
    inner = Cursor(tokens, cursor.index + 1, close, cursor.stop)
    least = _number(inner)
    if inner.accept(","):
        most = _number(inner)
        if least is None and most is None:
            raise inner.expected("a number", _QUANTIFIER)
        bounds = least or 0, most
    elif least is None:
        raise inner.expected("a number", _QUANTIFIER)
    else:
        bounds = least, least
    if not inner.done:
        raise inner.expected("a comma or }", _QUANTIFIER)
    cursor.index = close + 1
    return bounds


def _number(inner: Cursor) -> int | None:
    if inner.word != NUMBER:
        return None
    written = inner.tokens.slice(inner.index, inner.index + 1).replace("_", "")
    if not written.isdecimal():
        raise inner.expected("a whole number", _QUANTIFIER)
    inner.index += 1
    return int(written)
