"""Keys that a write holds twice are refused, and hashes that collide are not taken for such."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_cases import KEY_TYPES, collide, key_array, key_tuples, schema_for, tiny_chunks

from luma_bench.errors import ConstraintError
from luma_bench.storage.keys import KeySet, exists_error, shown_key


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_only_equal_keys_are_twice(data: st.DataObject, repeated: bool, same_hash: bool) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KEY_TYPES), min_size=1, max_size=2))
    keys = data.draw(key_tuples(kinds))
    if repeated:
        keys.insert(data.draw(st.integers(0, len(keys))), data.draw(st.sampled_from(keys)))
    schema = schema_for(kinds)
    cut = data.draw(st.integers(0, len(keys)))
    tables = [
        pa.Table.from_arrays(
            [key_array(kind, [key[i] for key in part]) for i, kind in enumerate(kinds)],
            names=[f"k{i}" for i in range(len(kinds))],
        )
        for part in (keys[:cut], keys[cut:])
    ]
    with tiny_chunks() as patch:
        if same_hash:
            collide(patch)
        checked = KeySet(schema, tables)
    if repeated:
        with pytest.raises(ConstraintError, match="twice"):
            checked.check_distinct()
    else:
        checked.check_distinct()


def test_the_message_shows_the_key() -> None:
    schema = schema_for([pa.int32(), pa.string()])
    keys = pa.table({"k0": pa.array([1, 2, 1], pa.int32()), "k1": ["x", "x", "x"]})
    with pytest.raises(
        ConstraintError, match=r"Table 'things': the data holds the primary key \(k0=1, k1='x'\) twice\."
    ):
        KeySet(schema, [keys]).check_distinct()
    assert "holds the primary key (k0=2, k1='x') already" in str(
        exists_error(schema, shown_key(schema, keys, 1))
    )
    KeySet(schema, []).check_distinct()
