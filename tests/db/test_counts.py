"""Counts of keys and bigrams as a row keeps them: packed, and added up without being unpacked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.bigrams import Counts, add_stats
from server.core.key_stats import KeyStats
from server.db.counts import pack_counts, unpack_counts

numbers = st.integers(0, 2**40)
names = st.sampled_from(["a", "b", "th", "щё", "…", '"\\'])
stats = st.builds(
    KeyStats, numbers, numbers, numbers, numbers, st.dictionaries(names, numbers, max_size=3)
)
counted = st.dictionaries(names, stats)


def unpacked(counts: Counts) -> tuple[dict[str, KeyStats], dict[str, KeyStats]]:
    keys = {name: KeyStats(*packed) for name, packed in counts.keys.items()}
    return keys, {name: KeyStats(*packed) for name, packed in counts.bigrams.items()}


@given(keys=counted, bigrams=counted)
def test_what_is_packed_can_be_unpacked(
    keys: dict[str, KeyStats], bigrams: dict[str, KeyStats]
) -> None:
    assert unpacked(unpack_counts(pack_counts(keys, bigrams))) == (keys, bigrams)


@given(st.lists(st.tuples(counted, counted), max_size=4))
def test_packed_counts_add_up_as_unpacked_ones_do(
    attempts: list[tuple[dict[str, KeyStats], dict[str, KeyStats]]],
) -> None:
    total = Counts()
    keys: dict[str, KeyStats] = {}
    bigrams: dict[str, KeyStats] = {}
    for theirs, pairs in attempts:
        total.add(unpack_counts(pack_counts(theirs, pairs)))
        add_stats(keys, theirs)
        add_stats(bigrams, pairs)
    assert unpacked(total) == (keys, bigrams)


def test_counts_of_another_version_are_refused() -> None:
    packed = pack_counts({}, {})
    with pytest.raises(ValueError, match="version 2"):
        unpack_counts(bytes([2]) + packed[1:])
