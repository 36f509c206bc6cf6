"""Tokens in, user ids out."""

from dataclasses import dataclass
from typing import Any

import jwt

ISSUER = "typing-trainer"
AUDIENCE = "typing-trainer"
ALGORITHM = "HS256"
LEEWAY_S = 60
GUEST_TOKEN_S = 30 * 24 * 3_600
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "ver"]


class TokenRefused(Exception):
    """The token is not ours, not for us, or has expired."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for. A version older than the user's has been ended."""

    user_id: str
    guest: bool
    version: int


class Tokens:
    """Signs and reads access tokens with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def guest(self, user_id: str, now_ms: int) -> str:
        """A guest's token, good for 30 days from `now_ms`."""
        return self._sign(user_id, True, 0, now_ms, GUEST_TOKEN_S)

    def _sign(self, user_id: str, guest: bool, version: int, now_ms: int, life_s: int) -> str:
        now_s = now_ms // 1_000
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now_s,
            "exp": now_s + life_s,
            "sub": user_id,
            "ver": version,
            "guest": guest,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

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
        version = claims["ver"]
        if type(version) is not int:
            raise TokenRefused
        return Claims(claims["sub"], claims.get("guest") is True, version)
