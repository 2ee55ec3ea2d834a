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
        self._socket.settimeout(timeout)
        self._connect(path, timeout)
        self._stream = self._socket.makefile("rwb")
        self._events = []
        self._read()
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

    def _read(self):
        line = self._stream.readline()
        if not line:
            raise QmpError("QEMU closed its monitor")
        return json.loads(line)

    def command(self, name, /, **arguments):
        """Run one command and return its result; keywords may use _ for -."""
        request = {"execute": name}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "event" in answer:
                self._events.append(answer)
            elif "error" in answer:
                raise QmpError(f"{name}: {answer['error']['desc']}")
            elif "return" in answer:
                return answer["return"]

    def wait_event(self, name, timeout=15):
        """Return the oldest event of that name, waiting for it if need be."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self._events:
                if event["event"] == name:
                    self._events.remove(event)
                    return event
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                answer = self._read()
            except TimeoutError as error:
                raise QmpError(f"no event {name} within {timeout} s") from error
            finally:
                self._socket.settimeout(30)
            self._events.append(answer)

    def close(self):
        """Close the connection."""
        self._stream.close()
        self._socket.close()
