"""Requests over HTTP: server processes, and a client that does the least a client can do."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from selectors import EVENT_READ, DefaultSelector

import attrs

from benchmarks import machine
from benchmarks.exchange import MOUNT, TOKEN, Answer, Exchange

_HEADERS = f"host: scim.example.com\r\naccept: application/scim+json\r\nauthorization: Bearer {TOKEN}\r\n"


@attrs.define(eq=False)
class Wire:
    """A connection that stays open between requests."""

    port: int
    name: str = "scimcore"
    _socket: socket.socket = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """What a selector knows it by."""
        return self._socket.fileno()

    def ask(self, exchange: Exchange) -> Answer:
        """The answer to *exchange*, whatever it is."""
        self.say(exchange)
        return self.heard()

    def say(self, exchange: Exchange) -> None:
        """Send *exchange*, and wait for nothing."""
        self._socket.sendall(said(exchange))

    def heard(self) -> Answer:
        """The answer to what was said last."""
        received = self._until(b"", b"\r\n\r\n")
        head, _, body = received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if headers.get(b"transfer-encoding") == b"chunked":
            body = _joined(self._until(body, b"0\r\n\r\n"))
        length = int(headers.get(b"content-length", len(body)))
        while len(body) < length:
            body += self._more()
        return Answer(int(head[9:12]), body)

    def done(self, exchange: Exchange) -> Answer:
        """The answer to *exchange*.

        Raises:
            RuntimeError: It is a refusal.
        """
        self.say(exchange)
        return self.content(exchange)

    def content(self, exchange: Exchange) -> Answer:
        """The answer to *exchange*, which was said last.

        Raises:
            RuntimeError: It is a refusal.
        """
        answer = self.heard()
        if answer.status >= 300:
            raise RuntimeError(f"{self.name} answered {answer.status} to {exchange.method} {exchange.path}")
        return answer

    def close(self) -> None:
        self._socket.close()

    def _until(self, received: bytes, end: bytes) -> bytes:
        while end not in received:
            received += self._more()
        return received

    def _more(self) -> bytes:
        received = self._socket.recv(1 << 16)
        if not received:
            raise ConnectionError(f"{self.name} hung up")
        return received


def spread(wires: Sequence[Wire], exchanges: Sequence[Exchange]) -> None:
    """Have all *exchanges* done, of which each wire takes the next one when it has an answer.

    Raises:
        RuntimeError: One of them is refused.
    """
    left = iter(exchanges)
    with DefaultSelector() as selector:
        for wire, exchange in zip(wires, left, strict=False):
            wire.say(exchange)
            selector.register(wire, EVENT_READ, (wire, exchange))
        while selector.get_map():
            for key, _ in selector.select():
                wire, exchange = key.data
                wire.content(exchange)
                following = next(left, None)
                if following is None:
                    selector.unregister(wire)
                else:
                    wire.say(following)
                    selector.modify(wire, EVENT_READ, (wire, following))


def said(exchange: Exchange) -> bytes:
    """*exchange* as it goes over the wire."""
    target = MOUNT + exchange.path + (f"?{exchange.query}" if exchange.query else "")
    head = f"{exchange.method} {target} HTTP/1.1\r\n{_HEADERS}"
    if exchange.body:
        head += f"content-type: application/scim+json\r\ncontent-length: {len(exchange.body)}\r\n"
    return head.encode() + b"\r\n" + exchange.body


def _joined(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        body, chunks = body + chunks[: int(size, 16)], chunks[int(size, 16) + 2 :]
    return body


@contextmanager
def serving(what: str) -> Iterator[int]:
    """A server process of `benchmarks.serving`; the value is its port.

    Raises:
        RuntimeError: It does not run, or imports another scimcore than this process: its times would mean nothing here.
    """
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.serving", what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port, _, origin = process.stdout.readline().rstrip("\n").partition(" ")
        if origin != machine.origin():
            raise RuntimeError(f"the server imports {origin or 'nothing'}, not {machine.origin()}")
        yield int(port)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
