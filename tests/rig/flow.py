# SPDX-License-Identifier: GPL-2.0
"""Whether a port works, moment by moment: questions on the wire that the guest's kernel answers,
amid other frames both ways."""
import contextlib
import itertools
import threading
import time

from . import frames, project
from .settings import HERE, THERE

STEP = 0.01             # seconds between two questions
PAUSE = 0.3             # no answer for that long may be the host's fault
AT_ONCE = 4             # frames that go with each question


class Flow:  # pylint: disable=too-many-instance-attributes
    """ARP's questions, each from an address of its own, and when they were answered."""

    def __init__(self, wire, mac):
        self._wire = wire
        self._mac = bytes.fromhex(mac.replace(":", ""))
        self._more = frames.series(mac, AT_ONCE, 300)
        self._done = threading.Event()
        self._asking = None
        self.asked, self.answered = set(), set()
        self.moments = []           # of answers
        self._numbers = itertools.count(1)
        self._untap = None

    def __enter__(self):
        self._untap = self._wire.tap(self._arrived)
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """No more questions; once is enough."""
        if not self._done.is_set():
            self._done.set()
            self._asking.join()
            self._untap()
            self._wire.drain()

    def _question(self, number):
        sender = b"\2\0" + number.to_bytes(4, "big")
        here, there = (bytes(map(int, address.split("."))) for address in (HERE, THERE))
        return frames.padded(self._mac + sender + b"\x08\x06\0\1\x08\0\6\4\0\1" + sender + there
                             + bytes(6) + here)

    def _ask(self):
        while not self._done.wait(STEP):
            number = next(self._numbers)
            # What is in the way is not asked again: the port takes nothing.
            with contextlib.suppress(AssertionError, OSError):
                self._wire.burst([self._question(number), *self._more], timeout=0.1)
                self.asked.add(number)
            self._wire.drain()

    def _arrived(self, frame):
        if frame[:2] == b"\2\0" and frame[12:14] == b"\x08\x06":
            self.answered.add(int.from_bytes(frame[2:6], "big"))
            self.moments.append(time.monotonic())

    def gaps(self, since):
        """(how long, until when) for every time between two answers, and until now."""
        now = time.monotonic()
        moments = [since, *(moment for moment in self.moments if moment > since), now]
        return [(later - earlier, later) for earlier, later in itertools.pairwise(moments)]

    def steady(self, span=1.5):
        """Whether there were answers all the last moments."""
        return max(self.gaps(time.monotonic() - span))[0] < PAUSE

    def wait(self, limit):
        """Whether it becomes steady in that many seconds."""
        deadline = time.monotonic() + limit * project.PATIENCE
        while not self.steady():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def lost(self):
        """How many of the questions got no answer, and of how many; once none is on its way."""
        asked = set(self.asked)
        time.sleep(1)
        return len(asked - self.answered), len(asked)
