"""What an attempt's row keeps of its keys and bigrams: the byte 1, then deflated JSON."""

import zlib
from collections.abc import Mapping

import orjson

from server.core.bigrams import Counts, pack_stats
from server.core.key_stats import KeyStats

VERSION = 1


def pack_counts(keys: Mapping[str, KeyStats], bigrams: Mapping[str, KeyStats]) -> bytes:
    """Counts as they are kept."""
    both = [{name: pack_stats(stats) for name, stats in one.items()} for one in (keys, bigrams)]
    return bytes([VERSION]) + zlib.compress(orjson.dumps(both))


def unpack_counts(packed: bytes) -> Counts:
    """What pack_counts packed. Raises ValueError for a version this code does not know."""
    if packed[0] != VERSION:
        raise ValueError(f"Counts version {packed[0]} is not known.")
    return Counts(*orjson.loads(zlib.decompress(packed[1:])))
