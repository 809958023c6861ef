"""Encoding a segment's arrays on threads: a codec is chosen for each, chunks that hold only one value are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from luma_bench.storage.codecs import Codec, Encoded
from luma_bench.storage.codecs_choose import choose
from luma_bench.storage.columns_split import Component

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class EncodedArray:
    """One array, its codec, and its chunks: None for one that is left out."""

    component: Component
    codec: Codec
    chunks: list[Encoded | None]


class Work:
    """Tasks on threads that others use too; those not begun are cancelled when the block ends."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._futures: list[Future[Any]] = []

    def __enter__(self) -> Work:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            for future in self._futures:
                future.cancel()

    def submit(self, task: Any, *arguments: Any) -> Future[Any]:
        """Run a task with these arguments."""
        future = self._threads.submit(task, *arguments)
        self._futures.append(future)
        return future


def encoded(
    components: Sequence[Component], table_codec: str, level: int, work: Work
) -> Iterator[EncodedArray]:
    """Every array with its encoded chunks, in order, while later ones are being encoded."""
    plans = [work.submit(_planned, component, table_codec, level) for component in components]
    waiting: list[tuple[Component, Codec, list[Future[Encoded] | None]]] = []
    for plan in plans:
        component, codec, left_out = plan.result()
        full = component.chunk * component.width
        chunks = [
            None if part is None or out else work.submit(codec.encode, part, full - len(part))
            for part, out in zip(component.parts, left_out, strict=True)
        ]
        waiting.append((component, codec, chunks))
    while waiting:
        component, codec, chunks = waiting.pop(0)
        yield EncodedArray(component, codec, [None if one is None else one.result() for one in chunks])


def _planned(component: Component, table_codec: str, level: int) -> tuple[Component, Codec, list[bool]]:
    """The array with its fill value, its codec, and which of its chunks that value is all of."""
    fill, left_out = _constant(component)
    parts = [None if out else part for part, out in zip(component.parts, left_out, strict=True)]
    codec = choose(
        component.dtype,
        component.width,
        parts,
        component.chunk * component.width,
        level=level,
        table_codec=table_codec,
    )
    return replace(component, fill=fill), codec, left_out


def _constant(component: Component) -> tuple[int, list[bool]]:
    """The fill value, and which chunks need not be stored because each of their elements is that."""
    parts, full = component.parts, component.chunk * component.width
    kept = [False] * len(parts)
    # A chunk with padding inside the array is stored: it reads as zeros behind its data.
    if component.fill or any(part is None or len(part) != full for part in parts[:-1]):
        return component.fill, kept
    first = next((part for part in parts if part is not None and len(part)), None)
    if first is None:
        return component.fill, kept
    fill = 0
    if component.dtype.kind in "iu" and component.width == 1 and int(first[0]) in _INT64:
        fill = int(first[0])
    bits = np.array(fill, component.dtype).view(f"u{component.dtype.itemsize}")
    return fill, [part is not None and _is_all(part.view(bits.dtype), bits) for part in parts]


def _is_all(part: np.ndarray, value: np.ndarray) -> bool:
    # Most chunks differ within their first elements.
    return len(part) > 0 and bool((part[:64] == value).all()) and bool((part == value).all())
