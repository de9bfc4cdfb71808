"""What tokens look like: a pattern for each rule of RFC 9051's grammar (9), and what text it is.

Here is also what broken servers send instead of a token. Who reads which token where is not known.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from imaplus.wire.patterns import lazy_pattern

LONGEST_SHARED: Final = 256
"""Octets of flags that are remembered: what servers send to fill the memory is not."""

SPACES: Final = lazy_pattern(rb"[ \t]+")
# atom = 1*ATOM-CHAR; octets above 0x7f are not ATOM-CHARs, and yet they come.
ATOM: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\]\x7f]+')
# astring = 1*ASTRING-CHAR / string; ASTRING-CHAR = ATOM-CHAR / "]".
ASTRING: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\x7f]+')
NUMBER: Final = lazy_pattern(rb"[0-9]{1,20}(?![0-9.eE])")
# quirk 11, 12: mail.ru sends 9.3736e+06, Dovecot and Exchange -1.
ODD_NUMBER: Final = lazy_pattern(
    rb"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?(?![0-9])"
)
QUOTED: Final = lazy_pattern(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(?=[ \t()\]>]|\Z)')
# quirk 10: a quote inside that nobody escaped closes only where a token may end. No assertion
# stands in the possessive group: before Python 3.11.5 that does not work.
ODD_QUOTED: Final = lazy_pattern(
    rb'"([^"\\]*+(?:(?:\\.|"++(?:[^ \t)\]"\\]|\\.))[^"\\]*+)*+"*)"(?=[ \t)\]]|\Z)'
)
ESCAPED: Final = lazy_pattern(rb"\\(.)", re.DOTALL)
LITERAL: Final = lazy_pattern(rb"~?\{([0-9]+)\}\r\n")
NIL: Final = lazy_pattern(rb"[Nn][Ii][Ll](?=[ \t()\]>]|\Z)")
# quirk 15: flags with atom-specials inside; a flag ends at a space or a parenthesis, no sooner.
FLAG: Final = lazy_pattern(rb"\\\*|\\?[^\x00-\x20()\x7f]+")
FLAGS: Final = lazy_pattern(rb"\(([^()\"{]*)\)")
SKIP: Final = lazy_pattern(rb'[()"]|\{[0-9]+\}\r\n|[^()"{]+|\{')
# The commonest lists in one step, as deep as NESTED; the loop over SKIP reads the same, and more.
NESTED: Final = 8
_PLAIN: Final = (
    rb'[^()"{\r\n]++|"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"(?=[ \t()\]>])|\{[0-9]++\}\r\n'
)
_A_LIST: Final = functools.reduce(
    lambda inner, _: rb"\((?:%b|%b)*+\)" % (_PLAIN, inner),
    range(NESTED - 1),
    rb"\((?:%b)*+\)" % _PLAIN,
)
"""The pattern of a list, literals without their octets: it has as many line ends as literals."""
LIST: Final = lazy_pattern(_A_LIST)
TOKEN_END: Final = lazy_pattern(rb"[^ \t()]+")
NUMBERS: Final = lazy_pattern(rb"[0-9 \t]*")
SEQUENCE_SET: Final = lazy_pattern(rb"[0-9*][0-9*:,]*")


def decode_text(data: bytes) -> str:
    """Text that should be UTF-8 and may be Latin-1 (quirk 74). Never raises."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


SPELLING: Final = {
    name.lower(): name
    for name in (
        r"\Seen \Answered \Flagged \Deleted \Draft \Recent $Forwarded $MDNSent $Junk $NotJunk "
        "$Phishing $Important $SubmitPending $Submitted $autosent $canunsubscribe $followed "
        "$hasattachment $hasmemo $hasnoattachment $imported $istrusted $MailFlagBit0 $MailFlagBit1 "
        "$MailFlagBit2 $maskedemail $memo $muted $new $notify $unsubscribed"
    ).split()
}
"""The registered spelling of flags and keywords, by the name in lower case: they have no case."""


def flag_text(data: bytes) -> str:
    """A flag or keyword, in its registered spelling if it has one."""
    text = decode_text(data)
    return SPELLING.get(text.lower(), text)


def flag_set(data: bytes) -> frozenset[str]:
    """The flags of a text that has neither quotes nor parentheses."""
    return _shared_flag_set(data) if len(data) <= LONGEST_SHARED else _flag_set(data)


def _flag_set(data: bytes) -> frozenset[str]:
    return frozenset(map(flag_text, data.split()))


_shared_flag_set: Final = functools.lru_cache(maxsize=4096)(_flag_set)
"""One set for each distinct text, of which a mailbox has few: it costs less than building them."""
