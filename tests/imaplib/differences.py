"""Where the facade deliberately differs from a standard imaplib, once each, with the reason.

`tests` are those of an interpreter's own suite that insist on the other behaviour: they must fail,
so that no line stays here longer than it is true. The rest is shown by tests of ours, which name
the difference they show.
"""

from __future__ import annotations

from dataclasses import dataclass

_FOUR = ("NewIMAPTests", "NewIMAPSSLTests", "ThreadedNetworkedTests", "ThreadedNetworkedTestsSSL")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is different, and why."""

    name: str
    what: str
    why: str
    tests: tuple[str, ...] = ()


DIFFERENCES = (
    Difference(
        name="utf8-append",
        what="under UTF8=ACCEPT, APPEND sends the message alone, not 'UTF8 (' message ')'",
        why="inside the literal the wrapping becomes part of the message: Dovecot 2.4 stores it",
        tests=tuple(f"{each}.test_enable_UTF8_True_append" for each in _FOUR),
    ),
    Difference(
        name="tls-verified",
        what="IMAP4_SSL and starttls verify certificate and host name without a context",
        why="whoever is in the middle would otherwise read the password; suite.py opts out",
    ),
    Difference(
        name="maxline",
        what="_MAXLINE is None until somebody sets it; `limits` bounds memory instead",
        why="a SEARCH with a million results is one line, and no attack",
    ),
    Difference(
        name="quoting",
        what="arguments are quoted where they must be: mailboxes, users, roots, identifiers",
        why="as in Python 3.16; before, a space in a name made another command of it",
    ),
    Difference(
        name="mailbox-names",
        what="mailbox names in any script are encoded; a bare & becomes &-",
        why="as in Python 3.16; before, they raised UnicodeEncodeError or named another mailbox",
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
        name="directory",
        what="list() and lsub() have '' for their directory, which is sent as before",
        why="as in Python 3.16",
    ),
    Difference(
        name="control-characters",
        what="NUL, CR and LF in an argument raise an error that is also a ValueError",
        why="as in Python 3.16 (CVE-2025-15366), where it is a ValueError alone",
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
        what="a challenge that is not base64 is an abort, not a binascii.Error",
        why="nobody expects that from login_cram_md5(); only the server is to blame",
    ),
    Difference(
        name="blank-lines",
        what="an empty line after a literal is passed over",
        why="as in Python 3.16; some servers send one",
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
    Difference(
        name="injected",
        what="octets between STARTTLS's OK and the handshake raise an abort; what was said in "
        "clear is forgotten",
        why="they were never under TLS (CVE-2026-41319)",
    ),
    Difference(
        name="last-words",
        what="the text of an error ends with the untagged NO and BAD that came before, and a long "
        "line is shortened in it; `args` are the same",
        why="they often say why, and a line of a megabyte hides what else was said",
    ),
    Difference(
        name="secrets",
        what="debug output, print_log and errors show *** for passwords and SASL data, also where "
        "the server repeats them",
        why="logs are kept, and mailed to others",
    ),
    Difference(
        name="quote-type",
        what="_quote() gives the type that it is given",
        why="str to 3.14.6, bytes from 3.14.7 on: programs for either join it to what they have",
    ),
    Difference(
        name="charset",
        what="str criteria are encoded in the charset that search(), sort() and thread() name",
        why="as in Python 3.16; before, they raised UnicodeEncodeError",
    ),
    Difference(
        name="literal-limit",
        what="a literal, a line, or the responses to one command beyond `limits` are an abort",
        why="a server must not be able to take the machine's memory",
    ),
    Difference(
        name="file",
        what="`file` reads what the facade has buffered; one that is assigned is read instead",
        why="a time-out breaks a socket's own file for good, and IDLE needs time-outs",
    ),
    Difference(
        name="certfile",
        what="keyfile and certfile are accepted by IMAP4_SSL on every Python, with a warning",
        why="Python 3.12 took them away from programs that still run on 3.11",
    ),
    Difference(
        name="shutdown-twice",
        what="shutdown() of a closed connection does nothing",
        why="closing twice harms nobody, and an OSError in clean-up hides the first error",
    ),
    Difference(
        name="no-mailbox",
        what='an empty mailbox name is sent as "", not as nothing',
        why="as in Python 3.16; nothing is not an argument",
    ),
)

BY_NAME = {difference.name: difference for difference in DIFFERENCES}
FAILING = frozenset(test for difference in DIFFERENCES for test in difference.tests)
"""Tests of an interpreter's own suite that must fail, where it has them."""
