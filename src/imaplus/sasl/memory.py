"""Remember the login mechanisms of servers, to detect an attacker who removes strong ones.

An attacker who controls the connection, because TLS is not verified or a certificate is false, can
remove the strong mechanisms from the server's capabilities in order to receive the password itself
(RFC 5802, 9). So a mechanism that a server has offered once is expected from then on. The memory
holds no secrets and no user names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

MOST_SERVERS: Final = 10_000
"""Limit on the servers of one memory; the oldest are forgotten first."""


class LoginMemory:
    """The mechanisms that each server has offered, by host and port.

    By default all connections of a process share one. To keep a memory longer, store the result of
    `to_dict()`, for instance as JSON, and create a `LoginMemory` from it::

        memory = LoginMemory({"imap.example.org:993": ["SCRAM-SHA-256", "PLAIN"]})
        with Client.connect(
            "imap.example.org", user="ada", password="correct horse", login_memory=memory
        ):
            print(memory.to_dict())

    If a server was reconfigured, `forget()` it. Threads may share a memory.
    """

    def __init__(self, saved: Mapping[str, Iterable[str]] | None = None) -> None:
        self._offered: dict[str, frozenset[str]] = {
            where: frozenset(map(str.upper, names)) for where, names in (saved or {}).items()
        }

    def mechanisms_of(self, host: str, port: int) -> frozenset[str]:
        """All mechanisms that a server has offered so far, in capitals; empty if it is unknown."""
        return self._offered.get(_key(host, port), frozenset())

    def note(self, host: str, port: int, offered: Iterable[str]) -> None:
        """Add mechanisms that a server offers to those it has offered before."""
        known = self._offered.pop(_key(host, port), frozenset())
        self._offered[_key(host, port)] = known | frozenset(map(str.upper, offered))
        while len(self._offered) > MOST_SERVERS:
            self._offered.pop(next(iter(self._offered)), None)

    def forget(self, host: str, port: int) -> None:
        """Forget a server: accept whatever it offers next."""
        self._offered.pop(_key(host, port), None)

    def to_dict(self) -> dict[str, list[str]]:
        """Return lists of mechanisms by "host:port": for JSON, and for a new LoginMemory."""
        return {where: sorted(names) for where, names in list(self._offered.items())}

    def __repr__(self) -> str:
        return f"<LoginMemory of {len(self._offered)} servers>"


class ProcessMemory(LoginMemory):
    """The memory that all connections of a process share.

    It leaves out servers on this machine: there is no network in between, and tests start different
    servers on one port.
    """

    def note(self, host: str, port: int, offered: Iterable[str]) -> None:
        if not is_local(host):
            super().note(host, port, offered)


PROCESS_MEMORY: Final = ProcessMemory()


def is_local(host: str) -> bool:
    """Whether a host name or address means this machine (RFC 6761, 6.3; RFC 6890)."""
    host = host.lower().rstrip(".").strip("[]")
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


def _key(host: str, port: int) -> str:
    return f"{host.lower()}:{port}"
