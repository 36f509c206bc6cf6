"""Mail without a server, and what MAIL_URL may say."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from server.post import RETRY_MS, TRIES_MAX, MailServer, MailUrlRefused, Post
from tests.processes import free_port

LINK = "https://typing.example/account#reset-password=a-secret"


class Pile:
    """An outbox in memory with one mail in it."""

    def __init__(self, tries: int = 1) -> None:
        self.mail: Mapping[str, Any] | None = {
            **{"id": "7", "to": "a@example.com", "kind": "reset", "language": "en"},
            **{"payload": {"seed": "seed"}, "tries": tries},
        }
        self.fate: tuple[str, int] | None = None
        self.settled = asyncio.Event()

    async def take(self, now_ms: int, lease_ms: int) -> Mapping[str, Any] | None:
        taken, self.mail = self.mail, None
        return taken

    async def sent(self, mail_id: str, now_ms: int) -> None:
        self._settle("sent", now_ms)

    async def again(self, mail_id: str, due_at_ms: int) -> None:
        self._settle("again", due_at_ms)

    async def give_up(self, mail_id: str) -> None:
        self._settle("given up", 0)

    def _settle(self, fate: str, at_ms: int) -> None:
        self.fate = (fate, at_ms)
        self.settled.set()


async def settled(pile: Pile, server: MailServer | None, show: bool = False) -> Any:
    """What became of the mail, at 1,000 ms by the clock."""
    post = Post(pile, server, lambda kind, seed: LINK, lambda: 1_000, show)
    work = asyncio.create_task(post.run())
    async with asyncio.timeout(10):
        await pile.settled.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return pile.fate


@pytest.mark.parametrize("show", [True, False])
async def test_without_a_server_only_a_developer_sees_the_link(
    caplog: pytest.LogCaptureFixture, show: bool
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await settled(Pile(), None, show) == ("sent", 1_000)
    assert (LINK in caplog.text) == show
    assert "a@example.com" not in caplog.text


@pytest.mark.parametrize(
    ("tries", "fate"),
    [
        (1, ("again", 1_000 + RETRY_MS)),
        (2, ("again", 1_000 + 2 * RETRY_MS)),
        (TRIES_MAX - 1, ("again", 1_000 + RETRY_MS * 2 ** (TRIES_MAX - 2))),
        (TRIES_MAX, ("given up", 0)),
    ],
)
async def test_mail_waits_longer_each_time_while_the_server_is_away(
    caplog: pytest.LogCaptureFixture, tries: int, fate: tuple[str, int]
) -> None:
    away = MailServer.of(f"smtp://127.0.0.1:{free_port()}?from=a@typing.example")
    assert await settled(Pile(tries), away) == fate
    assert "a-secret" not in caplog.text
    assert "a@example.com" not in caplog.text


async def test_a_store_that_is_away_only_delays_mail() -> None:
    class Away(Pile):
        asked = 0

        async def take(self, now_ms: int, lease_ms: int) -> Mapping[str, Any] | None:
            self.asked += 1
            if self.asked == 1:
                post.wake()
                raise ConnectionResetError
            return await super().take(now_ms, lease_ms)

    pile = Away()
    post = Post(pile, None, lambda kind, seed: LINK, lambda: 1_000, False)
    work = asyncio.create_task(post.run())
    async with asyncio.timeout(2):
        await pile.settled.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def test_a_mail_url_is_taken_apart() -> None:
    url = "smtp://us%40er:p%3Ass@mail.example:2525?from=Typing%20Trainer%20%3Ca@b.example%3E"
    assert MailServer.of(url) == MailServer(
        "mail.example", 2_525, "us@er", "p:ss", "Typing Trainer <a@b.example>", False
    )
    assert MailServer.of("smtps://mail?from=a@b.example").port == 465
    assert MailServer.of("smtp://mail?from=a@b.example").port == 587


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example", "http://mail?from=a@b.example", "smtp://?from=a@b.example"),
        *("smtp://mail", "smtp://mail?from=nobody", "smtp://mail:99999?from=a@b.example"),
    ],
)
def test_a_mail_url_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(MailUrlRefused, match="MAIL_URL"):
        MailServer.of(url)
