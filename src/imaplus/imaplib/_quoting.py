"""Arguments of an `IMAP4`, as what its commands send: quoted, encoded, and in parentheses.

Programs that make commands of their own call these methods, and some override them. What is quoted
how is known in `_arguments` and `_parameters`; here is what the session adds: its encoding, and
the kind of error.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable
from typing import Any

from imaplus.errors import InvalidArgument
from imaplus.imaplib import _arguments as arguments
from imaplus.imaplib._arguments import Argument, Atoms, MessageSet, Text
from imaplus.imaplib._parameters import Parameters, encoded, encoder, substitute
from imaplus.imaplib._responses import Responses
from imaplus.wire.patterns import lazy_pattern


class Quoting(Responses):
    """What stands in a command."""

    mustquote: re.Pattern[bytes] = lazy_pattern(rb"[^\w!#$%&'*+,.:;<=>?^`|~-]", re.ASCII)
    utf8_enabled: bool
    _encoding: str

    # -- as the standard module has them --------------------------------------------------------

    def _quote(self, arg: Text) -> bytes:
        """A quoted string."""
        return arguments.quote(self._octets(arg))

    def _astring(self, arg: Text) -> bytes:
        """A text that is quoted if it must be."""
        data = self._octets(arg)
        return data if arguments.may_be_bare(data) else self._quote(data)

    def _list_mailbox(self, arg: Text) -> bytes:
        """The same where `*` and `%` are wildcards."""
        data = self._octets(arg)
        return data if arguments.may_be_bare(data, wildcards=True) else self._quote(data)

    def _atom(self, arg: Any) -> Any:
        """A word that is sent as it is."""
        return arg

    def _sequence_set(self, arg: MessageSet) -> str:
        """A set of messages."""
        found: str = self._arg(arguments.message_set, arg)
        return found

    def _set_quote(self, arg: Atoms) -> Any:
        """A list in parentheses."""
        return self._arg(arguments.listed, arg, self._encoding)

    def _fetch_parts(self, arg: Atoms) -> Any:
        """The same, but for ALL, FULL and FAST, which may not stand in any."""
        items, modifiers = self._arg(arguments.fetch_items, arg, self._encoding)
        if self._octets(items).upper() not in arguments.MACROS:
            items = self._set_quote(items)
        return self._octets(items) + self._octets(modifiers) if modifiers else items

    def _encode_criteria(
        self, charset: Text | None, criteria: Iterable[Text | None]
    ) -> builtins.list[bytes]:
        """Search criteria in a charset. Raises LookupError for texts in one that is not known."""
        found: builtins.list[bytes] = self._arg(encoded, charset, criteria, self._encoding)
        return found

    def _checkquote(self, arg: Text) -> Any:
        """A quoted string where one is needed: not for what is in quotes or parentheses."""
        data = self._octets(arg)
        if len(data) >= 2 and (data[:1] + data[-1:]) in (b"()", b'""'):
            return arg
        return arg if data and not self.mustquote.search(data) else self._quote(arg)

    # -- and what it lacks ----------------------------------------------------------------------

    def _octets(self, text: object) -> bytes:
        """A text in the session's encoding; octets as they are."""
        found: bytes = self._arg(arguments.octets, text, self._encoding)
        return found

    def _mailbox(self, name: Text) -> Any:
        """The name of a mailbox, encoded."""
        return self._astring(self._arg(arguments.mailbox, name, utf8=self.utf8_enabled))

    def _pattern(self, name: Text) -> Any:
        """The same with wildcards."""
        return self._list_mailbox(self._arg(arguments.mailbox, name, utf8=self.utf8_enabled))

    def _entry(self, text: Text) -> Any:
        """An annotation's entry or attribute, or several in parentheses."""
        data = self._octets(text)
        return data if arguments.is_one_list(data) else self._list_mailbox(data)

    def _flags(self, flags: Atoms) -> Any:
        return self._set_quote(self._arg(arguments.flags, flags, self._encoding))

    def _charset(self, charset: Text | None) -> bytes | None:
        return None if charset is None else self._astring(charset)

    def _filled(
        self, charset: Text | None, texts: Any, params: Parameters
    ) -> builtins.list[Argument]:
        """Texts with parameters for their placeholders."""

        def filled() -> builtins.list[Argument]:
            codec = encoder(charset, self._encoding)
            return list(substitute(texts, params, codec, utf8=self.utf8_enabled))

        return self._arg(filled)  # type: ignore[no-any-return]

    def _arg(self, make: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What a function of `_arguments` makes; its complaint is an `IMAP4.error`."""
        try:
            return make(*args, **options)
        except InvalidArgument as error:
            raise self._invalid(str(error)) from error
        except TypeError as error:
            raise self._mistyped(str(error)) from error
