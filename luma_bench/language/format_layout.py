"""Where lines break: a statement as nested brackets and clauses, printed flat where it fits and one part a line where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.language.format_pieces import Comment, Piece
from luma_bench.language.format_shape import (
    JOINS,
    Group,
    Item,
    clause_head,
    clauses,
    conditions,
    elements,
    first_piece,
    flat,
    has_commas,
    is_comma,
    pieces_in,
    terms,
)

WIDTH: Final = 88
"""Columns of a line."""
SHORT: Final = 60
"""Columns of a whole statement that stays on one line."""
INDENT: Final = 2


class Layout:
    """Prints statements, one after the other, into `lines`."""

    __slots__ = ("_fresh", "_line", "_lines", "_must_break")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        # Whether the present line holds nothing but its indent, and whether a comment ends it.
        self._fresh = True
        self._must_break = False

    def text(self, line_break: str) -> str:
        """What was printed, without space at the ends of lines."""
        lines = [*self._lines, self._line.rstrip(" ")] if self._line.strip() else self._lines
        return line_break.join(lines)

    # --- the printed line ---

    def new_line(self, indent: int) -> None:
        """Begin a line."""
        if not self._fresh:
            self._lines.append(self._line.rstrip(" "))
        self._line, self._fresh, self._must_break = " " * indent, True, False

    def blank(self) -> None:
        """An empty line, unless one stands there."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def comment(self, comment: Comment, indent: int) -> None:
        """A comment on a line of its own."""
        if not self._fresh:
            self.new_line(indent)
        if comment.apart:
            self.blank()
        self._line += comment.text
        self._fresh = False
        self.new_line(indent)

    def _column(self) -> int:
        return len(self._line) - (self._line.rfind("\n") + 1)

    def _put(self, text: str, space: bool) -> None:
        self._line += f" {text}" if space and not self._fresh else text
        self._fresh = False

    def piece(self, piece: Piece, indent: int) -> None:
        """One token with its comments."""
        self._lead(piece, indent)
        self._put(piece.text, piece.space)
        self._trail(piece)

    def _lead(self, piece: Piece, indent: int) -> None:
        if piece.new_line or self._must_break:
            self.new_line(indent)
        self._comments(piece, indent)

    def _comments(self, piece: Piece, indent: int) -> None:
        """The comments before a token, once."""
        if piece.before and self._must_break:
            self.new_line(indent)
        for comment in piece.before:
            if comment.own_line or comment.ends_line:
                self.comment(comment, indent)
            else:
                self._put(comment.text, True)
        piece.before, piece.new_line = [], False

    def _trail(self, piece: Piece) -> None:
        for comment in piece.after:
            self._put(comment.text, True)
            self._must_break = self._must_break or comment.ends_line

    # --- parts of a statement ---

    def statement(self, items: Sequence[Item]) -> None:
        """A whole statement at the left edge."""
        self._sequence(items, 0, SHORT)

    def _fits(self, items: Sequence[Item], width: int, reserve: int = 0) -> str | None:
        text = flat(items)
        if text is None:
            return None
        longest = self._column() + 1 + reserve
        lines = text.split("\n")
        if longest + len(lines[0]) - 1 > width or any(len(line) > width for line in lines[1:]):
            return None
        return text

    def _sequence(self, items: Sequence[Item], indent: int, width: int = WIDTH, reserve: int = 0) -> None:
        """Items on the present line where they fit, else broken in the way that suits them."""
        if not items:
            return
        first, last = first_piece(items[0]), pieces_in(items[-1:])[-1]
        self._lead(first, indent)
        text = self._fits(items, width, reserve)
        if text is not None:
            self._put(text, first.space)
            self._trail(last)
            return
        parts = clauses(items)
        if len(parts) > 1 or clause_head(parts[0]):
            for place, clause in enumerate(parts):
                if place:
                    self.new_line(indent)
                self._clause(clause, indent)
        elif has_commas(items):
            self._list(items, indent)
        else:
            self._condition(items, indent)

    def _clause(self, items: Sequence[Item], indent: int) -> None:
        """A clause: its words, and what follows on the line or indented below."""
        self._lead(first_piece(items[0]), indent)
        text = self._fits(items, WIDTH)
        if text is not None:
            self._put(text, first_piece(items[0]).space)
            self._trail(pieces_in(items[-1:])[-1])
            return
        head = clause_head(items)
        body = items[head:]
        self._plain(items[:head], indent)
        if not body:
            return
        if first_piece(items[0]).word in JOINS:
            self._join(body, indent)
        elif has_commas(body) or (
            conditions(body) and first_piece(items[0]).word in ("WHERE", "HAVING", "QUALIFY", "ON")
        ):
            self.new_line(indent + INDENT)
            (self._list if has_commas(body) else self._condition)(body, indent + INDENT)
        else:
            self._condition(body, indent, indent + INDENT)

    def _join(self, body: Sequence[Item], indent: int) -> None:
        """The table of a JOIN, and its condition on the line or below."""
        place = next(
            (
                at
                for at, item in enumerate(body)
                if first_piece(item).word in ("ON", "USING") and first_piece(item).keyword
            ),
            len(body),
        )
        before = len(self._lines)
        self._plain(body[:place], indent)
        condition = body[place:]
        if not condition:
            return
        self._lead(first_piece(condition[0]), indent + INDENT)
        if len(self._lines) == before or self._fits(condition, WIDTH) is None:
            self.new_line(indent + INDENT)
        text = self._fits(condition, WIDTH)
        if text is None:
            self._condition(condition, indent + INDENT)
        else:
            self._put(text, True)
            self._trail(pieces_in(condition[-1:])[-1])

    def _list(self, items: Sequence[Item], indent: int) -> None:
        """Elements with commas between them, one a line."""
        for place, element in enumerate(elements(items)):
            if place:
                self.new_line(indent)
            comma = element[-1] if is_comma(element[-1]) else None
            body = element[:-1] if comma is not None else element
            if body:
                self._element(body, indent, 0 if comma is None else 1)
            if comma is not None:
                self.piece(first_piece(comma), indent)

    def _element(self, items: Sequence[Item], indent: int, reserve: int) -> None:
        self._lead(first_piece(items[0]), indent)
        text = self._fits(items, WIDTH, reserve)
        if text is None:
            self._condition(items, indent, indent + INDENT)
            return
        self._put(text, first_piece(items[0]).space)
        self._trail(pieces_in(items[-1:])[-1])

    def _condition(self, items: Sequence[Item], indent: int, deeper: int | None = None) -> None:
        """Terms between AND and OR, one a line; a single term with its brackets broken."""
        parts = terms(items)
        for place, term in enumerate(parts):
            if place:
                self.new_line(indent if deeper is None else deeper)
            self._plain(term, indent if deeper is None or len(parts) == 1 else deeper)

    def _plain(self, items: Sequence[Item], indent: int) -> None:
        """Items one after the other on the line; a bracket that does not fit is broken."""
        for place, item in enumerate(items):
            if isinstance(item, Piece):
                self.piece(item, indent)
                continue
            behind = items[place + 1 : place + 3]
            reserve = sum(len(one.text) + one.space for one in behind if isinstance(one, Piece))
            self._group(item, indent, reserve)

    def _group(self, group: Group, indent: int, reserve: int) -> None:
        self._lead(group.opening, indent)
        text = self._fits((group,), WIDTH, min(reserve, 20))
        if text is not None:
            self._put(text, group.opening.space)
            self._trail(group.closing)
            return
        self._put(group.opening.text, group.opening.space)
        self._trail(group.opening)
        if not group.body:
            self._put_closing(group, indent)
            return
        deeper = indent + INDENT
        if group.is_case:
            self._case(group, indent)
        else:
            self.new_line(deeper)
            self._sequence(group.body, deeper)
        self._put_closing(group, indent)

    def _put_closing(self, group: Group, indent: int) -> None:
        self._comments(group.closing, indent + INDENT)
        self.new_line(indent)
        self._put(group.closing.text, False)
        self._trail(group.closing)

    def _case(self, group: Group, indent: int) -> None:
        """CASE: its value on the same line, then WHEN and ELSE on lines of their own."""
        part: list[Item] = []
        parts: list[list[Item]] = [part]
        for item in group.body:
            if isinstance(item, Piece) and item.keyword and item.word in ("WHEN", "ELSE"):
                part = []
                parts.append(part)
            part.append(item)
        self._plain(parts[0], indent)
        for part in parts[1:]:
            self.new_line(indent + INDENT)
            self._element(part, indent + INDENT, 0)
