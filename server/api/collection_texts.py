"""The texts of collections: one by one, or out of a table."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from server.api.collections import (
    ID,
    NO_ROOM,
    NOT_FOUND,
    NOT_YOURS,
    TAG,
    KeyQuery,
    Tags,
    no_room,
    not_yours,
    readable,
)
from server.api.endpoint import Answer, Call, Endpoint, Model, Parts, Who
from server.api.routes import not_found
from server.core.collection import (
    PREVIEW_CHARS,
    TITLE_CHARS_MAX,
    NewText,
    is_text_id,
    normal_title,
    read_table,
)
from server.core.plan import GRANTS
from server.core.text import normal_text
from server.db.collections import (
    NoRoom,
    add_texts,
    change_text,
    delete_text,
    find_collection_text,
    list_collection_texts,
)
from server.db.queries import find_text

TABLE_CHARS_MAX = 1_000_000
TEXT_CHARS_MAX = 60_000

Title = Annotated[str, Field(max_length=TITLE_CHARS_MAX), AfterValidator(normal_title)]
TypedText = Annotated[
    str, Field(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(normal_text)
]


class TextsQuery(KeyQuery):
    """`after` is the number of a text: those that were put there later follow."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class NewTextBody(Model):
    text: TypedText
    title: Title = ""
    tags: Tags = Field(default_factory=list)


class TextChange(Model):
    """Only what is given is changed."""

    text: TypedText | None = None
    title: Title | None = None
    tags: Tags | None = None


class CollectionText(Model):
    """A text as a list shows it: how it begins, and its length in characters as people count."""

    id: str
    collection: str
    n: int
    title: str
    tags: list[str]
    length: int
    preview: str
    created_at: int
    updated_at: int


class TextsAnswer(Model):
    """A page of texts in their order. `next` is `after` of the next page, null on the last."""

    results: list[CollectionText]
    next: int | None


class WholeText(Model):
    """A text that may be typed: {"kind":"text","text":<id>}. One that ships has no collection."""

    id: str
    title: str
    text: str
    language: str | None
    tags: list[str]
    collection: str | None
    collection_name: str | None


class ImportBody(Model):
    """A CSV file whose first line names its columns: text, and if wanted title and tags.

    `check` only looks: nothing is written.
    """

    csv: Annotated[str, Field(max_length=TABLE_CHARS_MAX)]
    check: bool = False


class RowProblem(Model):
    """Why a row cannot be taken. `line` is where it begins; the first line is number 1.

    Codes: header, columns, quotes, empty_text, bad_text, title_too_long, bad_characters, bad_tag,
    too_many_tags, too_many_rows.
    """

    line: int
    code: str
    message: str


class ImportAnswer(Model):
    """Of `texts` in the file all were added, or none: `problems` says why, 100 at most."""

    texts: int
    added: int
    problems: list[RowProblem]


async def texts(parts: Parts, call: Call) -> TextsAnswer:
    query: TextsQuery = call.query
    row = await readable(parts, call)
    rows = await list_collection_texts(parts.database, row["id"], query.after, query.limit + 1)
    page = rows[: query.limit]
    return TextsAnswer(
        results=[_listed(row) for row in page],
        next=page[-1]["n"] if len(rows) > query.limit else None,
    )


def _listed(row: Mapping[Any, Any]) -> CollectionText:
    return CollectionText(
        id=row["id"],
        collection=row["collection_id"],
        n=row["n"],
        title=row["title"],
        tags=row["tags"],
        length=row["length"],
        preview=row["text"][:PREVIEW_CHARS],
        created_at=row["created_at_ms"],
        updated_at=row["updated_at_ms"],
    )


async def add(parts: Parts, call: Call) -> Answer:
    body: NewTextBody = call.body
    new = NewText.of(body.title, body.text, body.tags)
    (row,) = await _added(parts, call, [new])
    return Answer(_listed(row), 201)


async def import_table(parts: Parts, call: Call) -> ImportAnswer:
    """Every row is checked before any is written: all are added, or none."""
    body: ImportBody = call.body
    await readable(parts, call)
    # Not in the loop that serves everybody: a long file takes a while.
    found, bad = await asyncio.to_thread(read_table, body.csv)
    added = 0
    if found and not bad and not body.check:
        added = len(await _added(parts, call, found))
    problems = [RowProblem(line=row.line, code=row.code, message=row.message) for row in bad]
    return ImportAnswer(texts=len(found), added=added, problems=problems)


async def _added(parts: Parts, call: Call, new: Sequence[NewText]) -> Sequence[Mapping[Any, Any]]:
    row = await readable(parts, call)
    me, now_ms = call.me.user_id, parts.clock.now_ms()
    most = GRANTS[call.me.plan].collection_texts
    try:
        added = await add_texts(parts.database, me, row["id"], new, most, now_ms)
    except NoRoom as full:
        raise no_room(call, full) from None
    if added is None:
        raise not_yours()
    return added


async def text(parts: Parts, call: Call) -> WholeText:
    """Also a passage that ships with the program."""
    text_id = call.request.path_params["id"]
    if not is_text_id(text_id):
        passage = await find_text(parts.database, text_id)
        if passage is None:
            raise not_found()
        return _whole({**passage, "tags": [], "collection_id": None, "collection": None})
    return _whole(await _readable_text(parts, call))


def _whole(row: Mapping[Any, Any]) -> WholeText:
    return WholeText(
        id=row["id"],
        title=row["title"],
        text=row["text"],
        language=row["language"],
        tags=row["tags"],
        collection=row["collection_id"],
        collection_name=row["collection"],
    )


async def _readable_text(parts: Parts, call: Call) -> Mapping[Any, Any]:
    text_id = call.request.path_params["id"]
    user_id = call.caller.user_id if call.caller else None
    row = await find_collection_text(parts.database, text_id, user_id)
    if row is None:
        raise not_found()
    return row


async def text_change(parts: Parts, call: Call) -> CollectionText:
    """Other words make another text of it, with another `id`: bests of the old one are not its."""
    body: TextChange = call.body
    row = await _readable_text(parts, call)
    given = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in given.items() if value is not None}
    if body.text is not None:
        changes["length"] = NewText.of("", body.text, ()).length
    me, now_ms = call.me.user_id, parts.clock.now_ms()
    try:
        changed = await change_text(parts.database, me, row["id"], changes, now_ms)
    except NoRoom as full:
        raise no_room(call, full) from None
    if changed is None:
        raise not_yours()
    return _listed(changed)


async def text_delete(parts: Parts, call: Call) -> Answer:
    row = await _readable_text(parts, call)
    me, now_ms = call.me.user_id, parts.clock.now_ms()
    if not await delete_text(parts.database, me, row["id"], now_ms):
        raise not_yours()
    return Answer(None, 204)


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/collections/{id}/texts",
        texts,
        "The texts of a collection that you may read.",
        TAG,
        query=TextsQuery,
        answer=TextsAnswer,
        errors=NOT_FOUND,
        path_patterns=ID,
    ),
    Endpoint(
        "POST",
        "/collections/{id}/texts",
        add,
        "Put a text into a collection of yours.",
        TAG,
        Who.PERSON,
        body=NewTextBody,
        status=201,
        answer=CollectionText,
        errors={**NOT_YOURS, 403: ["not_yours", "plan_required"], **NO_ROOM},
        path_patterns=ID,
    ),
    Endpoint(
        "POST",
        "/collections/{id}/texts/import",
        import_table,
        "Put the texts of a CSV file into a collection of yours.",
        TAG,
        Who.PERSON,
        body=ImportBody,
        answer=ImportAnswer,
        errors={**NOT_YOURS, 403: ["not_yours", "plan_required"], **NO_ROOM},
        path_patterns=ID,
    ),
    Endpoint(
        "GET",
        "/texts/{id}",
        text,
        "A text of a collection that you may read.",
        TAG,
        answer=WholeText,
        errors=NOT_FOUND,
        path_patterns={"id": "[A-Za-z0-9_.-]{1,64}"},
    ),
    Endpoint(
        "PATCH",
        "/texts/{id}",
        text_change,
        "Change a text of yours.",
        TAG,
        Who.PERSON,
        body=TextChange,
        answer=CollectionText,
        errors={**NOT_YOURS, 403: ["not_yours", "plan_required"], **NO_ROOM},
        path_patterns=ID,
    ),
    Endpoint(
        "DELETE",
        "/texts/{id}",
        text_delete,
        "Delete a text of yours. What was typed of it stays.",
        TAG,
        Who.PERSON,
        status=204,
        errors=NOT_YOURS,
        path_patterns=ID,
    ),
]
