"""How much one connection, person or address may ask for, and how much may wait for a client."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.live.hub import AddressLimits, Hub
from server.live.limits import ADDRESSES_MAX, Bucket, Window, Windows
from server.live.outbox import BYTES_MAX, MESSAGES_MAX, Outbox

# Bucket


def test_bucket_gives_its_burst_and_then_what_drips_in() -> None:
    bucket = Bucket(rate_s=30, burst=90, now_s=0)
    assert [bucket.take(0) for _ in range(91)] == [True] * 90 + [False]
    assert [bucket.take(1) for _ in range(31)] == [True] * 30 + [False]


def test_bucket_holds_no_more_than_its_burst() -> None:
    bucket = Bucket(rate_s=30, burst=90, now_s=0)
    assert sum(bucket.take(3_600) for _ in range(200)) == 90


def test_bucket_forgives_a_backlog_above_its_burst_once() -> None:
    bucket = Bucket(rate_s=30, burst=90, now_s=0)
    bucket.forgive(10)
    assert sum(bucket.take(0) for _ in range(999)) == 90 + 300
    assert sum(bucket.take(3_600) for _ in range(999)) == 90


@settings(deadline=None)
@given(st.lists(st.floats(0, 2), max_size=80), st.integers(1, 9), st.integers(1, 20))
def test_bucket_never_gives_more_than_rate_and_burst(
    pauses_s: list[float], rate_s: int, burst: int
) -> None:
    bucket, now_s, taken = Bucket(rate_s, burst, 0), 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        taken += bucket.take(now_s)
        assert taken <= burst + rate_s * now_s + 1e-6


# Window


def test_window_counts_what_happened_in_its_span() -> None:
    window = Window(most=2, span_s=60)
    assert [window.take(at_s) for at_s in (0, 30, 59, 60, 61, 90)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_window_says_how_long_to_wait() -> None:
    window = Window(most=1, span_s=60)
    assert window.wait_s(5) == 0
    window.take(5)
    assert window.wait_s(15) == 50
    assert window.wait_s(65) == 0


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5), st.sampled_from([1.0, 2.5, 10.0]))
def test_window_holds_in_every_span(pauses_s: list[float], most: int, span_s: float) -> None:
    window, now_s, taken_at_s = Window(most, span_s), 0.0, list[float]()
    for pause_s in pauses_s:
        now_s += pause_s
        free = window.wait_s(now_s) == 0
        assert window.take(now_s) == free
        if free:
            taken_at_s.append(now_s)
    for at_s in taken_at_s:
        assert sum(at_s <= other_s < at_s + span_s - 1e-9 for other_s in taken_at_s) <= most


def test_windows_are_apart_and_the_longest_unheard_is_forgotten() -> None:
    windows = Windows(most=1, span_s=60)
    assert windows.of("first").take(0)
    assert not windows.of("first").take(1)
    assert windows.of("second").take(1)
    for number in range(ADDRESSES_MAX - 2):
        windows.of(str(number))
    assert not windows.of("first").take(2)  # heard of just now
    windows.of("one more")
    assert windows.of("second").take(2)  # forgotten in its place
    assert not windows.of("first").take(2)


# Outbox


class Peer:
    """A line whose other end reads only what it is told to."""

    def __init__(self) -> None:
        self.full = True
        self.read: list[str] = []

    def send(self, text: str) -> None:
        assert not self.full
        self.read.append(text)
        self.full = True

    def reads_one(self, outbox: Outbox) -> None:
        """Make room for one message."""
        self.full = False
        outbox.go_on()

    def close(self, code: int, reason: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


def test_outbox_sends_in_order_and_keeps_what_is_not_sent() -> None:
    outbox = Outbox(peer := Peer())
    assert outbox.put("one")
    assert outbox.put("two")
    assert (peer.read, outbox.empty) == ([], False)
    peer.reads_one(outbox)
    assert (peer.read, outbox.empty) == (["one"], False)
    peer.reads_one(outbox)
    assert (peer.read, outbox.empty) == (["one", "two"], True)


def test_outbox_sends_at_once_where_there_is_room() -> None:
    outbox = Outbox(peer := Peer())
    peer.full = False
    assert outbox.put("one")
    assert (peer.read, outbox.empty) == (["one"], True)


def test_outbox_lets_nothing_overtake_what_waits() -> None:
    outbox = Outbox(peer := Peer())
    outbox.put("one")
    peer.full = False  # and nobody has said so yet
    outbox.put("two")
    peer.reads_one(outbox)
    peer.reads_one(outbox)
    assert peer.read == ["one", "two"]


def test_outbox_takes_256_messages() -> None:
    outbox = Outbox(peer := Peer())
    assert all(outbox.put("x") for _ in range(MESSAGES_MAX))
    assert (MESSAGES_MAX, outbox.put("x")) == (256, False)
    peer.reads_one(outbox)
    assert outbox.put("x")


@pytest.mark.parametrize("char", ["x", "ё"])
def test_outbox_takes_256_kib_by_bytes_not_letters(char: str) -> None:
    outbox = Outbox(peer := Peer())
    length = BYTES_MAX // len(char.encode()) // 2
    assert BYTES_MAX == 256 * 1_024
    assert outbox.put(char * length)
    assert outbox.put(char * length)
    assert not outbox.put("x")
    peer.reads_one(outbox)
    assert outbox.put(char * length)


def test_one_message_alone_always_fits() -> None:
    outbox = Outbox(Peer())
    assert outbox.put("x" * (BYTES_MAX + 1))
    assert not outbox.put("x")


def test_of_messages_about_the_present_only_the_newest_waits() -> None:
    outbox = Outbox(peer := Peer())
    outbox.put("first")
    outbox.put_newest("then", lambda: "all of it")
    outbox.put_newest("now", lambda: "all of it")
    for _ in range(3):
        peer.reads_one(outbox)
    assert (peer.read, outbox.empty) == (["first", "all of it"], True)


def test_an_address_may_shake_hands_only_so_often() -> None:
    now_s = [0.0]
    limits = AddressLimits(connections=50, handshakes_s=10, guests_hour=60, loopback_free=True)
    hub = Hub(limits, lambda: now_s[0])
    waits_s = [hub.admit("203.0.113.1") for _ in range(51)]
    assert waits_s[:50] == [0.0] * 50
    assert 0 < waits_s[50] <= 5
    assert hub.admit("203.0.113.2") == hub.admit("127.0.0.1") == 0
    now_s[0] = 5.1
    assert hub.admit("203.0.113.1") == 0
