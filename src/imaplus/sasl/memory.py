"""What servers have offered to log in with: a server that stops offering it may be somebody else.

TLS says who a server is, as far as certificates do. Whoever gets past them, or sits at the other
end where TLS is not verified, need only leave the strong mechanisms out of the capabilities to be
sent the password itself (RFC 5802, 9, speaks of it). So what was offered once is expected from then
on. Nothing secret is remembered, and nothing of users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

MOST_SERVERS: Final = 10_000
"""Servers that one memory holds; the oldest are forgotten first."""


class LoginMemory:
    """The mechanisms that each server has offered, by host and port.

    `connect()` has one for all connections of the process. For one that lasts longer, keep what
    `saved()` gives, as JSON for instance, and give it back::

        memory = LoginMemory({"imap.example.org:993": ["SCRAM-SHA-256", "PLAIN"]})
        with Client.connect(
            "imap.example.org", user="ada", password="correct horse", login_memory=memory
        ):
            print(memory.saved())

    If a server has changed on purpose, `forget()` it. Threads may share a memory.
    """

    def __init__(self, saved: Mapping[str, Iterable[str]] | None = None) -> None:
        self._offered: dict[str, frozenset[str]] = {
            where: frozenset(map(str.upper, names)) for where, names in (saved or {}).items()
        }

    def offered(self, host: str, port: int) -> frozenset[str]:
        """All mechanisms that a server has offered so far, in capitals."""
        return self._offered.get(_key(host, port), frozenset())

    def note(self, host: str, port: int, offered: Iterable[str]) -> None:
        """A server offers these mechanisms; they are added to those it has offered before."""
        known = self._offered.pop(_key(host, port), frozenset())
        self._offered[_key(host, port)] = known | frozenset(map(str.upper, offered))
        while len(self._offered) > MOST_SERVERS:
            self._offered.pop(next(iter(self._offered)), None)

    def forget(self, host: str, port: int) -> None:
        """Expect nothing of a server any more."""
        self._offered.pop(_key(host, port), None)

    def saved(self) -> dict[str, list[str]]:
        """All of it, as lists of names by "host:port": for JSON, and for a new LoginMemory."""
        return {where: sorted(names) for where, names in list(self._offered.items())}

    def __repr__(self) -> str:
        return f"<LoginMemory of {len(self._offered)} servers>"


class ProcessMemory(LoginMemory):
    """The memory of all connections of a process, which leaves this machine's own servers out:
    nobody is in between, and tests start another on the same port."""

    def note(self, host: str, port: int, offered: Iterable[str]) -> None:
        if not is_local(host):
            super().note(host, port, offered)


PROCESS_MEMORY: Final = ProcessMemory()


def is_local(host: str) -> bool:
    """Whether a host name or address is the loopback interface's (RFC 6761, 6.3; RFC 6890)."""
    host = host.lower().rstrip(".").strip("[]")
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


def _key(host: str, port: int) -> str:
    return f"{host.lower()}:{port}"
