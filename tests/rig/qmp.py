# SPDX-License-Identifier: GPL-2.0
"""QEMU's monitor: pulling cables and cards."""
import json
import socket
import time


class QmpError(RuntimeError):
    """The monitor refused a command."""


class Qmp:
    """One QMP connection; events are kept until somebody waits for them."""

    def __init__(self, path, timeout=30):
        self._socket = socket.socket(socket.AF_UNIX)
        self._connect(path, timeout)
        self._received = b""
        self._events = []
        self._read(timeout)
        self.command("qmp_capabilities")

    def _connect(self, path, timeout):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._socket.connect(str(path))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _read(self, timeout=30):
        """The next message; TimeoutError when there is none in time."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._received:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            piece = self._socket.recv(65536)
            if not piece:
                raise QmpError("QEMU closed its monitor")
            self._received += piece
        line, self._received = self._received.split(b"\n", 1)
        return json.loads(line)

    def command(self, name, /, **arguments):
        """Run one command and return its result; keywords may use _ for -."""
        request = {"execute": name}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._read()
            if "event" in answer:
                self._events.append(answer)
            elif "error" in answer:
                raise QmpError(f"{name}: {answer['error']['desc']}")
            elif "return" in answer:
                return answer["return"]

    def forget_events(self):
        """Events up to now do not matter."""
        self._events.clear()

    def wait_event(self, name, timeout=15, **data):
        """Return the oldest event of that name and @data, waiting for it if need be."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self._events:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    self._events.remove(event)
                    return event
            try:
                self._events.append(self._read(deadline - time.monotonic()))
            except TimeoutError as error:
                raise QmpError(f"no event {name} within {timeout} s") from error

    def close(self):
        """Close the connection."""
        self._socket.close()
