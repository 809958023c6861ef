"""What stands behind the condition of an ASOF JOIN: TOLERANCE and DIRECTION, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.series.conditions import Operator, ends_value, flat, natural
from luma_bench.language.series.inputs import constant_of
from luma_bench.language.series.pattern import Constant
from luma_bench.language.series.times import SHAPES
from luma_bench.language.tokens import QUOTED, STRING

Direction = Literal["backward", "forward", "nearest"]
_DIRECTIONS: Final[dict[str, Direction]] = {
    "BACKWARD": "backward",
    "FORWARD": "forward",
    "NEAREST": "nearest",
}
OPTIONS: Final = ("TOLERANCE", "DIRECTION")
SHAPE: Final = (
    "Write FROM a ASOF JOIN b ON a.k = b.k AND a.ts >= b.ts [TOLERANCE INTERVAL '1' MINUTE]"
    " [DIRECTION BACKWARD|FORWARD|NEAREST]."
)


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """The options of a join.

    Attributes
    ----------
    first
        The token at which they begin, and the condition ends.
    place
        The first option's token; None where there is none.
    told
        The token of the direction; None where none is written.
    """

    first: int
    place: int | None = None
    tolerance: Constant | None = None
    direction: Direction | None = None
    told: int | None = None

    def toward(self, draft: Draft, operator: Operator, *, sure: bool) -> Direction:
        """Where a match is looked for, as the direction or else the operator says.

        Raises
        ------
        KadeQLSyntaxError
            The two say the opposite, or the text does not say (`sure`) which time is whose.
        """
        told, plain = self.told, natural(operator)
        if told is not None and not sure and self.direction != "nearest":
            raise KadeQLSyntaxError(
                "DIRECTION needs to know which of the two times is the left one.",
                text=draft.tokens.text,
                span=draft.tokens.span(told),
                hint="Write the tables' names before the times: a.ts >= b.ts. Or leave DIRECTION out.",
            )
        if self.direction == "backward" and plain == "forward" and told is not None:
            raise KadeQLSyntaxError(
                f"{operator} between the left time and the right one looks forward, and DIRECTION says BACKWARD.",
                text=draft.tokens.text,
                span=draft.tokens.span(told),
                hint="Write >= to look back, or leave DIRECTION out.",
            )
        return self.direction or plain


def read_options(draft: Draft, first: int, last: int) -> JoinOptions:
    """The options at the end of a join's condition, which begins at `first`, up to `last`.

    Raises
    ------
    KadeQLSyntaxError
        One is misspelt, stands twice, or has no value that it can have.
    """
    tokens = draft.tokens
    begin = _begin(draft, first, last)
    if begin == last:
        return JoinOptions(last)
    cursor = Cursor(tokens, begin, last, draft.scope.last)
    tolerance: Constant | None = None
    direction: Direction | None = None
    told: int | None = None
    while not cursor.done:
        word, place = cursor.word, cursor.index
        if (word == "TOLERANCE" and tolerance is not None) or (word == "DIRECTION" and told is not None):
            raise KadeQLSyntaxError(
                f"{word} stands twice.", text=tokens.text, span=tokens.span(place), hint="Write it once."
            )
        cursor.index += 1
        if word == "TOLERANCE":
            end = _begin(draft, cursor.index, last)
            if end == cursor.index:
                raise cursor.expected(f"a length behind TOLERANCE: {SHAPES}", SHAPE)
            tolerance = constant_of(draft, cursor.index, end)
            cursor.index = end
        elif word == "DIRECTION":
            if cursor.word not in _DIRECTIONS:
                near = nearest(cursor.word, _DIRECTIONS, 1) if cursor.value else []
                raise cursor.expected(
                    "BACKWARD, FORWARD or NEAREST", f"Did you mean {near[0]}?" if near else SHAPE
                )
            told, direction = cursor.index, _DIRECTIONS[cursor.word]
            cursor.index += 1
        else:
            cursor.index = place
            near = nearest(word, OPTIONS, 1) if cursor.value else []
            raise cursor.expected(
                "TOLERANCE, DIRECTION or the next clause", f"Did you mean {near[0]}?" if near else SHAPE
            )
    return JoinOptions(begin, begin, tolerance, direction, told)


def _begin(draft: Draft, first: int, last: int) -> int:
    """The first token that is an option, or is near to one where no expression goes on; `last` for none."""
    tokens = draft.tokens
    for place in flat(tokens, first, last):
        word = tokens.words[place]
        if word in (STRING, QUOTED) or not tokens.names[place]:
            continue
        behind = place == first or ends_value(tokens, place - 1)
        if word in OPTIONS:
            # Behind an operator or a dot it is a column's name.
            if behind and not (place == first and tokens.words[place - 1] == "ON"):
                return place
        elif behind and place > first and tokens.words[place - 1] != "." and nearest(word, OPTIONS, 1):
            return place
    return last
