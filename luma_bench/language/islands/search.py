"""Search in a query: SEARCH and its functions, the distance operators DuckDB lacks, and LIMIT … EXACT; refused."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.islands.island import Finder, Island, refused
from luma_bench.language.refusals import NOT_YET, Refusal
from luma_bench.language.tokens import STRING

_TEXT: Final = (
    "Compare the text itself: WHERE body ILIKE '%engine fire%', or regexp_matches(body, 'engine.*fire', 'i')"
)


def search(draft: Draft, index: int) -> int | None:
    """SEARCH(column, 'query'): the second argument is a string or a parameter."""
    tokens, last = draft.tokens, draft.scope.last
    if not tokens.follows(index + 1, last, "("):
        return None
    close = tokens.closing(index + 1, last)
    place, depth = index + 2, 0
    while place < close and not (depth == 0 and tokens.words[place] == ","):
        depth += (tokens.words[place] in "([{") - (tokens.words[place] in ")]}")
        place += 1
    second = place + 1 < close and tokens.words[place + 1] in (STRING, "$")
    return index + 1 if second and draft.is_call(index) else None


def score(draft: Draft, index: int) -> int | None:
    """SCORE()."""
    return (
        index + 1
        if draft.tokens.follows(index + 1, draft.scope.last, "(", ")") and draft.is_call(index)
        else None
    )


def highlight(draft: Draft, index: int) -> int | None:
    """HIGHLIGHT(column) outside FROM."""
    called = draft.tokens.follows(index + 1, draft.scope.last, "(") and index not in draft.scope.starts
    return index + 1 if called and draft.is_call(index) else None


def hybrid(draft: Draft, index: int) -> int | None:
    """HYBRID(SEARCH(…), …)."""
    return index + 1 if draft.tokens.follows(index + 1, draft.scope.last, "(", "SEARCH", "(") else None


def _operator(*parts: str) -> Finder:
    def find(draft: Draft, index: int) -> int | None:
        tokens, count = draft.tokens, len(parts)
        whole = tokens.follows(index, draft.scope.last, *parts)
        start, end = tokens.span(index, index + count) if whole else (0, -1)
        return index + count if end - start == len("".join(parts)) else None

    return find


def exact(draft: Draft, index: int) -> int | None:
    """EXACT after LIMIT n or LIMIT $n."""
    words = draft.tokens.words
    back = index - 3 if index >= 3 and words[index - 2] == "$" else index - 2
    return index + 1 if back >= draft.scope.first and words[back] == "LIMIT" else None


SEARCH_ISLANDS: Final[tuple[Island, ...]] = (
    refused(
        "HYBRID",
        hybrid,
        Refusal("HYBRID(…)", NOT_YET, "Order by one of the two: a distance (emb <=> $v) or a text match."),
    ),
    refused("SEARCH", search, Refusal("SEARCH(…)", NOT_YET, _TEXT)),
    refused(
        "SCORE",
        score,
        Refusal(
            "SCORE()",
            NOT_YET,
            "Order by a measure of your own, such as len(regexp_extract_all(lower(body), 'word')) DESC.",
        ),
    ),
    refused(
        "HIGHLIGHT",
        highlight,
        Refusal("HIGHLIGHT(…)", NOT_YET, r"Mark the words: regexp_replace(body, '(word)', '**\1**', 'gi')"),
    ),
    refused(
        "<",
        _operator("<", "#>"),
        Refusal(
            "The operator <#>",
            NOT_YET,
            "Write list_negative_inner_product(a, b), or array_negative_inner_product for arrays.",
        ),
    ),
    refused(
        "<",
        _operator("<", "+", ">"),
        Refusal(
            "The operator <+>",
            NOT_YET,
            "Write list_sum(list_transform(list_zip(a, b), lambda p: abs(p[1] - p[2]))).",
        ),
    ),
    refused(
        "EXACT",
        exact,
        Refusal(
            "LIMIT … EXACT", NOT_YET, "Leave EXACT out: every ORDER BY … LIMIT is exact in this version."
        ),
    ),
)
"""The search constructs."""
