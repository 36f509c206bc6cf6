"""Mail: what waits in the outbox goes out through SMTP, and is tried again when it cannot."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import SMTPException, SMTPResponseException, send

log = logging.getLogger(__name__)

LOOK_S = 5.0  # another process may have put something there
SMTP_S = 20.0
LEASE_MS = 120_000  # a mail that somebody took and never settled is tried again
RETRY_MS = 2_000
RETRY_MS_MAX = 3_600_000
TRIES_MAX = 12

WORDS = {
    ("verify", "en"): (
        "Confirm your e-mail address",
        "Somebody, probably you, made an account at Typing Trainer with this address.\n"
        "To confirm it, open this link within two days:\n\n{link}\n\n"
        "If it was not you, do nothing.\n",
    ),
    ("verify", "ru"): (
        "Подтвердите адрес почты",
        "На этот адрес создана учётная запись в Typing Trainer; скорее всего, это сделали вы.\n"
        "Чтобы подтвердить адрес, откройте ссылку в течение двух дней:\n\n{link}\n\n"
        "Если это были не вы, ничего не делайте.\n",
    ),
    ("reset", "en"): (
        "Choose a new password",
        "Somebody, probably you, asked for a new password at Typing Trainer.\n"
        "To choose one, open this link within 30 minutes; it works once:\n\n{link}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n",
    ),
    ("reset", "ru"): (
        "Выберите новый пароль",
        "Кто-то, скорее всего вы, попросил сменить пароль в Typing Trainer.\n"
        "Чтобы выбрать новый, откройте ссылку в течение 30 минут; она сработает один раз:\n\n"
        "{link}\n\nЕсли это были не вы, ничего не делайте: пароль останется прежним.\n",
    ),
    ("change", "en"): (
        "Confirm your new e-mail address",
        "Somebody, probably you, wants this to be the address of an account at Typing Trainer.\n"
        "To make it so, open this link within two days:\n\n{link}\n\n"
        "If it was not you, do nothing.\n",
    ),
    ("change", "ru"): (
        "Подтвердите новый адрес почты",
        "Кто-то, скорее всего вы, хочет привязать этот адрес к учётной записи в Typing Trainer.\n"
        "Чтобы сделать это, откройте ссылку в течение двух дней:\n\n{link}\n\n"
        "Если это были не вы, ничего не делайте.\n",
    ),
    ("change-notice", "en"): (
        "Your e-mail address is about to change",
        "Somebody, probably you, has given your account at Typing Trainer another e-mail address.\n"
        "It takes the place of this one as soon as it is confirmed.\n\n"
        "If it was not you, somebody knows your password: change it at once, or choose\n"
        "“Forgot the password?” while this address still holds. Either stops the change.\n",
    ),
    ("change-notice", "ru"): (
        "Адрес вашей почты скоро изменится",
        "Кто-то, скорее всего вы, указал для вашей учётной записи в Typing Trainer другой адрес.\n"
        "Он заменит этот, как только его подтвердят.\n\n"
        "Если это были не вы, кто-то знает ваш пароль: немедленно смените его или выберите\n"
        "«Забыли пароль?», пока действует этот адрес. И то и другое отменит замену.\n",
    ),
}


class MailUrlRefused(ValueError):
    """MAIL_URL makes no sense; the message says what it must look like."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes, and whom it is from."""

    host: str
    port: int
    username: str | None
    password: str | None
    sender: str
    tls: bool  # from the first byte; else STARTTLS where it is offered

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """From smtp://user:password@host:port?from=… Raises MailUrlRefused."""
        parts = urlsplit(url)
        sender = parse_qs(parts.query).get("from", [""])[0]
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == 0:
            raise MailUrlRefused("MAIL_URL must be smtp://user:password@host:port?from=address.")
        if "@" not in sender:
            raise MailUrlRefused("MAIL_URL must say whom mail is from: …?from=address.")
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            port or (465 if tls else 587),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            sender,
            tls,
        )


class Outbox(Protocol):
    """The mails that wait, as the store keeps them."""

    async def take(self, now_ms: int, lease_ms: int) -> Mapping[str, Any] | None:
        """The longest due mail, for `lease_ms` ours alone, with this try counted."""

    async def sent(self, mail_id: str, now_ms: int) -> None: ...

    async def again(self, mail_id: str, due_at_ms: int) -> None: ...

    async def give_up(self, mail_id: str) -> None: ...


class Post:
    """Sends what is in the outbox. Without a server mail is given up, unless `show` is set:

    then (a developer's machine) the link stands in the log instead.
    """

    def __init__(
        self,
        outbox: Outbox,
        server: MailServer | None,
        link: Callable[[str, str], str],
        now_ms: Callable[[], int],
        show: bool,
    ) -> None:
        self._outbox = outbox
        self._server = server
        self._link = link
        self._now_ms = now_ms
        self._show = show
        self._work = asyncio.Event()

    def wake(self) -> None:
        """Something was put into the outbox."""
        self._work.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._work.clear()
            try:
                while (mail := await self._outbox.take(self._now_ms(), LEASE_MS)) is not None:
                    await self._settle(mail)
            except Exception as error:  # the store is away, most likely; mail can wait
                log.warning("the outbox does not answer: %s", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), LOOK_S)

    async def _settle(self, mail: Mapping[str, Any]) -> None:
        try:
            await self._send(mail)
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            await self._failed(mail, error)
        else:
            await self._outbox.sent(mail["id"], self._now_ms())

    async def _send(self, mail: Mapping[str, Any]) -> None:
        seed = mail["payload"].get("seed")
        link = "" if seed is None else self._link(mail["kind"], seed)
        if self._server is None:
            if self._show:
                log.info("MAIL_URL is not set; a mail (%s) would say: %s", mail["kind"], link)
            else:
                log.warning("MAIL_URL is not set: a mail (%s) was not sent", mail["kind"])
            return
        server = self._server
        await send(
            _message(mail, link, server.sender),
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            timeout=SMTP_S,
        )

    async def _failed(self, mail: Mapping[str, Any], error: Exception) -> None:
        # What a mail server said may hold the address; its number will do.
        code = error.code if isinstance(error, SMTPResponseException) else None
        reason = code or type(error).__name__
        if (code is not None and code >= 500) or mail["tries"] >= TRIES_MAX:
            log.error("mail %s is given up: %s", mail["id"], reason)
            await self._outbox.give_up(mail["id"])
            return
        wait_ms = min(RETRY_MS * 2 ** (mail["tries"] - 1), RETRY_MS_MAX)
        log.warning("mail %s waits another %d ms: %s", mail["id"], wait_ms, reason)
        await self._outbox.again(mail["id"], self._now_ms() + wait_ms)


def _message(mail: Mapping[str, Any], link: str, sender: str) -> EmailMessage:
    subject, body = WORDS[mail["kind"], mail["language"]]
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail["to"]
    message["Subject"] = subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip("> "))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.format(link=link))
    return message
