# SPDX-License-Identifier: GPL-2.0
"""The raw wire: QEMU connects to a unix socket, on which whole frames come and go."""
import collections
import contextlib
import os
import select
import socket
import struct
import threading
import time

from . import frames

LENGTH = struct.Struct(">I")


class Wire:
    """The other end of a port's cable."""

    def __init__(self, path):
        self.path = str(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._peer = None
        self._connected = threading.Event()
        self._frames = collections.deque()
        self._news = threading.Condition()
        self._taps = []
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def netdev(self):
        """The back-end's name for run-qemu.sh."""
        return f"unix:{self.path}"

    def close(self):
        """Cut the cable."""
        self._listener.close()
        if self._peer:
            self._peer.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def _serve(self):
        try:
            self._peer, _ = self._listener.accept()
            self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self._connected.set()
            stream = self._peer.makefile("rb", buffering=1 << 20)
            while True:
                head = stream.read(LENGTH.size)
                if len(head) < LENGTH.size:
                    return
                self._arrived(stream.read(LENGTH.unpack(head)[0]))
        except (OSError, ValueError):
            return

    def _arrived(self, frame):
        for tap in list(self._taps):
            tap(frame)
        with self._news:
            self._frames.append(frame)
            self._news.notify_all()

    def tap(self, action):
        """Call @action with every frame that arrives; returns what undoes it."""
        self._taps.append(action)
        return lambda: self._taps.remove(action)

    # -------------------------------------------------------------- sending

    def send(self, frame, timeout=20):
        """Put one frame on the wire."""
        self.burst([frame], timeout)

    def burst(self, many, timeout=60):
        """Put frames on the wire back to back; waits where QEMU holds back."""
        if not self._connected.wait(10):
            raise AssertionError("QEMU did not connect to the wire")
        data = memoryview(b"".join(LENGTH.pack(len(frame)) + frame for frame in many))
        deadline = time.monotonic() + timeout
        with self._lock:
            while data:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self._peer], [], left)[1]:
                    raise AssertionError(f"the port took no frame for {timeout} s")
                data = data[self._peer.send(data, socket.MSG_DONTWAIT):]

    @contextlib.contextmanager
    def pouring(self, many, pause=0.01):
        """While the block runs, send @many frames again and again, whether they are taken or not."""
        over = threading.Event()

        def pour():
            while not over.wait(pause):
                with contextlib.suppress(AssertionError, OSError):
                    self.burst(many, timeout=1)
        sender = threading.Thread(target=pour)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()

    # ------------------------------------------------------------ receiving

    def drain(self):
        """Forget, and return, what has arrived."""
        with self._news:
            arrived = list(self._frames)
            self._frames.clear()
        return arrived

    def recv(self, match=frames.is_ours, timeout=10):
        """The next frame that @match accepts; others are thrown away."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                while self._frames:
                    frame = self._frames.popleft()
                    if match(frame):
                        return frame
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no such frame on the wire in {timeout} s")
                self._news.wait(left)

    def collect(self, count, match=frames.is_ours, timeout=30):
        """@count frames that match, in order of arrival; fewer when time is up."""
        got = []
        deadline = time.monotonic() + timeout
        while len(got) < count and time.monotonic() < deadline:
            try:
                got.append(self.recv(match, max(0.01, deadline - time.monotonic())))
            except AssertionError:
                break
        return got
