"""Answers that are kept: by the caller under a tag, and here under the same tag.

A tag changes with all that an answer is made of, so what is kept under it is right, in every
process, until the tag changes.
"""

from collections import OrderedDict
from hashlib import blake2b

BYTES_MAX = 64 * 1_048_576


class KeptAnswers:
    """The bodies of answers by their tags; those that were not asked for longest go first."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, tag: str) -> bytes | None:
        """The body kept under this tag, if it still is."""
        body = self._bodies.get(tag)
        if body is not None:
            self._bodies.move_to_end(tag)
        return body

    def keep(self, tag: str, body: bytes) -> None:
        """Keep a body for as long as there is room."""
        self._bytes += len(body) - len(self._bodies.pop(tag, b""))
        self._bodies[tag] = body
        while self._bytes > self._bytes_max:
            _, oldest = self._bodies.popitem(last=False)
            self._bytes -= len(oldest)


def entity_tag(*made_of: object) -> str:
    """The tag of an answer that is made of these things alone."""
    return f'W/"{blake2b(repr(made_of).encode(), digest_size=16).hexdigest()}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether the caller says it has the answer with this tag."""
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag.removeprefix("W/") in known


def kept_headers(tag: str) -> dict[str, str]:
    """The caller may keep the answer, and must ask about it before each use."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}
