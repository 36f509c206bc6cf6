"""The end of an attempt: result, counters and best in one transaction, exactly once."""

import asyncio
from random import Random

from server.core.attempt import EndReason
from server.db.database import Database
from server.db.journal import Journal, Outcome
from server.db.queries import Person, StoredAttempt
from tests.db.stored import (
    OPENED_AT_MS,
    FaultyDatabase,
    Recorder,
    attempt_row,
    journal_seqs,
    new_attempt,
    opened_database,
    person,
    recounted,
    rows,
    running,
    stored_counters,
    type_batch,
)

WORDS = "the quick brown fox jumps over the lazy dog"


async def ended(
    database: FaultyDatabase,
    stored: StoredAttempt,
    keys: str,
    dt_ms: int = 200,
    why: EndReason = EndReason.DONE,
) -> tuple[Outcome, float | None]:
    """Type `keys` and end the attempt with a journal of its own; what was said of its end."""
    owner = Recorder()
    entry = owner.end(stored, type_batch(stored, keys, dt_ms), why)
    async with running(Journal(database)) as journal:
        journal.write(entry)
        await journal.flush()
    return owner.told(entry)


async def test_result_counters_and_journal_change_together(database_url: str) -> None:
    """Another process looks all the while: it sees everything or nothing."""
    who = person()
    async with opened_database(database_url) as database, opened_database(database_url) as other:
        stored = await new_attempt(database, who, WORDS)
        seen: set[tuple[str, bool, bool]] = set()
        looking = asyncio.create_task(look(other, seen))
        await asyncio.sleep(0.03)
        await ended(database, stored, WORDS)
        await asyncio.sleep(0.03)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert seen == {("armed", False, False), ("finished", True, True)}


async def look(database: Database, seen: set[tuple[str, bool, bool]]) -> None:
    question = (
        "SELECT state, keystroke_log IS NOT NULL AS log, "
        "(SELECT count(*) FROM key_counters) > 0 AS counted FROM attempts"
    )
    while True:
        (row,) = await rows(database, question)
        seen.add((row["state"], bool(row["log"]), bool(row["counted"])))


async def test_an_end_whose_answer_was_lost_counts_once(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        first = await new_attempt(database, who, WORDS)
        best = (await ended(database, first, WORDS))[1]
        assert best is not None
        stored = await new_attempt(database, who, WORDS)
        database.answers_to_lose = 3

        told = await ended(database, stored, WORDS, dt_ms=400)

        assert told == (Outcome.COMMITTED, best)
        assert database.answers_to_lose == 0
        row = await attempt_row(database, stored)
        assert (row["state"], row["personal_best"]) == ("finished", best)
        assert row["wpm"] < best
        assert await stored_counters(database, who) == recounted([first, stored])


async def test_the_same_end_written_again_counts_once(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who, WORDS)
        entry = owner.end(stored, type_batch(stored, WORDS))
        async with running(Journal(database)) as journal:
            for _ in range(3):
                journal.write(entry)
                await journal.flush()
        assert {outcome for _, outcome, _ in owner.outcomes} == {Outcome.COMMITTED}
        assert len({best for _, _, best in owner.outcomes}) == 1
        assert await stored_counters(database, who) == recounted([stored])


async def test_counters_are_what_a_recount_of_every_attempt_gives(database_url: str) -> None:
    """Many attempts of one person end at once, in two processes, with mistakes everywhere."""
    who, owner, random = person(), Recorder(), Random(7)
    async with opened_database(database_url) as one, opened_database(database_url) as other:
        attempts = [await new_attempt(one, who, WORDS) for _ in range(12)]
        async with running(Journal(one)) as first, running(Journal(other)) as second:
            for number, stored in enumerate(attempts):
                keys = [random.choice(key + "eax—") for key in WORDS]
                (first, second)[number % 2].write(owner.end(stored, type_batch(stored, keys)))
            await asyncio.gather(first.flush(), second.flush())
        assert {outcome for _, outcome, _ in owner.outcomes} == {Outcome.COMMITTED}
        assert await stored_counters(one, who) == recounted(attempts)


async def test_a_personal_best_only_grows_and_knows_its_category(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:

        async def typed(words: str, dt_ms: int, whom: Person = who) -> tuple[float, float]:
            stored = await new_attempt(database, whom, words)
            _, best = await ended(database, stored, words, dt_ms)
            row = await attempt_row(database, stored)
            assert row["verdict"] == "ranked"
            assert best is not None
            assert row["personal_best"] == best
            return row["wpm"], best

        slow, best = await typed(WORDS, 300)
        assert best == slow
        fast, best = await typed(WORDS, 150)
        assert best == fast > slow
        slowest, best = await typed(WORDS, 400)
        assert best == fast > slowest
        of_other_words, best = await typed(WORDS[:-3] + "cat", 350)
        assert best == of_other_words < fast
        of_another, best = await typed(WORDS, 350, person())
        assert best == of_another < fast


async def test_attempts_that_end_in_one_group_know_of_each_other(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        slow, fast, middle = [await new_attempt(database, who, WORDS) for _ in range(3)]
        entries = [
            owner.end(stored, type_batch(stored, WORDS, dt_ms))
            for stored, dt_ms in ((slow, 300), (fast, 150), (middle, 200))
        ]
        journal = Journal(database)
        for entry in entries:
            journal.write(entry)
        async with running(journal):
            await journal.flush()
        speeds = [(await attempt_row(database, stored))["wpm"] for stored in (slow, fast, middle)]
        assert [owner.told(entry)[1] for entry in entries] == [speeds[0], speeds[1], speeds[1]]


async def test_what_is_not_ranked_is_nobodys_best(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        quit_early = await new_attempt(database, who, WORDS)
        assert await ended(database, quit_early, WORDS[:20], why=EndReason.QUIT) == (
            Outcome.COMMITTED,
            None,
        )
        row = await attempt_row(database, quit_early)
        assert (row["state"], row["verdict"], row["personal_best"]) == (
            "abandoned",
            "unranked",
            None,
        )
        assert await stored_counters(database, who) == recounted([quit_early])


async def test_an_empty_attempt_has_no_result_and_no_history(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who, WORDS)
        entry = owner.end(stored, why=EndReason.QUIT)
        async with running(Journal(database)) as journal:
            journal.write(entry)
            await journal.flush()
        row = await attempt_row(database, stored)
        assert row["state"] == "abandoned"
        assert [row[name] for name in ("wpm", "finished_at_ms", "keystroke_log", "scorer")] == [
            None,
            None,
            None,
            None,
        ]
        assert owner.told(entry) == (Outcome.COMMITTED, None)


async def test_a_void_attempt_keeps_its_keystrokes_and_counts_nothing(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who, WORDS)
        assert (await ended(database, stored, WORDS[:9], why=EndReason.CONFLICT))[1] is None
        row = await attempt_row(database, stored)
        assert (row["state"], row["verdict"], row["wpm"]) == ("void", "void", None)
        assert row["keystroke_log"] is not None
        assert await stored_counters(database, who) == ({}, {})


async def test_an_end_takes_the_journal_with_it(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored, other = [await new_attempt(database, who, WORDS) for _ in range(2)]
        async with running(Journal(database)) as journal:
            for keys in (WORDS[:10], WORDS[10:20]):
                journal.write(owner.entry(stored, type_batch(stored, keys)))
                journal.write(owner.entry(other, type_batch(other, keys)))
            await journal.flush()
            assert await journal_seqs(database, stored) == [1, 11]
            journal.write(owner.end(stored, type_batch(stored, WORDS[20:])))
            await journal.flush()
        assert not await journal_seqs(database, stored)
        assert await journal_seqs(database, other) == [1, 11]
        assert (await attempt_row(database, stored))["finished_at_ms"] > OPENED_AT_MS
