"""Histories brought along: looked at, stored once, and nowhere but where they belong."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from server.api.imports import AT_ONCE, AT_ONCE_OF_ONE
from server.core.source import Source, SourceKind
from server.db.queries import Person
from tests.api.people import PASSWORD, Site, code
from tests.api.typed import Api, opened_api, token
from tests.conftest import MakeServer
from tests.db.stored import person
from tests.imports.exports import (
    AT_MS,
    browser,
    browser_entry,
    keybr,
    keybr_entry,
    monkeytype,
    monkeytype_row,
    typeracer,
)
from tests.processes import ServerProcess

FILE = monkeytype(
    monkeytype_row(),
    monkeytype_row(wpm="fast"),
    monkeytype_row(wpm="81.5", acc="98.2", timestamp=AT_MS + 86_400_000),
)
LESSONS = keybr(
    *(keybr_entry(timeStamp=AT_MS + 60_000 * place, layout="us") for place in range(3)),
    keybr_entry(timeStamp=AT_MS + 900_000, layout="he-il"),
)


async def bring(
    api: Api, who: Person, file: bytes, preview: bool = False, encoding: str = ""
) -> httpx.Response:
    return await api.client.post(
        "/imports",
        params={"preview": preview},
        content=file,
        headers={"Authorization": f"Bearer {token(who)}", "Content-Encoding": encoding},
    )


async def brought(api: Api, who: Person, file: bytes, preview: bool = False) -> Any:
    answer = await bring(api, who, file, preview)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def everything(api: Api, who: Person) -> list[Any]:
    """All that can be asked about somebody's history."""
    paths = ("/users/me/progress", "/progress/charts", "/progress/stats", "/key-stats")
    return [await api.ask(path, who) for path in paths]


async def test_a_look_tells_everything_and_changes_nothing(api: Api) -> None:
    who = person()
    before = await everything(api, who)
    report = await brought(api, who, FILE, preview=True)
    assert report["imported_from"] == "monkeytype"
    assert (report["rows"], report["good"], report["bad"]) == (3, 2, 1)
    assert (report["new"], report["known"]) == (2, 0)
    assert (report["first_at"], report["last_at"]) == (AT_MS, AT_MS + 86_400_000)
    assert (report["duration_ms"], report["chars"], report["errors"]) == (120_040, 722, 14)
    assert (report["wpm"], report["best_wpm"], report["accuracy"]) == (76.38, 81.5, 0.9731)
    assert report["bad_rows"] == [{"row": 3, "code": "number", "field": "wpm"}]
    assert report["chart"] == [
        {"date": "2023-11-14", "attempts": 1, "wpm": 71.25, "accuracy": 0.9643},
        {"date": "2023-11-15", "attempts": 1, "wpm": 81.5, "accuracy": 0.982},
    ]
    assert [row["finished_at"] for row in report["first"]] == [AT_MS, AT_MS + 86_400_000]
    assert await everything(api, who) == before


async def test_what_was_brought_is_in_history_marked_and_never_ranked(api: Api) -> None:
    who = person()
    sixty = Source(SourceKind.TIME, language="en", seconds=60)
    assert (await brought(api, who, FILE))["new"] == 2
    history = await api.ask("/users/me/progress", who)
    assert history["total"] == 2
    newest = history["results"][0]
    assert (newest["wpm"], newest["accuracy"], newest["finished_at"]) == (
        81.5,
        0.982,
        AT_MS + 86_400_000,
    )
    assert newest["self_reported"] is True
    assert newest["imported_from"] == "monkeytype"
    assert newest["source"] == sixty.public()
    assert newest["why"] == [{"rule": "self_reported", "value": 1, "limit": 0}]
    assert (newest["verdict"], newest["scorer"], newest["personal_best"]) == (
        "unranked",
        None,
        None,
    )
    assert await api.ask(f"/attempts/{newest['id']}", who) == newest
    assert (await api.get(f"/attempts/{newest['id']}/replay", who)).status_code == 404
    charts = await api.ask("/progress/charts", who)
    assert [day["attempts"] for day in charts["days"]] == [1, 1]
    assert charts["bests"] == []
    assert (await api.ask("/progress/stats", who))["best_wpm"] in (None, 0)
    board = await api.ask("/leaderboards/time:60", who, language="en")
    assert who.id not in json.dumps(board)


async def test_the_same_file_twice_and_overlapping_ones_add_nothing_twice(api: Api) -> None:
    who = person()
    rows = [monkeytype_row(timestamp=AT_MS + 1_000 * place) for place in range(10)]
    first, second = monkeytype(*rows[:6]), monkeytype(*rows[4:], rows[0], rows[0])
    assert (await brought(api, who, first))["new"] == 6
    history = await everything(api, who)
    again = await brought(api, who, first)
    assert (again["good"], again["new"], again["known"]) == (6, 0, 6)
    assert await everything(api, who) == history
    # As often as a result stands in one file, so often it is kept.
    assert (await brought(api, who, second))["new"] == 5
    assert (await brought(api, who, second, preview=True))["new"] == 0
    assert (await api.ask("/users/me/progress", who))["total"] == 11
    # Another person's file is that person's.
    assert (await brought(api, person(), first))["new"] == 6


async def test_two_at_once_bring_it_once(api: Api) -> None:
    who = person()
    reports = await asyncio.gather(*(brought(api, who, LESSONS) for _ in range(2)))
    assert sorted(report["new"] for report in reports) == [0, 4]
    assert (await api.ask("/users/me/progress", who))["total"] == 4
    assert (await api.ask("/key-stats", who))["keys"]["e"]["presses"] == 36


@asynccontextmanager
async def being_read(server: ServerProcess, whose: str) -> AsyncIterator[None]:
    """A file that the server has begun to read; it ends with the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        *("POST /api/v1/imports HTTP/1.1", "Host: typing.example", "Connection: close"),
        f"Authorization: Bearer {whose}",
        *(f"Content-Length: {len(FILE)}", "Expect: 100-continue"),
    )
    writer.write("\r\n".join((*head, "", "")).encode())
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    yield
    writer.write(FILE)
    assert b" 200 " in await reader.readline()
    writer.close()


async def test_who_comes_while_too_many_are_read_loses_no_try(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, environment={"IMPORTS_PER_HOUR": "1"})
    await server.start()
    who = person()
    async with opened_api(server, sqlite_url) as api:
        async with AsyncExitStack() as others:
            for _ in range(AT_ONCE):
                await others.enter_async_context(being_read(server, token(person())))
            busy = await bring(api, who, FILE)
            assert (busy.status_code, code(busy)) == (503, "busy")
            assert busy.headers["retry-after"] == "5"
        assert (await brought(api, who, FILE))["new"] == 2
        assert code(await bring(api, who, FILE)) == "rate"


async def test_nobody_brings_along_more_than_there_is_room_for(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(
        sqlite_url,
        module="tests.impatient_server",
        environment={"CONSTANTS": "server.api.imports.RESULTS_MAX=3"},
    )
    await server.start()
    who = person()
    async with opened_api(server, sqlite_url) as api:
        assert (await brought(api, who, FILE))["new"] == 2
        for preview in (True, False):
            full = await bring(api, who, LESSONS, preview=preview)
            assert (full.status_code, code(full)) == (409, "no_room")
        assert (await brought(api, who, FILE))["known"] == 2
        assert (await api.ask("/users/me/progress", who))["total"] == 2


async def test_one_person_leaves_room_for_others(make_server: MakeServer, sqlite_url: str) -> None:
    server = make_server(sqlite_url)
    await server.start()
    who, other = person(), person()
    async with opened_api(server, sqlite_url) as api:
        async with AsyncExitStack() as files:
            for _ in range(AT_ONCE_OF_ONE):
                await files.enter_async_context(being_read(server, token(who)))
            assert code(await bring(api, who, FILE)) == "busy"
            assert (await brought(api, other, FILE))["new"] == 2
        assert (await brought(api, who, FILE))["known"] == 2


async def test_what_keybr_counted_of_keys_is_counted(api: Api) -> None:
    who = person()
    report = await brought(api, who, LESSONS)
    assert report["key_presses"] == 100
    ever = await api.ask("/key-stats", who)
    # The fourth lesson's layout is none we know: what it says stays with it alone.
    assert ever["keys"]["e"] == {
        "presses": 36, "errors": 6, "error_rate": 0.1667, "latency_ms": 300.0, "confusions": {},
    }  # fmt: skip
    assert ever["keys"]["n"]["latency_ms"] is None
    assert (await api.ask("/key-stats", who, language="en", layout="qwerty"))["keys"] == ever[
        "keys"
    ]
    some = await api.ask("/key-stats", who, from_day="2023-11-14", to_day="2023-11-15")
    assert (some["attempts"], some["attempts_counted"]) == (4, 4)
    assert some["keys"]["e"]["presses"] == 48
    weak = await api.post("/ai/weak-keys-analysis", {"min_error_rate": 0.05}, who)
    assert [key["key"] for key in weak.json()["weak_keys"]] == ["e"]


async def test_an_answer_that_was_kept_is_old_at_once(api: Api) -> None:
    who = await api.guest()
    tag = (await api.get("/users/me/progress", who)).headers["etag"]
    assert (await api.get("/users/me/progress", who, known=tag)).status_code == 304
    await brought(api, who, FILE, preview=True)
    assert (await api.get("/users/me/progress", who, known=tag)).status_code == 304
    await brought(api, who, FILE)
    assert (await api.get("/users/me/progress", who, known=tag)).status_code == 200


async def test_races_of_typeracer_have_no_time(api: Api) -> None:
    who = person()
    await brought(api, who, typeracer("1,71.5,0.97,2,5,3550137,2023-11-14 22:13:20"))
    [race] = (await api.ask("/users/me/progress", who))["results"]
    assert (race["wpm"], race["duration_ms"], race["imported_from"]) == (71.5, 0, "typeracer")


# Refusals


@pytest.mark.parametrize("preview", [True, False])
async def test_what_is_no_export_is_refused_and_stores_nothing(api: Api, preview: bool) -> None:
    who = person()
    answer = await bring(api, who, b"a,b\n1,2\n" * 50_000, preview)
    assert (answer.status_code, code(answer)) == (422, "unknown_format")
    assert (await api.ask("/users/me/progress", who))["total"] == 0


async def test_a_file_of_20_mb_is_read_and_a_byte_more_is_not(api: Api) -> None:
    who = person()
    whole = FILE + b"\n" * (20_000_000 - len(FILE))
    assert (await brought(api, who, whole, preview=True))["good"] == 2
    answer = await bring(api, who, whole + b"\n")
    assert (answer.status_code, code(answer)) == (413, "too_large")
    packed = await bring(api, who, FILE, encoding="gzip")
    assert (packed.status_code, code(packed)) == (415, "unsupported_media_type")
    assert (await api.ask("/users/me/progress", who))["total"] == 0


async def test_other_bodies_keep_their_limit(api: Api) -> None:
    body = {
        "wpm": 50,
        "accuracy": 1,
        "errors": 0,
        "duration_ms": 1,
        "text_preview": "x" * 1_048_576,
    }
    answer = await api.post("/progress", body, person())
    assert (answer.status_code, code(answer)) == (413, "too_large")


# What the first version left in the browser


@pytest.mark.parametrize("prefix", ["typing_trainer_", ""])
async def test_the_old_storage_moves_in_once(api: Api, prefix: str) -> None:
    who = person()
    entries = [browser_entry(timestamp=AT_MS + 1_000 * place) for place in range(3)]
    storage = browser(*entries, {"wpm": 5}, prefix=prefix)
    answer = await api.post("/users/migrate-from-localstorage", storage, who)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["status"], said["message"]) == ("success", "Data migrated successfully")
    assert said["migrated_items"] == 3
    assert said["report"]["bad_rows"] == [{"row": 4, "code": "missing", "field": "timestamp"}]
    history = await api.ask("/users/me/progress", who, lesson_id="migrated_lesson_medium")
    assert history["total"] == 3
    assert history["results"][0]["text_preview"] == "быстрая коричневая лиса"
    again = await api.post("/users/migrate-from-localstorage", storage, who)
    assert again.json()["migrated_items"] == 0


async def settings_of(api: Api, who: Person) -> dict[str, Any]:
    settings = (await api.ask("/users/me", who))["settings"]
    return {name: value for name, value in settings.items() if value is not None}


OLD_SETTINGS = {
    "theme": "dark",
    "language": "klingon",
    "layout": "dvorak",
    "goals": {"wpm": 60},
    "soundEnabled": False,
    "shape": "iso",
}


@pytest.mark.parametrize("prefix", ["typing_trainer_", ""])
@pytest.mark.parametrize("last", [True, False])
async def test_old_settings_fill_what_is_not_chosen(api: Api, prefix: str, last: bool) -> None:
    who = person()
    await api.patch("/users/me", {"settings": {"layout": "colemak"}}, who)
    storage = browser(browser_entry(), prefix=prefix) | {f"{prefix}user_settings": OLD_SETTINGS}
    if not last:
        storage = dict(reversed(storage.items()))
    file = json.dumps(storage).encode()
    kept = {"theme": "dark", "goals": {"wpm": 60, "accuracy": None, "minutes_a_day": None}}
    for preview, before in ((True, {"layout": "colemak"}), (False, {"layout": "colemak"})):
        assert await settings_of(api, who) == before
        said = (await brought(api, who, file, preview))["settings"]
        assert said == {"theme": "dark", "language": None, "layout": None, "goals": kept["goals"]}
    assert await settings_of(api, who) == {"layout": "colemak", **kept}
    again = await api.post("/users/migrate-from-localstorage", storage, who)
    assert set(again.json()["report"]["settings"].values()) == {None}


@pytest.mark.parametrize(
    "storage", [{}, {"typing_trainer_current_level": "hard"}, {"test_history": []}]
)
async def test_an_empty_storage_is_no_error(api: Api, storage: Any) -> None:
    answer = await api.post("/users/migrate-from-localstorage", storage, person())
    assert (answer.status_code, answer.json()["migrated_items"]) == (200, 0)


async def test_what_is_no_storage_is_refused(api: Api) -> None:
    headers = {"Authorization": f"Bearer {token(person())}"}
    for body in (b"", b"{", b"[]", b"wpm", FILE, keybr(keybr_entry())):
        answer = await api.client.post(
            "/users/migrate-from-localstorage",
            content=body,
            headers={**headers, "Content-Type": "application/json"},
        )
        assert (answer.status_code, code(answer)) == (400, "bad_json"), body
    answer = await api.client.post(
        "/users/migrate-from-localstorage", content=b"{}", headers=headers
    )
    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


# With the person it comes and goes


async def test_a_guests_results_move_to_the_account_once(site: Site) -> None:
    member, guest = await site.register(), await site.guest("ab")

    async def bring(access: str, file: bytes) -> int:
        answer = await site.ask("POST", "/imports", access, content=file)
        new: int = answer.json()["new"]
        return new

    more = keybr(keybr_entry(timeStamp=AT_MS + 5_000_000))
    assert await bring(member.access, LESSONS) == 4
    assert await bring(guest.token, LESSONS) == 4
    assert await bring(guest.token, more) == 1
    credentials = {"email": member.email, "password": PASSWORD, "refresh": "body"}
    await site.post("/auth/login", credentials, guest.token)
    history = await site.ask("GET", "/users/me/progress", member.access)
    assert history.json()["total"] == 6  # with what the guest typed
    stats = await site.ask("GET", "/key-stats?layout=qwerty", member.access)
    assert stats.json()["keys"]["e"]["presses"] == 48
    for file in (LESSONS, more):
        assert await bring(member.access, file) == 0


async def test_the_export_has_them_and_a_deletion_takes_them(site: Site) -> None:
    guest = await site.guest("ab")
    await site.ask("POST", "/imports", guest.token, content=LESSONS)
    export = await site.ask("GET", "/users/me/export", guest.token)
    froms = [attempt["imported_from"] for attempt in export.json()["attempts"]]
    assert sorted(froms, key=str) == [None, *["keybr"] * 4]
    await site.ask("DELETE", "/users/me", guest.token, json={})
    left = await site.stored("SELECT id FROM attempts WHERE user_id = :id", id=guest.id)
    assert left == []
