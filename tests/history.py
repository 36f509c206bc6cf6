"""What one client did and was told, in order, and what that may not contain."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.expected_score import Event, expected_live


@dataclass(frozen=True)
class Moment:
    """One thing that happened to a client: sent, ack, opened, reject, stall, done, close, ..."""

    at_s: float  # by the monotonic clock
    kind: str
    fields: dict[str, Any]


@dataclass
class History:
    """The record of one attempt as its client saw it. `events` is everything typed."""

    text: str = ""
    events: list[Event] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def record(self, kind: str, **fields: Any) -> None:
        self.moments.append(Moment(time.monotonic(), kind, fields))

    def of(self, kind: str) -> list[Moment]:
        """The moments of one kind, in order."""
        return [moment for moment in self.moments if moment.kind == kind]


def violations(history: History) -> list[str]:
    """Every broken promise of the protocol that this history alone proves."""
    return [*_lost_acks(history), *_wrong_answers(history), *_second_results(history)]


def _lost_acks(history: History) -> Iterator[str]:
    """An ack means durable: what was acked once may never be missing from a later `opened`."""
    acked = sent = 0
    for moment in history.moments:
        seq = moment.fields.get("seq", 0)
        if moment.kind == "sent":
            sent = max(sent, seq + moment.fields["count"] - 1)
        elif moment.kind in ("ack", "opened", "done"):
            if seq < acked and moment.kind != "ack":
                yield f"lost ack: {moment.kind}.seq {seq} after an ack of {acked}"
            if seq > sent:
                yield f"{moment.kind}.seq {seq} though only {sent} were sent"
            # After a loss the count starts again from what the server then says.
            acked = seq if moment.kind == "opened" else max(acked, seq)


def _wrong_answers(history: History) -> Iterator[str]:
    """What the server says of the first `seq` events is what those events say."""
    for moment in history.moments:
        if moment.kind not in ("ack", "opened"):
            continue
        seq = moment.fields["seq"]
        if seq > len(history.events):
            continue
        told = _live_fields(moment)
        expected = expected_live(history.text, history.events[:seq])
        for name, value in told.items():
            if not _agree(name, value, expected[name]):
                yield f"{moment.kind} {seq}: {name} is {value!r}, expected {expected[name]!r}"


def _live_fields(moment: Moment) -> dict[str, Any]:
    message = moment.fields
    if moment.kind == "opened":
        return {"typed": message["typed"], "at_ms": message["at_ms"], **message["score"]}
    names = ("position", "wpm", "raw_wpm", "accuracy", "errors", "keys")
    return {name: message[name] for name in names}


def _agree(name: str, told: Any, expected: Any) -> bool:
    if name == "keys":  # an ack names at least the keys touched since the last one
        return all(expected.get(key) == counts for key, counts in told.items())
    return same_number(told, expected) if isinstance(expected, float) else bool(told == expected)


def _second_results(history: History) -> Iterator[str]:
    results = [moment.fields["result"] for moment in history.of("done")]
    for later in results[1:]:
        if later != results[0]:
            yield f"a second result: {later} after {results[0]}"


def wrong_result(told: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The fields of a result that differ from the independent computation."""
    return [
        f"result.{name} is {told.get(name)!r}, expected {value!r}"
        for name, value in expected.items()
        if not _same(told.get(name), value)
    ]


def _same(told: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(told, int | float):
        return same_number(told, expected)
    if isinstance(expected, dict) and isinstance(told, dict):
        return told.keys() == expected.keys() and all(
            _same(told[name], expected[name]) for name in expected
        )
    return bool(told == expected)


def same_number(told: float, expected: float) -> bool:
    """Equal but for the last decimal, where two roundings of a half may differ."""
    step = 0.0001 if abs(expected) <= 1 else 0.01
    return abs(told - expected) <= step * 1.01


def highest_ack(moments: Sequence[Moment]) -> int:
    """The highest event the server called durable."""
    acks = [m.fields["seq"] for m in moments if m.kind in ("ack", "opened", "done")]
    return max(acks, default=0)
