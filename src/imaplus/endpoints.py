"""Where a server is, beside a host name and a URL: what `Client.connect()` takes."""

from __future__ import annotations

from imaplus.client.endpoints import Connected, Endpoint, Process, Tcp, UnixSocket

__all__ = [
    "Connected",
    "Endpoint",
    "Process",
    "Tcp",
    "UnixSocket",
]
