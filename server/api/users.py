"""One's own profile and settings, everything of one's own to take away, and the way out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from server.api.accounts import (
    VERIFY_MS,
    Email,
    FullName,
    Language,
    Name,
    TriedPassword,
    email_taken,
    new_mail,
    spend_mail,
    spoken_by,
)
from server.api.endpoint import Answer, ApiError, Call, Endpoint, Model, Parts, Who
from server.api.layouts import ChosenLayouts, KnownLayout, OwnRemaps
from server.api.passwords import proven_account
from server.api.routes import account_required, unauthorized
from server.api.subscriptions import end_subscription
from server.core.attempt import AttemptState, Batch
from server.core.plan import plan_at
from server.db.accounts import (
    EmailTaken,
    NewAddress,
    change_account,
    delete_person,
    export_attempts,
    export_table,
)
from server.db.collections import export_texts
from server.db.queries import Person, find_user

TAG = "users"
EXPORT_BYTES = 65_536
NOT_EXPORTED = (
    "user_id", "epoch", "got", "category", "keystroke_log", "counts", "seat", "import_key",
)  # fmt: skip
EXPORTED_TABLES = {
    "key_counters": "key_stats",
    "key_confusions": "key_confusions",
    "racers": "races",
    "collections": "collections",
    "subscriptions": "subscriptions",
    "payments": "payments",
}


Theme = Literal["system", "light", "dark"]


class Goals(Model):
    wpm: Annotated[int, Field(ge=1, le=400)] | None = None
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    minutes_a_day: Annotated[int, Field(ge=1, le=1_440)] | None = None


class UserSettings(Model):
    """What follows a person from one device to the next.

    `language` is that of pages and mails, `text_language` that of what is typed. `layouts` says
    what each language is typed with; `layout` is for those it leaves out, where it types them.
    """

    layout: KnownLayout | None = None
    layouts: ChosenLayouts | None = None
    shape: Literal["ansi", "iso"] | None = None
    remaps: OwnRemaps | None = None
    language: Language | None = None
    text_language: Language | None = None
    theme: Theme | None = None
    goals: Goals | None = None


class Profile(Model):
    """Times are Unix ms. A guest has no e-mail and, until its first attempt, no times."""

    id: str
    name: str
    guest: bool
    email: str | None
    email_verified: bool
    full_name: str | None
    subscription_tier: str
    is_active: bool
    created_at: int | None
    updated_at: int | None
    last_login_at: int | None
    settings: UserSettings


class ProfileChange(Model):
    """Only what is given is changed; `full_name` or a setting of null is forgotten.

    A guest has settings alone. An `email` needs the `current_password`. It is not changed at once:
    a link is mailed to the new address, which makes it the account's, and the old one is told.
    """

    email: Email | None = None
    current_password: TriedPassword | None = None
    name: Name | None = None
    full_name: FullName | None = None
    settings: UserSettings | None = None


class Deletion(Model):
    """A guest has no password."""

    password: TriedPassword | None = None


async def handle_profile(parts: Parts, call: Call) -> BaseModel:
    row = await find_user(parts.database, call.me.user_id)
    if row is not None:
        return _profile(dict(row), parts.clock.now_ms())
    if not call.me.guest:
        raise unauthorized()  # deleted a moment ago
    return _profile(_unseen_guest(call.me.person), parts.clock.now_ms())


async def handle_change(parts: Parts, call: Call) -> BaseModel:
    body: ProfileChange = call.body
    given = body.model_dump(exclude_unset=True, exclude={"email", "current_password"})
    changes = {
        name: value for name, value in given.items() if value is not None or name == "full_name"
    }
    if call.me.guest and body.model_fields_set - {"settings"}:
        raise account_required()
    now_ms = parts.clock.now_ms()
    address = await _new_address(parts, call, now_ms) if body.email is not None else None
    try:
        row = await change_account(parts.database, call.me.person, changes, now_ms, address)
    except EmailTaken:
        raise email_taken() from None
    if row is None:
        raise unauthorized()
    if address is not None:
        parts.post.wake()
    return _profile(dict(row), now_ms)


async def _new_address(parts: Parts, call: Call, now_ms: int) -> NewAddress | None:
    """None if it is the account's own already."""
    body: ProfileChange = call.body
    password = _needed("current_password", body.current_password)
    row = await proven_account(parts, call, password)
    if row["email"] == body.email:
        return None
    email = str(body.email)
    await spend_mail(parts, call, row["email"], email)
    link = new_mail(parts, "change", email, spoken_by(row), now_ms + VERIFY_MS)
    return NewAddress(row["password_hash"], link, row["email"])


def _needed(field: str, password: str | None) -> str:
    """The password, if it was given. Raises ApiError 422."""
    if password is None:
        fields = [{"field": field, "message": "The password is needed."}]
        raise ApiError(422, "invalid", "The password is needed.", fields)
    return password


async def handle_delete(parts: Parts, call: Call) -> Answer:
    if not call.me.guest:
        await proven_account(parts, call, _needed("password", call.body.password))
    await end_subscription(parts, call.me.user_id)
    await delete_person(parts.database, call.me.user_id, parts.clock.now_ms())
    return Answer(None, 204)


def _unseen_guest(person: Person) -> Mapping[str, Any]:
    nothing = dict.fromkeys(
        (
            *("email", "verified_at_ms", "full_name", "disabled_at_ms", "created_at_ms"),
            *("updated_at_ms", "last_login_at_ms", "settings", "tier_until_ms"),
        )
    )
    known = {"id": person.id, "name": person.name, "guest": True, "tier": "free"}
    return {**nothing, **known}


def _profile(row: Mapping[str, Any], now_ms: int) -> Profile:
    return Profile(
        id=row["id"],
        name=row["name"],
        guest=row["guest"],
        email=row["email"],
        email_verified=row["verified_at_ms"] is not None,
        full_name=row["full_name"],
        subscription_tier=plan_at(row["tier"], row["tier_until_ms"], now_ms),
        is_active=row["disabled_at_ms"] is None,
        created_at=row["created_at_ms"],
        updated_at=row["updated_at_ms"],
        last_login_at=row["last_login_at_ms"],
        settings=UserSettings.model_validate(row["settings"] or {}),
    )


# Everything, to take away


async def handle_export(parts: Parts, call: Call) -> Response:
    profile = await handle_profile(parts, call)
    # Asked before the answer begins: a store that is away can still be said to be.
    tables = {
        name: list(map(_plain, await export_table(parts.database, table, call.me.user_id)))
        for table, name in {**EXPORTED_TABLES, "logins": "logins"}.items()
    }
    headers = {"Content-Disposition": 'attachment; filename="typing-trainer.json"'}
    chunks = _gathered(_exported(parts, call.me.user_id, profile, tables))
    return StreamingResponse(chunks, 200, headers, "application/json")


async def _exported(
    parts: Parts, user_id: str, profile: BaseModel, tables: Mapping[str, Any]
) -> AsyncIterator[bytes]:
    yield b'{"profile":' + profile.model_dump_json().encode()
    for name, rows in tables.items():
        yield b"," + to_json(name) + b":" + to_json(rows)
    texts = (_plain(dict(row)) async for row in export_texts(parts.database, user_id))
    attempts = (
        _attempt(dict(row), batches)
        async for row, batches in export_attempts(parts.database, user_id)
    )
    for name, rows_of_many in (("collection_texts", texts), ("attempts", attempts)):
        yield b"," + to_json(name) + b":["
        comma = b""
        async for row in rows_of_many:
            yield comma + to_json(row)
            comma = b","
        yield b"]"
    yield b"}"


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= EXPORT_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the names the API gives its columns."""
    return {
        name.removesuffix("_ms") if name.endswith("_at_ms") else name: value
        for name, value in row.items()
        if name not in NOT_EXPORTED
    }


def _attempt(row: Mapping[str, Any], batches: Sequence[Batch]) -> dict[str, Any]:
    exported = {**_plain(row), "keystrokes": _batches(batches)}
    if batches and row["state"] == AttemptState.ARMED.value:
        # The row is not touched while somebody types: that it runs, its journal says.
        exported["state"] = AttemptState.RUNNING.value
    return exported


def _batches(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    return [
        {
            "seq": batch.seq,
            "arrived_at": batch.arrived_at_ms,
            "events": [list(keystroke) for keystroke in batch.keystrokes],
        }
        for batch in batches
    ]


ENDPOINTS = [
    Endpoint("GET", "/users/me", handle_profile, "One's profile", TAG, Who.PERSON, answer=Profile),
    Endpoint(
        "PATCH",
        "/users/me",
        handle_change,
        "Change one's names and settings, or ask for another e-mail address",
        TAG,
        Who.PERSON,
        body=ProfileChange,
        answer=Profile,
        errors={403: ["account_required", "wrong_password"], 409: ["email_taken"], 503: ["busy"]},
    ),
    Endpoint(
        "DELETE",
        "/users/me",
        handle_delete,
        "Delete oneself, with everything; an account's password is asked for",
        TAG,
        Who.PERSON,
        body=Deletion,
        status=204,
        errors={403: ["wrong_password"], 503: ["busy", "stripe"]},
    ),
    Endpoint(
        "GET",
        "/users/me/export",
        handle_export,
        "All of one's own: profile, settings, logins, attempts with keystrokes, counters, texts",
        TAG,
        Who.PERSON,
    ),
]
