# SPDX-License-Identifier: GPL-2.0
"""Whom the guest talks to: servers on the host, and a small host on a raw wire."""
import contextlib
import functools
import http.server
import socket
import threading
import urllib.request

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

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


class WireHost:
    """A host on a raw wire: answers ARP, ICMP echo, and UDP echo (port 7)."""

    def __init__(self, wire, address="10.0.2.2", mac=frames.PEER):
        self.address = address
        self.mac = mac
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
        packet = Ether(frame)
        reply = None
        if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == self.address:
            reply = ARP(op=2, hwsrc=self.mac, psrc=self.address, hwdst=packet[ARP].hwsrc,
                        pdst=packet[ARP].psrc)
        elif IP in packet and packet[IP].dst == self.address:
            reply = self._answer_ip(packet)
        if reply is not None:
            self.answered += 1
            self._wire.send(frames.padded(bytes(Ether(dst=packet.src, src=self.mac) / reply)))

    @staticmethod
    def _answer_ip(packet):
        back = IP(src=packet[IP].dst, dst=packet[IP].src, id=packet[IP].id)
        if ICMP in packet and packet[ICMP].type == 8:
            return back / ICMP(type=0, id=packet[ICMP].id, seq=packet[ICMP].seq) / \
                bytes(packet[ICMP].payload)[:packet[IP].len - 28]
        if UDP in packet and packet[UDP].dport == 7:
            return back / UDP(sport=7, dport=packet[UDP].sport) / \
                bytes(packet[UDP].payload)[:packet[UDP].len - 8]
        return None
