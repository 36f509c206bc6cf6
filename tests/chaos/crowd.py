"""Typists, and what must be true of each of them and of the store when they have done."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.expected_score import expected_counters, expected_result
from tests.history import highest_ack, violations, wrong_result
from tests.honest_client import HonestClient
from tests.raw_client import Message

CUSTOM_TEXT = (
    "Nobody’s keys are lost — not one. «Ни одна клавиша не теряется», сказала она, "
    "and the server died again; it came back, as it always did, and went on counting "
    "where it had stopped. Ёжик спешит домой, хотя дождь идёт с самого утра."
)
SOURCES: Sequence[Message] = (
    {"kind": "custom", "text": CUSTOM_TEXT},
    {"kind": "words", "count": 45, "language": "en"},
    {"kind": "words", "count": 35, "language": "ru"},
)


def all_violations(clients: Iterable[HonestClient]) -> list[str]:
    """Every broken promise that anybody has seen."""
    return [fault for client in clients for fault in violations(client.history)]


def check_done(client: HonestClient, done: Message) -> None:
    """The end of the attempt counts all that was typed, and is scored as it should be."""
    history = client.history
    assert done["seq"] == len(history.events), f"{done['seq']} of {len(history.events)} counted"
    assert highest_ack(history.moments) == done["seq"], "more was acked than there is"
    wrong = wrong_result(done["result"], expected_result(history.text, history.events))
    assert wrong == [], f"scored wrong: {wrong}"


async def check_store(database_url: str, clients: Iterable[HonestClient]) -> None:
    """The store has each attempt once, as typed, and each key counted once. Each is a guest."""
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            for client in clients:
                await _check_rows(connection, client)
    finally:
        await engine.dispose()


async def _check_rows(connection: AsyncConnection, client: HonestClient) -> None:
    attempts = await _rows(
        connection,
        "SELECT user_id, state, events FROM attempts WHERE id = :attempt",
        attempt=client.attempt,
    )
    stored = [tuple(row)[1:] for row in attempts]
    assert stored == [("finished", len(client.history.events))], f"the store has {stored}"
    # A connection cut before its welcome arrived leaves a token behind that nobody uses.
    counted = await _rows(
        connection,
        "SELECT key, presses, errors, latency_sum_ms, latency_count FROM key_counters"
        " WHERE user_id = :user",
        user=attempts[0][0],
    )
    expected = expected_counters(client.history.text, client.history.events)
    found = {key: tuple(counts) for key, *counts in counted}
    assert found == expected, f"keys are counted wrong: {found}, expected {expected}"
    confused = await _rows(
        connection,
        "SELECT key, SUM(count) FROM key_confusions WHERE user_id = :user GROUP BY key",
        user=attempts[0][0],
    )
    errors = Counter({key: counts[1] for key, counts in expected.items() if counts[1]})
    mistaken = {key: int(count) for key, count in confused}
    assert mistaken == errors, f"errors are counted wrong: {mistaken}, expected {errors}"


async def _rows(connection: AsyncConnection, query: str, **values: Any) -> Sequence[Any]:
    return (await connection.execute(text(query), values)).all()
