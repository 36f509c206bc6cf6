"""Answers that are kept: by the caller under a tag, and here under the same tag.

A tag changes with all that an answer is made of, so what is kept under it is right, in every
process, until the tag changes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Generic, TypeVar

BYTES_MAX = 64 * 1_048_576
SHARED_MAX = 64

Made = TypeVar("Made")


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


class Shared(Generic[Made]):
    """What several answers are made of. It is made once, also for those who ask in the meantime."""

    def __init__(self) -> None:
        self._making: OrderedDict[str, asyncio.Task[Made]] = OrderedDict()

    async def get(self, tag: str, make: Callable[[], Awaitable[Made]]) -> Made:
        """What was made under this tag; made now if it was not. A failure is told, not kept."""

        async def made() -> Made:
            return await make()

        making = self._making.get(tag)
        if making is None or (making.done() and (making.cancelled() or making.exception())):
            making = self._making[tag] = asyncio.create_task(made())
            if len(self._making) > SHARED_MAX:
                self._making.popitem(last=False)
        self._making.move_to_end(tag)
        # Whoever began it may go away: the others still wait for it.
        return await asyncio.shield(making)


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
