"""Cases that are asked from one vertex after another: each call is one start, so medians and tails are of single questions."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.graph_ladybug import LadybugError
from benchmarks.harness import Case, Contender, DisagreementError, Timing

type Ask = Callable[[Any], Any]


def turns(
    name: str,
    asks: Mapping[str, Ask],
    starts: Sequence[Any],
    *,
    plain: Callable[[Any], Any] = lambda answer: answer,
    notes: list[str] | None = None,
    brief: bool = False,
) -> Case:
    """A case whose contenders answer for every start in turn, in step with each other.

    The answers for all starts are compared here, with the first contender's; a contender whose process ends is left out, and
    `notes` says so. A measurement takes a multiple of `len(starts)` rounds.

    Parameters
    ----------
    plain
        Makes answers comparable.
    brief
        Whether calls are so short that whoever follows a long one pays for the caches that it left: each contender is then
        asked about another start, untimed, before each call.

    Raises
    ------
    DisagreementError
        Two contenders gave different answers.
    """
    able = dict(asks)
    first = next(iter(asks))
    for start in starts:
        reference = plain(asks[first](start))
        for other in [other for other in able if other != first]:
            try:
                found = plain(asks[other](start))
            except LadybugError as error:
                del able[other]
                if notes is not None:
                    notes.append(f"{other} has no answer to {name!r} from {start}: {error}")
                continue
            if found != reference:
                raise DisagreementError(f"{name} from {start}: {first} says {reference}, and {other} {found}")
    apart = [*starts[1:], *starts[:1]]
    return Case(
        name,
        tuple(
            Contender(who, _turning(ask, starts), _turning(ask, apart) if brief else None)
            for who, ask in able.items()
        ),
    )


def once(case: Case) -> tuple[Timing, ...]:
    """One call of each contender, for work that takes minutes: answers are compared afterwards.

    Raises
    ------
    DisagreementError
        Two contenders gave different answers.
    """
    found: list[tuple[Timing, Any]] = []
    for contender in case.contenders:
        used, started = time.process_time(), time.perf_counter()
        answer = contender.run()
        seconds, spent = time.perf_counter() - started, time.process_time() - used
        found.append((Timing(case.name, contender.name, (seconds,), cpu=(spent,)), answer))
    for timing, answer in found[1:]:
        if answer != found[0][1]:
            raise DisagreementError(
                f"{case.name}: {found[0][0].contender} says {found[0][1]}, and {timing.contender} {answer}"
            )
    return tuple(timing for timing, _ in found)


def _turning(ask: Ask, starts: Sequence[Any]) -> Callable[[], Any]:
    following = itertools.cycle(starts)
    return lambda: ask(next(following))
