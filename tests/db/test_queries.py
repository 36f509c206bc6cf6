"""Questions to the store: attempts made, taken over, read back, and found to be due."""

import asyncio
import uuid
from collections.abc import Sequence
from random import Random

import pytest

from server.core.attempt import AWAY_GRACE_MS, IDLE_MS_MAX, AttemptState
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule
from server.db.batches import sort_batches
from server.db.database import Database
from server.db.journal import Journal, Outcome
from server.db.queries import (
    OPEN_STATES,
    AttemptDiffers,
    AttemptNotFound,
    NewAttempt,
    StoredAttempt,
    create_attempt,
    find_text,
    find_user,
    list_due,
    list_texts,
    load_key_stats,
    mark_got,
    resume_attempt,
    seize_attempt,
    store_texts,
)
from tests.db.plans import asking, full_scans
from tests.db.stored import (
    OPENED_AT_MS,
    TEXT,
    Recorder,
    attempt_row,
    custom,
    new_attempt,
    opened_database,
    person,
    resumed,
    rows,
    running,
    type_batch,
)

TIMED = Source(SourceKind.TIME, language="en", seconds=60)
LATER_MS = OPENED_AT_MS + 60_000


async def typed(database: Database, stored: StoredAttempt, *batches: Sequence[str]) -> None:
    """Type batches into the journal."""
    owner = Recorder()
    async with running(Journal(database)) as journal:
        for keys in batches:
            journal.write(owner.entry(stored, type_batch(stored, keys)))
        await journal.flush()


# Making and taking


async def test_a_guest_has_a_row_with_the_first_attempt_and_only_one(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        assert await find_user(database, who.id) is None
        await new_attempt(database, who)
        await new_attempt(database, who, opened_at_ms=LATER_MS)
        found = await find_user(database, who.id)
        assert found is not None
        assert (found["guest"], found["created_at_ms"]) == (True, OPENED_AT_MS)
        assert len(await rows(database, "SELECT id FROM users")) == 1


async def test_of_two_that_create_the_same_attempt_one_gets_none(database_url: str) -> None:
    who = person()
    new = NewAttempt(str(uuid.uuid4()), custom(TEXT), ErrorRule.FREE, TEXT, None, "")
    async with opened_database(database_url) as one, opened_database(database_url) as other:
        made = await asyncio.gather(
            *(create_attempt(store, new, who, OPENED_AT_MS) for store in (one, other) * 3)
        )
        assert sum(stored is not None for stored in made) == 1
        assert len(await rows(one, "SELECT id FROM attempts")) == 1


async def test_each_resume_gets_an_epoch_of_its_own(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as one, opened_database(database_url) as other:
        stored = await new_attempt(one, who)
        assert stored.epoch == 1
        taken = await asyncio.gather(
            *(resumed(store, stored.row["id"], who) for store in (one, other) * 3)
        )
        assert sorted(again.epoch for again in taken) == [2, 3, 4, 5, 6, 7]


async def test_a_resumed_attempt_stands_where_its_journal_does(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who, "añb 👩‍👩‍👧 ёж")
        await typed(database, stored, ["a", "ñ", "x"], ["\b", "b"], [" ", "👩‍👩‍👧"])
        again = await resumed(database, stored.row["id"], who)
        assert again.attempt.log == stored.attempt.log
        assert again.attempt.batches == stored.attempt.batches
        assert again.attempt.typed_text.typed == ["a", "ñ", "b", " ", "👩‍👩‍👧"]
        assert again.attempt.typed_text.progress() == stored.attempt.typed_text.progress()
        assert again.attempt.typed_text.keys == stored.attempt.typed_text.keys
        assert again.attempt.state is AttemptState.RUNNING


async def test_time_without_a_connection_is_kept_and_adds_up(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        again = await resumed(database, stored.row["id"], who, OPENED_AT_MS + 5_000)
        assert again.attempt.outage_ms == 0  # it had not begun

        await typed(database, again, "a b")
        last_ms = again.attempt.last_arrived_at_ms
        assert last_ms is not None
        again = await resumed(database, stored.row["id"], who, last_ms + 7_000)
        assert again.row["outage_ms"] == again.attempt.outage_ms == 7_000
        again = await resumed(database, stored.row["id"], who, last_ms + 9_000)
        assert again.row["outage_ms"] == again.attempt.outage_ms == 16_000
        assert again.row["opened_at_ms"] == again.attempt.opened_at_ms == OPENED_AT_MS


async def test_nobody_takes_another_persons_attempt(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        with pytest.raises(AttemptNotFound):
            await resumed(database, stored.row["id"], person())
        assert (await attempt_row(database, stored))["epoch"] == 1


async def test_an_attempt_nobody_made_is_none(database_url: str) -> None:
    async with opened_database(database_url) as database:
        found = await resume_attempt(database, str(uuid.uuid4()), person(), None, None, LATER_MS)
        assert found is None
        assert await seize_attempt(database, str(uuid.uuid4())) is None


async def test_another_source_or_other_rules_are_refused_and_take_nothing(
    database_url: str,
) -> None:
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        for source, rule in (
            (custom(TEXT + "s"), None),
            (Source(SourceKind.WORDS, language="en", count=10), None),
            (None, ErrorRule.STOP),
            (custom(TEXT), ErrorRule.CORRECT),
        ):
            with pytest.raises(AttemptDiffers):
                await resume_attempt(database, stored.row["id"], who, source, rule, LATER_MS)
        assert (await attempt_row(database, stored))["epoch"] == 1


async def test_the_same_source_and_rules_again_are_the_same_attempt(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        for source in (
            Source(SourceKind.RANDOM, language="en", length="short"),
            Source(SourceKind.WORDS, language="ru", count=10),
            Source(SourceKind.TEXT, text="en-0001"),
            Source(SourceKind.PRACTICE, language="en", layout="qwerty"),
            TIMED,
            custom(TEXT),
        ):
            stored = await new_attempt(database, who, source=source, rule=ErrorRule.STOP)
            again = await resume_attempt(
                database, stored.row["id"], who, source, ErrorRule.STOP, LATER_MS
            )
            assert again is not None
            assert again.row["text"] == TEXT
            assert again.attempt.typed_text.rule is ErrorRule.STOP
            assert again.attempt.typed_text.limit_ms == source.limit_ms


# Ended attempts


async def test_what_the_log_gives_is_what_the_columns_say(database_url: str) -> None:
    who, owner, random = person(), Recorder(), Random(11)
    words = "«Ёж» — it’s the end, said the hedgehog; and so it was: 1, 2, 3."
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who, words)
        async with running(Journal(database)) as journal:
            for start in range(0, len(words), 7):
                keys = [random.choice([key, key, key, "x"]) for key in words[start : start + 7]]
                journal.write(owner.entry(stored, type_batch(stored, keys, dt_ms=180)))
            journal.write(owner.end(stored))
            await journal.flush()

        again = await resumed(database, stored.row["id"], who)
        row, attempt = again.row, again.attempt
        assert again.epoch == 1  # an ended attempt is nobody's
        assert attempt.state is AttemptState.FINISHED
        assert attempt.batches == stored.attempt.batches
        score = attempt.typed_text.score(row["late_ms"])
        for name in ("position", "duration_ms", "wpm", "raw_wpm", "accuracy", "errors"):
            assert row[name] == getattr(score, name), name
        assert row["uncorrected"] == score.uncorrected
        assert row["consistency"] == score.consistency
        assert row["events"] == attempt.seq == len(words)
        assert row["text_length"] == len(attempt.typed_text.text)
        assert (row["started_at_ms"], row["finished_at_ms"]) == (
            attempt.began_at_ms,
            attempt.last_arrived_at_ms,
        )
        assert {key: list(stats.values()) for key, stats in row["keys"].items()} == {
            key: [stats.presses, stats.errors, stats.latency_ms, stats.confusions]
            for key, stats in score.keys.items()
        }


async def test_an_ended_attempt_cannot_be_seized(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        async with running(Journal(database)) as journal:
            journal.write(owner.end(stored, type_batch(stored, TEXT)))
            await journal.flush()
        assert await seize_attempt(database, stored.row["id"]) is None


async def test_a_seized_attempt_is_no_longer_its_drivers(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        await typed(database, stored, "a b")
        seized = await seize_attempt(database, stored.row["id"])
        assert seized is not None
        assert seized.attempt.log == stored.attempt.log
        assert seized.attempt.outage_ms == 0  # nobody came back
        async with running(Journal(database)) as journal:
            journal.write(owner.entry(stored, type_batch(stored, "ad")))
            await journal.flush()
        assert [outcome for _, outcome, _ in owner.outcomes] == [Outcome.FENCED]


async def test_only_its_owner_gets_a_result_and_only_of_an_ended_attempt(
    database_url: str,
) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        await mark_got(database, stored.row["id"], who)
        assert not (await attempt_row(database, stored))["got"]
        async with running(Journal(database)) as journal:
            journal.write(owner.end(stored, type_batch(stored, TEXT)))
            await journal.flush()
        await mark_got(database, stored.row["id"], person())
        assert not (await attempt_row(database, stored))["got"]
        await mark_got(database, stored.row["id"], who)
        assert (await attempt_row(database, stored))["got"]


# What is due


async def due(database: Database, stored: StoredAttempt, now_ms: int) -> bool:
    return stored.row["id"] in await all_due(database, now_ms)


async def all_due(database: Database, now_ms: int) -> list[str]:
    """What is due, of what is committed by now."""
    await sort_batches(database, OPEN_STATES)
    return await list_due(database, now_ms)


async def test_an_armed_attempt_is_due_ten_minutes_after_its_opening(database_url: str) -> None:
    async with opened_database(database_url) as database:
        for source in (None, TIMED):
            stored = await new_attempt(database, person(), source=source)
            assert not await due(database, stored, OPENED_AT_MS + IDLE_MS_MAX - 1)
            assert await due(database, stored, OPENED_AT_MS + IDLE_MS_MAX)


async def test_a_running_attempt_is_due_ten_minutes_after_its_last_keys(
    database_url: str,
) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        await typed(database, stored, "a ", "bad")
        last_ms = stored.attempt.last_arrived_at_ms
        assert last_ms is not None
        assert not await due(database, stored, last_ms + IDLE_MS_MAX - 1)
        assert await due(database, stored, last_ms + IDLE_MS_MAX)


async def test_a_timed_attempt_is_due_two_minutes_after_its_time(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person(), source=TIMED)
        await typed(database, stored, "a ", "bad")
        began_ms = stored.attempt.began_at_ms
        assert began_ms is not None
        over_ms = began_ms + 60_000 + AWAY_GRACE_MS
        assert not await due(database, stored, over_ms - 1)
        assert await due(database, stored, over_ms)


async def test_what_has_ended_is_never_due_and_the_oldest_comes_first(database_url: str) -> None:
    owner = Recorder()
    async with opened_database(database_url) as database:
        young, old, over = [
            await new_attempt(database, person(), opened_at_ms=OPENED_AT_MS + later_ms)
            for later_ms in (9_000, 3_000, 0)
        ]
        async with running(Journal(database)) as journal:
            journal.write(owner.end(over, type_batch(over, TEXT)))
            await journal.flush()
        ids = [old.row["id"], young.row["id"]]
        assert await all_due(database, LATER_MS + IDLE_MS_MAX) == ids


# Texts and key stats


async def test_a_text_stored_again_is_brought_up_to_date(database_url: str) -> None:
    old = {"id": "b", "language": "en", "length": "short", "title": "Old", "text": "old words"}
    other = {"id": "a", "language": "en", "length": "short", "title": "Other", "text": "other"}
    async with opened_database(database_url) as database:
        await store_texts(database, [])
        await store_texts(database, [old, other])
        await store_texts(database, [old | {"title": "New", "text": "new words"}])
        found = await find_text(database, "b")
        assert found is not None
        assert (found["title"], found["text"]) == ("New", "new words")
        assert [row["id"] for row in await list_texts(database, "en", "short")] == ["a", "b"]
        assert not await list_texts(database, "en", "long")
        assert not await list_texts(database, "ru", "short")


async def test_a_text_that_is_not_there_is_none(database_url: str) -> None:
    async with opened_database(database_url) as database:
        for text_id in ("", "x", "x" * 64, "'; DROP TABLE texts; --", "ё", "😀"):
            assert await find_text(database, text_id) is None, text_id


async def test_key_stats_are_those_of_one_person_language_and_layout(database_url: str) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        attempts = [await new_attempt(database, whom) for whom in (who, who, person())]
        async with running(Journal(database)) as journal:
            for stored in attempts:
                journal.write(owner.end(stored, type_batch(stored, "x bad cab")))
            await journal.flush()
        stats = await load_key_stats(database, who.id, "en", "qwerty")
        assert {key: (of.presses, of.errors) for key, of in stats.items()} == {
            "a": (6, 2),
            " ": (4, 0),
            "b": (4, 0),
            "d": (2, 0),
            "c": (2, 0),
        }
        assert not await load_key_stats(database, who.id, "ru", "qwerty")
        assert not await load_key_stats(database, who.id, "en", "dvorak")


async def test_what_is_due_is_found_among_the_open_attempts_alone(database_url: str) -> None:
    async with opened_database(database_url) as database:
        async with asking(database) as asked:
            await list_due(database, OPENED_AT_MS)
        assert asked
        assert await full_scans(database, asked, "attempts") == []
