"""Where the facade deliberately differs from a standard imaplib, once each, with the reason.

Standard is what Python 3.11 to 3.15 and PyPy 3.11 have, and CPython's main branch, which becomes
3.16. Where they differ from each other the facade follows the newest; "newest releases" are
3.13.15, 3.14.7 and 3.15.0, and what came after them.

`tests` are those of an interpreter's own suite that insist on the other behaviour: they must fail,
so that no line stays here longer than it is true. The rest is shown by tests of ours, which name
the difference they show.
"""

from __future__ import annotations

from dataclasses import dataclass

_FOUR = ("NewIMAPTests", "NewIMAPSSLTests", "ThreadedNetworkedTests", "ThreadedNetworkedTestsSSL")
_TWO = _FOUR[:2]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is different, and why."""

    name: str
    what: str
    why: str
    tests: tuple[str, ...] = ()


DIFFERENCES = (
    # -- what is safer ----------------------------------------------------------------------
    Difference(
        name="tls-verified",
        what="IMAP4_SSL and starttls verify certificate and host name without a context",
        why="whoever is in the middle would otherwise read the password; suite.py opts out",
    ),
    Difference(
        name="login-disabled",
        what="login() is an error in clear where the server says LOGINDISABLED",
        why="the password would be on the wire before the server could refuse it (RFC 3501, 6.2.3)",
    ),
    Difference(
        name="injected",
        what="bytes between STARTTLS's OK and the handshake raise an abort; what was said in "
        "clear is forgotten",
        why="they were never under TLS (CVE-2026-41319)",
    ),
    Difference(
        name="capabilities-of-before",
        what="a CAPABILITY response that waited before login() is not taken for its answer",
        why="it was said to somebody unknown, and perhaps by somebody else (RFC 3501, 6.2.3)",
    ),
    Difference(
        name="form-c",
        what="under UTF8=ACCEPT, mailbox names go in Unicode's form C, unless they are bytes",
        why="RFC 6855 (3) wants Net-Unicode; Cyrus 3.10 finds no name in another form",
    ),
    Difference(
        name="folded-strings",
        what="a line break inside a quoted string does not end a response; it is given as it came",
        why="servers send folded file names like that (GreenMail); the rest was an abort",
    ),
    Difference(
        name="secrets",
        what="debug output, print_log and errors show *** for passwords and SASL data, also where "
        "the server repeats them",
        why="logs and tracebacks are kept, and mailed to others; some servers repeat a password",
    ),
    Difference(
        name="last-words",
        what="the text of an error ends with the untagged NO and BAD that came before, and a long "
        "line is shortened in it; `args` are the same",
        why="they often say why, and a line of a megabyte hides what else was said",
    ),
    Difference(
        name="control-characters",
        what="NUL, CR and LF in an argument raise an error that is also a ValueError",
        why="in the newest releases it is a ValueError alone (CVE-2025-15366), and before they "
        "were sent; programs that catch IMAP4.error should catch this",
    ),
    Difference(
        name="control-characters-in-names",
        what="NUL, CR and LF are refused in mailbox names as well, where Python 3.16 encodes them",
        why="no server has such a mailbox: whoever passes one has a fault, or was passed one; and "
        "under UTF8=ACCEPT the same call could not be sent at all",
    ),
    Difference(
        name="types",
        what="what is of no type that can be sent raises an error that is also a TypeError",
        why="in the newest releases it is whatever fails first, TypeError or AttributeError",
    ),
    Difference(
        name="literal-announced",
        what="an argument that ends in {n} outside quotes raises an error",
        why="the server would take what follows for a literal: half of a smuggled command",
    ),
    Difference(
        name="early-ok",
        what="OK to a command that has not been sent as a whole is an abort",
        why="nothing was done: an APPEND would seem to have worked (CVE-2026-42246)",
    ),
    Difference(
        name="bad-base64",
        what="a challenge that is not base64 is an abort, not a binascii.Error, as is the eleventh",
        why="nobody expects that from login_cram_md5(); only the server is to blame",
    ),
    Difference(
        name="other-messages",
        what="fetch() of a single number gives no responses of other messages",
        why="programs take the first that comes for the message; of a set, all come back as ever",
    ),
    Difference(
        name="maxline",
        what="_MAXLINE is None until somebody sets it; `limits` bounds memory instead",
        why="a SEARCH with a million results is one line, and no attack",
    ),
    Difference(
        name="literal-limit",
        what="a literal, a line, the responses to one command, or 64 MiB of what it did not ask "
        "for, beyond `limits`, are an abort",
        why="a server must not be able to take the machine's memory",
    ),
    Difference(
        name="pace",
        what="a response that has begun must come at 256 bytes a second on average over the "
        "socket's time-out (120 s where there is none), and talk that was not asked for must end "
        "within it: else an abort. A TLS handshake has that time as well",
        why="a time-out for each octet never ends against a server that drips",
    ),
    Difference(
        name="log-lines",
        what="print_log and errors show the first 1,000 bytes of a line",
        why="ten lines of 16 MB, written down with escapes, take more memory than all else",
    ),
    # -- what is read that the standard module gives up on -----------------------------------
    Difference(
        name="recorded",
        what="small letters, a status without text, a code without a status, NULs and spaces in "
        "front, an odd literal size, a tagged BYE: read, where it was an abort",
        why="servers are known to send each of them (tests/corpus)",
    ),
    Difference(
        name="login-stands",
        what="a server that refuses CAPABILITY after a login has not refused the login",
        why="an error would say that it failed",
    ),
    Difference(
        name="blank-lines",
        what="an empty line after a literal is passed over",
        why="as in the newest releases; some servers send one",
    ),
    # -- what is sent -----------------------------------------------------------------------
    Difference(
        name="utf8-enabled",
        what="UTF-8 begins with `* ENABLED UTF8=ACCEPT`, not with any OK to enable()",
        why="RFC 5161 (3.1) says so, and Cyrus 3.10 says OK to what it does not enable: names "
        "would then go out in an encoding that it does not expect",
        tests=(
            *(f"{each}.test_search_disallows_charset_in_utf8_mode" for each in _FOUR),
            *(f"{each}.test_utf8_mailbox_name" for each in _TWO),
        ),
    ),
    Difference(
        name="utf8-append",
        what="under UTF8=ACCEPT, APPEND sends the message alone, and with the mark UTF8 (~{n}) "
        "only to a server that refuses it without",
        why="RFC 9755 took the mark back, and Dovecot 2.4 never answers it; and as Python to "
        "3.14.6 sent it, it became part of the message",
        tests=tuple(f"{each}.test_enable_UTF8_True_append" for each in _FOUR),
    ),
    Difference(
        name="charset",
        what="str criteria are encoded in the charset that search(), sort() and thread() name; "
        "where Python does not know it they are a LookupError",
        why="as in Python 3.16; in all releases they are sent in ASCII, whatever the charset, or "
        "raise UnicodeEncodeError",
        tests=tuple(
            f"{each}.test_{method}"
            for each in _TWO
            for method in ("search", "sort", "thread", "uid_sort", "uid_thread")
        ),
    ),
    Difference(
        name="mailbox-names",
        what="mailbox names in any script are encoded, control characters too; a bare & becomes &-",
        why="as in Python 3.16; in all releases they raise UnicodeEncodeError, or name another "
        "mailbox",
        tests=tuple(f"{each}.test_control_characters" for each in _TWO),
    ),
    Difference(
        name="quoting",
        what="arguments are quoted where they must be: mailboxes, users, roots, charsets",
        why="as in the newest releases; before, a space in a name made another command of it",
    ),
    Difference(
        name="annotations",
        what="entries and attributes of annotations are quoted too, unless they are lists; in the "
        "mailbox of getannotation(), * and % are wildcards",
        why="an entry with a space would be two arguments; the wildcards are the point of it",
    ),
    Difference(
        name="parentheses",
        what="lists of names get parentheses; modifiers behind what FETCH asks for get none",
        why="the first as in the newest releases, where the second make a command that no server "
        "takes: FETCH 1 (FLAGS (CHANGEDSINCE 5))",
    ),
    Difference(
        name="uid-arguments",
        what="uid() takes modifiers for FETCH and STORE as further arguments",
        why="they worked until the newest releases, which raise ValueError: too many to unpack",
    ),
    Difference(
        name="directory",
        what="list() and lsub() have '' for their directory, which is sent as before",
        why="as in the newest releases",
    ),
    Difference(
        name="no-mailbox",
        what='an empty mailbox name is sent as "", not as nothing',
        why="as in the newest releases; nothing is not an argument",
    ),
    Difference(
        name="literal-left",
        what="a `literal` that was set is forgotten with the command that did not use it",
        why="it would be sent with the next command, whatever that is",
    ),
    Difference(
        name="tags-of-refused",
        what="an argument that cannot be sent leaves no tag behind",
        why="no command waits for it",
    ),
    # -- what else --------------------------------------------------------------------------
    Difference(
        name="file",
        what="`file` reads what the facade has buffered; one that is assigned is read instead, on "
        "every Python",
        why="programs read and assign it, and Python 3.14 and 3.15 no longer look at it; they "
        "warn, and so do we there",
    ),
    Difference(
        name="certfile",
        what="keyfile and certfile are accepted by IMAP4_SSL on every Python, with a warning",
        why="Python 3.12 took them away from programs that still run on 3.11",
    ),
    Difference(
        name="shutdown-twice",
        what="shutdown() of a closed connection does nothing, and logout() closes a lost one",
        why="closing twice harms nobody, and an OSError in clean-up hides the first error",
    ),
)

BY_NAME = {difference.name: difference for difference in DIFFERENCES}
FAILING = frozenset(test for difference in DIFFERENCES for test in difference.tests)
"""Tests of an interpreter's own suite that must fail, where it has them."""
