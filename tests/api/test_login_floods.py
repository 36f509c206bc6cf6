"""Many logins, one after the other or all at once: who must wait, and who must not."""

import asyncio

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
            await typist.expect("ack", skip=("stall",), seq=typist.seq)
        hashing = [login for login in logins if not login.done()]
        answers = await asyncio.gather(*logins)
    assert hashing, "the keys had to wait until every password was hashed"
    statuses = {answer.status_code for answer in answers}
    assert statuses == {401, 503}
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert (code(busy), busy.headers["retry-after"]) == ("busy", "1")
