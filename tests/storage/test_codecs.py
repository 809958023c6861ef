"""Codecs: what is encoded comes back bit for bit, with or without padding, and wrong bytes are refused."""

from __future__ import annotations

import struct
from typing import Any

import numcodecs
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numcodecs.pcodec import PCodec

from luma_bench.storage.codecs import PCO, ZSTD, Codec, CodecError, Pcodec, Zstd, filled
from luma_bench.storage.codecs_blosc import Blosc
from luma_bench.storage.codecs_choose import CODECS, TABLE_CODECS, choose

NUMBERS = ["i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
DTYPES = [*NUMBERS, "u1", "i1", "f2"]
ENCODERS: list[Codec] = [PCO, Pcodec(4), ZSTD, Zstd(3)] + [
    Blosc(cname, 5, shuffle, size)
    for cname in ("lz4", "zstd")
    for shuffle in ("noshuffle", "shuffle", "bitshuffle")
    for size in (1, 8, 16)
]


def stock(codec: Codec, encoded: bytes) -> bytes:
    """What the public decoder makes of it."""
    if codec.name == "pco":
        return np.asarray(PCodec().decode(encoded)).tobytes()
    return bytes(
        numcodecs.Zstd().decode(encoded) if codec.name == "zstd" else numcodecs.Blosc().decode(encoded)
    )


@settings(deadline=None, max_examples=150)
@given(data=st.data(), padding=st.integers(0, 40))
def test_values_come_back_bit_for_bit(data: st.DataObject, padding: int) -> None:
    codec = data.draw(st.sampled_from(ENCODERS))
    dtype = np.dtype(data.draw(st.sampled_from(NUMBERS if codec.name == "pco" else DTYPES)))
    values = data.draw(arrays.arrays(dtype, st.integers(0, 50)))
    # Long enough for several blocks now and then.
    values = np.tile(values, data.draw(st.sampled_from([1, 1, 1, 300])))
    encoded = codec.encode(values, padding)
    held: Any = (
        encoded.data
        if codec.name == "pco"
        else data.draw(st.sampled_from([bytes, pa.py_buffer]))(encoded.data)
    )
    back = np.frombuffer(CODECS[codec.name].decode(held, encoded.head, len(values), dtype), dtype)
    assert back.tobytes() == values.tobytes()
    padded = values.tobytes() + bytes(padding * dtype.itemsize)
    if padded:
        assert stock(codec, encoded.data) == padded


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_whatever_codec_is_chosen_gives_the_values_back(data: st.DataObject) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    width = data.draw(st.sampled_from([1, 3, 16, 300])) if dtype == np.uint8 else 1
    rows = st.integers(0, 20).map(lambda count: count * width)
    parts = data.draw(st.lists(st.one_of(st.none(), arrays.arrays(dtype, rows)), min_size=1, max_size=4))
    chunk = max(width, *(0 if part is None else len(part) for part in parts))
    codec = choose(
        dtype,
        width,
        parts,
        chunk,
        level=data.draw(st.integers(0, 2)),
        table_codec=data.draw(st.sampled_from(TABLE_CODECS)),
    )
    for part in parts:
        if part is not None:
            encoded = codec.encode(part, chunk - len(part))
            back = CODECS[codec.name].decode(encoded.data, encoded.head, len(part), dtype)
            assert back.to_pybytes() == part.tobytes()


@pytest.mark.parametrize(
    "codec", [PCO, Blosc("lz4", 5, "shuffle", 8), Blosc("zstd", 1, "bitshuffle", 8), ZSTD]
)
def test_float_bits_survive(codec: Codec) -> None:
    bits = np.array([0x7FF8000000000001, 0xFFF0DEADBEEF0000, 0x8000000000000000, 0], np.uint64)
    encoded = codec.encode(bits.view("f8"), 3)
    back = np.frombuffer(codec.decode(encoded.data, encoded.head, 4, np.dtype("f8")), np.uint64)
    assert back.tolist() == bits.tolist()


def test_a_long_padding_costs_next_to_nothing() -> None:
    encoded = ZSTD.encode(np.arange(10, dtype=np.uint8), 50_000_000)
    assert len(encoded.data) < 10_000
    assert encoded.head < 40


@pytest.mark.parametrize("codec", ENCODERS, ids=str)
def test_wrong_bytes_and_wrong_counts_are_refused(codec: Codec) -> None:
    values = np.arange(1000, dtype=np.int32)
    encoded = codec.encode(values, 0)
    for data, head, count in [
        (encoded.data, encoded.head, 1001),
        (b"nonsense", 8, 1000),
        (b"", 0, 1000),
        (encoded.data[: len(encoded.data) // 2], len(encoded.data) // 2, 1000),
    ]:
        with pytest.raises(CodecError):
            codec.decode(data, head, count, values.dtype)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damaged_bytes_give_an_error_or_values_but_never_a_crash(data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from(ENCODERS))
    dtype = np.dtype("i8")
    count = data.draw(st.sampled_from([1, 100, 20_000]))
    values = np.cumsum(np.random.default_rng(data.draw(st.integers(0, 9))).integers(-50, 50, count))
    encoded = bytearray(codec.encode(values, 0).data)
    for _ in range(data.draw(st.integers(1, 5))):
        # The head, where lengths and offsets stand, is damaged most often.
        top = data.draw(st.sampled_from([len(encoded) - 1, min(len(encoded) - 1, 48)]))
        encoded[data.draw(st.integers(0, top))] = data.draw(st.integers(0, 255))
    end = len(encoded) if data.draw(st.booleans()) else data.draw(st.integers(0, len(encoded)))
    try:
        back = codec.decode(bytes(encoded[:end]), end, count, dtype)
    except CodecError:
        return
    assert back.size == values.nbytes


@pytest.mark.parametrize(
    "change",
    [
        {"length": -1},
        {"length": 1},
        {"whole": 2**31 - 1},
        {"whole": -8000},
        {"block": 0},
        {"block": 2**31 - 1},
        {"block": 8},
        {"version": 3},
        {"typesize": 0},
        {"flags": 0x01},
        {"start": 0},
        {"start": 2**31},
        {"flags": 0x22},
    ],
    ids=str,
)
def test_a_blosc_header_is_checked_before_it_is_followed(change: dict[str, int]) -> None:
    codec = Blosc("lz4", 5, "shuffle", 8)
    values = np.arange(1000, dtype=np.int64)
    data = codec.encode(values, 0).data
    fields = ("version", "inner", "flags", "typesize", "whole", "block", "length")
    header = dict(zip(fields, struct.unpack_from("<BBBBIII", data), strict=True))
    start = change.get("start", struct.unpack_from("<I", data, 16)[0])
    for name, value in change.items():
        if name in ("whole", "length") and value < 2**20:
            header[name] += value
        elif name in header:
            header[name] = value
    wrong = struct.pack("<BBBBIII", *header.values()) + struct.pack("<I", start) + data[20:]
    assert wrong != data
    with pytest.raises(CodecError, match="blosc"):
        codec.decode(wrong, len(wrong), 1000, values.dtype)


def test_what_fits_each_kind_of_data_is_chosen() -> None:
    rng = np.random.default_rng(0)

    def chosen(values: np.ndarray, level: int, table_codec: str = "auto", width: int = 1) -> Codec:
        return choose(values.dtype, width, [values], len(values), level=level, table_codec=table_codec)

    walk = rng.normal(0, 0.02, 20_000).cumsum().round(2)
    codes = rng.integers(0, 3, 20_000).astype(np.uint8)
    text = np.frombuffer(b"the quick brown fox jumps over the lazy dog; " * 500, np.uint8)
    repeated = np.tile(rng.integers(0, 2**62, 50), 400)
    assert chosen(np.arange(20_000), 0) == Blosc("lz4", 5, "shuffle", 8)
    assert chosen(walk, 0) == Blosc("lz4", 5, "noshuffle", 8)
    assert chosen(codes, 0) == Blosc("lz4", 5, "bitshuffle", 1)
    assert chosen(text, 0) == Blosc("lz4", 5, "noshuffle", 1)
    assert chosen(walk, 1) == PCO
    assert chosen(repeated, 1).name != "pco"
    assert chosen(walk, 0, "pco") == PCO
    assert chosen(walk, 1, "lz4").name == "blosc"
    assert chosen(walk, 1, "zstd").name in ("blosc", "zstd")
    assert chosen(walk, 0, "exchange") == ZSTD
    assert chosen(np.tile(rng.integers(0, 255, 16), 99).astype(np.uint8), 0, width=16).name == "blosc"


def test_chunks_that_are_mostly_padding_get_zstd() -> None:
    parts = [np.ones(1_000_000, np.uint8), *[np.ones(10, np.uint8)] * 9]
    assert choose(np.dtype("u1"), 1, parts, 1_000_000, level=0, table_codec="auto") == ZSTD


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_chunk_that_was_left_out_is_its_fill_value(dtype: str) -> None:
    values = np.frombuffer(filled(7, 5, np.dtype(dtype)), dtype)
    assert values.tolist() == [7] * 5
