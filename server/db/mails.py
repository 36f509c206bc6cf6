"""Mails and the links in them: committed with what they speak of, and sent from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.queries import users
from server.db.tables import metadata

mail_links = metadata.tables["mail_links"]
mails = metadata.tables["mails"]


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail with a link for one purpose. Its token is made of the seed; here is its hash."""

    purpose: str
    to: str
    language: str
    seed: str
    token_hash: str
    expires_at_ms: int


# Links. Whoever changes a person and their links takes the person first: then no two wait for each
# other, and no link outlives a change that ends it.


async def mail_link(database: Database, user_id: str, mail: NewMail, now_ms: int) -> None:
    """Have a link mailed."""
    async with database.write() as connection:
        await send_link(connection, user_id, mail, now_ms)


async def send_link(connection: AsyncConnection, user_id: str, mail: NewMail, now_ms: int) -> None:
    """Have a link mailed; older ones for the same purpose work no more."""
    await _put_link(connection, user_id, mail)
    payload = {"seed": mail.seed}
    await put_mail(connection, user_id, mail.to, mail.purpose, mail.language, now_ms, payload)


async def _put_link(connection: AsyncConnection, user_id: str, mail: NewMail) -> None:
    await drop_links(connection, user_id, mail.purpose)
    link = {
        "hash": mail.token_hash,
        "user_id": user_id,
        "purpose": mail.purpose,
        "email": mail.to,
        "expires_at_ms": mail.expires_at_ms,
    }
    await connection.execute(insert(mail_links).values(link))


async def drop_links(connection: AsyncConnection, user_id: str, *purposes: str) -> None:
    """The links that were mailed for these purposes work no more."""
    await connection.execute(
        delete(mail_links).where(
            mail_links.c.user_id == user_id, mail_links.c.purpose.in_(purposes)
        )
    )


async def use_link(
    connection: AsyncConnection, token_hash: str, now_ms: int, *purposes: str
) -> RowMapping | None:
    """Use a link up: its `user_id`, `purpose` and `email`; None if it is not good."""
    owner = await connection.execute(
        select(mail_links.c.user_id).where(mail_links.c.hash == token_hash)
    )
    taken = select(users.c.id).where(users.c.id == owner.scalar_one_or_none())
    await connection.execute(taken.with_for_update(key_share=True))
    used = await connection.execute(
        update(mail_links)
        .where(
            mail_links.c.hash == token_hash,
            mail_links.c.purpose.in_(purposes),
            mail_links.c.used_at_ms.is_(None),
            mail_links.c.expires_at_ms > now_ms,
        )
        .values(used_at_ms=now_ms)
        .returning(mail_links.c.user_id, mail_links.c.purpose, mail_links.c.email)
    )
    return used.mappings().one_or_none()


# Mails


async def put_mail(
    connection: AsyncConnection,
    user_id: str | None,
    to: str,
    kind: str,
    language: str,
    now_ms: int,
    payload: Mapping[str, Any],
) -> None:
    """Have a mail sent as soon as this transaction is committed."""
    row = {
        "id": str(uuid4()),
        "user_id": user_id,
        "to": to,
        "kind": kind,
        "language": language,
        "payload": dict(payload),
        "due_at_ms": now_ms,
        "tries": 0,
    }
    await connection.execute(insert(mails).values(row))


async def ask_link(database: Database, mail: NewMail, now_ms: int) -> None:
    """Have a link mailed to whoever has an account with that address, in their language if "".

    Nobody is looked for yet: who asks cannot tell by the time it takes whether there is one.
    """
    payload = {
        "seed": mail.seed,
        "token_hash": mail.token_hash,
        "expires_at_ms": mail.expires_at_ms,
    }
    async with database.write() as connection:
        await put_mail(connection, None, mail.to, mail.purpose, mail.language, now_ms, payload)


class Mails:
    """The mails that wait in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, now_ms: int, lease_ms: int) -> Mapping[str, Any] | None:
        """The longest due mail, for `lease_ms` ours alone, with this try counted.

        Mails that were asked for where there is no account are forgotten on the way.
        """
        while await self._is_due(now_ms):  # nobody's writing waits for this look
            async with self._database.write() as connection:
                mail = await _lease(connection, now_ms, now_ms + lease_ms)
                if mail is None or mail["user_id"] is not None:
                    return mail
                addressed = await _address(connection, mail)
            if addressed is not None:
                return addressed
        return None

    async def _is_due(self, now_ms: int) -> bool:
        async with self._database.read() as connection:
            found = await connection.execute(_longest_due(now_ms))
            return found.scalar_one_or_none() is not None

    async def sent(self, mail_id: str, now_ms: int) -> None:
        await self._change(mail_id, sent_at_ms=now_ms)

    async def again(self, mail_id: str, due_at_ms: int) -> None:
        await self._change(mail_id, due_at_ms=due_at_ms)

    async def give_up(self, mail_id: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(mails).where(mails.c.id == mail_id))

    async def _change(self, mail_id: str, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(mails).where(mails.c.id == mail_id).values(values))


def _longest_due(now_ms: int) -> Any:
    return (
        select(mails.c.id)
        .where(mails.c.sent_at_ms.is_(None), mails.c.due_at_ms <= now_ms)
        .order_by(mails.c.due_at_ms)
        .limit(1)
    )


async def _lease(
    connection: AsyncConnection, now_ms: int, until_ms: int
) -> Mapping[str, Any] | None:
    free = _longest_due(now_ms).with_for_update(skip_locked=True).scalar_subquery()
    taken = await connection.execute(
        update(mails)
        .where(mails.c.id == free)
        .values(due_at_ms=until_ms, tries=mails.c.tries + 1)
        .returning(mails)
    )
    mail = taken.mappings().one_or_none()
    return None if mail is None else dict(mail)


async def _address(
    connection: AsyncConnection, mail: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The mail, now that of the account at its address, with a link; None if there is none."""
    found = await connection.execute(
        select(users.c.id, users.c.settings).where(
            users.c.email == mail["to"], users.c.disabled_at_ms.is_(None)
        )
    )
    user = found.mappings().one_or_none()
    if user is None:
        await connection.execute(delete(mails).where(mails.c.id == mail["id"]))
        return None
    language = mail["language"] or (user["settings"] or {}).get("language", "en")
    link = NewMail(mail["kind"], mail["to"], language, **mail["payload"])
    await _put_link(connection, user["id"], link)
    owned = {"user_id": user["id"], "language": language}
    # From now on it is tried again with the same link, which may have been used meanwhile.
    await connection.execute(update(mails).where(mails.c.id == mail["id"]).values(owned))
    return {**mail, **owned}
