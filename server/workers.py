"""Several processes that do the same work, and a parent that does nothing but keep them."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

log = logging.getLogger(__name__)

AGAIN_S = 1.0
STOPS = (signal.SIGINT, signal.SIGTERM)


class Workers:
    """Runs `work` in `count` processes, and starts another one whenever one ends by itself."""

    def __init__(self, count: int, work: Callable[[], None]) -> None:
        self._count = count
        self._work = work
        self._pids: set[int] = set()
        self._stop: int | None = None
        # Nobody ever writes: its end is what children read when the parent is gone.
        self._alive, self._parent = os.pipe()

    def run(self) -> None:
        """Keep them until SIGTERM or SIGINT, which all get, and end by it once all have ended.

        In a child it returns, too: when the work is done.
        """
        for number in STOPS:
            signal.signal(number, self._pass_on)
        log.info("%d processes under process %d", self._count, os.getpid())
        while self._stop is None or self._pids:
            if self._stop is None and len(self._pids) < self._count:
                if self._start():
                    return
            else:
                self._wait()
        _as_usual()
        signal.raise_signal(self._stop)

    def _start(self) -> bool:
        """One more. True in the child, when its work is done."""
        # A signal waits until the parent knows whom to pass it on to.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        pid = os.fork()
        if pid:
            self._pids.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            return False
        os.close(self._parent)
        os.setpgrp()  # Ctrl-C is for the parent, which passes it on: twice would be an order
        _as_usual()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        threading.Thread(target=self._outlive, daemon=True).start()
        self._work()
        return True

    def _outlive(self) -> None:
        """In a child: stop in an orderly way when the parent was killed."""
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _wait(self) -> None:
        pid, status = os.wait()
        self._pids.discard(pid)
        if self._stop is None:
            code = os.waitstatus_to_exitcode(status)
            log.error("process %d has ended with code %d; another one takes its place", pid, code)
            time.sleep(AGAIN_S)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stop = number
        for pid in self._pids:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)


def _as_usual() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
