"""Frames of websockets, by RFC 6455: the numbers in them, and what is lawful."""

import codecs
import struct
from io import StringIO

from websockets.frames import EXTERNAL_CLOSE_CODES

PROTOCOL_ERROR, NOT_TEXT, TOO_BIG, GONE = 1002, 1007, 1009, 1011
RESTART = 1012
CONTINUATION, TEXT, OP_BINARY = 0x0, 0x1, 0x2
CONTROL = CLOSE = 0x8
PING, PONG = 0x9, 0xA
FIN, RESERVED, OPCODE, MASKED, LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
SHORT_MAX, CLOSE_REASON_MAX = 125, 123

_Decoder = codecs.getincrementaldecoder("utf-8")


class Fragments:
    """A message that comes in parts. `size` is its bytes so far."""

    __slots__ = ("_decoder", "_text", "size")

    def __init__(self) -> None:
        self._decoder = _Decoder()
        self._text = StringIO()  # a list of parts would cost more than they do
        self.size = 0

    def add(self, payload: bytes, final: bool) -> None:
        """Raises UnicodeDecodeError as soon as no text can come of it any more."""
        self.size += len(payload)
        self._text.write(self._decoder.decode(payload, final))

    def text(self) -> str:
        """All of it so far."""
        return self._text.getvalue()


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a server sends it."""
    size = len(payload)
    if size <= SHORT_MAX:
        return bytes((FIN | opcode, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", FIN | opcode, SHORT_MAX + 1, size) + payload
    return struct.pack("!BBQ", FIN | opcode, SHORT_MAX + 2, size) + payload


def is_lawful(opcode: int, first: int, size: int) -> bool:
    """Whether RFC 6455 has such a frame; `first` is its first byte."""
    if opcode in (CONTINUATION, TEXT, OP_BINARY):
        return True
    return opcode in (CLOSE, PING, PONG) and bool(first & FIN) and size <= SHORT_MAX


def wrong_close(payload: bytes) -> int:
    """With which code a close is answered that breaks the rules; 0 if it keeps them."""
    if not payload:
        return 0
    if len(payload) < 2:
        return PROTOCOL_ERROR
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return NOT_TEXT
    (code,) = struct.unpack_from("!H", payload)
    if code not in EXTERNAL_CLOSE_CODES and not 3_000 <= code < 5_000:
        return PROTOCOL_ERROR
    return 0
