"""A delay between a client and a server: half a round trip each way, for every byte.

    proxy.py HOST PORT SECONDS        prints its own port, and ends when standard input does

What is on the way is not limited: bytes are held back, each for the same time, and pass in the
order they came. It knows nothing of what they mean. Each direction of a connection has a thread
that reads and one that writes, since sleeping threads wake more exactly than an event loop.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from queue import SimpleQueue

PIECE = 256 * 1024


def read(source: socket.socket, held: SimpleQueue[tuple[float, bytes]], delay: float) -> None:
    """Receive data and queue it with the time at which to forward it."""
    data = b"."
    while data:
        try:
            data = source.recv(PIECE)
        except OSError:
            data = b""
        held.put((time.monotonic() + delay, data))


def write(held: SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    """Forward queued data when it is due, until b"" (the end of the stream)."""
    with contextlib.suppress(OSError):
        while True:
            due, data = held.get()
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)


def join(one: socket.socket, other: socket.socket, delay: float) -> None:
    """Forward data between two sockets with a delay in seconds, until both are closed."""
    with one, other:
        threads = []
        for source, target in ((one, other), (other, one)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            held: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            threads.append(threading.Thread(target=read, args=(source, held, delay), daemon=True))
            threads.append(threading.Thread(target=write, args=(held, target), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def listen(address: tuple[str, int], delay: float) -> socket.socket:
    """Start a proxy for `address` in threads; return its listening socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed: the end
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(address)
                threading.Thread(target=join, args=(client, server, delay), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def main() -> None:
    host, port, seconds = sys.argv[1:]
    with listen((host, int(port)), float(seconds) / 2) as listener:
        print(listener.getsockname()[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
