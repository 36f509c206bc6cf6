"""Passwords and tokens: who somebody is, and how they prove it."""

import asyncio
import hmac
import secrets
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import jwt
from passlib.context import CryptContext  # type: ignore[import-untyped]

ISSUER = "typing-trainer"
AUDIENCE = "typing-trainer"
ALGORITHM = "HS256"
LEEWAY_S = 60
ACCESS_TOKEN_S = 15 * 60
GUEST_TOKEN_S = 30 * 24 * 3_600
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "ver"]
OPAQUE_BYTES = 32

HASHES_AT_ONCE = 2
HASHES_WAITING_MAX = 50
PASSWORD_MIN = 8
PASSWORD_MAX = 128
ARGON2 = {"memory_cost": 19_456, "time_cost": 2, "parallelism": 1}
ARGON2_CHEAP = {"memory_cost": 64, "time_cost": 1, "parallelism": 1}
COMMON_PASSWORDS = Path(__file__).parent / "content" / "common_passwords.txt"


T = TypeVar("T")


class TokenRefused(Exception):
    """The token is not ours, not for us, or has expired."""


class TooManyHashes(Exception):
    """More passwords wait to be hashed than we let wait."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for. A version older than the user's has been ended."""

    user_id: str
    guest: bool
    version: int
    login_id: str | None = None


class Tokens:
    """Signs and reads access tokens, and makes the opaque ones, with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def guest(self, user_id: str, now_ms: int) -> str:
        """A guest's token, good for 30 days from `now_ms`."""
        return self._sign({"sub": user_id, "ver": 0, "guest": True}, now_ms, GUEST_TOKEN_S)

    def access(self, user_id: str, version: int, login_id: str, now_ms: int) -> str:
        """A member's token, good for 15 minutes from `now_ms` or until its login ends."""
        claims = {"sub": user_id, "ver": version, "guest": False, "sid": login_id}
        return self._sign(claims, now_ms, ACCESS_TOKEN_S)

    def _sign(self, claims: dict[str, Any], now_ms: int, life_s: int) -> str:
        now_s = now_ms // 1_000
        times = {"iss": ISSUER, "aud": AUDIENCE, "iat": now_s, "exp": now_s + life_s}
        return jwt.encode({**times, **claims}, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """Raises TokenRefused, without saying why: it is nobody's business."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": REQUIRED},
            )
        except jwt.InvalidTokenError:
            raise TokenRefused from None
        version, login_id = claims["ver"], claims.get("sid")
        if type(version) is not int or not isinstance(login_id, str | None):
            raise TokenRefused
        return Claims(claims["sub"], claims.get("guest") is True, version, login_id)

    def successor(self, refresh_token: str) -> str:
        """The refresh token that follows this one: always the same, and only we can tell."""
        return self._derived("refresh", refresh_token)

    def mailed(self, seed: str) -> str:
        """The token of a mailed link. The store has the seed and the token's hash, never both."""
        return self._derived("mail", seed)

    def _derived(self, purpose: str, value: str) -> str:
        message = f"{purpose}:{value}".encode()
        digest = hmac.digest(self._secret.encode(), message, "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")


def new_opaque() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(OPAQUE_BYTES)


def stored_form(opaque: str) -> str:
    """What the store keeps of an opaque token."""
    return sha256(opaque.encode()).hexdigest()


class Passwords:
    """Hashes and compares passwords with Argon2id, away from the event loop, two at a time.

    Each method raises TooManyHashes when more than 50 wait. `cheap` is for tests alone.
    """

    def __init__(self, cheap: bool = False) -> None:
        costs = ARGON2_CHEAP if cheap else ARGON2
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            **{f"argon2__{name}": cost for name, cost in costs.items()},
        )
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0
        self._nobodys_hash = self._context.hash(new_opaque())
        self._common = frozenset(COMMON_PASSWORDS.read_text(encoding="utf-8").split())

    def problem(self, password: str) -> str | None:
        """What is wrong with a new password, in words; None if it will do."""
        password = _normal(password)
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            return f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters."
        kinds = (str.islower, str.isupper, str.isdecimal)
        if not all(any(map(kind, password)) for kind in kinds):
            return "A password has a lower-case letter, an upper-case letter and a digit."
        if password.casefold() in self._common:
            return "This password is among the first that others would try."
        return None

    async def hash(self, password: str) -> str:
        """What to store of a password."""
        return await self._in_turn(lambda: str(self._context.hash(_normal(password))))

    async def check(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether it is the password of that hash, and the hash to store instead, if any.

        Without a hash (there is no such account) it takes as long and is wrong.
        """

        def compare() -> tuple[bool, str | None]:
            right, newer = self._context.verify_and_update(
                _normal(password), stored or self._nobodys_hash
            )
            return right and stored is not None, newer

        return await self._in_turn(compare)

    async def _in_turn(self, step: Callable[[], T]) -> T:
        if self._waiting >= HASHES_WAITING_MAX:
            raise TooManyHashes
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            return await asyncio.to_thread(step)
        finally:
            self._turns.release()


def _normal(password: str) -> str:
    # The same password, typed on another system, may be composed otherwise.
    return unicodedata.normalize("NFKC", password)
