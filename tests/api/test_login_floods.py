"""Many logins, one after the other or all at once: who must wait, and who must not."""

import asyncio
from typing import Any

from tests.api.people import PASSWORD, Site, code, new_email
from tests.api.postbox import Postbox
from tests.conftest import MakeServer
from tests.live.guest import guest


async def test_the_sixth_login_in_an_hour_must_wait(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    process = make_server(sqlite_url, environment={"ENVIRONMENT": "test", "LOGINS_PER_HOUR": "3"})
    await process.start()
    site = Site(process, sqlite_url, postbox)
    member = await site.register()
    for _ in range(3):
        assert (await site.log_in(member.email)).id == member.id
    body = {"email": member.email, "password": PASSWORD}
    answer = await site.post("/auth/login", body)
    assert (answer.status_code, code(answer)) == (429, "rate")
    assert 1 <= int(answer.headers["retry-after"]) <= 3_600


async def test_after_a_wrong_password_the_next_try_must_wait(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    process = make_server(sqlite_url, environment={"ENVIRONMENT": "test"})
    await process.start()
    site = Site(process, sqlite_url, postbox)
    body = {"email": new_email(), "password": PASSWORD}
    assert (await site.post("/auth/login", body)).status_code == 401
    answer = await site.post("/auth/login", body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    await asyncio.sleep(1.05)
    assert (await site.post("/auth/login", body)).status_code == 401


async def test_guesses_made_elsewhere_keep_nobody_out_but_many_do_until_a_reset(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    environment = {
        "ENVIRONMENT": "test",
        "LOGINS_PER_HOUR": "1",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "MAIL_URL": f"smtp://127.0.0.1:{postbox.port}?from=trainer@typing.example",
        "PUBLIC_URL": "https://typing.example",
    }
    process = make_server(sqlite_url, environment=environment)
    await process.start()
    site = Site(process, sqlite_url, postbox)
    member = await site.register()

    async def tried(address: str, password: str, email: str = member.email) -> int:
        body = {"email": email, "password": password}
        headers = {"X-Forwarded-For": address}
        answer = await site.ask("POST", "/auth/login", headers=headers, json=body)
        return answer.status_code

    assert [await tried("203.0.113.1", "Wrong horse 7") for _ in range(3)] == [401, 429, 429]
    assert await tried("203.0.113.2", PASSWORD) == 200
    # A classroom behind one address: one person's tries are not another's.
    assert await tried("203.0.113.1", PASSWORD, (await site.register()).email) == 200
    guesses = [await tried(f"203.0.113.{host}", "Wrong horse 7") for host in range(3, 15)]
    assert guesses == [401] * 8 + [429] * 4
    assert await tried("203.0.113.20", PASSWORD) == 429
    assert await site.is_good(member.access)

    await site.post("/auth/forgot-password", {"email": member.email})
    token = await asyncio.to_thread(postbox.token, member.email, 2)
    body = {"token": token, "new_password": "Another horse 8"}
    headers = {"X-Forwarded-For": "203.0.113.20"}
    answer = await site.ask("POST", "/auth/reset-password", headers=headers, json=body)
    assert answer.status_code == 200
    assert await tried("203.0.113.20", "Another horse 8") == 200


async def test_an_address_may_guess_only_so_often_at_all_accounts_together(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    process = make_server(sqlite_url, environment={"ENVIRONMENT": "test", "LOGINS_PER_HOUR": "1"})
    await process.start()
    site = Site(process, sqlite_url, postbox)
    bodies = [{"email": new_email(), "password": PASSWORD} for _ in range(12)]
    statuses = [(await site.post("/auth/login", body)).status_code for body in bodies]
    assert statuses == [401] * 10 + [429] * 2


async def test_mails_are_counted_whoever_asks_for_them_and_why(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    environment = {"ENVIRONMENT": "test", "MAILS_PER_HOUR": "2", "FORWARDED_ALLOW_IPS": "127.0.0.1"}
    process = make_server(sqlite_url, environment=environment)
    await process.start()
    site = Site(process, sqlite_url, postbox)
    member, other, wanted = await site.register(), await site.register(), new_email()

    async def statuses(address: str, token: str | None, path: str, body: Any) -> list[int]:
        method = "PATCH" if path == "/users/me" else "POST"
        headers = {"X-Forwarded-For": address}
        answers = [await site.ask(method, path, token, headers, json=body) for _ in range(3)]
        return [answer.status_code for answer in answers]

    path = "/auth/verify-email/send"
    assert await statuses("203.0.113.1", member.access, path, None) == [200, 200, 429]
    body = {"email": wanted, "current_password": PASSWORD}
    assert await statuses("203.0.113.2", other.access, "/users/me", body) == [200, 200, 429]
    # Neither an address of the net nor one of mail gets more by another way of asking.
    forgot = "/auth/forgot-password"
    assert await statuses("203.0.113.1", None, forgot, {"email": new_email()}) == [429] * 3
    for host, email in enumerate((member.email, other.email, wanted), 3):
        assert await statuses(f"203.0.113.{host}", None, forgot, {"email": email}) == [429] * 3


async def test_too_many_passwords_at_once_are_turned_away_and_typing_goes_on(
    make_server: MakeServer, sqlite_url: str, postbox: Postbox
) -> None:
    environment = {"RATE_LIMIT_ENABLED": "false"}  # in development hashes cost what they must
    process = make_server(sqlite_url, environment=environment)
    await process.start()
    site = Site(process, sqlite_url, postbox)
    async with guest(process.ws_url) as typist:
        await typist.begin("x" * 30)
        body = {"email": new_email(), "password": PASSWORD}
        logins = [asyncio.create_task(site.post("/auth/login", body)) for _ in range(150)]
        await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(3):
            await typist.press("x")
            await typist.expect("ack", seq=typist.seq)
        hashing = [login for login in logins if not login.done()]
        answers = await asyncio.gather(*logins)
    assert hashing, "the keys had to wait until every password was hashed"
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 503}
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert (code(busy), busy.headers["retry-after"]) == ("busy", "1")
