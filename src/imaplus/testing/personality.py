"""The servers that the test server can imitate: their capabilities and quirks.

A quirk is a `Quirk`, which the commands check, or a function that rewrites each response before it
is sent. Numbers in comments and docstrings are those of the quirks in `tests/corpus`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

from imaplus.errors import InvalidArgument
from imaplus.records import record, replace


class Quirk(enum.Enum):
    """Deviations of servers from the RFCs; each value describes one."""

    NO_ENABLED = "ENABLE answers only the tagged OK"  # 29
    ID_BEFORE_SELECT = "SELECT says NO until ID was sent"  # 49
    NO_INITIAL_RESPONSE = "an initial SASL response is BAD, though SASL-IR is offered"  # 49
    BAD_PASSWORD_IS_OK = "login succeeds with any password, and then every command is BAD"  # 26
    LIST_RETURN_IS_EMPTY = "LIST ... RETURN finds nothing"  # 42
    NO_LIST_EXTENDED = "LIST with options is BAD, though it is offered"  # 43
    NO_LSUB = "LSUB is BAD"  # 45
    NAMESPACE_DROPS = "NAMESPACE drops the connection"  # 47
    NO_SEARCH_CHARSET = "SEARCH CHARSET is NO [BADCHARSET]"  # 51
    PLAIN_SEARCH = "SEARCH RETURN is answered with SEARCH"  # 50
    NO_EXISTS_AFTER_APPEND = "APPEND to the selected mailbox shows after the next NOOP"  # 55
    ONLY_NOOP_TELLS = "changes show only in the answer to NOOP, CHECK and IDLE"  # 53
    FINAL_CRLF = "APPEND of a message without a final CRLF is BAD"  # 80
    NO_NUL = "APPEND of a message with a NUL is NO"  # 81
    NO_DESCENDING_SETS = "a range such as 9:6 is BAD"  # 38
    LOGOUT_WITHOUT_OK = "LOGOUT is answered with BYE and a closed connection"  # 31
    ENDLESS_BYE = "LOGOUT is answered with BYE after BYE"  # 30
    EMPTY_COPYUID = "COPYUID names no UIDs"  # 24
    BODY_VALUE_MISSING = "an empty body section has no value at all"  # 75
    FULL_PARTIAL = "BODY[]<0.10> is answered with BODY[]<0.10>"  # 77
    UNQUOTED_LIST = "LIST gives names unquoted"  # 40
    NO_UIDVALIDITY = "SELECT and STATUS report no UIDVALIDITY"  # 88
    UIDNOTSTICKY = "UIDs change when no session has the mailbox selected; SELECT says so"
    SAYS_CLOSED = "SELECT says that the mailbox before it is closed"


Rewrite = Callable[[bytes], bytes]
"""Changes one response, including its CRLF. Responses with large bodies are not rewritten."""

REV1: Final = frozenset(
    "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN ESEARCH"
    " SEARCHRES CONDSTORE QRESYNC SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS"
    " STATUS=SIZE MULTIAPPEND BINARY COMPRESS=DEFLATE UTF8=ACCEPT WITHIN STARTTLS"
    " AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=XOAUTH2"
    " AUTH=OAUTHBEARER AUTH=EXTERNAL AUTH=ANONYMOUS OBJECTID".split()
)
"""All capabilities that the server implements, except IMAP4rev2 and X-GM-EXT-1.

A personality may also announce capabilities that are not implemented.
"""
BASIC: Final = frozenset("IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN".split())
"""RFC 3501 without extensions."""


@record(kw_only=True)
class Personality:
    """The capabilities, limits and quirks of one server."""

    name: str
    capabilities: frozenset[str] = REV1
    greeting: str = "imaplus.testing at your service"
    delimiter: str = "/"
    prefix: str = ""
    """Prefix of personal mailboxes other than INBOX."""
    server_id: tuple[tuple[str, str], ...] = (("name", "imaplus.testing"),)
    longest_line: int = 1 << 20
    """Maximum size of a command without its literals, in bytes (37)."""
    largest_message: int = 2 << 30
    """Maximum size of a message, in bytes."""
    quirks: frozenset[Quirk] = frozenset()
    rewrites: tuple[Rewrite, ...] = ()

    def rewrite(self, response: bytes) -> bytes:
        """Return the response as this server would send it."""
        for each in self.rewrites:
            response = each(response)
        return response

    def but(
        self,
        *quirks: Quirk,
        plus: str = "",
        minus: str = "",
        rewrites: tuple[Rewrite, ...] = (),
    ) -> Personality:
        """Return a copy with more quirks and rewrites, and capabilities added and removed.

        Args:
            plus, minus: names of capabilities, separated by spaces.
        """
        capabilities = (self.capabilities | set(plus.split())) - set(minus.split())
        return replace(
            self,
            capabilities=capabilities,
            quirks=self.quirks | set(quirks),
            rewrites=self.rewrites + rewrites,
        )


_INTERNALDATE: Final = re.compile(rb'(?<=[( ])INTERNALDATE "[^"]*"')
_MODSEQ: Final = re.compile(rb"(?<=[( ])MODSEQ \([0-9]+\)")
_WORDS: Final = re.compile(rb"(\* (?:[0-9]+ )?|\w+ )([A-Z0-9]+)")
_LAST_TEXT: Final = re.compile(rb"((?:\*|\w+) (?:OK|NO|BAD)(?: \[[^\]]*\])?) [^\r\n]*(?=\r\n\Z)")


def trailing_space(response: bytes) -> bytes:
    """Add a space at the end of the line (1)."""
    return response.removesuffix(b"\r\n") + b" \r\n"


def nul_padding(response: bytes) -> bytes:
    """Add NULs before a response (2)."""
    return b"\0\0\0" + response


def bare_plus(response: bytes) -> bytes:
    """Remove the text of continuation requests (3), except SASL challenges."""
    return b"+\r\n" if response.startswith(b"+ ") and b" " in response[2:] else response


def no_text(response: bytes) -> bytes:
    """Remove the text of status responses (4)."""
    return _LAST_TEXT.sub(rb"\1", response)


def small_letters(response: bytes) -> bytes:
    """Write keywords in lower case (19)."""
    return _WORDS.sub(lambda found: found[1] + found[2].lower(), response, count=1)


def empty_lines(response: bytes) -> bytes:
    """Add an empty line after a response (5)."""
    return response + b"\r\n"


def backslash_star_everywhere(response: bytes) -> bytes:
    """Add `\\*` and a repeated flag to FLAGS (16)."""
    if response.startswith(b"* FLAGS ("):
        return response.replace(b")\r\n", b" \\Seen \\*)\r\n")
    return response


def bare_code(response: bytes) -> bytes:
    """Remove the OK before an untagged code (23)."""
    return response.replace(b"* OK [COPYUID ", b"* [COPYUID ", 1)


def spaced_addresses(response: bytes) -> bytes:
    """Add a space between two addresses (57)."""
    return response.replace(b")(", b") (") if b"ENVELOPE (" in response[:200] else response


def no_date(response: bytes) -> bytes:
    """Replace INTERNALDATE by an invalid date (41)."""
    return _INTERNALDATE.sub(b'INTERNALDATE "00-Jan-0000 00:00:00 +0000"', response)


def no_modseq(response: bytes) -> bytes:
    """Replace mod-sequences by 0 (28)."""
    return _MODSEQ.sub(b"MODSEQ (0)", response)


def exchange_error(response: bytes) -> bytes:
    """Add a response code with invalid syntax (25)."""
    if response.endswith(b" AUTHENTICATE completed\r\n"):
        odd = (
            b'[Error="Microsoft.Exchange.Data.Storage.WrongServerException: Cross Server" Proxy=x] '
        )
        return response.replace(b" OK ", b" OK " + odd, 1)
    return response


PERSONALITIES: Final[dict[str, Personality]] = {
    each.name: each
    for each in (
        Personality(name="rev1", quirks=frozenset({Quirk.SAYS_CLOSED})),
        Personality(
            name="rev2",
            capabilities=(REV1 - {"LITERAL+"}) | {"IMAP4rev2", "LITERAL-"},
            quirks=frozenset({Quirk.SAYS_CLOSED}),
        ),
        Personality(name="rev1-basic", capabilities=BASIC),
        Personality(name="minimal-imap4", capabilities=frozenset({"IMAP4"})),
        Personality(
            name="condstore",
            capabilities=REV1 - {"QRESYNC", "IMAP4rev2"},
        ),
        Personality(
            name="dovecot",
            greeting="Dovecot ready.",
            server_id=(("name", "Dovecot"),),
            longest_line=64 << 10,
            quirks=frozenset({Quirk.NO_NUL, Quirk.SAYS_CLOSED}),
        ),
        Personality(
            name="gmail",
            capabilities=BASIC
            | frozenset(
                "UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE"
                " MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE"
                " SASL-IR APPENDLIMIT=35651584 AUTH=XOAUTH2 AUTH=OAUTHBEARER".split()
            ),
            greeting="Gimap ready for requests",
            server_id=(("name", "GImap"), ("vendor", "Google, Inc.")),
            longest_line=16_000,
            largest_message=35_651_584,
            quirks=frozenset({Quirk.ONLY_NOOP_TELLS, Quirk.NO_EXISTS_AFTER_APPEND}),
        ),
        Personality(
            name="exchange",
            capabilities=BASIC
            | frozenset("SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+".split())
            | {"AUTH=XOAUTH2"},
            greeting="The Microsoft Exchange IMAP4 service is ready.",
            quirks=frozenset({Quirk.EMPTY_COPYUID, Quirk.NO_SEARCH_CHARSET, Quirk.NO_NUL}),
            rewrites=(exchange_error,),
        ),
        Personality(
            name="office365",
            capabilities=BASIC
            | frozenset(
                "SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+".split()
            ),
            greeting="The Microsoft Exchange IMAP4 service is ready.",
            quirks=frozenset({Quirk.UNQUOTED_LIST}),
            rewrites=(bare_code, spaced_addresses),
        ),
        Personality(
            name="domino",
            capabilities=BASIC | frozenset("CHILDREN NAMESPACE UIDPLUS LITERAL+".split()),
            delimiter="\\",
            rewrites=(no_date,),
        ),
        Personality(
            name="zoho",
            capabilities=REV1 - {"QRESYNC"},
            rewrites=(no_modseq,),
        ),
        Personality(
            name="courier",
            capabilities=BASIC | frozenset("UIDPLUS CHILDREN NAMESPACE IDLE".split()),
            greeting="Courier-IMAP ready.",
            delimiter=".",
            prefix="INBOX.",
            longest_line=16_384,
        ),
        Personality(
            name="yandex",
            capabilities=BASIC
            | frozenset("UNSELECT UIDPLUS ENABLE IDLE LITERAL+ NAMESPACE CHILDREN XLIST ID".split())
            | {"AUTH=XOAUTH2"},
            greeting="Yandex IMAP4rev1",
            delimiter="|",
            quirks=frozenset({Quirk.BODY_VALUE_MISSING, Quirk.ENDLESS_BYE}),
            rewrites=(backslash_star_everywhere,),
        ),
        Personality(
            name="icloud",
            quirks=frozenset({Quirk.NO_ENABLED}),
        ),
        Personality(
            name="netease",
            capabilities=BASIC | frozenset("ID UIDPLUS SASL-IR IDLE XLIST".split()),
            greeting="Coremail System IMap Server Ready(163com)",
            quirks=frozenset({Quirk.ID_BEFORE_SELECT, Quirk.NO_INITIAL_RESPONSE}),
        ),
        Personality(
            name="yahoo",
            capabilities=BASIC
            | frozenset("ID MOVE NAMESPACE UIDPLUS LITERAL+ IDLE SASL-IR".split()),
            longest_line=1_000,
            quirks=frozenset({Quirk.FINAL_CRLF}),
        ),
        Personality(
            name="hmailserver",
            capabilities=BASIC | frozenset("CHILDREN IDLE NAMESPACE".split()),
            delimiter=".",
            quirks=frozenset({Quirk.NO_DESCENDING_SETS}),
        ),
        Personality(name="strato", quirks=frozenset({Quirk.LIST_RETURN_IS_EMPTY})),
        Personality(
            name="protonmail",
            capabilities=BASIC | frozenset("ID IDLE MOVE UIDPLUS UNSELECT SPECIAL-USE".split()),
            quirks=frozenset({Quirk.NO_LIST_EXTENDED}),
        ),
        Personality(
            name="sloppy",
            greeting="",
            quirks=frozenset({Quirk.LOGOUT_WITHOUT_OK, Quirk.FULL_PARTIAL, Quirk.PLAIN_SEARCH}),
            rewrites=(small_letters, no_text, bare_plus, trailing_space, empty_lines),
        ),
    )
}
"""The personalities by name."""


def named(name: str | Personality) -> Personality:
    """Return the personality of a name. Raises InvalidArgument if there is none."""
    if isinstance(name, Personality):
        return name
    if name not in PERSONALITIES:
        known = ", ".join(sorted(PERSONALITIES))
        raise InvalidArgument(f"unknown personality {name!r}; known are {known}")
    return PERSONALITIES[name]
