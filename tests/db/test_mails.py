"""Mails that are asked for by address alone, and the links in them."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from server.db.accounts import NewAccount, register
from server.db.database import Database
from server.db.logins import NewLogin, reset_password
from server.db.mails import Mails, NewMail, ask_link
from tests.db.stored import opened_database, rows

NOW_MS = 1_790_000_000_000
LEASE_MS = 1_000


def new_mail(purpose: str, to: str) -> NewMail:
    seed = str(uuid.uuid4())
    return NewMail(purpose, to, "", seed, f"hash of {seed}", NOW_MS + 60_000)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_database(database_url) as opened:
        yield opened


async def registered(database: Database, email: str) -> str:
    """An account whose first mail has been sent."""
    settings = {"language": "ru"}
    account = NewAccount(str(uuid.uuid4()), email, "hash", "Ann", None, settings)
    login = NewLogin(str(uuid.uuid4()), str(uuid.uuid4()))
    await register(database, account, login, new_mail("verify", email), NOW_MS)
    mails = Mails(database)
    mail = await mails.take(NOW_MS, LEASE_MS)
    assert mail is not None
    await mails.sent(mail["id"], NOW_MS)
    return account.id


async def test_a_mail_for_nobody_is_forgotten_and_holds_up_no_other(database: Database) -> None:
    user_id = await registered(database, "ann@example.com")
    for email in ("nobody@example.com", "bob@example.com", "ann@example.com"):
        await ask_link(database, new_mail("reset", email), NOW_MS)
    mail = await Mails(database).take(NOW_MS, LEASE_MS)
    assert mail is not None
    assert (mail["user_id"], mail["language"], mail["tries"]) == (user_id, "ru", 1)
    assert await Mails(database).take(NOW_MS, LEASE_MS) is None
    left = await rows(database, "SELECT 1 FROM mails WHERE user_id IS NULL")
    assert list(left) == []


async def test_a_mail_that_is_sent_twice_revives_no_link(database: Database) -> None:
    await registered(database, "ann@example.com")
    asked = new_mail("reset", "ann@example.com")
    await ask_link(database, asked, NOW_MS)
    assert await Mails(database).take(NOW_MS, LEASE_MS) is not None
    assert await reset_password(database, asked.token_hash, "new", NOW_MS) == "ann@example.com"
    # Whoever took it has not said that it was sent.
    again = await Mails(database).take(NOW_MS + LEASE_MS, LEASE_MS)
    assert again is not None
    assert (again["to"], again["tries"]) == ("ann@example.com", 2)
    assert await reset_password(database, asked.token_hash, "newer", NOW_MS) is None
