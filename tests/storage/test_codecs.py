"""Codecs: what is encoded comes back bit for bit, with or without padding, and wrong bytes are refused."""

from __future__ import annotations

import numcodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numcodecs.pcodec import PCodec

from luma_bench.storage.codecs import CODECS, PCO, ZSTD, CodecError, codec_for

DTYPES = ["i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


@settings(deadline=None, max_examples=80)
@given(data=st.data(), padding=st.integers(0, 40))
def test_values_come_back_bit_for_bit(data: st.DataObject, padding: int) -> None:
    name = data.draw(st.sampled_from(sorted(CODECS)))
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES if name == "pco" else [*DTYPES, "u1", "i1", "f2"])))
    values = data.draw(arrays.arrays(dtype, st.integers(0, 50)))
    codec = CODECS[name]
    encoded = codec.encode(values, padding)
    back = np.frombuffer(codec.decode(encoded.data, encoded.head, len(values), dtype), dtype)
    assert back.tobytes() == values.tobytes()
    padded = values.tobytes() + bytes(padding * dtype.itemsize)
    if name == "pco" and len(values) + padding:
        assert np.asarray(PCodec().decode(encoded.data)).tobytes() == padded
    if name == "zstd" and padded:
        assert bytes(numcodecs.Zstd().decode(encoded.data)) == padded


def test_float_bits_survive_pcodec() -> None:
    bits = np.array([0x7FF8000000000001, 0xFFF0DEADBEEF0000, 0x8000000000000000, 0], np.uint64)
    encoded = PCO.encode(bits.view("f8"), 3)
    back = np.frombuffer(PCO.decode(encoded.data, encoded.head, 4, np.dtype("f8")), np.uint64)
    assert back.tolist() == bits.tolist()


def test_a_long_padding_costs_next_to_nothing() -> None:
    encoded = ZSTD.encode(np.arange(10, dtype=np.uint8), 50_000_000)
    assert len(encoded.data) < 10_000
    assert encoded.head < 40


@pytest.mark.parametrize("name", sorted(CODECS))
def test_wrong_bytes_and_wrong_counts_are_refused(name: str) -> None:
    codec, values = CODECS[name], np.arange(1000, dtype=np.int32)
    encoded = codec.encode(values, 0)
    with pytest.raises(CodecError):
        codec.decode(encoded.data, encoded.head, 1001, values.dtype)
    with pytest.raises(CodecError):
        codec.decode(b"nonsense", 8, 1000, values.dtype)
    with pytest.raises(CodecError):
        codec.decode(encoded.data[: len(encoded.data) // 2], len(encoded.data) // 2, 1000, values.dtype)


def test_the_codec_follows_the_element() -> None:
    assert codec_for(np.dtype("i8"), 1, "auto") is PCO
    assert codec_for(np.dtype("i8"), 1, "exchange") is ZSTD
    assert codec_for(np.dtype("u1"), 1, "auto") is ZSTD
    assert codec_for(np.dtype("u1"), 16, "auto") is ZSTD
