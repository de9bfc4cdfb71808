"""The commands of an `IMAP4` on messages, by number or, with `uid=True`, by UID.

Each returns `(typ, [data, ...])` as imaplib does. A set of messages is a text such as "1:3,7", a
number, or several numbers, ranges and (start, stop) pairs.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from imaplus.imaplib import _arguments as arguments
from imaplus.imaplib._arguments import Argument, Atoms, MessageSet, Parameters, Text
from imaplus.imaplib._machine import Literator
from imaplus.imaplib._mailboxes import AnyData, Mailboxes
from imaplus.imaplib._public import public
from imaplus.imaplib._responses import Results

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from imaplus.imaplib._functions import TimeLike
    from imaplus.imaplib._idler import Idler


class Messages(Mailboxes):
    """What is done with messages."""

    literal: bytes | Literator | None

    def _set(self, numbers: MessageSet) -> Any:
        return self._arg(arguments.message_set, numbers)

    def _atoms(self, names: Atoms) -> Any:
        return self._arg(arguments.atoms, names, self._encoding)

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
        as they are.
        """
        name = self._mailbox(mailbox or "INBOX")
        listed = self._arg(arguments.flags, flags, self._encoding) if flags else None
        date = public.Time2Internaldate(date_time) if date_time else None
        data = (
            public.MapCRLF.sub(public.CRLF, message) if translate_line_endings else bytes(message)
        )
        self.literal = data
        return self._simple_command("APPEND", name, listed, date)

    def expunge(self, message_set: MessageSet | None = None, *, uid: bool = False) -> Results:
        """Remove what is marked as deleted; the data are the numbers of what went.

        With `uid`, only messages of the set go (RFC 4315), and the set must be given.
        """
        if uid != (message_set is not None):
            raise self._invalid("a message set goes with uid=True, and uid=True with a set")
        numbers = None if message_set is None else self._set(message_set)
        return self._taken("EXPUNGE", uid, "EXPUNGE", numbers)

    def copy(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Copy messages to the end of a mailbox."""
        return self._on_messages(uid, "COPY", self._set(message_set), self._mailbox(new_mailbox))

    def move(self, message_set: MessageSet, new_mailbox: Text, *, uid: bool = False) -> Results:
        """Move messages to the end of a mailbox (RFC 6851)."""
        return self._on_messages(uid, "MOVE", self._set(message_set), self._mailbox(new_mailbox))

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
        numbers, parts = self._set(message_set), self._atoms(message_parts)
        if params is not None:
            [parts] = self._filled([parts.decode(self._encoding)], params, self._encoding)
        return self._taken("FETCH", uid, "FETCH", numbers, parts)

    def partial(self, message_num: Any, message_part: Text, start: Any, length: Any) -> Results:
        """A part of a message's text (RFC 1730; later servers have BODY[]<start.length>)."""
        octets = (each if isinstance(each, str | bytes) else str(each) for each in (start, length))
        return self._taken("FETCH", False, "PARTIAL", self._set(message_num), message_part, *octets)

    def store(
        self, message_set: MessageSet, command: str, flags: Atoms, *, uid: bool = False
    ) -> Results:
        """Change flags: `command` is "FLAGS", "+FLAGS" or "-FLAGS", perhaps with ".SILENT"."""
        listed = self._arg(arguments.flags, flags, self._encoding)
        return self._taken("FETCH", uid, "STORE", self._set(message_set), command, listed)

    # -- searching ------------------------------------------------------------------------------

    def search(
        self,
        charset: str | None,
        *criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The numbers of messages that meet criteria, in one text.

        Criteria are IMAP's own; each `?` in them is replaced by one of `params`, whatever that
        contains. Texts are encoded in the charset, which must be None under UTF8=ACCEPT.
        """
        if charset and self.utf8_enabled:
            raise self.error("Non-None charset not valid in UTF8 mode")
        wanted = self._criteria(charset, criteria, params)
        named = ("CHARSET", charset) if charset else ()
        return self._taken("SEARCH", uid, "SEARCH", *named, *wanted)

    def sort(
        self,
        sort_criteria: Atoms,
        charset: str,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The same, sorted by "(REVERSE DATE)" or a list of names (RFC 5256)."""
        order = self._arg(arguments.listed, sort_criteria, self._encoding)
        wanted = self._criteria(charset, search_criteria, params)
        return self._taken("SORT", uid, "SORT", order, charset, *wanted)

    def thread(
        self,
        threading_algorithm: str,
        charset: str,
        *search_criteria: Text,
        uid: bool = False,
        params: Parameters | None = None,
    ) -> Results:
        """The same, by conversations (RFC 5256)."""
        wanted = self._criteria(charset, search_criteria, params)
        return self._taken("THREAD", uid, "THREAD", threading_algorithm, charset, *wanted)

    def _criteria(
        self, charset: str | None, criteria: tuple[Any, ...], params: Parameters | None
    ) -> builtins.list[Argument]:
        codec = arguments.encoder(charset, self._encoding)
        if params is not None:
            return self._filled(criteria, params, codec)
        return [each.encode(codec) if isinstance(each, str) else each for each in criteria]

    def _filled(self, texts: Any, params: Parameters, codec: str) -> builtins.list[Argument]:
        def filled() -> builtins.list[Argument]:
            return list(arguments.substitute(texts, params, codec, utf8=self.utf8_enabled))

        return self._arg(filled)  # type: ignore[arg-type,no-any-return]

    # -- by UID ---------------------------------------------------------------------------------

    def uid(self, command: str, *args: Any, params: Parameters | None = None) -> Results:
        """Send FETCH, STORE, COPY, MOVE, SEARCH, SORT, THREAD or EXPUNGE by UID.

        The data are as of SEARCH, SORT and THREAD, and FETCH responses for all others.
        """
        command = command.upper()
        if command not in public.Commands:
            raise self.error(f"Unknown IMAP4 UID command: {command}")
        self._check_state(command)
        prepared = list(self._uid_arguments(command, [arg for arg in args if arg is not None]))
        if params is not None:
            codec = self._encoding
            if command in ("SORT", "THREAD"):
                codec = arguments.encoder(args[1] if len(args) > 1 else None, codec)
            prepared = self._filled(prepared, params, codec)
        answer = command if command in ("SEARCH", "SORT", "THREAD") else "FETCH"
        return self._taken(answer, True, command, *prepared)

    def _uid_arguments(self, command: str, args: builtins.list[Any]) -> Iterator[Any]:
        """What stands where: a set and then a mailbox, flags, or parts; or criteria."""
        if command in ("COPY", "MOVE", "FETCH", "STORE", "EXPUNGE") and args:
            yield self._set(args.pop(0))
        for index, arg in enumerate(args):
            if command in ("COPY", "MOVE"):
                yield self._mailbox(arg)
            elif isinstance(arg, str | bytes):
                yield self._in_charset(command, index, arg, args)
            else:
                yield self._atoms(arg)

    def _in_charset(
        self, command: str, index: int, arg: str | bytes, args: builtins.list[Any]
    ) -> str | bytes:
        """The criteria of SORT and THREAD, which name their charset second, are encoded in it."""
        if (
            command in ("SORT", "THREAD")
            and index > 1
            and isinstance(arg, str)
            and not arg.isascii()
        ):
            return arg.encode(arguments.encoder(args[1], self._encoding))
        return arg

    # -- waiting --------------------------------------------------------------------------------

    def idle(self, duration: float | None = None) -> Idler:
        """Hear what the server says unasked (RFC 2177), for so many seconds at most.

        with imap.idle(60) as idler:
            for typ, data in idler: ...
        """
        return public.Idler(self, duration)
