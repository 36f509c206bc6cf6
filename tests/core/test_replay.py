"""An attempt on file gives back what was put in."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.attempt import Attempt, Batch
from server.core.replay import (
    LOG_VERSION,
    pack_keystrokes,
    pack_log,
    retype,
    unpack_keystrokes,
    unpack_log,
)
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText
from tests.core import PROPERTY

OPENED_AT_MS = 1_700_000_000_000
KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
KEYSTROKES = st.lists(
    st.builds(Keystroke, st.integers(0, 600_000), KEY), min_size=1, max_size=9
).map(tuple)


@PROPERTY
@given(KEYSTROKES)
def test_keystrokes_survive_packing(keystrokes: tuple[Keystroke, ...]) -> None:
    assert unpack_keystrokes(pack_keystrokes(keystrokes)) == keystrokes


def test_ordinary_keystroke_takes_few_bytes() -> None:
    assert len(pack_keystrokes([Keystroke(90, "a")])) == 3
    assert len(pack_keystrokes([Keystroke(190, "ё")])) == 5
    assert pack_keystrokes([]) == b""


@PROPERTY
@given(st.lists(st.tuples(st.integers(-70_000, 2_000_000), KEYSTROKES), max_size=6))
def test_log_survives_packing_also_when_arrivals_run_backwards(
    arrivals: list[tuple[int, tuple[Keystroke, ...]]],
) -> None:
    batches: list[Batch] = []
    for after_ms, keystrokes in arrivals:
        seq = batches[-1].last_seq + 1 if batches else 1
        batches.append(Batch(seq, OPENED_AT_MS + after_ms, keystrokes))
    assert list(unpack_log(pack_log(batches, OPENED_AT_MS), OPENED_AT_MS)) == batches


def test_log_of_a_later_version_is_refused() -> None:
    log = pack_log([Batch(1, OPENED_AT_MS, (Keystroke(0, "a"),))], OPENED_AT_MS)
    assert log[0] == LOG_VERSION == 1
    with pytest.raises(ValueError, match="version 2"):
        next(unpack_log(bytes([2]) + log[1:], OPENED_AT_MS))


def test_log_version_1_is_what_it_always_was() -> None:
    """Bytes written by hand from the definition: stored logs must be readable for ever."""
    packed = bytes([0xA0, 0x06, 2, 0, 1, 0x61, 0xAC, 0x02, 2, 0xD1, 0x91, 9, 1, 5, 1, 0x08])
    batches = list(unpack_log(bytes([1]) + zlib.compress(packed), OPENED_AT_MS))
    assert batches == [
        Batch(1, OPENED_AT_MS + 400, (Keystroke(0, "a"), Keystroke(300, "ё"))),
        Batch(3, OPENED_AT_MS + 395, (Keystroke(5, "\b"),)),
    ]


@PROPERTY
@given(
    st.lists(
        st.builds(Keystroke, st.integers(0, 400), st.sampled_from("abc .\b\u0017…")), max_size=40
    ),
    st.sampled_from(ErrorRule),
    st.sampled_from([None, 3_000]),
    st.booleans(),
    st.integers(1, 9),
)
def test_attempt_scores_the_same_live_and_from_its_log(
    keystrokes: list[Keystroke],
    rule: ErrorRule,
    limit_ms: int | None,
    from_start: bool,
    batch_length: int,
) -> None:
    text = Text.of("ab c.. .ba cab")
    attempt = Attempt(TypedText(text, rule, limit_ms, from_start), OPENED_AT_MS)
    for at in range(0, len(keystrokes), batch_length):
        if not attempt.exhausted:
            arrived_at_ms = OPENED_AT_MS + 30_000 + 700 * at
            attempt.receive(at + 1, keystrokes[at : at + batch_length], arrived_at_ms)
    log = pack_log(attempt.batches, OPENED_AT_MS)
    stored = [
        keystroke for batch in unpack_log(log, OPENED_AT_MS) for keystroke in batch.keystrokes
    ]
    again = retype(text, rule, limit_ms, stored, from_start)
    assert stored == attempt.log
    assert again.score(attempt.late_ms) == attempt.typed_text.score(attempt.late_ms)
    assert again.typed == attempt.typed_text.typed
