"""Who may call what: each endpoint has a row here that says what everybody gets who could come."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server.app import ENDPOINTS
from tests.api.people import PASSWORD, Member, Site, TypedGuest, code, new_email
from tests.imports.exports import browser, browser_entry

NEW_PASSWORD = "Another horse 8"
RESULT = {"wpm": 61.5, "accuracy": 0.975, "errors": 4, "duration_ms": 60_500}
OLD_STORAGE = browser(browser_entry())
CREDENTIALS = {"email": "{email}", "password": PASSWORD}
NEEDS_TOKEN = "401 unauthorized"
NEEDS_ACCOUNT = "403 account_required"
NOT_THERE = "404 not_found"
NOT_SOLD = "404 no_plans"  # what there is where something is sold: test_subscriptions.py


@dataclass(frozen=True)
class Row:
    """What a member and a guest get who ask for their own, and nobody who asks for a member's.

    `another` is what a member gets who asks for another's, where something of somebody is named
    at all. {email}, {new_email}, {refresh}, {user}, {attempt}, {collection} and {text} are those of
    whose it is.
    """

    member: str
    guest: str
    nobody: str
    another: str | None = None
    named: str = ""  # what stands in the path
    asked: str = ""  # and in the query
    body: dict[str, Any] | None = None


def open_to_all(said: str, **fields: Any) -> Row:
    return Row(said, said, said, **fields)


def for_persons(said: str, **fields: Any) -> Row:
    return Row(said, said, NEEDS_TOKEN, **fields)


def for_members(said: str, **fields: Any) -> Row:
    return Row(said, NEEDS_ACCOUNT, NEEDS_TOKEN, **fields)


def private_to(said: str, **fields: Any) -> Row:
    """What everybody may ask for, but sees only if it is theirs."""
    return Row(said, said, NOT_THERE, another=NOT_THERE, **fields)


# What is mailed is shown to be good elsewhere: here it is enough that the door is open.
ROWS = {
    "POST /auth/register": open_to_all("201", body=CREDENTIALS | {"email": "{new_email}"}),
    "POST /auth/login": open_to_all("200", body=CREDENTIALS),
    "POST /auth/refresh": open_to_all("200", body={"refresh_token": "{refresh}"}),
    "POST /auth/logout": open_to_all("200", body={"refresh_token": "{refresh}"}),
    "POST /auth/logout-all": for_members("200"),
    "POST /auth/change-password": for_members(
        "200", body={"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ),
    "POST /auth/verify-email": open_to_all("400 bad_link", body={"token": "x"}),
    "POST /auth/verify-email/send": for_members("200"),
    "POST /auth/forgot-password": open_to_all("200", body={"email": "{email}"}),
    "POST /auth/reset-password": open_to_all(
        "400 bad_link", body={"token": "x", "new_password": NEW_PASSWORD}
    ),
    "GET /users/me": for_persons("200"),
    "PATCH /users/me": for_members("200", body={"name": "Ann"}),
    "DELETE /users/me": for_persons("204", body={"password": PASSWORD}),
    "GET /users/me/export": for_persons("200"),
    "GET /users/me/races": for_persons("200"),
    "GET /users/{id}/progress": for_persons("200", another=NOT_THERE, named="{user}"),
    "GET /progress/stats": for_persons("200"),
    "GET /progress/charts": for_persons("200"),
    "POST /progress": for_persons("201", body=RESULT),
    "POST /imports": for_persons("200", body=OLD_STORAGE),
    "POST /users/migrate-from-localstorage": for_persons("200", body=OLD_STORAGE),
    "GET /attempts/{id}": for_persons("200", another=NOT_THERE, named="{attempt}"),
    "GET /attempts/{id}/replay": for_persons("200", another=NOT_THERE, named="{attempt}"),
    "GET /key-stats": for_persons("200"),
    "GET /practice": for_persons("200", asked="language=en&layout=qwerty"),
    "POST /ai/weak-keys-analysis": for_persons(
        "200", another=NOT_THERE, body={"user_id": "{user}"}
    ),
    "GET /lessons": open_to_all("200"),
    "GET /lessons/{id}": open_to_all("200", named="block_1_lesson_1"),
    "GET /layouts": open_to_all("200"),
    "GET /layouts/{name}": open_to_all("200", named="dvorak"),
    "GET /leaderboards/{board}": open_to_all("200", named="time:60"),
    "GET /subscription/status": for_persons("200"),
    "GET /subscription/plans": open_to_all(NOT_SOLD),
    "POST /subscription/upgrade": for_members(
        NOT_SOLD, body={"plan": "basic", "billing_period": "yearly"}
    ),
    "POST /subscription/portal": for_members(NOT_SOLD),
    "POST /subscription/cancel": for_members(NOT_SOLD),
    "POST /payments/webhook": open_to_all(NOT_SOLD),
    "GET /collections": for_persons("200"),
    "POST /collections": for_persons("201", body={"name": "Mine"}),
    "GET /public-collections": open_to_all("200"),
    "GET /collections/{id}": private_to("200", named="{collection}"),
    "PATCH /collections/{id}": for_persons(
        "200", another=NOT_THERE, named="{collection}", body={"name": "Other"}
    ),
    "DELETE /collections/{id}": for_persons("204", another=NOT_THERE, named="{collection}"),
    "GET /collections/{id}/texts": private_to("200", named="{collection}"),
    "POST /collections/{id}/texts": for_persons(
        "201", another=NOT_THERE, named="{collection}", body={"text": "ab"}
    ),
    "POST /collections/{id}/texts/import": for_persons(
        "200", another=NOT_THERE, named="{collection}", body={"csv": "text,title\nab,A"}
    ),
    "GET /texts/{id}": private_to("200", named="{text}"),
    "PATCH /texts/{id}": for_persons(
        "200", another=NOT_THERE, named="{text}", body={"title": "Other"}
    ),
    "DELETE /texts/{id}": for_persons("204", another=NOT_THERE, named="{text}"),
}
NAMING_SOMEBODY = [call for call, row in ROWS.items() if row.another is not None]


@dataclass(frozen=True)
class Somebody:
    """A member, and the guest they came as: each has typed a text."""

    member: Member
    guest: TypedGuest
    texts: dict[str, str]

    @property
    def names(self) -> dict[str, str]:
        mine = self.member
        own = {"user": mine.id, "email": mine.email, "refresh": mine.refresh}
        return {**own, "attempt": self.guest.attempt, "new_email": new_email(), **self.texts}


async def somebody(site: Site) -> Somebody:
    visitor = await site.guest("ab")
    member = await site.register(visitor.token)
    return Somebody(member, visitor, await own_text(site, member.id))


async def own_text(site: Site, user_id: str) -> dict[str, str]:
    """A private collection with a text."""
    ids = {"collection": str(uuid.uuid4()), "text": str(uuid.uuid4())}
    await site.change(
        "INSERT INTO collections (id, user_id, name, description, tags, visibility, texts, chars,"
        " created_at_ms, updated_at_ms) VALUES (:id, :user, 'x', '', '[]', 'private', 1, 2, 0, 0)",
        id=ids["collection"],
        user=user_id,
    )
    await site.change(
        "INSERT INTO collection_texts (id, collection_id, n, title, text, length, tags,"
        " created_at_ms, updated_at_ms) VALUES (:text, :collection, 1, '', 'ab', 2, '[]', 0, 0)",
        **ids,
    )
    return ids


async def called(
    site: Site, call: str, token: str | None, names: dict[str, str]
) -> tuple[str, httpx.Response]:
    """Call with what the row gives; what came of it."""
    row = ROWS[call]
    method, path = call.split()
    body = row.body and {
        name: value.format(**names) if isinstance(value, str) else value
        for name, value in row.body.items()
    }
    there = re.sub(r"\{\w+\}", row.named, path).format(**names)
    if row.asked:
        there = f"{there}?{row.asked}"
    answer = await site.ask(method, there, token, json=body)
    refused = answer.status_code >= 400
    return f"{answer.status_code} {code(answer)}" if refused else str(answer.status_code), answer


def test_every_endpoint_has_a_row() -> None:
    assert set(ROWS) == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    for call, row in ROWS.items():
        names_somebody = row.named.startswith("{") or "{user}" in str(row.body)
        assert names_somebody == (row.another is not None), call


@pytest.mark.parametrize("call", ROWS)
async def test_a_member_may_do_it_to_what_is_theirs(sqlite_site: Site, call: str) -> None:
    who = await somebody(sqlite_site)
    said, answer = await called(sqlite_site, call, who.member.access, who.names)
    assert said == ROWS[call].member, answer.text


@pytest.mark.parametrize("call", ROWS)
async def test_a_guest_may_do_what_needs_no_account(sqlite_site: Site, call: str) -> None:
    member, visitor = await sqlite_site.register(), await sqlite_site.guest("ab")
    texts = await own_text(sqlite_site, visitor.id)
    names = Somebody(member, visitor, texts).names | {"user": visitor.id}
    said, answer = await called(sqlite_site, call, visitor.token, names)
    assert said == ROWS[call].guest, answer.text


@pytest.mark.parametrize("call", ROWS)
async def test_without_a_token_one_is_nobody(sqlite_site: Site, call: str) -> None:
    names = (await somebody(sqlite_site)).names
    said, answer = await called(sqlite_site, call, None, names)
    assert said == ROWS[call].nobody, answer.text


# Who is refused changes nothing, and so may be refused again and again.


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bystander(site_on_sqlite: Site) -> Somebody:
    return await somebody(site_on_sqlite)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(site_on_sqlite: Site) -> Somebody:
    return await somebody(site_on_sqlite)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def disabled(site_on_sqlite: Site) -> Somebody:
    who = await somebody(site_on_sqlite)
    await site_on_sqlite.disable(who.member.id)
    return who


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def disabled_guest(site_on_sqlite: Site) -> TypedGuest:
    visitor = await site_on_sqlite.guest("ab")
    await site_on_sqlite.disable(visitor.id)
    return visitor


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def logged_out(site_on_sqlite: Site) -> Somebody:
    who = await somebody(site_on_sqlite)
    await site_on_sqlite.post("/auth/logout", {}, who.member.access)
    return who


@pytest.mark.parametrize("call", NAMING_SOMEBODY)
async def test_nothing_of_anothers_is_there(
    sqlite_site: Site, call: str, bystander: Somebody, other: Somebody
) -> None:
    for token in (other.member.access, (await sqlite_site.guest("ab")).token):
        said, answer = await called(sqlite_site, call, token, bystander.names)
        assert said == ROWS[call].another, answer.text


@pytest.mark.parametrize("call", ROWS)
async def test_who_is_disabled_may_do_nothing(
    sqlite_site: Site, call: str, disabled: Somebody, disabled_guest: TypedGuest
) -> None:
    for token in (disabled.member.access, disabled_guest.token):
        said, answer = await called(sqlite_site, call, token, disabled.names)
        assert said == "403 disabled", answer.text


@pytest.mark.parametrize("call", ROWS)
async def test_a_login_that_was_ended_opens_nothing(
    sqlite_site: Site, call: str, logged_out: Somebody
) -> None:
    for token in (logged_out.member.access, logged_out.guest.token):
        said, answer = await called(sqlite_site, call, token, logged_out.names)
        assert said == NEEDS_TOKEN, answer.text
