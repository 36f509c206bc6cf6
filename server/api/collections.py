"""Collections of texts of one's own: kept, shared, and looked for."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from server.api.attempts import UUID_PATTERN
from server.api.endpoint import (
    Answer,
    ApiError,
    Call,
    Endpoint,
    Model,
    Parts,
    Query,
    Who,
    plan_required,
)
from server.api.history import LanguageName
from server.api.routes import not_found
from server.core.collection import (
    DESCRIPTION_CHARS_MAX,
    NAME_CHARS_MAX,
    TAG_CHARS_MAX,
    TAGS_MAX,
    WORDS_MAX,
    Visibility,
    normal_line,
    normal_name,
    normal_tags,
    search_words,
)
from server.core.plan import GRANTS
from server.db.collections import (
    NoRoom,
    change_collection,
    create_collection,
    delete_collection,
    find_collection,
    list_own,
    search_collections,
)

TAG = "collections"
SECRET_BYTES = 16

# What is put into its normal form may be longer in it.
NameOfOne = Annotated[
    str,
    Field(min_length=1, max_length=NAME_CHARS_MAX),
    AfterValidator(normal_name),
    Field(max_length=NAME_CHARS_MAX),
]
Description = Annotated[
    str,
    Field(max_length=DESCRIPTION_CHARS_MAX),
    AfterValidator(normal_line),
    Field(max_length=DESCRIPTION_CHARS_MAX),
]
Tag = Annotated[str, Field(min_length=1, max_length=TAG_CHARS_MAX, pattern=r"^[^,;]+$")]
Tags = Annotated[list[Tag], Field(max_length=TAGS_MAX), AfterValidator(normal_tags)]


class NewCollection(Model):
    """`language` says under which language keys are counted; null: under none."""

    name: NameOfOne
    description: Description = ""
    language: LanguageName | None = None
    tags: Tags = Field(default_factory=list)
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PRIVATE


class CollectionChange(Model):
    """Only what is given is changed. `new_link` makes the link that was given away lead nowhere."""

    name: NameOfOne | None = None
    description: Description | None = None
    language: LanguageName | None = None
    tags: Tags | None = None
    visibility: Annotated[Visibility, Field(strict=False)] | None = None
    new_link: bool = False


class CollectionAnswer(Model):
    """A collection. `key` is the secret of its link, shown to its owner while it has one."""

    id: str
    name: str
    description: str
    language: str | None
    tags: list[str]
    visibility: Visibility
    key: str | None
    texts: int
    mine: bool
    owner: str
    created_at: int
    updated_at: int


class OwnCollections(Model):
    """All one's collections, the newest first, and how many there may be of them and in each."""

    results: list[CollectionAnswer]
    collections_max: int
    texts_max: int


class SearchQuery(Query):
    """`q`: words with which words of the name, the description or a tag begin, in any order."""

    q: Annotated[str, Field(max_length=200)] = ""
    language: LanguageName | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, Field(pattern=rf"^[0-9]{{1,15}}\.{UUID_PATTERN}$")] | None = None


class FoundCollections(Model):
    """A page of public collections, the newest first. `next` is the `cursor` of the next page."""

    results: list[CollectionAnswer]
    next: str | None


class KeyQuery(Query):
    """`key` is the secret of the collection's link."""

    key: Annotated[str, Field(max_length=64)] | None = None


# Collections


async def collections(parts: Parts, call: Call) -> OwnCollections:
    rows = await list_own(parts.database, call.me.user_id)
    return OwnCollections(
        results=[_shown(row, call) for row in rows],
        collections_max=GRANTS[call.me.plan].collections,
        texts_max=GRANTS[call.me.plan].collection_texts,
    )


async def create(parts: Parts, call: Call) -> Answer:
    body: NewCollection = call.body
    _may_publish(call, body.visibility)
    new = {**body.model_dump(mode="json"), "secret": _secret(body.visibility)}
    now_ms = parts.clock.now_ms()
    try:
        most = GRANTS[call.me.plan].collections
        row = await create_collection(parts.database, call.me.person, new, most, now_ms)
    except NoRoom as full:
        raise no_room(call, full) from None
    return Answer(_shown(row, call), 201)


async def collection(parts: Parts, call: Call) -> CollectionAnswer:
    return _shown(await readable(parts, call), call)


async def change(parts: Parts, call: Call) -> CollectionAnswer:
    body: CollectionChange = call.body
    given = body.model_dump(mode="json", exclude_unset=True, exclude={"new_link"})
    changes = {
        name: value for name, value in given.items() if value is not None or name == "language"
    }
    if body.visibility is not None:
        _may_publish(call, body.visibility)
    before = await readable(parts, call)
    visibility = body.visibility or Visibility(before["visibility"])
    if body.new_link or visibility is not Visibility.LINK or before["secret"] is None:
        changes["secret"] = _secret(visibility)
    me, now_ms = call.me.user_id, parts.clock.now_ms()
    row = await change_collection(parts.database, me, before["id"], changes, now_ms)
    if row is None:
        raise not_yours()
    return _shown(row, call)


async def delete(parts: Parts, call: Call) -> Answer:
    row = await readable(parts, call)
    if not await delete_collection(parts.database, call.me.user_id, row["id"]):
        raise not_yours()
    return Answer(None, 204)


async def search(parts: Parts, call: Call) -> FoundCollections:
    query: SearchQuery = call.query
    words = sorted(search_words(query.q))[:WORDS_MAX]
    before = None
    if query.cursor is not None:
        published_at_ms, _, collection_id = query.cursor.partition(".")
        before = (int(published_at_ms), collection_id)
    rows = await search_collections(
        parts.database,
        words,
        query.language,
        before,
        query.limit + 1,  # one more says whether there is another page
    )
    page = rows[: query.limit]
    following = None
    if len(rows) > query.limit:
        following = f"{page[-1]['published_at_ms']}.{page[-1]['id']}"
    return FoundCollections(results=[_shown(row, call) for row in page], next=following)


async def readable(parts: Parts, call: Call) -> Mapping[Any, Any]:
    """The collection that the path names, if the caller may read it. Raises ApiError 404."""
    collection_id = call.request.path_params["id"]
    user_id = call.caller.user_id if call.caller else None
    key = call.query.key if isinstance(call.query, KeyQuery) else None
    row = await find_collection(parts.database, collection_id, user_id, key)
    if row is None:
        raise not_found()
    return row


def _may_publish(call: Call, visibility: Visibility) -> None:
    if visibility is not Visibility.PRIVATE and call.me.guest:
        raise ApiError(403, "account_required", "A guest's texts are private: register first.")


def _secret(visibility: Visibility) -> str | None:
    return token_urlsafe(SECRET_BYTES) if visibility is Visibility.LINK else None


def not_yours() -> ApiError:
    return ApiError(403, "not_yours", "Only who has made it can change it.")


def no_room(call: Call, full: NoRoom) -> ApiError:
    """403 if another plan has more room, else 409 that says what there is no room for."""
    grants = GRANTS[call.me.plan]
    most = {
        "collections": f"There are at most {grants.collections} collections.",
        "texts": f"There are at most {grants.collection_texts} texts in a collection.",
        "chars": "All your collections together are too long.",
    }
    more = None
    if full.what == "collections":
        more = plan_required("collections", grants.collections + 1)
    elif full.what == "texts":
        more = plan_required("collection_texts", grants.collection_texts + 1)
    return more or ApiError(409, "no_room", most[full.what])


def _shown(row: Mapping[Any, Any], call: Call) -> CollectionAnswer:
    mine = call.caller is not None and row["user_id"] == call.caller.user_id
    return CollectionAnswer(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        language=row["language"],
        tags=row["tags"],
        visibility=Visibility(row["visibility"]),
        key=row["secret"] if mine else None,
        texts=row["texts"],
        mine=mine,
        owner=row["owner"],
        created_at=row["created_at_ms"],
        updated_at=row["updated_at_ms"],
    )


NOT_FOUND = {404: ["not_found"]}
NOT_YOURS = {403: ["not_yours"], **NOT_FOUND}
NO_ROOM = {409: ["no_room"]}
ID = {"id": UUID_PATTERN}
ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/collections",
        collections,
        "Your collections.",
        TAG,
        Who.PERSON,
        answer=OwnCollections,
    ),
    Endpoint(
        "POST",
        "/collections",
        create,
        "Begin a collection. A guest's are private.",
        TAG,
        Who.PERSON,
        body=NewCollection,
        status=201,
        answer=CollectionAnswer,
        errors={403: ["account_required", "plan_required"], **NO_ROOM},
    ),
    Endpoint(
        "GET",
        "/public-collections",
        search,
        "Look for public collections.",
        TAG,
        query=SearchQuery,
        answer=FoundCollections,
    ),
    Endpoint(
        "GET",
        "/collections/{id}",
        collection,
        "A collection of yours, a public one, or one whose link you have.",
        TAG,
        query=KeyQuery,
        answer=CollectionAnswer,
        errors=NOT_FOUND,
        path_patterns=ID,
    ),
    Endpoint(
        "PATCH",
        "/collections/{id}",
        change,
        "Change a collection of yours: what it is called, who may read it.",
        TAG,
        Who.PERSON,
        body=CollectionChange,
        answer=CollectionAnswer,
        errors={403: ["account_required", "not_yours"], **NOT_FOUND},
        path_patterns=ID,
    ),
    Endpoint(
        "DELETE",
        "/collections/{id}",
        delete,
        "Delete a collection of yours with its texts. What was typed of them stays.",
        TAG,
        Who.PERSON,
        status=204,
        errors=NOT_YOURS,
        path_patterns=ID,
    ),
]
