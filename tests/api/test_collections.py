"""Collections of texts of one's own: kept, read by whom they are for, found, imported, typed."""

import asyncio
import json
import uuid
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.core.source import Source, SourceKind
from server.db.queries import Person
from server.db.race_lookup import find_ghosts
from tests.api.people import PASSWORD, Member, Site, code
from tests.api.typed import NOBODY, Api, token
from tests.live.guest import guest, new_id
from tests.live.racer import racer
from tests.raw_client import raw_client

TEXT = "ab ab"


async def begin(site: Site, token: str, **fields: Any) -> Any:
    answer = await site.post("/collections", {"name": "Mine", **fields}, token)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def put(site: Site, token: str, collection: str, text: str = TEXT, **fields: Any) -> Any:
    body = {"text": text, **fields}
    answer = await site.post(f"/collections/{collection}/texts", body, token)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(site: Site, token: str, path: str, **fields: Any) -> Any:
    answer = await site.ask("PATCH", path, token, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def get(site: Site, path: str, token: str | None = None) -> Any:
    answer = await site.ask("GET", path, token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def opened(site: Site, token: str | None, text: str) -> str | None:
    """What is typed by somebody who asks for that text over the wire; None if it is not there."""
    async with raw_client(site.process.ws_url) as person:
        await person.hello(token)
        source = {"kind": "text", "text": text}
        await person.send(type="open", id=1, attempt=new_id(), source=source)
        answer = await person.receive()
        if answer["type"] == "error":
            assert answer["code"] == "not_found"
            return None
        found: str = answer["text"]
        return found


async def test_the_life_of_a_collection(site: Site) -> None:
    me = await site.register(name="Ann")
    made = await begin(site, me.access, name=" Sea  songs ", tags=["Sea", "sea"], language="en")
    assert (made["name"], made["tags"], made["texts"]) == ("Sea songs", ["sea"], 0)
    assert (made["visibility"], made["key"], made["mine"]) == ("private", None, True)
    assert made["owner"] == "Ann"
    path = f"/collections/{made['id']}"
    first = await put(site, me.access, made["id"], "Way — hay…", title="One", tags=["x"])
    second = await put(site, me.access, made["id"], "привет\r\nмир")
    assert (first["preview"], first["length"], first["n"]) == ("Way — hay...", 12, 1)

    assert (await get(site, f"{path}/texts?limit=1", me.access)) == {"results": [first], "next": 1}
    page = await get(site, f"{path}/texts?after=1", me.access)
    assert page == {"results": [second], "next": None}
    whole = await get(site, f"/texts/{second['id']}", me.access)
    assert (whole["text"], whole["language"]) == ("привет\nмир", "en")
    assert whole["collection_name"] == "Sea songs"

    renamed = await change(site, me.access, path, name="Songs", language=None)
    assert (renamed["name"], renamed["language"], renamed["tags"]) == ("Songs", None, ["sea"])
    assert renamed["texts"] == 2
    titled = await change(site, me.access, f"/texts/{first['id']}", title="Uno")
    assert (titled["id"], titled["title"], titled["tags"]) == (first["id"], "Uno", ["x"])

    gone = await site.ask("DELETE", f"/texts/{first['id']}", me.access)
    assert gone.status_code == 204
    listed = await get(site, "/collections", me.access)
    assert [(one["id"], one["texts"]) for one in listed["results"]] == [(made["id"], 1)]
    assert (await site.ask("DELETE", path, me.access)).status_code == 204
    assert (await get(site, "/collections", me.access))["results"] == []
    for there in (path, f"{path}/texts", f"/texts/{second['id']}"):
        assert (await site.ask("GET", there, me.access)).status_code == 404
    assert (
        await site.stored("SELECT id FROM collection_texts WHERE id = :id", id=second["id"]) == []
    )


async def test_who_reads_it_may_type_it(site: Site) -> None:
    """The owner always; others by link or when it is public; nobody what is private."""
    me, other = await site.register(), await site.register()
    made = await begin(site, me.access)
    path, text = f"/collections/{made['id']}", (await put(site, me.access, made["id"]))["id"]
    key = ""

    async def seen(token: str | None) -> tuple[int, int, int, int, str | None]:
        asked = (path, f"{path}/texts", f"/texts/{text}", f"{path}?key={key}")
        answers = [(await site.ask("GET", one, token)).status_code for one in asked]
        return (*answers, await opened(site, token, text))  # type: ignore[return-value]

    everything, nothing = (200, 200, 200, 200, TEXT), (404, 404, 404, 404, None)
    for reader in (other.access, None):
        assert await seen(reader) == nothing
    assert await seen(me.access) == everything

    key = (await change(site, me.access, path, visibility="link"))["key"]
    for reader in (other.access, None):
        assert await seen(reader) == (404, 404, 200, 200, TEXT)
    by_key = await get(site, f"{path}?key={key}", other.access)
    assert (by_key["key"], by_key["mine"]) == (None, False)
    newer = (await change(site, me.access, path, new_link=True))["key"]
    assert newer != key
    assert (await site.ask("GET", f"{path}?key={key}")).status_code == 404
    key = newer

    public = await change(site, me.access, path, visibility="public")
    assert public["key"] is None
    for reader in (other.access, None):
        assert await seen(reader) == everything
    await site.disable(me.id)
    assert await seen(None) == nothing


async def test_only_the_owner_changes_it(site: Site) -> None:
    me, other = await site.register(), await site.register()
    made = await begin(site, me.access, visibility="public")
    text = (await put(site, me.access, made["id"]))["id"]
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", f"/collections/{made['id']}", {"name": "x"}),
        ("DELETE", f"/collections/{made['id']}", None),
        ("POST", f"/collections/{made['id']}/texts", {"text": "x"}),
        ("POST", f"/collections/{made['id']}/texts/import", {"csv": "text\nx"}),
        ("PATCH", f"/texts/{text}", {"title": "x"}),
        ("DELETE", f"/texts/{text}", None),
    ]
    for method, path, body in calls:
        answer = await site.ask(method, path, other.access, json=body)
        assert (answer.status_code, code(answer)) == (403, "not_yours"), path
    await change(site, me.access, f"/collections/{made['id']}", visibility="private")
    for method, path, body in calls:
        answer = await site.ask(method, path, other.access, json=body)
        assert (answer.status_code, code(answer)) == (404, "not_found"), path
    assert (await get(site, f"/texts/{text}", me.access))["text"] == TEXT


async def test_a_guests_are_private_and_move_along(site: Site) -> None:
    me = await site.register()
    own = await begin(site, me.access, name="Own")
    async with guest(site.process.ws_url) as visitor:
        for visibility in ("link", "public"):
            body = {"name": "x", "visibility": visibility}
            answer = await site.post("/collections", body, visitor.token)
            assert (answer.status_code, code(answer)) == (403, "account_required")
        made = await begin(site, visitor.token, name="Brought")
        text = await put(site, visitor.token, made["id"])
        answer = await site.ask(
            "PATCH", f"/collections/{made['id']}", visitor.token, json={"visibility": "public"}
        )
        assert code(answer) == "account_required"
        again = await site.log_in(me.email, visitor.token)
    listed = await get(site, "/collections", again.access)
    assert {one["id"] for one in listed["results"]} == {own["id"], made["id"]}
    assert await opened(site, again.access, text["id"]) == TEXT
    public = await change(site, again.access, f"/collections/{made['id']}", visibility="public")
    assert public["visibility"] == "public"


async def test_a_table_is_taken_whole_or_not_at_all(site: Site) -> None:
    me = await site.register()
    made = await begin(site, me.access)
    path = f"/collections/{made['id']}/texts"

    async def imported(csv: str, **fields: Any) -> Any:
        answer = await site.post(f"{path}/import", {"csv": csv, **fields}, me.access)
        assert answer.status_code == 200, answer.text
        return answer.json()

    report = await imported("text;title\nfine;A\n;B\nx\x01;C\n")
    assert (report["texts"], report["added"]) == (1, 0)
    assert [(one["line"], one["code"]) for one in report["problems"]] == [
        (3, "empty_text"),
        (4, "bad_text"),
    ]
    table = "text;title\n" + "".join(f"text number {n};T{n}\n" for n in range(120))
    assert await imported(table, check=True) == {"texts": 120, "added": 0, "problems": []}
    assert (await get(site, path, me.access))["results"] == []

    assert await imported(table) == {"texts": 120, "added": 120, "problems": []}
    first = await get(site, f"{path}?limit=100", me.access)
    rest = await get(site, f"{path}?limit=100&after={first['next']}", me.access)
    titles = [one["title"] for page in (first, rest) for one in page["results"]]
    assert titles == [f"T{n}" for n in range(120)]


MANY = """
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 99)
INSERT INTO collections (id, user_id, name, description, tags, visibility, texts, chars,
  created_at_ms, updated_at_ms)
SELECT :user || CAST(i AS VARCHAR), :owner, 'x', '', '[]', 'private', 0, 0, 0, 0 FROM numbers
"""


async def test_there_is_no_room_for_more_than_the_limits(site: Site) -> None:
    me = await site.register()
    made = await begin(site, me.access)
    await site.change(MANY, user=uuid.uuid4().hex[:8], owner=me.id)
    full = await site.post("/collections", {"name": "x"}, me.access)
    assert (full.status_code, code(full)) == (409, "no_room")
    path = f"/collections/{made['id']}/texts"
    of = {"id": made["id"]}
    text = await put(site, me.access, made["id"])
    # Of ten who come at once for the last place one gets it.
    await site.change("UPDATE collections SET texts = 999 WHERE id = :id", **of)
    answers = await asyncio.gather(
        *(site.post(path, {"text": str(n)}, me.access) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    await site.change("UPDATE collections SET texts = 1, chars = 4999999 WHERE id = :id", **of)
    for method, there in (("POST", path), ("PATCH", f"/texts/{text['id']}")):
        answer = await site.ask(method, there, me.access, json={"text": "eight of"})
        assert (answer.status_code, code(answer)) == (409, "no_room")
    table = {"csv": "text\na\nb\n"}
    answer = await site.post(f"{path}/import", table, me.access)
    assert (answer.status_code, code(answer)) == (409, "no_room")


@pytest.mark.parametrize(
    "body",
    [
        {"name": " "},
        {"name": "x" * 81},
        {"name": "\ufb2c" * 30},
        {"name": "x", "description": "\u0344" * 300},
        {"name": "a\u2028b\u0007"},
        {"name": "x", "tags": [str(n) for n in range(11)]},
        {"name": "x", "tags": ["a,b"]},
        {"name": "x", "visibility": "friends"},
        {"name": "x", "language": "no language"},
    ],
)
async def test_what_makes_no_collection_is_refused(sqlite_site: Site, body: Any) -> None:
    async with guest(sqlite_site.process.ws_url) as visitor:
        answer = await sqlite_site.post("/collections", body, visitor.token)
    assert (answer.status_code, code(answer)) == (422, "invalid")


async def test_public_ones_are_found_by_words_and_language(site: Site) -> None:
    me, other = await site.register(), await site.register()
    mark = uuid.uuid4().hex[:8]

    async def made(who: Member, name: str, **fields: Any) -> str:
        fields = {"visibility": "public", "language": "ru", **fields}
        found: str = (await begin(site, who.access, name=f"{name} {mark}", **fields))["id"]
        return found

    hedgehogs = await made(me, "Ёжики", tags=["Лес"], description="Для начинающих")
    trees = await made(me, "Ёлки", tags=["лес"])
    sea = await made(other, "Sea songs", language="en")
    await made(me, "Ёжики втайне", visibility="private")
    await made(me, "Ёжики по ссылке", visibility="link")

    async def found(words: str, **query: Any) -> list[str]:
        given = "".join(f"&{name}={value}" for name, value in query.items())
        page = await get(site, f"/public-collections?q={words} {mark}{given}")
        return [one["id"] for one in page["results"]]

    assert await found("") == [sea, trees, hedgehogs]
    assert await found("ежик") == [hedgehogs]
    assert await found("ЛЕС Начин") == [hedgehogs]
    assert await found("лес", language="ru") == [trees, hedgehogs]
    assert await found("", language="en") == [sea]
    assert await found("жик") == []
    await change(site, me.access, f"/collections/{hedgehogs}", name=f"Кроты {mark}", tags=[])
    assert await found("ежик") == []
    assert await found("крот") == [hedgehogs]
    await change(site, me.access, f"/collections/{trees}", visibility="private")
    assert await found("") == [sea, hedgehogs]
    await site.disable(other.id)
    assert await found("") == [hedgehogs]


async def test_what_is_found_comes_in_pages(site: Site) -> None:
    me = await site.register()
    mark = uuid.uuid4().hex[:8]
    for name in ("a", "b", "c", "d"):
        await begin(site, me.access, name=f"{name} {mark}", visibility="public")
    pages, cursor = [], ""
    while True:
        page = await get(site, f"/public-collections?q={mark}&limit=3{cursor}")
        pages.append([one["name"][0] for one in page["results"]])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == [["d", "c", "b"], ["a"]]


async def test_other_words_are_another_text_with_bests_of_its_own(site: Site) -> None:
    me = await site.register()
    made = await begin(site, me.access, visibility="public", language="en")
    words = "some words that are long enough to be ranked by anybody"
    text = await put(site, me.access, made["id"], words)

    async def typed(text_id: str, words: str) -> Any:
        async with site.socket(me.access) as person:
            source = {"kind": "text", "text": text_id}
            run = await person.open(new_id(), source=source)
            await person.send(type="keys", h=run["h"], seq=1, events=[[0, key] for key in words])
            return (await person.expect("done", skip=("ack",)))["result"]

    assert (await typed(text["id"], words))["language"] == "en"
    assert (await get(site, f"/leaderboards/text:{text['id']}"))["language"] == "en"
    same = await change(site, me.access, f"/texts/{text['id']}", text=words, title="Same")
    assert same["id"] == text["id"]
    other = await change(site, me.access, f"/texts/{text['id']}", text="ab")
    assert other["id"] != text["id"]
    assert (await site.ask("GET", f"/texts/{text['id']}", me.access)).status_code == 404
    assert (await typed(other["id"], "ab"))["personal_best"] is None
    page = await get(site, "/users/me/progress", me.access)
    assert [one["text_preview"] for one in page["results"]] == ["ab", words]

    for visibility in ("link", "private"):
        await change(site, me.access, f"/collections/{made['id']}", visibility=visibility)
        board = await site.ask("GET", f"/leaderboards/text:{other['id']}", me.access)
        assert (board.status_code, code(board)) == (404, "not_found")


async def test_all_of_it_can_be_taken_away_and_goes_with_the_person(site: Site) -> None:
    me = await site.register()
    made = await begin(site, me.access, visibility="public", tags=["x"])
    texts = [await put(site, me.access, made["id"], f"text {n}") for n in range(60)]
    export = json.loads((await site.ask("GET", "/users/me/export", me.access)).content)
    assert [one["name"] for one in export["collections"]] == ["Mine"]
    assert [one["id"] for one in export["collection_texts"]] == [one["id"] for one in texts]
    assert export["collection_texts"][0]["text"] == "text 0"
    await site.ask("DELETE", "/users/me", me.access, json={"password": PASSWORD})
    for table in ("collections", "collection_texts", "collection_words"):
        column = "id" if table == "collections" else "collection_id"
        query = f"SELECT {column} FROM {table} WHERE {column} = :id"
        assert await site.stored(query, id=made["id"]) == []


async def test_a_race_carries_a_private_text_to_all_its_racers(site: Site) -> None:
    me = await site.register()
    made = await begin(site, me.access, language="en")
    text = (await put(site, me.access, made["id"]))["id"]
    source = {"kind": "text", "text": text}
    async with AsyncExitStack() as stack:
        url = site.process.ws_url
        host = await stack.enter_async_context(racer(url, me.access))
        friend = await stack.enter_async_context(racer(url))
        refused = await friend.create(source=source)
        assert (refused["type"], refused["code"]) == ("error", "not_found")
        race = await host.create(source=source)
        await friend.ask("join", code=race["code"])
        await host.ask("start")
        for person in (host, friend):
            if "h" not in person.race:
                await person.begun()
        assert friend.race["text"] == TEXT
        for person in (host, friend):
            await person.event("go")
            await person.typed_to_the_end(TEXT)
        while "over" not in friend.names():
            await friend.take()
        # Who cannot read the text may ask for it once more, even when it is gone.
        await site.ask("DELETE", f"/collections/{made['id']}", me.access)
        again = await friend.ask("again")
        assert (again["type"], again["text_length"], again["language"]) == ("race", 5, "en")


async def test_nobody_else_is_told_whether_something_is_there(sqlite_site: Site) -> None:
    me = await sqlite_site.register()
    for path in (f"/collections/{NOBODY}", f"/texts/{NOBODY}", "/texts/en-short-nope"):
        answer = await sqlite_site.ask("GET", path, me.access)
        assert (answer.status_code, code(answer)) == (404, "not_found")
    passage = await get(sqlite_site, "/texts/en-short-001")
    assert (passage["language"], passage["collection"]) == ("en", None)


async def test_a_ghost_at_a_private_text_is_its_owners_alone(site: Site, api: Api) -> None:
    who, other = await api.guest(), await api.guest()
    made = await begin(site, token(who))
    words = "some words that are long enough to be ranked by anybody"
    text = (await put(site, token(who), made["id"], words))["id"]
    stored = await api.typed(who, words, source=Source(SourceKind.TEXT, text=text), dt_ms=150)
    ghost = stored.row["id"]

    async def found(person: Person) -> list[str]:
        return list(await find_ghosts(api.database, person.id, [ghost]))

    assert (await found(who), await found(other)) == ([ghost], [])
    publish = "UPDATE collections SET visibility = 'public' WHERE id = :id"
    await site.change(publish, id=made["id"])
    assert await found(other) == [ghost]
