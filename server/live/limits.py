"""How much one connection, person or address may ask for."""

from collections import OrderedDict

ADDRESSES_MAX = 10_000  # the longest unheard are forgotten first


class Bucket:
    """Tokens that drip in at `rate_s` a second, up to `burst`. Times are seconds of one clock."""

    __slots__ = ("_at_s", "_burst", "_rate_s", "_tokens")

    def __init__(self, rate_s: float, burst: float, now_s: float) -> None:
        self._rate_s = rate_s
        self._burst = burst
        self._tokens = burst
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take a token; False if there is none."""
        dripped = self._tokens + (now_s - self._at_s) * self._rate_s
        self._tokens = min(dripped, max(self._burst, self._tokens))
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def forgive(self, seconds: float) -> None:
        """Add what came in while we did not listen: a backlog of our own making is no flood."""
        self._tokens += seconds * self._rate_s


class Window:
    """At most `most` events in any `span_s` seconds."""

    __slots__ = ("_at_s", "_most", "_span_s")

    def __init__(self, most: int, span_s: float) -> None:
        self._most = most
        self._span_s = span_s
        self._at_s: list[float] = []

    def take(self, now_s: float) -> bool:
        """Count an event; False, and not counted, if there were too many."""
        if self.wait_s(now_s) > 0:
            return False
        self._at_s.append(now_s)
        return True

    def wait_s(self, now_s: float) -> float:
        """How long until another event fits; 0 if it fits now."""
        while self._at_s and self._at_s[0] <= now_s - self._span_s:
            self._at_s.pop(0)
        if len(self._at_s) < self._most:
            return 0.0
        return self._at_s[0] + self._span_s - now_s


class Windows:
    """A window for each of many names (addresses, people)."""

    def __init__(self, most: int, span_s: float) -> None:
        self._most = most
        self._span_s = span_s
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def of(self, name: str) -> Window:
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = Window(self._most, self._span_s)
            if len(self._windows) > ADDRESSES_MAX:
                self._windows.popitem(last=False)
        self._windows.move_to_end(name)
        return window
