"""An attempt on file: its keystrokes in a compact, versioned log, and its score once more.

Log version 1: the byte 1, then deflated: for each batch its arrival in ms (the first since
`opened_at_ms`, the others since the batch before), its length, and each keystroke as dt in ms and
a key of n bytes UTF-8. Numbers are LEB128; arrivals may run backwards and are zigzag-coded.
"""

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from server.core.attempt import Batch
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText

LOG_VERSION = 1


def pack_keystrokes(keystrokes: Iterable[Keystroke]) -> bytes:
    """Keystrokes as bytes, the form a journal row keeps them in."""
    packed = bytearray()
    for dt_ms, key in keystrokes:
        if dt_ms < 0x80:
            packed.append(dt_ms)
        else:
            _put(packed, dt_ms)
        packed += _packed_key(key)
    return bytes(packed)


@lru_cache(maxsize=4_096)
def _packed_key(key: str) -> bytes:
    encoded = key.encode()
    packed = bytearray()
    _put(packed, len(encoded))
    return bytes(packed + encoded)


def unpack_keystrokes(packed: bytes) -> tuple[Keystroke, ...]:
    """What pack_keystrokes packed."""
    reader = _Reader(packed)
    keystrokes = []
    while not reader.at_end:
        keystrokes.append(reader.keystroke())
    return tuple(keystrokes)


def pack_log(batches: Iterable[Batch], opened_at_ms: int) -> bytes:
    """The whole keystroke log of an attempt."""
    packed = bytearray()
    before_at_ms = opened_at_ms
    for batch in batches:
        gap_ms = batch.arrived_at_ms - before_at_ms
        before_at_ms = batch.arrived_at_ms
        _put(packed, gap_ms * 2 if gap_ms >= 0 else -gap_ms * 2 - 1)
        _put(packed, len(batch.keystrokes))
        packed += pack_keystrokes(batch.keystrokes)
    return bytes([LOG_VERSION]) + zlib.compress(bytes(packed), 6)


def unpack_log(log: bytes, opened_at_ms: int) -> Iterator[Batch]:
    """The batches of a log. Raises ValueError for a version this code does not know."""
    if log[0] != LOG_VERSION:
        raise ValueError(f"Keystroke log version {log[0]} is not known.")
    reader = _Reader(zlib.decompress(log[1:]))
    seq, arrived_at_ms = 1, opened_at_ms
    while not reader.at_end:
        zigzag = reader.number()
        arrived_at_ms += zigzag >> 1 if zigzag % 2 == 0 else -(zigzag + 1 >> 1)
        keystrokes = tuple(reader.keystroke() for _ in range(reader.number()))
        yield Batch(seq, arrived_at_ms, keystrokes)
        seq += len(keystrokes)


def retype(
    text: Text,
    rule: ErrorRule,
    limit_ms: int | None,
    keystrokes: Iterable[Keystroke],
    from_start: bool = False,
) -> TypedText:
    """Type stored keystrokes again: the same `score(late_ms)` as the first time."""
    typed_text = TypedText(text, rule, limit_ms, from_start)
    for keystroke in keystrokes:
        typed_text.apply(keystroke)
    return typed_text


def _put(packed: bytearray, number: int) -> None:
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)


class _Reader:
    """Numbers and keystrokes off a packed run of bytes."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._packed)

    def number(self) -> int:
        number = shift = 0
        while True:
            byte = self._packed[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def keystroke(self) -> Keystroke:
        dt_ms = self.number()
        length = self.number()
        key = self._packed[self._at : self._at + length].decode()
        self._at += length
        return Keystroke(dt_ms, key)
