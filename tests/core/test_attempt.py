"""Which keystrokes count, in which order, by whose clock, and how an attempt ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.attempt import (
    AWAY_GRACE_MS,
    DURATION_MS_MAX,
    IDLE_MS_MAX,
    KEYSTROKES_MAX,
    LATE_MS_ALLOWED,
    TIME_OVER_GRACE_MS,
    Attempt,
    AttemptState,
    Batch,
    Conflict,
    Ended,
    EndReason,
    Gap,
    TooFast,
    away_due_at_ms,
)
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText
from tests.core import PROPERTY

OPENED_AT_MS = 1_000_000
FAR_LATER_MS = OPENED_AT_MS + 100_000


def attempt(text: str = "abcdef", limit_ms: int | None = None, race: bool = False) -> Attempt:
    return Attempt(TypedText(Text.of(text), ErrorRule.FREE, limit_ms, race), OPENED_AT_MS)


def pressed(keys: str, dt_ms: int = 100) -> list[Keystroke]:
    """Keys `dt_ms` apart, the first at once."""
    return [Keystroke(dt_ms if i else 0, key) for i, key in enumerate(keys)]


def typed_up_to(keys: str, limit_ms: int | None = None) -> Attempt:
    """An attempt at "abcdef" whose first `keys` arrived together, a second after it opened."""
    running = attempt(limit_ms=limit_ms)
    assert running.receive(1, pressed(keys), OPENED_AT_MS + 1_000)
    return running


# Order


def test_new_keystrokes_are_taken_and_returned() -> None:
    running = attempt()
    assert (running.state, running.ended) == (AttemptState.ARMED, False)
    batch = running.receive(1, pressed("ab"), FAR_LATER_MS)
    assert batch == Batch(1, FAR_LATER_MS, tuple(pressed("ab")))
    assert batch.last_seq == running.seq == 2
    assert (running.state, running.ended) == (AttemptState.RUNNING, False)
    assert running.batches == [batch]


@pytest.mark.parametrize(
    ("seq", "keys", "fresh"),
    [
        pytest.param(1, "abc", None, id="all of it old"),
        pytest.param(2, "b", None, id="one old keystroke"),
        pytest.param(1, "abcde", "de", id="overlap from the start"),
        pytest.param(3, "cd", "d", id="overlap by one"),
        pytest.param(4, "de", "de", id="no overlap"),
        pytest.param(4, "defg", "def", id="what follows the end is dropped"),
    ],
)
def test_old_keystrokes_are_compared_and_trimmed(seq: int, keys: str, fresh: str | None) -> None:
    running = typed_up_to("abc")
    keystrokes = pressed("abcdefg")[seq - 1 : seq - 1 + len(keys)]
    batch = running.receive(seq, keystrokes, FAR_LATER_MS)
    assert (batch and "".join(key for _, key in batch.keystrokes)) == fresh
    assert batch is None or batch.seq == 4
    assert "".join(key for _, key in running.log) == "abc" + (fresh or "")


@pytest.mark.parametrize(
    ("seq", "keystrokes", "refusal"),
    [
        pytest.param(5, pressed("e"), Gap, id="a hole"),
        pytest.param(1, pressed("abx"), Conflict, id="another key"),
        pytest.param(2, [Keystroke(101, "b")], Conflict, id="another dt"),
        pytest.param(3, [Keystroke(100, "x"), Keystroke(100, "d")], Conflict, id="in an overlap"),
        pytest.param(4, [Keystroke(102_000, "d")], TooFast, id="more time than has passed"),
    ],
)
def test_refused_batch_changes_nothing(
    seq: int, keystrokes: list[Keystroke], refusal: type[Exception]
) -> None:
    running = typed_up_to("abc")
    before = (list(running.log), running.typed_text.score(), running.late_ms, running.state)
    with pytest.raises(refusal):
        running.receive(seq, keystrokes, FAR_LATER_MS)
    after = (list(running.log), running.typed_text.score(), running.late_ms, running.state)
    assert after == before


def test_conflict_is_seen_before_the_clock() -> None:
    with pytest.raises(Conflict):
        typed_up_to("abc").receive(3, [Keystroke(0, "x"), Keystroke(600_000, "d")], FAR_LATER_MS)


def test_first_dt_of_a_solo_attempt_is_none_also_when_sent_again() -> None:
    running = attempt()
    first = [Keystroke(40_000, "a"), Keystroke(100, "b")]
    assert running.receive(1, first, OPENED_AT_MS + 1_000)
    assert running.log == pressed("ab")
    assert running.receive(1, first, OPENED_AT_MS + 1_100) is None


def test_first_dt_of_a_race_counts() -> None:
    running = attempt(race=True)
    assert running.receive(1, [Keystroke(700, "a")], OPENED_AT_MS + 1_000)
    assert running.typed_text.at_ms == 700


@pytest.mark.parametrize(
    ("limit_ms", "keys"),
    [pytest.param(None, "abcdef", id="complete"), pytest.param(450, "abcdeX", id="time over")],
)
def test_nothing_counts_after_the_end_not_even_old_numbers(limit_ms: int | None, keys: str) -> None:
    running = attempt(limit_ms=limit_ms)
    running.receive(1, pressed(keys), FAR_LATER_MS)
    assert running.exhausted
    for seq in (1, running.seq + 1, running.seq + 9):
        with pytest.raises(Ended):
            running.receive(seq, pressed("a"), FAR_LATER_MS)


def test_keystrokes_beyond_the_most_are_dropped() -> None:
    running = attempt("a" * (KEYSTROKES_MAX + 9))
    running.receive(1, pressed("a" * (KEYSTROKES_MAX - 1), dt_ms=1), FAR_LATER_MS)
    assert not running.exhausted
    batch = running.receive(KEYSTROKES_MAX, [Keystroke(1, "a")] * 3, FAR_LATER_MS)
    assert batch is not None
    assert (len(batch.keystrokes), running.seq, running.exhausted) == (1, KEYSTROKES_MAX, True)
    assert running.end(EndReason.DONE, FAR_LATER_MS) is EndReason.LIMIT
    assert running.state is AttemptState.FINISHED


# Clock


@pytest.mark.parametrize(
    ("arrived_ms", "claimed_ms", "believed"),
    [
        (0, 50, True),
        (0, 51, False),
        (10_000, 10_150, True),
        (10_000, 10_151, False),
        (600_000, 606_050, True),
        (600_000, 606_051, False),
    ],
)
def test_clock_may_run_one_per_cent_fast_and_no_more(
    arrived_ms: int, claimed_ms: int, believed: bool
) -> None:
    running = attempt()
    keystrokes = [Keystroke(0, "a"), Keystroke(claimed_ms, "b")]
    if believed:
        assert running.receive(1, keystrokes, OPENED_AT_MS + arrived_ms)
    else:
        with pytest.raises(TooFast):
            running.receive(1, keystrokes, OPENED_AT_MS + arrived_ms)


def test_clock_bounds_all_keystrokes_together_each_once() -> None:
    running = attempt()
    first = [Keystroke(0, "a"), Keystroke(60_000, "b")]
    assert running.receive(1, first, OPENED_AT_MS + 60_000)
    with pytest.raises(TooFast):
        running.receive(3, [Keystroke(651, "c")], OPENED_AT_MS + 60_000)
    assert running.receive(2, [first[1], Keystroke(650, "c")], OPENED_AT_MS + 60_000)


@pytest.mark.parametrize(
    ("lags_ms", "late_ms"),
    [
        pytest.param([], 0, id="nothing typed"),
        pytest.param([900], 0, id="one batch, however late"),
        pytest.param([80, 580], 0, id="half a second is allowed"),
        pytest.param([80, 581], 1, id="and no more"),
        pytest.param([80, 3_080, 80], 0, id="late in the middle only"),
        pytest.param([80, 30, 3_080], 2_550, id="against the least lag"),
    ],
)
def test_late_is_what_the_last_batch_lags_behind_the_best(lags_ms: list[int], late_ms: int) -> None:
    running = attempt()
    for nth, lag_ms in enumerate(lags_ms):
        at_ms = OPENED_AT_MS + 5_000 + nth * 1_000 + lag_ms
        running.receive(nth + 1, [Keystroke(1_000, "abcdef"[nth])], at_ms)
    assert running.late_ms == late_ms


def test_lag_of_a_batch_is_that_of_its_last_keystroke() -> None:
    running = attempt()
    running.receive(1, pressed("abc", dt_ms=400), OPENED_AT_MS + 5_000)  # least lag: 4,200
    running.receive(4, pressed("d"), OPENED_AT_MS + 6_000)  # lag 5,200
    assert running.late_ms == 1_000 - LATE_MS_ALLOWED


def test_outage_excuses_as_long_as_it_lasted_each_time() -> None:
    running = typed_up_to("a")  # arrived at 1,000
    running.resume(OPENED_AT_MS + 4_000)
    running.resume(OPENED_AT_MS + 5_000)
    assert running.outage_ms == 3_000 + 4_000
    running.receive(2, [Keystroke(0, "b")], OPENED_AT_MS + 1_000 + 7_000 + 501)
    assert running.late_ms == 1


def test_outage_before_the_first_keystroke_is_none() -> None:
    running = attempt()
    running.resume(FAR_LATER_MS)
    assert (running.outage_ms, running.late_ms) == (0, 0)


@PROPERTY
@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=40),
    st.lists(st.integers(0, LATE_MS_ALLOWED // 2), min_size=1, max_size=40),
    st.dictionaries(st.integers(1, 39), st.integers(0, 60_000), max_size=3),
)
def test_honest_typist_is_never_late(
    dts_ms: list[int], delays_ms: list[int], cuts_ms: dict[int, int]
) -> None:
    """Each keystroke is sent at once, or on the return from the cut it was typed in."""
    running = attempt("a" * 99)
    now_ms, back_at_ms, unsent = OPENED_AT_MS + 100, 0, list[Keystroke]()
    for nth, dt_ms in enumerate(dts_ms):
        now_ms += dt_ms
        unsent.append(Keystroke(dt_ms, "a"))
        if nth in cuts_ms and not back_at_ms:
            # What was sent before the cut has arrived before the return.
            back_at_ms = max(now_ms, running.last_arrived_at_ms or 0) + cuts_ms[nth]
        if now_ms >= back_at_ms:
            delay_ms = delays_ms[nth % len(delays_ms)]
            back_at_ms = hand_in(running, unsent, back_at_ms, now_ms + delay_ms)
    if unsent:
        hand_in(running, unsent, back_at_ms, max(now_ms, back_at_ms) + delays_ms[0])
    assert running.late_ms == 0


def hand_in(running: Attempt, unsent: list[Keystroke], back_at_ms: int, arrived_at_ms: int) -> int:
    """Send what is unsent, after a return if there was a cut; there is then no cut any more."""
    if back_at_ms:
        running.resume(back_at_ms)
    running.receive(running.seq + 1, unsent, arrived_at_ms)
    unsent.clear()
    return 0


# Ending


@pytest.mark.parametrize(
    ("keys", "reason", "settled", "state"),
    [
        ("abcdef", EndReason.DONE, EndReason.DONE, AttemptState.FINISHED),
        ("abcdef", EndReason.QUIT, EndReason.DONE, AttemptState.FINISHED),
        ("abc", EndReason.DONE, EndReason.QUIT, AttemptState.ABANDONED),
        ("abc", EndReason.QUIT, EndReason.QUIT, AttemptState.ABANDONED),
        ("abc", EndReason.TIME, EndReason.QUIT, AttemptState.ABANDONED),
        ("abc", EndReason.IDLE, EndReason.IDLE, AttemptState.ABANDONED),
        ("abc", EndReason.LIMIT, EndReason.LIMIT, AttemptState.FINISHED),
        ("abc", EndReason.CONFLICT, EndReason.CONFLICT, AttemptState.VOID),
    ],
)
def test_end_of_an_untimed_attempt(
    keys: str, reason: EndReason, settled: EndReason, state: AttemptState
) -> None:
    running = typed_up_to(keys)
    assert running.end(reason, FAR_LATER_MS) is settled
    assert (running.state, running.ended) == (state, True)


@pytest.mark.parametrize(
    ("after_ms", "reason", "settled", "state"),
    [
        (14_000, EndReason.TIME, EndReason.QUIT, AttemptState.ABANDONED),
        (14_800, EndReason.QUIT, EndReason.QUIT, AttemptState.ABANDONED),
        (15_000, EndReason.TIME, EndReason.TIME, AttemptState.FINISHED),
        (20_000, EndReason.QUIT, EndReason.QUIT, AttemptState.ABANDONED),
    ],
)
def test_end_of_a_timed_attempt_is_time_only_when_its_time_is_over(
    after_ms: int, reason: EndReason, settled: EndReason, state: AttemptState
) -> None:
    running = typed_up_to("a", limit_ms=15_000)
    assert running.end(reason, OPENED_AT_MS + 1_000 + after_ms) is settled
    assert running.state is state


@pytest.mark.parametrize("reason", [reason for reason in EndReason if reason != "conflict"])
def test_attempt_without_a_keystroke_is_abandoned(reason: EndReason) -> None:
    empty = attempt(limit_ms=15_000)
    empty.end(reason, FAR_LATER_MS)
    assert empty.state is AttemptState.ABANDONED


@pytest.mark.parametrize("reason", [EndReason.DONE, EndReason.CONFLICT])
def test_ended_attempt_takes_nothing(reason: EndReason) -> None:
    ended = typed_up_to("ab")
    ended.end(reason, FAR_LATER_MS)
    with pytest.raises(Ended):
        ended.receive(3, pressed("c"), FAR_LATER_MS)


def test_time_is_over_by_the_clients_clock() -> None:
    running = typed_up_to("ab", limit_ms=15_000)  # the second key at 0.1 s arrived at 1 s
    first_at_ms = OPENED_AT_MS + 900
    assert not running.time_is_over(first_at_ms + 15_000 - LATE_MS_ALLOWED - 1)
    assert running.time_is_over(first_at_ms + 15_000)
    assert not attempt(limit_ms=15_000).time_is_over(FAR_LATER_MS)
    assert not typed_up_to("ab").time_is_over(FAR_LATER_MS)


# What is due


def test_untimed_attempt_is_due_when_idle_or_too_long() -> None:
    assert attempt().due_at_ms == OPENED_AT_MS + IDLE_MS_MAX
    running = typed_up_to("a")
    assert running.due_at_ms == OPENED_AT_MS + 1_000 + IDLE_MS_MAX
    assert running.due_reason() is EndReason.IDLE
    for seq, minutes in ((2, 9), (3, 18), (4, 27)):
        running.receive(seq, pressed("abcd")[seq - 1 : seq], OPENED_AT_MS + minutes * 60_000)
    assert running.due_at_ms == OPENED_AT_MS + 1_000 + DURATION_MS_MAX
    assert running.due_reason() is EndReason.LIMIT


def test_timed_attempt_is_due_two_seconds_after_its_limit() -> None:
    assert attempt(limit_ms=15_000).due_at_ms == OPENED_AT_MS + IDLE_MS_MAX
    running = typed_up_to("a", limit_ms=15_000)
    due_at_ms = OPENED_AT_MS + 1_000 + 15_000 + TIME_OVER_GRACE_MS
    assert running.due_at_ms == due_at_ms
    assert running.due_reason() is EndReason.TIME
    assert running.end(EndReason.TIME, due_at_ms) is EndReason.TIME
    assert running.state is AttemptState.FINISHED


def test_who_comes_back_after_the_limit_gets_two_seconds_to_hand_in() -> None:
    running = typed_up_to("a", limit_ms=15_000)
    running.resume(OPENED_AT_MS + 60_000)
    assert running.due_at_ms == OPENED_AT_MS + 60_000 + TIME_OVER_GRACE_MS


def test_coming_back_again_and_again_puts_the_end_off_no_longer_than_staying_away() -> None:
    running = typed_up_to("a", limit_ms=15_000)
    over_at_ms = OPENED_AT_MS + 1_000 + 15_000
    for now_ms in range(over_at_ms, over_at_ms + 600_000, 1_500):
        running.resume(now_ms)
    assert running.due_at_ms == over_at_ms + AWAY_GRACE_MS + TIME_OVER_GRACE_MS


def test_attempt_without_a_keystroke_is_due_for_being_idle() -> None:
    assert attempt().due_reason() is EndReason.IDLE
    assert attempt(limit_ms=15_000).due_reason() is EndReason.IDLE


@pytest.mark.parametrize(
    ("began_at_ms", "last_at_ms", "limit_ms", "due_at_ms"),
    [
        pytest.param(None, None, None, IDLE_MS_MAX, id="never began"),
        pytest.param(None, None, 15_000, IDLE_MS_MAX, id="timed, never began"),
        pytest.param(5, 9, None, 9 + IDLE_MS_MAX, id="idle"),
        pytest.param(5, DURATION_MS_MAX, None, 5 + DURATION_MS_MAX, id="too long"),
        pytest.param(5, 9, 15_000, 5 + 15_000 + AWAY_GRACE_MS, id="timed"),
    ],
)
def test_attempt_without_a_connection_ends_by_itself(
    began_at_ms: int | None, last_at_ms: int | None, limit_ms: int | None, due_at_ms: int
) -> None:
    assert away_due_at_ms(0, began_at_ms, last_at_ms, limit_ms) == due_at_ms


# Storage


def test_restored_batches_give_the_same_attempt() -> None:
    live = typed_up_to("abc")
    live.receive(4, pressed("xde")[1:], OPENED_AT_MS + 4_000)
    again = attempt()
    for batch in live.batches:
        assert again.restore(batch) == batch
    assert again.log == live.log
    assert again.late_ms == live.late_ms
    assert again.typed_text.score() == live.typed_text.score()
    assert (again.began_at_ms, again.last_arrived_at_ms) == (
        live.began_at_ms,
        live.last_arrived_at_ms,
    )
