"""Collections of texts of one's own: kept, changed, read, found, and typed."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from secrets import compare_digest
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.collection import CHARS_MAX, NewText, Visibility, may_read, search_words
from server.db.collection_tables import CollectionRow
from server.db.database import Database
from server.db.queries import Person, keep_guest, users

_tables = CollectionRow.metadata.tables
collections = _tables["collections"]
collection_texts = _tables["collection_texts"]
collection_words = _tables["collection_words"]

EXPORT_ROWS = 50
LAST_CHARACTER = "\U0010ffff"
SEARCHED = ("name", "description", "tags", "visibility")


class NoRoom(Exception):
    """There are as many as there may be; `what` is collections, texts or chars."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


# Collections

_seen = select(collections, users.c.name.label("owner"), users.c.disabled_at_ms).select_from(
    collections.join(users, users.c.id == collections.c.user_id)
)


async def list_own(database: Database, user_id: str) -> Sequence[RowMapping]:
    """A person's collections, the newest first."""
    question = _seen.where(collections.c.user_id == user_id).order_by(
        collections.c.created_at_ms.desc(), collections.c.id.desc()
    )
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().all()


async def find_collection(
    database: Database, collection_id: str, user_id: str | None, secret: str | None
) -> RowMapping | None:
    """A collection with its `owner`, if this person may read it."""
    async with database.read() as connection:
        found = await connection.execute(_seen.where(collections.c.id == collection_id))
        row = found.mappings().one_or_none()
    knows = row is not None and _same(secret, row["secret"])
    return row if row is not None and _readable(row, user_id, knows) else None


def _same(secret: str | None, known: str | None) -> bool:
    return bool(secret and known) and compare_digest(str(secret).encode(), str(known).encode())


def _readable(row: RowMapping, user_id: str | None, knows_secret: bool) -> bool:
    mine: bool = row["user_id"] == user_id
    if row["disabled_at_ms"] is not None and not mine:
        return False
    return may_read(row["visibility"], mine, knows_secret)


async def create_collection(
    database: Database, person: Person, new: Mapping[str, Any], most: int, now_ms: int
) -> RowMapping:
    """Keep a new collection of somebody who has less than `most`. Raises NoRoom."""
    row = {
        "id": str(uuid4()),
        "user_id": person.id,
        "texts": 0,
        "chars": 0,
        "created_at_ms": now_ms,
        "updated_at_ms": now_ms,
        "published_at_ms": now_ms if new["visibility"] == Visibility.PUBLIC else None,
        **new,
    }
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        count, _ = await _lock_owner(connection, person.id)
        if count >= most:
            raise NoRoom("collections")
        await connection.execute(insert(collections).values(row))
        await _index(connection, row)
        return await _one(connection, row["id"])


async def _one(connection: AsyncConnection, collection_id: str) -> RowMapping:
    found = await connection.execute(_seen.where(collections.c.id == collection_id))
    row: RowMapping = found.mappings().one()
    return row


async def _lock_owner(connection: AsyncConnection, user_id: str) -> tuple[int, int]:
    """How many collections somebody has and the characters in them; nobody adds any meanwhile."""
    lock = select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
    await connection.execute(lock)
    counted = select(func.count(), func.coalesce(func.sum(collections.c.chars), 0))
    found = await connection.execute(counted.where(collections.c.user_id == user_id))
    count, chars = found.one()
    return int(count), int(chars)


async def _lock_own(
    connection: AsyncConnection, user_id: str, collection_id: str
) -> RowMapping | None:
    lock = (
        select(collections)
        .where(collections.c.id == collection_id, collections.c.user_id == user_id)
        .with_for_update(key_share=True)
    )
    row: RowMapping | None = (await connection.execute(lock)).mappings().one_or_none()
    return row


async def change_collection(
    database: Database, user_id: str, collection_id: str, changes: Mapping[str, Any], now_ms: int
) -> RowMapping | None:
    """Set these columns; None if the person has no such collection."""
    async with database.write() as connection:
        before = await _lock_own(connection, user_id, collection_id)
        if before is None:
            return None
        row = {**before, **changes, "updated_at_ms": now_ms}
        if row["visibility"] == Visibility.PUBLIC and row["published_at_ms"] is None:
            row["published_at_ms"] = now_ms
        await connection.execute(
            update(collections).where(collections.c.id == collection_id).values(row)
        )
        if any(row[name] != before[name] for name in SEARCHED):
            await _index(connection, row)
        return await _one(connection, collection_id)


async def _index(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Let a public collection be found by its words, and no other."""
    forget = delete(collection_words).where(collection_words.c.collection_id == row["id"])
    await connection.execute(forget)
    words: Iterable[str] = ()
    if row["visibility"] == Visibility.PUBLIC:
        words = sorted(search_words(row["name"], row["description"], *row["tags"]))
    rows = [{"word": word, "collection_id": row["id"]} for word in words]
    if rows:
        await connection.execute(insert(collection_words), rows)


async def delete_collection(database: Database, user_id: str, collection_id: str) -> bool:
    """Whether it was there. What was typed of it stays."""
    async with database.write() as connection:
        gone = await connection.execute(
            delete(collections)
            .where(collections.c.id == collection_id, collections.c.user_id == user_id)
            .returning(collections.c.id)
        )
        return gone.scalar_one_or_none() is not None


async def move_collections(connection: AsyncConnection, from_id: str, to_id: str) -> None:
    """Give a person the collections of another, even if they have more than they may add."""
    await connection.execute(
        update(collections).where(collections.c.user_id == from_id).values(user_id=to_id)
    )


async def search_collections(
    database: Database,
    words: Iterable[str],
    language: str | None,
    before: tuple[int, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Public collections that have a word beginning with each of these, the newest first."""
    question = _seen.where(
        collections.c.visibility == Visibility.PUBLIC.value, users.c.disabled_at_ms.is_(None)
    )
    if language is not None:
        question = question.where(collections.c.language == language)
    for word in words:
        named = select(collection_words.c.collection_id).where(
            collection_words.c.word >= word, collection_words.c.word < word + LAST_CHARACTER
        )
        question = question.where(collections.c.id.in_(named))
    order = tuple_(collections.c.published_at_ms, collections.c.id)
    if before is not None:
        question = question.where(order < tuple_(*before))
    question = question.order_by(
        collections.c.published_at_ms.desc(), collections.c.id.desc()
    ).limit(limit)
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().all()


# Texts

_texts = select(collection_texts).where(
    collection_texts.c.collection_id == bindparam("collection"),
    collection_texts.c.n > bindparam("after"),
)
_text = (
    select(
        collection_texts,
        collections.c.user_id,
        collections.c.name.label("collection"),
        collections.c.language,
        collections.c.visibility,
        users.c.disabled_at_ms,
    )
    .select_from(
        collection_texts.join(
            collections, collections.c.id == collection_texts.c.collection_id
        ).join(users, users.c.id == collections.c.user_id)
    )
    .where(collection_texts.c.id == bindparam("text"))
)


async def list_collection_texts(
    database: Database, collection_id: str, after: int, limit: int
) -> Sequence[RowMapping]:
    """Texts of a collection in the order in which they were put there, after number `after`."""
    question = _texts.order_by(collection_texts.c.n).limit(limit)
    async with database.read() as connection:
        asked = {"collection": collection_id, "after": after}
        return (await connection.execute(question, asked)).mappings().all()


async def find_collection_text(
    database: Database, text_id: str, user_id: str | None
) -> RowMapping | None:
    """A text with its collection's name, language and visibility, if this person may read it.

    Where a collection has a link, its texts' ids are as secret as the link.
    """
    async with database.read() as connection:
        row = (await connection.execute(_text, {"text": text_id})).mappings().one_or_none()
    return row if row is not None and _readable(row, user_id, knows_secret=True) else None


async def add_texts(
    database: Database,
    user_id: str,
    collection_id: str,
    new: Sequence[NewText],
    most: int,
    now_ms: int,
) -> Sequence[RowMapping] | None:
    """Put texts into a person's collection, all or none; None if it is not there.

    Raises NoRoom if there were more than `most` in it, or too much in all.
    """
    async with database.write() as connection:
        _, chars = await _lock_owner(connection, user_id)
        row = await _lock_own(connection, user_id, collection_id)
        if row is None:
            return None
        added = sum(len(one.text) for one in new)
        if row["texts"] + len(new) > most:
            raise NoRoom("texts")
        if chars + added > CHARS_MAX:
            raise NoRoom("chars")
        last = select(func.coalesce(func.max(collection_texts.c.n), 0)).where(
            collection_texts.c.collection_id == collection_id
        )
        n = int((await connection.execute(last)).scalar_one())
        rows = [_row(one, collection_id, n + 1 + i, now_ms) for i, one in enumerate(new)]
        if rows:
            await connection.execute(insert(collection_texts), rows)
            await _count(connection, collection_id, len(rows), added, now_ms)
        stored = await connection.execute(_texts, {"collection": collection_id, "after": n})
        return stored.mappings().all()


def _row(new: NewText, collection_id: str, n: int, now_ms: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "collection_id": collection_id,
        "n": n,
        "title": new.title,
        "text": new.text,
        "length": new.length,
        "tags": list(new.tags),
        "created_at_ms": now_ms,
        "updated_at_ms": now_ms,
    }


async def _count(
    connection: AsyncConnection, collection_id: str, texts: int, chars: int, now_ms: int
) -> None:
    await connection.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(
            texts=collections.c.texts + texts,
            chars=collections.c.chars + chars,
            updated_at_ms=now_ms,
        )
    )


async def change_text(
    database: Database, user_id: str, text_id: str, changes: Mapping[str, Any], now_ms: int
) -> RowMapping | None:
    """Set these columns; None if the person has no such text. Raises NoRoom.

    Other words are another text, with an id of its own: no best of the old one is one of the new.
    """
    async with database.write() as connection:
        _, chars = await _lock_owner(connection, user_id)
        before = await _own_text(connection, user_id, text_id)
        if before is None:
            return None
        row = {**changes, "updated_at_ms": now_ms}
        added = 0
        if row.get("text", before["text"]) != before["text"]:
            added = len(row["text"]) - len(before["text"])
            if added > 0 and chars + added > CHARS_MAX:
                raise NoRoom("chars")
            row["id"] = str(uuid4())
        changed = await connection.execute(
            update(collection_texts)
            .where(collection_texts.c.id == text_id)
            .values(row)
            .returning(collection_texts)
        )
        stored: RowMapping = changed.mappings().one()
        await _count(connection, before["collection_id"], 0, added, now_ms)
        return stored


async def _own_text(connection: AsyncConnection, user_id: str, text_id: str) -> RowMapping | None:
    """A text of this person's; its collection is locked."""
    of = select(collection_texts.c.collection_id).where(collection_texts.c.id == text_id)
    collection_id = (await connection.execute(of)).scalar_one_or_none()
    if collection_id is None or await _lock_own(connection, user_id, collection_id) is None:
        return None
    found = await connection.execute(
        select(collection_texts).where(collection_texts.c.id == text_id)
    )
    row: RowMapping | None = found.mappings().one_or_none()
    return row


async def delete_text(database: Database, user_id: str, text_id: str, now_ms: int) -> bool:
    """Whether it was there. What was typed of it stays."""
    async with database.write() as connection:
        row = await _own_text(connection, user_id, text_id)
        if row is None:
            return False
        await connection.execute(delete(collection_texts).where(collection_texts.c.id == text_id))
        await _count(connection, row["collection_id"], -1, -len(row["text"]), now_ms)
        return True


async def export_texts(database: Database, user_id: str) -> AsyncIterator[RowMapping]:
    """Every text of a person's collections, a few read at a time."""
    for collection in await list_own(database, user_id):
        after = 0
        while rows := await list_collection_texts(database, collection["id"], after, EXPORT_ROWS):
            for row in rows:
                yield row
            after = rows[-1]["n"]
