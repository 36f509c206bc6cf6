"""Access and refresh tokens: what opens a door, how long, and what ends them."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from tests.api.conftest import ALLOWED_ORIGIN
from tests.api.people import PASSWORD, Member, Site, code, new_email
from tests.processes import JWT_SECRET

Claims = dict[str, Any]


def signed(claims: Claims, secret: str = JWT_SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def without(name: str) -> Callable[[Claims], str]:
    return lambda claims: signed({key: value for key, value in claims.items() if key != name})


FORGED: dict[str, Callable[[Claims], str]] = {
    "alg none": lambda claims: jwt.encode(claims, None, algorithm="none"),
    "wrong key": lambda claims: signed(claims, "another secret, quite long enough to sign"),
    "another algorithm": lambda claims: signed(claims, algorithm="HS512"),
    "wrong audience": lambda claims: signed(claims | {"aud": "elsewhere"}),
    "wrong issuer": lambda claims: signed(claims | {"iss": "elsewhere"}),
    "expired": lambda claims: signed(claims | {"exp": int(time.time_ns() // 10**9) - 90}),
    "older version": lambda claims: signed(claims | {"ver": claims["ver"] - 1}),
    "said to be a guest's": lambda claims: signed(claims | {"guest": True}),
    "another login": lambda claims: signed(claims | {"sid": claims["sub"]}),
    "another person": lambda claims: signed(claims | {"sub": claims["sid"]}),
    "a login that is a number": lambda claims: signed(claims | {"sid": 1}),
    **{
        f"no {name}": without(name)
        for name in ("iss", "aud", "exp", "iat", "sub", "ver", "sid", "guest")
        if name != "guest"  # then it is a member's all the same
    },
    "two dots": lambda claims: "..",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_access_token_opens_nothing(sqlite_site: Site, forge: Any) -> None:
    member = await sqlite_site.register()
    claims = jwt.decode(member.access, options={"verify_signature": False})
    headers = {"Authorization": f"Bearer {forge(claims)}"}
    answer = await sqlite_site.ask("GET", "/users/me", headers=headers)
    assert (answer.status_code, code(answer)) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_access_token_says_what_it_must_and_lives_15_minutes(sqlite_site: Site) -> None:
    member = await sqlite_site.register()
    claims = jwt.decode(member.access, options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "exp", "iat", "sub", "ver", "guest", "sid"}
    assert claims["exp"] - claims["iat"] == 900
    assert jwt.get_unverified_header(member.access)["alg"] == "HS256"


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
async def test_another_scheme_is_refused(sqlite_site: Site, scheme: str) -> None:
    member = await sqlite_site.register()
    headers = {"Authorization": f"{scheme} {member.access}".strip()}
    answer = await sqlite_site.ask("GET", "/users/me", headers=headers)
    assert answer.status_code == 401


# Refreshing


async def refreshed(site: Site, token: str) -> httpx.Response:
    return await site.post("/auth/refresh", {"refresh_token": token})


async def age(site: Site, member: Member, column: str, by_s: int) -> None:
    """Let the refresh tokens of a member have been used, or issued, so long ago."""
    await site.change(
        f"UPDATE refresh_tokens SET {column} = {column} - {by_s * 1_000} WHERE login_id IN "
        "(SELECT id FROM logins WHERE user_id = :user)",
        user=member.id,
    )


async def test_a_refresh_token_is_rotated_and_stored_only_as_a_hash(site: Site) -> None:
    member = await site.register()
    answer = await refreshed(site, member.refresh)
    body = answer.json()
    assert answer.status_code == 200
    assert body["refresh_token"] not in (None, member.refresh)
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert await site.is_good(body["access_token"])
    hashes = {row[0] for row in await site.stored("SELECT hash FROM refresh_tokens")}
    assert not hashes & {member.refresh, body["refresh_token"]}
    assert (await refreshed(site, body["refresh_token"])).status_code == 200


async def test_a_lost_reply_may_be_asked_for_again_for_30_s(site: Site) -> None:
    member = await site.register()
    first = (await refreshed(site, member.refresh)).json()["refresh_token"]
    await age(site, member, "used_at_ms", 25)
    again = await refreshed(site, member.refresh)
    assert (again.status_code, again.json()["refresh_token"]) == (200, first)


async def test_an_old_refresh_token_shown_again_ends_its_login(site: Site) -> None:
    member = await site.register()
    other = await site.log_in(member.email)
    newer = (await refreshed(site, member.refresh)).json()
    await age(site, member, "used_at_ms", 31)
    async with site.socket(newer["access_token"]) as socket, site.socket(other.access) as theirs:
        replayed = await refreshed(site, member.refresh)
        assert (replayed.status_code, code(replayed)) == (401, "refresh_reused")
        assert await closed_within_5_s(socket) == 4506
        await theirs.send(type="ping", c=1)
        await theirs.expect("pong", c=1)
    dead = await refreshed(site, newer["refresh_token"])
    assert (dead.status_code, code(dead)) == (401, "invalid_refresh_token")
    assert not await site.is_good(newer["access_token"])
    assert not await site.is_good(member.access)
    assert await site.is_good(other.access)
    assert (await refreshed(site, other.refresh)).status_code == 200


async def test_tabs_that_refresh_at_once_get_the_same_successor(site: Site) -> None:
    member = await site.register()
    answers = await asyncio.gather(*(refreshed(site, member.refresh) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    rows = await site.stored(
        "SELECT count(*) FROM refresh_tokens JOIN logins ON logins.id = login_id "
        "WHERE user_id = :user",
        user=member.id,
    )
    assert rows[0][0] == 2


async def test_a_login_ends_30_days_after_it_was_last_refreshed(site: Site) -> None:
    member = await site.register()
    ((life_ms,),) = await site.stored(
        "SELECT expires_at_ms - created_at_ms FROM logins WHERE user_id = :user", user=member.id
    )
    assert life_ms == 30 * 86_400_000
    await site.change(
        "UPDATE logins SET expires_at_ms = expires_at_ms - 2592000000 WHERE user_id = :user",
        user=member.id,
    )
    answer = await refreshed(site, member.refresh)
    assert (answer.status_code, code(answer)) == (401, "invalid_refresh_token")
    # The next login forgets it.
    await site.log_in(member.email)
    ((count,),) = await site.stored(
        "SELECT count(*) FROM logins WHERE user_id = :user", user=member.id
    )
    assert count == 1


@pytest.mark.parametrize("token", ["x", "é" * 64, "\0", "' OR 1=1 --", "a" * 128])
async def test_an_unknown_refresh_token_is_refused(site: Site, token: str) -> None:
    answer = await refreshed(site, token)
    assert (answer.status_code, code(answer)) == (401, "invalid_refresh_token")


async def test_a_disabled_person_cannot_refresh(site: Site) -> None:
    member = await site.register()
    await site.disable(member.id)
    answer = await refreshed(site, member.refresh)
    assert (answer.status_code, code(answer)) == (403, "disabled")


# The cookie


async def cookie_of(site: Site) -> tuple[str, str]:
    """A fresh refresh cookie: its header as it was set, and the token."""
    body = {"email": new_email(), "password": PASSWORD}
    answer = await site.post("/auth/register", body)
    assert answer.json()["refresh_token"] is None
    header = answer.headers["set-cookie"]
    return header, header.partition(";")[0].partition("=")[2]


async def test_the_cookie_is_for_the_auth_path_alone_and_for_no_script(sqlite_site: Site) -> None:
    header, token = await cookie_of(sqlite_site)
    assert header == (
        f"refresh_token={token}; Max-Age=2592000; Path=/api/v1/auth; HttpOnly; SameSite=Strict"
    )


async def by_cookie(
    site: Site, token: str, headers: dict[str, str], path: str = "/auth/refresh", body: Any = None
) -> httpx.Response:
    sent = {"Cookie": f"refresh_token={token}", **headers}
    return await site.ask("POST", path, headers=sent, json=body or {})


async def test_a_browser_refreshes_by_cookie_and_its_scripts_see_no_token(
    sqlite_site: Site,
) -> None:
    site = sqlite_site
    _, token = await cookie_of(site)
    answer = await by_cookie(site, token, {"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.json()["refresh_token"]) == (200, None)
    newer = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert newer not in ("", token)
    asked = await by_cookie(
        site, newer, {"Sec-Fetch-Site": "same-origin"}, body={"refresh": "body"}
    )
    assert (asked.status_code, code(asked)) == (422, "invalid")


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "{own}"}, 200),
        ({"Origin": ALLOWED_ORIGIN}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": f"{ALLOWED_ORIGIN}.evil.example"}, 403),
        ({"Origin": ALLOWED_ORIGIN.replace("https", "http")}, 403),
        ({"Origin": f"{ALLOWED_ORIGIN}:8443"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_only_our_own_pages_may_use_the_cookie(
    sqlite_site: Site, path: str, headers: dict[str, str], status: int
) -> None:
    _, token = await cookie_of(sqlite_site)
    own = sqlite_site.process.http_url
    sent = {name: value.format(own=own) for name, value in headers.items()}
    answer = await by_cookie(sqlite_site, token, sent, path)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert code(answer) == "cross_site"
        good = {"Sec-Fetch-Site": "same-origin"}
        assert (await by_cookie(sqlite_site, token, good)).status_code == 200


async def test_a_cookie_alone_is_nobody_elsewhere(sqlite_site: Site) -> None:
    _, token = await cookie_of(sqlite_site)
    headers = {"Cookie": f"refresh_token={token}", "Sec-Fetch-Site": "same-origin"}
    assert (await sqlite_site.ask("GET", "/users/me", headers=headers)).status_code == 401


async def test_a_refused_cookie_is_taken_back(sqlite_site: Site) -> None:
    answer = await by_cookie(sqlite_site, "x", {"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 401
    assert answer.headers["set-cookie"].startswith("refresh_token=; Max-Age=0;")


# Logging out


async def closed_within_5_s(socket: Any) -> int:
    found: int = await socket.closed(within_s=5)
    return found


@pytest.mark.parametrize("by", ["access", "refresh"])
async def test_logout_ends_this_login_everywhere_and_no_other(site: Site, by: str) -> None:
    member = await site.register()
    other = await site.log_in(member.email)
    async with site.socket(member.access) as socket, site.socket(other.access) as theirs:
        body = {"refresh_token": member.refresh} if by == "refresh" else {}
        token = member.access if by == "access" else None
        answer = await site.post("/auth/logout", body, token)
        assert answer.status_code == 200
        assert not await site.is_good(member.access)
        assert (await refreshed(site, member.refresh)).status_code == 401
        assert await closed_within_5_s(socket) == 4506
        await theirs.send(type="ping", c=1)
        await theirs.expect("pong", c=1)
    assert await site.hello_code(member.access) == 4506
    assert await site.is_good(other.access)


async def test_logout_all_ends_every_login(site: Site) -> None:
    member = await site.register()
    other = await site.log_in(member.email)
    async with site.socket(member.access) as one, site.socket(other.access) as two:
        answer = await site.ask("POST", "/auth/logout-all", member.access)
        assert answer.status_code == 200
        for login in (member, other):
            assert not await site.is_good(login.access)
            assert (await refreshed(site, login.refresh)).status_code == 401
        codes = await asyncio.gather(closed_within_5_s(one), closed_within_5_s(two))
        assert set(codes) == {4506}
    assert await site.is_good((await site.log_in(member.email)).access)


async def test_a_new_password_ends_all_logins_but_this_one(site: Site) -> None:
    member = await site.register()
    other = await site.log_in(member.email)
    async with site.socket(member.access) as mine, site.socket(other.access) as theirs:
        body = {"current_password": PASSWORD, "new_password": "Another horse 8"}
        answer = await site.post("/auth/change-password", body, member.access)
        assert answer.status_code == 200, answer.text
        assert await site.is_good(answer.json()["access_token"])
        assert not await site.is_good(other.access)
        assert (await refreshed(site, other.refresh)).status_code == 401
        assert (await refreshed(site, member.refresh)).status_code == 200
        assert await closed_within_5_s(theirs) == 4506
        await mine.send(type="ping", c=1)
        await mine.expect("pong", c=1)
    await site.log_in(member.email, password="Another horse 8")
    old = {"email": member.email, "password": PASSWORD}
    assert (await site.post("/auth/login", old)).status_code == 401


async def test_a_disabled_person_is_off_everywhere(site: Site) -> None:
    member = await site.register()
    async with site.socket(member.access) as socket:
        await site.disable(member.id)
        answer = await site.ask("GET", "/users/me", member.access)
        assert (answer.status_code, code(answer)) == (403, "disabled")
        assert await closed_within_5_s(socket) == 4505
    assert await site.hello_code(member.access) == 4505
