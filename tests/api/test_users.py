"""One's profile and settings, everything to take away, and the way out."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.people import PASSWORD, Member, Site, code, new_email, type_text
from tests.live.guest import guest

PROFILE = {
    *("id", "name", "guest", "email", "email_verified", "full_name", "subscription_tier"),
    *("is_active", "created_at", "updated_at", "last_login_at", "settings"),
}
TABLES = {
    "users": "id",
    "attempts": "user_id",
    "key_counters": "user_id",
    "key_confusions": "user_id",
    "logins": "user_id",
    "mail_links": "user_id",
    "mails": "user_id",
}


async def test_a_profile_is_ones_own(site: Site) -> None:
    one, two = await site.register(full_name="Ann"), await site.register(name="Боб")
    for member in (one, two):
        answer = await site.ask("GET", "/users/me", member.access)
        profile = answer.json()
        assert set(profile) == PROFILE
        assert (profile["id"], profile["email"]) == (member.id, member.email)
        assert profile["guest"] is False
        assert profile["is_active"] is True
        assert profile["created_at"] <= profile["last_login_at"]
    assert profile["name"] == "Боб"
    other = await site.ask("GET", f"/users/{two.id}", one.access)
    assert (other.status_code, code(other)) == (404, "not_found")


async def test_a_guest_has_a_profile_before_and_after_its_first_attempt(site: Site) -> None:
    async with guest(site.process.ws_url) as visitor:
        profile = (await site.ask("GET", "/users/me", visitor.token)).json()
        assert set(profile) == PROFILE
        known = {"id": visitor.welcome["user"]["id"], "name": visitor.welcome["user"]["name"]}
        assert {"id": profile["id"], "name": profile["name"]} == known
        assert profile["created_at"] is None
        await visitor.begin()
        profile = (await site.ask("GET", "/users/me", visitor.token)).json()
        assert {"id": profile["id"], "name": profile["name"]} == known
        assert profile["created_at"] is not None


async def test_only_what_is_given_is_changed(site: Site) -> None:
    member = await site.register(full_name="Ann", language="ru")

    async def change(**fields: Any) -> Any:
        answer = await site.ask("PATCH", "/users/me", member.access, json=fields)
        assert answer.status_code == 200, answer.text
        assert answer.json() == (await site.ask("GET", "/users/me", member.access)).json()
        return answer.json()

    await change(settings={"layout": "jcuken", "theme": "dark", "text_language": "en"})
    profile = await change(settings={"theme": None, "goals": {"wpm": 60, "accuracy": 1}})
    assert profile["settings"] == {
        "layout": "jcuken",
        "layouts": None,
        "shape": None,
        "remaps": None,
        "language": "ru",
        "text_language": "en",
        "theme": None,
        "goals": {"wpm": 60, "accuracy": 1.0, "minutes_a_day": None},
    }
    assert profile["full_name"] == "Ann"
    renamed = await change(name="  A\u0301nn ")
    assert (renamed["name"], renamed["settings"]) == ("Ánn", profile["settings"])
    assert (await change(full_name=None))["full_name"] is None
    assert (await change())["name"] == "Ánn"


KEY = {"layout": "qwerty", "code": "KeyQ", "level": "plain", "character": "x"}
# As many as may be.
MANY_KEYS = {
    "keys": [
        KEY | {"code": f"Digit{digit}", "level": level, "layout": layout}
        for layout in ("qwerty", "dvorak")
        for level in ("plain", "shift", "altgr", "shift_altgr")
        for digit in range(8)
    ]
}


async def test_layouts_and_remaps_are_kept_whole(site: Site) -> None:
    member = await site.register()
    settings = {
        "layouts": {"en": "dvorak", "ru": "jcuken"},
        "shape": "iso",
        "remaps": MANY_KEYS | {"fingers": {}},
    }
    body = {"settings": settings}
    answer = await site.ask("PATCH", "/users/me", member.access, json=body)
    assert answer.status_code == 200, answer.text
    kept = answer.json()["settings"]
    assert {name: kept[name] for name in settings} == settings
    changes: dict[str, Any] = {"remaps": None, "layouts": {"en": "colemak"}}
    body = {"settings": changes}
    kept = (await site.ask("PATCH", "/users/me", member.access, json=body)).json()["settings"]
    assert (kept["remaps"], kept["layouts"]) == (None, {"en": "colemak"})


async def test_a_guest_has_settings_and_keeps_them_as_an_account(site: Site) -> None:
    body: dict[str, Any] = {"settings": {"layouts": {"en": "workman"}}}
    async with guest(site.process.ws_url) as visitor:  # who is not stored yet
        answer = await site.ask("PATCH", "/users/me", visitor.token, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["guest"]
        refused = await site.ask("PATCH", "/users/me", visitor.token, json=body | {"name": "Ann"})
        assert (refused.status_code, code(refused)) == (403, "account_required")
        member = await site.register(visitor.token, language="ru")
    settings = (await site.ask("GET", "/users/me", member.access)).json()["settings"]
    assert (settings["layouts"], settings["language"]) == ({"en": "workman"}, "ru")


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "a@example.com"},  # without the password
        {"email": "a@b", "current_password": PASSWORD},
        {"id": "x"},
        {"tier": "premium"},
        {"subscription_tier": "premium"},
        {"name": "a\u202eb"},
        {"name": 5},
        {"settings": []},
        {"settings": {"layout": "dvorak!"}},
        {"settings": {"layouts": {"en": "no such"}}},
        {"settings": {"layouts": {"xx": "qwerty"}}},
        {"settings": {"layouts": {"ru": "dvorak"}}},
        {"settings": {"shape": "round"}},
        {"settings": {"remaps": {"keys": [KEY | {"layout": "x"}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"code": "F13"}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"level": "ctrl"}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"character": "ab"}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"character": " "}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"character": "\u0301"}]}}},
        {"settings": {"remaps": {"keys": [KEY | {"character": "\u200b"}]}}},
        {"settings": {"remaps": {"keys": [KEY, KEY | {"character": "y"}]}}},
        {"settings": {"remaps": {"fingers": {"KeyQ": "sixth"}}}},
        {"settings": {"remaps": {"fingers": {"Enter": "thumb"}}}},
        {"settings": {"remaps": MANY_KEYS | {"fingers": {"KeyQ": "thumb"}}}},
        {"settings": {"theme": "pink"}},
        {"settings": {"goals": {"wpm": 0}}},
        {"settings": {"goals": {"accuracy": 1.1}}},
        {"settings": {"goals": {"wpm": 50.5}}},
        {"settings": {"other": 1}},
    ],
)
async def test_a_bad_change_changes_nothing(sqlite_site: Site, fields: dict[str, Any]) -> None:
    member = await sqlite_site.register()
    before = (await sqlite_site.ask("GET", "/users/me", member.access)).json()
    body = {"full_name": "Mallory", **fields}
    answer = await sqlite_site.ask("PATCH", "/users/me", member.access, json=body)
    assert (answer.status_code, code(answer)) == (422, "invalid")
    assert (await sqlite_site.ask("GET", "/users/me", member.access)).json() == before


# Another address


async def asked(site: Site, member: Member, email: str, **fields: Any) -> httpx.Response:
    body = {"email": email, "current_password": PASSWORD, **fields}
    return await site.ask("PATCH", "/users/me", member.access, json=body)


async def link_to(site: Site, member: Member, email: str) -> str:
    """The token of the link that makes this the member's address."""
    answer = await asked(site, member, email)
    assert answer.status_code == 200, answer.text
    return await asyncio.to_thread(site.postbox.token, email)


async def used(site: Site, token: str) -> tuple[int, str | None]:
    answer = await site.post("/auth/verify-email", {"token": token})
    return answer.status_code, None if answer.status_code == 200 else code(answer)


async def test_an_address_is_changed_by_the_link_mailed_to_the_new_one(site: Site) -> None:
    member, email = await site.register(language="ru"), new_email()
    answer = await asked(site, member, email.upper(), name="Ann")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["email"], answer.json()["name"]) == (member.email, "Ann")
    told = await asyncio.to_thread(site.postbox.wait, member.email, 2)
    assert told["subject"] == "Адрес вашей почты скоро изменится"
    assert "#" not in told.get_content()
    assert email not in told.get_content()
    assert (await site.log_in(member.email)).id == member.id  # the old one holds until then

    token = await asyncio.to_thread(site.postbox.token, email)
    async with site.socket(member.access) as socket:
        assert await used(site, token) == (200, None)
        await socket.send(type="ping", c=1)
        await socket.expect("pong", c=1)
    profile = (await site.ask("GET", "/users/me", member.access)).json()
    assert (profile["email"], profile["email_verified"]) == (email, True)
    assert (await site.log_in(email)).id == member.id
    login = {"email": member.email, "password": PASSWORD}
    assert (await site.post("/auth/login", login)).status_code == 401
    assert await used(site, token) == (400, "bad_link")
    assert (await site.register(email=member.email)).id != member.id


async def test_the_links_to_an_older_address_die_with_it(site: Site) -> None:
    member, email = await site.register(), new_email()
    verify = await asyncio.to_thread(site.postbox.token, member.email)
    await site.post("/auth/forgot-password", {"email": member.email})
    reset = await asyncio.to_thread(site.postbox.token, member.email, 2)
    assert await used(site, await link_to(site, member, email)) == (200, None)
    assert await used(site, verify) == (400, "bad_link")
    body = {"token": reset, "new_password": "Another horse 8"}
    assert (await site.post("/auth/reset-password", body)).status_code == 400
    assert (await site.log_in(email)).email == email


async def test_of_the_addresses_asked_for_the_last_one_counts(site: Site) -> None:
    member = await site.register()
    older = await link_to(site, member, new_email())
    newer = await link_to(site, member, new_email())
    assert await used(site, older) == (400, "bad_link")
    assert await used(site, newer) == (200, None)


@pytest.mark.parametrize("how", ["changed", "reset"])
async def test_a_new_password_stops_the_change_of_address(site: Site, how: str) -> None:
    member = await site.register()
    token = await link_to(site, member, new_email())
    if how == "changed":
        body = {"current_password": PASSWORD, "new_password": "Another horse 8"}
        answer = await site.post("/auth/change-password", body, member.access)
    else:
        await site.post("/auth/forgot-password", {"email": member.email})
        reset = await asyncio.to_thread(site.postbox.token, member.email, 3)
        body = {"token": reset, "new_password": "Another horse 8"}
        answer = await site.post("/auth/reset-password", body)
    assert answer.status_code == 200, answer.text
    assert await used(site, token) == (400, "bad_link")
    assert (await site.log_in(member.email, password="Another horse 8")).id == member.id


async def test_an_address_that_is_taken_is_refused_whenever_it_was(site: Site) -> None:
    member, other, email = await site.register(), await site.register(), new_email()
    answer = await asked(site, member, other.email, name="Mallory")
    assert (answer.status_code, code(answer)) == (409, "email_taken")
    assert (await site.ask("GET", "/users/me", member.access)).json()["name"] != "Mallory"
    token = await link_to(site, member, email)
    await site.register(email=email)
    assert await used(site, token) == (409, "email_taken")
    assert (await site.log_in(member.email)).id == member.id


async def test_an_address_is_changed_only_by_who_knows_the_password(site: Site) -> None:
    member, email = await site.register(), new_email()
    answer = await asked(site, member, email, current_password="Wrong horse 7")
    assert (answer.status_code, code(answer)) == (403, "wrong_password")
    answer = await asked(site, member, member.email.upper())
    assert answer.status_code == 200
    waiting = await site.stored('SELECT "to", kind FROM mails WHERE user_id = :u', u=member.id)
    assert [tuple(row) for row in waiting] == [(member.email, "verify")]


# Everything, to take away


async def test_an_export_holds_everything_with_every_keystroke(site: Site) -> None:
    visitor = await site.guest("ab ab")
    member = await site.register(visitor.token)
    async with site.socket(member.access) as socket:
        second = await type_text(socket, "cd")
    answer = await site.ask("GET", "/users/me/export", member.access)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    everything = answer.json()
    tables = {"logins", "key_stats", "key_confusions", "races", "collections"}
    tables |= {"collection_texts", "subscriptions", "payments"}
    assert set(everything) == {"profile", "attempts", *tables}
    assert everything["profile"]["email"] == member.email
    assert len(everything["logins"]) == 1
    assert {row["key"] for row in everything["key_stats"]} >= {"a", "b", "c", "d"}
    first, last = everything["attempts"]
    assert (first["id"], last["id"]) == (visitor.attempt, second)
    assert (first["text"], first["state"]) == ("ab ab", "finished")
    assert first["wpm"] == pytest.approx(visitor.result["wpm"], abs=0.01)
    assert first["finished_at"] == visitor.result["finished_at"]
    typed = [key for batch in first["keystrokes"] for _, key in batch["events"]]
    assert "".join(typed) == "ab ab"
    assert "argon2" not in answer.text


async def test_an_export_holds_what_is_typed_just_now(site: Site) -> None:
    async with guest(site.process.ws_url) as visitor:
        await visitor.begin("abcdef")
        await visitor.typed("abc")
        everything = (await site.ask("GET", "/users/me/export", visitor.token)).json()
        (attempt,) = everything["attempts"]
        (batch,) = attempt["keystrokes"]
        assert (attempt["state"], batch["seq"]) == ("running", 1)
        assert batch["events"] == [[0, "a"], [0, "b"], [0, "c"]]


async def test_an_export_of_more_than_one_portion_is_whole_and_in_order(site: Site) -> None:
    visitor = await site.guest("ab")
    ids = [f"attempt {number:04d}" for number in range(120)]
    for number, attempt in enumerate(ids):
        await site.change(
            "INSERT INTO attempts (id, user_id, state, epoch, source, category, rule, layout, "
            "text, opened_at_ms, outage_ms, got) SELECT :attempt, user_id, 'abandoned', 1, source, "
            "category, rule, layout, text, :opened, 0, FALSE FROM attempts WHERE id = :model",
            attempt=attempt,
            opened=number // 3,
            model=visitor.attempt,
        )
    everything = (await site.ask("GET", "/users/me/export", visitor.token)).json()
    assert [attempt["id"] for attempt in everything["attempts"]] == [*ids, visitor.attempt]


# The way out


async def left_of(site: Site, user_id: str) -> dict[str, int]:
    left = {}
    for table, column in TABLES.items():
        query = f"SELECT count(*) FROM {table} WHERE {column} = :user"
        ((left[table],),) = await site.stored(query, user=user_id)
    return {table: count for table, count in left.items() if count}


async def test_nothing_is_left_of_who_deletes_the_account(site: Site) -> None:
    visitor = await site.guest("ab ab")
    member = await site.register(visitor.token)
    bystander = await site.register((await site.guest("ab ab")).token)
    theirs = await left_of(site, bystander.id)
    async with site.socket(member.access) as socket:
        await type_text(socket, "cd")
        body = {"password": PASSWORD}
        answer = await site.ask("DELETE", "/users/me", member.access, json=body)
        assert (answer.status_code, answer.content) == (204, b"")
        assert await socket.closed(within_s=5) == 4506
    assert await left_of(site, member.id) == {}
    for query in (
        "SELECT 1 FROM journal WHERE attempt_id NOT IN (SELECT id FROM attempts)",
        "SELECT 1 FROM refresh_tokens WHERE login_id NOT IN (SELECT id FROM logins)",
    ):
        assert await site.stored(query) == []
    assert not await site.is_good(member.access)
    assert await site.hello_code(member.access) == 4003
    assert (await site.post("/auth/refresh", {"refresh_token": member.refresh})).status_code == 401
    login = {"email": member.email, "password": PASSWORD}
    assert (await site.post("/auth/login", login)).status_code == 401
    assert await left_of(site, bystander.id) == theirs
    assert (await site.register(email=member.email)).id != member.id


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "invalid"),
        ({"password": None}, 422, "invalid"),
        ({"password": "Wrong horse 7"}, 403, "wrong_password"),
        ({"password": ""}, 403, "wrong_password"),
    ],
)
async def test_an_account_is_deleted_only_with_its_password(
    site: Site, body: dict[str, Any], status: int, said: str
) -> None:
    member = await site.register()
    answer = await site.ask("DELETE", "/users/me", member.access, json=body)
    assert (answer.status_code, code(answer)) == (status, said)
    assert await site.is_good(member.access)


async def test_a_guest_may_go_without_a_password(site: Site) -> None:
    async with guest(site.process.ws_url) as visitor:
        await visitor.begin()
        await visitor.typed("the")
        answer = await site.ask("DELETE", "/users/me", visitor.token, json={})
        assert answer.status_code == 204
        assert await visitor.closed(within_s=5) == 4003
    assert await left_of(site, visitor.welcome["user"]["id"]) == {}
    for (batches,) in await site.stored("SELECT batches FROM commits"):
        assert visitor.attempt.encode() not in bytes(batches)
