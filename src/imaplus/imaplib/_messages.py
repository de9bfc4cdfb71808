"""The commands of an `IMAP4` on messages, by number or, with `uid=True`, by UID.

Each returns `(typ, [data, ...])` as imaplib does. A set of messages is a text such as "1:3,7", a
number, or several numbers, ranges and (start, stop) pairs.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from imaplus.imaplib._arguments import Argument, Atoms, Literal, MessageSet, Pieces, Text
from imaplus.imaplib._fetched import of_one_message
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
"""Commands whose first argument by UID is a set of messages."""
_REASONS: Final = (
    "TRYCREATE OVERQUOTA LIMIT TOOBIG NONEXISTENT NOPERM INUSE UNAVAILABLE ALREADYEXISTS".split()
)


class Messages(Mailboxes):
    """What is done with messages."""

    literal: bytes | Literator | None

    def _on_messages(self, uid: bool, name: str, *args: Any) -> Results:
        return (
            self._simple_command("UID", name, *args) if uid else self._simple_command(name, *args)
        )

    def _taken(self, response: str, uid: bool, name: str, *args: Any) -> Results:
        typ, data = self._on_messages(uid, name, *args)
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
        """Add a message to a mailbox, INBOX if it is None; all but the message may be None.

        Every line end becomes CRLF, unless `translate_line_endings` is false: then the octets go
        as they are. Under UTF8=ACCEPT, a message whose header is UTF-8 is sent a second time in
        RFC 6855's form where a server refuses it in that of RFC 9755.
        """
        name = self._mailbox(mailbox or "INBOX")
        listed = self._flags(flags) if flags else None
        date = public.Time2Internaldate(date_time) if date_time else None
        data = (
            public.MapCRLF.sub(public.CRLF, message) if translate_line_endings else bytes(message)
        )
        self.literal = data
        known = self._reasons()
        try:
            typ, answer = self._simple_command("APPEND", name, listed, date)
        except self.abort:
            raise
        except self.error:  # BAD, or it was never sent
            if self._reasons() != known or not self._may_want_mark(data):
                raise
        else:
            if typ != "NO" or self._reasons() != known or not self._may_want_mark(data):
                return typ, answer
        marked = Pieces((b"UTF8 (", Literal(data, binary=True), b")"))
        try:
            with self._waiting(self._patience()):  # Dovecot never answers it
                return self._simple_command("APPEND", name, listed, date, marked)
        except TimeoutError as error:
            raise self.abort("APPEND: the server knows neither form of UTF-8 headers") from error

    def _reasons(self) -> int:
        """How many codes have come that say why a message was refused, and not for its octets."""
        return sum(len(self.untagged_responses.get(code, ())) for code in _REASONS)

    def _may_want_mark(self, message: bytes) -> bool:
        """Whether a server that refuses a message may want it marked as UTF-8 (RFC 6855, 4).

        RFC 9755 has no such mark, and Dovecot 2.3 and 2.4 wait for more when they see it.
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
        """Remove what is marked as deleted; the data are the numbers of what went.

        With `uid`, only messages of the set go (RFC 4315), and the set must be given.
        """
        if uid != (message_set is not None):
            raise self._invalid("a message set goes with uid=True, and uid=True with a set")
        numbers = None if message_set is None else self._sequence_set(message_set)
        return self._taken("EXPUNGE", uid, "EXPUNGE", numbers)

    def copy(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Copy messages to the end of a mailbox."""
        return self._on_messages(
            uid, "COPY", self._sequence_set(message_set), self._mailbox(new_mailbox)
        )

    def move(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Move messages to the end of a mailbox (RFC 6851)."""
        return self._on_messages(
            uid, "MOVE", self._sequence_set(message_set), self._mailbox(new_mailbox)
        )

    def check(self) -> Results:
        """Have the server put its house in order."""
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
        """Parts of messages, "(FLAGS BODY.PEEK[])" or a list of names.

        The data are the FETCH responses in the order they came: a line, or a pair of what stands
        before a literal and the literal, and then the rest of the line.
        """
        numbers, parts = self._sequence_set(message_set), self._fetch_parts(message_parts)
        if params is not None:
            [parts] = self._filled(None, [parts], params)
        return self._fetched(numbers, uid, "FETCH", numbers, parts)

    def _fetched(self, numbers: str, uid: bool, name: str, *args: Any) -> Results:
        """FETCH responses; of one message only, where one was asked for by its number."""
        typ, data = self._taken("FETCH", uid, name, *args)
        return (typ, of_one_message(data, numbers, uid=uid)) if typ == "OK" else (typ, data)

    def partial(self, message_num: Any, message_part: Text, start: Any, length: Any) -> Results:
        """A part of a message's text (RFC 1730; later servers have BODY[]<start.length>)."""
        octets = (str(each) if type(each) is int else each for each in (start, length))
        number = self._sequence_set(message_num)
        return self._fetched(number, False, "PARTIAL", number, message_part, *octets)

    def store(
        self, message_set: MessageSet, command: str, flags: Atoms, *, uid: bool = False
    ) -> Results:
        """Change flags: `command` is "FLAGS", "+FLAGS" or "-FLAGS", perhaps with ".SILENT"."""
        numbers = self._sequence_set(message_set)
        return self._taken("FETCH", uid, "STORE", numbers, command, self._flags(flags))

    # -- searching ------------------------------------------------------------------------------

    def search(
        self,
        charset: Text | None,
        *criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The numbers of messages that meet criteria, in one text.

        Criteria are IMAP's own; each `?` in them is replaced by one of `params`, whatever that
        contains: `?f` is for flags, `?s` for a set of messages, `??` for a question mark. Texts
        are encoded in the charset, which must be None under UTF8=ACCEPT.

        Raises:
            LookupError: Python has no codec for the charset, and a criterion is no bytes.
        """
        if charset is not None and self.utf8_enabled:
            raise self.error("Non-None charset not valid in UTF8 mode")
        wanted = self._criteria(charset, criteria, params)
        named = () if charset is None else ("CHARSET", self._astring(charset))
        return self._taken("SEARCH", uid, "SEARCH", *named, *wanted)

    def sort(
        self,
        sort_criteria: Atoms,
        charset: Text | None,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The same, sorted by "(REVERSE DATE)" or a list of names (RFC 5256)."""
        order = self._set_quote(sort_criteria)
        wanted = self._criteria(charset, search_criteria, params)
        return self._taken("SORT", uid, "SORT", order, self._charset(charset), *wanted)

    def thread(
        self,
        threading_algorithm: str,
        charset: Text | None,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The same, by conversations (RFC 5256)."""
        wanted = self._criteria(charset, search_criteria, params)
        how = self._atom(threading_algorithm)
        return self._taken("THREAD", uid, "THREAD", how, self._charset(charset), *wanted)

    def _criteria(
        self, charset: Text | None, criteria: tuple[Any, ...], params: Parameters | None
    ) -> Sequence[Argument]:
        if params is not None:
            return self._filled(charset, criteria, params)
        return self._encode_criteria(charset, criteria)

    # -- by UID ---------------------------------------------------------------------------------

    def uid(self, command: str, *args: Any, params: Parameters | None = None) -> Results:
        """Send FETCH, STORE, COPY, MOVE, SEARCH, SORT, THREAD or EXPUNGE by UID.

        The data are as of SEARCH, SORT and THREAD, and FETCH responses for all others.
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
            prepared = self._filled(charset, prepared, params)
        if command == "FETCH" and prepared:
            return self._fetched(_as_text(prepared[0]), True, command, *prepared)
        answer = command if command in ("SEARCH", "SORT", "THREAD") else "FETCH"
        return self._taken(answer, True, command, *prepared)

    def _uid_arguments(self, command: str, args: builtins.list[Any]) -> builtins.list[Any]:
        """What stands where: a set, and then a mailbox, flags, or parts."""
        if command not in _ON_A_SET or not args:
            return [arg if isinstance(arg, Text) else self._set_quote(arg) for arg in args]
        first, *rest = args
        if command in ("COPY", "MOVE"):
            rest = [self._mailbox(arg) for arg in rest]
        elif command == "FETCH" and rest:
            rest[0] = self._fetch_parts(rest[0])
        elif command == "STORE" and len(rest) > 1:  # there may be modifiers before them
            rest[-1] = self._flags(rest[-1])
        return [self._sequence_set(first), *rest]

    def _uid_sorted(
        self, command: str, args: builtins.list[Any], encode: bool
    ) -> builtins.list[Any]:
        """How to sort, the charset, and criteria, which are encoded in it."""
        if not args:
            return []
        how = self._set_quote(args[0]) if command == "SORT" else self._atom(args[0])
        charset = args[1] if len(args) > 1 else None
        criteria = self._encode_criteria(charset, args[2:]) if encode else args[2:]
        return [how, *filter(None, [self._charset(charset)]), *criteria]

    # -- waiting --------------------------------------------------------------------------------

    def idle(self, duration: float | None = None) -> Idler:
        """Hear what the server says unasked (RFC 2177), for so many seconds at most.

        with imap.idle(60) as idler:
            for typ, data in idler: ...
        """
        return public.Idler(self, duration)


def _as_text(argument: str | Argument) -> str:
    """A set of messages, as it is or with its parameters filled in; "" if it has literals."""
    if isinstance(argument, str):
        return argument
    pieces = argument if isinstance(argument, Pieces) else (argument,)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)).decode("latin-1")
