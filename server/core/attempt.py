"""One person typing one text once: which keystrokes count, in which order, by whose clock.

Rules: docs/protocol.md, section 2. The caller stores what `receive` accepted before it says so.
"""

from enum import StrEnum

from server.core.history import Batch as Batch
from server.core.history import History
from server.core.typed_text import Keystroke, TypedText

KEYSTROKES_MAX = 20_000
DURATION_MS_MAX = 30 * 60_000
IDLE_MS_MAX = 10 * 60_000
LATE_MS_ALLOWED = 500
TIME_OVER_GRACE_MS = 2_000
AWAY_GRACE_MS = 120_000
CLOCK_DRIFT = 1.01  # a client's clock may run one per cent fast
CLOCK_SLACK_MS = 50
EARLY_MS_MAX = 50  # before a race's start
RACE_OUTAGE_MS_MAX = 5_000


class AttemptState(StrEnum):
    ARMED = "armed"  # no keystroke yet
    RUNNING = "running"
    FINISHED = "finished"
    ABANDONED = "abandoned"
    VOID = "void"


UNENDED = (AttemptState.RUNNING, AttemptState.ARMED)


class EndReason(StrEnum):
    """Why an attempt ends. The first three are the client's words."""

    DONE = "done"
    QUIT = "quit"
    TIME = "time"
    LIMIT = "limit"  # too many keystrokes or too long
    IDLE = "idle"
    CONFLICT = "conflict"  # keystrokes sent again differed from those stored


class Gap(Exception):
    """Keystrokes before these have not arrived."""


class Early(Exception):
    """The race has not started; the same keystrokes may come again when it has."""


class TooFast(Exception):
    """The keystrokes claim more time than has passed."""


class Conflict(Exception):
    """Keystrokes sent again are not those that were stored."""


class Ended(Exception):
    """The attempt is over; nothing counts any more."""


def away_due_at_ms(
    opened_at_ms: int,
    began_at_ms: int | None,
    last_arrived_at_ms: int | None,
    limit_ms: int | None,
) -> int:
    """When an attempt ends by itself while no connection drives it."""
    if began_at_ms is None or last_arrived_at_ms is None:
        return opened_at_ms + IDLE_MS_MAX
    if limit_ms is not None:
        return began_at_ms + limit_ms + AWAY_GRACE_MS
    return min(last_arrived_at_ms + IDLE_MS_MAX, began_at_ms + DURATION_MS_MAX)


class Attempt:
    """The authority on one attempt. `opened_at_ms` is when its clock starts: its text first went
    out, or, in a race, the start.

    All times are the server's, in ms; a client's `dt_ms` counts within the bound they give.
    """

    __slots__ = (
        "_lag_last_ms",
        "_lag_min_ms",
        "began_at_ms",
        "history",
        "last_arrived_at_ms",
        "opened_at_ms",
        "outage_ms",
        "resumed_at_ms",
        "state",
        "typed_text",
    )

    def __init__(self, typed_text: TypedText, opened_at_ms: int, outage_ms: int = 0) -> None:
        self.typed_text = typed_text
        self.opened_at_ms = opened_at_ms
        self.resumed_at_ms = opened_at_ms
        self.outage_ms = outage_ms
        self.state = AttemptState.ARMED
        self.history = History()
        self.began_at_ms: int | None = None  # arrival of the first batch
        self.last_arrived_at_ms: int | None = None  # arrival of the last batch that counted
        self._lag_last_ms = 0
        self._lag_min_ms: int | None = None

    @property
    def log(self) -> list[Keystroke]:
        """What counted; number 1 stands at index 0."""
        return self.history.keystrokes()

    @property
    def batches(self) -> list[Batch]:
        """The same, as it arrived."""
        return self.history.batches()

    @property
    def seq(self) -> int:
        """The number of the last keystroke that counted."""
        return len(self.history)

    @property
    def ended(self) -> bool:
        return self.state not in UNENDED

    @property
    def exhausted(self) -> bool:
        """No further keystroke can count."""
        return self.typed_text.over or self.seq >= KEYSTROKES_MAX

    def receive(self, seq: int, keystrokes: list[Keystroke], arrived_at_ms: int) -> Batch | None:
        """Take keystrokes `seq` and on; return those that were new and count, None if none did.

        Raises Ended, Early, Gap, Conflict or TooFast, and has then changed nothing. Check
        `exhausted` afterwards.
        """
        last = len(self.history)
        if self.ended or self.exhausted:
            raise Ended
        if self.typed_text.from_start and arrived_at_ms < self.opened_at_ms - EARLY_MS_MAX:
            raise Early
        if seq > last + 1:
            raise Gap
        if seq == 1 and keystrokes[0].dt_ms and not self.typed_text.from_start:
            # The clock of a solo attempt starts with its first key, whatever came before.
            keystrokes = [Keystroke(0, keystrokes[0].key), *keystrokes[1:]]
        known = last + 1 - seq
        if known and keystrokes[:known] != self.history.keystrokes(
            seq - 1, seq - 1 + len(keystrokes)
        ):
            raise Conflict
        fresh = tuple(keystrokes[known : known + KEYSTROKES_MAX - last])
        if not fresh:
            return None
        claimed_ms = self.typed_text.at_ms + sum([dt_ms for dt_ms, _ in fresh])
        if claimed_ms > CLOCK_DRIFT * (arrived_at_ms - self.opened_at_ms) + CLOCK_SLACK_MS:
            raise TooFast
        return self.restore(Batch(last + 1, arrived_at_ms, fresh))

    def restore(self, batch: Batch) -> Batch | None:
        """Apply a batch that was accepted before, as `receive` does with a new one."""
        apply = self.typed_text.apply
        counted = 0
        for keystroke in batch.keystrokes:
            if not apply(keystroke):
                break
            counted += 1
        if counted == 0:
            return None
        if counted < len(batch.keystrokes):
            batch = Batch(batch.seq, batch.arrived_at_ms, batch.keystrokes[:counted])
        self.history.add(batch)
        self.state = AttemptState.RUNNING
        self._arrive(batch.arrived_at_ms)
        return batch

    def _arrive(self, arrived_at_ms: int) -> None:
        if self.began_at_ms is None:
            self.began_at_ms = arrived_at_ms
        self.last_arrived_at_ms = arrived_at_ms
        self._lag_last_ms = arrived_at_ms - self.typed_text.at_ms
        if self._lag_min_ms is None or self._lag_last_ms < self._lag_min_ms:
            self._lag_min_ms = self._lag_last_ms

    @property
    def late_ms(self) -> int:
        """How much later the end arrived than an honest clock explains."""
        if self._lag_min_ms is None:
            return 0
        outage_ms = self.outage_ms
        if self.typed_text.from_start:
            outage_ms = min(outage_ms, RACE_OUTAGE_MS_MAX)
        return max(0, self._lag_last_ms - self._lag_min_ms - LATE_MS_ALLOWED - outage_ms)

    def resume(self, now_ms: int) -> None:
        """A new connection took the attempt: the time without one is nobody's fault."""
        if self.last_arrived_at_ms is not None:
            self.outage_ms += max(0, now_ms - self.last_arrived_at_ms)
        self.resumed_at_ms = now_ms

    def time_is_over(self, now_ms: int) -> bool:
        """Whether a timed text's limit has passed by the client's clock, as far as we can know it.

        The client's first key was typed no later than it arrived less the smallest lag seen.
        """
        limit_ms = self.typed_text.limit_ms
        if limit_ms is None or self._lag_min_ms is None:
            return False
        if self.typed_text.time_over or self.typed_text.at_ms >= limit_ms:
            return True
        return now_ms - self._lag_min_ms + LATE_MS_ALLOWED >= limit_ms

    @property
    def due_at_ms(self) -> int:
        """When the attempt ends by itself if nothing more arrives on its connection."""
        limit_ms = self.typed_text.limit_ms
        if limit_ms is None or self.began_at_ms is None:
            return away_due_at_ms(
                self.resumed_at_ms, self.began_at_ms, self.last_arrived_at_ms, limit_ms
            )
        # Who comes back late gets the same two seconds to hand in what was typed meanwhile, but
        # nobody more than who stays away.
        over_at_ms = self.began_at_ms + limit_ms
        back_at_ms = min(self.resumed_at_ms, over_at_ms + AWAY_GRACE_MS)
        return max(over_at_ms, back_at_ms) + TIME_OVER_GRACE_MS

    def due_reason(self) -> EndReason:
        """Why an attempt that is due ends, however late somebody notices."""
        if self.began_at_ms is None or self.last_arrived_at_ms is None:
            return EndReason.IDLE
        if self.typed_text.limit_ms is not None:
            return EndReason.TIME
        idle_at_ms = self.last_arrived_at_ms + IDLE_MS_MAX
        return (
            EndReason.IDLE if idle_at_ms < self.began_at_ms + DURATION_MS_MAX else EndReason.LIMIT
        )

    def end(self, reason: EndReason, now_ms: int) -> EndReason:
        """Settle the final state; return the reason as it really was."""
        if reason is EndReason.CONFLICT:
            self.state = AttemptState.VOID
            return reason
        reason = self._settled(reason, now_ms)
        finished = reason in (EndReason.DONE, EndReason.TIME, EndReason.LIMIT) and self.seq > 0
        self.state = AttemptState.FINISHED if finished else AttemptState.ABANDONED
        return reason

    def _settled(self, reason: EndReason, now_ms: int) -> EndReason:
        if self.typed_text.complete:
            return EndReason.DONE
        if self.seq >= KEYSTROKES_MAX or reason is EndReason.LIMIT:
            return EndReason.LIMIT
        if reason in (EndReason.DONE, EndReason.TIME):
            return EndReason.TIME if self.time_is_over(now_ms) else EndReason.QUIT
        return reason
