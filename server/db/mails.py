"""The outbox: mails are committed with what they speak of, and sent from here."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.tables import metadata

mails = metadata.tables["mails"]


async def put_mail(
    connection: AsyncConnection,
    user_id: str,
    to: str,
    kind: str,
    language: str,
    seed: str,
    now_ms: int,
) -> None:
    """Have a mail sent as soon as this transaction is committed."""
    row = {
        "id": str(uuid4()),
        "user_id": user_id,
        "to": to,
        "kind": kind,
        "language": language,
        "payload": {"seed": seed},
        "due_at_ms": now_ms,
        "tries": 0,
    }
    await connection.execute(insert(mails).values(row))


class Mails:
    """The mails that wait in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, now_ms: int, lease_ms: int) -> Mapping[str, Any] | None:
        """The longest due mail, for `lease_ms` ours alone, with this try counted."""
        longest_due = (
            select(mails.c.id)
            .where(mails.c.sent_at_ms.is_(None), mails.c.due_at_ms <= now_ms)
            .order_by(mails.c.due_at_ms)
            .limit(1)
        )
        async with self._database.read() as connection:
            if (await connection.execute(longest_due)).scalar_one_or_none() is None:
                return None  # most often; nobody's writing waits for this look
        async with self._database.write() as connection:
            taken = await connection.execute(
                update(mails)
                .where(
                    mails.c.id == longest_due.with_for_update(skip_locked=True).scalar_subquery()
                )
                .values(due_at_ms=now_ms + lease_ms, tries=mails.c.tries + 1)
                .returning(mails)
            )
            mail: RowMapping | None = taken.mappings().one_or_none()
        return None if mail is None else dict(mail)

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
