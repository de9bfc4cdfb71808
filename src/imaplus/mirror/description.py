"""The content of store.json: the format, the owner, the choice of mailboxes.

`root` reads and writes the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from imaplus.records import record

FORMAT = 2
"""The format that this version writes. Format 1 had an account name only, and no choice."""
READABLE = (1, 2)


@record
class Owner:
    """The account whose mail a store holds: user, host and port, and the greeting of the server.

    Unknown values are None; a store of format 1 records `account` only.
    """

    user: str | None = None
    host: str | None = None
    port: int | None = None
    server: str | None = None

    @property
    def account(self) -> str:
        """The account for display: `ada@example.org`, or `ada@imap.example.org` for user ada."""
        if self.user is None or (self.host is not None and "@" not in self.user):
            return "@".join(filter(None, (self.user, self.host))) or "unknown"
        return self.user

    @property
    def place(self) -> str:
        """The user, host and port for display."""
        port = "" if self.port is None else f":{self.port}"
        return self.account if self.host is None else f"{self.user} at {self.host}{port}"

    def is_recorded_as(self, other: Owner) -> bool:
        """Whether user, host and port are exactly the same."""
        return (self.user, self.host, self.port) == (other.user, other.host, other.port)

    def is_same_user(self, other: Owner) -> bool:
        """Whether both may be the same user: by name, or by account where no user is recorded."""
        if self.user is None or other.user is None:
            return True
        return self.user == other.user or self.account.lower() == other.account.lower()

    def is_same_place(self, other: Owner) -> bool:
        """Whether host and port are the same, as far as both are known. Case does not matter."""
        mine, theirs = _fold(self.host), _fold(other.host)
        return mine in (None, theirs) and self.port in (None, other.port)


@record
class Choice:
    """Which mailboxes to mirror, by patterns as on the command line (`INBOX`, `Lists/*`, `@sent`).

    `only` lists the patterns to include (empty: all mailboxes), `exclude` those to leave out.
    `virtual` includes mailboxes that only show mail of others (\\\\All, \\\\Flagged; RFC 6154).
    """

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    virtual: bool = False


@record
class Description:
    """The content of store.json."""

    owner: Owner | None = None
    choice: Choice | None = None
    format: int = FORMAT

    @classmethod
    def parse(cls, found: Mapping[str, object]) -> Description:
        """Parse the members of a store.json of a `READABLE` format; invalid values are ignored.

        Raises:
            ValueError: the format is not supported.
        """
        written = found.get("format")
        if written not in READABLE or not isinstance(written, int):
            raise ValueError(
                f"the store has format {written!r}; this version reads up to {READABLE[-1]}"
            )
        account = found.get("account")
        owner = None
        if isinstance(found.get("owner"), dict):
            owner = _owner(found["owner"])
        elif isinstance(account, str):
            user, at, host = account.rpartition("@")
            # Format 1 wrote "user@host" for a user without "@", else the user alone.
            owner = Owner(account) if "@" in user or not at else Owner(user, host)
        return cls(owner, _choice(found.get("choice")), written)

    def as_json(self) -> dict[str, object]:
        """The members of store.json."""
        members: dict[str, object] = {"format": FORMAT}
        if (owner := self.owner) is not None:
            members["account"] = owner.account
            members["owner"] = {
                "user": owner.user,
                "host": owner.host,
                "port": owner.port,
                "server": owner.server,
            }
        if (choice := self.choice) is not None:
            members["choice"] = {
                "only": list(choice.only),
                "exclude": list(choice.exclude),
                "virtual": choice.virtual,
            }
        return members


def _owner(found: object) -> Owner:
    known = found if isinstance(found, dict) else {}
    texts = [value if isinstance(value := known.get(name), str) else None for name in _TEXTS]
    port = known.get("port")
    return Owner(texts[0], texts[1], port if isinstance(port, int) else None, texts[2])


_TEXTS = ("user", "host", "server")


def _choice(found: object) -> Choice | None:
    if not isinstance(found, dict):
        return None
    only, exclude = (
        tuple(filter(lambda text: isinstance(text, str), found.get(name) or ()))
        for name in ("only", "exclude")
    )
    return Choice(only, exclude, bool(found.get("virtual")))


def _fold(host: str | None) -> str | None:
    return None if host is None else host.lower().rstrip(".")
