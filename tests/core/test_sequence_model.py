"""A client, the core, a journal and a network that loses, repeats and reorders: nothing is lost.

The model types, sends, crashes, comes back and is taken over in any order that can be thought of,
and after every step asks what the protocol promises (docs/protocol.md, "Sequence and durability").
The same model must go red on servers that are wrong in one point each.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from server.core.attempt import Attempt, Batch, Conflict, Gap, TooFast
from server.core.replay import pack_log, retype, unpack_log
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText

OPENED_AT_MS = 1_000_000
BATCH_MAX = 3
FATE = st.sampled_from(["arrives", "written", "written", "twice", "overtakes", "lost"])
BACK = st.sampled_from([0, 0, 1, 5])
TEXT = Text.of("the quick brown fox jumps over the lazy dog. " * 20)

Send = Callable[[int], None]


class Server:
    """The core with a journal, as a connection drives them. What `commit` wrote is durable."""

    def __init__(self, ack: Send) -> None:
        self.ack = ack
        self.journal: list[Batch] = []
        self.outage_ms = 0
        self.epoch = 0  # in the store: who may write
        self.unwritten: list[Batch] = []
        self.attempt = self.rebuilt()

    @property
    def durable_seq(self) -> int:
        return self.journal[-1].last_seq if self.journal else 0

    def rebuilt(self) -> Attempt:
        """The attempt as the store knows it, its batches through their stored form."""
        typed_text = TypedText(TEXT, ErrorRule.FREE)
        attempt = Attempt(typed_text, OPENED_AT_MS, self.outage_ms)
        for batch in unpack_log(pack_log(self.journal, OPENED_AT_MS), OPENED_AT_MS):
            attempt.restore(batch)
        return attempt

    def receive(self, seq: int, keystrokes: list[Keystroke], now_ms: int) -> None:
        try:
            batch = self.attempt.receive(seq, keystrokes, now_ms)
        except Gap:
            return  # the client is told, and sends from `opened.seq` when it comes back
        if batch is not None:
            self.unwritten.append(batch)
        elif not self.unwritten:
            self.ack(self.durable_seq)

    def commit(self) -> None:
        """The store has the oldest batch; only now is it acked."""
        self.write(self.epoch, self.unwritten.pop(0))
        self.ack(self.durable_seq)

    def write(self, epoch: int, batch: Batch) -> None:
        """A batch under the epoch of whoever heard it; an older one writes nothing."""
        if epoch == self.epoch:
            self.journal.append(batch)

    def crash(self) -> None:
        """Memory is gone; the journal is not."""
        self.unwritten.clear()

    def open(self, now_ms: int) -> int:
        """A connection opens the attempt, first or again; return `opened.seq`."""
        self.epoch += 1
        self.attempt = self.rebuilt()
        self.attempt.resume(now_ms)
        self.outage_ms = self.attempt.outage_ms
        return self.durable_seq


@dataclass(frozen=True)
class Packet:
    """A batch on its way to the server."""

    seq: int
    keystrokes: tuple[Keystroke, ...]


@dataclass(frozen=True)
class Older:
    """A connection that has lost the attempt to a newer one and does not know it yet."""

    epoch: int
    attempt: Attempt
    unwritten: list[Batch]
    wire: list[Packet]


class SequenceModel(RuleBasedStateMachine):
    """One attempt, from the first key to the last ack; `server_class` is put to the test."""

    server_class: type[Server] = Server

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = OPENED_AT_MS + 500
        self.typed: list[Keystroke] = []
        self.typed_at_ms = self.now_ms
        self.sent_seq = 0  # how far the client has sent on this connection
        self.acked_seq = 0  # the highest ack that the store must honour
        self.outages_ms = 0
        self.wire: list[Packet] = []
        self.older: list[Older] = []
        self.server = self.server_class(self.acked)

    def acked(self, seq: int) -> None:
        """What an ack promises, at the moment it is sent."""
        assert seq == self.server.durable_seq, f"ack of {seq}, which is not durable"
        assert seq >= self.acked_seq, f"ack went back from {self.acked_seq} to {seq}"
        self.acked_seq = seq

    # The person and the client

    @rule(count=st.integers(1, 9), pause_ms=st.sampled_from([0, 90, 900]), back=BACK)
    def type_and_send(self, count: int, pause_ms: int, back: int) -> None:
        """Type on, then send what is new; in front of it perhaps some that were sent before."""
        self.type_keys(count, pause_ms)
        seq = max(1, self.sent_seq + 1 - back)
        for start in range(seq, len(self.typed) + 1, BATCH_MAX):
            self.wire.append(Packet(start, tuple(self.typed[start - 1 : start - 1 + BATCH_MAX])))
        self.sent_seq = len(self.typed)

    def type_keys(self, count: int, pause_ms: int) -> None:
        """No two stretches alike: keystrokes in a wrong place must show."""
        self.now_ms += pause_ms
        for nth in range(len(self.typed), len(self.typed) + count):
            self.now_ms += 60 + 7 * nth % 97
            dt_ms = self.now_ms - self.typed_at_ms if self.typed else 0
            key = "\b" if nth % 11 == 10 else TEXT.graphemes[nth]
            self.typed.append(Keystroke(dt_ms, key))
            self.typed_at_ms = self.now_ms

    # The network

    @precondition(lambda self: self.wire)
    @rule(fates=st.lists(FATE, min_size=1, max_size=8), delay_ms=st.sampled_from([0, 80, 1_500]))
    def carry(self, fates: list[str], delay_ms: int) -> None:
        """Packets arrive, late or twice or before others or not at all; the store does some work.

        What arrives twice does so the second time after everything that is on its way now.
        """
        self.now_ms += delay_ms
        self.older_go_on()
        for fate in fates[: len(self.wire)]:
            packet = self.wire.pop(1 if fate == "overtakes" and len(self.wire) > 1 else 0)
            if fate == "twice":
                self.wire.append(packet)
            if fate != "lost":
                self.server.receive(packet.seq, list(packet.keystrokes), self.now_ms)
            if fate == "written" and self.server.unwritten:
                self.server.commit()

    @rule(away_ms=st.sampled_from([0, 900, 4_000]), taken=st.sampled_from([False, False, True]))
    def cut(self, away_ms: int, taken: bool) -> None:
        """The connection is lost, what has arrived still written; or a newer one takes over."""
        if taken:
            self.take_over()
        while self.server.unwritten:
            self.server.commit()
        self.come_back(away_ms)

    def take_over(self) -> None:
        """A newer connection opens the attempt while the older one is still at work."""
        server = self.server
        self.older.append(
            Older(server.epoch, server.attempt, list(server.unwritten), list(self.wire))
        )
        server.unwritten.clear()

    def older_go_on(self) -> None:
        """What the older had heard, or hears now, is written too late."""
        while self.older:
            older = self.older.pop(0)
            for packet in older.wire:
                with suppress(Gap):
                    batch = older.attempt.receive(packet.seq, list(packet.keystrokes), self.now_ms)
                    older.unwritten.extend([batch] if batch is not None else [])
            for batch in older.unwritten:
                self.server.write(older.epoch, batch)

    def come_back(self, away_ms: int) -> None:
        self.wire.clear()
        self.now_ms += away_ms
        if self.server.journal:
            self.outages_ms += self.now_ms - self.server.journal[-1].arrived_at_ms
        opened_seq = self.server.open(self.now_ms)
        assert opened_seq >= self.acked_seq, f"lost: opened at {opened_seq} of {self.acked_seq}"
        self.sent_seq = opened_seq  # the truth, whatever was acked before

    # The store

    @precondition(lambda self: self.server.attempt.seq)
    @rule(away_ms=st.sampled_from([0, 2_000]), forgets=st.sampled_from([0, 0, 0, 1]))
    def crash(self, away_ms: int, forgets: int) -> None:
        """The process dies. Only a store that itself forgot its tail may take an ack back."""
        if forgets:
            del self.server.journal[-forgets:]
            self.acked_seq = self.server.durable_seq
        self.server.crash()
        self.come_back(away_ms)

    # The promises

    @invariant()
    def journal_is_a_contiguous_prefix_of_what_was_typed(self) -> None:
        stored: list[Keystroke] = []
        for batch in self.server.journal:
            assert batch.seq == len(stored) + 1
            stored += batch.keystrokes
        assert stored == self.typed[: len(stored)]

    @invariant()
    def nothing_is_taken_that_was_not_typed(self) -> None:
        log = self.server.attempt.log
        assert log == self.typed[: len(log)]

    def late_ms(self) -> int:
        """As defined: how much the last lag exceeds the least, half a second and the outages."""
        lags_ms = []
        for batch in self.server.journal:
            at_ms = sum(dt_ms for dt_ms, _ in self.typed[: batch.last_seq])
            lags_ms.append(batch.arrived_at_ms - at_ms)
        return max(0, lags_ms[-1] - min(lags_ms) - 500 - self.outages_ms) if lags_ms else 0

    def teardown(self) -> None:
        """The network heals: everything typed becomes durable, and scores as it did live."""
        self.type_keys(2, 90)
        self.older_go_on()
        self.cut(4_000, taken=False)
        for seq in range(self.server.durable_seq + 1, len(self.typed) + 1, BATCH_MAX):
            self.server.receive(seq, self.typed[seq - 1 : seq - 1 + BATCH_MAX], self.now_ms)
        while self.server.unwritten:
            self.server.commit()
        assert self.acked_seq == self.server.durable_seq == len(self.typed)
        live, again = self.server.attempt, self.server.rebuilt()
        assert again.late_ms == live.late_ms == self.late_ms()
        assert again.typed_text.score() == live.typed_text.score()
        assert retype(TEXT, ErrorRule.FREE, None, self.typed).score() == live.typed_text.score()


# Servers that are wrong in one point


class AcksBeforeTheJournal(Server):
    def receive(self, seq: int, keystrokes: list[Keystroke], now_ms: int) -> None:
        super().receive(seq, keystrokes, now_ms)
        self.ack(self.attempt.seq)


class TakesAnOverlapWhole(Server):
    def receive(self, seq: int, keystrokes: list[Keystroke], now_ms: int) -> None:
        if seq <= self.attempt.seq < seq + len(keystrokes) - 1:
            seq = self.attempt.seq + 1
        super().receive(seq, keystrokes, now_ms)


class FillsNoGap(Server):
    def receive(self, seq: int, keystrokes: list[Keystroke], now_ms: int) -> None:
        super().receive(min(seq, self.attempt.seq + 1), keystrokes, now_ms)


class TakesARepeatedBatchTwice(Server):
    def receive(self, seq: int, keystrokes: list[Keystroke], now_ms: int) -> None:
        super().receive(max(seq, self.attempt.seq + 1), keystrokes, now_ms)


class ForgetsTheJournalsTail(Server):
    def crash(self) -> None:
        super().crash()
        self.journal = self.journal[:-1]


class WritesUnderAnyEpoch(Server):
    def write(self, epoch: int, batch: Batch) -> None:
        super().write(self.epoch, batch)


class WritesOutOfOrder(Server):
    def commit(self) -> None:
        self.journal.append(self.unwritten.pop())
        self.ack(self.durable_seq)


class KeepsMemoryOverACrash(Server):
    def open(self, now_ms: int) -> int:
        self.attempt.resume(now_ms)
        return self.durable_seq


class ForgetsOutages(Server):
    def open(self, now_ms: int) -> int:
        opened_seq = super().open(now_ms)
        self.outage_ms = 0
        return opened_seq


BROKEN = [
    AcksBeforeTheJournal,
    TakesAnOverlapWhole,
    FillsNoGap,
    TakesARepeatedBatchTwice,
    ForgetsTheJournalsTail,
    WritesUnderAnyEpoch,
    WritesOutOfOrder,
    KeepsMemoryOverACrash,
    ForgetsOutages,
]

RUN = settings(max_examples=25, stateful_step_count=15, deadline=None)
HUNT = settings(
    RUN,
    max_examples=200,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)


def test_nothing_typed_is_lost_or_counted_twice() -> None:
    run_state_machine_as_test(SequenceModel, settings=RUN)


@pytest.mark.parametrize("broken", BROKEN)
def test_model_goes_red_on_a_server_that(broken: type[Server]) -> None:
    model = type(f"Model{broken.__name__}", (SequenceModel,), {"server_class": broken})
    with pytest.raises((AssertionError, Conflict, TooFast)):
        run_state_machine_as_test(model, settings=HUNT)
