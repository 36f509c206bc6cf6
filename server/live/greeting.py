"""Who says hello: a new guest, or the person of a token that still holds."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from server.auth import Claims, TokenRefused, Tokens
from server.db.accounts import Standing, find_standing
from server.db.database import Database
from server.db.queries import Person
from server.protocol import BATCH_MAX, MESSAGE_BYTES_MAX, VERSION, WINDOW, CloseCode, encode


class NotWelcome(Exception):
    """The connection ends, with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Met:
    """Who it is; `stored` says whether the store knows them yet."""

    person: Person
    login_id: str | None = None
    stored: bool = False


def new_guest() -> Met:
    """Somebody nobody has met; stored with the first attempt."""
    return _guest(str(uuid4()))


async def recognise(token: str, tokens: Tokens, database: Database) -> Met:
    """The person of a token. Raises NotWelcome, or what the store raises."""
    try:
        claims = tokens.read(token)
    except TokenRefused:
        raise _not_valid() from None
    standing = await find_standing(database, claims.user_id, claims.login_id)
    if standing is None:
        if claims.guest:
            return _guest(claims.user_id)
        raise _not_valid()
    _check(claims, standing)
    person = Person(standing.id, standing.name, standing.guest)
    return Met(person, claims.login_id, stored=True)


def _check(claims: Claims, standing: Standing) -> None:
    if standing.guest != claims.guest:
        raise _not_valid()
    if standing.disabled:
        raise NotWelcome(CloseCode.DISABLED, "the account is disabled")
    if not claims.guest and standing.login_id is None:
        raise NotWelcome(CloseCode.LOGGED_OUT, "logged out")
    if standing.token_version != claims.version:
        raise _not_valid()


def _not_valid() -> NotWelcome:
    return NotWelcome(CloseCode.TOKEN_REFUSED, "the token is not valid")


def _guest(user_id: str) -> Met:
    return Met(Person(user_id, f"Guest {user_id[:4].upper()}", True))


def welcome(person: Person, re: int | None, tokens: Tokens, now_ms: int) -> str:
    """The answer to `hello`; a guest gets a fresh token with it."""
    fields: dict[str, Any] = {
        "v": VERSION,
        "user": {"id": person.id, "name": person.name, "guest": person.guest},
        "server_ms": now_ms,
        "limits": {"message": MESSAGE_BYTES_MAX, "batch": BATCH_MAX, "window": WINDOW},
    }
    if person.guest:
        fields["token"] = tokens.guest(person.id, now_ms)
    return encode("welcome", re, **fields)
