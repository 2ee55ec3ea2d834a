# SPDX-License-Identifier: GPL-2.0
"""Whom the guest talks to: servers on the host, and a small host on a raw wire."""
import contextlib
import functools
import http.server
import socket
import threading
import urllib.request

from . import frames


def free_port():
    """A port number nobody listens on, for tcp and udp."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Say nothing: the test's output is not a web log."""


@contextlib.contextmanager
def http_server(directory):
    """Serve @directory on 127.0.0.1; yields the port. The guest's 10.0.2.2 is this."""
    handler = functools.partial(_QuietHandler, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def http_get(port, path, timeout=60):
    """Fetch from the guest through a forwarded port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=timeout) as answer:
        return answer.read()


@contextlib.contextmanager
def udp_echo_server():
    """Echo every datagram; yields the port."""
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.2)
    done = threading.Event()

    def serve():
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = server.recvfrom(65536)
                server.sendto(data, sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        done.set()
        thread.join(5)
        server.close()


def udp_ask(port, data, timeout=5, tries=3):
    """Send a datagram to a forwarded port, return the answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        for left in reversed(range(tries)):
            client.sendto(data, ("127.0.0.1", port))
            try:
                return client.recv(65536)
            except TimeoutError:
                if not left:
                    raise
    return b""


class Mirror:
    """A host on a raw wire that answers ARP for every address, and sends every UDP datagram, or
    part of one, and every ICMP echo back: fast, because it understands no more than it must."""

    def __init__(self, wire, mac=frames.PEER):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.answered = 0
        self._wire = wire
        self._remove = wire.tap(self._answer)

    def close(self):
        """Leave the wire."""
        self._remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _answer(self, frame):
        at = 18 if frame[12:14] == b"\x81\x00" else 14
        kind, packet = frame[at - 2:at], frame[at:]
        if kind == b"\x08\x06" and packet[7] == 1 and packet[14:18] != packet[24:28]:
            back = packet[:7] + b"\x02" + self.mac + packet[24:28] + packet[8:18]
        elif kind == b"\x08\x00" and frame[:6] == self.mac:
            back = self._turned(bytearray(packet))
        else:
            return
        if back:
            self.answered += 1
            self._wire.send(frames.padded(frame[6:12] + self.mac + frame[12:at] + back))

    @staticmethod
    def _turned(packet):
        """From where to whither and back: the checksums stay right."""
        packet[12:20] = packet[16:20] + packet[12:16]
        first = not (packet[6] & 0x1f or packet[7])
        if packet[9] == 17 and first:
            packet[20:24] = packet[22:24] + packet[20:22]
        elif packet[9] == 1 and first and packet[20] == 8:
            total = int.from_bytes(packet[22:24], "big") + 0x0800
            packet[20] = 0
            packet[22:24] = ((total & 0xffff) + (total >> 16)).to_bytes(2, "big")
        elif packet[9] not in (1, 17):
            return b""
        return bytes(packet)
