"""Registering and logging in: what is taken, what is refused, and what a guest keeps."""

import asyncio
from typing import Any

import pytest

from tests.api.people import PASSWORD, Site, bearer, code, new_email
from tests.live.guest import guest
from tests.live.racer import racer

# Registering


async def test_who_registers_is_logged_in(site: Site) -> None:
    email = new_email()
    body = {"email": email, "password": PASSWORD, "full_name": "Иван Петров", "refresh": "body"}
    answer = await site.post("/auth/register", body)
    assert answer.status_code == 201
    said = answer.json()
    assert set(said) == {
        *("user_id", "email", "subscription_tier", "access_token", "refresh_token"),
        *("token_type", "expires_in"),
    }
    assert (said["email"], said["subscription_tier"]) == (email, "free")
    assert (said["token_type"], said["expires_in"]) == ("bearer", 900)
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    profile = (await site.ask("GET", "/users/me", said["access_token"])).json()
    assert (profile["id"], profile["full_name"]) == (said["user_id"], "Иван Петров")
    async with site.socket(said["access_token"]):
        pass


async def test_a_password_is_stored_as_argon2id_and_nowhere_else(site: Site) -> None:
    member = await site.register(password="Unheard of 42")
    ((stored,),) = await site.stored(
        "SELECT password_hash FROM users WHERE id = :user", user=member.id
    )
    assert stored.startswith("$argon2id$v=19$")
    assert "Unheard of 42" not in site.process.log()


@pytest.mark.parametrize("change", [str.upper, str.title, lambda email: email.replace("@", "＠")])
async def test_an_address_is_taken_however_it_is_written(site: Site, change: Any) -> None:
    member = await site.register()
    body = {"email": change(member.email), "password": PASSWORD}
    answer = await site.post("/auth/register", body)
    assert (answer.status_code, code(answer)) == (409, "email_taken")
    assert (await site.log_in(change(member.email))).id == member.id


async def test_of_many_who_register_an_address_at_once_one_does(site: Site) -> None:
    body = {"email": new_email(), "password": PASSWORD}
    answers = await asyncio.gather(*(site.post("/auth/register", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


@pytest.mark.parametrize(
    "password",
    [
        *("", "Short1x", "a" * 126 + "A1x", "alllower1", "ALLUPPER1", "NoDigitsHere"),
        *("Password1", "pAsSwOrD1", "Qwerty123", "Йцукен123", "Ｐassword1"),
    ],
)
async def test_a_weak_password_is_refused(sqlite_site: Site, password: str) -> None:
    answer = await sqlite_site.post("/auth/register", {"email": new_email(), "password": password})
    assert answer.status_code == 422
    assert code(answer) in ("weak_password", "invalid")
    assert [field["field"] for field in answer.json()["error"]["fields"]] == ["password"]
    assert not password or password not in answer.text


@pytest.mark.parametrize("password", ["Aa345678", "Пароль и ключ 7", "Aa1" + "x" * 125])
async def test_a_password_of_any_script_will_do(sqlite_site: Site, password: str) -> None:
    member = await sqlite_site.register(password=password)
    await sqlite_site.log_in(member.email, password=password)


@pytest.mark.parametrize(
    "changed",
    [
        *({"email": email} for email in ("", "a", "a@b", "a@b c.com", "a\0@example.com", 5, None)),
        {"email": "a" * 250 + "@example.com"},
        {"email": "<script>@example.com"},
        {"admin": True},
        {"tier": "premium"},
        {"full_name": "x" * 256},
        {"full_name": "\u0344" * 200},
        {"name": "\ufb2c" * 30},
        {"full_name": "a\0b"},
        {"name": "a\u202eb"},
        {"name": "a\u200bb"},
        {"name": "   "},
        {"name": "x" * 33},
        {"refresh": "url"},
        {"language": "xx"},
    ],
)
async def test_a_bad_field_is_named_and_not_repeated(
    sqlite_site: Site, changed: dict[str, Any]
) -> None:
    body = {"email": new_email(), "password": PASSWORD, **changed}
    answer = await sqlite_site.post("/auth/register", body)
    assert (answer.status_code, code(answer)) == (422, "invalid")
    assert [field["field"] for field in answer.json()["error"]["fields"]] == list(changed)
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"email=a", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"email":"\\ud800"}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b" " * 1_048_577, "application/json", 413),
    ],
)
async def test_a_body_that_is_no_object_of_json_is_refused(
    sqlite_site: Site, content: bytes, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type}
    answer = await sqlite_site.ask("POST", "/auth/login", headers=headers, content=content)
    assert answer.status_code == status, answer.text
    code(answer)


# Logging in


async def test_unknown_and_wrong_get_the_same_answer(site: Site) -> None:
    member = await site.register()
    wrong = await site.post("/auth/login", {"email": member.email, "password": "Wrong horse 7"})
    unknown = await site.post("/auth/login", {"email": new_email(), "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"] == unknown.json()["error"]
    assert code(wrong) == "bad_credentials"


@pytest.mark.parametrize(
    ("email", "password", "status"),
    [
        ("' OR 1=1 --", PASSWORD, 401),
        ("\0", PASSWORD, 401),
        ("аdmin@example.com", PASSWORD, 401),
        ("a@example.com", "\0", 401),
        ("a@example.com", "", 401),
        ("a@example.com", "x" * 1_024, 401),
        ("a@example.com", "x" * 10_240, 422),
        ("a" * 321, PASSWORD, 422),
    ],
)
async def test_anything_may_be_tried(site: Site, email: str, password: str, status: int) -> None:
    answer = await site.post("/auth/login", {"email": email, "password": password})
    assert answer.status_code == status
    code(answer)


async def test_a_disabled_account_is_told_so_only_with_its_password(site: Site) -> None:
    member = await site.register()
    await site.disable(member.id)
    right = await site.post("/auth/login", {"email": member.email, "password": PASSWORD})
    assert (right.status_code, code(right)) == (403, "disabled")
    wrong = await site.post("/auth/login", {"email": member.email, "password": "Wrong horse 7"})
    assert (wrong.status_code, code(wrong)) == (401, "bad_credentials")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_sites_page_cannot_log_anybody_in(
    sqlite_site: Site, path: str, headers: dict[str, str]
) -> None:
    member = await sqlite_site.register()
    body = {"email": member.email, "password": PASSWORD}
    answer = await sqlite_site.ask("POST", path, headers=headers, json=body)
    assert (answer.status_code, code(answer)) == (403, "cross_site")


async def test_a_bad_token_beside_good_credentials_is_not_passed_over(sqlite_site: Site) -> None:
    member = await sqlite_site.register()
    body = {"email": member.email, "password": PASSWORD}
    answer = await sqlite_site.post("/auth/login", body, "expired")
    assert (answer.status_code, code(answer)) == (401, "unauthorized")


# What a guest keeps


async def counters(site: Site, user_id: str) -> dict[str, tuple[int, int]]:
    rows = await site.stored(
        "SELECT key, presses, latency_count FROM key_counters WHERE user_id = :user", user=user_id
    )
    return {key: (presses, latencies) for key, presses, latencies in rows}


async def attempts(site: Site, user_id: str) -> set[str]:
    rows = await site.stored("SELECT id FROM attempts WHERE user_id = :user", user=user_id)
    return {row[0] for row in rows}


async def test_a_guest_that_registers_stays_who_it_is(site: Site) -> None:
    visitor = await site.guest()
    before = await counters(site, visitor.id)
    member = await site.register(visitor.token)
    assert member.id == visitor.id
    assert await attempts(site, member.id) == {visitor.attempt}
    assert await counters(site, member.id) == before
    # What the guest could do with its token, only the account can do now.
    refused = await site.ask("GET", "/users/me", visitor.token)
    assert (refused.status_code, code(refused)) == (401, "unauthorized")
    assert await site.hello_code(visitor.token) == 4003
    again = {"email": new_email(), "password": PASSWORD}
    assert (await site.post("/auth/register", again, visitor.token)).status_code == 401


async def test_a_guest_that_has_typed_nothing_may_register_too(site: Site) -> None:
    async with guest(site.process.ws_url) as visitor:
        member = await site.register(visitor.token)
        assert member.id == visitor.welcome["user"]["id"]
        await visitor.has_nothing_more()


async def test_of_two_who_register_a_guest_at_once_one_does(site: Site) -> None:
    visitor = await site.guest()
    bodies = [{"email": new_email(), "password": PASSWORD} for _ in range(4)]
    answers = await asyncio.gather(
        *(site.post("/auth/register", body, visitor.token) for body in bodies)
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {401, 409}


async def test_a_guests_socket_is_let_go_when_it_registers(site: Site) -> None:
    async with guest(site.process.ws_url) as visitor:
        await visitor.begin()
        await site.register(visitor.token)
        assert await visitor.closed(within_s=5) == 4003


async def test_the_socket_of_a_guest_who_has_only_joined_a_race_is_let_go_too(site: Site) -> None:
    url = site.process.ws_url
    async with racer(url) as host, racer(url) as visitor, racer(url) as onlooker:
        race = await host.create()
        await visitor.ask("join", code=race["code"])
        await onlooker.ask("watch", code=race["code"])
        await site.register(visitor.token)
        assert await visitor.closed(within_s=5) == 4003
        # Who only watches is no row of the store, and nobody misses it.
        assert (await onlooker.ask("watch", race=race["race"]))["you"] is None


async def test_what_a_guest_has_moves_at_login_once(site: Site) -> None:
    member = await site.register((first := await site.guest()).token)
    second = await site.guest()
    hers, theirs = await counters(site, member.id), await counters(site, second.id)
    for _ in range(2):
        await site.log_in(member.email, second.token)
        assert await attempts(site, member.id) == {first.attempt, second.attempt}
        assert await counters(site, member.id) == {
            key: (presses + theirs[key][0], latencies + theirs[key][1])
            for key, (presses, latencies) in hers.items()
        }
        for table, column in (
            ("users", "id"),
            ("attempts", "user_id"),
            ("key_counters", "user_id"),
        ):
            left = await site.stored(
                f"SELECT 1 FROM {table} WHERE {column} = :user", user=second.id
            )
            assert left == []


async def test_logins_at_once_move_a_guest_once(site: Site) -> None:
    member = await site.register()
    visitor = await site.guest()
    before = await counters(site, visitor.id)
    await asyncio.gather(*(site.log_in(member.email, visitor.token) for _ in range(5)))
    assert await counters(site, member.id) == before
    assert await attempts(site, member.id) == {visitor.attempt}


async def test_a_guests_open_attempt_moves_and_the_guest_can_write_it_no_more(site: Site) -> None:
    member = await site.register()
    async with guest(site.process.ws_url) as visitor:
        await visitor.begin("abcdef")
        await visitor.typed("abc")
        logged_in = await site.log_in(member.email, visitor.token)
        await visitor.press("d")
        assert await visitor.closed() in (4003, 4509)
        attempt = visitor.attempt
    async with site.socket(logged_in.access) as socket:
        opened = await socket.open(attempt)
        assert (opened["typed"], opened["state"]) == ("abc", "running")


async def test_a_wrong_password_moves_nothing(site: Site) -> None:
    member = await site.register()
    visitor = await site.guest()
    body = {"email": member.email, "password": "Wrong horse 7"}
    assert (await site.post("/auth/login", body, visitor.token)).status_code == 401
    assert await attempts(site, visitor.id) == {visitor.attempt}


async def test_a_members_token_moves_nobody(site: Site) -> None:
    one, two = await site.register((await site.guest()).token), await site.register()
    await site.log_in(two.email, one.access)
    assert len(await attempts(site, one.id)) == 1
    assert await attempts(site, two.id) == set()


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/users/me", 405),
        ("GET", "/auth/login", 405),
        ("GET", "/no-such-thing", 404),
        ("HEAD", "/users/me", 200),
        ("GET", "/users/me?x=1", 422),
    ],
)
async def test_every_refusal_has_the_one_shape(
    sqlite_site: Site, method: str, path: str, status: int
) -> None:
    member = await sqlite_site.register()
    answer = await sqlite_site.ask(method, path, headers=bearer(member.access))
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    if method == "HEAD":
        assert answer.content == b""
    else:
        code(answer)
    assert ("allow" in answer.headers) == (status == 405)
