"""The methods of an `IMAP4` that encode and quote arguments.

Programs call and override these methods to build their own commands. `_arguments` and
`_parameters` do the quoting; these methods add the session's encoding and error classes.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable
from typing import Any

from imaplus.errors import InvalidArgument
from imaplus.imaplib import _arguments as arguments
from imaplus.imaplib._arguments import Argument, Atoms, MessageSet, Text
from imaplus.imaplib._parameters import Parameters, encode_criteria, find_codec, substitute
from imaplus.imaplib._responses import Responses
from imaplus.wire.patterns import lazy_pattern


class Quoting(Responses):
    """Encoding of arguments in the session's encoding."""

    mustquote: re.Pattern[bytes] = lazy_pattern(rb"[^\w!#$%&'*+,.:;<=>?^`|~-]", re.ASCII)
    utf8_enabled: bool
    _encoding: str

    # -- methods of the standard module ---------------------------------------------------------

    def _quote(self, arg: Text) -> bytes:
        """Return a quoted string."""
        return arguments.quote(self._to_bytes(arg))

    def _astring(self, arg: Text) -> bytes:
        """Return an astring: quoted only if necessary."""
        data = self._to_bytes(arg)
        return data if arguments.may_be_bare(data) else self._quote(data)

    def _list_mailbox(self, arg: Text) -> bytes:
        """Return an astring in which `*` and `%` need no quoting: they are wildcards."""
        data = self._to_bytes(arg)
        return data if arguments.may_be_bare(data, wildcards=True) else self._quote(data)

    def _atom(self, arg: Any) -> Any:
        """Return an atom unchanged."""
        return arg

    def _sequence_set(self, arg: MessageSet) -> str:
        """Format a set of messages."""
        found: str = self._arg(arguments.message_set, arg)
        return found

    def _set_quote(self, arg: Atoms) -> Any:
        """Format names as a parenthesised list."""
        return self._arg(arguments.parenthesise, arg, self._encoding)

    def _fetch_parts(self, arg: Atoms) -> Any:
        """Format FETCH items as a parenthesised list; the macros ALL, FULL and FAST unchanged."""
        items, modifiers = self._arg(arguments.fetch_items, arg, self._encoding)
        if self._to_bytes(items).upper() not in arguments.MACROS:
            items = self._set_quote(items)
        return self._to_bytes(items) + self._to_bytes(modifiers) if modifiers else items

    def _encode_criteria(
        self, charset: Text | None, criteria: Iterable[Text | None]
    ) -> builtins.list[bytes]:
        """Encode search criteria. Raises LookupError for a str if the charset is unknown."""
        found: builtins.list[bytes] = self._arg(encode_criteria, charset, criteria, self._encoding)
        return found

    def _checkquote(self, arg: Text) -> Any:
        """Quote a string if necessary; anything in quotes or parentheses stays unchanged."""
        data = self._to_bytes(arg)
        if len(data) >= 2 and (data[:1] + data[-1:]) in (b"()", b'""'):
            return arg
        return arg if data and not self.mustquote.search(data) else self._quote(arg)

    # -- further methods ------------------------------------------------------------------------

    def _to_bytes(self, text: object) -> bytes:
        """Encode a str in the session's encoding; return bytes unchanged."""
        found: bytes = self._arg(arguments.to_bytes, text, self._encoding)
        return found

    def _mailbox(self, name: Text) -> Any:
        """Encode a mailbox name."""
        return self._astring(self._arg(arguments.mailbox, name, utf8=self.utf8_enabled))

    def _pattern(self, name: Text) -> Any:
        """Encode a mailbox name with wildcards."""
        return self._list_mailbox(self._arg(arguments.mailbox, name, utf8=self.utf8_enabled))

    def _entry(self, text: Text) -> Any:
        """Encode an annotation's entry or attribute, or a parenthesised list of them."""
        data = self._to_bytes(text)
        return data if arguments.is_one_list(data) else self._list_mailbox(data)

    def _flags(self, flags: Atoms) -> Any:
        return self._set_quote(self._arg(arguments.flags, flags, self._encoding))

    def _charset(self, charset: Text | None) -> bytes | None:
        return None if charset is None else self._astring(charset)

    def _fill(
        self, charset: Text | None, texts: Any, params: Parameters
    ) -> builtins.list[Argument]:
        """Replace the placeholders in texts by parameters."""

        def fill() -> builtins.list[Argument]:
            codec = find_codec(charset, self._encoding)
            return list(substitute(texts, params, codec, utf8=self.utf8_enabled))

        return self._arg(fill)  # type: ignore[no-any-return]

    def _arg(self, make: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a function of `_arguments`, turning its exceptions into `IMAP4.error`."""
        try:
            return make(*args, **options)
        except InvalidArgument as error:
            raise self._invalid(str(error)) from error
        except TypeError as error:
            raise self._mistyped(str(error)) from error
