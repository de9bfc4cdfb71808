"""The drain and the delay proxy: what all else is measured against."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import proxy
import pytest
from raw import Raw


@contextmanager
def server(*pieces: bytes) -> Iterator[Raw]:
    """A connection to a server that answers the first command with these pieces, one by one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(b"* OK\r\n")
                sock.recv(1000)
                for piece in pieces:
                    sock.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        with Raw(*listener.getsockname()) as raw:
            yield raw
        thread.join()


def test_the_drain_ends_with_the_tagged_line() -> None:
    with server(b"* 1 EXISTS\r\n* 2 EX", b"ISTS\r\nr", b"1 OK done\r\n") as raw:
        assert raw.command("NOOP") == len("* 1 EXISTS\r\n* 2 EXISTS\r\nr1 OK done\r\n")


def test_the_drain_raises_what_is_not_ok() -> None:
    with server(b"r1 NO there is none\r\n") as raw, pytest.raises(RuntimeError, match="none"):
        raw.command("SELECT x")


def test_bodies_come_in_pieces() -> None:
    answer = b"* 1 FETCH (UID 7 BODY[] {5}\r\nr1 OK)\r\n* 2 FETCH (UID 9 BODY[] {2}\r\nab)\r\n"
    for cut in range(len(answer)):
        with server(answer[:cut], answer[cut:] + b"r1 OK done\r\n") as raw:
            found = [(uid, b"".join(map(bytes, body))) for uid, body in raw.bodies("UID FETCH")]
        assert found == [(7, b"r1 OK"), (9, b"ab")]


def test_the_proxy_passes_on_what_is_due_in_order() -> None:
    one, other = socket.socketpair()
    held: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    for data in (b"a", b"b", b"c", b""):
        held.put((0.0, data))
    with one, other:
        proxy.write(held, one)
        assert other.recv(10, socket.MSG_WAITALL) == b"abc"


def test_the_proxy_joins_a_client_and_a_server() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        proxy.listen(listener.getsockname(), 0.0) as front,
        socket.create_connection(front.getsockname()) as client,
    ):
        sock, _ = listener.accept()
        with sock:
            client.sendall(b"question")
            assert sock.recv(8, socket.MSG_WAITALL) == b"question"
            sock.sendall(b"answer")
            sock.shutdown(socket.SHUT_WR)
            assert client.recv(100, socket.MSG_WAITALL) == b"answer"
