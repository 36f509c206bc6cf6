"""Tokens: ours are read, everything else is refused in one and the same way."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.auth import AUDIENCE, GUEST_TOKEN_S, ISSUER, LEEWAY_S, Claims, TokenRefused, Tokens
from server.clock import Clock

SECRET = "a secret long enough for any of the algorithms: sixty-four bytes"
USER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
TOKENS = Tokens(SECRET)
CLOCK = Clock()


def in_s(seconds: int) -> int:
    """The Unix time in so many seconds from now."""
    return CLOCK.now_ms() // 1_000 + seconds


def signed(secret: str = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    """A good access token but for what is changed; None leaves a claim out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": in_s(0),
        "exp": in_s(600),
        "sub": USER,
        "ver": 3,
        **changed,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, secret, algorithm=algorithm)


def without(claim: str) -> str:
    nothing: dict[str, Any] = {claim: None}
    return signed(**nothing)


def test_guest_token_is_read_back() -> None:
    assert TOKENS.read(TOKENS.guest(USER, CLOCK.now_ms())) == Claims(USER, True, 0)


def test_person_is_no_guest_unless_the_token_says_so() -> None:
    assert TOKENS.read(signed()) == Claims(USER, False, 3)
    assert not TOKENS.read(signed(guest="yes")).guest
    assert not TOKENS.read(signed(guest=1)).guest


@pytest.mark.parametrize(
    ("age_s", "good"),
    [
        (0, True),
        (GUEST_TOKEN_S - 60, True),
        (GUEST_TOKEN_S + LEEWAY_S - 30, True),
        (GUEST_TOKEN_S + LEEWAY_S + 30, False),
        (-LEEWAY_S + 30, True),
        (-LEEWAY_S - 30, False),
    ],
)
def test_guest_token_lives_30_days_and_a_minute_of_wrong_clocks(age_s: int, good: bool) -> None:
    assert GUEST_TOKEN_S == 30 * 24 * 60 * 60
    token = TOKENS.guest(USER, in_s(-age_s) * 1_000)
    if good:
        assert TOKENS.read(token).user_id == USER
    else:
        with pytest.raises(TokenRefused):
            TOKENS.read(token)


def part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


BODY = part(b'{"sub":"x"}')


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: signed(secret="another secret of thirty-two bytes"), id="not ours"),
        pytest.param(lambda: signed(secret="x" * 64, algorithm="HS512"), id="another algorithm"),
        pytest.param(lambda: signed(algorithm="HS384"), id="our secret, another algorithm"),
        pytest.param(lambda: jwt.encode({"sub": USER}, None, algorithm="none"), id="unsigned"),
        pytest.param(lambda: signed()[:-3] + "AAA", id="signature changed"),
        pytest.param(lambda: signed().rpartition(".")[0] + ".", id="signature cut off"),
        pytest.param(lambda: signed().replace(".", ".e30", 1), id="claims changed"),
        pytest.param(lambda: signed(iss="somebody"), id="another issuer"),
        pytest.param(lambda: signed(aud="something"), id="another audience"),
        pytest.param(lambda: signed(exp=in_s(-3_600)), id="expired"),
        pytest.param(lambda: signed(iat=in_s(3_600)), id="of the future"),
        pytest.param(lambda: signed(nbf=in_s(3_600)), id="not yet"),
        pytest.param(lambda: signed(sub=5), id="a subject that is a number"),
        pytest.param(lambda: signed(ver="3"), id="a version that is a string"),
        pytest.param(lambda: signed(ver=True), id="a version that is true"),
        pytest.param(lambda: signed(ver=3.0), id="a version that is a float"),
        *(
            pytest.param(partial(without, name), id=f"without {name}")
            for name in ("iss", "aud", "exp", "iat", "sub", "ver")
        ),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "a.b.c", id="three letters"),
        pytest.param(lambda: "ё.ё.ё", id="not ASCII"),
        pytest.param(lambda: "\0" * 100, id="NUL"),
        pytest.param(lambda: part(b"[" * 6_000) + "." + BODY + ".AAAA", id="deeply nested"),
        pytest.param(lambda: part(b'{"alg":[]}') + "." + BODY + ".AAAA", id="a list for alg"),
        pytest.param(lambda: part(b'{"alg":"HS256","kid":1}') + "." + BODY + ".AAAA", id="kid"),
        pytest.param(lambda: part(b'{"alg":"HS256","crit":1}') + "." + BODY + ".AAAA", id="crit"),
        pytest.param(lambda: part(b"null") + "." + BODY + ".AAAA", id="a header of null"),
        pytest.param(lambda: part(b"\xff\xfe") + "." + BODY + ".AAAA", id="a header of bytes"),
    ],
)
def test_any_other_token_is_refused_without_a_reason(make: Callable[[], str]) -> None:
    with pytest.raises(TokenRefused) as refused:
        TOKENS.read(make())
    assert str(refused.value) == ""


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.binary().map(part), min_size=3, max_size=3).map(".".join)))
def test_any_text_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        TOKENS.read(token)
