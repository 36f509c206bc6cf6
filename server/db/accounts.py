"""People with accounts: who they are, what is theirs, and how it moves or goes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, case, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.attempt import Batch
from server.core.replay import unpack_log
from server.db.batches import load_batches, sort_batches
from server.db.bests import leave_boards, move_bests
from server.db.collections import move_collections
from server.db.database import Database
from server.db.imports import drop_doubles, undo_unfinished
from server.db.logins import NewLogin, logins, start_login
from server.db.mails import NewMail, put_mail, send_link, use_link
from server.db.queries import (
    OPEN_STATES,
    Person,
    attempts,
    change_histories,
    keep_guest,
    key_confusions,
    key_counters,
    users,
)
from server.db.race_rows import racers
from server.db.races import leave_races
from server.db.statements import INSERT
from server.db.tables import ACCOUNT_VERSION, GUEST_VERSION, metadata

EXPORT_ROWS = 50


class EmailTaken(Exception):
    """There is an account with that e-mail."""


class AlreadyMember(Exception):
    """The guest has become an account by now."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What registration decides. The id may be that of a guest, who becomes it."""

    id: str
    email: str
    password_hash: str
    name: str
    full_name: str | None
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewAddress:
    """Another address is wanted by who knows the password. The link goes there, a notice here."""

    password_hash: str
    link: NewMail
    notice_to: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a token's bearer is by now; `login_id` if that login has not been ended."""

    id: str
    name: str
    guest: bool
    tier: str
    tier_until_ms: int | None
    token_version: int
    disabled: bool
    created_at_ms: int
    history_version: int
    login_id: str | None


# Who is calling

_standing = (
    select(
        users.c.id,
        users.c.name,
        users.c.guest,
        users.c.tier,
        users.c.tier_until_ms,
        users.c.token_version,
        users.c.disabled_at_ms.is_not(None),
        users.c.created_at_ms,
        users.c.history_version,
        logins.c.id,
    )
    .select_from(
        users.outerjoin(
            logins,
            and_(
                logins.c.user_id == users.c.id,
                logins.c.id == bindparam("login"),
                logins.c.revoked_at_ms.is_(None),
            ),
        )
    )
    .where(users.c.id == bindparam("user"))
)
_standings = (
    select(users.c.id, users.c.guest, users.c.disabled_at_ms, logins.c.id.label("login_id"))
    .select_from(
        users.outerjoin(
            logins,
            and_(logins.c.user_id == users.c.id, logins.c.revoked_at_ms.is_(None)),
        )
    )
    .where(users.c.id.in_(bindparam("ids", expanding=True)))
)


async def find_standing(database: Database, user_id: str, login_id: str | None) -> Standing | None:
    """A person, with `login_id` if that login of theirs has not been ended."""
    async with database.read() as connection:
        found = await connection.execute(_standing, {"user": user_id, "login": login_id or ""})
        row = found.one_or_none()
    return None if row is None else Standing(*row)


async def list_standings(database: Database, user_ids: Sequence[str]) -> Sequence[RowMapping]:
    """These people, one row for each login that has not been ended, else one without."""
    async with database.read() as connection:
        return (await connection.execute(_standings, {"ids": user_ids})).mappings().all()


async def find_by_email(database: Database, email: str) -> RowMapping | None:
    async with database.read() as connection:
        found = await connection.execute(select(users).where(users.c.email == email))
        return found.mappings().one_or_none()


# Registering and logging in


async def register(
    database: Database, new: NewAccount, login: NewLogin, mail: NewMail, now_ms: int
) -> None:
    """Store an account, its first login and the mail to its address.

    A guest becomes it and keeps all it has; the guest's tokens end. Raises EmailTaken or
    AlreadyMember.
    """
    columns = {
        "guest": False,
        "token_version": ACCOUNT_VERSION,
        "updated_at_ms": now_ms,
        "tier": "free",
        "email": new.email,
        "password_hash": new.password_hash,
        "full_name": new.full_name,
        "name": new.name,
    }
    # A guest that has typed nothing yet has no row.
    person = {"id": new.id, "name": new.name}
    blank = {**person, "guest": True, "token_version": GUEST_VERSION}
    try:
        async with database.write() as connection:
            add = INSERT[connection.dialect.name](users).on_conflict_do_nothing()
            await connection.execute(add, {**blank, "created_at_ms": now_ms})
            guest = await connection.execute(
                select(users.c.settings).where(users.c.id == new.id).with_for_update()
            )
            settings = {**(guest.scalar_one() or {}), **new.settings}
            became = await connection.execute(
                update(users)
                .where(users.c.id == new.id, users.c.guest.is_(True))
                .values(columns | {"settings": settings})
                .returning(users.c.id)
            )
            if became.scalar_one_or_none() is None:
                raise AlreadyMember
            await start_login(connection, new.id, login, now_ms)
            await send_link(connection, new.id, mail, now_ms)
    except IntegrityError:
        raise EmailTaken from None


async def log_in(
    database: Database,
    user_id: str,
    password_hash: str,
    login: NewLogin,
    guest_id: str | None,
    now_ms: int,
) -> int | None:
    """Begin a login; all that a guest has moves to the account.

    Returns the version its access tokens have, or None: the password was changed meanwhile.
    """
    async with database.write() as connection:
        if guest_id is not None:
            await connection.execute(_lock_both, {"ids": [guest_id, user_id]})
        found = await connection.execute(
            select(users.c.token_version)
            .where(users.c.id == user_id, users.c.password_hash == password_hash)
            .with_for_update(key_share=True)
        )
        version: int | None = found.scalar_one_or_none()
        if version is None:
            return None
        if guest_id is not None:
            await _move_guest(connection, guest_id, user_id, now_ms)
        await start_login(connection, user_id, login, now_ms)
        return version


_lock_both = (
    select(users.c.id)
    .where(users.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(users.c.id)
    # Two moves at once wait for each other; keystrokes being stored do not.
    .with_for_update(key_share=True)
)


async def _move_guest(
    connection: AsyncConnection, guest_id: str, user_id: str, now_ms: int
) -> None:
    """Give the account all a guest has, and forget the guest; the second time nothing happens.

    Connections that drive one of its attempts can write nothing more.
    """
    locked = await connection.execute(
        select(users.c.id)
        .where(users.c.id == guest_id, users.c.guest.is_(True))
        .with_for_update(key_share=True)
    )
    if locked.scalar_one_or_none() is None or guest_id == user_id:
        return
    await connection.run_sync(change_histories, [user_id])
    # What one of the two is bringing along just now is to be neither halved nor counted on.
    await connection.run_sync(undo_unfinished, [guest_id, user_id])
    await drop_doubles(connection, guest_id, user_id)
    fenced = case((attempts.c.state.in_(OPEN_STATES), attempts.c.epoch + 1), else_=attempts.c.epoch)
    await connection.execute(
        update(attempts).where(attempts.c.user_id == guest_id).values(user_id=user_id, epoch=fenced)
    )
    await move_bests(connection, guest_id, user_id, now_ms)
    await _move_counters(connection, guest_id, user_id)
    await connection.execute(
        update(racers).where(racers.c.user_id == guest_id).values(user_id=user_id)
    )
    await move_collections(connection, guest_id, user_id)
    await connection.execute(delete(users).where(users.c.id == guest_id))


async def _move_counters(connection: AsyncConnection, guest_id: str, user_id: str) -> None:
    added = {
        key_counters: ("presses", "errors", "latency_sum_ms", "latency_count"),
        key_confusions: ("count",),
    }
    for table, sums in added.items():
        key = [column.name for column in table.primary_key]
        names = [column.name for column in table.c]
        theirs = (
            select(
                bindparam("member", user_id).label("user_id"),
                *(table.c[name] for name in names if name != "user_id"),
            )
            .where(table.c.user_id == guest_id)
            .order_by(*(table.c[name] for name in key))
        )
        moved = INSERT[connection.dialect.name](table).from_select(names, theirs)
        moved = moved.on_conflict_do_update(
            index_elements=key,
            set_={name: table.c[name] + moved.excluded[name] for name in sums},
        )
        await connection.execute(moved)


# The account itself


async def change_account(
    database: Database,
    person: Person,
    changes: Mapping[str, Any],
    now_ms: int,
    address: NewAddress | None = None,
) -> RowMapping | None:
    """Set these columns; settings are merged, and a setting of None is forgotten.

    A guest who is not stored yet is, with them. A new address becomes the account's when the link
    is used. Raises EmailTaken.
    """
    user_id = person.id
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        if address is not None and not await _ask_address(connection, user_id, address, now_ms):
            return None
        found = await connection.execute(
            select(users.c.settings).where(users.c.id == user_id).with_for_update()
        )
        row = found.mappings().one_or_none()
        if row is None:
            return None
        values = {**changes, "updated_at_ms": now_ms}
        if "settings" in changes:
            merged = {**(row["settings"] or {}), **changes["settings"]}
            values["settings"] = {
                name: value for name, value in merged.items() if value is not None
            }
        changed = await connection.execute(
            update(users).where(users.c.id == user_id).values(values).returning(users)
        )
        changed_row: RowMapping = changed.mappings().one()
        return changed_row


async def _ask_address(
    connection: AsyncConnection, user_id: str, address: NewAddress, now_ms: int
) -> bool:
    """False if the password has been changed since it was shown."""
    same = await connection.execute(
        select(users.c.id)
        .where(users.c.id == user_id, users.c.password_hash == address.password_hash)
        .with_for_update(key_share=True)
    )
    if same.scalar_one_or_none() is None:
        return False
    taken = await connection.execute(select(users.c.id).where(users.c.email == address.link.to))
    if taken.scalar_one_or_none() is not None:
        raise EmailTaken
    await send_link(connection, user_id, address.link, now_ms)
    language = address.link.language
    await put_mail(connection, user_id, address.notice_to, "change-notice", language, now_ms, {})
    return True


async def confirm_email(database: Database, token_hash: str, now_ms: int) -> bool:
    """Whether the link was good; then its address is the account's, and known to be its owner's.

    Raises EmailTaken: somebody else has registered it by now.
    """
    try:
        async with database.write() as connection:
            link = await use_link(connection, token_hash, now_ms, "verify", "change")
            if link is None:
                return False
            confirmed = update(users).where(users.c.id == link["user_id"])
            if link["purpose"] == "change":
                new = {"email": link["email"], "updated_at_ms": now_ms, "verified_at_ms": now_ms}
                confirmed = confirmed.values(new)
            else:  # of the address as it is: a link to an older one says nothing of it
                confirmed = confirmed.where(users.c.email == link["email"]).values(
                    verified_at_ms=func.coalesce(users.c.verified_at_ms, now_ms)
                )
            found = await connection.execute(confirmed.returning(users.c.id))
            return found.scalar_one_or_none() is not None
    except IntegrityError:
        raise EmailTaken from None


async def rehash(database: Database, user_id: str, older: str, newer: str) -> None:
    """Store the same password's hash anew, unless the password has been changed since."""
    async with database.write() as connection:
        await connection.execute(
            update(users)
            .where(users.c.id == user_id, users.c.password_hash == older)
            .values(password_hash=newer)
        )


async def delete_person(database: Database, user_id: str, now_ms: int) -> None:
    """Nothing of this person is left; what belongs to them goes with their row."""
    async with database.write() as connection:
        await leave_boards(connection, user_id, now_ms)
        await leave_races(connection, user_id, now_ms)
        await connection.execute(delete(users).where(users.c.id == user_id))
    # What nobody's attempt holds any more is not kept when the rest is sorted.
    await sort_batches(database, OPEN_STATES)


# Export


async def export_attempts(
    database: Database, user_id: str
) -> AsyncIterator[tuple[RowMapping, list[Batch]]]:
    """Every attempt of a person with its keystrokes, oldest first.

    A few are read at a time, so that neither store nor memory is held while they are sent.
    """
    ids = await _rows(
        database,
        select(attempts.c.id)
        .where(attempts.c.user_id == user_id)
        .order_by(attempts.c.opened_at_ms, attempts.c.id),
    )
    for start in range(0, len(ids), EXPORT_ROWS):
        wanted = [row["id"] for row in ids[start : start + EXPORT_ROWS]]
        rows = {row["id"]: row for row in await _rows(database, _exported, ids=wanted)}
        for attempt_id in wanted:
            row = rows.get(attempt_id)
            if row is not None and row["user_id"] == user_id:
                yield row, await _keystrokes(database, row)


_exported = select(attempts).where(attempts.c.id.in_(bindparam("ids", expanding=True)))


async def _keystrokes(database: Database, row: RowMapping) -> list[Batch]:
    if row["keystroke_log"] is not None:
        return list(unpack_log(row["keystroke_log"], row["opened_at_ms"]))
    if row["state"] not in OPEN_STATES:
        return []
    async with database.read() as connection:
        return await load_batches(connection, row["id"])


async def export_table(database: Database, name: str, user_id: str) -> list[dict[str, Any]]:
    """All rows of one table that belong to a person."""
    table = metadata.tables[name]
    rows = await _rows(database, select(table).where(table.c.user_id == user_id))
    return [dict(row) for row in rows]


async def _rows(database: Database, question: Any, **values: Any) -> Sequence[RowMapping]:
    async with database.read() as connection:
        return (await connection.execute(question, values)).mappings().all()
