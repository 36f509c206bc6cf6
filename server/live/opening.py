"""How an attempt comes to be opened: the stored one, or a new one with a text of its own."""

from server.core.source import Source
from server.core.typed_text import ErrorRule
from server.db.queries import (
    AttemptDiffers,
    AttemptNotFound,
    NewAttempt,
    Person,
    StoredAttempt,
    create_attempt,
    resume_attempt,
)
from server.live.parts import Parts
from server.protocol import ErrorCode, Open, Refused
from server.texts import TextNotGranted, TextUnavailable


async def open_attempt(
    message: Open, person: Person, parts: Parts, comes_back: bool
) -> StoredAttempt:
    """Resume the attempt or begin it. Raises Refused, and what the store raises.

    Only beginning is refused by a server with too much to do. `comes_back`: this connection was
    let in to go on with something.
    """
    for _ in range(2):  # somebody may create it between our looking and our creating
        try:
            stored = await resume_attempt(
                parts.database,
                message.attempt,
                person,
                message.source,
                message.rule,
                parts.clock.now_ms(),
            )
        except AttemptNotFound:
            break
        except AttemptDiffers:
            text = "The attempt was opened with another source or other rules."
            raise Refused(ErrorCode.CONFLICT, text, message.id) from None
        if stored is None and message.source is not None:
            wait_s = parts.load.attempt_wait_s(comes_back)
            if wait_s > 0:
                raise overloaded(message.id, wait_s)
            new = await _choose(message, message.source, person, parts)
            stored = await create_attempt(parts.database, new, person, parts.clock.now_ms())
        if stored is not None:
            return stored
    raise Refused(ErrorCode.NOT_FOUND, "There is no such attempt.", message.id)


def overloaded(re: int | None, wait_s: float) -> Refused:
    """The refusal of something new."""
    text = "The server has as much to do as it can; try again."
    return Refused(ErrorCode.OVERLOADED, text, re, int(wait_s * 1_000) + 1)


async def _choose(message: Open, source: Source, person: Person, parts: Parts) -> NewAttempt:
    try:
        chosen = await parts.texts.choose(source, person.id, message.layout)
    except TextNotGranted as kept:
        raise Refused(ErrorCode.FORBIDDEN, str(kept), message.id) from None
    except TextUnavailable as missing:
        raise Refused(ErrorCode.NOT_FOUND, str(missing), message.id) from None
    rule = message.rule or ErrorRule.FREE
    return NewAttempt(
        message.attempt, chosen.source, rule, chosen.text, chosen.language, chosen.layout
    )
