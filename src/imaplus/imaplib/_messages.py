"""The commands of an `IMAP4` on messages, by sequence number or, with `uid=True`, by UID.

Each returns `(typ, [data, ...])` as imaplib does. A set of messages is a str such as "1:3,7", a
number, or an iterable of numbers, ranges and (start, stop) pairs.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from imaplus.imaplib._arguments import Argument, Atoms, Literal, MessageSet, Pieces, Text
from imaplus.imaplib._fetched import keep_one_message
from imaplus.imaplib._machine import Literator
from imaplus.imaplib._mailboxes import AnyData, Mailboxes
from imaplus.imaplib._parameters import Parameters
from imaplus.imaplib._public import public
from imaplus.imaplib._responses import Results
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from imaplus.imaplib._functions import TimeLike
    from imaplus.imaplib._idler import Idler


_HEADER: Final = lazy_pattern(rb"(?:[^\r\n]++\r?\n?)*+")
_ON_A_SET: Final = ("COPY", "MOVE", "FETCH", "STORE", "EXPUNGE")
"""Commands whose first argument after UID is a set of messages."""
_REASONS: Final = (
    "TRYCREATE OVERQUOTA LIMIT TOOBIG NONEXISTENT NOPERM INUSE UNAVAILABLE ALREADYEXISTS".split()
)


class Messages(Mailboxes):
    """Adding, removing, reading, marking and searching messages."""

    literal: bytes | Literator | None

    def _send_on_messages(self, uid: bool, name: str, *args: Any) -> Results:
        return (
            self._simple_command("UID", name, *args) if uid else self._simple_command(name, *args)
        )

    def _collect_on_messages(self, response: str, uid: bool, name: str, *args: Any) -> Results:
        typ, data = self._send_on_messages(uid, name, *args)
        return self._untagged_response(typ, data, response)

    # -- adding and removing --------------------------------------------------------------------

    def append(
        self,
        mailbox: Text | None,
        flags: Atoms | None,
        date_time: TimeLike | None,
        message: Buffer,
        *,
        translate_line_endings: bool = True,
    ) -> tuple[str, builtins.list[bytes]]:
        """Append a message to a mailbox (RFC 3501, 6.3.11).

        With UTF8=ACCEPT enabled, a message with a UTF-8 header is sent as RFC 9755 says; if the
        server refuses it, it is sent a second time as RFC 6855 says.

        Args:
            mailbox: its name; None for INBOX.
            flags: such as r"(\\Seen)" or a list of flags; None for none.
            date_time: the INTERNALDATE, as `Time2Internaldate` takes it; None for now.
            message: the message as bytes.
            translate_line_endings: convert line ends to CRLF; if false, send the bytes unchanged.
        """
        name = self._mailbox(mailbox or "INBOX")
        listed = self._flags(flags) if flags else None
        date = public.Time2Internaldate(date_time) if date_time else None
        data = (
            public.MapCRLF.sub(public.CRLF, message) if translate_line_endings else bytes(message)
        )
        self.literal = data
        known = self._count_reasons()
        try:
            typ, answer = self._simple_command("APPEND", name, listed, date)
        except self.abort:
            raise
        except self.error:  # BAD, or not sent at all
            if self._count_reasons() != known or not self._may_want_mark(data):
                raise
        else:
            if typ != "NO" or self._count_reasons() != known or not self._may_want_mark(data):
                return typ, answer
        marked = Pieces((b"UTF8 (", Literal(data, binary=True), b")"))
        try:
            with self._limit_wait(self._patience()):  # some servers never answer
                return self._simple_command("APPEND", name, listed, date, marked)
        except TimeoutError as error:
            raise self.abort(
                "APPEND: the server accepts neither form of UTF-8 headers (RFC 6855, RFC 9755)"
            ) from error

    def _count_reasons(self) -> int:
        """Count the stored codes that give a reason for refusal other than the message itself."""
        return sum(len(self.untagged_responses.get(code, ())) for code in _REASONS)

    def _may_want_mark(self, message: bytes) -> bool:
        """Return whether to retry a refused message with the UTF8 mark of RFC 6855, 4.

        RFC 9755 has no such mark. Dovecot 2.3 and 2.4 never answer a command that has it.
        """
        header = _HEADER.match(message)
        return (
            self.utf8_enabled
            and self.state in public.Commands["APPEND"]
            and header is not None
            and not header[0].isascii()
            and b"Dovecot" not in (self.welcome or b"")
        )

    def expunge(self, message_set: MessageSet | None = None, *, uid: bool = False) -> Results:
        r"""Remove messages with the flag \Deleted: `(typ, [sequence number, ...])`.

        With `uid=True`, only messages of `message_set` are removed (UID EXPUNGE, RFC 4315); the
        set is then required, and otherwise not allowed.
        """
        if uid != (message_set is not None):
            raise self._invalid("expunge() takes a message set if and only if uid=True")
        numbers = None if message_set is None else self._sequence_set(message_set)
        return self._collect_on_messages("EXPUNGE", uid, "EXPUNGE", numbers)

    def copy(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Copy messages to the end of a mailbox."""
        return self._send_on_messages(
            uid, "COPY", self._sequence_set(message_set), self._mailbox(new_mailbox)
        )

    def move(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Move messages to the end of a mailbox (RFC 6851)."""
        return self._send_on_messages(
            uid, "MOVE", self._sequence_set(message_set), self._mailbox(new_mailbox)
        )

    def check(self) -> Results:
        """Request a checkpoint of the mailbox (RFC 3501, 6.4.1)."""
        return self._simple_command("CHECK")

    # -- reading and marking --------------------------------------------------------------------

    def fetch(
        self,
        message_set: MessageSet,
        message_parts: Atoms,
        *,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> tuple[str, AnyData]:
        """Fetch data of messages (RFC 3501, 6.4.5).

        Data are the FETCH responses in the order received: bytes for a line, or a pair `(line
        before the literal, literal)` followed by the rest of the line. If the set is one number,
        responses for other messages are left out.

        Args:
            message_set: the messages.
            message_parts: such as "(FLAGS BODY.PEEK[])", or a list of items.
            uid: the set has UIDs.
            params: replace placeholders in `message_parts`; see `search`.
        """
        numbers, parts = self._sequence_set(message_set), self._fetch_parts(message_parts)
        if params is not None:
            [parts] = self._fill(None, [parts], params)
        return self._fetch(numbers, uid, "FETCH", numbers, parts)

    def _fetch(self, numbers: str, uid: bool, name: str, *args: Any) -> Results:
        """Return FETCH responses; if one message was requested, only those for it."""
        typ, data = self._collect_on_messages("FETCH", uid, name, *args)
        return (typ, keep_one_message(data, numbers, uid=uid)) if typ == "OK" else (typ, data)

    def partial(self, message_num: Any, message_part: Text, start: Any, length: Any) -> Results:
        """Fetch part of a message's text (RFC 1730; replaced by `BODY[]<start.length>`)."""
        limits = (str(each) if type(each) is int else each for each in (start, length))
        number = self._sequence_set(message_num)
        return self._fetch(number, False, "PARTIAL", number, message_part, *limits)

    def store(
        self, message_set: MessageSet, command: str, flags: Atoms, *, uid: bool = False
    ) -> Results:
        """Change flags: `command` is "FLAGS", "+FLAGS" or "-FLAGS", optionally with ".SILENT".

        Data are the FETCH responses (RFC 3501, 6.4.6).
        """
        numbers = self._sequence_set(message_set)
        return self._collect_on_messages(
            "FETCH", uid, "STORE", numbers, command, self._flags(flags)
        )

    # -- searching ------------------------------------------------------------------------------

    def search(
        self,
        charset: Text | None,
        *criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """Search for messages: `(typ, [b"1 2 3"])`, the numbers in one item (RFC 3501, 6.4.4).

        Args:
            charset: the charset that str criteria are encoded in; must be None after
                UTF8=ACCEPT is enabled.
            criteria: IMAP search keys, such as "UNSEEN" or "SUBJECT ?".
            uid: return UIDs.
            params: replace the placeholders in the criteria, quoted as needed: `?` a string,
                number or date, `?f` a flag, `?s` a set of messages; `??` is a question mark.

        Raises:
            LookupError: Python has no codec for the charset, and a criterion is a str.
        """
        if charset is not None and self.utf8_enabled:
            raise self.error("Non-None charset not valid in UTF8 mode")
        wanted = self._criteria(charset, criteria, params)
        named = () if charset is None else ("CHARSET", self._astring(charset))
        return self._collect_on_messages("SEARCH", uid, "SEARCH", *named, *wanted)

    def sort(
        self,
        sort_criteria: Atoms,
        charset: Text | None,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """Search as `search` does and sort, by "(REVERSE DATE)" or a list of keys (RFC 5256)."""
        order = self._set_quote(sort_criteria)
        wanted = self._criteria(charset, search_criteria, params)
        return self._collect_on_messages(
            "SORT", uid, "SORT", order, self._charset(charset), *wanted
        )

    def thread(
        self,
        threading_algorithm: str,
        charset: Text | None,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """Search as `search` does and group the messages into threads (RFC 5256)."""
        wanted = self._criteria(charset, search_criteria, params)
        how = self._atom(threading_algorithm)
        return self._collect_on_messages(
            "THREAD", uid, "THREAD", how, self._charset(charset), *wanted
        )

    def _criteria(
        self, charset: Text | None, criteria: tuple[Any, ...], params: Parameters | None
    ) -> Sequence[Argument]:
        if params is not None:
            return self._fill(charset, criteria, params)
        return self._encode_criteria(charset, criteria)

    # -- by UID ---------------------------------------------------------------------------------

    def uid(self, command: str, *args: Any, params: Parameters | None = None) -> Results:
        """Send a UID command: FETCH, STORE, COPY, MOVE, SEARCH, SORT, THREAD or EXPUNGE.

        Data are the responses SEARCH, SORT or THREAD for these commands, and FETCH for others.
        """
        command = command.upper()
        if command not in public.Commands:
            raise self.error(f"Unknown IMAP4 UID command: {command!r}")
        self._check_state(command)
        placed = command in ("SORT", "THREAD", *_ON_A_SET)
        given = [arg for arg in args if arg is not None or placed]
        charset = None
        if command in ("SORT", "THREAD"):
            charset = given[1] if len(given) > 1 else None
            prepared = self._uid_sorted(command, given, params is None)
        else:
            prepared = self._uid_arguments(command, given)
        if params is not None:
            prepared = self._fill(charset, prepared, params)
        if command == "FETCH" and prepared:
            return self._fetch(_as_text(prepared[0]), True, command, *prepared)
        answer = command if command in ("SEARCH", "SORT", "THREAD") else "FETCH"
        return self._collect_on_messages(answer, True, command, *prepared)

    def _uid_arguments(self, command: str, args: builtins.list[Any]) -> builtins.list[Any]:
        """Encode the arguments: a set, then a mailbox, flags, or FETCH items."""
        if command not in _ON_A_SET or not args:
            return [arg if isinstance(arg, Text) else self._set_quote(arg) for arg in args]
        first, *rest = args
        if command in ("COPY", "MOVE"):
            rest = [self._mailbox(arg) for arg in rest]
        elif command == "FETCH" and rest:
            rest[0] = self._fetch_parts(rest[0])
        elif command == "STORE" and len(rest) > 1:  # modifiers may precede the flags
            rest[-1] = self._flags(rest[-1])
        return [self._sequence_set(first), *rest]

    def _uid_sorted(
        self, command: str, args: builtins.list[Any], encode: bool
    ) -> builtins.list[Any]:
        """Encode the arguments of SORT and THREAD: order or algorithm, charset, criteria."""
        if not args:
            return []
        how = self._set_quote(args[0]) if command == "SORT" else self._atom(args[0])
        charset = args[1] if len(args) > 1 else None
        criteria = self._encode_criteria(charset, args[2:]) if encode else args[2:]
        return [how, *filter(None, [self._charset(charset)]), *criteria]

    # -- waiting --------------------------------------------------------------------------------

    def idle(self, duration: float | None = None) -> Idler:
        """Return a context manager that runs IDLE (RFC 2177) for `duration` seconds at most::

            with imap.idle(60) as idler:
                for typ, data in idler: ...

        Raises:
            IMAP4.error: the server does not support IDLE, or a duration is given without a socket.
        """
        return public.Idler(self, duration)


def _as_text(argument: str | Argument) -> str:
    """Return a message set as str, without its literals."""
    if isinstance(argument, str):
        return argument
    pieces = argument if isinstance(argument, Pieces) else (argument,)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)).decode("latin-1")
