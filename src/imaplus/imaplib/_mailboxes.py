"""The commands of an `IMAP4` on the session, mailboxes, access rights, quota and annotations.

Each returns `(typ, [data, ...])` as imaplib does: the status "OK" or "NO", and the responses.
Mailbox names are str, encoded as needed, or bytes, sent unchanged.
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
    # Repeated from the base class: type checkers would otherwise infer narrower types.
    literal: bytes | Literator | None
    state: str
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]

    def _collect(self, response: str, name: str, *args: Any) -> Results:
        """Send a command and return the responses of one type."""
        typ, data = self._simple_command(name, *args)
        return self._untagged_response(typ, data, response)

    # -- what has come --------------------------------------------------------------------------

    def recent(self) -> Results:
        """Return the latest RECENT counts: `(typ, [count, ...])`; sends NOOP if none is stored."""
        typ, data = self._untagged_response("OK", [None], "RECENT")
        if data[-1]:
            return typ, data
        typ, data = self.noop()
        return self._untagged_response(typ, data, "RECENT")

    def response(self, code: str) -> Results:
        """Return and forget the stored responses of one type: `(code, [data, ...])`, or [None]."""
        return self._untagged_response(code, [None], code.upper())

    # -- the session ----------------------------------------------------------------------------

    def authenticate(
        self, mechanism: str, authobject: Callable[[bytes], SaslData | None]
    ) -> tuple[str, Any]:
        """Log in with a SASL mechanism (RFC 3501, 6.2.2).

        Args:
            mechanism: its name, such as "PLAIN".
            authobject: called with each challenge as bytes; returns the response as bytes or str
                (encoded in UTF-8), or None to cancel. Base64 is applied here.

        Raises:
            IMAP4.error: the server refused the login.
        """
        self.untagged_responses.pop("CAPABILITY", None)  # only those of the login count
        self.literal = public._Authenticator(authobject).process
        typ, data = self._simple_command("AUTHENTICATE", self._atom(mechanism.upper()))
        if typ != "OK":
            raise self._make_error(self._server_text(data[-1]))
        self._finish_login()
        return typ, data

    def login(
        self, user: Text, password: str | bytes
    ) -> tuple[Literal["OK"], builtins.list[bytes]]:
        """Log in with LOGIN (RFC 3501, 6.2.3). The password is sent in the clear: use TLS.

        Raises:
            IMAP4.error: the server refused the login, or LOGINDISABLED forbids it without TLS.
        """
        self.untagged_responses.pop("CAPABILITY", None)  # only those of the login count
        typ, data = self._simple_command("LOGIN", self._astring(user), self._quote(password))
        if typ != "OK":
            raise self._make_error(self._server_text(data[-1]))
        self._finish_login()
        return "OK", data

    def login_plain(self, user: str | bytes, password: str | bytes) -> Results:
        """Log in with SASL PLAIN (RFC 4616), which allows any Unicode text. Use TLS.

        Raises:
            IMAP4.error: the server refused the login, or `user` or `password` contains NUL.
        """
        credentials = [self._arg(arguments.to_bytes, each, "utf-8") for each in (user, password)]
        if any(b"\0" in each for each in credentials):
            raise self._invalid("NUL is not allowed in a user name or password")
        response = b"\0".join((b"", *credentials))  # RFC 4616, 2
        return self.authenticate("PLAIN", lambda challenge: response)

    def login_cram_md5(self, user: str, password: str | bytes) -> Results:
        """Log in with CRAM-MD5 (RFC 2195), which does not send the password itself.

        Raises:
            IMAP4.error: the server refused the login, or this Python has no MD5.
        """
        from imaplus.sasl import CramMd5

        if not CramMd5.available():
            raise self.error("CRAM-MD5 authentication is not supported: this Python has no MD5")
        self.user, self.password = user, password
        return self.authenticate("CRAM-MD5", self._CRAM_MD5_AUTH)

    def _CRAM_MD5_AUTH(self, challenge: bytes) -> str:  # noqa: N802
        """Compute the response to a CRAM-MD5 challenge (RFC 2195)."""
        import hmac

        key = self.password.encode() if isinstance(self.password, str) else self.password
        try:
            digest = hmac.HMAC(key, challenge, "md5").hexdigest()
        except ValueError as error:  # some builds of Python have no MD5
            raise self.error("CRAM-MD5 authentication is not supported") from error
        return f"{self.user} {digest}"

    def enable(self, capability: str) -> Results:
        """Enable an extension (RFC 5161); `response("ENABLED")` has what the server enabled.

        After UTF8=ACCEPT is enabled, strings are sent in UTF-8 (RFC 9755).

        Raises:
            IMAP4.error: the server does not support ENABLE.
        """
        if "ENABLE" not in self.capabilities:
            raise self.error("Server does not support ENABLE")
        self.untagged_responses.pop("ENABLED", None)  # of an earlier ENABLE
        typ, data = self._simple_command("ENABLE", capability)
        # OK alone says nothing: a server skips what it cannot enable (RFC 5161, 3.2; Cyrus 3.10).
        enabled = self.untagged_responses.get("ENABLED", ())
        granted = {
            name for each in enabled if isinstance(each, bytes) for name in each.upper().split()
        }
        self._uidonly = self._uidonly or UIDONLY in granted
        if UTF8 in granted:
            self._mode_utf8()
        return typ, data

    def id(self, fields: Mapping[str, str | None] | None = None) -> Results:
        """Identify the client, by fields such as "name", and return the server's ID (RFC 2971)."""
        return self._collect("ID", "ID", self._arg(arguments.id_fields, fields, self._encoding))

    def noop(self) -> tuple[str, builtins.list[bytes]]:
        """Send NOOP, which lets the server report changes (RFC 3501, 6.1.2)."""
        if self.debug >= 3:
            self._dump_ur(self.untagged_responses)
        return self._simple_command("NOOP")

    def proxyauth(self, user: Text) -> Results:
        """Act as another user (PROXYAUTH, an extension for administrators on some servers)."""
        return self._simple_command("PROXYAUTH", self._astring(user))

    def logout(self) -> tuple[str, AnyData]:
        """Log out and close the connection: `("BYE", [data, ...])` (RFC 3501, 6.1.3)."""
        self.state = "LOGOUT"
        try:
            typ, data = self._simple_command("LOGOUT")
        except self.readonly:
            raise  # LOGOUT was not sent
        except (self.abort, OSError):
            with contextlib.suppress(OSError):
                self.shutdown()
            raise
        self.shutdown()
        return typ, data

    def xatom(self, name: str, *args: Any) -> Results:
        """Send a command that has no method; its arguments are sent unchanged.

        `response()` returns its untagged responses.
        """
        if not isinstance(name, str):
            raise self._mistyped(f"a command name must be a str, not {name!r:.100}")
        name = name.upper()
        self._require_sendable(name.encode(self._encoding))
        if name not in public.Commands:
            public.Commands[name] = (self.state,)
        return self._simple_command(name, *args)

    # -- mailboxes ------------------------------------------------------------------------------

    def select(
        self, mailbox: Text = "INBOX", readonly: bool = False
    ) -> tuple[str, builtins.list[bytes | None]]:
        """Select a mailbox: `(typ, [number of messages])` (RFC 3501, 6.3.1 and 6.3.2).

        Stored responses are discarded.

        Args:
            mailbox: its name.
            readonly: send EXAMINE instead of SELECT.

        Raises:
            IMAP4.readonly: `readonly` is false and the mailbox can only be opened for reading.
        """
        name = self._mailbox(mailbox)
        self.untagged_responses = {}
        self.is_readonly = readonly
        self._selected = None
        typ, data = self._simple_command("EXAMINE" if readonly else "SELECT", name)
        if typ != "OK":
            self.state = "AUTH"  # a failed SELECT closes the previous mailbox
            return typ, data
        self.state = "SELECTED"
        responses = self.untagged_responses
        counts: builtins.list[Any] = responses.get("EXISTS", [None])
        self._selected = Selected(name, readonly, responses=dict(responses))
        if isinstance(counts[-1], bytes):
            self._selected.apply("EXISTS", counts[-1])
        if "READ-ONLY" in responses and not readonly:
            if self.debug >= 1:
                self._dump_ur(responses)
            raise self.readonly(f"{mailbox!r} is not writable")
        return typ, counts

    def close(self) -> Results:
        """Close the mailbox; if it is writable, expunge its `\\Deleted` messages (6.4.2)."""
        return self._leave("CLOSE")

    def unselect(self) -> Results:
        """Close the mailbox without expunging (RFC 3691)."""
        return self._leave("UNSELECT")

    def _leave(self, name: str) -> Results:
        try:
            return self._simple_command(name)
        finally:
            self.state = "AUTH"
            self._selected = None

    def create(self, mailbox: Text) -> Results:
        """Create a mailbox."""
        return self._simple_command("CREATE", self._mailbox(mailbox))

    def delete(self, mailbox: Text) -> Results:
        """Delete a mailbox and its messages."""
        return self._simple_command("DELETE", self._mailbox(mailbox))

    def rename(self, oldmailbox: Text, newmailbox: Text) -> Results:
        """Rename a mailbox."""
        return self._simple_command("RENAME", self._mailbox(oldmailbox), self._mailbox(newmailbox))

    def subscribe(self, mailbox: Text) -> Results:
        """Subscribe to a mailbox."""
        return self._simple_command("SUBSCRIBE", self._mailbox(mailbox))

    def unsubscribe(self, mailbox: Text) -> Results:
        """Unsubscribe from a mailbox."""
        return self._simple_command("UNSUBSCRIBE", self._mailbox(mailbox))

    def list(self, directory: Text = "", pattern: Text = "*") -> tuple[str, AnyData]:
        """List the mailboxes under `directory` that match `pattern`: one LIST response each."""
        return self._collect("LIST", "LIST", self._mailbox(directory), self._pattern(pattern))

    def lsub(self, directory: Text = "", pattern: Text = "*") -> Results:
        """List the subscribed mailboxes that match: one LSUB response each."""
        return self._collect("LSUB", "LSUB", self._mailbox(directory), self._pattern(pattern))

    def status(self, mailbox: Text, names: Atoms) -> Results:
        """Return counts of a mailbox without selecting it (RFC 3501, 6.3.10).

        `names` is a str such as "(MESSAGES UNSEEN)" or a list of names.
        """
        return self._collect("STATUS", "STATUS", self._mailbox(mailbox), self._set_quote(names))

    def namespace(self) -> Results:
        """Return the prefixes of personal, other users' and shared mailboxes (RFC 2342)."""
        return self._collect("NAMESPACE", "NAMESPACE")

    # -- rights, quota, annotations -------------------------------------------------------------

    def getacl(self, mailbox: Text) -> Results:
        """Return the access rights of a mailbox (RFC 4314)."""
        return self._collect("ACL", "GETACL", self._mailbox(mailbox))

    def setacl(self, mailbox: Text, who: Text, what: Text) -> Results:
        """Set the rights `what` of the user `who` on a mailbox (RFC 4314)."""
        return self._simple_command(
            "SETACL", self._mailbox(mailbox), self._astring(who), self._astring(what)
        )

    def deleteacl(self, mailbox: Text, who: Text) -> Results:
        """Remove all rights of the user `who` on a mailbox (RFC 4314)."""
        return self._simple_command("DELETEACL", self._mailbox(mailbox), self._astring(who))

    def myrights(self, mailbox: Text) -> Results:
        """Return your own rights on a mailbox (RFC 4314)."""
        return self._collect("MYRIGHTS", "MYRIGHTS", self._mailbox(mailbox))

    def getquota(self, root: Text) -> Results:
        """Return usage and limits of a quota root (RFC 2087)."""
        return self._collect("QUOTA", "GETQUOTA", self._astring(root))

    def getquotaroot(self, mailbox: Text) -> Results:
        """Return the quota roots of a mailbox: `(typ, [QUOTAROOT data, QUOTA data])` (RFC 2087)."""
        typ, data = self._simple_command("GETQUOTAROOT", self._mailbox(mailbox))
        typ, quota = self._untagged_response(typ, data, "QUOTA")
        typ, roots = self._untagged_response(typ, data, "QUOTAROOT")
        return typ, [roots, quota]

    def setquota(self, root: Text, limits: Atoms) -> Results:
        """Set the limits of a quota root, such as "(STORAGE 512)" (RFC 2087)."""
        return self._collect("QUOTA", "SETQUOTA", self._astring(root), self._set_quote(limits))

    def getannotation(self, mailbox: Text, entry: Text, attribute: Text) -> Results:
        """Return annotations of a mailbox (ANNOTATEMORE, the predecessor of METADATA)."""
        return self._collect(
            "ANNOTATION",
            "GETANNOTATION",
            self._pattern(mailbox),
            self._entry(entry),
            self._entry(attribute),
        )

    def setannotation(self, mailbox: Text, *args: Text) -> Results:
        """Set annotations of a mailbox: entries and attribute lists, alternating."""
        rest = [self._entry(text) for text in args]
        return self._collect("ANNOTATION", "SETANNOTATION", self._mailbox(mailbox), *rest)
