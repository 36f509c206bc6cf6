"""Links that come by mail, and passwords that are changed, forgotten and hashed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import httpx
import pytest
from passlib.hash import argon2  # type: ignore[import-untyped]
from sqlalchemy import event

from server.app import build, create_app
from server.auth import HASHES_AT_ONCE, HASHES_WAITING_MAX, Passwords, TooManyHashes
from server.clock import Clock
from server.db.database import Database
from server.settings import Settings
from tests.api.people import PASSWORD, Site, code, new_email
from tests.processes import JWT_SECRET

NEW_PASSWORD = "Another horse 8"


async def forget(site: Site, email: str, **fields: str) -> None:
    answer = await site.post("/auth/forgot-password", {"email": email, **fields})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message"}


async def reset(site: Site, token: str, password: str = NEW_PASSWORD) -> tuple[int, str | None]:
    answer = await site.post("/auth/reset-password", {"token": token, "new_password": password})
    return answer.status_code, None if answer.status_code == 200 else code(answer)


# Mail


async def test_an_address_is_confirmed_by_the_link_mailed_to_it_once(site: Site) -> None:
    member = await site.register()
    token = await asyncio.to_thread(site.postbox.token, member.email)
    for status in (200, 400):
        answer = await site.post("/auth/verify-email", {"token": token})
        assert answer.status_code == status
    profile = (await site.ask("GET", "/users/me", member.access)).json()
    assert profile["email_verified"] is True
    assert token not in site.process.log()
    assert member.email not in site.process.log()


async def test_the_mail_that_confirms_an_address_may_be_asked_for_again(site: Site) -> None:
    member = await site.register()
    older = await asyncio.to_thread(site.postbox.token, member.email)
    assert (await site.ask("POST", "/auth/verify-email/send", member.access)).status_code == 200
    newer = await asyncio.to_thread(site.postbox.token, member.email, 2)
    refused = await site.post("/auth/verify-email", {"token": older})
    assert (refused.status_code, code(refused)) == (400, "bad_link")
    assert (await site.post("/auth/verify-email", {"token": newer})).status_code == 200
    again = await site.ask("POST", "/auth/verify-email/send", member.access)
    assert (again.status_code, code(again)) == (409, "already_verified")


@pytest.mark.parametrize(("language", "word"), [("en", "password"), ("ru", "пароль")])
async def test_mail_is_written_in_the_persons_language(
    sqlite_site: Site, language: str, word: str
) -> None:
    member = await sqlite_site.register(language=language)
    await forget(sqlite_site, member.email)
    mail = await asyncio.to_thread(sqlite_site.postbox.wait, member.email, 2)
    assert word in mail["subject"]
    assert mail["from"] == "trainer@typing.example"
    assert mail.get_content_type() == "text/plain"
    assert "https://typing.example/account#reset-password=" in mail.get_content()


async def test_links_never_lead_where_a_request_says(sqlite_site: Site) -> None:
    member = await sqlite_site.register()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = {"email": member.email}
    await sqlite_site.ask("POST", "/auth/forgot-password", headers=headers, json=body)
    mail = await asyncio.to_thread(sqlite_site.postbox.wait, member.email, 2)
    assert "evil" not in mail.as_string()


async def test_mail_that_is_refused_for_now_is_sent_again(site: Site) -> None:
    email = new_email()
    site.postbox.refusals[email] = ["451 later", "451 later"]
    member = await site.register(email=email)
    waiting = "SELECT 1 FROM mails WHERE user_id = :user AND tries >= :tries AND due_at_ms < :soon"
    for tries in (1, 2):
        # So much later it will be tried again; we let that time have passed.
        known: dict[str, Any] = {
            "user": member.id,
            "tries": tries,
            "soon": Clock().now_ms() + 60_000,
        }
        await site.there(waiting, **known)
        await site.change("UPDATE mails SET due_at_ms = 0 WHERE user_id = :user", user=member.id)
        await forget(site, new_email())  # who asks for a mail wakes the post
    await asyncio.to_thread(site.postbox.wait, email)
    assert site.postbox.asked[email] == 3
    await site.gone("SELECT 1 FROM mails WHERE user_id = :u AND sent_at_ms IS NULL", u=member.id)
    rows = await site.stored(
        "SELECT tries, sent_at_ms FROM mails WHERE user_id = :user", user=member.id
    )
    assert [(tries, sent is not None) for tries, sent in rows] == [(3, True)]


async def test_mail_that_is_refused_for_good_is_given_up(site: Site) -> None:
    email = new_email()
    site.postbox.refusals[email] = ["550 nobody here"]
    member = await site.register(email=email)
    await site.gone("SELECT 1 FROM mails WHERE user_id = :user", user=member.id)
    assert site.postbox.asked[email] == 1


async def test_the_store_holds_nothing_a_link_could_be_made_of(site: Site) -> None:
    member = await site.register()
    token = await asyncio.to_thread(site.postbox.token, member.email)
    for table in ("mail_links", "mails"):
        rows = await site.stored(f"SELECT * FROM {table} WHERE user_id = :user", user=member.id)
        assert len(rows) == 1
        assert token not in str(rows)


# Forgotten


async def test_a_forgotten_password_is_chosen_anew_and_all_logins_end(site: Site) -> None:
    member = await site.register()
    await forget(site, member.email.upper())
    token = await asyncio.to_thread(site.postbox.token, member.email, 2)
    async with site.socket(member.access) as socket:
        assert await reset(site, token) == (200, None)
        assert not await site.is_good(member.access)
        assert await socket.closed(within_s=5) == 4506
    again = await site.log_in(member.email, password=NEW_PASSWORD)
    profile = (await site.ask("GET", "/users/me", again.access)).json()
    assert profile["email_verified"] is True
    assert await reset(site, token) == (400, "bad_link")
    old = {"email": member.email, "password": PASSWORD}
    assert (await site.post("/auth/login", old)).status_code == 401


async def test_only_the_newest_link_works(site: Site) -> None:
    member = await site.register()
    await forget(site, member.email)
    older = await asyncio.to_thread(site.postbox.token, member.email, 2)
    await forget(site, member.email)
    newer = await asyncio.to_thread(site.postbox.token, member.email, 3)
    assert await reset(site, older) == (400, "bad_link")
    assert await reset(site, newer) == (200, None)


async def test_a_link_lives_30_minutes_and_serves_one_purpose(site: Site) -> None:
    member = await site.register()
    verify = await asyncio.to_thread(site.postbox.token, member.email)
    assert await reset(site, verify) == (400, "bad_link")
    await forget(site, member.email)
    token = await asyncio.to_thread(site.postbox.token, member.email, 2)
    await site.change(
        "UPDATE mail_links SET expires_at_ms = expires_at_ms - 1800000 "
        "WHERE user_id = :user AND purpose = 'reset'",
        user=member.id,
    )
    assert await reset(site, token) == (400, "bad_link")


async def test_a_link_at_once_twice_works_once(site: Site) -> None:
    member = await site.register()
    await forget(site, member.email)
    token = await asyncio.to_thread(site.postbox.token, member.email, 2)
    answers = await asyncio.gather(*(reset(site, token) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400, 400]


async def test_who_has_no_account_gets_the_same_answer_and_no_mail(site: Site) -> None:
    stranger, member = new_email(), await site.register()
    await asyncio.to_thread(site.postbox.wait, member.email)
    await site.disable(member.id)
    for email in (stranger, member.email):
        await forget(site, email)
        await site.gone("""SELECT 1 FROM mails WHERE "to" = :e AND kind = 'reset'""", e=email)
    assert site.postbox.mails(stranger) == []
    assert len(site.postbox.mails(member.email)) == 1


@pytest.mark.parametrize("token", ["x", "\0", "' OR 1=1 --", "é" * 20])
async def test_a_link_that_never_was_is_refused(site: Site, token: str) -> None:
    assert await reset(site, token) == (400, "bad_link")
    answer = await site.post("/auth/verify-email", {"token": token})
    assert (answer.status_code, code(answer)) == (400, "bad_link")


# Nobody can tell by the work that is done whether there is an account


async def work(client: httpx.AsyncClient, store: Database, path: str, body: Any) -> list[str]:
    """Everything the store was asked for one request, and each commit."""
    trips: list[str] = []

    def asked(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        trips.append(statement)

    def committed(_connection: Any) -> None:
        trips.append("COMMIT")

    engine = store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", asked)
    event.listen(engine, "commit", committed)
    await client.post(path, json=body)
    event.remove(engine, "before_cursor_execute", asked)
    event.remove(engine, "commit", committed)
    return trips


@asynccontextmanager
async def still(database_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """The server in this process, where nothing runs but the requests themselves."""
    settings = Settings(database_url, JWT_SECRET, rate_limit_enabled=False, environment="test")
    parts = build(settings)
    app = create_app(parts, settings, fail=lambda: None)
    url = "http://server/api/v1/auth"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as client:
        yield client, parts.database
    await parts.database.close()


@pytest.mark.parametrize(
    ("path", "commits"), [("/forgot-password", 1), ("/login", 0)], ids=["forgot", "login"]
)
async def test_a_known_address_is_as_much_work_as_an_unknown(
    site: Site, path: str, commits: int
) -> None:
    member, disabled = await site.register(), await site.register()
    await site.disable(disabled.id)
    login = {"password": "Wrong horse 7"} if path == "/login" else {}
    async with still(site.database_url) as (client, store):
        known, unknown, other = [
            await work(client, store, path, {"email": email, **login})
            for email in (member.email, new_email(), disabled.email)
        ]
    assert known == unknown == other
    assert known.count("COMMIT") == commits
    assert len(known) > commits


# Changed


async def test_a_password_is_changed_only_by_who_knows_it(site: Site) -> None:
    member = await site.register()
    body = {"current_password": "Wrong horse 7", "new_password": NEW_PASSWORD}
    answer = await site.post("/auth/change-password", body, member.access)
    assert (answer.status_code, code(answer)) == (403, "wrong_password")
    body = {"current_password": PASSWORD, "new_password": "Password1"}
    answer = await site.post("/auth/change-password", body, member.access)
    assert (answer.status_code, code(answer)) == (422, "weak_password")
    assert await site.is_good(member.access)


async def test_a_hash_of_other_costs_is_made_anew_at_login(site: Site) -> None:
    member = await site.register()
    older = argon2.using(type="ID", memory_cost=32, time_cost=1, parallelism=1).hash(PASSWORD)
    await site.change(
        "UPDATE users SET password_hash = :older WHERE id = :user", older=older, user=member.id
    )
    await site.log_in(member.email)
    ((newer,),) = await site.stored(
        "SELECT password_hash FROM users WHERE id = :user", user=member.id
    )
    assert "m=64,t=1,p=1" in newer
    await site.log_in(member.email)


# Hashing


async def test_passwords_cost_what_we_say() -> None:
    stored = await Passwords().hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await Passwords().check(PASSWORD, stored) == (True, None)
    assert await Passwords().check("x", stored) == (False, None)


async def test_the_same_letters_composed_otherwise_are_the_same_password() -> None:
    passwords = Passwords(cheap=True)
    stored = await passwords.hash("Caf\u00e9 no 7")
    assert (await passwords.check("Cafe\u0301 no 7", stored))[0]


async def test_an_unknown_account_takes_as_long() -> None:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)

    async def took_s(known: str | None) -> float:
        began_s = time.perf_counter()
        assert not (await passwords.check("Wrong horse 7", known))[0]
        return time.perf_counter() - began_s

    times = [(await took_s(stored), await took_s(None)) for _ in range(15)]
    known_s, unknown_s = (median(column) for column in zip(*times, strict=True))
    assert 0.5 < known_s / unknown_s < 2


async def test_more_than_fifty_do_not_wait() -> None:
    passwords = Passwords(cheap=True)
    many = HASHES_AT_ONCE + HASHES_WAITING_MAX
    answers = await asyncio.gather(
        *(passwords.hash(PASSWORD) for _ in range(many + 10)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, TooManyHashes)]
    assert len(refused) == 10
    assert await passwords.hash(PASSWORD)
