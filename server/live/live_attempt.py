"""An attempt while a connection drives it: core on one side, journal and acks on the other."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from server.core.attempt import (
    Attempt,
    AttemptState,
    Batch,
    Conflict,
    Early,
    Ended,
    EndReason,
    Gap,
    TooFast,
)
from server.core.score import Progress
from server.db.journal import Entry, Journal, Outcome
from server.db.queries import StoredAttempt
from server.live.result import done_message, ending
from server.protocol import (
    WINDOW,
    BadKeystroke,
    CloseCode,
    ErrorCode,
    Finish,
    Keys,
    Refused,
    encode,
    encode_ack,
)

ACK_S = 0.1  # at most ten acks a second
GAP_S = 0.2  # at most one `reject gap` in this time


class Watched(Protocol):
    """Who is told how an attempt goes."""

    def moved(self, progress: Progress) -> None:
        """So much is typed, and durable."""

    def ended(self) -> None:
        """The attempt has ended, and how is stored."""


class Driver(Protocol):
    """The connection that drives the attempt."""

    def send(self, message: str) -> None: ...

    def close(self, code: CloseCode, reason: str) -> None: ...


class Unacked(NamedTuple):
    """The score after a batch that is not durable yet."""

    seq: int
    progress: Progress
    touched: dict[str, tuple[int, int]]


class LiveAttempt:
    """Takes batches in, writes them to the journal, and acks what has become durable.

    Its owner is one connection; once `detach`ed it says nothing more, while entries already
    written still commit.
    """

    def __init__(
        self,
        h: int,
        stored: StoredAttempt,
        driver: Driver,
        journal: Journal,
        now_ms: Callable[[], int],
        onlooker: Watched | None = None,
    ) -> None:
        self.h = h
        self.id: str = stored.row["id"]
        self._row = dict(stored.row)
        self.epoch = stored.epoch
        self._attempt: Attempt = stored.attempt
        self._driver: Driver | None = driver
        self._journal = journal
        self._now_ms = now_ms
        self._onlooker = onlooker
        self._loop = asyncio.get_running_loop()
        self._durable_seq = self._attempt.seq
        self._progress = self._attempt.typed_text.progress()
        # All keys so far: nobody knows which of them an ack has told before this `opened`.
        self._touched = self._attempt.typed_text.take_touched()
        self._unacked: list[Unacked] = []  # few: an entry is settled within a moment
        self._entries = 0  # written, not settled
        self._settled: asyncio.Event | None = None  # there while somebody waits
        self._ack_timer: asyncio.TimerHandle | None = None
        self._acked_at_s = self._gap_at_s = -1.0
        self._stalled = False
        self._finish_re: list[int | None] = []  # requests that `done` must answer
        self._stored_end = self._attempt.ended
        self._due_timer: asyncio.TimerHandle | None = None
        if self._attempt.exhausted and not self._attempt.ended:
            self._end(EndReason.DONE, None)
        elif not self._attempt.ended:
            self._arm()

    def opened(self, re: int | None) -> None:
        """Say where the attempt stands, and its result if it has one the client has not got."""
        attempt, typed_text = self._attempt, self._attempt.typed_text
        elapsed_ms = 0
        if attempt.began_at_ms is not None:
            elapsed_ms = max(0, self._now_ms() - attempt.began_at_ms)
        self._send(
            encode(
                "opened",
                re,
                attempt=self.id,
                h=self.h,
                seq=self._durable_seq,
                state=attempt.state.value,
                text=self._row["text"],
                rules={"errors": self._row["rule"]},
                source=self._row["source"],
                typed="".join(typed_text.typed),
                at_ms=typed_text.at_ms,
                elapsed_ms=elapsed_ms,
                score=self._progress._asdict(),
            )
        )
        if self._stored_end and not self._row["got"]:
            self._send(done_message(self._row, None, self.h))

    def detach(self) -> None:
        """The connection is gone or has turned to something else."""
        self._driver = None
        for timer in (self._ack_timer, self._due_timer):
            if timer is not None:
                timer.cancel()
        self._wake()

    def forget_result(self) -> None:
        """The client has the result."""
        self._row["got"] = True

    @property
    def crowded(self) -> bool:
        """More keystrokes wait for the store than may."""
        return self._driver is not None and self._attempt.seq - self._durable_seq > WINDOW

    async def room(self) -> None:
        """Wait until few enough keystrokes wait for the store."""
        while self.crowded:
            await self._next_settled()

    async def quiet(self) -> None:
        """Wait until everything taken so far is settled."""
        while self._driver is not None and self._entries:
            await self._next_settled()

    async def _next_settled(self) -> None:
        self._settled = asyncio.Event()
        await self._settled.wait()

    def _wake(self) -> None:
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    # From the client

    def keys(self, message: Keys, arrived_at_ms: int) -> None:
        """Take a batch: it is applied at once and acked when durable, or refused whole.

        Raises BadKeystroke after the refusal was sent, for the connection to count strikes.
        """
        try:
            self._check_open()
            keystrokes = message.keystrokes()
            batch = self._attempt.receive(message.seq, keystrokes, arrived_at_ms)
        except Ended:
            self._reject("finished", "The attempt is over; this was not counted.")
        except Early:
            self._reject("early", "The race has not started; send this again when it has.")
        except Gap:
            self._reject_gap()
        except Conflict:
            self._end(EndReason.CONFLICT, None)
        except TooFast:
            self._reject("bad_event", "The keystrokes claim more time than has passed.")
        except BadKeystroke as bad:
            self._reject("bad_event", bad.message)
            raise
        else:
            self._took(batch)

    def _check_open(self) -> None:
        if self._attempt.ended:
            raise Ended

    def _took(self, batch: Batch | None) -> None:
        if self._attempt.exhausted:
            self._end(EndReason.DONE, batch)
        elif batch is not None:
            self._remember(batch)
            self._write(Entry(self, self.id, self.epoch, batch))
            if batch.seq == 1:
                self._arm()  # a timed text's clock starts with its first key
        elif self._durable_seq >= self._attempt.seq:
            self._ack_soon()  # all of it old and durable; else its commit will ack it

    def _remember(self, batch: Batch) -> None:
        typed_text = self._attempt.typed_text
        self._unacked.append(
            Unacked(batch.last_seq, typed_text.progress(), typed_text.take_touched())
        )

    def finish(self, message: Finish) -> None:
        """There are no keystrokes after `seq`. Raises Refused if more have been counted."""
        if self._attempt.ended:
            self._finish_re.append(message.id)
            self._done()
            return
        if message.seq > self._attempt.seq:
            self._gap(message.id)  # always: a request wants an answer
            return
        if message.seq < self._attempt.seq:
            raise Refused(ErrorCode.CONFLICT, "More keystrokes than `seq` have been counted.")
        self._finish_re.append(message.id)
        self._end(message.why, None)

    # Ending

    def give_up(self) -> None:
        """The person wants no more of it."""
        if not self._attempt.ended:
            self._end(EndReason.QUIT, None)

    def _end(self, reason: EndReason, batch: Batch | None) -> None:
        if batch is not None:
            self._remember(batch)
        reason = self._attempt.end(reason, self._now_ms())
        end = ending(self._attempt, self._row, reason)
        self._row |= end.columns
        if self._due_timer is not None:
            self._due_timer.cancel()
        self._write(Entry(self, self.id, self.epoch, batch, end))

    def _arm(self) -> None:
        if self._due_timer is not None:
            self._due_timer.cancel()
        wait_s = max(0, self._attempt.due_at_ms - self._now_ms()) / 1_000
        self._due_timer = self._loop.call_later(wait_s, self._due)

    def _due(self) -> None:
        # Keys that came since put the end off; the timer is set anew only here, not for each key.
        if self._attempt.ended:
            return
        now_ms = self._now_ms()
        if now_ms < self._attempt.due_at_ms:
            self._arm()
        else:
            self._end(self._attempt.due_reason(), None)

    def _done(self) -> None:
        if not self._stored_end:
            return
        for re in self._finish_re or [None]:
            self._send(done_message(self._row, re, self.h))
        self._finish_re.clear()

    # From the journal

    def _write(self, entry: Entry) -> None:
        self._entries += 1
        self._journal.write(entry)

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        """The journal has decided on an entry; called in the order they were written."""
        self._entries -= 1
        self._wake()
        if entry.ending is not None and self._onlooker is not None:
            self._onlooker.ended()
        if self._driver is None:
            return
        if outcome is Outcome.FENCED:
            self.superseded()
            return
        if outcome is Outcome.IMPOSSIBLE:
            self._driver.close(CloseCode.INTERNAL, "the attempt cannot be stored")
            return
        if entry.batch is not None:
            self._durable(self._unacked.pop(0))
        if self._stalled and not self._entries:
            self._stalled = False
            self._send(encode("stall", h=self.h, on=False))
        if entry.ending is None:
            self._ack_soon()
        else:
            self._row["personal_best"] = personal_best
            self._stored_end = True
            self._say_end()

    def _say_end(self) -> None:
        if self._driver is not None and self._attempt.state is AttemptState.VOID:
            # Said only now that it is stored: whoever opens it next must find it void.
            self._driver.close(CloseCode.CONFLICT, "keystrokes sent again differ")
        else:
            self._done()

    def _durable(self, unacked: Unacked) -> None:
        self._durable_seq = unacked.seq
        self._progress = unacked.progress
        if self._touched:
            self._touched |= unacked.touched
        else:
            self._touched = unacked.touched
        if self._onlooker is not None:
            self._onlooker.moved(unacked.progress)

    def superseded(self) -> None:
        """Another connection has taken the attempt."""
        if self._driver is not None:
            self._driver.close(CloseCode.SUPERSEDED, "opened on another connection")

    def stalled(self) -> None:
        if self._driver is not None and not self._stalled:
            self._stalled = True
            self._send(encode("stall", h=self.h, on=True))

    # To the client

    def _send(self, message: str) -> None:
        if self._driver is not None:
            self._driver.send(message)

    def _reject(self, code: str, message: str, re: int | None = None) -> None:
        next_seq = self._attempt.seq + 1
        self._send(encode("reject", re, h=self.h, seq=next_seq, code=code, message=message))

    def _reject_gap(self) -> None:
        now_s = self._loop.time()
        if now_s - self._gap_at_s >= GAP_S:
            self._gap_at_s = now_s
            self._gap()

    def _gap(self, re: int | None = None) -> None:
        self._reject("gap", "Keystrokes before these are missing; send them from `seq` on.", re)

    def _ack_soon(self) -> None:
        if self._ack_timer is None and not self._attempt.ended:
            wait_s = max(0.0, self._acked_at_s + ACK_S - self._loop.time())
            if wait_s:
                self._ack_timer = self._loop.call_later(wait_s, self._ack)
            else:
                self._ack()

    def _ack(self) -> None:
        self._ack_timer = None
        if self._stored_end:
            return  # `done` has acked everything
        self._acked_at_s = self._loop.time()
        self._journal.metrics.acks += 1
        self._send(encode_ack(self.h, self._durable_seq, self._progress, self._touched))
        self._touched = {}
