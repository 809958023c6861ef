"""Hashes and filters: the same for arrays and single values, and a filter never denies a key that it holds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.storage import key_bloom
from luma_bench.storage.key_hash import LONG_BYTES, mixed, mixed_one, text_hash, text_hashes

CODES = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=LONG_BYTES + 40), max_size=30), st.integers(0, 3), st.booleans())
def test_text_hashes_alike_alone_and_in_an_array(texts: list[bytes], skip: int, wide: bool) -> None:
    kind = pa.large_binary() if wide else pa.binary()
    array = pa.array([b"before"] * skip + texts, kind).slice(skip)
    assert text_hashes(array).tolist() == [text_hash(text) for text in texts]


def test_hashes_stay_what_they_are() -> None:
    # They are stored: another value would make every segment's keys unfindable.
    assert mixed_one(0) == 0xE220A8397B1DCDAF  # the first output of SplitMix64 from seed 0
    assert text_hash(b"") == mixed_one(0)
    assert text_hash(b"luma") == 0xE80F0A0A4907A14D
    assert text_hash(b"x" * 200) == 0x8DA1761B0E4C3056


@settings(max_examples=60, deadline=None)
@given(CODES)
def test_numbers_mix_alike(codes: list[int]) -> None:
    array = np.array(codes, np.int64)
    assert mixed(array.view(np.uint64)).tolist() == [mixed_one(code % 2**64) for code in codes]


@settings(max_examples=60, deadline=None)
@given(CODES)
def test_a_filter_never_denies_what_it_holds(codes: list[int]) -> None:
    array = np.array(codes, np.int64)
    words = key_bloom.build(array)
    probes = key_bloom.probes(array)
    places, patterns = key_bloom.places(probes, len(words)), key_bloom.patterns(probes)
    assert ((words[places] & patterns) == patterns).all()
    for code, place, pattern in zip(codes, places.tolist(), patterns.tolist(), strict=True):
        high, bits = key_bloom.probe_one(code)
        assert ((high * len(words)) >> 32, bits) == (place, pattern)


def test_a_filter_denies_most_of_what_it_does_not_hold() -> None:
    held, other = np.arange(0, 200_000, 2), np.arange(1, 200_000, 2)
    words = key_bloom.build(held)
    assert len(words) * 64 <= 10 * len(held) + 64
    probes = key_bloom.probes(other)
    patterns = key_bloom.patterns(probes)
    assert ((words[key_bloom.places(probes, len(words))] & patterns) == patterns).mean() < 0.03
