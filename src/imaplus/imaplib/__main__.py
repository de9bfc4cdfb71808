"""Test a server: `python -m imaplus.imaplib [-d LEVEL] [-s COMMAND] [HOST]`.

Log in, create two mailboxes, append messages to one of them and to INBOX, read them, and delete
the mailboxes. With `-s`, run a shell command that speaks IMAP on its standard input and output
instead of connecting to a host. Exit with status 0 if every step succeeded.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from typing import Any

from imaplus import imaplib

FOLDER = "imaplus test"
LETTER = "From: {user}@localhost\nSubject: IMAP4 test\n\ndata...\n"


class Trial:
    """One session, logged to standard error."""

    def __init__(self, imap: imaplib.IMAP4) -> None:
        self.imap = imap

    def do(self, command: str, *args: Any) -> list[Any]:
        """Run a command and return its data. Raises IMAP4.error if the server answers NO."""
        shown = ("***",) if command == "login" else args
        self.imap._mesg(f"{command} {' '.join(map(repr, shown))}")
        typ, data = getattr(self.imap, command)(*args)
        self.imap._mesg(f"{command} => {typ} {data!r:.1000}")
        if typ == "NO":
            raise self.imap.error(data[0])
        found: list[Any] = data
        return found

    def mailboxes(self, letter: bytes) -> None:
        """Create mailboxes, use them, and delete them."""
        one, other = f"{FOLDER} 1", f"{FOLDER} 2"
        self.do("create", one)
        self.do("rename", one, f"{one} renamed")
        self.do("CREATE", other)
        self.do("append", other, None, None, letter)
        self.do("list", "", f"{FOLDER}*")
        self.do("select", other)
        self.do("search", None, "SUBJECT", "test")
        self.do("fetch", "1", "(FLAGS INTERNALDATE RFC822)")
        self.do("store", "1", "FLAGS", r"(\Deleted)")
        if "NAMESPACE" in self.imap.capabilities:
            self.do("namespace")
        self.do("expunge")
        self.do("recent")
        self.do("close")
        self.do("delete", f"{one} renamed")
        self.do("delete", other)

    def inbox(self, letter: bytes) -> None:
        """Append a message to INBOX and read it by its UID."""
        self.do("append", None, None, None, letter)
        self.do("select")
        self.do("response", "UIDVALIDITY")
        uids = self.do("uid", "SEARCH", "ALL")[-1].split()
        self.do("response", "EXISTS")
        parts = "(FLAGS INTERNALDATE RFC822.SIZE RFC822.HEADER RFC822.TEXT)"
        self.do("uid", "FETCH", uids[-1].decode(), parts)
        self.do("uid", "STORE", uids[-1].decode(), "+FLAGS", r"(\Deleted)")
        self.do("recent")
        self.do("logout")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the test and return the exit status.

    The password is read from the environment variable IMAPLUS_PASSWORD, or from the terminal.
    """
    parser = argparse.ArgumentParser(
        "python -m imaplus.imaplib",
        description="Test an IMAP server: log in, then create, use and delete mailboxes.",
        epilog="The password is read from IMAPLUS_PASSWORD, or from the terminal.",
    )
    parser.add_argument("-d", dest="debug", type=int, default=0, help="0 (silent) to 5 (all)")
    parser.add_argument("-s", dest="command", help="a command that speaks IMAP, instead of a host")
    parser.add_argument("-u", dest="user", default=None, help="user name; default: your login name")
    parser.add_argument("-p", dest="port", type=int, default=None)
    parser.add_argument("-t", dest="tls", action="store_true", help="use TLS from the start")
    parser.add_argument("host", nargs="?", default="")
    options = parser.parse_args(argv)
    imaplib.Debug = options.debug
    user = options.user or getpass.getuser()
    letter = LETTER.format(user=user).encode()
    try:
        with connect(options) as imap:
            trial = Trial(imap)
            imap._mesg(f"PROTOCOL_VERSION = {imap.PROTOCOL_VERSION}")
            if imap.state != "AUTH":
                trial.do("login", user, read_password(user, options.host))
            trial.mailboxes(letter)
            trial.inbox(letter)
    except (imaplib.IMAP4.error, OSError) as error:
        print(f"Tests failed: {error}", file=sys.stderr)
        if not options.debug:
            print("To see more, try -d 5.", file=sys.stderr)
        return 1
    print("All tests OK.")
    return 0


def connect(options: argparse.Namespace) -> imaplib.IMAP4:
    """Open a session as the command-line options say."""
    if options.command:
        return imaplib.IMAP4_stream(options.command)
    if options.tls:
        return imaplib.IMAP4_SSL(options.host, options.port or imaplib.IMAP4_SSL_PORT)
    return imaplib.IMAP4(options.host, options.port or imaplib.IMAP4_PORT)


def read_password(user: str, host: str) -> str:
    """Read the password from the environment, or from the terminal."""
    found = os.environ.get("IMAPLUS_PASSWORD")
    return found or getpass.getpass(f"IMAP password for {user} on {host or 'localhost'}: ")


if __name__ == "__main__":
    sys.exit(main())
