"""The commands of an `IMAP4` that are not about single messages: session, mailboxes, rights, quota.

Each returns `(typ, [data, ...])` as imaplib does: the status "OK" or "NO", and what came. Names of
mailboxes are texts in any script, or bytes that go as they are.
"""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from imaplus.imaplib import _arguments as arguments
from imaplus.imaplib._arguments import Atoms, Text
from imaplus.imaplib._functions import SaslData
from imaplus.imaplib._machine import Literator, Machine
from imaplus.imaplib._public import public
from imaplus.imaplib._responses import Data, Results
from imaplus.imaplib._selected import Selected

AnyData: TypeAlias = "list[None] | list[Data]"
UTF8: Final = b"UTF8=ACCEPT"
UIDONLY: Final = b"UIDONLY"


class Mailboxes(Machine):
    """Session, mailboxes, rights, quota and annotations."""

    user: str
    password: str | bytes
    # Declared above too; without this, type checkers would guess by what is assigned here.
    literal: bytes | Literator | None
    state: str
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]

    def _collected(self, response: str, name: str, *args: Any) -> Results:
        """Send a command, and take what came of one kind."""
        typ, data = self._simple_command(name, *args)
        return self._untagged_response(typ, data, response)

    # -- what has come --------------------------------------------------------------------------

    def recent(self) -> Results:
        """The counts of recent messages that have come, asking by NOOP if none has."""
        typ, data = self._untagged_response("OK", [None], "RECENT")
        if data[-1]:
            return typ, data
        typ, data = self.noop()
        return self._untagged_response(typ, data, "RECENT")

    def response(self, code: str) -> Results:
        """What has come of one kind, which is forgotten here: `(code, [data, ...])`, or [None]."""
        return self._untagged_response(code, [None], code.upper())

    # -- the session ----------------------------------------------------------------------------

    def authenticate(
        self, mechanism: str, authobject: Callable[[bytes], SaslData | None]
    ) -> tuple[str, Any]:
        """Log in by a SASL mechanism, whose `authobject` turns challenges into responses.

        It gets and gives octets before base64, and gives None to cancel.

        Raises:
            IMAP4.error: the server does not accept us.
        """
        self.untagged_responses.pop("CAPABILITY", None)  # of before, whoever sent it
        self.literal = public._Authenticator(authobject).process
        typ, data = self._simple_command("AUTHENTICATE", self._atom(mechanism.upper()))
        if typ != "OK":
            raise self._refused(self._told(data[-1]))
        self._logged_in()
        return typ, data

    def login(
        self, user: Text, password: str | bytes
    ) -> tuple[Literal["OK"], builtins.list[bytes]]:
        """Log in with a password, which goes over the connection as it is: use TLS.

        Raises:
            IMAP4.error: the server does not accept us.
        """
        self.untagged_responses.pop("CAPABILITY", None)  # of before, whoever sent it
        typ, data = self._simple_command("LOGIN", self._astring(user), self._quote(password))
        if typ != "OK":
            raise self._refused(self._told(data[-1]))
        self._logged_in()
        return "OK", data

    def login_plain(self, user: str | bytes, password: str | bytes) -> Results:
        """Log in by the mechanism PLAIN: names and passwords in any script. Use TLS.

        Raises:
            IMAP4.error: the server does not accept us, or a NUL is in either.
        """
        octets = [self._arg(arguments.octets, each, "utf-8") for each in (user, password)]
        if any(b"\0" in each for each in octets):
            raise self._invalid("NUL is not allowed in a user's name or password")
        response = b"\0".join((b"", *octets))  # RFC 4616, 2
        return self.authenticate("PLAIN", lambda challenge: response)

    def login_cram_md5(self, user: str, password: str | bytes) -> Results:
        """Log in by the mechanism CRAM-MD5, which does not show the password.

        Raises:
            IMAP4.error: the server does not accept us, or this Python has no MD5.
        """
        from imaplus.sasl import CramMd5

        if not CramMd5.available():
            raise self.error("CRAM-MD5 authentication is not supported: this Python has no MD5")
        self.user, self.password = user, password
        return self.authenticate("CRAM-MD5", self._CRAM_MD5_AUTH)

    def _CRAM_MD5_AUTH(self, challenge: bytes) -> str:  # noqa: N802
        """The response to the challenge of CRAM-MD5 (RFC 2195)."""
        import hmac

        key = self.password.encode() if isinstance(self.password, str) else self.password
        try:
            digest = hmac.HMAC(key, challenge, "md5").hexdigest()
        except ValueError as error:  # this Python may not have it at all
            raise self.error("CRAM-MD5 authentication is not supported") from error
        return f"{self.user} {digest}"

    def enable(self, capability: str) -> Results:
        """Switch an extension on (RFC 5161); what the server grants is in `response("ENABLED")`.

        Once it has granted UTF8=ACCEPT, texts are UTF-8 (RFC 9755).

        Raises:
            IMAP4.error: the server has no ENABLE.
        """
        if "ENABLE" not in self.capabilities:
            raise self.error("Server does not support ENABLE")
        self.untagged_responses.pop("ENABLED", None)  # of before
        typ, data = self._simple_command("ENABLE", capability)
        # Cyrus 3.10 says OK to what it does not enable (RFC 5161, 3.2: it is no error).
        told = self.untagged_responses.get("ENABLED", ())
        granted = {
            name for each in told if isinstance(each, bytes) for name in each.upper().split()
        }
        self._uidonly = self._uidonly or UIDONLY in granted
        if UTF8 in granted:
            self._mode_utf8()
        return typ, data

    def id(self, fields: Mapping[str, str | None] | None = None) -> Results:
        """Say who we are, by fields such as "name", and hear who the server is (RFC 2971)."""
        return self._collected("ID", "ID", self._arg(arguments.id_fields, fields, self._encoding))

    def noop(self) -> tuple[str, builtins.list[bytes]]:
        """Do nothing, which lets the server say what has changed."""
        if self.debug >= 3:
            self._dump_ur(self.untagged_responses)
        return self._simple_command("NOOP")

    def proxyauth(self, user: Text) -> Results:
        """Become another user, as an administrator may on some servers."""
        return self._simple_command("PROXYAUTH", self._astring(user))

    def logout(self) -> tuple[str, AnyData]:
        """Say goodbye and close the connection: `("BYE", [data, ...])`."""
        self.state = "LOGOUT"
        try:
            typ, data = self._simple_command("LOGOUT")
        except self.readonly:
            raise  # it was never sent
        except (self.abort, OSError):
            with contextlib.suppress(OSError):
                self.shutdown()
            raise
        self.shutdown()
        return typ, data

    def xatom(self, name: str, *args: Any) -> Results:
        """Send a command that has no method; its arguments go as they are.

        What comes can be had from `response()`.
        """
        if not isinstance(name, str):
            raise self._mistyped(f"the name of a command must be a str, not {name!r:.100}")
        name = name.upper()
        self._checked(name.encode(self._encoding))
        if name not in public.Commands:
            public.Commands[name] = (self.state,)
        return self._simple_command(name, *args)

    # -- mailboxes ------------------------------------------------------------------------------

    def select(
        self, mailbox: Text = "INBOX", readonly: bool = False
    ) -> tuple[str, builtins.list[bytes | None]]:
        """Open a mailbox; the data is the number of its messages. Earlier responses are forgotten.

        Raises:
            IMAP4.readonly: it was to be opened for writing, and can only be read.
        """
        name = self._mailbox(mailbox)
        self.untagged_responses = {}
        self.is_readonly = readonly
        self._selected = None
        typ, data = self._simple_command("EXAMINE" if readonly else "SELECT", name)
        if typ != "OK":
            self.state = "AUTH"  # what was open before is closed
            return typ, data
        self.state = "SELECTED"
        came = self.untagged_responses
        counts: builtins.list[Any] = came.get("EXISTS", [None])
        self._selected = Selected(name, readonly, responses=dict(came))
        if isinstance(counts[-1], bytes):
            self._selected.apply("EXISTS", counts[-1])
        if "READ-ONLY" in came and not readonly:
            if self.debug >= 1:
                self._dump_ur(came)
            raise self.readonly(f"{mailbox!r} is not writable")
        return typ, counts

    def close(self) -> Results:
        """Close the mailbox, for good deleting what is marked so if it was opened for writing."""
        return self._leave("CLOSE")

    def unselect(self) -> Results:
        """Close the mailbox and delete nothing (RFC 3691)."""
        return self._leave("UNSELECT")

    def _leave(self, name: str) -> Results:
        try:
            return self._simple_command(name)
        finally:
            self.state = "AUTH"
            self._selected = None

    def create(self, mailbox: Text) -> Results:
        """Make a mailbox."""
        return self._simple_command("CREATE", self._mailbox(mailbox))

    def delete(self, mailbox: Text) -> Results:
        """Remove a mailbox with its messages."""
        return self._simple_command("DELETE", self._mailbox(mailbox))

    def rename(self, oldmailbox: Text, newmailbox: Text) -> Results:
        """Give a mailbox another name."""
        return self._simple_command("RENAME", self._mailbox(oldmailbox), self._mailbox(newmailbox))

    def subscribe(self, mailbox: Text) -> Results:
        """Add a mailbox to the subscribed ones."""
        return self._simple_command("SUBSCRIBE", self._mailbox(mailbox))

    def unsubscribe(self, mailbox: Text) -> Results:
        """Take a mailbox from the subscribed ones."""
        return self._simple_command("UNSUBSCRIBE", self._mailbox(mailbox))

    def list(self, directory: Text = "", pattern: Text = "*") -> tuple[str, AnyData]:
        """The mailboxes below a directory whose names match a pattern: one LIST response each."""
        return self._collected("LIST", "LIST", self._mailbox(directory), self._pattern(pattern))

    def lsub(self, directory: Text = "", pattern: Text = "*") -> Results:
        """The same for subscribed ones: one LSUB response each."""
        return self._collected("LSUB", "LSUB", self._mailbox(directory), self._pattern(pattern))

    def status(self, mailbox: Text, names: Atoms) -> Results:
        """Numbers of a mailbox that need not be open: "MESSAGES UNSEEN", or a list of names."""
        return self._collected("STATUS", "STATUS", self._mailbox(mailbox), self._set_quote(names))

    def namespace(self) -> Results:
        """Where mailboxes live: one's own, other users', shared ones (RFC 2342)."""
        return self._collected("NAMESPACE", "NAMESPACE")

    # -- rights, quota, annotations -------------------------------------------------------------

    def getacl(self, mailbox: Text) -> Results:
        """Who may do what with a mailbox (RFC 4314)."""
        return self._collected("ACL", "GETACL", self._mailbox(mailbox))

    def setacl(self, mailbox: Text, who: Text, what: Text) -> Results:
        """Give somebody rights to a mailbox."""
        return self._simple_command(
            "SETACL", self._mailbox(mailbox), self._astring(who), self._astring(what)
        )

    def deleteacl(self, mailbox: Text, who: Text) -> Results:
        """Take all of somebody's rights to a mailbox."""
        return self._simple_command("DELETEACL", self._mailbox(mailbox), self._astring(who))

    def myrights(self, mailbox: Text) -> Results:
        """What we may do with a mailbox."""
        return self._collected("MYRIGHTS", "MYRIGHTS", self._mailbox(mailbox))

    def getquota(self, root: Text) -> Results:
        """Use and limits of a quota root (RFC 2087)."""
        return self._collected("QUOTA", "GETQUOTA", self._astring(root))

    def getquotaroot(self, mailbox: Text) -> Results:
        """The quota roots of a mailbox: `(typ, [QUOTAROOT responses, QUOTA responses])`."""
        typ, data = self._simple_command("GETQUOTAROOT", self._mailbox(mailbox))
        typ, quota = self._untagged_response(typ, data, "QUOTA")
        typ, roots = self._untagged_response(typ, data, "QUOTAROOT")
        return typ, [roots, quota]

    def setquota(self, root: Text, limits: Atoms) -> Results:
        """Set the limits of a quota root, such as "STORAGE 512"."""
        return self._collected("QUOTA", "SETQUOTA", self._astring(root), self._set_quote(limits))

    def getannotation(self, mailbox: Text, entry: Text, attribute: Text) -> Results:
        """Annotations of a mailbox (ANNOTATEMORE, which some servers had before METADATA)."""
        return self._collected(
            "ANNOTATION",
            "GETANNOTATION",
            self._pattern(mailbox),
            self._entry(entry),
            self._entry(attribute),
        )

    def setannotation(self, mailbox: Text, *args: Text) -> Results:
        """Set annotations: entries and lists of attributes in turn."""
        rest = [self._entry(text) for text in args]
        return self._collected("ANNOTATION", "SETANNOTATION", self._mailbox(mailbox), *rest)
