"""Logins, their refresh tokens, and passwords. Tokens come here as hashes."""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.mails import drop_links, use_link
from server.db.queries import users
from server.db.tables import metadata

logins = metadata.tables["logins"]
refresh_tokens = metadata.tables["refresh_tokens"]

LOGIN_MS = 30 * 24 * 3_600_000  # since it was last refreshed
GRACE_MS = 30_000  # a lost reply may be asked for again, and two tabs may refresh at once


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A login that begins, with the hash of its first refresh token."""

    id: str
    token_hash: str


class Rotation(Enum):
    """What became of a refresh token that was shown."""

    ROTATED = auto()  # its successor is good, for the first time or once more
    REFUSED = auto()
    REUSED = auto()  # it was used long ago: the login has been ended
    DISABLED = auto()


async def start_login(
    connection: AsyncConnection, user_id: str, login: NewLogin, now_ms: int
) -> None:
    """Begin a login with its first refresh token; what has expired is forgotten."""
    await connection.execute(
        delete(logins).where(logins.c.user_id == user_id, logins.c.expires_at_ms < now_ms)
    )
    await connection.execute(
        insert(logins).values(
            id=login.id, user_id=user_id, created_at_ms=now_ms, expires_at_ms=now_ms + LOGIN_MS
        )
    )
    await _issue(connection, login.id, login.token_hash, now_ms)
    await connection.execute(
        update(users).where(users.c.id == user_id).values(last_login_at_ms=now_ms)
    )


async def _issue(connection: AsyncConnection, login_id: str, token_hash: str, now_ms: int) -> None:
    row = {"hash": token_hash, "login_id": login_id, "issued_at_ms": now_ms}
    await connection.execute(insert(refresh_tokens).values(row))


_shown = (
    select(
        refresh_tokens.c.hash,
        refresh_tokens.c.used_at_ms,
        logins.c.id.label("login_id"),
        logins.c.expires_at_ms,
        logins.c.revoked_at_ms,
        users.c.id,
        users.c.token_version,
        users.c.disabled_at_ms,
    )
    .join_from(refresh_tokens, logins, logins.c.id == refresh_tokens.c.login_id)
    .join(users, users.c.id == logins.c.user_id)
    # Of two that show the same token at once the second sees what the first has done.
    .with_for_update(of=[logins, refresh_tokens])
)


async def rotate(
    database: Database, token_hash: str, successor_hash: str, now_ms: int
) -> tuple[Rotation, RowMapping | None]:
    """Use a refresh token up; on ROTATED also whose it is.

    Shown again within the grace it has the same successor; later its login ends.
    """
    async with database.write() as connection:
        found = await connection.execute(_shown.where(refresh_tokens.c.hash == token_hash))
        row: RowMapping | None = found.mappings().one_or_none()
        if row is None or row["revoked_at_ms"] is not None or row["expires_at_ms"] <= now_ms:
            return Rotation.REFUSED, None
        if row["disabled_at_ms"] is not None:
            return Rotation.DISABLED, None
        used_at_ms: int | None = row["used_at_ms"]
        if used_at_ms is None:
            await _use(connection, row, successor_hash, now_ms)
        elif now_ms - used_at_ms > GRACE_MS:
            await _end_login(connection, row["login_id"], now_ms)
            return Rotation.REUSED, None
        return Rotation.ROTATED, row


async def _use(
    connection: AsyncConnection, row: RowMapping, successor_hash: str, now_ms: int
) -> None:
    await connection.execute(
        update(refresh_tokens).where(refresh_tokens.c.hash == row["hash"]).values(used_at_ms=now_ms)
    )
    await _issue(connection, row["login_id"], successor_hash, now_ms)
    await connection.execute(
        update(logins).where(logins.c.id == row["login_id"]).values(expires_at_ms=now_ms + LOGIN_MS)
    )
    # So old that nobody could have kept it for use: whoever shows it is refused all the same.
    await connection.execute(
        delete(refresh_tokens).where(
            refresh_tokens.c.login_id == row["login_id"],
            refresh_tokens.c.used_at_ms < now_ms - LOGIN_MS,
        )
    )


async def log_out(
    database: Database, login_id: str | None, token_hash: str | None, now_ms: int
) -> None:
    """End a login, or that of a refresh token, used or not, or both."""
    async with database.write() as connection:
        if token_hash is not None:
            found = await connection.execute(
                select(refresh_tokens.c.login_id).where(refresh_tokens.c.hash == token_hash)
            )
            await _end_login(connection, found.scalar_one_or_none() or "", now_ms)
        if login_id is not None:
            await _end_login(connection, login_id, now_ms)


async def _end_login(connection: AsyncConnection, login_id: str, now_ms: int) -> None:
    await connection.execute(
        update(logins)
        .where(logins.c.id == login_id, logins.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms)
    )


async def log_out_everywhere(database: Database, user_id: str, now_ms: int) -> None:
    """End all logins of a person, and every access token of before."""
    async with database.write() as connection:
        await _end_logins(connection, user_id, now_ms)


async def _end_logins(connection: AsyncConnection, user_id: str, now_ms: int, but: str = "") -> int:
    await connection.execute(
        update(logins)
        .where(logins.c.user_id == user_id, logins.c.id != but, logins.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms)
    )
    raised = await connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(token_version=users.c.token_version + 1)
        .returning(users.c.token_version)
    )
    version: int = raised.scalar_one()
    return version


# Passwords


async def change_password(
    database: Database, user_id: str, older_hash: str, newer_hash: str, login_id: str, now_ms: int
) -> int | None:
    """Set a new password and end all logins but this one; None if it was changed meanwhile.

    Returns the version of the access tokens that are good from now on. What was mailed to get at
    the account otherwise works no more.
    """
    async with database.write() as connection:
        changed = await connection.execute(
            update(users)
            .where(users.c.id == user_id, users.c.password_hash == older_hash)
            .values(password_hash=newer_hash, updated_at_ms=now_ms)
            .returning(users.c.id)
        )
        if changed.scalar_one_or_none() is None:
            return None
        await drop_links(connection, user_id, "reset", "change")
        return await _end_logins(connection, user_id, now_ms, but=login_id)


async def reset_password(
    database: Database, token_hash: str, password_hash: str, now_ms: int
) -> str | None:
    """Set a new password by a mailed link and end all logins; None if the link is not good.

    Returns the address, which is known to be its owner's: whoever has the link reads its mail.
    """
    async with database.write() as connection:
        link = await use_link(connection, token_hash, now_ms, "reset")
        if link is None:
            return None
        changed = await connection.execute(
            update(users)
            # A link to an older address is no way in.
            .where(users.c.id == link["user_id"], users.c.email == link["email"])
            .values(
                password_hash=password_hash,
                updated_at_ms=now_ms,
                verified_at_ms=func.coalesce(users.c.verified_at_ms, now_ms),
            )
            .returning(users.c.email)
        )
        email: str | None = changed.scalar_one_or_none()
        if email is not None:
            await drop_links(connection, link["user_id"], "reset", "change")
            await _end_logins(connection, link["user_id"], now_ms)
        return email
