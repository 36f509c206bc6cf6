"""A real SMTP server that keeps what it is sent, and may be told to say no first."""

import email
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.processes import free_port

TOKEN = re.compile(r"#[a-z-]+=([\w-]+)")


class Postbox:
    """Mails by address. `refusals` are the answers it gives before it takes the next ones."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.refusals: dict[str, list[str]] = {}
        self.asked: dict[str, int] = {}
        self._mails: dict[str, list[EmailMessage]] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        (to,) = envelope.rcpt_tos
        self.asked[to] = self.asked.get(to, 0) + 1
        refusals = self.refusals.get(to)
        if refusals:
            return refusals.pop(0)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self._mails.setdefault(to, []).append(message)
        return "250 taken"

    def mails(self, to: str) -> list[EmailMessage]:
        return list(self._mails.get(to, ()))

    def wait(self, to: str, count: int = 1, within_s: float = 10.0) -> EmailMessage:
        """The newest of at least `count` mails to an address."""
        deadline_s = time.monotonic() + within_s
        while len(self.mails(to)) < count:
            assert time.monotonic() < deadline_s, f"{len(self.mails(to))} of {count} mails came"
            time.sleep(0.02)
        return self.mails(to)[-1]

    def token(self, to: str, count: int = 1) -> str:
        """What the link in the newest mail carries."""
        found = TOKEN.search(self.wait(to, count).get_content())
        assert found is not None
        return found[1]


@contextmanager
def open_postbox() -> Iterator[Postbox]:
    """A postbox in a thread of its own."""
    postbox = Postbox(free_port())
    controller = Controller(postbox, hostname="127.0.0.1", port=postbox.port)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()
