"""Who is fastest, on each text and at each length of words and time."""

from typing import Annotated

from pydantic import Field

from server.api.endpoint import ApiError, Call, Endpoint, Model, Parts, Query
from server.api.history import OFFSET_MAX, LanguageName
from server.core.collection import Visibility, is_text_id
from server.core.source import UNKNOWN_LANGUAGE, Source, SourceKind
from server.db.bests import SECONDS, WORDS, BoardPeriod
from server.db.collections import find_collection_text
from server.db.leaderboards import BoardPlace
from server.db.queries import category, find_text

BOARD_PATTERN = rf"time:({SECONDS})|words:({WORDS})|text:[A-Za-z0-9_.-]{{1,64}}"


class BoardQuery(Query):
    """`language` is that of the words typed; a text has its own, and does not look at it."""

    period: BoardPeriod = BoardPeriod.ALL
    language: LanguageName = "en"
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=OFFSET_MAX)] = 0


class Place(Model):
    """A person's place by their best ranked attempt: wpm, then accuracy, then who was earlier."""

    rank: int
    user_id: str
    name: str
    guest: bool
    wpm: float
    accuracy: float
    finished_at: int


class BoardAnswer(Model):
    """A page of a leaderboard, one place per person. `next` is the `offset` of the next page.

    `me` is the caller's own place, on this page or not.
    """

    board: str
    period: BoardPeriod
    language: str
    total: int
    results: list[Place]
    next: int | None
    me: Place | None


async def leaderboard(parts: Parts, call: Call) -> BoardAnswer:
    query: BoardQuery = call.query
    board: str = call.request.path_params["board"]
    kind, _, parameter = board.partition(":")
    language = query.language
    if kind == "text":
        language = await _language(parts, parameter)
    standing = await parts.boards.standing(
        category(_source(kind, parameter, language)),
        query.period,
        limit=query.limit,
        offset=query.offset,
        user_id=call.caller.user_id if call.caller else None,
    )
    shown_to = query.offset + len(standing.page)
    return BoardAnswer(
        board=board,
        period=query.period,
        language=language,
        total=standing.total,
        results=[_place(row) for row in standing.page],
        next=shown_to if standing.page and shown_to < standing.total else None,
        me=None if standing.mine is None else _place(standing.mine),
    )


async def _language(parts: Parts, text_id: str) -> str:
    """The language of a text that has a board: a passage, or a text of a public collection."""
    if is_text_id(text_id):
        text = await find_collection_text(parts.database, text_id, None)
        if text is not None and text["visibility"] != Visibility.PUBLIC:
            text = None
    else:
        text = await find_text(parts.database, text_id)
    if text is None:
        raise ApiError(404, "not_found", "There is no text of that id.")
    return text["language"] or UNKNOWN_LANGUAGE


def _source(kind: str, parameter: str, language: str) -> Source:
    if kind == "time":
        return Source(SourceKind.TIME, language=language, seconds=int(parameter))
    if kind == "words":
        return Source(SourceKind.WORDS, language=language, count=int(parameter))
    return Source(SourceKind.TEXT, text=parameter)


def _place(place: BoardPlace) -> Place:
    return Place(
        rank=place.rank,
        user_id=place.user_id,
        name=place.name,
        guest=place.guest,
        wpm=place.wpm,
        accuracy=place.accuracy,
        finished_at=place.finished_at_ms,
    )


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/leaderboards/{board}",
        leaderboard,
        "The fastest people on a board: time:15/30/60/120, words:10/25/50/100 or text:<id>.",
        "leaderboards",
        query=BoardQuery,
        answer=BoardAnswer,
        errors={404: ("not_found",)},
        path_patterns={"board": BOARD_PATTERN},
    ),
]
